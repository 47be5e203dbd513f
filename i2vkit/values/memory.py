"""Estimates of memory, to refuse a request that no machine of this size can meet."""

from __future__ import annotations

import os
from contextlib import suppress

from i2vkit.errors import ConfigError

GIB = 2**30


def machine_memory() -> int | None:
    """Return the memory of this machine in bytes, or None if the system does not tell.

    A limit that a container sets counts too.
    """
    found = []
    with suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(limit, encoding="ascii") as file:  # noqa: PTH123  a file of the kernel
                found.append(int(file.read()))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return min(found) if found else None


def refuse_beyond_memory(what: str, size: float, cure: str, memory: int | None = None) -> None:
    """Raise ``ConfigError`` if ``size`` bytes are more than the machine has.

    Args:
        what: The request in words, for instance "a batch of 100000000 clips of 16 frames of 64x64".
        size: A lower bound of the bytes that it needs.
        cure: The advice at the end of the message.
        memory: The memory of the machine in bytes. By default ``machine_memory()``.

    Examples:
        >>> refuse_beyond_memory("a batch of 1000 clips", 2e12, "Lower train_dataloader.batch_size", 8 * GIB)
        Traceback (most recent call last):
        i2vkit.errors.ConfigError: a batch of 1000 clips takes at least 1862.6 GiB, and this machine has 8.0 GiB. Lower train_dataloader.batch_size
    """  # noqa: E501  one line of output
    memory = machine_memory() if memory is None else memory
    if memory is not None and size > memory:
        raise ConfigError(
            f"{what} takes at least {size / GIB:.1f} GiB, and this machine has {memory / GIB:.1f} GiB. {cure}"
        )
