"""The page of every table and figure: its commands parse, and the configs that they name build."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from i2vkit.cli.main import COMMANDS, command_parser
from i2vkit.config.finding import experiment_names
from i2vkit.config.loading import load_config
from i2vkit.evaluation.run import build_protocol
from i2vkit.registry import MODELS

PAGE = (Path(__file__).parents[1] / "docs" / "reproduce.md").read_text(encoding="utf-8")
TITLES = {"imaginator": "ImaGINator", "dtgan": "DTGAN", "dual_mtgan": "Dual-MTGAN", "frgan": "FRGAN"}
NUMBERS = {"imaginator": (6, 7), "dtgan": (2, 14), "dual_mtgan": (2, 6), "frgan": (4, 8)}  # of tables and figures
LINES = sorted(set(re.findall(r"`i2v ([^`]+)`", PAGE)))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what")]


def parsed(line):
    """The arguments of a command of the page."""
    name, *words = shlex.split(line)
    assert name in COMMANDS, line
    return name, command_parser(name, f"i2v {name}").parse_args(words)


COMMANDS_OF_PAGE = [parsed(line) for line in LINES if " " in line]
CONFIGS = sorted({arguments.config for _, arguments in COMMANDS_OF_PAGE if getattr(arguments, "config", None)})


def test_every_row_has_all_columns_and_no_gap():
    assert len(ROWS) > 60
    assert [row for row in ROWS if row.count("|") != 8 or "?" in row] == []


@pytest.mark.parametrize("paper", TITLES)
def test_every_table_and_figure_of_a_paper_is_on_the_page(paper):
    part = next(each for each in PAGE.split("\n## ") if each.startswith(f"{TITLES[paper]} "))
    tables, figures = (numbers_behind(words, part) for words in (r"[Tt]ables?", r"(?:[Ff]ig\.|[Ff]igures)"))
    every_table, every_figure = NUMBERS[paper]
    assert set(range(1, every_table + 1)) <= tables
    assert set(range(1, every_figure + 1)) <= figures


def numbers_behind(words, text):
    """The numbers, arabic or roman, in "table 1", "figures 1, 2 and 4" or "fig. 8 to 13"."""
    number = r"(?:\d+|II?\b)"
    found = set()
    for listed in re.findall(rf"{words} ({number}(?:(?:, | and | to ){number})*)", text):
        listed = re.sub(r"II?\b", lambda roman: str(len(roman[0])), listed)
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", listed):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def test_configs_of_the_page_exist():
    """tests/test_configs.py builds every one that exists."""
    assert len(CONFIGS) > 60 and set(CONFIGS) <= set(experiment_names())


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_of_the_page_builds_and_has_its_protocols(name):
    cfg = load_config(name)
    with torch.device("meta"):
        MODELS.build(cfg.model)
    for _, arguments in COMMANDS_OF_PAGE:
        if getattr(arguments, "config", None) == name and getattr(arguments, "protocol", None):
            build_protocol(cfg, arguments.protocol)
