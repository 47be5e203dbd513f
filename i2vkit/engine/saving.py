"""Saving of checkpoints: completely or not at all, and so that they load without running any code."""

from __future__ import annotations

import os
import shutil
from numbers import Number
from pathlib import Path
from typing import Any, SupportsFloat, cast

import numpy as np
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from torch import Tensor

from i2vkit.datasets.facts import facts_of_model
from i2vkit.engine.checkpoints import check_weights, unwrapped
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.media import atomic_path
from i2vkit.registry import HOOKS


@register_backend("atomic", force=True)
class AtomicBackend(LocalBackend):
    """A backend for local files that replaces files in one go and keeps old ones until ``purge``.

    mmengine removes a checkpoint before it writes the one that takes its place, and overwrites the old file. On a full
    disk both would be lost.
    """

    def __init__(self) -> None:
        self._outdated: list[Path] = []

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file beside its place, flush it to the disk, and rename it.

        Raises:
            CheckpointError: The file cannot be written. What was there before stays.
        """
        try:
            with atomic_path(filepath) as beside, beside.open("wb") as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            free = shutil.disk_usage(Path(filepath).parent).free
            raise CheckpointError(
                f"{filepath} cannot be saved: {error.strerror}; it takes {len(obj) / 2**20:.1f} MiB, "
                f"{free / 2**20:.1f} MiB are free. The checkpoints before it are whole: make room, go on with --resume"
            ) from error

    def remove(self, filepath: str | Path) -> None:
        """Mark a file for ``purge``."""
        self._outdated.append(Path(filepath))

    def purge(self) -> None:
        """Remove the marked files, now that their successors exist."""
        for path in self._outdated:
            path.unlink(missing_ok=True)
        self._outdated.clear()


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """A ``CheckpointHook`` that is safe to save and safe to load.

    It saves atomically and removes old files last. A saved file holds only tensors and plain values, so that it loads
    with ``weights_only=True``. A loaded or resumed checkpoint must be of exactly this model.

    Args:
        interval: Iterations between two checkpoints. Default 1000.
        save_best: Name of the metric whose best checkpoint is kept. By default none.
        rule: "greater" or "less", whichever is better for the metric.
        max_keep_ckpts: Number of checkpoints that are kept, at least 2, or -1 for all. Default 3. The newest alone
            could not be trusted.
        save_last: Save after the last iteration too. Default True.
        save_begin: First iteration that may be saved. Default 0.
        save_optimizer: Save what a resumed training needs. Default True.
        by_epoch: Count epochs instead of iterations. Default False.

    Raises:
        ConfigError: ``max_keep_ckpts`` is below 2 and not -1.
    """

    def __init__(
        self,
        interval: int = 1000,
        save_best: str | list[str] | None = None,
        rule: str | list[str] | None = None,
        max_keep_ckpts: int = 3,
        save_last: bool = True,
        save_begin: int = 0,
        save_optimizer: bool = True,
        by_epoch: bool = False,
    ):
        if max_keep_ckpts != -1 and max_keep_ckpts < 2:
            raise ConfigError(f"max_keep_ckpts is at least 2, or -1 to keep all, not {max_keep_ckpts}")
        super().__init__(
            interval=interval,
            by_epoch=by_epoch,
            save_optimizer=save_optimizer,
            save_best=save_best,
            rule=rule,
            max_keep_ckpts=max_keep_ckpts,
            save_last=save_last,
            save_begin=save_begin,
            backend_args=dict(backend="atomic"),
        )

    def _save_checkpoint_with_step(self, runner, step, meta) -> None:
        super()._save_checkpoint_with_step(runner, step, meta)
        self.file_backend.purge()

    def _save_best_checkpoint(self, runner, metrics) -> None:
        if missing := [name for name in self.save_best or () if name != "auto" and name not in metrics]:
            raise ConfigError(f"save_best='{missing[0]}' is not among the metrics: {', '.join(sorted(metrics))}")
        super()._save_best_checkpoint(runner, metrics)
        self.file_backend.purge()

    def before_train(self, runner) -> None:
        """Prepare as mmengine does, and remove the checkpoints that a resumed run has too many of."""
        super().before_train(runner)
        self.save_param_scheduler = runner.param_schedulers is not None  # or mmengine warns at every save
        self.file_backend.purge()

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Keep only tensors and plain values in ``checkpoint``, and add facts about the training to its meta.

        These are the precision, and labels, image size, maps and frames a second of the data. This runs after all other
        hooks.
        """
        checkpoint["meta"]["precision"] = getattr(unwrapped(runner.model), "precision", "fp32")
        checkpoint["meta"]["data_facts"] = facts_of_model(unwrapped(runner.model))
        hub = checkpoint["message_hub"]
        # Histories are mmengine's own objects, and the next log line starts new ones.
        resumed = {name: value for name, value in hub["resumed_keys"].items() if name in hub["runtime_info"]}
        checkpoint["message_hub"] = {**hub, "log_scalars": {}, "resumed_keys": resumed}
        for name in checkpoint.keys() - {"state_dict", "ema_state_dict"}:
            checkpoint[name] = to_primitives(checkpoint[name])

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Check that the checkpoint is of this model, and that it holds what resuming needs.

        Raises:
            CheckpointError: It does not.
        """
        source = str(runner._load_from or "the checkpoint")
        check_weights(unwrapped(runner.model), checkpoint.get("state_dict", checkpoint), source)
        if not runner._resume:
            return
        wrappers = getattr(runner.optim_wrapper, "optim_wrappers", {})
        if "meta" not in checkpoint or "optimizer" not in checkpoint:
            raise CheckpointError(
                f"{source} holds weights only: resume an iter_*.pth, or set load_from to start from it"
            )
        if wrappers and checkpoint["optimizer"].keys() != wrappers.keys():
            raise CheckpointError(
                f"{source} was trained in the phases {', '.join(checkpoint['optimizer'])}, "
                f"this config has {', '.join(wrappers)}: resume with the config that it was trained with"
            )


def to_primitives(value: Any) -> Any:
    """Convert ``value`` to types that ``weights_only=True`` loads: numpy's become Python's, other objects their text.

    >>> to_primitives({"score": np.float64(0.5), "of": (np.arange(2), Path("x"))})
    {'score': 0.5, 'of': ([0, 1], 'x')}
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {to_primitives(key): to_primitives(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        items = [to_primitives(item) for item in value]
        return items if isinstance(value, list) else (tuple(items) if isinstance(value, tuple) else set(items))
    if value is None or type(value) in (bool, int, float, complex, str, bytes) or isinstance(value, Tensor):
        return value
    # ``Number`` declares no conversion, so the type checker cannot see that these have one.
    return float(cast(SupportsFloat, value)) if isinstance(value, Number) else str(value)
