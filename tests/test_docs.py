"""The pages that a newcomer reads: their links, pictures, tools and configs exist."""

import re
from pathlib import Path

import pytest

from i2vkit.config.finding import experiment_names

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
COMMANDS = r"tools/(?:train|test|animate|dist_train|dist_test)\.(?:py|sh) ([a-z][\w/]*)"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_to_files_of_the_repository(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_tools_that_are_named_exist(page):
    tools = set(re.findall(r"\btools/\w+\.(?:py|sh)", page.read_text(encoding="utf-8")))
    assert sorted(tool for tool in tools if not (ROOT / tool).is_file()) == []


def test_configs_that_the_readme_runs_exist():
    configs = set(re.findall(COMMANDS, (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"dtgan/cnn_lstm_recipe_oulu", "dtgan/dtgan_recipe_oulu", "cnn_lstm_oulu", "dtgan_oulu"} <= configs
    assert configs <= set(experiment_names())


def test_files_that_the_page_of_a_training_step_names_exist():
    text = (ROOT / "docs/how_it_works.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:i2vkit|configs)/[\w/]+\.py)`", text)
    assert len(files) > 15
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_the_readme_is_one_click_from_the_training_step_and_the_glossary():
    introduction = (ROOT / "README.md").read_text(encoding="utf-8").split("## ")[0]
    assert "[How a training step works](docs/how_it_works.md)" in introduction
    assert "(docs/glossary.md)" in introduction
