"""Trainings of a verification: recipes side by side on one device, tested against exact ground truth."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook

from i2vkit.analysis.tables.description import scale_schedules
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.subjects import NARROWER, narrowed
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names

PILOT = 12  # iterations of the short training that measures the pace
PILOT_WARM_UP = 4  # its first iterations, which do not count
TRAINED = 0.7  # share of the time for training, the rest is for the test and for starting processes
PILOTED = 0.3  # largest share of a training's time for its pilot, which matters on slow machines
DATA = Path("data/i2v_truth_v1")


@dataclass(frozen=True)
class Recipe:
    """A training of the zoo.

    Args:
        name: The name of the recipe, its strips and its file of weights.
        config: The config that is trained last and tested.
        first: A config that is trained before, whose weights the other loads. By default None.
        share: The share of the training time for ``first``, in [0, 1]. By default 0.15.
    """

    name: str
    config: str
    first: str | None = None
    share: float = 0.15


# FRGAN has no recipe yet, so its paper config is trained.
RECIPES = (
    Recipe("dtgan", "dtgan/dtgan_recipe_faces", first="dtgan/cnn_lstm_recipe_faces"),
    Recipe("dual_mtgan", "dual_mtgan/dual_mtgan_recipe_faces"),
    Recipe("imaginator", "imaginator/imaginator_recipe_faces"),
    Recipe("frgan", "frgan_forecast_faces"),
)


def find_recipe(name: str) -> Recipe:
    """Return the recipe called ``name``.

    Raises:
        ConfigError: There is no such recipe.
    """
    by_name = {recipe.name: recipe for recipe in RECIPES}
    if name not in by_name:
        raise ConfigError(f"there is no recipe {name!r}; nearest: {closest_names(name, by_name)}")
    return by_name[name]


def prepare_faces(workers: int | None, record: Record, small: bool) -> None:
    """Render and prepare the faces of the exact-truth benchmark into ``data`` in the current folder.

    Args:
        workers: The number of processes. With None one for each core.
        record: The record of the stage.
        small: Make one expression and one clip for each person only, which is enough for a rehearsal.
    """
    from i2vkit.preparation.i2v_truth import make_part
    from i2vkit.rendering.i2v_truth.parts import FACES

    part = replace(FACES, labels=FACES.labels[:1], takes=(1, 1, 1), actors=(0, 0, 1)) if small else FACES
    record.measure("faces", lambda: {"passed": True, "summary": make_part(part, DATA / part.name, workers)})


def train_recipe(recipe: Recipe, device: str, narrow: bool, record: Record, seconds: float, out: Path) -> None:
    """Train a recipe for its share of ``seconds``, test it, and write strips and weights to ``out``."""
    end = time.monotonic() + seconds
    options = _options(device, narrow)
    weights: Path | None = None
    if recipe.first:
        cfg = _config(recipe.first, options, narrow)
        first = partial(_train, cfg, Path("work_dirs") / recipe.first, TRAINED * recipe.share * seconds)
        done = record.measure("first", first)
        if not done["passed"]:
            return
        weights = Path(done["checkpoint"])
    cfg = _config(recipe.config, options, narrow)
    for entry in (cfg.model.get("pretrained") or {}).values():
        entry.checkpoint = str(weights)
    left = TRAINED * seconds * (1 - recipe.share if recipe.first else 1)
    done = record.measure("training", lambda: _train(cfg, Path("work_dirs") / recipe.name, left))
    if done["passed"]:
        checkpoint = Path(done["checkpoint"])
        record.measure("weights", lambda: _export(cfg, checkpoint, out / f"{recipe.name}.safetensors"))
        record.measure("test", lambda: _test(cfg, checkpoint, recipe, out, end))


def _options(device: str, narrow: bool) -> dict[str, Any]:
    """Return the options of every config: the precision, and in a rehearsal small batches without workers."""
    options: dict[str, Any] = {"model.precision": "bf16" if device != "cpu" else "fp32"}
    if narrow:
        options |= {"train_dataloader.num_workers": 0, "test_dataloader.num_workers": 0}
        options |= {"train_dataloader.batch_size": 2}
    return options


def _config(name: str, options: dict[str, Any], narrow: bool) -> Config:
    """Load a config, with a fraction of its widths if ``narrow``."""
    cfg = load_config(name, options)
    return narrowed(cfg, NARROWER) if narrow else cfg


class WallClock(Hook):
    """A hook that notes the end of each iteration in seconds, and stops a training that runs out of time.

    Args:
        seconds: The training stops with a checkpoint after this time, whatever its schedule says.
    """

    priority = "LOW"  # it runs before the checkpoint hook, which thus saves the last iteration

    def __init__(self, seconds: float) -> None:
        self.limit = seconds
        self.ends: list[float] = []

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self.begin = time.monotonic()

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Note the end of the iteration, and make it the last one if the time is up."""
        self.ends.append(time.monotonic() - self.begin)
        if self.ends[-1] > self.limit:
            # The loop ends after this iteration, and the checkpoint hook saves its last state.
            runner.train_loop._max_iters = runner.iter + 1


def _train(cfg: Config, work_dir: Path, seconds: float) -> dict[str, Any]:
    """Train for ``seconds`` of wall clock. A short pilot training measures how many iterations fit."""
    begin = time.monotonic()
    pace = _seconds_per_iteration(_timed(scale_schedules(cfg, PILOT), work_dir / "pilot", PILOTED * seconds))
    left = seconds - (time.monotonic() - begin)
    iterations = max(PILOT, int(left / pace))
    ends = _timed(scale_schedules(cfg, iterations), work_dir, 1.2 * left)
    from i2vkit.engine.checkpoints import latest_checkpoint

    return {
        "passed": True,
        "planned": iterations,
        "iterations": len(ends),
        "iterations_per_second": len(ends) / ends[-1],
        "checkpoint": str(latest_checkpoint(work_dir)),
    }


def _seconds_per_iteration(ends: list[float]) -> float:
    """Return the mean time of an iteration from the end of each. The first ones are left out if there are others.

    >>> _seconds_per_iteration([9.0, 9.5, 10.0, 10.5, 11.0, 13.0, 15.0])
    2.0
    >>> _seconds_per_iteration([6.0, 10.0])
    5.0
    """
    counted = ends[PILOT_WARM_UP:] if len(ends) > PILOT_WARM_UP + 1 else [0.0, *ends]
    return (counted[-1] - counted[0]) / (len(counted) - 1)


def _timed(cfg: Config, work_dir: Path, limit: float) -> list[float]:
    """Train and return the time at the end of each iteration."""
    from i2vkit.apis.train import train

    cfg = cfg.copy()
    cfg.custom_hooks = {**cfg.get("custom_hooks", {}), "wall_clock": dict(type=WallClock, seconds=limit)}
    runner = train(cfg, work_dir, seed=0)
    return next(hook for hook in runner.hooks if isinstance(hook, WallClock)).ends


def _export(cfg: Config, checkpoint: Path, out: Path) -> dict[str, Any]:
    """Write the generator in bfloat16 and return the size and the digest of the file."""
    from i2vkit.models.generator_weights import export_generator, load_generator
    from i2vkit.registry import MODELS

    model = MODELS.build(cfg.model)
    load_generator(model, checkpoint)
    header = export_generator(model, cfg, out, dtype="bfloat16")
    return {"passed": True, "bytes": out.stat().st_size, "sha256": header["sha256"]}


def _test(cfg: Config, checkpoint: Path, recipe: Recipe, out: Path, end: float) -> dict[str, Any]:
    """Score the transfers between unseen people, and copy the strips of a few of them to ``out``."""
    from i2vkit.evaluation.run import test

    folder = Path("work_dirs") / recipe.name / "test"
    result = test(cfg, checkpoint, "transfer", folder, save_videos=True)
    strips = sorted((folder / "strips").glob("*.png"))
    for strip in strips[:: max(1, len(strips) // 6)][:6]:
        shutil.copy(strip, out / f"strip_{recipe.name}_{strip.name}")
    return {"passed": True, "scores": result["scores"], "videos": result["generated"], "late": time.monotonic() > end}
