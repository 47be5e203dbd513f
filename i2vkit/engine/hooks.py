"""Hooks for exactly resumed runs, for pictures during training, and for an averaged generator."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.hooks import EMAHook, Hook
from mmengine.registry import MODELS as MMENGINE_MODELS

from i2vkit.engine.checkpoints import check_weights, unwrapped
from i2vkit.media import write_image
from i2vkit.registry import HOOKS
from i2vkit.visualization.strips import comparison_strip


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """A hook that makes an iteration depend on its number, so that a resumed run is the same run.

    Every iteration starts from random states of (seed, iteration, process), whatever ran before. The data resume
    without a hook: the loop of mmengine calls ``skip`` of the sampler, and a sample follows from its position.
    """

    priority = "VERY_HIGH"

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Seed torch (all devices), numpy and random."""
        numbers = np.random.SeedSequence([runner.seed, runner.iter, runner.rank]).generate_state(3)
        torch.manual_seed(int(numbers[0]))
        np.random.seed(numbers[1])
        random.seed(int(numbers[2]))


@HOOKS.register_module()
class SampleStripHook(Hook):
    """A hook that generates the same validation samples again and again and writes them as one picture.

    The picture goes to ``work_dir/samples/<iteration>.png`` and to the visualizer (TensorBoard). The samples are spread
    over the validation set. There are no pictures without a validation set, or for a model that generates nothing.

    Args:
        interval: Iterations between two pictures. Default 1000.
        num: Number of samples in a picture. Default 4.
    """

    priority = "LOW"

    def __init__(self, interval: int = 1000, num: int = 4):
        self.interval, self.num = interval, num
        self._items: list[dict] = []

    @master_only
    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Write the picture. Random states need no care, because the next iteration sets them again."""
        if runner.val_loop is None or not self.every_n_train_iters(runner, self.interval):
            return
        if not self._items:
            dataset = runner.val_dataloader.dataset
            chosen = np.linspace(0, len(dataset) - 1, min(self.num, len(dataset))).round().astype(int)
            self._items = [dataset[int(index)] for index in chosen]
        model = unwrapped(runner.model)
        model.eval()
        collate = runner.val_dataloader.collate_fn
        samples = [model.val_step(collate([copy.copy(item)]))[0] for item in self._items]
        model.train()
        if any("generated" not in sample for sample in samples):
            return
        picture = comparison_strip(samples)
        step = runner.iter + 1
        write_image(Path(runner.work_dir) / "samples" / f"{step:07d}.png", picture)
        runner.visualizer.add_image("samples", picture, step=step)


@HOOKS.register_module()
class GeneratorEMAHook(EMAHook):
    """A hook that validates and saves a moving average of the generator.

    The discriminators are neither copied nor averaged. The ``state_dict`` of a checkpoint holds the averaged generator,
    and ``ema_state_dict`` the one in training, with which a resumed run goes on.

    Args:
        momentum: Weight of the newest step, in (0, 1). Default 0.001.
        begin_iter: First iteration that is averaged. Default 0.
        interval: Iterations between two updates of the average. Default 1.
        part: The attribute of the model that is averaged. Default "generator".
    """

    def __init__(self, momentum: float = 0.001, begin_iter: int = 0, interval: int = 1, part: str = "generator"):
        super().__init__(strict_load=True, begin_iter=begin_iter, momentum=momentum, interval=interval)
        self.part = part

    def before_run(self, runner: Any) -> None:
        """Copy the generator."""
        self.src_model = getattr(unwrapped(runner.model), self.part)
        self.ema_model = MMENGINE_MODELS.build(self.ema_cfg, default_args=dict(model=self.src_model))

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add the average, on the CPU like the rest of a checkpoint, so that it can be loaded without a GPU."""
        checkpoint["ema_state_dict"] = {name: value.cpu() for name, value in self.ema_model.state_dict().items()}
        self._swap_ema_state_dict(checkpoint)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Resume the average, or start it from the loaded weights."""
        check_weights(unwrapped(runner.model), checkpoint.get("state_dict", checkpoint), str(runner._load_from))
        if "ema_state_dict" in checkpoint and runner._resume:
            self._swap_ema_state_dict(checkpoint)
            self.ema_model.load_state_dict(checkpoint["ema_state_dict"])
            return
        weights = checkpoint.get("state_dict", checkpoint)
        start = f"{self.part}."
        own = {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
        self.ema_model.module.load_state_dict(own)

    def _swap_ema_state_dict(self, checkpoint: dict) -> None:
        """Exchange the generator's weights in the two state dicts."""
        weights, averaged = checkpoint["state_dict"], checkpoint["ema_state_dict"]
        for name in averaged:
            if name.startswith("module."):
                own = name.replace("module", self.part, 1)
                averaged[name], weights[own] = weights[own], averaged[name]
