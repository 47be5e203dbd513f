"""Saving of checkpoints: completely or not at all, and so that they load without running any code."""

from __future__ import annotations

from numbers import Number
from pathlib import Path
from typing import Any, Literal, SupportsFloat, cast

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from torch import Tensor

from i2vkit.datasets.facts import facts_of_model
from i2vkit.engine.atomic_backend import AtomicBackend
from i2vkit.engine.checkpoints import check_weights, load_checkpoint_file, unwrapped
from i2vkit.engine.resumable import check_resumable
from i2vkit.engine.work_dirs import inside, iteration_of, latest_checkpoint
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.media import remove_leftovers
from i2vkit.registry import HOOKS

OUTDATED = "outdated_ckpts"  # in the message hub: files that the next checkpoint makes superfluous


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
        rule: Literal["greater", "less"] | list[str] | None = None,
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

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict) -> None:
        """Save a regular checkpoint, then note its name, then remove those that it makes superfluous.

        The names of the latter are in the checkpoint, so that a training that was killed before it removed them does it
        when it is resumed.
        """
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                oldest = self.keep_ckpt_ids.popleft()
                if is_main_process():
                    self.file_backend.remove(self._path(self.filename_tmpl.format(oldest)))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        self._write(runner, self.filename_tmpl.format(step), meta)
        self.file_backend.purge(keep=Path(self.last_ckpt))

    def save_extra(self, runner: Any, step: int) -> Path:
        """Save the state after ``step`` iterations, for a training that is about to stop, and return the file.

        It is none of the checkpoints that are kept, and the next regular one removes it. If the newest checkpoint is of
        this iteration already, nothing is written.
        """
        if self.last_ckpt is None or iteration_of(self.last_ckpt) != step:
            name = self.filename_tmpl.format(step)
            self.file_backend.remove(self._path(name))
            self._write(runner, name, dict(epoch=runner.epoch, iter=step))
        return Path(self.last_ckpt)

    def _write(self, runner: Any, name: str, meta: dict) -> None:
        """Write a checkpoint that can be resumed, and its name into ``last_checkpoint``."""
        self.last_ckpt = str(self._path(name))
        runner.message_hub.update_info("last_ckpt", name)
        runner.message_hub.update_info(OUTDATED, self.file_backend.outdated)
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
        )
        if is_main_process():
            self.file_backend.put(f"{name}\n".encode(), self._path("last_checkpoint"))

    def _path(self, name: str) -> Path:
        return inside(self.out_dir, name)

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        if missing := [name for name in self.save_best or () if name != "auto" and name not in metrics]:
            raise ConfigError(f"save_best='{missing[0]}' is not among the metrics: {', '.join(sorted(metrics))}")
        super()._save_best_checkpoint(runner, metrics)
        self.file_backend.purge()

    def before_train(self, runner: Any) -> None:
        """Prepare as mmengine does, but look for the files that a resumed training knows in its own work dir only.

        A best checkpoint that is not there is forgotten together with its score. Files that the training has outlived
        are removed.
        """
        hub = runner.message_hub
        known = [key for key in hub.runtime_info if key.startswith("best_ckpt")]
        for key in known:
            path = inside(runner.work_dir, hub.get_info(key))
            if path.is_file():
                hub.update_info(key, str(path))
            else:
                hub.runtime_info.pop(key)
                hub.runtime_info.pop(key.replace("best_ckpt", "best_score"), None)
                runner.logger.info(f"{path} does not exist: the best checkpoint of this work dir is looked for anew")
        super().before_train(runner)
        assert isinstance(self.file_backend, AtomicBackend)
        self.file_backend.folder = Path(self.out_dir)
        self.save_param_scheduler = runner.param_schedulers is not None  # or mmengine warns at every save
        if not is_main_process():
            return
        remove_leftovers(self.out_dir)
        if runner.iter == 0:
            return
        resumed = self._path(str(runner._load_from or ""))
        if resumed.is_file():
            self.last_ckpt = str(resumed)
        for name in hub.get_info(OUTDATED, []):
            self.file_backend.remove(self._path(name))
        if iteration_of(resumed) in self.__dict__.get("keep_ckpt_ids", ()):
            self.file_backend.purge(keep=resumed)  # or else it is an extra one, and stays until the next is saved

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Keep only tensors and plain values in ``checkpoint``, and add facts about the training to its meta.

        These are the precision, and labels, image size, maps and frames a second of the data. This runs after all other
        hooks.
        """
        checkpoint["meta"]["precision"] = getattr(unwrapped(runner.model), "precision", "fp32")
        checkpoint["meta"]["data_facts"] = facts_of_model(unwrapped(runner.model))
        hub = checkpoint["message_hub"]
        named = ("best_ckpt", "last_ckpt")  # names only, since a work dir may be copied or moved
        hub["runtime_info"] = {
            key: inside("", value).name if key.startswith(named) and value else value
            for key, value in hub["runtime_info"].items()
        }
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
        check_resumable(checkpoint, source)
        if wrappers and checkpoint["optimizer"].keys() != wrappers.keys():
            raise CheckpointError(
                f"{source} was trained in the phases {', '.join(checkpoint['optimizer'])}, "
                f"this config has {', '.join(wrappers)}: resume with the config that it was trained with"
            )


def remove_outdated(work_dir: str | Path) -> None:
    """Remove the files that a training which was killed after its last checkpoint was about to remove."""
    hub = load_checkpoint_file(latest_checkpoint(work_dir)).get("message_hub") or {}
    for name in hub.get("runtime_info", {}).get(OUTDATED, []):
        inside(work_dir, name).unlink(missing_ok=True)


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
