"""Pages that are made when the site is built: of models, of the reference, and links between pages."""

import doctest
import hashlib
import json
import re

import pytest
import yaml

import docs_site.links
import docs_site.notebooks
from docs_site.links import ROOT, linked_files, page_of, with_site_links
from docs_site.models import model_navigation, model_pages
from docs_site.reference import SECTIONS, reference_navigation, reference_pages


def test_links_lead_to_the_pages_of_the_files():
    text = "[a](../i2vkit/errors.py) [b](data.md#x) [c](https://a.org) ![d](pictures/shipped.webp)\n```\n[e](x)\n```"
    assert with_site_links(text, "docs/faq.md") == (
        "[a](source/i2vkit/errors.py.md) [b](data.md#x) [c](https://a.org) ![d](pictures/shipped.webp)"
        "\n```\n[e](x)\n```"
    )
    assert with_site_links("[a](../../docs/data.md)", "configs/dtgan/README.md") == "[a](../data.md)"


def test_a_link_to_nothing_is_an_error():
    with pytest.raises(FileNotFoundError, match=r"docs/faq\.md: the link nothing\.md leads to docs/nothing\.md"):
        list(linked_files("[x](nothing.md)", "docs/faq.md"))


def test_every_metafile_has_a_page_with_all_of_its_configs():
    pages = model_pages()
    for path in ROOT.glob("configs/*/metafile.yml"):
        page = pages[f"configs/{path.parent.name}/README.md"]
        models = yaml.safe_load(path.read_text(encoding="utf-8"))["Models"]
        assert re.findall(r"`i2v train (\S+)`", page.partition("## Configs")[2]) == [model["Name"] for model in models]


def test_every_shipped_model_is_on_one_page_with_its_size_and_hash():
    text = "\n".join(page for name, page in model_pages().items() if "/index/" not in name)
    index = json.loads((ROOT / "i2vkit/zoo/index.json").read_text(encoding="utf-8"))
    assert index
    for name in index:
        weights = ROOT / f"i2vkit/zoo/weights/{name}.safetensors"
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert hashlib.sha256(weights.read_bytes()).hexdigest() in row
        assert f"{weights.stat().st_size / 2**20:.1f} MiB" in row


def test_the_reference_names_modules_that_exist():
    pages = reference_pages()
    modules = re.findall(r"^::: (\S+)", "\n".join(pages.values()), re.MULTILINE)
    assert len(modules) > 25 and len(set(modules)) == len(modules)
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file()
    listed = [page for section in reference_navigation()[1:] for pages in section.values() for page in pages]
    assert sorted(["reference/index.md", *listed]) == sorted(pages) and len(SECTIONS) == len(reference_navigation()) - 1


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    docs = ROOT / "docs"
    written = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    made = {page_of(name) for name in model_pages()}
    navigation = {*re.findall(r"^ +- (\S+\.md)$", text, re.MULTILINE), *model_navigation()}
    assert (written | made) - navigation <= {"demo_and_study.md"}  # the hook adds it
    assert model_navigation()[:4] == [f"models/{name}.md" for name in ("dtgan", "imaginator", "dual_mtgan", "frgan")]


@pytest.mark.parametrize("module", [docs_site.links, docs_site.notebooks], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0
