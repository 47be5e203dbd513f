"""The origin of each value of a config: the file of its chain that set it, the command line, or the machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.utils import get_installed_path

from i2vkit.config.data_facts import FACT_KEYS
from i2vkit.config.finding import CONFIG_FOLDER, find_experiment
from i2vkit.config.loading import apply_variant, load_config, read_config
from i2vkit.datasets.loaders import MACHINE_KEYS

COMMAND_LINE, MACHINE, DATA = "command line", "this machine", "the data set"
ABSENT = object()


def config_origins(
    name_or_path: str | Path, options: dict[str, Any] | None = None, variant: str | None = None
) -> list[tuple[str, Any, str]]:
    """List every value of the resolved config as (dotted key, value, origin), in the config's order.

    The origin is a file (relative to the folder of i2vkit's configs if it is in there), "command line", "the data set"
    for values that a model leaves to its data, or "this machine" for values that a data loader leaves to it. A value
    that a file takes over from its bases, or sets to the same again, is theirs. Items of lists are matched by their
    place. A value that a variant changes has the file and that variant as its origin.

    Args:
        name_or_path: As in ``load_config``.
        options: As in ``load_config``.
        variant: As in ``load_config``.

    Raises:
        ConfigError: As ``load_config`` does.
    """
    resolved = load_config(name_or_path, options, variant).to_dict()
    path, variant = find_experiment(name_or_path, variant)
    path = path.resolve()
    written = _values(path)
    changed = {} if variant is None else _values_of_variant(path, variant)
    rows = []
    for keys, value in _leaves(resolved):
        key, before = ".".join(map(str, keys)), _look_up(written, keys)
        if before == value:
            origin = _short(_origin(path, keys, value))
        elif variant is not None and _look_up(changed, keys) == value:
            origin = f"{_short(path)}, variant {variant}"
        else:
            left = before is ABSENT and key not in (options or {})
            filled = {MACHINE: key.endswith(MACHINE_KEYS), DATA: key in FACT_KEYS}
            origin = next((who for who, can in filled.items() if left and can), COMMAND_LINE)
        rows.append((key, value, origin))
    return rows


def bases(path: Path) -> list[Path]:
    """List the files that ``path`` reads by ``with read_base()``, the last first, because later imports win."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.With) and "read_base" in ast.unparse(node.items[0]):
            found += [_file_of(line, path) for line in node.body if isinstance(line, ast.ImportFrom)]
    return found[::-1]


def _file_of(line: ast.ImportFrom, path: Path) -> Path:
    """Return the config file of an import, relative or from i2vkit.configs or another package."""
    names = (line.module or "").split(".")
    if line.level:
        return path.parents[line.level - 1].joinpath(*names).with_suffix(".py").resolve()
    return Path(get_installed_path(names[0])).joinpath(*names[1:]).with_suffix(".py").resolve()


@cache
def _values(path: Path) -> dict[str, Any]:
    """Return the values that a config file sets with its bases, classes as their names."""
    return read_config(path).to_dict()


def _values_of_variant(path: Path, variant: str) -> dict[str, Any]:
    cfg = read_config(path)
    apply_variant(cfg, path, variant)
    return cfg.to_dict()


def _origin(path: Path, keys: tuple, value: Any) -> Path:
    """Return the file furthest up the chain from which ``path`` has the value."""
    for base in bases(path):
        if _look_up(_values(base), keys) == value:
            return _origin(base, keys, value)
    return path


def _look_up(values: Any, keys: tuple) -> Any:
    for key in keys:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return values


def _leaves(value: Any, keys: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Yield every value that is no dict and no list of dicts, with the keys that lead to it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*keys, key))
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*keys, index))
    else:
        yield keys, value


def _short(path: Path) -> str:
    folder = CONFIG_FOLDER.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def format_origins(rows: list[tuple[str, Any, str]]) -> str:
    """Format the origins, one line a value with the origin behind it.

    Examples:
        >>> from i2vkit.config.origin import format_origins
        >>> print(format_origins([("model.image_size", 64, "command line"), ("resume", False, "_base_/runtime.py")]))
        model.image_size = 64  # command line
        resume = False         # _base_/runtime.py
    """
    lines = [(f"{key} = {value!r}", origin) for key, value, origin in rows]
    width = max(min(len(line), 100) for line, _ in lines)
    return "\n".join(f"{line.ljust(width)}  # {origin}" for line, origin in lines)
