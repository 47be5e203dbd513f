"""Sample lists: the samples of an evaluation as a file, to repeat it exactly, also with another model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.base import Protocol, restrict_frames, use_maps
from i2vkit.media import atomic_path
from i2vkit.registry import PROTOCOLS
from i2vkit.utils.json_files import read_json

KEYS = {"driving": str, "image_video": str | None, "motion": str, "seed": int}
OPTIONAL = {"label": str, "frames": list, "maps": str, "observed": int}


def describe(pair: Pair) -> dict:
    """Return a sample as a dict of names: ``driving`` clip, ``image_video``, ``motion`` and ``seed``.

    ``image_video`` is None if the driving clip animates its own first frame. If they are not the driving clip's own,
    there are also ``label``, ``frames`` (start and stop, without the latter), ``maps``, the column of the condition
    maps, and ``observed``, the number of driving frames that are given.
    """
    image_video = pair.image_video.name if pair.image_video else None
    own: dict[str, Any] = {"label": pair.label, "frames": pair.span and list(pair.span), "maps": pair.maps}
    own["observed"] = pair.observed if pair.observed > 1 else None
    sample = {"driving": pair.driving.name, "image_video": image_video, "motion": pair.motion, "seed": pair.seed}
    return sample | {key: value for key, value in own.items() if value is not None}


def write_samples(pairs: Sequence[Pair], path: str | Path, protocol: dict[str, Any] | None = None) -> None:
    """Write the samples, one on each line, and their protocol as JSON for ``SampleList``."""
    lines = ",\n".join(json.dumps(describe(pair)) for pair in pairs)
    with atomic_path(path) as temporary:
        text = f'{{"protocol": {json.dumps(protocol)},\n"samples": [\n{lines}\n]}}\n'
        temporary.write_text(text, encoding="utf-8")


@PROTOCOLS.register_module()
class SampleList(Protocol):
    """A protocol that takes its samples from a file, with their order and seeds, for any data set with clips of these
    names.

    ``replayed`` is the file's record of the protocol that made the list, its name and type, or None.

    Args:
        path: A JSON file: written by ``write_samples``, a ``metrics.json`` with ``samples``, or a plain list of objects
            as ``describe`` returns them.
        seed: A number that is added to the seeds of the file. By default 0.
    """

    def __init__(self, path: str | Path, seed: int = 0) -> None:
        super().__init__(seed)
        self.path = Path(path)
        self.replayed: dict[str, Any] | None = None

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """Return the samples of the file.

        Raises:
            DataError: The file is missing or damaged, or names clips, frames, labels or maps that the data lack.
        """
        return self.list_pairs(index)

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return the samples, with the seeds of the file."""
        clips = {record.name: record for record in index.records}
        samples = self._read()
        names = {sample[key] for sample in samples for key in ("driving", "image_video")} - {None}
        if missing := sorted(names - clips.keys()):
            raise DataError(
                f"{self.path} names {len(missing)} clips that the data lack (first: {missing[0]}); "
                "is the data set complete, and are its people and labels not filtered out?"
            )
        if strange := {sample["label"] for sample in samples if "label" in sample} - set(index.labels):
            known = ", ".join(index.labels) or "none"
            raise DataError(f"{self.path} asks for label {sorted(strange)[0]!r}; these data know: {known}")
        return [self._pair(sample, clips) for sample in samples]

    def _pair(self, sample: dict, clips: dict[str, ClipRecord]) -> Pair:
        """Return the sample that an entry of the file describes."""
        driving, image_video = clips[sample["driving"]], clips.get(sample["image_video"])
        pair = Pair(driving, image_video, None, sample["motion"], sample["seed"] + self.seed, sample.get("label"))
        pair = replace(pair, observed=sample.get("observed", 1))
        try:
            pair = restrict_frames(pair, *sample["frames"]) if "frames" in sample else pair
            return use_maps(pair, sample["maps"]) if "maps" in sample else pair
        except DataError as error:
            raise DataError(f"{self.path} does not fit these data: {error}") from error

    def _read(self) -> list[dict]:
        """Return the file's entries after checking them."""
        try:
            content = read_json(self.path)
        except (OSError, ValueError) as error:
            raise DataError(f"the list of samples {self.path} cannot be read: {error}") from error
        samples = content
        if isinstance(content, dict):
            samples = content.get("samples")
            made = content.get("protocol") or {}
            # A replayed list is credited to the protocol that first made it.
            self.replayed = made.get("replays") or made or None
        if not isinstance(samples, list) or not samples:
            raise DataError(f"{self.path} holds no list of samples")
        for number, sample in enumerate(samples):
            if fault := _fault(sample):
                raise DataError(f"{self.path}: sample {number} {fault}: {sample}")
        return samples


def _fault(sample: Any) -> str | None:
    """Return the fault of an entry as text, or None if it is valid."""
    if not isinstance(sample, dict) or any(key not in sample for key in KEYS):
        return f"is not an object with {', '.join(KEYS)}"
    known = KEYS | OPTIONAL
    if unknown := sorted(set(sample) - set(known)):
        return f"has an unknown key {unknown[0]!r}, known are {', '.join(known)}"
    wrong = [key for key, value in sample.items() if not isinstance(value, known[key]) or isinstance(value, bool)]
    if wrong:
        return f"has a wrong value of {wrong[0]}"
    if sample.get("observed", 1) < 1:
        return "has fewer than one observed frame"
    if sample["motion"] not in ("driving", "prior"):
        return 'has a motion that is neither "driving" nor "prior"'
    if "frames" in sample and [type(number) for number in sample["frames"]] != [int, int]:
        return "has frames that are not a start and a stop"
    return None
