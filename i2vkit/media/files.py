"""Helpers that all readers and writers share: errors that name the file, and atomic writing."""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from av.error import FFmpegError

from i2vkit.errors import MediaError

# Errors of a disk, whatever is written to it.
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM)


class FrameError(MediaError, ValueError):
    """An error about a frame or an image in memory that has another type or shape than a file takes."""


class WriteError(MediaError, OSError):
    """An error about a file that the disk does not take. Its ``errno`` is that of the system."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}. Make room or choose another place")
        self.errno, self.strerror = error.errno, error.strerror

    def __str__(self) -> str:
        return self.args[0]


@contextmanager
def naming(path: Path, what: str):
    """Turn every error of Pillow or FFmpeg in the body into a ``MediaError`` that names the file.

    Both libraries raise almost any type of exception on broken files, so all types are caught.

    Args:
        path: The file that the body reads or writes.
        what: The part of the message that follows the path, for instance "cannot be read".
    """
    try:
        yield
    except (MediaError, Warning):
        raise
    except MemoryError as error:
        # FFmpeg raises its own kind where a header asks for more memory than any machine has.
        if not isinstance(error, FFmpegError):
            raise
        raise MediaError(f"{path} {what}: {error}") from error
    except FileNotFoundError as error:
        raise MediaError(f"there is no file {path}") from error
    except Exception as error:
        raise MediaError(f"{path} {what}: {error}") from error


def as_path(path: Any) -> Path:
    """Return a path that a user gives. Raise ``MediaError`` if it is none."""
    if not isinstance(path, str | os.PathLike) or not str(path).strip() or "\0" in str(path):
        raise MediaError(f"the path of a file is a text or a Path, not {path!r}")
    return Path(path)


def check_readable(path: Path) -> None:
    """Raise ``MediaError`` for a pipe, a socket or a device, which readers would wait for, or read without end."""
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        what = "a folder" if path.is_dir() else "a pipe or a device"
        raise MediaError(f"{path} is {what}, not a file: write what it holds to a file first")


def check_frame(frame: Any, what: str, grey: bool = False) -> None:
    """Raise ``FrameError`` unless a frame is an array uint8 (H, W, 3), or (H, W) if ``grey`` ones are allowed."""
    wanted = "uint8 (H, W, 3) or (H, W)" if grey else "uint8 (H, W, 3)"
    if not isinstance(frame, np.ndarray):
        raise FrameError(f"{what} is an array {wanted}, not {type(frame).__name__}")
    right = (frame.ndim == 3 and frame.shape[2] == 3) or (grey and frame.ndim == 2)
    if frame.dtype != np.uint8 or not right or 0 in frame.shape:
        raise FrameError(f"{what} is {wanted}, got {frame.dtype} {frame.shape}")


def local_path(path: str | Path) -> Path:
    """Return the path of a file that a user names, with ``~`` for the home folder.

    Raises:
        MediaError: It is an address on the internet, or no path.

    >>> local_path("clips/a.mp4").as_posix()
    'clips/a.mp4'
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", str(path), re.IGNORECASE):
        raise MediaError(f"{path} is an address: download it, and give the file")
    return as_path(path).expanduser()


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``, which is renamed to ``path`` when the body ends well.

    The temporary path has the suffix of ``path``. If the body raises, for instance because the disk is full, the
    temporary file is removed and an older ``path`` stays as it was. Missing folders are created.

    Raises:
        WriteError: The disk is full, broken or read-only. It is a ``MediaError`` and an ``OSError``.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _OF_DISKS:
            raise
        raise WriteError(path, error) from error
    # The name is hidden, so that no reader of the folder takes the file for a frame. ``tempfile`` is not used, because
    # only the owner may read its files.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, WriteError) or error.errno not in _OF_DISKS:
            raise
        raise WriteError(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: str | Path) -> None:
    """Remove the temporary files of ``atomic_path`` that a killed process left in ``folder``, not in folders below it.

    Call it where no other process writes.
    """
    for path in Path(folder).glob(".*"):
        if re.fullmatch(r"\..+\.[0-9a-f]{8}(\.\w+)?", path.name) and path.is_file():
            path.unlink(missing_ok=True)


def size_text(shape: tuple[int, ...]) -> str:
    """Return the size of an image of ``shape`` (H, W, ...) as text for a message.

    >>> size_text((240, 320, 3))
    '320x240'
    """
    return f"{shape[1]}x{shape[0]}"
