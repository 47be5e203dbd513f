"""Runs in a process of their own that die, or whose disk fails, at a chosen interruption point.

Interruption points are every opening, write, fsync, renaming and removal of a file below a folder, every hook of a
training and every sample. A run in a forked process counts them. When it comes to the chosen one it ends as if it was
killed (``"kill"``: no ``finally``, no flushing, half of the data of a write on the disk), or the system call fails
(``"fail"``: no space left). The caller goes on and compares.
"""

import builtins
import errno
import faulthandler
import gc
import io
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.runner import runner as runner_module
from mmengine.visualization import Visualizer

KILLED = 137
FAILING = ("open", "write", "fsync", "rename")  # system calls that a full or broken disk lets fail
_CONTEXT = get_context("fork")  # importing torch again would take longer than most runs


class Points:
    """The interruption points of this process, counted from 0.

    Args:
        folder: Files below it count.
        stop: The number of the point at which the run ends, or None for none.
        how: "kill" or "fail".
        data_of: A data set whose samples are interruption points too.
    """

    def __init__(self, folder: Path, stop: int | None, how: str, data_of: type | None) -> None:
        self.folder, self.stop, self.how = str(folder.resolve()), stop, how
        self.kinds: list[str] = []
        self._install(data_of)

    def at(self, kind: str, torn: Callable[[], object] | None = None) -> None:
        """Count a point, and end or fail here if it is the chosen one. ``torn`` then leaves half of a write."""
        number = len(self.kinds)
        self.kinds.append(kind)
        if number != self.stop:
            return
        if torn is not None:
            torn()
        if self.how == "kill":
            os._exit(KILLED)
        if kind in FAILING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _inside(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and str(Path(path).absolute()).startswith(self.folder)

    def _install(self, data_of: type | None) -> None:
        events = {"os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir", "os.rmdir": "rmdir"}

        def audit(event: str, arguments: tuple) -> None:
            if event in events and self._inside(arguments[0]):
                self.at(events[event])

        sys.addaudithook(audit)  # for good, like all that follows: the process ends with its run
        plain_open, fsync = io.open, os.fsync

        def counted_open(file, mode="r", *args, **kwargs):
            if not self._inside(file) or not set(mode) & set("wax+"):
                return plain_open(file, mode, *args, **kwargs)
            self.at("open")
            opened = plain_open(file, mode, *args, **kwargs)
            write = opened.write

            def counted_write(data):
                self.at("write", lambda: (write(data[: len(data) // 2]), opened.flush()))
                return write(data)

            opened.write = counted_write
            return opened

        def counted_fsync(descriptor):
            self.at("fsync")
            return fsync(descriptor)

        builtins.open = io.open = counted_open
        os.fsync = counted_fsync
        call_hook = Runner.call_hook

        def counted_hook(runner, name, **kwargs):
            self.at(f"hook {name}")
            return call_hook(runner, name, **kwargs)

        Runner.call_hook = counted_hook
        if data_of is not None:
            get = data_of.__getitem__

            def counted_get(data, key):
                self.at("sample")
                return get(data, key)

            data_of.__getitem__ = counted_get


def run(work, folder: Path, stop: int | None = None, how: str = "kill", data_of: type | None = None) -> tuple:
    """Call ``work()`` in a forked process with interruption points below ``folder``.

    Returns:
        The exit code (``KILLED``, 0, or 1 after an error), the kinds of all points that were passed, and the error as
        its type, message and traceback. If the process crashed, the error has its exit code and what it printed last.
    """
    # A decoder of the parent that the child would free waits for its threads, and the child has none of them.
    gc.collect()
    gc.freeze()
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    log = tempfile.TemporaryFile()  # noqa: SIM115  closed below

    def child() -> None:
        torch.set_num_threads(1)  # threads of the parent do not survive a fork
        os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
        faulthandler.enable(log.fileno())
        _forget_the_parent()
        runner_module.collect_env = dict  # it starts a compiler to ask for its version
        points = Points(folder, stop, how, data_of)
        error = None
        try:
            work()
        except BaseException as caught:
            error = (type(caught).__name__, str(caught), traceback.format_exc())
        sender.send((points.kinds, error))
        os._exit(0 if error is None else 1)

    process = _CONTEXT.Process(target=child)
    process.start()
    sender.close()
    kinds, error = [], None
    with suppress(EOFError):  # it was killed
        kinds, error = receiver.recv()
    process.join()
    gc.unfreeze()
    if error is None and process.exitcode not in (0, KILLED):  # it ended without a word
        log.seek(0)
        error = ("an end of the process", f"exit code {process.exitcode}", log.read()[-2000:].decode(errors="replace"))
    log.close()
    return process.exitcode, kinds, error


def _forget_the_parent() -> None:
    """Undo what earlier tests of the parent have left that a run could trip over: signals, loggers, filters."""
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)  # torch's looks at data loaders of the parent
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for kind in (DefaultScope, MessageHub, MMLogger, Visualizer):
        kind._instance_dict.clear()
    warnings.simplefilter("ignore")  # that a run warns of nothing is for other tests


def chosen(kinds: list[str], every: bool, few: tuple[str, ...] = ()) -> list[int]:
    """Return the points to try: all, or one in the middle of each of the kinds ``few``."""
    if every:
        return list(range(len(kinds)))
    numbers = {kind: [number for number, one in enumerate(kinds) if one == kind] for kind in few}
    return [found[len(found) // 2] for found in numbers.values()]


every_point = pytest.mark.parametrize(
    "every",
    [pytest.param(False, id="a-few"), pytest.param(True, id="all", marks=[pytest.mark.slow, pytest.mark.faults])],
)
