"""Many clips, several processes: progress, resuming, and never half a clip."""

import csv
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
from mmengine.utils import ProgressBar

from i2vkit.errors import DataError
from i2vkit.media import atomic_path


def run_jobs(function: Callable, jobs: Sequence, workers: int, chunk: int = 1) -> list:
    """`[function(job) for job in jobs]` in `workers` processes, with a progress bar.

    `function` and the jobs must be picklable; `chunk` jobs in a row go to the same process.

    Raises:
        DataError: The disk is full or cannot be written. What is finished stays, and the next run goes on from there.
    """
    results = []
    progress = ProgressBar(len(jobs)) if jobs else None
    try:
        for result in _results(function, jobs, min(workers, len(jobs)), chunk):
            results.append(result)
            progress.update()
    except OSError as error:
        where = f" {error.filename}:" if error.filename else ""
        raise DataError(
            f"cannot write{where} {error.strerror or error}. Make room or choose another folder and run the same "
            f"command again: the {len(results)} clips of {len(jobs)} that are finished are kept"
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
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        yield from pool.map(function, jobs, chunksize=chunk)
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's: workers finish the clip they are at
    cv2.setNumThreads(1)


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
