"""Benchmark of loading a config's clips, relative to a simple reader of the same files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, cast

import numpy as np
from mmengine.config import Config
from PIL import Image
from torch.utils.data import DataLoader

from i2vkit.analysis.benchmark.loaders import arrive
from i2vkit.analysis.benchmark.timing import (
    LEAST_ROUNDS,
    InterleavedTimes,
    config_name,
    environment_info,
    time_interleaved,
)
from i2vkit.analysis.benchmark.waiting import waiting_share
from i2vkit.datasets import ClipDataset, FrameFolder, FrameSource, FrameSpan, FrameStrip, SampledClip
from i2vkit.datasets.collation import stack_inputs
from i2vkit.datasets.deferred import DeferredBatch
from i2vkit.datasets.loaders import build_loader
from i2vkit.datasets.transforms import ReadFrames
from i2vkit.errors import DataError

LOADER, PLAIN = "loader", "plain reader"
ROUNDED = 3  # allowed difference in grey levels of frames that are resized and coloured on the device


def benchmark_data(cfg: Config, seconds: float = 10.0, steps: int = 0) -> dict[str, Any]:
    """Measure how many clips and frames the training data deliver per second, after a warm-up.

    If the frames are image files, a plain reader takes turns with the loader. It opens each file of the same clips with
    Pillow in this process and does nothing else. Before measuring, both are checked to deliver the same frames.

    Args:
        cfg: A config from ``load_config``. It may describe data only.
        seconds: The duration of the measurement. By default 10.
        steps: The number of training steps in which to measure how long the model waits for data. By default 0: none.

    Returns:
        ``clips_per_second`` and ``frames_per_second`` of loader and plain reader, ``ratio`` (how many times faster the
        loader is) with its range over ``rounds``, ``peak_bytes`` of the main process, ``waiting_share`` of a training
        step, batch size, workers and the environment.

    Raises:
        I2VError: The config or its data are wrong.
    """
    loader = build_loader(cfg, "train")
    feed = LoaderBenchmark(loader)
    feed.check()
    compared = plain_frames(feed.dataset.records[0].frames, [0]) is not None
    turns = feed.measure(seconds, compared)
    result: dict[str, Any] = {
        "benchmark": "data",
        "config": config_name(cfg),
        "batch_size": loader.batch_size,
        "workers": loader.num_workers,
        "rounds": len(turns.seconds[LOADER]),
        "clips_per_second": {name: feed.clips / turns.median(name) for name in turns.seconds},
        "frames_per_second": {name: feed.frames / turns.median(name) for name in turns.seconds},
        "peak_bytes": turns.peak_bytes,
    }
    if compared:
        result |= {"ratio": turns.ratio(LOADER, PLAIN), "ratio_range": turns.ratio_range(LOADER, PLAIN)}
    if steps:
        result["waiting_share"] = waiting_share(cfg, steps)
    return result | environment_info()


class LoaderBenchmark:
    """A data loader and a plain reader, each going through the clips in the sampler's order at its own pace.

    After ``measure``, ``clips`` and ``frames`` are the numbers that one turn reads.
    """

    def __init__(self, loader: DataLoader) -> None:
        assert loader.batch_size is not None  # a config has no batch sampler
        self.dataset = cast(ClipDataset, loader.dataset)
        self.batch_size = loader.batch_size
        # The workers prepare so many batches while the loader is idle. These must not count.
        self.ahead = loader.num_workers * (loader.prefetch_factor or 0)
        self.batches = _endless(loader)
        self.keys = _endless(loader.sampler)
        self.turn = self.clips = self.frames = 0
        self._pending: list[SampledClip] = []

    def check(self) -> None:
        """Compare the loader's first batch with the data set's samples, and their frames with the plain reader's.

        Raises:
            DataError: They differ, so the two do not do the same work.
        """
        batch, keys = next(self.batches), list(islice(self.keys, self.batch_size))
        sources = stack_inputs(batch["inputs"])["driving"]
        most = ROUNDED if isinstance(sources, DeferredBatch) else 0
        for source, key in zip(sources.to("cpu"), keys, strict=True):
            own = self.dataset[key]["inputs"]["driving"]
            # A batch is padded to its longest clip.
            if (source[:, : own.shape[1]].int() - own).abs().max() > most:
                raise DataError(f"the loader's sample {key} is not that of the data set")
            for sampled in self._sampled_clips(key, read=True):
                plain = plain_frames(sampled.record.frames, _indices(sampled))
                if plain is not None and not np.array_equal(plain, np.asarray(sampled.frames)):
                    raise DataError(
                        f"clip {sampled.record.name}: the plain reader gives other frames than the data set"
                    )

    def measure(self, seconds: float, compared: bool) -> InterleavedTimes:
        """Time the loader, and the plain reader in turn with it if ``compared``."""
        a_batch = self._warm_up(seconds)
        a_round = a_batch + (self._plain_batch() if compared else 0)
        # A turn is longer than the queues, so that the workers' speed counts, and short enough for all rounds.
        self.turn = max(2 * self.ahead, ceil(seconds / (LEAST_ROUNDS + 1) / a_round))
        self.clips = self.turn * self.batch_size
        # Clips may differ in length, so frames are counted on a few samples.
        lengths = [len(_indices(sampled)) for key in islice(self.keys, 32) for sampled in self._sampled_clips(key)]
        self.frames = round(self.clips * sum(lengths) / 32)

        def drain() -> None:
            self._fetch(self.ahead)

        def settle() -> None:
            time.sleep(2 * self.ahead * a_batch)  # the workers finish what they have begun
            self._look_up(self.clips)

        candidates = {LOADER: lambda: self._fetch(self.turn)}
        if compared:
            candidates[PLAIN] = self._read_pending
        return time_interleaved(candidates, seconds, before={LOADER: drain, PLAIN: settle})

    def _warm_up(self, seconds: float) -> float:
        """Fill queues and caches, and return the seconds that a batch takes afterwards.

        The warm-up ends after two passes over the data or after ``seconds``.
        """
        end = time.perf_counter() + seconds
        for _ in range(self.ahead + 2 * ceil(len(self.dataset) / self.batch_size)):
            self._fetch(1)
            if time.perf_counter() > end:
                break
        begin, number = time.perf_counter(), 2 * self.ahead + 4
        self._fetch(number)
        return (time.perf_counter() - begin) / number

    def _plain_batch(self) -> float:
        """Return the seconds that the plain reader takes for a batch."""
        self._look_up(self.batch_size)
        begin = time.perf_counter()
        self._read_pending()
        return time.perf_counter() - begin

    def _look_up(self, clips: int) -> None:
        """Choose the frames that the plain reader reads next. This does not count as its work."""
        self._pending = [sampled for key in islice(self.keys, clips) for sampled in self._sampled_clips(key)]

    def _fetch(self, number: int) -> None:
        """Load ``number`` batches and wait until they are on the device."""
        for _ in range(number):
            batch = next(self.batches)
            arrive(batch, stack_inputs(batch["inputs"])["driving"].device)

    def _read_pending(self) -> None:
        """Let the plain reader read its next frames."""
        for sampled in self._pending:
            plain_frames(sampled.record.frames, _indices(sampled))

    def _sampled_clips(self, key: tuple[int, int], read: bool = False) -> list[SampledClip]:
        """Return the clips of a sample with their frames chosen, and also read if ``read``."""
        sample = self.dataset.begin(key)
        for transform in self.dataset.pipeline:
            if isinstance(transform, ReadFrames) and not read:
                break
            sample = transform(sample)
            if isinstance(transform, ReadFrames):
                break
        return list(sample["clips"].values())


def _indices(sampled: SampledClip) -> np.ndarray:
    """Return the chosen frames of a clip, (T,)."""
    assert sampled.indices is not None  # every pipeline chooses frames before it reads them
    return sampled.indices


def _endless(source: Any) -> Iterator[Any]:
    """Yield from ``source`` again and again."""
    while True:
        yield from source


def plain_frames(source: FrameSource, indices: np.ndarray | list[int]) -> np.ndarray | None:
    """Read frames with Pillow, uint8 (T, H, W, 3). Return None if they are not image files."""
    if isinstance(source, FrameSpan):
        return plain_frames(source.source, [source.start + int(index) for index in indices])
    if isinstance(source, FrameStrip):
        strip = _open(source.path)
        return np.stack([strip[:, index * source.size : (index + 1) * source.size] for index in indices])
    if isinstance(source, FrameFolder):
        return np.stack([_open(source.paths[index]) for index in indices])
    return None


def _open(path: Path) -> np.ndarray:
    """Return an image file as uint8 (H, W, 3)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def format_data(result: dict[str, Any]) -> str:
    """Return the result as text."""
    lines = [
        f"{name:<13} {result['clips_per_second'][name]:>10,.1f} clips a second {frames:>12,.0f} frames a second"
        for name, frames in result["frames_per_second"].items()
    ]
    if "ratio" in result:
        low, high = result["ratio_range"]
        lines.append(f"the loader is {result['ratio']:.2f} times as fast ({low:.2f} to {high:.2f} over the rounds)")
    else:
        lines.append("the frames are not image files: there is no plain reader to compare with")
    if "waiting_share" in result:
        lines.append(f"a training step waits for data during {100 * result['waiting_share']:.2f} % of its time")
    how = f"{result['rounds']} rounds, batches of {result['batch_size']}, {result['workers']} workers"
    return "\n".join([*lines, f"{how}, {result['cores']} cores"])
