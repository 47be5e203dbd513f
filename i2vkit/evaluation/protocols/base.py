"""What a protocol is: a pair sampler that says what is generated from what, in a fixed order and with which seeds."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord, FrameSpan
from i2vkit.datasets.interfaces import PairSampler
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import DataError
from i2vkit.evaluation.metrics import BestOf, DiversityL1, DiversityLpips, VideoMetric
from i2vkit.registry import METRICS, find_part


class Protocol(PairSampler):
    """A fixed list of samples for an evaluation.

    The order of the samples depends on the index alone, and each has a seed of its own: ``seed`` + its position. The
    data set fills in the ground truth: the driving clip itself where it is the image video too, or else a clip of its
    ``truth`` in which the person in the image does what the driving clip's does. A sample without a truth is generated
    but not scored.

    Args:
        seed: of the first sample's noise.
    """

    # Where an image has several samples, these compare them.
    metrics: Sequence[dict] = ({"type": DiversityL1}, {"type": DiversityLpips})

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.name = type(self).__name__

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """The samples.

        Raises:
            DataError: the index lacks what the protocol asks for.
        """
        return [replace(pair, seed=self.seed + i) for i, pair in enumerate(self.list_pairs(index))]

    @abstractmethod
    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """The samples, their seeds not yet set."""

    def evaluators(self, pairs: Sequence[Pair], evaluators: Sequence[dict]) -> list[dict]:
        """How the samples are scored: by ``evaluators``, the metrics of a config, where each image has one sample.

        Where each has N, the metrics of videos count the best of N, and ``metrics`` compares the N; other metrics have
        no best of N, and ``left_out`` says so.

        Raises:
            DataError: images with unequal numbers of samples.
        """
        counts = Counter(pair.name for pair in pairs)
        several = most_samples(pairs)
        if several == 1:
            return list(evaluators)
        if odd := [name for name, count in counts.items() if count != several]:
            raise DataError(
                f"image {odd[0]!r} has {counts[odd[0]]} samples and others {several}: the best of N is "
                f"compared between images of one N"
            )
        best = [
            {"type": BestOf, "metric": dict(entry), "num_samples": several}
            for entry in evaluators
            if issubclass(find_part(METRICS, entry["type"]), VideoMetric)
        ]
        return best + [dict(entry) for entry in self.metrics]

    def left_out(self, pairs: Sequence[Pair], evaluators: Sequence[dict]) -> dict[str, str]:
        """The metrics of a config that ``evaluators`` leaves out, by name, with the reason; none of one sample each."""
        several = most_samples(pairs)
        kinds = [find_part(METRICS, entry["type"]) for entry in evaluators] if several > 1 else []
        reason = (
            f"each image has {several} samples: what scores a video against its ground truth counts the best of them, "
            f"and "
            f"this metric does not. A protocol with one sample an image has it"
        )
        return {
            getattr(kind, "name", None) or kind.__name__: reason for kind in kinds if not issubclass(kind, VideoMetric)
        }


def most_samples(pairs: Sequence[Pair]) -> int:
    """The number of samples of the image that has most, 1 where there is none."""
    return max(Counter(pair.name for pair in pairs).values(), default=1)


def choose_images(
    index: ClipIndex, people: Sequence[str] | None = None, label: str | None = None, every: bool = False
) -> list[ClipRecord]:
    """The clips whose first frames are animated: the first of each person, in the order they are given.

    Args:
        index: all clips.
        people: whose; everyone by default.
        label: clips of that label only.
        every: all of these clips, in the order of the index.

    Raises:
        DataError: somebody has no such clip.
    """
    candidates = index.select(people=people, labels=None if label is None else [label])
    if every:
        return candidates.records
    first = {record.person: record for record in reversed(candidates.records)}
    people = people or candidates.people
    if missing := [person for person in people if person not in first]:
        wanted = "clip" if label is None else f"clip of label {label!r}"
        raise DataError(
            f"people without a {wanted}: {', '.join(missing)}; leave them out, or show them by another label"
        )
    return [first[person] for person in people]


def restrict_frames(pair: Pair, start: int, stop: int) -> Pair:
    """The sample with frames ``start`` to ``stop - 1`` of its source alone. Raises ``DataError`` if there are fewer."""
    record = pair.driving
    if not 0 <= start < stop <= record.num_frames:
        raise DataError(f"clip {record.name} has {record.num_frames} frames, not those from {start} to {stop - 1}")
    span = FrameSpan(record.frames, start, stop, record.num_frames)
    return replace(pair, driving=replace(record, frames=span, num_frames=stop - start), span=(start, stop))


def use_maps(pair: Pair, maps: str) -> Pair:
    """The sample with the condition maps that stand in column ``maps`` of its source.

    Raises:
        DataError: there are none.
    """
    metadata = pair.driving.metadata
    if isinstance(metadata.get(maps, ""), str):  # neither a file that is there nor an array
        raise DataError(
            f"clip {pair.driving.name} has no {maps} poses: python tools/forecast_poses.py CONFIG CHECKPOINT "
            f"--data FOLDER writes them"
        )
    return replace(pair, driving=replace(pair.driving, metadata={**metadata, "maps": metadata[maps]}), maps=maps)
