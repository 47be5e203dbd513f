"""Execution of tables: each config of a list is trained and tested in a process of its own, with one budget."""

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

from i2vkit.analysis.tables.description import (
    check_configs,
    folder_of,
    read_description,
    row_settings,
    seeds_of,
)
from i2vkit.analysis.tables.row import read_json, write_json
from i2vkit.analysis.tables.table_report import NOT_RUN, check_scored, write_report
from i2vkit.errors import ConfigError, I2VError, TrainingError
from i2vkit.media import remove_leftovers


@dataclass
class Task:
    """A row with one seed.

    Attributes:
        row: The row of the description.
        seed: The seed of its training.
        folder: The folder of its results.
        basis: The folder of the task whose checkpoint it loads, or None.
        gpu: The GPU that it runs on, or None.
    """

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
    strict: bool = False,
) -> Path:
    """Train and test the rows that are not finished, then write the table of all rows.

    A finished row runs again only if its settings have changed. An interrupted row resumes from its checkpoint. A row
    that fails is named in the table. Rows end with this process, however it ends.

    Args:
        description: A ``.json`` file, see ``read_description``.
        out: The folder of the results. By default ``work_dirs/tables/<name of the description>``.
        only: The name of the one row to run, together with the rows whose weights it needs. The table also shows older
            results of other rows.
        budget: ``{"iterations": n}`` or ``{"minutes": m}`` for every row, in place of the description's.
        jobs: The number of rows that run at a time, each in one thread. By default the description's.
        gpus: The GPUs to use, as in ``CUDA_VISIBLE_DEVICES``. By default all that are visible. Each row has one GPU,
            and several rows share it if there are more jobs than GPUs.
        strict: Raise an error at the end if a row that was to run has failed. Default False.

    Returns:
        The folder of the results.

    Raises:
        ConfigError: The description, the budget, or a config or an option of a row to run is wrong, which is said
            before any row runs, or the scores of rows cannot be compared.
        TrainingError: With ``strict``, rows have failed. The table is written all the same.
    """
    table = changed(read_description(description), budget, jobs)
    out = Path(out or default_out(description))
    tasks = tasks_of(table, out)
    gpus = visible_gpus() if gpus is None else list(gpus)
    wanted = wanted_names(table, only, description)
    check_configs(table, wanted, description)
    for folder in (
        out,
        *(task.folder / below for task in tasks for below in (".", "test", "test/strips", "test/videos")),
    ):
        remove_leftovers(folder)  # of an interrupted run
    results = run_tasks(table, tasks, wanted, gpus)
    check_scored(results)
    write_report(table, results, out)
    failed = [result for result in results if "failure" in result and result["name"] in wanted]
    if strict and failed:
        count = sum(task.row["name"] in wanted for task in tasks)
        raise TrainingError(
            f"{len(failed)} of {count} rows failed, the first is {failed[0]['name']}: {failed[0]['failure']}. Their "
            f"logs are in {out}/ROW/log.txt; run the same command again to go on"
        )
    return out


def default_out(description: str | Path) -> Path:
    """Return the default folder for the results of a description."""
    return Path("work_dirs/tables") / Path(description).stem


def changed(table: dict, budget: dict[str, float] | None, jobs: int | None) -> dict[str, Any]:
    """Return the table with another budget for every row and another number of jobs, if given."""
    if wrong := [f"{key} {value}" for key, value in (budget or {}).items() if not value > 0]:
        raise ConfigError(f"the budget of a row is more than 0, not {wrong[0]}")
    if budget:
        keep = {key: value for key, value in table.items() if key not in ("iterations", "minutes")}
        rows = [{k: v for k, v in row.items() if k not in ("iterations", "minutes")} for row in table["rows"]]
        table = keep | {"rows": rows} | budget
    if jobs is not None:
        table = table | {"jobs": jobs}
    if table.get("jobs", 1) < 1:
        raise ConfigError(f"jobs is the number of rows that run at a time, 1 or more, not {table['jobs']}")
    return table


def tasks_of(table: dict, out: Path) -> list[Task]:
    """Return all rows with all seeds, those of the first seed first."""
    tasks = []
    for seed in seeds_of(table):
        for row in table["rows"]:
            basis = out / folder_of(row["after"], seed) if "after" in row else None
            tasks.append(Task(row, seed, out / folder_of(row["name"], seed), basis))
    return tasks


def wanted_names(table: dict, only: str | None, description: str | Path) -> set[str]:
    """Return the names of the rows to run: all, or one with the rows whose weights it needs.

    Raises:
        ConfigError: There is no row called ``only``.
    """
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
    """Return the GPUs that this process sees, by their names in ``CUDA_VISIBLE_DEVICES``. Without CUDA there are none.

    A row that is given one of them sees it as its only GPU.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(number) for number in range(torch.cuda.device_count())]
    # CUDA reads the list up to the first name that it does not know. -1 is such a name.
    names = [name.strip() for name in named.split(",")]
    return names[: torch.cuda.device_count()]


def least_used(gpus: Sequence[str], used: Iterable[str | None]) -> str | None:
    """Return the first of the GPUs that the fewest running rows use, or None if there are no GPUs.

    >>> least_used(["0", "1", "2"], ["0", "1", "0"]), least_used(["0", "1"], ["0", "1"]), least_used([], [])
    ('2', '0', None)
    """
    counts = Counter(used)
    return min(gpus, key=lambda gpu: counts[gpu], default=None)


def run_tasks(
    table: dict, tasks: list[Task], wanted: set[str], gpus: Sequence[str] = (), pause: float = 0.2
) -> list[dict[str, Any]]:
    """Run the tasks and return their results in the same order.

    As many tasks run at a time as the table has jobs. A task starts when the task that it depends on has ended, on the
    one of ``gpus`` that the fewest running tasks use. A result has ``name``, ``training_seed`` and the content of
    ``row.json``, or a ``failure``.
    """
    results: dict[Path, dict] = {}
    waiting = list(tasks)
    with processes() as running:
        while waiting or running:
            # A task can start when the task whose weights it loads has a result, even a failure.
            for task in [task for task in waiting if task.basis is None or task.basis in results]:
                if len(running) < table.get("jobs", 1):
                    waiting.remove(task)
                    basis = {} if task.basis is None else results.get(task.basis, {})
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
    """Collect the running rows by folder inside the context, and kill those that still run at its end."""
    running: dict[Path, tuple[Task, subprocess.Popen]] = {}
    try:
        yield running
    finally:
        for _, process in running.values():
            process.kill()
            process.wait()


def one_thread(table: dict) -> bool:
    """Return True if a row uses one thread: several rows run at a time, or processor time is the budget."""
    return table.get("jobs", 1) > 1 or "minutes" in table


def found(table: dict, task: Task, basis: dict, wanted: bool) -> dict[str, Any] | None:
    """Return the result of a task that is finished, not wanted or impossible.

    For a task that must run it writes the settings and returns None.
    """
    base, folder = {"name": task.row["name"], "training_seed": task.seed}, task.folder
    if "failure" in basis:
        return base | {"failure": f"{task.row['after']}, whose weights it needs, is not finished"}
    try:
        settings = row_settings(table, task.row, task.seed, task.basis and task.basis / "train")
    except I2VError as error:
        return base | {"failure": str(error)}
    finished = read_json(folder / "row.json")
    if finished and finished["settings"] == settings:
        return finished | base
    if not wanted:
        return base | {"failure": NOT_RUN}
    if folder.exists() and read_json(folder / "settings.json") != settings:
        # Never delete a folder that no row has made.
        if any(folder.iterdir()) and not (folder / "settings.json").exists():
            return base | {"failure": f"{folder} contains something other than a row: move it away"}
        shutil.rmtree(folder)
    write_json(folder / "settings.json", settings)
    return None


def start_row(folder: Path, single_thread: bool, gpu: str | None = None) -> subprocess.Popen:
    """Start the process of a row. It writes ``folder/log.txt`` and ends when this process ends.

    The process sees only ``gpu``, or everything that this process sees if ``gpu`` is None.
    """
    command = [sys.executable, "-m", "i2vkit.analysis.tables.row", str(folder), str(os.getpid())]
    own = {"OMP_NUM_THREADS": "1"} if single_thread else {}
    # Each row sees a single GPU, so it needs no device option.
    own |= {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | own)


def outcome(task: Task, code: int) -> dict[str, Any]:
    """Return the result of a task whose process has ended."""
    base = {"name": task.row["name"], "training_seed": task.seed}
    finished = read_json(task.folder / "row.json")
    return (finished | base) if code == 0 and finished else base | {"failure": _last_words(task.folder, code)}


def _last_words(folder: Path, code: int) -> str:
    """Return the last error in a row's log, or else its last line."""
    lines = [line.strip() for line in (folder / "log.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
    # Tools print errors of users as "error: ...", and other errors end in a traceback.
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or [f"exit code {code}"])[-1].removeprefix("error: ")
