"""Scores of degraded true videos by every metric that compares a video with its truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from mmengine.logging import print_log

from i2vkit.analysis.metrics_and_motion.degradations import STILL, TRUTH, degradations
from i2vkit.analysis.truth_benchmark.reference_methods import ReferenceMethod, driving_video, repeated_image, truth
from i2vkit.analysis.truth_benchmark.reference_scores import Metrics
from i2vkit.analysis.truth_benchmark.scoring import combine
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.embedders import I3dEmbedder, ResNext3dEmbedder
from i2vkit.evaluation.metrics import METRICS_OF_VIDEOS, Appearance, MotionAccuracy, VideoMetric
from i2vkit.evaluation.statistics import LEVEL, bootstrap_means
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample

# In the order of the tables. ACD is not among them: it reads no truth, and a still image is the best for it.
NAMES = ("ssim", "psnr", "mse", "lpips", "frame_fid", "video_fid", "fvd", "appearance", "motion_error")
BOTH = "both"
DIGITS = 6  # of the numbers in a result


def metric_entries(weights: Mapping[str, str]) -> list[dict]:
    """Return the configs of all metrics, with the given files of weights by the name of the metric.

    Raises:
        ConfigError: A metric has no such file.
    """
    of_file = {
        "lpips": lambda file: {"backbone_path": file},
        "video_fid": lambda file: {"embedder": {"type": ResNext3dEmbedder, "weights": file}},
        "fvd": lambda file: {"embedder": {"type": I3dEmbedder, "path": file}},
    }
    if unknown := sorted(set(weights) - set(of_file)):
        raise ConfigError(f"no file of weights can be given for {unknown[0]!r}, only for {', '.join(of_file)}")
    options = {name: of_file[name](file) for name, file in weights.items()}
    return [{"type": METRICS_OF_VIDEOS[name], **options.get(name, {})} for name in NAMES]


def score_degradations(samples: Sequence[VideoSample], entries: list[dict], seed: int = 0) -> dict[str, Any]:
    """Score the truths of all samples, and their degradations, by all metrics.

    A score becomes a share of the way from the truth to the still image: 0 is the score of the truth, and 1 that of
    frame 0 repeated. A degradation above 1 is worse for a metric than a video that does not move.

    Args:
        samples: The samples, with their truth. They are read several times.
        entries: Configs of metrics. ``Appearance`` and ``MotionAccuracy`` must be among them.
        seed: The seed of noise, shuffling, and the choice of other motions.

    Returns:
        ``videos``, ``people`` (who drive), ``frames`` (of a video), ``degradations`` (``motion`` and ``strength`` by
        name), ``metrics`` (``less_is_better``, and the ``extractor`` of those that have one), ``skipped`` and
        ``warnings`` (reasons by metric), and by name and metric ``scores``, ``shares`` and the 95 % ``intervals`` of
        shares over the people who drive, for metrics that score single videos.

    Raises:
        DataError: Nothing moves in the videos, or a person is in too few of them to exchange motions.
    """
    known = degradations(samples)
    methods: dict[str, ReferenceMethod] = {TRUTH: truth} | {each.name: each.method(seed) for each in known}
    metrics = [METRICS.build(entry) for entry in entries]  # once, since networks are slow to build
    used = [metric for metric in metrics if not metric.skipped]
    references = _references(samples)
    if not references["image repeated"]["motion_error"]:
        raise DataError("nothing moves in these videos, so that metrics cannot be compared by their motion")
    scores: dict[str, Metrics] = {}
    per_video: dict[str, list[Metrics]] = {}
    for name, method in methods.items():
        print_log(f"{name}: {len(samples)} videos are scored", logger="current")
        scores[name], per_video[name] = _score(method, samples, used)
        scores[name][BOTH] = combine(scores[name], references)[BOTH]
    people = [sample.driving_person for sample in samples]
    facts = {metric.name: {"less_is_better": metric.less_is_better} | _extractor(metric) for metric in used}
    return {
        "videos": len(samples),
        "people": len(set(people)),
        "frames": samples[0].truth.shape[1],
        "degradations": {
            each.name: {"motion": "right" if each.right_motion else "wrong", "strength": each.strength}
            for each in known
        },
        "metrics": facts | {BOTH: {"less_is_better": False}},
        "skipped": {metric.name: _local(metric.skipped) for metric in metrics if metric.skipped},
        "warnings": {metric.name: metric.warning for metric in used if getattr(metric, "warning", None)},
        "scores": _rounded(scores),
        "shares": _rounded({name: _shares(scores[name], scores) for name in methods if name != TRUTH}),
        "intervals": _rounded(_intervals(per_video, people, references)),
    }


def _score(
    method: ReferenceMethod, samples: Sequence[VideoSample], metrics: Sequence[Any]
) -> tuple[Metrics, list[Metrics]]:
    """Return the scores of a method, and those of each video by the metrics that score single videos.

    Metrics of videos are called directly, because ``process`` would also score a static baseline, the same for every
    method, and that takes half of the time.
    """
    single = [metric for metric in metrics if isinstance(metric, VideoMetric)]
    of_set = [metric for metric in metrics if not isinstance(metric, VideoMetric)]
    per_video = []
    for sample in samples:
        sample.generated = method(sample)
        per_video.append({metric.name: _video_score(metric, sample) for metric in single})
        for metric in of_set:
            metric.process(None, [sample])
    found = {metric.name: fmean(video[metric.name] for video in per_video) for metric in single}
    found |= {metric.name: metric.evaluate(len(samples))[metric.name] for metric in of_set}
    return {metric.name: found[metric.name] for metric in metrics}, per_video


def _video_score(metric: VideoMetric, sample: VideoSample) -> float:
    """Return the score of a generated video, the mean over frames 1 to T-1."""
    start = 0 if metric.reads_first else 1
    # (C, T, H, W) -> (1, C, T - start, H, W)
    video, true = (x[None, :, start:] for x in (sample.generated, sample.truth))
    return metric.score(video, true).mean().item()


def _references(samples: Sequence[VideoSample]) -> dict[str, Metrics]:
    """Return the scores that are 0 for appearance and for motion in the benchmark's ``combine``."""
    metrics = [Appearance(), MotionAccuracy()]
    methods = {"driving video": driving_video, "image repeated": repeated_image}
    return {name: _score(method, samples, metrics)[0] for name, method in methods.items()}


def _shares(found: Metrics, scores: dict[str, Metrics]) -> Metrics:
    """Return the way from the truth as a share of that to the still image, for each metric.

    Raises:
        DataError: The still image is as good as the truth.
    """
    best, still = scores[TRUTH], scores[STILL]
    if equal := [name for name in found if best[name] == still[name]]:
        raise DataError(f"the still image has the {equal[0]} of the truth: these videos do not move")
    return {name: (best[name] - value) / (best[name] - still[name]) for name, value in found.items()}


def _intervals(
    per_video: dict[str, list[Metrics]], people: Sequence[str], references: dict[str, Metrics]
) -> dict[str, dict[str, list[float]]]:
    """Return 95 % bootstrap intervals of the shares over driving people, each drawn with all their videos."""
    names = list(per_video[TRUTH][0])
    # The seed of the bootstrap is fixed, so the same people are drawn for each row: {row: (draws, metrics)}.
    draws = {
        row: bootstrap_means([[video[name] for name in names] for video in videos], people)
        for row, videos in per_video.items()
    }
    if not len(draws[TRUTH]):
        return {}
    drawn = {row: [dict(zip(names, values, strict=True)) for values in means] for row, means in draws.items()}
    for means in drawn.values():
        for values in means:
            values[BOTH] = combine(values, references)[BOTH]
    found: dict[str, dict[str, list[float]]] = {}
    for row in per_video:
        if row == TRUTH:
            continue
        shares = [
            _shares(values, {TRUTH: best, STILL: still})
            for values, best, still in zip(drawn[row], drawn[TRUTH], drawn[STILL], strict=True)
        ]
        ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        found[row] = {name: np.quantile([share[name] for share in shares], ends).tolist() for name in shares[0]}
    return found


def _extractor(metric: Any) -> dict[str, Any]:
    """Return the feature extractor of a metric, if it has one."""
    return {"extractor": metric.extractor} if getattr(metric, "extractor", None) else {}


def _local(reason: str) -> str:
    """Return a reason without the folder of this machine in its paths."""
    return reason.replace(f"{Path.cwd()}/", "")


def _rounded(table: Any) -> Any:
    """Return nested dicts and lists with rounded numbers."""
    if isinstance(table, dict):
        return {key: _rounded(value) for key, value in table.items()}
    return [_rounded(value) for value in table] if isinstance(table, list) else round(table, DIGITS)
