"""Links between pages: in the repository they lead to its files, on the site to the page that shows the file.

Pages are written so that their links work where the repository is read. The site has other paths, and it shows files of
code as pages, so each link is translated when a page is built.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"(^ *```.*?^ *```$|^ *~~~.*?^ *~~~$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
# Pages of the repository outside docs/ that have a place of their own on the site.
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "projects/example_project/README.md": "project/example_project.md",
}


def page_of(file: str) -> str:
    """Return the source path on the site of a file of the repository.

    Examples:
        >>> page_of("docs/data.md"), page_of("configs/dtgan/README.md"), page_of("i2vkit/errors.py")
        ('data.md', 'models/dtgan.md', 'source/i2vkit/errors.py.md')
    """
    if file in PLACES:
        return PLACES[file]
    if file.startswith("docs/"):
        return file.removeprefix("docs/").replace(".ipynb", ".md")
    if found := re.fullmatch(r"configs/(\w+)/README\.md", file):
        return f"models/{found[1]}.md"
    return f"source/{file}.md"


def linked_files(text: str, file: str) -> Iterator[str]:
    """Yield the files of the repository, relative to its root, to which the text of ``file`` links.

    Raises:
        FileNotFoundError: A link leads to nothing in the repository.
    """
    for part in CODE.split(text)[::2]:
        for _, link, _ in LINK.findall(part):
            target = repository_file(link, file)
            if target is not None:
                yield target


def repository_file(link: str, file: str) -> str | None:
    """Return the file of the repository to which ``link`` leads in the text of ``file``, or None for other links."""
    path = unquote(link.partition("#")[0])
    if not path or re.match(r"\w+:", path):
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
    if not (ROOT / target).is_file():
        raise FileNotFoundError(f"{file}: the link {link} leads to {target}, which is no file of the repository")
    return target


def with_site_links(text: str, file: str, place: str | None = None) -> str:
    """Return the text of ``file`` with links that lead to pages of the site.

    Args:
        text: Markdown whose links are relative to ``file``.
        file: A file of the repository, relative to its root.
        place: The source path of the page on the site, by default that of ``file``.
    """
    folder = posixpath.dirname(place or page_of(file))

    def translate(match: re.Match) -> str:
        target = repository_file(match[2], file)
        if target is None:
            return match[0]
        anchor = match[2].partition("#")[1:]
        return match[1] + posixpath.relpath(page_of(target), folder or ".") + "".join(anchor) + match[3]

    parts = CODE.split(text)
    parts[::2] = [LINK.sub(translate, part) for part in parts[::2]]
    return "".join(parts)
