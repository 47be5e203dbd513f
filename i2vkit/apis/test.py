"""Testing: a protocol generated and scored, with everything that its numbers depend on written beside them."""

from __future__ import annotations

import json
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, DefaultScope
from mmengine.runner import Runner

from i2vkit.apis.labels import LabelsHook
from i2vkit.apis.weights import file_digest, load_generator
from i2vkit.engine.checkpoints import checkpoint_file
from i2vkit.errors import ConfigError
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
        hooks = [LabelsHook(), *([SaveVideosHook(out)] if save_videos else [])]
        runner = build_runner(cfg, model, dataset, out / "log", hooks)
    scores = runner.test()
    result = report(cfg, checkpoint, name, plan, runner, scores) | {"options": options or {}}
    if is_main_process():
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


def build_runner(cfg: Config, model: Any, dataset: Any, work_dir: Path, hooks: list[Hook]) -> Runner:
    """A runner that can only test: no optimiser, no checkpoints, none of the hooks of training."""
    randomness = dict(cfg.get("randomness") or {})
    randomness.setdefault("seed", 0)
    loader = Runner.build_dataloader({**cfg.test_dataloader, "dataset": dataset}, seed=randomness["seed"])
    return Runner(
        model=model,
        work_dir=str(work_dir),
        test_dataloader=loader,
        test_cfg=cfg.get("test_cfg") or {},
        test_evaluator=cfg.test_evaluator,
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
    """Writes each generated video, and a strip of it with its truth, as it comes.

    Args:
        out: folder that gets ``videos`` and ``strips``.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Write a batch, each file under its sample's name."""
        for sample in (sample for sample in outputs if "generated" in sample):
            name = sample.name.replace("/", "_")
            write_video(self.out / "videos" / f"{name}.mp4", to_frames(sample.generated), sample.get("fps", 25.0))
            write_image(self.out / "strips" / f"{name}.png", comparison_strip([sample]))


def report(
    cfg: Config, checkpoint: str | Path, name: str, plan: Protocol, runner: Runner, scores: dict[str, float]
) -> dict[str, Any]:
    """Scores, and what they depend on.

    ``scores`` by metric name with ``_floor`` (repeat the first image) and ``_gain``; ``intervals``, 95 % bootstrap over
    people; ``scored`` of ``generated`` videos; ``per_video``; ``protocol``, ``samples`` (replayable: ``--protocol
    metrics.json``), ``config``, ``pipeline``, ``checkpoint`` with its SHA-256, and versions.
    """
    dataset = runner.test_dataloader.dataset
    per_video = merge_videos(runner.test_evaluator.metrics)
    return {
        "config": Path(cfg.filename or "").stem,
        "checkpoint": {"file": str(checkpoint), "sha256": file_digest(checkpoint)},
        "protocol": {"name": name, "type": type(plan).__name__},
        "seed": plan.seed,
        "scores": scores,
        "intervals": intervals(per_video, list(scores)),
        "generated": len(per_video),
        "scored": sum(all(value is not None for value in video.values()) for video in per_video),
        "people": len({video.get("source_person") for video in per_video}),
        "image_size": cfg.model.image_size,
        "pipeline": [repr_step(step) for step in cfg.test_dataloader.dataset.pipeline],
        "versions": {package: version(package) for package in PACKAGES},
        "per_video": per_video,
        "samples": [describe(pair) for pair in dataset.pairs],
    }


def merge_videos(metrics: list[Any]) -> list[dict]:
    """The values of all metrics video by video: a dict a video, in the order of the samples."""
    tables = [metric.per_video for metric in metrics if getattr(metric, "per_video", None)]
    return [{key: value for row in rows for key, value in row.items()} for rows in zip(*tables, strict=True)]


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
    lines = [f"{'metric':<12} {'score':>9} {'floor':>9} {'gain':>9}   95 % interval of the gain"]
    for name in scores:
        if name.endswith(("_floor", "_gain")):
            continue
        row = [scores.get(name + end) for end in ("", "_floor", "_gain")]
        cells = " ".join(f"{'' if value is None else f'{value:.4f}':>9}" for value in row)
        low_high = ranges.get(f"{name}_gain")
        lines.append(f"{name:<12} {cells}   " + ("-" if low_high is None else "{:.4f} to {:.4f}".format(*low_high)))
    lines.append(
        f"{result['scored']} of {result['generated']} videos scored, by protocol {result['protocol']['name']}; "
        "floor: the first image repeated"
    )
    return "\n".join(lines)
