"""Checks that an output can be written, before the work that makes it begins."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile

from i2vkit.errors import ConfigError


def check_output_file(path: str | Path) -> Path:
    """Return ``path`` if a file can be written there. An older file may be there, since writers replace it.

    Raises:
        ConfigError: It is a folder or has no name, or its folder cannot be made or written to.
    """
    path = _as_path(path)
    try:
        is_folder = path.is_dir()
    except OSError as error:  # a name that is too long
        raise ConfigError(f"{path} cannot be written: {error.strerror}. Choose another name") from error
    if is_folder:
        raise ConfigError(f"{path} cannot be written: it is a folder. Give the name of a file")
    _check_folder(path.parent, path)
    return path


def check_output_folder(path: str | Path) -> Path:
    """Return ``path`` if it is a folder that can be written to, or can become one.

    Raises:
        ConfigError: It or a folder above it is a file, or it cannot be made or written to.
    """
    path = _as_path(path)
    _check_folder(path, path)
    return path


def _as_path(path: str | Path) -> Path:
    """Return ``path`` with the user's home folder for "~"."""
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"an output is a path, not {path!r}")
    if not str(path).strip() or "\0" in str(path):
        raise ConfigError(f"{str(path)!r} is no path of an output: give the name of a file or folder")
    return Path(path).expanduser()


def _check_folder(folder: Path, path: Path) -> None:
    """Raise ``ConfigError`` unless files can be made in ``folder``, or in the first folder above it that exists."""
    try:
        folder = folder.absolute()
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir():
            what = "is a link to nothing" if folder.is_symlink() else "is a file, not a folder"
            raise ConfigError(f"{path} cannot be written: {folder} {what}. Choose another place")
        # Permissions and read-only disks are only known by trying. The file has no name, where the disk allows that.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: nothing can be made in {folder} ({error.strerror or error}). "
            "Choose another place"
        ) from error
