"""Measurement of the share of a training step that is spent waiting for data."""

from __future__ import annotations

import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from i2vkit.apis.train import prepare
from i2vkit.engine.runner import NamedRunner
from i2vkit.errors import ConfigError

WARM_UP = 3  # steps in which the workers start and fill their queues


class WaitingHook(Hook):
    """A hook that adds up the time that the training loop waits for batches, and the time that steps take.

    It counts from step ``WARM_UP`` on. ``waited`` and ``total`` are in seconds. A step lasts from the end of the one
    before to its own end.
    """

    priority = "VERY_LOW"

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.waited = self.total = 0.0
        self._ended = 0.0
        self._pause = 0.0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Note how long the loop has waited for this batch."""
        self._pause = self.clock() - self._ended

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Add the step to the totals after the GPU has finished it, since queued work is no waiting for data."""
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            torch.cuda.synchronize()
        now = self.clock()
        if batch_idx >= WARM_UP:
            self.waited += self._pause
            self.total += now - self._ended
        self._ended = now


def waiting_share(cfg: Config, steps: int) -> float:
    """Return the share of its time, in [0, 1], that a training waits for data.

    It is measured over ``steps`` steps after a warm-up. Nothing is saved, validated or loaded, since pre-trained
    weights do not change the time of a step.

    Raises:
        ConfigError: ``cfg`` describes no training.
        I2VError: The config, the data or the training is wrong.
    """
    if not cfg.get("model") or not cfg.get("train_cfg"):
        raise ConfigError(f"{cfg.filename} describes no training: leave --steps out")
    hook = WaitingHook()
    with TemporaryDirectory() as work_dir:
        cfg = prepare(cfg, work_dir)
        for key in ("val_dataloader", "val_cfg", "val_evaluator", "test_dataloader", "test_cfg", "test_evaluator"):
            cfg.pop(key, None)
        cfg.train_cfg.update(max_iters=WARM_UP + steps, val_interval=WARM_UP + steps + 1)
        # Hooks that write pictures or checkpoints would count as waiting.
        cfg.update(custom_hooks={}, load_from=None, resume=False, visualizer=None, log_level="ERROR")
        cfg.default_hooks = dict(cfg.get("default_hooks") or {}, checkpoint=None)
        if "pretrained" in cfg.model:
            cfg.model.pretrained = {}
        runner = NamedRunner.from_cfg(cfg)
        runner.register_hook(hook)
        runner.train()
    return hook.waited / hook.total
