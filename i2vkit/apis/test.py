"""Testing: a protocol generated and scored, with everything that its numbers depend on written beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, DefaultScope
from mmengine.runner import Runner

from i2vkit.apis.curves import plot_curves
from i2vkit.apis.labels import LabelsHook
from i2vkit.apis.weights import file_digest, load_generator
from i2vkit.datasets.pairing import Pair
from i2vkit.engine.checkpoints import checkpoint_file
from i2vkit.errors import ConfigError
from i2vkit.evaluation.metrics.base import META
from i2vkit.evaluation.protocols import Protocol, Reconstruction, SampleList, describe
from i2vkit.evaluation.statistics import bootstrap_interval
from i2vkit.media import atomic_path, write_image, write_video
from i2vkit.registry import MODELS, PROTOCOLS, SCOPE, build_part, nearest
from i2vkit.visualization import comparison_strip, to_frames

PACKAGES = ("i2vkit", "torch", "onedl-mmengine", "numpy", "torchmetrics", "scipy", "av", "opencv-python", "pillow")


def test(
    cfg: Config,
    checkpoint: str | Path,
    protocol: str | None = None,
    out: str | Path | None = None,
    save_videos: bool = False,
    seed: int | None = None,
    options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Generate what a protocol asks for, score it and write ``out/metrics.json``, whole or not at all.

    Args:
        cfg: of ``load_config``.
        checkpoint: ``.pth`` of training, a work dir, or ``.safetensors`` of ``tools/export.py``.
        protocol: a key of ``cfg.protocols``, or the path of a ``.json`` list of samples; by default the first key.
        out: folder of the results; by default ``work_dirs/<config>/test/<protocol>``.
        save_videos: write every generated video to ``out/videos`` (.mp4, to look at) and a strip of it beside its truth
            to ``out/strips`` too.
        seed: of the first sample's noise; by default the protocol's own.
        options: the changes that ``cfg`` was loaded with, only to be written down with the result.

    Returns:
        What stands in ``metrics.json``: see ``report``.

    Raises:
        I2VError: what is wrong with config, data or checkpoint.
    """
    checkpoint = checkpoint_file(checkpoint)
    name, plan = build_protocol(cfg, protocol, seed)
    out = Path(out or Path(cfg.get("work_dir") or Path("work_dirs") / Path(cfg.filename).stem) / "test" / name)
    with DefaultScope.overwrite_default_scope(SCOPE):
        model = MODELS.build(cfg.model)
        load_generator(model, checkpoint)
        dataset = DATASETS.build({**cfg.test_dataloader.dataset, "pairing": plan})
        check_motion(model, dataset.pairs)
        hooks = [LabelsHook(), *([SaveVideosHook(out)] if save_videos else [])]
        evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
        runner = build_runner(cfg, model, dataset, out / "log", hooks, plan.evaluators(dataset.pairs, evaluators))
    scores = runner.test()
    result = report(cfg, checkpoint, name, plan, runner, scores) | {"options": options or {}}
    if is_main_process():
        if "curves" in result:
            plot_curves(result["curves"], out / "curves.png", f"{result['config']}: {name}")
        with atomic_path(out / "metrics.json") as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


# What pytest would otherwise take for a test where it is imported.
test.__test__ = False


def build_protocol(cfg: Config, name: str | None, seed: int | None = None) -> tuple[str, Protocol]:
    """A protocol of the config, or a list of samples, with its name; "reconstruction" is always there.

    Raises:
        ConfigError: there is none of that name.
    """
    known = {"reconstruction": {"type": Reconstruction}, **(cfg.get("protocols") or {})}
    if name and name.endswith(".json"):
        name, entry = Path(name).stem, {"type": SampleList, "path": name}
    else:
        name = name or next(iter(cfg.get("protocols") or known))
        if name not in known:
            raise ConfigError(f"there is no protocol {name!r}; nearest: {nearest(name, known)}")
        entry = dict(known[name])
    plan = build_part(PROTOCOLS, entry | ({} if seed is None else {"seed": seed}))
    plan.name = name
    return name, plan


def check_motion(model: Any, pairs: Sequence[Pair]) -> None:
    """Raise ``ConfigError`` if motion is to be drawn from the prior of a model that always makes the same video."""
    generator = getattr(model, "generator", None)
    varies = generator is not None and generator.has_prior and generator.is_random("prior")
    if not varies and any(pair.motion == "prior" for pair in pairs):
        raise ConfigError(
            "this protocol draws motion at random, but this model is deterministic: it takes its motion from "
            "a video or a label and from nothing else. Choose another one (--protocol reconstruction or transfer)"
        )


def build_runner(
    cfg: Config, model: Any, dataset: Any, work_dir: Path, hooks: list[Hook], evaluators: Sequence[dict]
) -> Runner:
    """A runner that can only test: no optimiser, no checkpoints, none of the hooks of training."""
    randomness = dict(cfg.get("randomness") or {})
    randomness.setdefault("seed", 0)
    loader = Runner.build_dataloader({**cfg.test_dataloader, "dataset": dataset}, seed=randomness["seed"])
    return Runner(
        model=model,
        work_dir=str(work_dir),
        test_dataloader=loader,
        test_cfg=cfg.get("test_cfg") or {},
        test_evaluator=list(evaluators),
        default_hooks={"checkpoint": None, "param_scheduler": None},
        custom_hooks=hooks,
        launcher=cfg.get("launcher", "none"),
        env_cfg=cfg.get("env_cfg") or ConfigDict(dist_cfg={"backend": "nccl"}),
        log_processor={"by_epoch": False},
        default_scope=SCOPE,
        randomness=randomness,
        experiment_name=work_dir.parent.name,
    )


class SaveVideosHook(Hook):
    """Writes each generated video, and a strip of it with its truth, as it comes; samples with their seeds.

    Args:
        out: folder that gets ``videos`` and ``strips``.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Write a batch, each file under its sample's name."""
        for sample in (sample for sample in outputs if "generated" in sample):
            name = sample.name.replace("/", "_") + (f"_seed{sample.seed}" if sample.get("motion") == "prior" else "")
            write_video(self.out / "videos" / f"{name}.mp4", to_frames(sample.generated), sample.get("fps", 25.0))
            write_image(self.out / "strips" / f"{name}.png", comparison_strip([sample]))


def report(
    cfg: Config, checkpoint: str | Path, name: str, plan: Protocol, runner: Runner, scores: dict[str, float]
) -> dict[str, Any]:
    """Scores, and what they depend on.

    ``scores`` by metric name with ``_floor`` (repeat the first image) and ``_gain``; ``intervals``, 95 % bootstrap over
    people; ``scored`` of ``generated`` videos; ``per_video``; ``protocol``, ``samples`` (replayable: ``--protocol
    metrics.json``), ``config``, ``pipeline``, ``checkpoint`` with its SHA-256, and versions. Where there are such,
    ``per_image`` and ``curves`` of several samples of one image, ``extractors``, SHA-256 of the weights that metrics
    look through, and ``skipped``, metrics that were left out, with the reason; where clips have labels, ``by_label``,
    the means of every score by label.
    """
    dataset = runner.test_dataloader.dataset
    metrics = runner.test_evaluator.metrics
    per_video, per_image = merge_rows(metrics, "per_video"), merge_rows(metrics, "per_image")
    extra = {
        "per_image": per_image,
        "by_label": by_label(per_video, list(scores)),
        "curves": {metric.name: metric.curve for metric in metrics if getattr(metric, "curve", None)},
        "extractors": {metric.name: metric.extractor for metric in metrics if getattr(metric, "extractor", None)},
        "skipped": {metric.name: metric.skipped for metric in metrics if getattr(metric, "skipped", None)},
    }
    return {
        "config": Path(cfg.filename or "").stem,
        "checkpoint": {"file": str(checkpoint), "sha256": file_digest(checkpoint)},
        "protocol": {"name": name, "type": type(plan).__name__},
        "seed": plan.seed,
        "scores": scores,
        "intervals": intervals(per_video, list(scores)) | intervals(per_image, list(scores)),
        "generated": len(dataset.pairs),
        "scored": sum(all(video[key] is not None for key in video if key not in META) for video in per_video),
        "people": len({pair.source.person for pair in dataset.pairs}),
        "image_size": cfg.model.image_size,
        "pipeline": [repr_step(step) for step in cfg.test_dataloader.dataset.pipeline],
        "versions": {package: version(package) for package in PACKAGES},
        "per_video": per_video,
        **{key: value for key, value in extra.items() if value},
        "samples": [describe(pair) for pair in dataset.pairs],
    }


def merge_rows(metrics: list[Any], table: str) -> list[dict]:
    """The values of all metrics in one table: of ``per_video`` a dict a video, in the order of the samples."""
    tables = [getattr(metric, table) for metric in metrics if getattr(metric, table, None)]
    return [{key: value for row in rows for key, value in row.items()} for rows in zip(*tables, strict=True)]


def by_label(per_video: list[dict], names: list[str]) -> dict[str, dict[str, float]]:
    """The mean of each of the scores ``names`` over the videos of each label; nothing where no clip has a label.

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


def intervals(per_video: list[dict], names: list[str]) -> dict[str, list[float]]:
    """95 % intervals of the means; people are drawn as a whole. Left out where there are fewer than two."""
    result = {}
    for name in names:
        key = name.rpartition("/")[2]
        videos = [video for video in per_video if video.get(key) is not None]
        if videos:
            interval = bootstrap_interval([v[key] for v in videos], [v.get("source_person") for v in videos])
            result |= {} if isnan(interval[0]) else {name: list(interval)}
    return result


def repr_step(step: dict) -> str:
    """A transform of a pipeline as one line: ``Resize(size=64)``."""
    kind = step["type"]
    name = kind.rpartition(".")[2] if isinstance(kind, str) else kind.__name__
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in step.items() if key != 'type')})"


def as_table(result: dict[str, Any]) -> str:
    """The scores as text: a row a metric, with its floor, its gain and the interval of the gain."""
    scores, ranges = result["scores"], result["intervals"]
    width = max(12, *map(len, scores)) if scores else 12
    lines = [f"{'metric':<{width}} {'score':>9} {'floor':>9} {'gain':>9}   95 % interval of the gain"]
    for name in scores:
        if name.endswith(("_floor", "_gain")):
            continue
        row = [scores.get(name + end) for end in ("", "_floor", "_gain")]
        cells = " ".join(f"{'' if value is None else f'{value:.4f}':>9}" for value in row)
        low_high = ranges.get(f"{name}_gain")
        lines.append(
            f"{name:<{width}} {cells}   " + ("-" if low_high is None else "{:.4f} to {:.4f}".format(*low_high))
        )
    lines.append(
        f"{result['scored']} of {result['generated']} videos scored, by protocol {result['protocol']['name']}; "
        "floor: the first image repeated"
    )
    lines += [f"{name} left out: {reason}" for name, reason in result.get("skipped", {}).items()]
    return "\n".join(lines)
