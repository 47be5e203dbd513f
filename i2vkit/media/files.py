"""What all readers and writers share: faults with the file's name, and files that are whole or absent."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2vkit.errors import MediaError


@contextmanager
def naming(path: Path, what: str):
    """Turn whatever Pillow and FFmpeg raise (they raise almost anything on broken files) into a ``MediaError``."""
    try:
        yield
    except (MediaError, MemoryError, Warning):
        raise
    except FileNotFoundError as error:
        raise MediaError(f"there is no file {path}") from error
    except Exception as error:
        raise MediaError(f"{path} {what}: {error}") from error


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a path beside ``path``, with its suffix, to write to; it takes the place of ``path`` at the end.

    If the body raises, for instance because the disk is full, what it wrote is removed and an older ``path`` stays as
    it was. Missing folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that no reader of the folder takes it for a frame; not by tempfile, whose files only their owner reads.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def size_text(shape: tuple[int, ...]) -> str:
    """Write the size of an image of ``shape`` (H, W, ...) for a message.

    >>> size_text((240, 320, 3))
    '320x240'
    """
    return f"{shape[1]}x{shape[0]}"
