"""Weights of the networks that metrics look through: files of the user's, each with a hash that is checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from i2vkit.engine.checkpoints import check_hash
from i2vkit.errors import CheckpointError

FOLDER = Path("data/extractors")


class MissingWeightsError(CheckpointError):
    """A file of weights that is not there; the message says how to get it."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights.

    Args:
        url: where it is to be had.
        sha256: of the file, or the first 8 or more hexadecimal digits of it; None where its owners state none.
        folder: where it is looked for if no path is given.
        name: of the file, where it is not the end of ``url``.
    """

    url: str
    sha256: str | None
    folder: Path = FOLDER
    name: str | None = None

    def find(self, path: str | Path | None = None, sha256: str | None = None) -> Path:
        """The file, its hash checked.

        Args:
            path: of the file; by default under its own name in ``folder``.
            sha256: expected instead of the file's own.

        Raises:
            MissingWeightsError: there is no such file.
            CheckpointError: it is another file.
        """
        sha256 = sha256 or self.sha256
        name = self.name or self.url.rpartition("/")[2]
        path = self.folder / name if path is None else Path(path).expanduser()
        if not path.is_file():
            known = "" if sha256 is None else f"; its SHA-256 {'is' if len(sha256) == 64 else 'begins with'} {sha256}"
            raise MissingWeightsError(
                f"there is no {path.absolute()}: fetch {name} from {self.url} and put it there{known}"
            )
        if sha256 is not None:
            check_hash(path, sha256)
        return path
