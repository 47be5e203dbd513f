"""Names of files, of which no two are the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

# File systems take 255 bytes. The rest is for suffixes and temporary names.
_LONGEST = 200


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return the names, with a number after those that occurred before, in capitals or not.

    >>> distinct_names(["x", "x", "x_2", "X"])
    ['x', 'x_2', 'x_2_2', 'X_3']
    """
    taken: set[str] = set()
    result = []
    for name in names:
        number, own = 1, name
        while own.casefold() in taken:
            number += 1
            own = f"{name}_{number}"
        taken.add(own.casefold())
        result.append(own)
    return result


def file_names(wanted: Mapping[Key, str]) -> dict[Key, str]:
    """Return a file name for each key, which does not depend on the order of the keys.

    Keys that want the same name, in capitals or not, and those that want a very long one, get a part of a hash of the
    key.

    Args:
        wanted: The names that the keys would have, without suffix.

    >>> file_names({"a/b": "a_b", "c": "c"})
    {'a/b': 'a_b', 'c': 'c'}
    >>> file_names({"a/b": "a_b", "a_b": "a_b"})
    {'a/b': 'a_b-c256b719', 'a_b': 'a_b-734126aa'}
    """
    counts = Counter(name.casefold() for name in wanted.values())
    return {
        key: name
        if counts[name.casefold()] == 1 and len(name.encode()) <= _LONGEST
        else f"{name.encode()[:_LONGEST].decode(errors='ignore')}-{hashlib.sha256(repr(key).encode()).hexdigest()[:8]}"
        for key, name in wanted.items()
    }
