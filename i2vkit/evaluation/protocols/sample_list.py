"""The samples of an evaluation as a file, so that it can be done again exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from i2vkit.datasets.index import ClipIndex
from i2vkit.datasets.pairing import Pair
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.media import atomic_path
from i2vkit.registry import PROTOCOLS

KEYS = ("source", "target", "motion", "seed")


def describe(pair: Pair) -> dict:
    """A sample by names: source, target (None where the source animates itself), motion and seed."""
    target = pair.target.name if pair.target else None
    return {"source": pair.source.name, "target": target, "motion": pair.motion, "seed": pair.seed}


def write_samples(pairs: Sequence[Pair], path: str | Path) -> None:
    """Write the samples as a JSON list, one a line, for :class:`SampleList`."""
    lines = ",\n".join(json.dumps(describe(pair)) for pair in pairs)
    with atomic_path(path) as temporary:
        temporary.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


@PROTOCOLS.register_module()
class SampleList(Protocol):
    """The samples of a file, in its order and with its seeds.

    Args:
        path: JSON, a list of objects as :func:`write_samples` writes them, or a ``metrics.json`` with its ``samples``.
        seed: added to the seeds of the file.
    """

    def __init__(self, path: str | Path, seed: int = 0) -> None:
        super().__init__(seed)
        self.path = Path(path)

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """The samples of the file.

        Raises:
            DataError: no such file, a broken one, or clips that the index lacks.
        """
        return self.list_pairs(index)

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """As ``pairs``: the seeds are those of the file."""
        clips = {record.name: record for record in index.records}
        samples = self._read()
        names = {sample[key] for sample in samples for key in ("source", "target")} - {None}
        if missing := sorted(names - clips.keys()):
            raise DataError(
                f"{self.path} names {len(missing)} clips that the data lack (first: {missing[0]}); "
                "is the data set complete, and are its people and labels not filtered out?"
            )
        return [
            Pair(clips[s["source"]], clips.get(s["target"]), motion=s["motion"], seed=s["seed"] + self.seed)
            for s in samples
        ]

    def _read(self) -> list[dict]:
        """The file's samples, checked."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"the list of samples {self.path} cannot be read: {error}") from error
        samples = content.get("samples") if isinstance(content, dict) else content
        if not isinstance(samples, list) or not samples:
            raise DataError(f"{self.path} holds no list of samples")
        for number, sample in enumerate(samples):
            if not isinstance(sample, dict) or any(key not in sample for key in KEYS):
                raise DataError(f"{self.path}: sample {number} is not an object with {', '.join(KEYS)}: {sample}")
        return samples
