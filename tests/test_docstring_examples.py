"""Docstrings are true: their examples run and give what they say, and stated default values are the signatures'."""

import ast
import doctest
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import i2vkit

ROOT = Path(i2vkit.__file__).parent
EXAMPLE = re.compile(">>> ")
# A value as in "By default 3." or "Default "cpu"". Most defaults are described in words instead.
DEFAULT = re.compile(r"""\b(?:[Bb]y d|D)efault (\(\)|"[^"<]*"|-?\d[\d.]*|True|False|None)(?=[.,;)]*(?:\s|$))""")


def modules_with(pattern: re.Pattern) -> list[str]:
    """Return the names of the modules in whose text a pattern is, without the configs, which no one imports."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        if parts[1] != "configs" and pattern.search(path.read_text(encoding="utf-8")):
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.parametrize("name", modules_with(EXAMPLE))
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted and not outcome.failed


def documented(space: object, module: str) -> Iterator[Callable]:
    """Yield the classes, functions and methods of a module or class that have a docstring."""
    for part in vars(space).values():
        part = inspect.unwrap(getattr(part, "__func__", part)) if callable(part) else part
        if not (inspect.isclass(part) or inspect.isfunction(part)) or part.__module__ != module:
            continue
        if part.__doc__:
            yield part
        if inspect.isclass(part):
            yield from documented(part, module)


def stated_defaults(part: Callable) -> dict[str, object]:
    """Return the default values that a docstring states, by the names of their arguments."""
    _, _, arguments = inspect.getdoc(part).partition("Args:\n")
    found = {}
    for entry in re.split(r"\n(?= {0,4}\S)", arguments):
        name, colon, text = entry.strip().partition(": ")
        value = DEFAULT.search(" ".join(text.split()))
        if colon and name.isidentifier() and value:
            found[name] = ast.literal_eval(value[1].rstrip("."))
    return found


@pytest.mark.parametrize("name", modules_with(DEFAULT))
def test_stated_defaults_are_those_of_the_signatures(name):
    for part in documented(importlib.import_module(name), name):
        parameters = inspect.signature(part).parameters
        for argument, stated in stated_defaults(part).items():
            default = parameters[argument].default
            # None stands for a value that is chosen later.
            assert default is None or default == stated, f"{part.__qualname__}({argument}={default!r})"
