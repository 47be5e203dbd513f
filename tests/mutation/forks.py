"""Runs of pytest in forked processes, which need not import PyTorch again, with a mutant or a record of lines."""

import importlib.util
import os
import signal
import sys
import threading
import time
from ast import Module
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch

_CONTEXT = get_context("fork")
# Modules that pytest would have liked to import itself are there already.
_IMPORTED = "ignore::pytest.PytestAssertRewriteWarning"
PYTEST = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow", "-W", _IMPORTED]


class MutantLoader(SourceFileLoader):
    """Loads one module from a syntax tree, and everything else is loaded as ever."""

    def __init__(self, name: str, path: str, tree: Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str):
        return compile(self.tree, self.path, "exec")

    def find_spec(self, fullname: str, path: object = None, target: object = None):
        return (
            importlib.util.spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None
        )


class FirstFailure:
    """Remembers the first test that failed."""

    def __init__(self) -> None:
        self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid


class LinesOfTests:
    """Records the time of each test, and the lines of some modules that it runs.

    Args:
        files: The absolute paths of the modules.
    """

    def __init__(self, files: set[str]) -> None:
        self.files, self.tests, self._lines = files, {}, set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        self._lines, start = set(), time.monotonic()
        threading.settrace(self._call)
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            lines: dict[str, list[int]] = {}
            for file, line in sorted(self._lines):
                lines.setdefault(file, []).append(line)
            found = self.tests.setdefault(item.nodeid, dict(passed=True))
            found.update(seconds=round(time.monotonic() - start, 2), lines=lines)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.tests.setdefault(report.nodeid, {})["passed"] = False

    def _call(self, frame, event: str, argument: object):
        return self._line if frame.f_code.co_filename in self.files else None

    def _line(self, frame, event: str, argument: object):
        self._lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def _forked(work: Callable[[], Any], limit: float) -> Any:
    """Return what ``work()`` returns in a forked process, or None if it takes ``limit`` seconds.

    Raises:
        EOFError: The process ended without an answer.
    """
    receiver, sender = _CONTEXT.Pipe(duplex=False)

    def child() -> None:
        os.setsid()  # so that what it starts can be ended with it
        torch.set_num_threads(1)  # threads of the parent do not survive a fork
        log = os.open(os.devnull, os.O_WRONLY)
        os.dup2(log, 1), os.dup2(log, 2)
        sender.send(work())
        os._exit(0)

    process = _CONTEXT.Process(target=child)
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(limit) else None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.join()


def record_lines(files: set[str], tests: str, limit: float = 240) -> dict[str, dict]:
    """Return the tests of a file by name, each with ``passed``, ``seconds`` and ``lines``.

    There are none after the limit in seconds: a compiler under a tracer takes an hour.
    """

    def work() -> dict:
        recorder = LinesOfTests(files)
        pytest.main([*PYTEST, tests], plugins=[recorder])
        return recorder.tests

    return _forked(work, limit) or {}


def first_failure(root: Path, module: str, tree: Module, tests: list[str], limit: float) -> str | None:
    """Return the first of some tests that fails on a mutant, "" if none does.

    Args:
        root: The repository.
        module: The file of the mutant, relative to it.
        tree: The mutant.
        tests: The tests, in the order in which they are tried.
        limit: Seconds. When they are over, the mutant counts as hanging.

    Returns:
        The name of a test, "an import" if nothing can be collected, "an end of the process" if that is what happens,
        "" if no test fails, None after the limit.
    """

    def work() -> str:
        parts = Path(module).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sys.meta_path.insert(0, MutantLoader(name, str(root / module), tree))
        failure = FirstFailure()
        code = pytest.main([*PYTEST, "-x", *tests], plugins=[failure])
        return failure.test or ("" if code == 0 else "an import")

    try:
        return _forked(work, limit)
    except EOFError:
        return "an end of the process"
