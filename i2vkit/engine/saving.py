"""Writing checkpoints: whole or not at all, and such that they load without running anything."""

from __future__ import annotations

import os
import shutil
from numbers import Number
from pathlib import Path
from typing import Any

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
    """Local files that are replaced in one go, and old ones that stay until ``purge``.

    mmengine removes a checkpoint before it writes the one that takes its place, and writes over the old file: on a full
    disk both would be gone.
    """

    def __init__(self) -> None:
        self._outdated: list[Path] = []

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write beside, flush to the disk, rename. Raises ``CheckpointError`` and leaves what was there."""
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
        """Note a file down for ``purge``."""
        self._outdated.append(Path(filepath))

    def purge(self) -> None:
        """Remove what was noted down, now that its successors are there."""
        for path in self._outdated:
            path.unlink(missing_ok=True)
        self._outdated.clear()


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, made safe in both directions.

    Saves atomically and removes old files last; what it saves holds tensors and plain values only, so that it loads
    with ``weights_only=True``; what is loaded or resumed must be of this model exactly. ``save_best`` names a metric,
    ``rule`` says whether "greater" or "less" is better.

    Raises:
        ConfigError: for ``max_keep_ckpts`` below 2 (-1 keeps all): the newest one could not be trusted alone.
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
        """As mmengine; what a resumed run has too many of goes at once."""
        super().before_train(runner)
        self.save_param_scheduler = runner.param_schedulers is not None  # or mmengine warns at every save
        self.file_backend.purge()

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Leave nothing but tensors and plain values in ``checkpoint``, and say in its meta in which precision and on
        what data it was trained (labels, image size, maps, frames a second); comes after all other hooks.
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
        """Raise ``CheckpointError`` unless the checkpoint is this model's, and to be resumed if it shall be."""
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
    """``value`` in the types that ``weights_only=True`` loads: numpy's become Python's, and any other object its text.

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
    return float(value) if isinstance(value, Number) else str(value)
