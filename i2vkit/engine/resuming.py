"""Resuming: a checkpoint's settings are compared with those of the config, and the config's win.

mmengine loads the state of optimisers and schedules over what the config says. Here the state of an optimiser, such as
Adam's moments, is loaded, and its settings are the config's. If settings of optimisers or schedules have changed, the
schedules are where they would be after as many iterations of the changed config.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict

from i2vkit.engine.resumable import check_state
from i2vkit.engine.settings import UNSET, Changes, compare_settings, settings_of
from i2vkit.errors import CheckpointError, TrainingError

MOST_LINES = 8  # of changed settings, in the log


class ResumeHook(Hook):
    """A hook that stores the settings of a training in its checkpoints, and takes changed ones over when it goes on.

    Settings that the state of the checkpoint does not fit are refused. Every change is logged.
    """

    priority = "LOWEST"  # after the hooks that check whether the checkpoint is of this model

    def __init__(self) -> None:
        self._reschedule = False
        self._longer = False

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Store the settings."""
        checkpoint["meta"]["settings"] = settings_of(runner.cfg)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Compare settings, and change what mmengine is about to resume.

        Raises:
            CheckpointError: The optimiser is of another kind.
        """
        if not runner._resume or "meta" not in checkpoint or "optimizer" not in checkpoint:
            return
        for phase, wrapper in wrappers_of(runner):
            saved = checkpoint["optimizer"][phase] if phase else checkpoint["optimizer"]
            check_state(saved, wrapper.optimizer, phase, str(runner._load_from))
        then = checkpoint["meta"].get("settings")
        if then is None:
            runner.logger.warning(
                f"{runner._load_from} does not hold the settings of its training: those of the optimisers and "
                f"schedules are the checkpoint's, whatever the config says"
            )
            return
        changes = compare_settings(then, settings_of(runner.cfg))
        check_optimizers(changes, str(runner._load_from))
        for phase, wrapper in wrappers_of(runner):
            saved = checkpoint["optimizer"][phase] if phase else checkpoint["optimizer"]
            check_parameters(saved, wrapper.optimizer.param_groups, phase, str(runner._load_from))
        for line in describe_changes(changes, str(runner._load_from), checkpoint["meta"]["iter"]):
            runner.logger.warning(line)
        checkpoint["meta"]["seed"] = runner.seed  # or mmengine would go back to the checkpoint's
        self._longer = "train_cfg.max_iters" in changes
        self._reschedule = any(key.startswith(("optim_wrapper.", "param_scheduler.")) for key in changes)
        if self._reschedule:
            for phase, wrapper in wrappers_of(runner):
                saved = checkpoint["optimizer"][phase] if phase else checkpoint["optimizer"]
                take_over(saved, wrapper.optimizer.param_groups)
            checkpoint.pop("param_schedulers", None)

    def before_train(self, runner: Any) -> None:
        """Bring changed schedules to the iteration at which the training goes on.

        Raises:
            TrainingError: The training was made longer, and its learning rates are 0 to its end.
        """
        if runner.iter == 0:
            return
        if self._reschedule:
            for schedulers in schedulers_of(runner):
                counted = [scheduler for scheduler in schedulers if not scheduler.by_epoch]
                for _ in range(runner.iter if counted else 0):
                    for scheduler in counted:  # by turns, since each multiplies the rate that the others left
                        scheduler.step()
        if runner.iter >= runner.max_iters:
            runner.logger.warning(
                f"nothing is left to train: {runner.iter} of {runner.max_iters} iterations are done. Raise "
                f"train_cfg.max_iters to go on"
            )
        elif self._longer and not any(rate for rates in runner.optim_wrapper.get_lr().values() for rate in rates):
            raise TrainingError(
                f"every learning rate is 0 from iteration {runner.iter} on, so the longer training would change "
                f"nothing: make the schedules of param_scheduler longer too (their end), or set one to None"
            )


def check_optimizers(changes: Changes, source: str) -> None:
    """Raise ``CheckpointError`` if an optimiser is of another kind than the one whose state is in the checkpoint."""
    for key, (then, now) in changes.items():
        if key.startswith("optim_wrapper.") and key.endswith("optimizer.type"):
            raise CheckpointError(
                f"{source} holds the state of {then}, and {key} is {now} now, which that state does not fit: resume "
                f"with {key}={then}, or start a new training from its weights (--cfg-options load_from={source}, "
                f"another --work-dir, and no --resume)"
            )


def check_parameters(saved: dict, groups: list[dict], phase: str | None, source: str) -> None:
    """Raise ``CheckpointError`` if the state of an optimiser is of another number of parameters."""
    then, now = ([len(group["params"]) for group in groups] for groups in (saved["param_groups"], groups))
    if then != now:
        raise CheckpointError(
            f"{source} holds the optimiser's state of {sum(then)} tensors in phase '{phase}', which now updates "
            f"{sum(now)}: resume with the model.frozen and model.phases of then, or start a new training from its "
            f"weights (--cfg-options load_from={source}, another --work-dir, and no --resume)"
        )


def describe_changes(changes: Changes, source: str, iteration: int) -> list[str]:
    """Return a line for each of the first changed settings, and one with the number of others."""
    shown = {key: pair for key, pair in changes.items() if not _of_new_part(key, changes)}
    lines = []
    for key, (then, now) in shown.items():
        line = f"changed since {source}: {key} was {then} and is {now} from now on"
        if key == "train_dataloader.batch_size" and now.isdigit():
            line += f"; the data go on at sample {iteration * int(now)} of their order, not {iteration * int(then)}"
        lines.append(line)
    if len(lines) <= MOST_LINES:
        return lines
    names = ", ".join(list(shown)[MOST_LINES:])
    return [*lines[:MOST_LINES], f"changed since {source}, as well: {names}"]


def _of_new_part(key: str, changes: Changes) -> bool:
    """Return True if a setting belongs to a part that is new or gone as a whole, which its type says already."""
    kind = f"{key.rpartition('.')[0]}.type"
    return key != kind and UNSET in changes.get(kind, ())


def take_over(saved: dict, groups: Iterable[dict]) -> None:
    """Give the saved state of an optimiser the settings of another, in place. The lists of parameters stay."""
    for old, group in zip(saved["param_groups"], groups, strict=False):
        old.update({key: value for key, value in group.items() if key != "params"})


def wrappers_of(runner: Any) -> list[tuple[str | None, Any]]:
    """Return the optimisers' wrappers of a runner with the names of their phases, or one with None."""
    wrapper = runner.optim_wrapper
    return list(wrapper.items()) if isinstance(wrapper, OptimWrapperDict) else [(None, wrapper)]


def schedulers_of(runner: Any) -> list[list]:
    """Return the schedulers of each optimiser."""
    found = runner.param_schedulers or []
    return list(found.values()) if isinstance(found, dict) else [list(found)]
