"""Files of checkpoints: written completely or not at all, and removed in their own work dir only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from i2vkit.errors import CheckpointError
from i2vkit.media import atomic_path


@register_backend("atomic", force=True)
class AtomicBackend(LocalBackend):
    """A backend for local files that replaces files in one go and keeps old ones until ``purge``.

    mmengine removes a checkpoint before it writes the one that takes its place, and overwrites the old file. On a full
    disk both would be lost.

    Attributes:
        folder: The work dir. Files outside of it are never removed. Without a folder nothing is.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._outdated: list[Path] = []

    @property
    def outdated(self) -> list[str]:
        """Return the names of the files that ``purge`` will remove."""
        return [path.name for path in self._outdated]

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file beside its place, flush it to the disk, and rename it.

        Raises:
            CheckpointError: The file cannot be written. What was there before stays.
        """
        try:
            with atomic_path(filepath) as beside, beside.open("wb") as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            free = shutil.disk_usage(existing(Path(filepath).parent)).free
            raise CheckpointError(
                f"{filepath} cannot be saved: {error.strerror}; it takes {len(obj) / 2**20:.1f} MiB, "
                f"{free / 2**20:.1f} MiB are free. The checkpoints before it are whole: make room, go on with --resume"
            ) from error

    def remove(self, filepath: str | Path) -> None:
        """Mark a file for ``purge``."""
        if (path := Path(filepath)) not in self._outdated:
            self._outdated.append(path)

    def purge(self, keep: Path | None = None) -> None:
        """Remove the marked files of the work dir, now that their successors exist.

        Args:
            keep: A file that has been written again, which stays.
        """
        for path in self._outdated:
            if path != keep and self.folder is not None and path.resolve().parent == self.folder.resolve():
                path.unlink(missing_ok=True)
        self._outdated.clear()


def existing(folder: Path) -> Path:
    """Return ``folder`` or the nearest folder above it that exists."""
    return folder if folder.exists() or folder == folder.parent else existing(folder.parent)
