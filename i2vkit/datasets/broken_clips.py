"""Clips that cannot be read: all of them are listed at once, or left out and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from i2vkit.errors import ConfigError, DataError, MediaError

OnError = Literal["raise", "skip"]

_SHOWN = 50  # lines of a message


class BrokenClips:
    """A collection of the clips that could not be read, with the reasons.

    Args:
        on_error: "raise" if they end the work, after all of them were found, and "skip" if they are left out.

    Raises:
        ConfigError: It is neither.
    """

    def __init__(self, on_error: OnError):
        if on_error not in get_args(OnError):
            raise ConfigError(f'on_error is "raise" or "skip", not {on_error!r}')
        self.on_error = on_error
        self.found: list[tuple[str, str]] = []

    @contextmanager
    def noting(self, name: str) -> Iterator[None]:
        """Collect a ``MediaError`` of the body, as that of the clip of this name."""
        try:
            yield
        except MediaError as error:
            self.found.append((name, str(error)))

    def skipped(self, where: str) -> list[tuple[str, str]]:
        """Return the names and reasons of broken clips that are left out.

        Args:
            where: The place of the clips, for the message.

        Raises:
            DataError: There are broken clips, and they are not to be left out. The message lists them.
        """
        if not self.found or self.on_error == "skip":
            return self.found
        raise DataError(f"{where}: {describe_broken([f'{name}: {why}' for name, why in self.found])}")


def describe_broken(found: list[str]) -> str:
    """Return a text that lists broken clips with their reasons, and says what to do.

    >>> print(describe_broken(["ann/run/a.mp4: it is cut"]))
    1 clip cannot be read:
      ann/run/a.mp4: it is cut
    Replace it, or leave it out with on_error="skip" of the data set
    """
    one = len(found) == 1
    lines = [f"{len(found)} {'clip' if one else 'clips'} cannot be read:"]
    lines += [f"  {text}" for text in found[:_SHOWN]]
    lines += [f"  and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    it = "it" if one else "them"
    return "\n".join([*lines, f'Replace {it}, or leave {it} out with on_error="skip" of the data set'])
