"""Check the built site: every link leads to a page and an anchor of it, and no page asks another host for anything.

Run as ``python -m docs_site.check FOLDER``. It prints every fault, and ends with exit code 1 if there is one.
"""

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements whose address a browser fetches by itself. Links of <a> wait for a click and may lead to other hosts.
FETCHED = dict.fromkeys(("script", "img", "video", "audio", "source", "iframe"), "src") | {"link": "href"}
CSS_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@dataclass
class BuiltPage(HTMLParser):
    """The anchors of a page, its links, and the addresses that a browser fetches for it."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect one element."""
        values = {key: value or "" for key, value in attrs}
        self.anchors |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") == "canonical":
            return
        addresses = [values[key] for key in (FETCHED.get(tag), "poster") if key in values]
        addresses += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        self.fetched += addresses
        self.fetched += [first or second for first, second in CSS_URL.findall(values.get("style", ""))]


def read_page(path: Path) -> BuiltPage:
    """Return what a page holds."""
    page = BuiltPage()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def faults(site: Path) -> list[str]:
    """Return every dead link, missing anchor, missing file and request to another host of a built site."""
    pages = {path: read_page(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        # Addresses of the page for "not found" begin at the root of the site, since it is shown at any address.
        folder = site if name == "404.html" else path.parent
        for link in page.fetched:
            if is_remote(link):
                found.append(f"{name} fetches {link} from another host")
        for link in [*page.links, *page.fetched]:
            if fault := dead(link, path, folder, site, pages):
                found.append(f"{name} links to {link}: {fault}")
    for path in sorted(site.rglob("*.css")):
        for first, second in CSS_URL.findall(path.read_text(encoding="utf-8")):
            if is_remote(first or second):
                found.append(f"{path.relative_to(site).as_posix()} fetches {first or second} from another host")
    return found


def is_remote(link: str) -> bool:
    """Return true if a link names a host."""
    return bool(urlsplit(link).netloc)


def dead(link: str, path: Path, folder: Path, site: Path, pages: dict[Path, BuiltPage]) -> str:
    """Return the reason why a link of the page ``path`` leads nowhere, or an empty text."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = site / unquote(parts.path).lstrip("/") if parts.path.startswith("/") else folder / unquote(parts.path)
    target = (target if parts.path else path).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors and anchor != "__skip":
        return f"the page has no anchor {anchor!r}"
    return ""


def main() -> int:
    """Check the folder that the command line names."""
    site = Path(sys.argv[1]).resolve()
    found = faults(site)
    for fault in found:
        print(fault)
    pages = len(list(site.rglob("*.html")))
    print(f"{pages} pages, {len(found)} faults")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
