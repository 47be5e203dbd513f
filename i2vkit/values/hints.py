"""Comparison of values with annotations of types, as configs and options give them."""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

_SEQUENCES = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Set)
_MAPPINGS = (dict, collections.abc.Mapping)
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


def fits(value: Any, hint: Any, exact: bool = False) -> bool:
    """Return True if ``value`` may be given where ``hint`` is the annotation.

    It is generous where a config cannot be exact: a list passes for a tuple, a text for a path, and a dict for any
    class, because a part is built of it. None drops an entry of a dict of names. A text is no sequence, and a truth
    value is no number.

    Args:
        value: The value.
        hint: The annotation, as a type.
        exact: Refuse texts for a class. By default they pass, because some classes are made of them.

    Examples:
        >>> fits([4, 8], tuple[int, ...]), fits("ab", tuple[str, ...]), fits(True, int), fits(1, float | None)
        (True, False, False, True)
    """
    origin, parts = get_origin(hint), get_args(hint)
    if hint is None or hint is NoneType:
        return value is None
    if origin in (Union, UnionType):
        # Beside numbers and dicts, texts stand for nothing.
        exact = exact or any(takes_numbers(part) or (get_origin(part) or part) in _MAPPINGS for part in parts)
        return any(fits(value, part, exact) for part in parts)
    if origin is Literal:
        return value in parts
    kind = origin or hint
    if kind is bool:
        return isinstance(value, bool)
    if kind is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if kind in (str, Path):
        return isinstance(value, str | PathLike)
    if kind in _MAPPINGS:
        return isinstance(value, Mapping) and (
            len(parts) != 2 or all(item is None or fits(item, parts[1]) for item in value.values())
        )
    if kind in _SEQUENCES:
        return _is_sequence_of(value, kind, parts)
    if kind in (type, Any) or not isinstance(kind, type):
        return True
    # Parts are built of dicts. A text may name a device or a type, but no number and no None stands for an object.
    allowed = (Mapping,) if exact else (Mapping, str)
    return isinstance(value, allowed) or _is_instance(value, kind)


def _is_instance(value: Any, kind: type) -> bool:
    """Return True if ``value`` is an object of ``kind``, or of a protocol that cannot tell."""
    try:
        return isinstance(value, kind)
    except TypeError:
        return not isinstance(value, str | int | float | None)


def _is_sequence_of(value: Any, kind: type, parts: tuple[Any, ...]) -> bool:
    """Return True if ``value`` is a list of the kind ``kind[parts]``."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, collections.abc.Iterable):
        return False
    if not isinstance(value, Sequence):
        return True  # an array or a generator, whose items are not looked at
    if kind is tuple and parts and parts[-1] is not Ellipsis:
        return len(value) == len(parts) and all(fits(item, part) for item, part in zip(value, parts, strict=True))
    return not parts or all(fits(item, parts[0]) for item in value)


def describe(hint: Any) -> str:
    """Return the values that fit an annotation in words.

    Examples:
        >>> describe(tuple[int, ...] | None)
        'a list of whole numbers or None'
    """
    origin, parts = get_origin(hint), get_args(hint)
    if hint is None or hint is NoneType:
        return "None"
    if origin in (Union, UnionType):
        plain = tuple(part for part in parts if not _is_object(part))
        parts = plain if set(plain) - {NoneType} else parts
        return " or ".join(dict.fromkeys(describe(part) for part in sorted(parts, key=lambda part: part is NoneType)))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    kind = origin or hint
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _MAPPINGS:
        return "dict(...)"
    if kind in _SEQUENCES:
        count = len(parts) if kind is tuple and parts and parts[-1] is not Ellipsis else None
        of = f" of {f'{count} ' if count else ''}{_plural(describe(parts[0]))}" if parts else ""
        return f"a list{of}"
    return "dict(type=..., ...)"


def _is_object(hint: Any) -> bool:
    """Return True for a class that no plain value stands for, such as a tensor."""
    kind = get_origin(hint) or hint
    plain = (*_WORDS, *_SEQUENCES, *_MAPPINGS, NoneType, Union, UnionType, Literal, Any)
    return isinstance(kind, type) and kind not in plain


def _plural(words: str) -> str:
    """Return "whole numbers" for "a whole number"."""
    return f"{words.removeprefix('a ')}s" if words.startswith("a ") else f"items, each {words}"


def takes_numbers(hint: Any) -> bool:
    """Return True if an annotation allows a number somewhere in it.

    Where texts are allowed too, as in ``str | int``, numbers are names, and do not count.
    """
    if str in get_args(hint):
        return False
    return hint in (int, float) or any(takes_numbers(part) for part in get_args(hint) if part is not Ellipsis)
