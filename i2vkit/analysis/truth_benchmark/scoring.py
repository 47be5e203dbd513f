"""Scores of a model on i2v-truth-v1 for appearance, motion and both. 0 is a static baseline, 1 the ground truth."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from i2vkit.analysis.truth_benchmark.reference_methods import REFERENCE_METHODS
from i2vkit.analysis.truth_benchmark.reference_scores import NEAREST, Metrics, cached_reference_scores, score_references
from i2vkit.config.loading import load_config
from i2vkit.datasets.transforms import RetargetLandmarks
from i2vkit.errors import ConfigError
from i2vkit.evaluation.run import test
from i2vkit.evaluation.statistics import LEVEL, bootstrap_means
from i2vkit.media import atomic_path
from i2vkit.preparation.i2v_truth import SIZE
from i2vkit.registry import TRANSFORMS, find_part
from i2vkit.rendering.i2v_truth.parts import PARTS, VERSION

DATA = "data/i2v_truth_v1"
SCORES = ("appearance", "motion", "both")
# The settings of the test loader that a model's own config decides.
_LOADER = ("batch_size", "num_workers", "persistent_workers")


def score_truth(
    cfg: Config,
    checkpoint: str | Path,
    part: str | None = None,
    split: str = "test",
    out: str | Path | None = None,
    data: str | Path = DATA,
    options: dict[str, Any] | None = None,
    save_videos: bool = False,
) -> dict[str, Any]:
    """Test a model on the set and write ``out/truth.json`` beside the test's own ``metrics.json``.

    Args:
        cfg: A config from ``load_config``. Only batch size and number of workers of its data matter.
        checkpoint: A checkpoint, as for ``test``.
        part: "faces" or "figures". By default the part that the config's own data belong to.
        split: "test", or "val" while a model is being developed.
        out: The folder of the results. By default ``work_dirs/<config>/truth/<part>_<split>``.
        data: The folder of the set.
        options: The changes with which ``cfg`` was loaded. They are only recorded with the result.
        save_videos: Save the generated videos, as in ``test``.

    Returns:
        The content of ``truth.json``: ``version``, ``part``, ``split``, ``scores`` (see ``combine``) with their 95 %
        ``intervals``, the ``metrics`` behind them, and ``scores`` and ``metrics`` of each of the ``references``.

    Raises:
        ConfigError: There is no such part or split, or the model has another image size.
        DataError: The set is missing or incomplete.
    """
    part = part or part_of(cfg)
    benchmark = benchmark_config(part, split, data)
    if cfg.model.image_size != SIZE:
        raise ConfigError(
            f"the videos of {VERSION} are {SIZE}x{SIZE}, but this model's are {cfg.model.image_size} pixels wide"
        )
    cfg = lay_over(cfg, benchmark)
    folder = Path(out or Path(cfg.get("work_dir") or Path("work_dirs") / Path(cfg.filename).stem) / "truth")
    out = folder if out else folder / f"{part}_{split}"
    measured = test(cfg, checkpoint, "transfer", out, save_videos, options=options)
    references = cached_reference_scores(benchmark, Path(data) / part / f"references_{split}.json")
    result = {
        "version": VERSION,
        "part": part,
        "split": split,
        "config": measured["config"],
        "checkpoint": measured["checkpoint"],
        "scores": combine(measured["scores"], references),
        "intervals": intervals(measured["per_video"], references),
        "metrics": measured["scores"],
        "references": with_scores(references),
    }
    with atomic_path(out / "truth.json") as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def benchmark_config(part: str, split: str = "test", data: str | Path = DATA) -> Config:
    """Return the data, the samples and the metrics of a part as a config, to be laid over a model's config.

    Raises:
        ConfigError: There is no such part or split.
    """
    if part not in PARTS or split not in ("val", "test"):
        raise ConfigError(f"{VERSION} has the parts {', '.join(PARTS)} and scores val or test, not {part!r}, {split!r}")
    cfg = load_config(Path(__file__).parents[2] / f"configs/_base_/datasets/truth_{part}.py")
    root = Path(data) / part
    loader = cfg.test_dataloader
    loader.dataset.people = f"i2v_truth/{part}_{split}"
    for dataset in (loader.dataset, cfg.train_dataloader.dataset):
        dataset.reader.root = str(root)
    loader.dataset.truth.root = str(root / "truth")
    cfg.protocols = {"transfer": {**cfg.protocols.transfer, "path": str(root / f"{split}.json")}}
    return cfg


def lay_over(cfg: Config, benchmark: Config) -> Config:
    """Return a model's config with the data, samples and metrics of ``benchmark_config``.

    Its own are the size of batches, the points that it reads, and whether landmarks are made those of the person in
    the image (``RetargetLandmarks``).
    """
    both = Config({**cfg.to_dict(), **benchmark.to_dict()}, format_python_code=False)
    object.__setattr__(both, "_filename", cfg.filename)  # only a name where the config comes from a file of weights
    own = cfg.get("test_dataloader") or {}
    both.test_dataloader.update({key: own[key] for key in _LOADER if key in own})
    read, dataset = own.get("dataset") or {}, both.test_dataloader.dataset
    if points := read.get("points"):
        dataset.points = points
        for name, step in (read.get("extra_steps") or {}).items():
            if step and find_part(TRANSFORMS, step["type"]) is RetargetLandmarks:
                dataset.extra_steps[name] = step
    return both


def part_of(cfg: Config) -> str:
    """Return the part of the set that the data of a config belong to.

    Raises:
        ConfigError: They belong to none.
    """
    people = cfg.get("test_dataloader", {}).get("dataset", {}).get("people")
    for part in PARTS:
        if isinstance(people, str) and people.startswith(f"i2v_truth/{part}_"):
            return part
    raise ConfigError(
        f"the data of {Path(cfg.filename or 'this config').name} do not belong to {VERSION}: choose --part "
        f"{' or '.join(PARTS)}"
    )


def combine(metrics: Metrics, references: dict[str, Metrics]) -> Metrics:
    """Return the three scores that follow from ``metrics``. 1 is the ground truth.

    - ``appearance``: 0 is the driving video itself, which shows another person. With the mean ``appearance`` A it is
      ``(A - A_driving) / (1 - A_driving)``.
    - ``motion``: 0 is the repeated input image, which does not move. With the mean ``motion_error`` E it is
      ``1 - E / E_image``.
    - ``both``: the geometric mean of the two, with negative ones taken as 0. So it is 0 for either of the two copies.

    >>> references = {"driving video": {"appearance": 0.5}, "image repeated": {"motion_error": 2.0}}
    >>> combine({"appearance": 0.75, "motion_error": 1.0}, references)
    {'appearance': 0.5, 'motion': 0.5, 'both': 0.5}
    >>> combine({"appearance": 0.9, "motion_error": 2.5}, references)["both"]
    0.0
    """
    other = references["driving video"]["appearance"]
    appearance = (metrics["appearance"] - other) / (1 - other)
    motion = 1 - metrics["motion_error"] / references["image repeated"]["motion_error"]
    return {"appearance": appearance, "motion": motion, "both": sqrt(max(appearance, 0) * max(motion, 0))}


def intervals(per_video: list[dict], references: dict[str, Metrics]) -> dict[str, list[float]]:
    """Return 95 % bootstrap intervals of the scores over the driving people, each drawn with all their videos.

    Appearance and motion are means over videos. ``both`` is computed from the two in every draw. The dict is empty if
    one person drives all videos.
    """
    scores, people = [combine(video, references) for video in per_video], [v["driving_person"] for v in per_video]
    means = bootstrap_means([[score[name] for name in SCORES[:2]] for score in scores], people)
    if not len(means):
        return {}
    # (draws, 2) -> (draws,) for each score. The geometric mean of two is the root of their product.
    drawn = {**dict(zip(SCORES, means.T, strict=False)), "both": np.sqrt(means.clip(min=0).prod(axis=1))}
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    return {name: np.quantile(values, ends).tolist() for name, values in drawn.items()}


def format_intervals(found: dict[str, list[float]]) -> str:
    """Return the result of ``intervals`` on one line, or "" if there are none.

    >>> format_intervals({"appearance": [0.25, 0.5], "motion": [-0.125, 0.0], "both": [0.0, 0.25]})
    '95 % intervals over the people who drive: appearance 0.250 to 0.500, motion -0.125 to 0.000, both 0.000 to 0.250'
    """
    ranges = [f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in found.items()]
    return f"{100 * LEVEL:g} % intervals over the people who drive: {', '.join(ranges)}" if ranges else ""


def with_scores(references: dict[str, Metrics]) -> dict[str, dict[str, Metrics]]:
    """Return the metrics of references together with the scores that follow from them."""
    return {name: {"scores": combine(found, references), "metrics": found} for name, found in references.items()}


def rank(part: str, split: str = "test", data: str | Path = DATA) -> dict[str, dict[str, Metrics]]:
    """Return ``scores`` and ``metrics`` of all reference methods by name.

    Raises:
        ConfigError: As ``score_truth``.
        DataError: As ``score_truth``.
    """
    return with_scores(score_references(benchmark_config(part, split, data), [*REFERENCE_METHODS, NEAREST]))


COLUMNS = {"ssim": "SSIM", "psnr": "PSNR", "appearance": "nearest SSIM", "motion_error": "motion error"}


def format_ranking(rows: dict[str, dict[str, Metrics]]) -> str:
    """Return scores and metrics as a Markdown table with a row for each of ``rows``."""
    lines = [
        f"| | {' | '.join(SCORES)} | {' | '.join(COLUMNS.values())} |",
        f"|---{'|---:' * (len(SCORES) + len(COLUMNS))}|",
    ]
    for name, row in rows.items():
        cells = [f"{round(row['scores'][key], 3) + 0.0:.3f}" for key in SCORES]  # + 0.0 turns -0.000 into 0.000
        cells += [f"{row['metrics'][key]:{'.2f' if key == 'psnr' else '.3f'}}" for key in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
