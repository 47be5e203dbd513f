"""The data set of clips: a reader finds them, a pair sampler pairs them, and transforms make samples of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from i2vkit.datasets.broken_clips import OnError
from i2vkit.datasets.caches import open_cache
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.device_cache import DeviceCache
from i2vkit.datasets.pair_samplers import Pair, SameClip
from i2vkit.datasets.pipelines import steps_of
from i2vkit.datasets.readable_clips import readable_clips
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.splits import people_of
from i2vkit.datasets.transforms.sampling import Sampling
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import DATASETS, PAIR_SAMPLERS, READERS, TRANSFORMS, arguments_of, closest_names, find_part
from i2vkit.utils.opencv_threads import stop_threads_at_forks

stop_threads_at_forks()  # data loaders fork their workers

# Bytes of decoded frames that all workers together keep. 500 clips of 20 frames of 128x128 take half of it.
CACHE_BUDGET = 2**30


@DATASETS.register_module()
class ClipDataset(Dataset):
    """A data set of the clips that a reader finds, paired and sent through transforms.

    ``dataset[index, position]`` draws everything random from ``[seed, position]``. A sample is therefore the same in
    any process and at any time. ``dataset[index]`` uses the index as the position.

    ``window``, ``size``, ``augmentation``, ``crop``, ``points``, ``maps`` and ``extra_steps`` describe the usual
    pipeline, see ``pipelines.usual_pipeline``. ``pipeline`` replaces it.

    Args:
        reader: Config of the reader that finds the clips, ``dict(type=ClipFolder, root=...)``.
        pipeline: All transforms by name, in the order of work. The names are yours, and an entry None is left out. By
            default the usual pipeline is made of the arguments below.
        people: People, or the name of a split (``splits.SPLITS``), whose clips are used. By default everyone's.
        labels: Labels whose clips are used. By default all.
        exclude_people: People, or the name of a split, whose clips are left out. By default nobody's.
        pair_sampler: Config of the sampler that chooses which clip drives which image. By default each clip drives its
            own first frame.
        truth: Config of a reader of ground truth, for rendered data: clips in which the person in the image does
            exactly what the driving clip does. ``metadata["driving"]`` of such a clip names the driving clip. The
            folder may be missing.
        min_frames: Clips with fewer frames (after ``temporal_split`` and ``sequences``) are skipped. Default 1.
        temporal_split: The part of every clip that is used, truth included, as two shares of its length. (0, 2/3)
            trains on the first two thirds, (2/3, 1) tests on the last. By default all frames are used.
        sequences: The number of equal parts into which every clip is divided (after ``temporal_split``), truth
            included. Each part is a clip, named after the whole one, ``@`` and its first frame. Default 1.
        seed: Seed of all random draws. Default 0.
        cache: Where decoded clips are kept. "memory" (the default, also True): in each worker, up to ``CACHE_BUDGET``
            bytes over all. "file": in a file that workers and runs share, for sets that do not fit or are slow to
            decode. "device": on the GPU, for training on small sets. None or False: nowhere.
        window: Chooses the frames of a clip, ``dict(type=RandomWindow, length=16)``.
        size: Side of the frames in pixels, or (height, width). By default they keep their size.
        augmentation: Transforms by name, after resizing.
        crop: A transform before resizing.
        points: Landmarks, joints or boxes that each clip must have. An empty list reads those that exist.
        maps: Number of condition maps a frame, or the arguments of ``ReadMaps``. By default none are read.
        extra_steps: Further transforms by name, before packing.
        on_error: "skip" leaves out clips that are missing, cut or broken, and the log counts them. Every clip is
            decoded once for that, when the data set is built for the first time. By default that of the reader, which
            ends with an error that lists the clips whose files are cut or cannot be opened.

    Raises:
        DataError: No clip is found or left, a clip is too short for the pipeline, or ``exclude_people`` names somebody
            who is in no clip.
        ConfigError: ``cache`` is unknown, or ``pipeline`` is given together with arguments of the usual one.
    """

    def __init__(
        self,
        reader: dict,
        pipeline: dict[str, dict | Callable | None] | None = None,
        people: str | int | Sequence[str | int] | None = None,
        labels: Sequence[str | int] | None = None,
        exclude_people: str | int | Sequence[str | int] | None = None,
        pair_sampler: dict | None = None,
        truth: dict | None = None,
        min_frames: int = 1,
        temporal_split: tuple[float, float] = (0.0, 1.0),
        sequences: int = 1,
        seed: int = 0,
        cache: Literal["memory", "file", "device"] | bool | None = "memory",
        window: dict | Callable | None = None,
        size: int | tuple[int, int] | None = None,
        augmentation: dict[str, dict | Callable | None] | None = None,
        crop: dict | Callable | None = None,
        points: Sequence[str] | None = None,
        maps: int | Mapping[str, Any] | None = None,
        extra_steps: dict[str, dict | Callable | None] | None = None,
        on_error: OnError | None = None,
    ):
        kinds = {"memory": "memory", True: "memory", "file": "file", "device": "device", None: None, False: None}
        if cache not in kinds:
            raise ConfigError(f'cache is "memory", "file", "device" or None, got {cache!r}')
        steps = steps_of(
            {
                "pipeline": pipeline,
                "window": window,
                "size": size,
                "augmentation": augmentation,
                "crop": crop,
                "points": points,
                "maps": maps,
                "extra_steps": extra_steps,
            }
        )
        self.seed = seed
        everything = _build(READERS, _with_errors(reader, on_error)).index()
        everything = everything.temporal_split(*temporal_split).sequences(sequences)
        _check_excluded(exclude_people, everything.people)
        self.everyone = everything
        self.index = everything.select(
            people_of(people, everything), labels, people_of(exclude_people, everything), min_frames
        )
        if on_error == "skip":
            self.index = readable_clips(self.index)
        self.pair_sampler = SameClip() if pair_sampler is None else _build(PAIR_SAMPLERS, pair_sampler)
        self.truths = {} if truth is None else _truths(_build(READERS, truth), temporal_split, sequences)
        self.pairs = [self._with_truth(pair) for pair in self.pair_sampler.pairs(self.index)]
        self.pipeline = [_build(TRANSFORMS, transform) for transform in steps.values()]
        self._check_lengths()
        print_log(self.index.summary(), logger="current")
        absent = sorted(set(people_of(people, everything) or []) - set(everything.people))
        if absent:
            named = ", ".join(absent[:5]) + ", ..." * (len(absent) > 5)
            print_log(f"of the people asked for {len(absent)} have no clips: {named}", logger="current")
        on_device = kinds[cache] == "device"
        self._device_cache = DeviceCache(self.index.records, self.pipeline) if on_device else None
        self._cache = open_cache(None if on_device else kinds[cache], self._used_records, CACHE_BUDGET)

    @property
    def records(self) -> list[ClipRecord]:
        """Return the clips in use."""
        return self.index.records

    @property
    def labels(self) -> list[str]:
        """Return the names of the labels. Their order is the class index."""
        return self.index.labels

    @property
    def metainfo(self) -> dict:
        """Return the facts that mmengine hands to the visualizer and the metrics."""
        return {"labels": list(self.labels)}

    def full_init(self) -> None:
        """Do nothing. The index is read when the data set is built, and mmengine calls this later."""

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, key: int | tuple[int, int]) -> dict:
        """Make one sample.

        Args:
            key: ``(index, position)``: the pair, and the seed of its random draws. One number is both.

        Returns:
            The output of the last transform. With ``PackClip`` it is ``dict(inputs=..., data_samples=VideoSample)``.
        """
        return self._through_pipeline(self.begin(key))

    def __getitems__(self, keys: Sequence[int | tuple[int, int]]) -> list[dict]:
        """Make the samples of a batch, as a data loader asks for them."""
        if self._device_cache is None:
            return [self[key] for key in keys]
        samples = [self.begin(key) | {"cache": self._device_cache} for key in keys]
        for sample in samples:
            sample["clips"].pop("truth", None)  # training does not use the truth, and it is not on the device
        return [self._through_pipeline(sample) for sample in samples]

    def _through_pipeline(self, sample: dict) -> dict:
        for transform in self.pipeline:
            sample = transform(sample)
        return sample

    def begin(self, key: int | tuple[int, int]) -> dict:
        """Make the input of the first transform: the pair is drawn, and no frame is read yet."""
        index, position = key if isinstance(key, tuple) else (key, key)
        rng = np.random.default_rng([self.seed, position])
        pair = self.pairs[index]
        if hasattr(self.pair_sampler, "draw"):
            pair = self._with_truth(self.pair_sampler.draw(pair, self.index, rng))
        clips = {
            name: SampledClip(record)
            for name, record in (("driving", pair.driving), ("image_video", pair.image_video), ("truth", pair.truth))
            if record is not None
        }
        sample = {"rng": rng, "pair": pair, "clips": clips, "labels": self.labels, "cache": self._cache}
        sample["protocol"] = getattr(self.pair_sampler, "name", type(self.pair_sampler).__name__)
        return sample

    def _used_records(self) -> list[ClipRecord]:
        """Return all clips whose frames may be read."""
        return [*self.index.records, *self.truths.values()]

    def _check_lengths(self) -> None:
        """Raise ``DataError`` at once if a clip is too short for the pipeline."""
        used = {record.name: record for pair in self.pairs for record in (pair.driving, pair.image_video) if record}
        for transform in self.pipeline:
            if isinstance(transform, Sampling):
                for record in used.values():
                    transform.check(record)

    def _with_truth(self, pair: Pair) -> Pair:
        """Fill in the exact ground truth of a pair where it is known.

        A pair without an image video needs none, because the driving clip is its own truth.
        """
        if pair.image_video is None or pair.truth is not None:
            return pair
        if pair.image_video.name == pair.driving.name:
            return replace(pair, truth=pair.driving)
        return replace(pair, truth=self.truths.get((pair.image_video.person, pair.driving.name)))


def _with_errors(reader, on_error: OnError | None):
    """Return the config of a reader with ``on_error``, if that is given and the reader takes it."""
    if on_error is None or not isinstance(reader, dict):
        return reader
    takes = arguments_of(find_part(READERS, reader["type"])) or {}
    return {**reader, "on_error": on_error} if "on_error" in takes else reader


def _build(registry, config):
    """Build a part from its config. A part that is built already stays as it is."""
    return registry.build(config) if isinstance(config, dict) else config


def _check_excluded(people: str | int | Sequence[str | int] | None, known: Sequence[str]) -> None:
    """Raise ``DataError`` if somebody is to be left out who is in no clip, since a wrong name would hold nobody out.

    A named split may list people whose clips are not there, for instance in a small rendered set.
    """
    if people is None or (isinstance(people, str) and "/" in people):
        return
    if unknown := [person for person in people_of(people) or () if person not in known]:
        raise DataError(
            f"exclude_people: no clip has person {', '.join(unknown[:5])}, so nobody would be left out; nearest: "
            f"{closest_names(unknown[0], known)}"
        )


def _truths(reader, shares: tuple[float, float], sequences: int) -> dict[tuple[str, str], ClipRecord]:
    """Index exact truths by person in the image and driving clip. The index is empty if the data set has none."""
    root = Path(reader.root)
    if not root.exists():
        print_log(f"no exact ground truth in {root}: transfers are scored without", logger="current")
        return {}
    records = reader.index().temporal_split(*shares).sequences(sequences).records
    if unnamed := [record.name for record in records if "driving" not in record.metadata]:
        raise DataError(
            f"{root}: no column driving says which clip {unnamed[0]} is the ground truth of; prepare the set again"
        )
    return {(record.person, str(record.metadata["driving"])): record for record in records}
