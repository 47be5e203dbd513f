"""Results of a test: the content of ``metrics.json``, and its scores as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.pipelines import steps_of
from i2vkit.engine.checkpoints import unwrapped
from i2vkit.evaluation.metrics.base import META
from i2vkit.evaluation.protocols import Protocol, describe
from i2vkit.evaluation.protocols.base import most_samples
from i2vkit.evaluation.result_facts import (
    checkpoint_facts,
    data_facts,
    frame_facts,
    frozen_network_facts,
    precision_facts,
    shared_network_warnings,
)
from i2vkit.evaluation.statistics import DRAWS, LEVEL, bootstrap_interval, bootstrap_over, groups_of
from i2vkit.utils.named import named_entries
from i2vkit.utils.versions import package_versions

PACKAGES = ("i2vkit", "torch", "onedl-mmengine", "numpy", "torchmetrics", "scipy", "av", "opencv-python", "pillow")


def build_result(
    cfg: Config, checkpoint: str | Path, name: str, plan: Protocol, runner: Runner, scores: dict[str, float]
) -> dict[str, Any]:
    """Return the scores of a test and everything that they depend on.

    Args:
        cfg: The config that was tested.
        checkpoint: The checkpoint that was tested.
        name: The name of the protocol.
        plan: The protocol.
        runner: The runner after the test.
        scores: The scores that the runner returned.

    Returns:
        The content of ``metrics.json``.

        - ``scores`` by metric name, with ``_static_baseline`` (repeat the first image) and ``_improvement``
        - ``intervals``, the 95 % bootstrap intervals, and ``bootstrap``, the units that it draws
        - ``generated`` and ``scored``, the numbers of videos, and ``per_video``, the values of each
        - ``protocol`` and ``samples`` (you can replay them with ``--protocol metrics.json``), the first ``seed``, and
          ``num_samples`` of an image
        - ``config``, ``data`` and ``pipeline``, and the steps of it that affect the scores, ``frames`` and ``resize``
        - ``precision``, ``tf32`` (the operations that a GPU rounds to TF32) and ``device``
        - ``checkpoint`` with its SHA-256, its iteration and the seed of its training, and ``versions``

        Other keys exist only if they apply.

        - ``per_image`` and ``curves``, for several samples of one image
        - ``by_label``, the means of every score for each label
        - ``extractors``, the SHA-256 of the weights of feature extractors
        - ``frozen_networks``, the pre-trained networks that discriminators and losses used in training
        - ``skipped``, the metrics that were left out, with the reason
        - ``warnings``, reasons to doubt the value of a metric
    """
    dataset = runner.test_dataloader.dataset
    metrics = runner.test_evaluator.metrics
    protocol = {"name": name, "type": type(plan).__name__}
    if replayed := getattr(plan, "replayed", None):
        protocol["replays"] = replayed
    networks = frozen_network_facts(runner.model)
    warnings = {}
    for metric, text in shared_network_warnings(networks, metrics).items():
        runner.logger.warning(f"{metric} {text}")
        warnings[metric] = text
    left_out = plan.left_out(dataset.pairs, evaluators_of(cfg))
    facts = score_facts(metrics, scores, dataset.pairs, left_out, warnings)
    if networks:
        facts["frozen_networks"] = networks
    return {
        "config": Path(cfg.filename or "").stem,
        "checkpoint": checkpoint_facts(checkpoint),
        "protocol": protocol,
        "seed": plan.seed,
        "num_samples": most_samples(dataset.pairs),
        "image_size": cfg.model.get("image_size"),  # a classifier has none
        **frame_facts(dataset.pipeline),
        "data": data_facts(cfg.test_dataloader.dataset),
        "pipeline": [repr_step(step) for step in steps_of(cfg.test_dataloader.dataset).values()],
        **precision_facts(unwrapped(runner.model)),
        **facts,
    }


def score_facts(
    metrics: list[Any],
    scores: dict[str, float],
    pairs: Sequence[Pair],
    left_out: Mapping[str, str] | None = None,
    warnings: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the scores of videos, whoever has made them, with their intervals and the values of every video.

    Args:
        metrics: The metrics after the test.
        scores: The scores that they returned.
        pairs: The samples, in the order in which they were scored.
        left_out: Reasons why other metrics were left out, by name.
        warnings: More reasons to doubt a metric, by name.

    Returns:
        ``scores``, ``less_is_better``, ``intervals``, ``bootstrap``, ``generated``, ``scored``, ``people``,
        ``versions``, ``per_video``, ``samples`` and, if they apply, ``per_image``, ``by_label``, ``curves``,
        ``extractors``, ``skipped`` and ``warnings``, as in ``build_result``.
    """
    per_video, per_image = merge_rows(metrics, "per_video"), merge_rows(metrics, "per_image")
    sources = [{"driving_person": pair.driving.person, "driving_name": pair.driving.name} for pair in pairs]
    over, groups = bootstrap_over(sources)
    doubts = {metric.name: [metric.warning] for metric in metrics if getattr(metric, "warning", None)}
    for metric, text in (warnings or {}).items():
        doubts.setdefault(metric, []).append(text)
    extra = {
        "per_image": per_image,
        "by_label": by_label(per_video, list(scores)),
        "curves": {metric.name: metric.curve for metric in metrics if getattr(metric, "curve", None)},
        "extractors": {metric.name: metric.extractor for metric in metrics if getattr(metric, "extractor", None)},
        "skipped": {metric.name: metric.skipped for metric in metrics if getattr(metric, "skipped", None)}
        | dict(left_out or {}),
        "warnings": {metric: "; ".join(texts) for metric, texts in doubts.items()},
    }
    return {
        "scores": scores,
        "less_is_better": {name: way for name in scores for way in [less_is_better(metrics, name)] if way is not None},
        "intervals": intervals(per_video, list(scores), over) | intervals(per_image, list(scores), over),
        "bootstrap": {"over": over, "number": groups, "level": LEVEL, "draws": DRAWS},
        "generated": len(pairs),
        "scored": sum(all(video[key] is not None for key in video if key not in META) for video in per_video),
        "people": len({pair.driving.person for pair in pairs}),
        "versions": package_versions(PACKAGES),
        "per_video": per_video,
        **{key: value for key, value in extra.items() if value},
        "samples": [describe(pair) for pair in pairs],
    }


def evaluators_of(cfg: Config) -> list[dict]:
    """Return the metrics of a config's test in the order of their names."""
    return list(named_entries(cfg.test_evaluator, "test_evaluator").values())


def merge_rows(metrics: list[Any], table: str) -> list[dict]:
    """Return the values of all metrics in one table. For ``per_video`` it has a dict for each video, in their order."""
    tables = [getattr(metric, table) for metric in metrics if getattr(metric, table, None)]
    return [{key: value for row in rows for key, value in row.items()} for rows in zip(*tables, strict=True)]


def less_is_better(metrics: list[Any], score: str) -> bool | None:
    """Return True if lower values of a score are better, as its metric says.

    It is None for static baselines and improvements, and if the metric does not say.
    """
    for metric in metrics:
        way = getattr(getattr(metric, "metric", metric), "less_is_better", None)
        name = getattr(metric, "name", None)  # metrics of mmengine have none
        if name is not None and score in (name, f"{metric.prefix}/{name}"):
            return way
    return None


def by_label(per_video: list[dict], names: list[str]) -> dict[str, dict[str, float]]:
    """Return the mean of each of the scores ``names`` over the videos of each label. Without labels the dict is empty.

    >>> by_label([{"label_name": "a", "psnr": 20.0}, {"label_name": "b", "psnr": 22.0}], ["psnr"])
    {'psnr': {'a': 20.0, 'b': 22.0}}
    """
    labels = sorted({video["label_name"] for video in per_video if video.get("label_name") is not None})
    result: dict[str, dict[str, float]] = {}
    for name in names:
        key = name.rpartition("/")[2]
        for label in labels:
            values = [v[key] for v in per_video if v.get("label_name") == label and v.get(key) is not None]
            if values:
                result.setdefault(name, {})[label] = fmean(values)
    return result


def intervals(per_video: list[dict], names: list[str], over: str | None = None) -> dict[str, list[float]]:
    """Return the 95 % intervals of the means over "people", "clips" or "videos". By default ``bootstrap_over`` decides.

    Scores with a single such unit have no interval.
    """
    over = over or bootstrap_over(per_video)[0]
    result: dict[str, list[float]] = {}
    for name in names:
        key = name.rpartition("/")[2]
        videos = [video for video in per_video if video.get(key) is not None]
        if videos:
            interval = bootstrap_interval([video[key] for video in videos], groups_of(videos, over))
            result |= {} if isnan(interval[0]) else {name: list(interval)}
    return result


def repr_step(step: dict) -> str:
    """Return a transform of a pipeline as one line, such as ``Resize(size=64)``."""
    kind = step["type"]
    name = kind.rpartition(".")[2] if isinstance(kind, str) else kind.__name__
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in step.items() if key != 'type')})"


def format_scores(result: dict[str, Any]) -> str:
    """Return the scores as text: one row for each metric, with static baseline, improvement and its interval."""
    scores, ranges = result["scores"], result["intervals"]
    width = max(12, *map(len, scores)) if scores else 12
    lines = [f"{'metric':<{width}} {'score':>9} {'static baseline':>15} {'improvement':>11}   its 95 % interval"]
    for name in scores:
        if name.endswith(("_static_baseline", "_improvement")):
            continue
        row = [scores.get(name + end) for end in ("", "_static_baseline", "_improvement")]
        cells = " ".join(
            f"{'' if value is None else f'{value:.4f}':>{size}}" for value, size in zip(row, (9, 15, 11), strict=True)
        )
        low_high = ranges.get(f"{name}_improvement")
        lines.append(
            f"{name:<{width}} {cells}   " + ("-" if low_high is None else "{:.4f} to {:.4f}".format(*low_high))
        )
    lines.append(
        f"{result['scored']} of {result['generated']} videos scored, by protocol {result['protocol']['name']}; "
        "static baseline: the first image repeated"
    )
    lines += [f"{name} left out: {reason}" for name, reason in result.get("skipped", {}).items()]
    lines += [f"{name}: {reason}" for name, reason in result.get("warnings", {}).items()]
    return "\n".join(lines)
