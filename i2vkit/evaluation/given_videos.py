"""Scores of videos that somebody else has made, by the metrics, intervals and static baseline of ``i2v test``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from torch import Tensor

from i2vkit.datasets.caches import FrameCache
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.transforms import CenterCrop, FirstFrames, ReadFrames, Resize, WholeClip
from i2vkit.engine.precision import precision as computing_in
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.metrics import METRICS_OF_VIDEOS
from i2vkit.evaluation.named_clips import find_clips, find_images, match, with_person
from i2vkit.evaluation.protocols.base import most_samples
from i2vkit.evaluation.protocols.sample_list import write_samples
from i2vkit.evaluation.result import score_facts
from i2vkit.evaluation.result_facts import frame_facts
from i2vkit.media import atomic_path, read_image
from i2vkit.registry import SCOPE, closest_names
from i2vkit.structures import VideoSample

DEFAULT_METRICS = ("ssim", "psnr", "mse", "appearance", "motion_error")


def evaluate(
    videos: str | Path,
    truth: str | Path,
    images: str | Path | None = None,
    out: str | Path | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    name: str | None = None,
    length: int | None = None,
    size: int | None = None,
    person: str | None = None,
) -> dict[str, Any]:
    """Score given videos against their ground truth, and write ``out/metrics.json`` and ``out/samples.json``.

    A video is a file, or a folder of images. It belongs to the truth of the same name, which is its path without the
    suffix. "/" may be "_" in the names of videos, as in those that ``i2v test --save-videos`` writes. Frame 0 counts as
    given and is not scored, as in ``i2v test``.

    Args:
        videos: The folder of the videos to score.
        truth: The folder of the true videos, or a prepared data set with an ``index.csv``.
        images: The folder of the images that were animated, with the same names. By default these are the first frames
            of the true videos. They are only used for the static baseline and by metrics that compare with the image.
        out: The folder of the results. By default ``work_dirs/evaluate/NAME``.
        metrics: Names of the metrics, see ``METRICS_OF_VIDEOS``.
        name: The name of the method in tables. By default that of the folder ``videos``.
        length: Score only the first so many frames of both videos. By default all, which must be equally many.
        size: Cut the largest square out of the middle of all frames, and scale it to this side in pixels. By default
            frames stay as they are.
        person: A regular expression that finds the person in the name of a true video, in its first group if it has
            one. By default the person is the first folder of the name. Without people, intervals are drawn over videos.

    Returns:
        The content of ``metrics.json``, as of ``i2vkit.evaluation.result.build_result``. There is no model, so
        ``checkpoint`` has the folder and the SHA-256 of the scored frames.

    Raises:
        DataError: A video has no truth or the other way round, or the two differ in size or length.
        ConfigError: A metric is unknown or there twice, ``out`` lies among the videos, or ``person`` fits no name.
        MediaError: A file cannot be read.
    """
    videos, truth = Path(videos), Path(truth)
    name = name or videos.resolve().name
    out = Path(out or Path("work_dirs/evaluate") / name)
    if twice := [each for each in metrics if list(metrics).count(each) > 1]:
        raise ConfigError(f"metric {twice[0]!r} is given twice: leave one of them out (--metrics)")
    for folder in (videos, truth):
        if out.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"the results in {out} would lie among the videos of {folder}: choose another --out")
    entries = [_metric(each) for each in metrics]
    truths = [with_person(record, person) for record in find_clips(truth)]
    given = match(truths, find_clips(videos), videos, truth)
    shown = None if images is None else find_images(Path(images), truths)
    steps = _steps(truths[0], length, size)
    with DefaultScope.overwrite_default_scope(SCOPE), computing_in("fp32"):
        evaluator = Evaluator(entries)
        evaluator.dataset_meta = {"labels": sorted({record.label for record in truths if record.label is not None})}
        digest = hashlib.sha256()
        for sample in _samples(truths, given, shown, steps, scaled=size is not None):
            digest.update(sample.name.encode() + sample.generated.numpy().tobytes())
            evaluator.process(data_samples=[sample], data_batch=None)
            side = sample.generated.shape[-1]
        scores = evaluator.evaluate(len(truths))
    pairs = [Pair(record) for record in truths]
    protocol = {"name": "given_videos", "type": "evaluate"}
    result = {
        "config": name,
        "checkpoint": {"file": str(videos), "sha256": digest.hexdigest()},
        "protocol": protocol,
        "seed": 0,
        "num_samples": most_samples(pairs),
        "image_size": side,
        **frame_facts(steps),
        "data": {"root": str(truth), "truth": None, "temporal_split": [0.0, 1.0]},
        "images": None if images is None else str(images),
        "pipeline": [_step_text(step) for step in steps],
        **score_facts(list(evaluator.metrics), scores, pairs),
    }
    write_samples(pairs, out / "samples.json", protocol)
    with atomic_path(out / "metrics.json") as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _metric(name: str) -> dict:
    """Return the config of a metric.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in METRICS_OF_VIDEOS:
        raise ConfigError(
            f"there is no metric {name!r} of given videos; nearest: {closest_names(name, METRICS_OF_VIDEOS)}"
        )
    return {"type": METRICS_OF_VIDEOS[name]}


def _steps(first: ClipRecord, length: int | None, size: int | None) -> list[Callable]:
    """Return the transforms that truths, videos and images go through.

    Without ``size`` the last one scales to the size of the first truth. As all frames must have it, nothing changes.
    """
    window = WholeClip() if length is None else FirstFrames(length)
    height, width = first.frames.read([0]).shape[1:3]
    crop = [] if size is None or height == width else [CenterCrop()]
    return [window, ReadFrames(), *crop, Resize((height, width) if size is None else size)]


def _step_text(step: Callable) -> str:
    """Return a transform as one line, as ``metrics.json`` of a test has it."""
    shown = {"FirstFrames": ("length", "stride"), "Resize": ("size",)}.get(type(step).__name__, ())
    return f"{type(step).__name__}({', '.join(f'{key}={getattr(step, key)!r}' for key in shown)})"


def _samples(
    truths: Sequence[ClipRecord],
    given: Sequence[ClipRecord],
    images: dict[str, Path] | None,
    steps: list[Callable],
    scaled: bool,
) -> Iterator[VideoSample]:
    """Yield one sample for every true video. One is in memory at a time."""
    for record, made in zip(truths, given, strict=True):
        truth, generated = _frames(record, steps, scaled), _frames(made, steps, scaled)
        if generated.shape[1] != truth.shape[1]:
            raise DataError(
                f"video {made.name!r} has {generated.shape[1]} frames and its truth {truth.shape[1]}: give --length to "
                f"score the first frames of both"
            )
        image = truth[:, 0] if images is None else _image(images[record.name], steps, scaled)
        sample = VideoSample(
            metainfo={
                "name": record.name,
                "driving_name": record.name,
                "driving_person": record.person,
                "image_name": record.name,
                "image_person": record.person,
                "label_name": record.label,
                "seed": 0,
                "motion": "driving",
                "protocol": "given_videos",
                "fps": record.fps,
            }
        )
        sample.generated, sample.truth, sample.driving, sample.image = generated, truth, truth, image
        yield sample


def _frames(record: ClipRecord, steps: list[Callable], scaled: bool) -> Tensor:
    """Return a clip as uint8 (C, T, H, W) after the transforms, which may change the size only if ``scaled``.

    Raises:
        DataError: It has too few frames, or another size although it is not ``scaled``.
    """
    sampled = SampledClip(record)
    sample = {"clips": {"driving": sampled}, "rng": np.random.default_rng(0), "cache": FrameCache(0)}
    for step in steps[:2]:
        sample = step(sample)
    return _resized(sampled, steps, scaled)


def _image(path: Path, steps: list[Callable], scaled: bool) -> Tensor:
    """Return an image as uint8 (C, H, W) after the transforms that change the size, as ``_frames``."""
    record = ClipRecord(str(path), FrameFolder((path,)), "", None, 1)
    return _resized(SampledClip(record, frames=read_image(path)[None]), steps, scaled)[:, 0]


def _resized(sampled: SampledClip, steps: list[Callable], scaled: bool) -> Tensor:
    """Return the frames as uint8 (C, T, H, W), after the transforms behind those that read them."""
    assert isinstance(sampled.frames, np.ndarray), "frames are read from files here"
    before = sampled.frames.shape[1:3]
    for step in steps[2:]:
        step({"clips": {"driving": sampled}})
    frames: np.ndarray = sampled.frames
    if not scaled and before != frames.shape[1:3]:
        raise DataError(
            f"{sampled.record.name!r} is {before[1]}x{before[0]}, and the first true video "
            f"{frames.shape[2]}x{frames.shape[1]}: give --size to bring all to one size"
        )
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2)  # (T, H, W, C) -> (C, T, H, W)
