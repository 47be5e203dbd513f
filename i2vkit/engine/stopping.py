"""An orderly end of a training: a signal lets it finish its iteration, save a checkpoint and say how to go on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from ctypes import c_bool
from functools import partial
from multiprocessing import RawValue
from types import FrameType
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import EMAHook, Hook
from torch import distributed

from i2vkit.engine.console import FILE_ONLY
from i2vkit.engine.saving import SafeCheckpointHook
from i2vkit.errors import TrainingStopped

# Ctrl-C, the end of a job, and Slurm's warning before it (sbatch --signal=USR1@300). Windows has no SIGUSR1.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))
STOP_AT = "i2vkit/stop_at"  # in the store of several processes: the iteration after which all of them stop


class StopHook(Hook):
    """A hook that ends a training after the iteration in which a signal came, with a checkpoint.

    A second Ctrl-C ends it at once, without one. With several processes all end after the same iteration, whichever got
    the signal. Signals can only be caught in the main thread. In another one the hook does nothing.

    Raises:
        TrainingStopped: A signal came. The message says how to go on.
    """

    priority = "LOWEST"

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}
        self._pid = os.getpid()
        self._ended = RawValue(c_bool, False)  # shared with the workers

    def before_train(self, runner: Any) -> None:
        """Catch the signals from now on. Workers that load data leave them to this process."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None and loop.dataloader.num_workers:
                loop.dataloader.worker_init_fn = partial(_begin_worker, loop.dataloader.worker_init_fn, self._ended)

    def release(self) -> None:
        """Give the signals back. From now on workers end if they are told to."""
        self._ended.value = True
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Stop if a signal came and the training has not ended by itself."""
        done = runner.iter + 1
        if self._must_stop(done) and done < runner.max_iters:
            self._stop(runner, done)

    def after_val_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Stop in a validation of one process, which a resumed training repeats."""
        if self.signal is not None and not distributed.is_initialized():
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):  # the validation runs on averaged weights: put them back
                    hook.after_val_epoch(runner)
            self._stop(runner, runner.iter)

    def _must_stop(self, done: int) -> bool:
        """Return True if this is the iteration after which all processes stop.

        No process can finish an iteration before all have begun it. Therefore all see in the next iteration that one
        of them wants to stop, and none earlier stops.
        """
        if not distributed.is_initialized() or distributed.get_world_size() == 1:
            return self.signal is not None
        store = distributed.distributed_c10d._get_default_store()
        if store.check([STOP_AT]):
            stop_at, number = store.get(STOP_AT).decode().split()
            self.signal = self.signal or int(number)
            return done >= int(stop_at)
        if self.signal is not None:
            store.set(STOP_AT, f"{done + 1} {self.signal}")
        return False

    def _stop(self, runner: Any, done: int) -> None:
        """Save a checkpoint and raise ``TrainingStopped``."""
        assert self.signal is not None
        saver = next((hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)), None)
        saved = ", without a checkpoint, since the config has no checkpoint hook"
        if saver is not None:
            path = saver.save_extra(runner, done)
            saved = f", and {path} is saved. Go on with the same command and --resume"
        name = signal.Signals(self.signal).name
        message = f"stopped by {name} after iteration {done} of {runner.max_iters}{saved}"
        if is_main_process():
            runner.logger.info(message, extra=FILE_ONLY)
        raise TrainingStopped(message if is_main_process() else "", self.signal)

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Note a signal. The second Ctrl-C interrupts at once. A worker that was forked from here ignores it."""
        if os.getpid() != self._pid:
            return
        if number == signal.SIGINT and self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
        if number == signal.SIGINT:
            os.write(2, b"\nstopping after this iteration, with a checkpoint; press Ctrl-C again to stop at once\n")


def _begin_worker(before: Callable[[int], None] | None, ended: Any, worker: int) -> None:
    """Leave signals to the main process, which still needs the data of the iteration that it finishes."""

    def end(number: int, frame: FrameType | None) -> None:
        # A job's SIGTERM reaches all of its processes. That of the main process comes when the training has ended.
        if ended.value:
            os._exit(0)

    for number in SIGNALS:
        signal.signal(number, end if number == signal.SIGTERM else signal.SIG_IGN)
    if before is not None:
        before(worker)
