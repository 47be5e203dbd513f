"""Many clips, several processes: progress, resuming, and never half a clip."""

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
from pathlib import Path

import cv2
from mmengine.utils import ProgressBar

from i2vkit.errors import DataError, MediaError
from i2vkit.media import atomic_path


def run_jobs(function: Callable, jobs: Sequence, workers: int | None = None, chunk: int = 1) -> list:
    """`[function(job) for job in jobs]` in `workers` processes (one a core by default), with a progress bar.

    `function` and the jobs must be picklable; `chunk` jobs in a row go to the same process.

    Raises:
        DataError: The disk is full or cannot be written, or a worker died. What is finished stays, and the next run
            goes on from there.
    """
    results = []
    progress = ProgressBar(len(jobs)) if jobs else None
    try:
        for result in _results(function, jobs, min(workers or available_cores(), len(jobs)), chunk):
            results.append(result)
            progress.update()
    except (OSError, MediaError, BrokenProcessPool) as error:
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
    if workers <= 1:
        yield from map(function, jobs)
        return
    # Spawned, not forked: OpenCV and torch may have started threads, which a fork does not survive.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        with _interrupts_ignored(), _one_thread_each():  # Ctrl-C is ours: workers finish their clip
            results = pool.map(function, jobs, chunksize=chunk)
        yield from results
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that start in here do linear algebra by one thread: many small problems, and a process a core."""
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
    if threading.current_thread() is not threading.main_thread():  # others cannot set signals, and get none
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to fill, which takes its name at the end: `path` is complete or not there at all."""
    temporary = path.with_name(f".{path.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # an interrupted run's
    temporary.mkdir(parents=True)
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def claim_folder(root: Path, name: str, settings: dict) -> None:
    """Write `settings` to `root/name`, or check that they are the ones found there, so that no folder mixes two runs.

    Raises:
        DataError: The folder holds something made with other settings, or cannot be made.
    """
    path = root / name
    settings = json.loads(json.dumps(settings))  # as they would be found there
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{path} is damaged ({error}); remove {root} and run again") from error
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


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Write a CSV file, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
