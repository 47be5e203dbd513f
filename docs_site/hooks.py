"""Hooks of MkDocs (mkdocs.yml names this file): they add the pages that are made, and translate links."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs_site.links import PLACES, ROOT, linked_files, page_of, with_site_links
from docs_site.models import model_navigation, model_pages
from docs_site.notebooks import notebook_page
from docs_site.reference import reference_navigation, reference_pages

OPTIONAL_GUIDES = ["demo_and_study.md"]
LANGUAGES = {".py": "python", ".yml": "yaml", ".cff": "yaml", ".json": "json", ".toml": "toml", ".sh": "bash"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that are made into the navigation, and guides that are not in every checkout."""
    for part in config.nav or []:
        if "Models" in part:
            place = part["Models"].index("model_zoo.md") + 1
            part["Models"][place:place] = model_navigation()
        if "Reference" in part:
            part["Reference"] = reference_navigation()
        if "Guides" in part:
            part["Guides"] += [name for name in OPTIONAL_GUIDES if (ROOT / "docs" / name).is_file()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages of files outside docs/, of models, notebooks and the reference, and one for each linked file."""
    texts = {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    made = {name: (ROOT / name).read_text(encoding="utf-8") for name in PLACES if name != "README.md"}
    made |= model_pages()
    made |= {path.relative_to(ROOT).as_posix(): notebook_page(path) for path in ROOT.glob("docs/tutorials/*.ipynb")}
    linked = {target for name, text in (texts | made).items() for target in linked_files(text, name)}
    pages = {page_of(name): with_site_links(text, name) for name, text in made.items()}
    pages |= {page_of(name): source_page(name) for name in sorted(linked) if page_of(name).startswith("source/")}
    pages |= reference_pages()
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Translate the links of a page of docs/. Pages that are made have had theirs translated."""
    if page.file.generated_by is not None:
        return markdown
    return with_site_links(markdown, f"docs/{page.file.src_uri}")


def source_page(name: str) -> str:
    """Return a page that shows a file of the repository, left out of the search."""
    path = ROOT / name
    code = path.read_text(encoding="utf-8").rstrip()
    language = LANGUAGES.get(path.suffix, "text")
    front = "---\nsearch:\n  exclude: true\nhide:\n  - toc\n---\n\n"
    return f'{front}# {name}\n\n~~~{language} linenums="1"\n{code}\n~~~\n'
