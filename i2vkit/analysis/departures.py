"""Departures of parts from their papers, as the parts' docstrings list them, and the lists in the headers of configs.

A class lists what it does that its paper does not say under ``Ours:`` in its docstring, one item a line::

    Ours:
        the code is scaled to mean 0 and variance 1
        when norm="spectral": spectral norm starts from 15 power iterations

An item that begins with ``when`` applies only if that argument has that value. The configs in ``_base_`` repeat these
items in their headers, so that a reader of a config meets them. ``python tools/parts.py --ours write`` writes them.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from i2vkit.config.finding import CONFIG_FOLDER
from i2vkit.config.loading import read_config
from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path

HEADING = "Ours in the parts that this file names (their docstrings say more):"
_WIDTH = 120
_SECTION = re.compile(r"^Ours:\n(?P<items>(?:[ ]+.*\n?)+)", re.MULTILINE)
_CONDITION = re.compile(r"when (?P<argument>\w+)=(?P<value>[^:]+): (?P<text>.*)")
_DOCSTRING = re.compile(r'\A"""(?P<text>.*?)\s*"""', re.DOTALL)


def stated_departures(part: type, arguments: Mapping[str, Any] | None = None) -> list[str]:
    """Return the items under ``Ours:`` in the docstring of a class.

    Args:
        part: The class.
        arguments: The arguments that it is built with. Items of other values are left out. By default its own defaults.

    >>> from i2vkit.models.motion_generators import LstmUnroll
    >>> len(stated_departures(LstmUnroll)) - len(stated_departures(LstmUnroll, {"normalize": False}))
    1
    """
    section = _SECTION.search(inspect.cleandoc(part.__doc__ or "") + "\n")
    if section is None:
        return []
    items: list[str] = []
    for line in textwrap.dedent(section["items"]).splitlines():
        if line.startswith(" "):  # a further line of the item
            items[-1] += " " + line.strip()
        elif line.strip():
            items.append(line.strip())
    return [text for item in items if (text := _applying(item, part, arguments or {})) is not None]


def _applying(item: str, part: type, arguments: Mapping[str, Any]) -> str | None:
    """Return the text of an item, or None if its condition does not hold.

    Raises:
        ConfigError: The condition names no argument of the class.
    """
    condition = _CONDITION.fullmatch(item)
    if condition is None:
        return item
    name = condition["argument"]
    default = _default(part, name)
    return condition["text"] if arguments.get(name, default) == ast.literal_eval(condition["value"]) else None


def _default(part: type, name: str) -> Any:
    """Return the default of an argument of a class, which its base classes may have."""
    for base in part.__mro__:
        constructor = vars(base).get("__init__")
        parameters = inspect.signature(constructor).parameters if inspect.isfunction(constructor) else {}
        if name in parameters:
            return parameters[name].default
    raise ConfigError(f"{part.__name__} has no argument {name}, which its docstring names under Ours")


def named_parts(value: Any) -> Iterator[tuple[type, Mapping[str, Any]]]:
    """Yield every class that a config names under ``type``, with the arguments that stand beside it."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), type):
            yield value["type"], value
        for entry in value.values():
            yield from named_parts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from named_parts(entry)


def departures_in(path: Path) -> list[str]:
    """Return the departures of all parts that a config file names, each as "Class: item", in the order of the file."""
    found: dict[str, None] = {}  # as an ordered set
    # A base may be without keys that every config has, so it is read and not checked.
    cfg = read_config(path)
    for part, arguments in named_parts(cfg._cfg_dict):
        for item in stated_departures(part, arguments):
            found[f"{part.__name__}: {item}"] = None
    return list(found)


def header_list(items: list[str]) -> str:
    """Return the list of departures as the last paragraph of a header, or "" if there are none."""
    lines = [
        line
        for item in items
        for line in textwrap.wrap(item, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
    ]
    return "\n".join([HEADING, "", *lines]) if items else ""


def with_departures(text: str, items: list[str]) -> str:
    """Return the text of a config whose docstring ends with the list of ``items``, in place of an older list.

    Raises:
        ConfigError: The file does not begin with a docstring.
    """
    header = _DOCSTRING.match(text)
    if header is None:
        raise ConfigError("the config does not begin with a docstring: add one, for the list of what is ours")
    story = header["text"].split(HEADING)[0].rstrip()
    if not items:
        return f'"""{story}\n"""{text[header.end() :]}' if HEADING in header["text"] else text
    return f'"""{story}\n\n{header_list(items)}\n"""{text[header.end() :]}'


def bases() -> list[Path]:
    """Return the configs in ``_base_`` whose headers repeat the departures of the parts that they name."""
    return sorted((CONFIG_FOLDER / "_base_").rglob("*.py"))


def check_departures(write: bool = False) -> None:
    """Compare the lists in the headers with the docstrings, and print the name of every config that differs.

    Args:
        write: Write the lists into the headers. By default False.

    Raises:
        ConfigError: Headers differ, and ``write`` is false.
    """
    wrong = []
    for path in bases():
        text = path.read_text(encoding="utf-8")
        right = with_departures(text, departures_in(path))
        if right == text:
            continue
        wrong.append(path.name)
        print(f"{path}: its header does not list what is ours{', written' if write else ''}")
        if write:
            with atomic_path(path.resolve()) as temporary:
                Path(temporary).write_text(right, encoding="utf-8")
    if wrong and not write:
        raise ConfigError(f"{len(wrong)} headers do not list what is ours: python tools/parts.py --ours write")
