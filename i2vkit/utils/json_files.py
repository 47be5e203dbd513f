"""Reading of JSON that users or other programs wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LARGEST = 2**30  # bytes of a file that is read as a whole


def read_json(path: str | Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        ValueError: The file is a folder or no JSON in UTF-8, is nested too deeply, or has more than ``LARGEST`` bytes.
            The message is a sentence for a user.
        OSError: The file cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError("it is a folder: give the file in it")
    if path.is_file() and (size := path.stat().st_size) > LARGEST:
        raise ValueError(f"it has {size} bytes, more than the {LARGEST} that are read")
    return parse_json(path.read_bytes())


def parse_json(text: str | bytes) -> Any:
    """Return the meaning of a JSON text. A byte order mark in front, as some editors write it, is skipped.

    Raises:
        ValueError: As of ``read_json``, and for a key that an object has twice.

    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: its lists and objects are nested too deeply
    """
    try:
        return json.loads(
            text.decode("utf-8-sig") if isinstance(text, bytes) else text, object_pairs_hook=_without_repetition
        )
    except RecursionError:
        raise ValueError("its lists and objects are nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in UTF-8 (byte {error.start})") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Raise ``ValueError`` if it has a key twice, of which all but the last would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the key {next(name for name in names if names.count(name) > 1)!r} twice")
    return found
