"""Warnings about files, each kind once for every process."""

import warnings

_given: set[str] = set()


def warn_once(kind: str, text: str) -> None:
    """Warn unless a warning of this kind was given before, since thousands of files of a set may share a property."""
    if kind not in _given:
        _given.add(kind)
        warnings.warn(text, stacklevel=3)
