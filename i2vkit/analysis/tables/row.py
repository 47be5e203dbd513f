"""One row of a table in a process of its own: the plan of its iterations, its training and its test."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, DefaultScope

from i2vkit.analysis.tables.description import folder_of, scale_schedules
from i2vkit.config.loading import load_config
from i2vkit.engine.saving import remove_outdated
from i2vkit.engine.work_dirs import latest_checkpoint
from i2vkit.errors import CheckpointError
from i2vkit.media import atomic_path, write_video
from i2vkit.registry import SCOPE
from i2vkit.visualization.strips import to_frames

PILOT = 10  # iterations of the short training that measures the pace
PILOT_WARM_UP = 2  # its first iterations, which do not count


class ProcessorClock(Hook):
    """A hook that notes the processor seconds of each iteration and its data, over all threads of this process."""

    priority = "VERY_LOW"

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = 0.0

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self._last = time.process_time()

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Note the time of one iteration."""
        now = time.process_time()
        self.seconds.append(now - self._last)
        self._last = now


def train_and_test(folder: Path) -> None:
    """Train and test as ``folder/settings.json`` says, from the newest checkpoint if there is one.

    The result goes to ``folder/row.json``.
    """
    from i2vkit.evaluation.run import test

    settings = read_json(folder / "settings.json")
    assert settings is not None  # written before this process starts
    cfg = row_config(settings, folder)
    plan = plan_iterations(cfg, settings, folder)
    weights, iterations = folder / "train", plan["iterations"]
    begun = reached(weights)
    seconds = (
        timed_training(scale_schedules(cfg, iterations), weights, settings["seed"], begun > 0)
        if begun < iterations
        else []
    )
    if begun >= iterations:
        remove_outdated(weights)
    checkpoint = latest_checkpoint(weights)
    result: dict[str, Any] = {"settings": settings, **plan, "resumed_from": begun}
    result |= {"seconds": sum(seconds), "training": training_curves(weights)}
    if settings["scored"]:
        result |= test(cfg, checkpoint, settings["protocol"], folder / "test", True, options=settings["options"])
        write_truth(cfg, settings["protocol"], folder / "test")
    write_json(folder / "row.json", result)


def row_config(settings: dict, folder: Path) -> Config:
    """Return the config of a row, with the weights of the row that it starts from."""
    cfg = load_config(settings["config"], settings["options"])
    if "after" in settings:
        weights = latest_checkpoint(folder.parent / folder_of(settings["after"]["row"], settings["seed"]) / "train")
        for entry in cfg.model.pretrained.values():
            entry.checkpoint = str(weights)
    return cfg


def plan_iterations(cfg: Config, settings: dict, folder: Path) -> dict[str, Any]:
    """Return the number of iterations of a row, and for a budget in minutes the measured pace.

    A budget in minutes is converted with the pace of a short training of the same schedule, which does not count. The
    plan is stored, so that a resumed row keeps its number of iterations.
    """
    if "iterations" in settings["budget"]:
        return {"iterations": settings["budget"]["iterations"]}
    plan = read_json(folder / "plan.json")
    if plan is None:
        # The first iterations are slower, since caches and optimiser states are still empty.
        shutil.rmtree(folder / "pilot", ignore_errors=True)  # of an interrupted start
        pace = fmean(timed_training(scale_schedules(cfg, PILOT), folder / "pilot", settings["seed"])[PILOT_WARM_UP:])
        plan = {"iterations": max(1, round(settings["budget"]["minutes"] * 60 / pace)), "pilot_seconds": pace}
        write_json(folder / "plan.json", plan)
    return plan


def timed_training(cfg: Config, work_dir: Path, seed: int, resume: bool = False) -> list[float]:
    """Train and return the processor seconds of each iteration."""
    from i2vkit.apis.train import train

    cfg = cfg.copy()
    cfg.custom_hooks = {**cfg.get("custom_hooks", {}), "processor_clock": dict(type=ProcessorClock)}
    runner = train(cfg, work_dir, resume=resume, seed=seed)
    return next(hook for hook in runner.hooks if isinstance(hook, ProcessorClock)).seconds


def reached(work_dir: Path) -> int:
    """Return the iteration of the newest checkpoint, or 0 if there is none."""
    try:
        return int(latest_checkpoint(work_dir).stem.removeprefix("iter_"))
    except CheckpointError:
        return 0


def training_curves(work_dir: Path, points: int = 60) -> dict[str, list]:
    """Return the logged values of a training, as means over at most ``points`` stretches of it.

    Returns:
        ``step`` and each loss by its name, as lists of equal length. None means that a loss was not logged.
    """
    logged: dict[int, dict] = {}
    # Each start of the training has a log. Iterations that were repeated after a resume count as logged last.
    for path in sorted(work_dir.glob("*/vis_data/scalars.json")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if "iter" in entry:
                logged[entry["iter"]] = entry
    steps = sorted(logged)
    # Rounded up, so that there are at most ``points`` groups.
    size = -(-len(steps) // points) or 1
    groups = [steps[start : start + size] for start in range(0, len(steps), size)]
    names = {key for entry in logged.values() for key in entry} - {"iter", "step", "time", "data_time", "memory"}
    curves: dict[str, list] = {"step": [group[-1] for group in groups]}
    for name in sorted(name for name in names if name.rpartition(".")[2] != "lr"):
        values = [[logged[step][name] for step in group if logged[step].get(name) is not None] for group in groups]
        curves[name] = [round(fmean(some), 5) if some else None for some in values]
    return curves


def write_truth(cfg: Config, protocol: str | None, out: Path) -> None:
    """Write image, driving clip and truth of the first sample, which ``strips.png`` shows above the rows."""
    from i2vkit.evaluation.run import build_protocol

    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = DATASETS.build({**cfg.test_dataloader.dataset, "pair_sampler": build_protocol(cfg, protocol)[1]})
        sample = dataset[(0, 0)]["data_samples"]
    for name in ("driving", "truth"):
        if name in sample:
            write_video(out / f"{name}.mp4", to_frames(sample.get(name)))


def read_json(path: Path) -> dict | None:
    """Return the content of a JSON file, or None if it does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write a JSON file. An interrupted call leaves no partial file."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")


def end_with(parent: int, interval: float = 1.0) -> None:
    """End this process about a second after its parent has ended, whatever it is doing."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(interval)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    from i2vkit.cli.common import run_tool

    end_with(int(sys.argv[2]))
    run_tool(lambda: train_and_test(Path(sys.argv[1])))
