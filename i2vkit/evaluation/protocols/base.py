"""Base class of protocols: a protocol is a pair sampler with a fixed order of samples and fixed seeds."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import FrameSpan
from i2vkit.datasets.interfaces import PairSampler
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import DataError
from i2vkit.evaluation.metrics import BestOf, DiversityL1, DiversityLpips, VideoMetric
from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.registry import METRICS, find_part


class Protocol(PairSampler):
    """A fixed list of samples for an evaluation.

    The order of the samples depends only on the index, and each has its own seed: ``seed`` plus its position. The data
    set adds the ground truth. It is the driving clip if that is also the image video, else a clip of its ``truth`` in
    which the person in the image does what the driving clip shows. A sample without a truth is generated but not
    scored.

    Args:
        seed: The seed of the first sample's noise. By default 0.
    """

    # The metrics that compare several samples of an image.
    metrics: Sequence[dict] = ({"type": DiversityL1}, {"type": DiversityLpips})

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.name = type(self).__name__

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """Return the samples.

        Raises:
            DataError: The index lacks clips that the protocol needs.
        """
        return [replace(pair, seed=self.seed + i) for i, pair in enumerate(self.list_pairs(index))]

    @abstractmethod
    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return the samples without their seeds."""

    def evaluators(self, pairs: Sequence[Pair], evaluators: Sequence[dict]) -> list[dict]:
        """Return the metrics that score the samples. If each image has one sample, these are the config's
        ``evaluators``.

        If each image has N samples, the metrics of videos become best-of-N metrics, and ``metrics`` compare the N
        samples. Frechet distances are measured over all samples. The other metrics have no best of N. ``left_out``
        lists them.

        Raises:
            DataError: Images have different numbers of samples.
        """
        counts = Counter(pair.name for pair in pairs)
        several = most_samples(pairs)
        if several == 1:
            return list(evaluators)
        if odd := [name for name, count in counts.items() if count != several]:
            raise DataError(
                f"image {odd[0]!r} has {counts[odd[0]]} samples and others {several}, but the best of N "
                f"needs the same N for all images"
            )
        best = [
            {"type": BestOf, "metric": dict(entry), "num_samples": several}
            for entry in evaluators
            if _scores_videos(find_part(METRICS, entry["type"]))
        ]
        sets = [dict(entry) for entry in evaluators if _scores_sets(find_part(METRICS, entry["type"]))]
        return best + sets + [dict(entry) for entry in self.metrics]

    def left_out(self, pairs: Sequence[Pair], evaluators: Sequence[dict]) -> dict[str, str]:
        """Return the metrics of a config that ``evaluators`` leaves out, by name, with the reason."""
        several = most_samples(pairs)
        kinds = [find_part(METRICS, entry["type"]) for entry in evaluators] if several > 1 else []
        reason = (
            f"each image has {several} samples, and this metric has no best of them, unlike those that score a video "
            f"against its ground truth. Use a protocol with one sample for each image"
        )
        without = [kind for kind in kinds if not _scores_videos(kind) and not _scores_sets(kind)]
        return {getattr(kind, "name", None) or kind.__name__: reason for kind in without}


def _scores_videos(kind: Callable) -> bool:
    """Return whether a kind of metric compares each video with its ground truth."""
    return isinstance(kind, type) and issubclass(kind, VideoMetric)


def _scores_sets(kind: Callable) -> bool:
    """Return whether a kind of metric compares all videos with all ground truths."""
    return isinstance(kind, type) and issubclass(kind, FrechetMetric)


def most_samples(pairs: Sequence[Pair]) -> int:
    """Return the largest number of samples of an image, or 1 if there are no samples."""
    return max(Counter(pair.name for pair in pairs).values(), default=1)


def choose_images(
    index: ClipIndex, people: Sequence[str] | None = None, label: str | None = None, every: bool = False
) -> list[ClipRecord]:
    """Return the clips whose first frames are animated: the first clip of each person, in the given order.

    Args:
        index: All clips.
        people: The people to show. By default everyone.
        label: Only use clips with this label. By default all.
        every: Return all of these clips in the order of the index, not only the first of each person.

    Raises:
        DataError: A person has no such clip.
    """
    candidates = index.select(people=people, labels=None if label is None else [label])
    if every:
        return candidates.records
    # Reversed, so that the first clip of a person is the one that stays.
    first = {record.person: record for record in reversed(candidates.records)}
    people = people or candidates.people
    if missing := [person for person in people if person not in first]:
        wanted = "clip" if label is None else f"clip of label {label!r}"
        raise DataError(
            f"people without a {wanted}: {', '.join(missing)}; leave them out, or show them by another label"
        )
    return [first[person] for person in people]


def restrict_frames(pair: Pair, start: int, stop: int) -> Pair:
    """Return the sample with only frames ``start`` to ``stop - 1`` of its driving clip.

    Raises:
        DataError: The clip has fewer frames.
    """
    record = pair.driving
    if not 0 <= start < stop <= record.num_frames:
        raise DataError(f"clip {record.name} has {record.num_frames} frames, not those from {start} to {stop - 1}")
    span = FrameSpan(record.frames, start, stop, record.num_frames)
    return replace(pair, driving=replace(record, frames=span, num_frames=stop - start), span=(start, stop))


def use_maps(pair: Pair, maps: str) -> Pair:
    """Return the sample with the condition maps in column ``maps`` of its driving clip.

    Raises:
        DataError: There are none.
    """
    metadata = pair.driving.metadata
    if isinstance(metadata.get(maps, ""), str):  # neither an array nor the path of an existing file
        raise DataError(
            f"clip {pair.driving.name} has no {maps} poses: python tools/forecast_poses.py CONFIG CHECKPOINT "
            f"--data FOLDER writes them"
        )
    return replace(pair, driving=replace(pair.driving, metadata={**metadata, "maps": metadata[maps]}), maps=maps)
