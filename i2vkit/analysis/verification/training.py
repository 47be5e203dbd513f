"""Trainings of a verification: recipes side by side on one device, tested against exact ground truth."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.config import Config
from mmengine.hooks import Hook

from i2vkit.analysis.tables.description import scale_schedules
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.subjects import NARROWER, narrowed
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names

if TYPE_CHECKING:
    from i2vkit.rendering.i2v_truth.parts import BenchmarkPart

PILOT = 12  # iterations of the short training that measures the pace
PILOT_WARM_UP = 4  # its first iterations, which do not count
TESTED = 45.0  # seconds that are kept for the test and for starting processes, where there are so many
TRAINED = 0.7  # smallest share of the time for training
PILOTED = 0.3  # largest share of a training's time for its pilot, which matters on slow machines
DATA = Path("data/i2v_truth_v1")
EXTRA_PEOPLE = 56  # as many as the variants called 80people ask for
# Clips of a batch on a GPU for each clip of the recipe, which was made for one CPU core.
LARGER_BATCHES = 4


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


RECIPES = (
    Recipe("dtgan", "dtgan/dtgan_recipe_faces_80people", first="dtgan/cnn_lstm_recipe_faces_80people"),
    Recipe("dual_mtgan", "dual_mtgan/dual_mtgan_recipe_faces_80people"),
    Recipe("imaginator", "imaginator/imaginator_recipe_faces_80people"),
    Recipe(
        "frgan",
        "frgan/frgan_refine_recipe_faces_80people",
        first="frgan/frgan_forecast_recipe_faces_80people",
        share=0.5,
    ),
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


def prepare_recipe_data(workers: int | None, record: Record, small: bool) -> None:
    """Render and prepare the benchmark's faces and further people into ``data`` in the current folder.

    Args:
        workers: The number of processes. With None one for each core.
        record: The record of the stage.
        small: Make one label and one clip for each person and no more people than needed, which is enough for a
            rehearsal.
    """
    from i2vkit.rendering.i2v_truth.parts import FACES

    faces = _small(FACES) if small else FACES
    extra = faces.extra(1 if small else EXTRA_PEOPLE)
    for part, name in ((faces, "faces"), (extra, "faces_extra")):
        record.measure(name, partial(_made, part, DATA / name, workers))


def _made(part: BenchmarkPart, out: Path, workers: int | None) -> dict[str, Any]:
    """Make one part and return its summary."""
    from i2vkit.preparation.i2v_truth import make_part

    return {"passed": True, "summary": make_part(part, out, workers)}


def _small(part: BenchmarkPart) -> BenchmarkPart:
    """Return the part with one label and one clip of each person, and one person to test."""
    return replace(part, labels=part.labels[:1], takes=(1, 1, 1), actors=(0, 0, 1))


def train_recipe(recipe: Recipe, device: str, narrow: bool, record: Record, seconds: float, out: Path) -> None:
    """Train a recipe for its share of ``seconds``, test it, and write strips and weights to ``out``."""
    end = time.monotonic() + seconds
    trained = max(TRAINED * seconds, seconds - TESTED)
    weights: Path | None = None
    if recipe.first:
        cfg = _config(recipe.first, device, narrow)
        first = partial(_train, cfg, Path("work_dirs") / recipe.first, recipe.share * trained)
        done = record.measure("first", first)
        if not done["passed"]:
            return
        weights = Path(done["checkpoint"])
        if "generator" in cfg.model:
            file = out / f"{recipe.name}_first.safetensors"
            record.measure("first_weights", lambda: _export(cfg, Path(done["checkpoint"]), file))
    cfg = _config(recipe.config, device, narrow)
    for entry in (cfg.model.get("pretrained") or {}).values():
        entry.checkpoint = str(weights)
    left = trained * (1 - recipe.share if recipe.first else 1)
    done = record.measure("training", lambda: _train(cfg, Path("work_dirs") / recipe.name, left))
    if done["passed"]:
        checkpoint = Path(done["checkpoint"])
        record.measure("weights", lambda: _export(cfg, checkpoint, out / f"{recipe.name}.safetensors"))
        record.measure("test", lambda: _test(cfg, checkpoint, recipe, out, end))


def _config(name: str, device: str, narrow: bool) -> Config:
    """Load a config for a device.

    On a GPU it trains in bf16, with larger batches, on clips that lie on the GPU. With ``narrow`` it has a fraction of
    its widths, small batches and no workers.
    """
    cfg = load_config(name)
    cfg.model.precision = "bf16" if device != "cpu" else "fp32"
    loader = cfg.train_dataloader
    if device != "cpu" and "generator" in cfg.model:  # the states of labels are found in pixels, on the CPU
        loader.dataset.cache = "device"
    if narrow:
        loader.batch_size = 2
        for each in (loader, cfg.test_dataloader):
            each.update(num_workers=0, persistent_workers=False)
        return narrowed(cfg, NARROWER)
    if device != "cpu":
        loader.batch_size *= LARGER_BATCHES
    return cfg


class WallClock(Hook):
    """A hook that notes the end of each iteration in seconds and the time spent waiting for data, and stops a training
    that runs out of time.

    Args:
        seconds: The training stops with a checkpoint after this time, whatever its schedule says.
    """

    priority = "LOW"  # it runs before the checkpoint hook, which thus saves the last iteration

    def __init__(self, seconds: float) -> None:
        self.limit = seconds
        self.ends: list[float] = []
        self.waits: list[float] = []

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self.begin = time.monotonic()

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Note the end of the iteration, and make it the last one if the time is up."""
        self.ends.append(time.monotonic() - self.begin)
        # IterTimerHook measures it from the end of one iteration to the beginning of the next.
        self.waits.append(runner.message_hub.get_scalar("train/data_time").current())
        if self.ends[-1] > self.limit:
            # The loop ends after this iteration, and the checkpoint hook saves its last state.
            runner.train_loop._max_iters = runner.iter + 1


def _train(cfg: Config, work_dir: Path, seconds: float) -> dict[str, Any]:
    """Train for ``seconds`` of wall clock. A short pilot training measures how many iterations fit."""
    begin = time.monotonic()
    pilot = _timed(scale_schedules(cfg, PILOT), work_dir / "pilot", PILOTED * seconds)
    pace = _seconds_per_iteration(pilot.ends)
    left = seconds - (time.monotonic() - begin)
    iterations = max(PILOT, int(left / pace))
    clock = _timed(scale_schedules(cfg, iterations), work_dir, 1.2 * left)
    counted = slice(PILOT_WARM_UP, None) if len(clock.ends) > PILOT_WARM_UP + 1 else slice(None)
    from i2vkit.engine.work_dirs import latest_checkpoint

    return {
        "passed": True,
        "planned": iterations,
        "iterations": len(clock.ends),
        "iterations_per_second": len(clock.ends) / clock.ends[-1],
        "batch_size": cfg.train_dataloader.batch_size,
        "data_wait": sum(clock.waits[counted]) / clock.ends[-1],
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


def _timed(cfg: Config, work_dir: Path, limit: float) -> WallClock:
    """Train and return the clock, with the time at the end of each iteration."""
    from i2vkit.apis.train import train

    cfg = cfg.copy()
    cfg.custom_hooks = {**cfg.get("custom_hooks", {}), "wall_clock": dict(type=WallClock, seconds=limit)}
    runner = train(cfg, work_dir, seed=0)
    return next(hook for hook in runner.hooks if isinstance(hook, WallClock))


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
