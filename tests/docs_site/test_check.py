"""The check of the built site finds dead links, missing anchors and requests to other hosts."""

import pytest

from docs_site.check import faults

PAGE = """<html><head><link rel="stylesheet" href="a.css"></head><body><h1 id="top">A</h1>
<a href="other.html#there">other</a> <a href="#top">top</a> <a href="https://example.org/x">far</a>
<img src="p.png"></body></html>"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "other.html").write_text('<p id="there">B</p>')
    (tmp_path / "a.css").write_text("p { background: url(p.png) }")
    (tmp_path / "p.png").write_bytes(b"")
    return tmp_path


def test_a_whole_site_has_no_faults(site):
    assert faults(site) == []


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ('<a href="none.html">', "index.html links to none.html: there is no such file"),
        ('<a href="other.html#here">', "index.html links to other.html#here: the page has no anchor 'here'"),
        ('<a href="#gone">', "index.html links to #gone: the page has no anchor 'gone'"),
        ('<video src="v.mp4"></video>', "index.html links to v.mp4: there is no such file"),
        (
            '<script src="https://cdn.example.org/a.js">',
            "index.html fetches https://cdn.example.org/a.js from another host",
        ),
        ('<img srcset="//img.example.org/a.png 2x">', "index.html fetches //img.example.org/a.png from another host"),
    ],
)
def test_each_fault_is_found(site, link, words):
    (site / "index.html").write_text(PAGE.replace("</body>", link + "</body>"))
    assert faults(site) == [words]


def test_fonts_of_another_host_in_a_style_sheet_are_found(site):
    (site / "a.css").write_text('@import "https://fonts.example.org/a.css";')
    assert faults(site) == ["a.css fetches https://fonts.example.org/a.css from another host"]
