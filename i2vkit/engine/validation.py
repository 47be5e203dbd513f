"""The validation that was due when a training was interrupted."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

# In the message hub: the iteration of the last validation. mmengine would print a key that begins with "val".
VALIDATED = "done_validation"


class DueValidationHook(Hook):
    """A hook that validates a resumed training first, if a validation was due at its checkpoint.

    A checkpoint is saved before the validation of its iteration. A training that ends in between would otherwise skip
    it, and perhaps miss its best checkpoint. If the validation had ended but left no trace in the checkpoint, it is
    repeated.
    """

    priority = "LOW"  # before the hook that saves checkpoints

    def before_train_epoch(self, runner: Any) -> None:
        """Validate if it is due."""
        loop, done = runner.train_loop, runner.iter
        if done == 0 or runner.val_loop is None or done < loop.val_begin:
            return
        if done % loop.val_interval and done != runner.max_iters:
            return
        if runner.message_hub.get_info(VALIDATED, None) != done:
            runner.logger.info(f"the validation after iteration {done} is not known to have ended: it is done first")
            runner.message_hub.update_info("iter", done - 1)  # as the last iteration left it
            runner.val_loop.run()

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Note the iteration, for the checkpoint that a new best score rewrites."""
        runner.message_hub.update_info(VALIDATED, runner.iter)
