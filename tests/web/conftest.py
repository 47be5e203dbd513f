"""Chromium, and the demo in a process of its own, for the tests of this folder."""

import os
import shutil

import pytest
from study_site import served

# As root and without a network: no sandbox, and nothing that looks for updates. Videos play without a click.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def missing(what):
    """Skip, or fail where make test-browser has installed everything."""
    if os.environ.get("I2V_BROWSER") == "required":
        pytest.fail(f"{what}, which make test-browser installs")
    pytest.skip(f"{what}: make test-browser installs it")


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, as Playwright's ``Browser``."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("there is no Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("there is no Playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The port of a demo with two models, and the file of what it prints."""
    try:
        import gradio  # noqa: F401
    except ImportError:
        missing("there is no Gradio")
    log = tmp_path_factory.mktemp("demo") / "log"
    command = ["demo", "dtgan-faces", "imaginator-faces", "--device", "cpu", "--port", "0", "--megabytes", "2"]
    with served([*command, "--frames", "200"], log) as (_, port):
        yield port, log


@pytest.fixture
def page_of(chromium):
    """Open pages that note what they ask for; ``page_of(width, height)`` gives a page and the hosts that it asked."""
    opened = []

    def open_page(width, height):
        context = chromium.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(60_000)
        opened.append(context)
        page = context.new_page()
        hosts, faults = set(), []
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        return page, hosts, faults

    yield open_page
    for context in opened:
        context.close()
