"""Tables: a list of configs, each trained with one budget and tested by one protocol, in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from i2vkit.analysis.tables.description import folder_of, read_description, row_settings, seeds_of
from i2vkit.analysis.tables.row import read_json, write_json
from i2vkit.analysis.tables.table_report import check_scored, write_report
from i2vkit.errors import ConfigError, I2VError


@dataclass
class Task:
    """One row with one seed: its ``folder``, that of the task whose checkpoint it loads, and the GPU it runs on."""

    row: dict
    seed: int
    folder: Path
    basis: Path | None = None
    gpu: str | None = None


def run_table(
    description: str | Path,
    out: str | Path | None = None,
    only: str | None = None,
    budget: dict[str, float] | None = None,
    jobs: int | None = None,
    gpus: Sequence[str] | None = None,
) -> Path:
    """Train and test the rows that are not finished, then write the table of all; returns the folder of it all.

    Args:
        description: a ``.json`` file, see ``read_description``.
        out: folder of the results; by default ``work_dirs/tables/<name of the description>``.
        only: name of the one row to run, with those that it stands after; what the others left is shown with it.
        budget: ``{"iterations": n}`` or ``{"minutes": m}`` of every row, in place of the description's.
        jobs: rows that run at a time, each in one thread; by default the description's.
        gpus: GPUs of the rows, as ``CUDA_VISIBLE_DEVICES`` names them; by default all that are visible. Each row has
            one, and several share it where there are more jobs than GPUs.

    A finished row is run again only if its settings changed; an interrupted one goes on from its checkpoint; one that
    fails is named in the table. Rows end with this process, however it ends.

    Raises:
        ConfigError: a description that makes no sense, or rows whose scores cannot be compared.
    """
    table = changed(read_description(description), budget, jobs)
    out = Path(out or default_out(description))
    tasks = tasks_of(table, out)
    gpus = visible_gpus() if gpus is None else list(gpus)
    results = run_tasks(table, tasks, wanted_names(table, only, description), gpus)
    check_scored(results)
    write_report(table, results, out)
    return out


def default_out(description: str | Path) -> Path:
    """Where the results of a description go."""
    return Path("work_dirs/tables") / Path(description).stem


def changed(table: dict, budget: dict[str, float] | None, jobs: int | None) -> dict[str, Any]:
    """The table with another budget for every row, and another number of jobs."""
    if budget:
        keep = {key: value for key, value in table.items() if key not in ("iterations", "minutes")}
        rows = [{k: v for k, v in row.items() if k not in ("iterations", "minutes")} for row in table["rows"]]
        table = keep | {"rows": rows} | budget
    if jobs is not None:
        table = table | {"jobs": jobs}
    if table.get("jobs", 1) < 1:
        raise ConfigError(f"jobs is how many rows run at a time, 1 or more, not {table['jobs']}")
    return table


def tasks_of(table: dict, out: Path) -> list[Task]:
    """All rows with all seeds; those of the first seed first."""
    tasks = []
    for seed in seeds_of(table):
        for row in table["rows"]:
            basis = out / folder_of(row["after"], seed) if "after" in row else None
            tasks.append(Task(row, seed, out / folder_of(row["name"], seed), basis))
    return tasks


def wanted_names(table: dict, only: str | None, description: str | Path) -> set[str]:
    """The rows to run: all, or one with those that it stands after. Raises ``ConfigError`` if there is no such row."""
    rows = {row["name"]: row for row in table["rows"]}
    if only is None:
        return set(rows)
    if only not in rows:
        raise ConfigError(f"there is no row {only!r} in {description}; its rows: {', '.join(rows)}")
    names, name = set(), only
    while name:
        names.add(name)
        name = rows[name].get("after")
    return names


def visible_gpus() -> list[str]:
    """The GPUs that this process sees, by the names that ``CUDA_VISIBLE_DEVICES`` takes; none without CUDA.

    A row that was given one of them sees it as its only one.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(number) for number in range(torch.cuda.device_count())]
    # CUDA reads the list up to the first name that it does not know; -1 is such a name.
    names = [name.strip() for name in named.split(",")]
    return names[: torch.cuda.device_count()]


def least_used(gpus: Sequence[str], used: Iterable[str | None]) -> str | None:
    """The GPU that the fewest of the running rows use, the first of such; None where there are no GPUs.

    >>> least_used(["0", "1", "2"], ["0", "1", "0"]), least_used(["0", "1"], ["0", "1"]), least_used([], [])
    ('2', '0', None)
    """
    counts = Counter(used)
    return min(gpus, key=lambda gpu: counts[gpu], default=None)


def run_tasks(
    table: dict, tasks: list[Task], wanted: set[str], gpus: Sequence[str] = (), pause: float = 0.2
) -> list[dict[str, Any]]:
    """The results of the tasks, in their order; as many at a time as the table has jobs, each when its basis is there.

    A row that starts gets the one of ``gpus`` that the fewest running ones have.

    A result has ``name``, ``training_seed`` and what ``row.json`` holds, or ``failure``.
    """
    results: dict[Path, dict] = {}
    waiting = list(tasks)
    with processes() as running:
        while waiting or running:
            for task in [task for task in waiting if task.basis is None or task.basis in results]:
                if len(running) < table.get("jobs", 1):
                    waiting.remove(task)
                    basis = results.get(task.basis, {})
                    result = found(table, task, basis, task.row["name"] in wanted)
                    if result is None:
                        task.gpu = least_used(gpus, [other.gpu for other, _ in running.values()])
                        running[task.folder] = task, start_row(task.folder, one_thread(table), task.gpu)
                        where = "" if task.gpu is None else f" on GPU {task.gpu}"
                        print(f"{task.folder.name}: begun{where}", flush=True)
                    else:
                        results[task.folder] = result
                        print(f"{task.folder.name}: {result.get('failure') or 'kept'}", flush=True)
            for folder, (task, process) in list(running.items()):
                if process.poll() is not None:
                    del running[folder]
                    results[folder] = outcome(task, process.returncode)
                    done = f"{len(results)} of {len(tasks)} done"
                    print(f"{folder.name}: {results[folder].get('failure') or 'finished'}; {done}", flush=True)
            if running:
                time.sleep(pause)
    return [results[task.folder] for task in tasks]


@contextmanager
def processes() -> Iterator[dict[Path, tuple[Task, subprocess.Popen]]]:
    """The running rows by folder; those that still run at the end are ended."""
    running: dict[Path, tuple[Task, subprocess.Popen]] = {}
    try:
        yield running
    finally:
        for _, process in running.values():
            process.kill()
            process.wait()


def one_thread(table: dict) -> bool:
    """Whether a row has one thread: where several run at a time, or where processor time is counted."""
    return table.get("jobs", 1) > 1 or "minutes" in table


def found(table: dict, task: Task, basis: dict, wanted: bool) -> dict[str, Any] | None:
    """The result of a task that need not or cannot run; None for one that is to be started, its settings written."""
    base, folder = {"name": task.row["name"], "training_seed": task.seed}, task.folder
    if "failure" in basis:
        return base | {"failure": f"{task.row['after']}, which it stands after, is not there"}
    try:
        settings = row_settings(table, task.row, task.seed, task.basis and task.basis / "train")
    except I2VError as error:
        return base | {"failure": str(error)}
    finished = read_json(folder / "row.json")
    if finished and finished["settings"] == settings:
        return finished | base
    if not wanted:
        return base | {"failure": "not run"}
    if folder.exists() and read_json(folder / "settings.json") != settings:
        if any(folder.iterdir()) and not (folder / "settings.json").exists():
            return base | {"failure": f"{folder} holds something else than a row: move it away"}
        shutil.rmtree(folder)
    write_json(folder / "settings.json", settings)
    return None


def start_row(folder: Path, single_thread: bool, gpu: str | None = None) -> subprocess.Popen:
    """Start the process of a row, which writes ``folder/log.txt`` and ends when this process does.

    It sees ``gpu`` only; with None what this process sees.
    """
    command = [sys.executable, "-m", "i2vkit.analysis.tables.row", str(folder), str(os.getpid())]
    own = {"OMP_NUM_THREADS": "1"} if single_thread else {}
    own |= {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | own)


def outcome(task: Task, code: int) -> dict[str, Any]:
    """The result of a task whose process ended."""
    base = {"name": task.row["name"], "training_seed": task.seed}
    finished = read_json(task.folder / "row.json")
    return (finished | base) if code == 0 and finished else base | {"failure": _last_words(task.folder, code)}


def _last_words(folder: Path, code: int) -> str:
    lines = [line.strip() for line in (folder / "log.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or [f"exit code {code}"])[-1].removeprefix("error: ")
