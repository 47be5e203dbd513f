"""Execution of the stages of a verification, each in a process of its own, and collection of their results."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

import torch

from i2vkit.analysis.verification.archives import pack
from i2vkit.analysis.verification.stages import Group, Plan, Stage, cores, plan, run_stage
from i2vkit.analysis.verification.verification_report import collect, write_report
from i2vkit.cli.common import run_tool
from i2vkit.errors import ConfigError

_PAUSE = 0.1  # seconds between looks at the running processes
_PACKING = 5.0  # seconds that are reserved for the report


def verify(
    out: str | Path,
    minutes: float = 10.0,
    device: str = "cuda",
    narrow: bool = False,
    only: Sequence[str] = (),
    subjects: Sequence[str] = (),
) -> Path:
    """Verify this machine and write a report.

    Args:
        out: The folder of the results. It gets at most eight files of 16 MiB, and ``work``, which you may remove.
        minutes: The time limit for everything. By default 10.
        device: "cuda", or "cpu" for a rehearsal.
        narrow: Use models with a sixteenth of their widths and small data. Always true on a CPU.
        only: The kinds of stages to run. By default all.
        subjects: The models and recipes of these stages. By default all.

    Returns:
        The path of ``report.md``.

    Raises:
        ConfigError: There is no GPU, no time, or no such kind of stage.
    """
    _check(device, minutes, only, subjects)
    out = Path(out).absolute()
    files = out / "work" / "files"
    files.mkdir(parents=True, exist_ok=True)
    order = plan(device, tuple(only), tuple(subjects))
    run = Run(out / "work", files, device, narrow or device == "cpu", time.monotonic() + 60 * minutes - _PACKING)
    run.all(order)
    result = collect(order, files, run.outcomes, device=device, minutes=minutes, narrow=run.narrow)
    report = write_report(result, out)
    pack(files, out)
    return report


def _check(device: str, minutes: float, only: Sequence[str], subjects: Sequence[str]) -> None:
    """Raise ``ConfigError`` if an argument of ``verify`` is wrong."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("there is no GPU here: rehearse with --device cpu")
    if not minutes > 0:
        raise ConfigError(f"--minutes is the time limit, more than 0, not {minutes}")
    stages = plan("cuda").stages
    kinds, names = {stage.kind for stage in stages}, {stage.subject for stage in stages} - {""}
    if unknown := sorted(set(only) - kinds):
        raise ConfigError(f"there is no stage {unknown[0]!r}; there are: {', '.join(sorted(kinds))}")
    if unknown := sorted(set(subjects) - names):
        raise ConfigError(f"there is nothing called {unknown[0]!r} to verify; there are: {', '.join(sorted(names))}")


@dataclass(frozen=True)
class StageOutcome:
    """The end of a stage's process: its exit ``code``, None if it ran out of time, and its ``seconds``."""

    code: int | None
    seconds: float


class Run:
    """The processes of a verification.

    Args:
        work: The folder in which they run. It also gets data and work dirs.
        files: The folder of their records and of other results.
        device: As in ``verify``.
        narrow: As in ``verify``.
        end: The time at which everything ends, by ``time.monotonic``.
    """

    def __init__(self, work: Path, files: Path, device: str, narrow: bool, end: float) -> None:
        self.work, self.files, self.device, self.narrow, self.end = work, files, device, narrow, end
        self.outcomes: dict[str, StageOutcome] = {}

    def all(self, order: Plan) -> None:
        """Run every stage. Stages that need the results of the background stages wait for them."""
        # The first process starts the server, which imports everything before any stage's time begins.
        Process(Stage("server"), _nothing, self.work, self.left).join()
        begun = [self._start(stage, self.left) for stage in order.background]
        groups = list(order.groups)
        try:
            for number, group in enumerate(groups):
                # Later groups read data that the background stages prepare.
                if number == len(order.first):
                    self._wait(begun)
                # Time that a group does not use goes to the groups after it.
                share = group.share / sum(each.share for each in groups[number:])
                self._group(group, share * self.left)
            self._wait(begun)
        finally:
            for process in begun:
                process.kill()

    @property
    def left(self) -> float:
        """The seconds until everything ends."""
        return max(0.0, self.end - time.monotonic())

    def _group(self, group: Group, seconds: float) -> None:
        """Run the stages of a group within ``seconds``. Each stage gets an equal share of the time that is left."""
        end, waiting = time.monotonic() + seconds, list(group.stages)
        running: list[Process] = []
        try:
            while waiting or running:
                while waiting and len(running) < group.width:
                    rounds = -(-(len(waiting) + len(running)) // group.width)  # rounded up
                    # Some stages of a group end early, so each gets twice its share of the cores.
                    threads = max(1, min(cores(), 2 * cores() // min(group.width, len(group.stages))))
                    running.append(self._start(waiting.pop(0), (end - time.monotonic()) / rounds, threads))
                running = [process for process in running if not self._ended(process)]
                time.sleep(_PAUSE)
        finally:
            for process in running:
                process.kill()

    def _wait(self, processes: list[Process]) -> None:
        """Wait until all ``processes`` have ended."""
        while processes := [process for process in processes if not self._ended(process)]:
            time.sleep(_PAUSE)

    def _start(self, stage: Stage, seconds: float, threads: int | None = None) -> Process:
        """Start the process of a stage with a limit of ``seconds``, and of ``threads`` for its work on the CPU."""
        seconds = max(0.0, seconds)
        work = partial(run_stage, stage.kind, stage.subject, self.files, self.device, self.narrow, seconds)
        print(f"{stage.name}: at most {seconds:.0f} s", flush=True)
        return Process(stage, work, self.work, seconds, threads, self.device != "cpu")

    def _ended(self, process: Process) -> bool:
        """Return True if a process has ended, and note its outcome the first time."""
        outcome = process.outcome()
        if outcome is None:
            return False
        if process.stage.name in self.outcomes:
            return True
        self.outcomes[process.stage.name] = outcome
        print(f"{process.stage.name}: {'out of time' if outcome.code is None else f'exit {outcome.code}'}", flush=True)
        return True


class Process:
    """The process of a stage. It writes ``<name>.log`` and is killed with all its children when its time is up.

    Args:
        stage: The stage.
        work: A function without arguments that can be pickled.
        folder: The current folder of the process. It also gets the log.
        seconds: The time limit.
        threads: The number of threads for work on the CPU. By default torch's choice.
        gpu: The work uses a GPU. By default False.
    """

    def __init__(
        self,
        stage: Stage,
        work: Callable[[], None],
        folder: Path,
        seconds: float,
        threads: int | None = None,
        gpu: bool = False,
    ) -> None:
        self.stage, self._limit = stage, seconds
        log = folder / f"{stage.name}.log"
        self._process = _server().Process(target=_in_session, args=(work, folder, log, threads, gpu), name=stage.name)
        self._process.start()  # the first one waits until the server has imported everything
        self._begin = time.monotonic()

    def outcome(self) -> StageOutcome | None:
        """Return the outcome, or None while the process runs. Kill it if its time is up."""
        code, taken = self._process.exitcode, time.monotonic() - self._begin
        if code is None and taken <= self._limit:
            return None
        if code is None:
            self.kill()
        return StageOutcome(code, round(taken, 1))

    def join(self) -> None:
        """Wait until the process has ended."""
        self._process.join()

    def kill(self) -> None:
        """Kill the process and its children."""
        if self._process.exitcode is not None:
            return
        pid = self._process.pid
        assert pid is not None, "the constructor starts it"
        try:
            # The process has a session of its own, so this includes its data loader workers.
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no session yet, or it has just ended
            self._process.kill()
        self._process.join()


def _server() -> ForkServerContext | SpawnContext:
    """Return the way to start processes: forks of a server that has imported the stages, without a GPU in use.

    A fresh interpreter would import torch for each of twenty stages, which takes longer than some of them.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    # Libraries ask for a GPU when they are imported. With this, torch asks NVML, and not CUDA, which cannot be forked.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["i2vkit.analysis.verification.stages"])
    return context


def _nothing() -> None:
    """Do nothing, as the work of the first process."""


_FRESH = "import pickle, sys; sys.path.insert(0, sys.argv[1]); pickle.loads(bytes.fromhex(sys.argv[2]))()"


def _in_session(work: Callable[[], None], folder: Path, log: Path, threads: int | None, gpu: bool) -> None:
    """Do ``work`` in a session of its own, in ``folder``, with everything that it prints in ``log``."""
    os.setsid()
    os.chdir(folder)
    with log.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")
    doing = partial(_do, work, threads)
    if gpu and torch.cuda._is_in_bad_fork():
        # The server has asked CUDA after all, so this process becomes a fresh interpreter.
        package = str(Path(__file__).parents[3])
        os.execv(sys.executable, [sys.executable, "-c", _FRESH, package, pickle.dumps(doing).hex()])
    doing()


def _do(work: Callable[[], None], threads: int | None) -> None:
    """Do ``work`` with ``threads``, as a tool."""
    if threads is not None:
        torch.set_num_threads(threads)
    run_tool(work)
