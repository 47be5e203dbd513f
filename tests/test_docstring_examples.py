"""The examples in the docstrings of every module of i2vkit run, and give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

import i2vkit

ROOT = Path(i2vkit.__file__).parent


def modules_with_examples() -> list[str]:
    """Return the names of the modules whose text has an example, without the configs, which no one imports."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        if parts[1] != "configs" and ">>> " in path.read_text(encoding="utf-8"):
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted and not outcome.failed
