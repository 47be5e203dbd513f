"""Parallel processing of many clips, with progress, resumption and files that are always complete."""

import csv
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from pathlib import Path

import cv2
from mmengine.utils import ProgressBar

from i2vkit.errors import DataError, MediaError
from i2vkit.media import atomic_path, remove_leftovers


def run_jobs(function: Callable, jobs: Sequence, workers: int | None = None, chunk: int = 1) -> list:
    """Return `[function(job) for job in jobs]`, computed in several processes with a progress bar.

    Args:
        function: A function that can be pickled.
        jobs: Its arguments, which can be pickled too.
        workers: The number of processes. By default one for each core.
        chunk: The number of consecutive jobs that go to the same process.

    Raises:
        DataError: The disk is full or cannot be written, or a worker died. Finished clips are kept, and the next run
            continues from there.
    """
    results: list = []
    progress = ProgressBar(len(jobs)) if jobs else None
    try:
        for result in _results(function, jobs, min(workers or available_cores(), len(jobs)), chunk):
            results.append(result)
            if progress is not None:
                progress.update()
    except (OSError, MediaError, BrokenProcessPool) as error:
        # A worker that dies was most probably killed for lack of memory.
        advice = "Use fewer --workers" if isinstance(error, BrokenProcessPool) else "Make room or choose another folder"
        raise DataError(
            f"{error}. {advice} and run the same command again: "
            f"the {len(results)} clips of {len(jobs)} that are finished are kept"
        ) from error
    finally:
        if progress:
            progress.file.write("\n")
    return results


def _results(function: Callable, jobs: Sequence, workers: int, chunk: int) -> Iterator:
    """Yield the results in the order of the jobs."""
    if workers <= 1:
        yield from map(function, jobs)
        return
    context = _clean_processes(function)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        with _interrupts_ignored(), _one_thread_each():  # on Ctrl-C workers finish their clip
            results = pool.map(function, jobs, chunksize=chunk)
        yield from results
    finally:
        pool.shutdown(cancel_futures=True)


def _clean_processes(function: Callable) -> BaseContext:
    """Return the way to start workers for ``function``.

    Workers are not forked from this process, because OpenCV and torch may have started threads here, which a fork
    breaks. They are forked from a server that has imported the function's module once, so that sixteen workers need not
    import torch sixteen times. Where there is no such server, each is a fresh interpreter.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    module = getattr(function, "func", function).__module__  # of a partial, the module of its function
    context.set_forkserver_preload(["__main__", module])
    return context


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that start in this context use one thread for linear algebra.

    The problems are small and many, and there is already one process for each core.
    """
    # The environment is inherited by spawned processes.
    name = "OPENBLAS_NUM_THREADS"  # of numpy and scipy; read when they are imported
    if name in os.environ:
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        del os.environ[name]


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that start in this context ignore Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():  # other threads cannot set signal handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which is renamed to `path` at the end.

    Hence `path` is never incomplete.
    """
    temporary = path.with_name(f".{path.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # left by an interrupted run
    temporary.mkdir(parents=True)
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def claim_folder(root: Path, name: str, settings: dict, beside: Sequence[str] = ()) -> None:
    """Write `settings` to `root/name`, or check that the settings found there are equal.

    So a folder never mixes the results of different settings, or these with other files such as the raw data.

    Args:
        root: The folder. It is empty, or has `name`, or is one of `beside`.
        name: The file of the settings.
        settings: The settings.
        beside: Files that may be there before `name`, because the same program has written them.

    Raises:
        DataError: The folder was made with other settings, has other files, or cannot be created.
    """
    path = root / name
    if not path.exists() and not any((root / other).exists() for other in beside):
        _check_empty(root)
    settings = json.loads(json.dumps(settings))  # for instance, tuples become lists
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{path} is damaged ({error}); remove {root} and run again") from error
        # A setting that an older file lacks counts as None.
        others = [
            f"{key}={found.get(key)!r}, not {value!r}" for key, value in settings.items() if found.get(key) != value
        ]
        if others:
            raise DataError(
                f"{root} was made with other settings ({'; '.join(others)}): choose another --out, "
                "or remove that folder first"
            )
        return
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write to {root}: {error.strerror}") from error


def _check_empty(root: Path) -> None:
    """Raise ``DataError`` if there are files in a folder, apart from hidden ones."""
    found = sorted(entry.name for entry in root.iterdir() if entry.name[0] != ".") if root.is_dir() else []
    if found:
        more = ", ..." if len(found) > 3 else ""
        raise DataError(
            f"{root} is not empty ({', '.join(found[:3])}{more}), and the clips would lie between other files: choose "
            f"another --out"
        )


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Write a CSV file atomically.

    Raises:
        DataError: The disk is full or cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror}. Make room and run the same command again: clips that are "
            f"finished are kept"
        ) from error


def remove_leftovers_below(root: Path) -> None:
    """Remove the temporary files of an interrupted preparation: of its tables, and of one landmark file a clip."""
    for folder in (root, *(path for path in (root / "landmarks").rglob("*") if path.is_dir())):
        remove_leftovers(folder)
