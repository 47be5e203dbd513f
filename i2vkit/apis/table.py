"""Tables: a list of configs, each trained with one budget and tested by one protocol, in processes of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from i2vkit.apis.config import load_config
from i2vkit.apis.table_report import check_comparable, write_report
from i2vkit.errors import CheckpointError, ConfigError, I2VError
from i2vkit.media import atomic_path

KEYS = {"title", "description", "iterations", "rows", "seed", "protocol", "options", "sets", "narrow"}
ROW_KEYS = {"name", "config", "options", "use"}


def run_table(
    description: str | Path, out: str | Path | None = None, only: str | None = None, iterations: int | None = None
) -> list[dict[str, Any]]:
    """Train and test the rows that are not finished, then write the table of all; returns the rows.

    Args:
        description: a ``.json`` file, see ``read_description``.
        out: folder of the results; by default ``work_dirs/tables/<name of the description>``.
        only: name of the one row to run; what the others left in ``out`` is shown with it.
        iterations: in place of the description's.

    A finished row is run again only if its settings changed; an interrupted one goes on from its checkpoint; one that
    fails is named in the table.

    Raises:
        ConfigError: a description that makes no sense, or rows whose scores cannot be compared.
    """
    table = read_description(description)
    out = Path(out or Path("work_dirs/tables") / Path(description).stem)
    names = [row["name"] for row in table["rows"]]
    if only is not None and only not in names:
        raise ConfigError(f"there is no row {only!r} in {description}; its rows: {', '.join(names)}")
    if iterations is not None:
        table["iterations"] = iterations
    results, spent = [], []
    for number, row in enumerate(table["rows"], 1):
        start = time.monotonic()
        left = f", about {sum(spent) / len(spent) * (len(names) - number + 1) / 60:.1f} min left" if spent else ""
        print(f"row {number} of {len(names)}: {row['name']}{left}", flush=True)
        folder = out / row["name"]
        result, ran = run_row(table, row, folder, only in (None, row["name"]))
        results.append(result)
        print(f"  {result.get('failure') or ('finished' if ran else 'kept')}", flush=True)
        if ran:
            spent.append(time.monotonic() - start)
    check_comparable(results)
    write_report(table, results, out)
    return results


def read_description(path: str | Path) -> dict[str, Any]:
    """A table's description, checked: ``title``, ``iterations`` and ``rows`` of ``name`` and ``config``.

    ``options`` (of all rows or of one) are as ``--cfg-options`` takes them; ``sets`` are named groups of options that a
    row takes with ``use``; ``seed`` is 0 and ``protocol`` the config's first unless given; ``narrow`` true marks the
    table as one of narrowed models.
    """
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is no description of a table: {error}") from error
    if not isinstance(table, dict) or (missing := {"title", "iterations", "rows"} - set(table)):
        raise ConfigError(f"{path}: a table needs title, iterations and rows")
    rows = table["rows"]
    unknown = sorted((set(table) - KEYS) | {key for row in rows for key in set(row) - ROW_KEYS})
    if unknown or missing:
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}; known: {', '.join(sorted(KEYS | ROW_KEYS))}")
    names = [row.get("name") for row in rows]
    for row in rows:
        if not row.get("name") or "config" not in row or names.count(row["name"]) > 1 or set(row["name"]) & set("./\\"):
            raise ConfigError(
                f"{path}: each row needs a config and a name of its own without dots and slashes, unlike {row}"
            )
        if lost := set(row.get("use", ())) - set(table.get("sets", {})):
            raise ConfigError(f"{path}: row {row['name']} uses {sorted(lost)}, which is not among the sets")
    return table


def row_settings(table: dict, row: dict) -> dict[str, Any]:
    """All that a row's scores depend on, with a digest of its config after all options."""
    steps = table["iterations"]
    options = {
        "train_cfg.max_iters": steps,
        "train_cfg.val_interval": steps + 1,  # the last weights are tested, so that all rows have the same budget
        "default_hooks.checkpoint.interval": max(1, steps // 4),
        "default_hooks.checkpoint.max_keep_ckpts": 2,
        **table.get("options", {}),
    }
    for name in row.get("use", ()):
        options |= table["sets"][name]
    options |= row.get("options", {})
    text = load_config(row["config"], options).pretty_text
    return {
        "config": row["config"],
        "options": options,
        "iterations": steps,
        "seed": table.get("seed", 0),
        "protocol": table.get("protocol"),
        "config_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def run_row(table: dict, row: dict, folder: Path, wanted: bool = True) -> tuple[dict[str, Any], bool]:
    """A row's result, and whether it was trained or tested now; a failure is a result with ``failure``."""
    base = {"name": row["name"]}
    try:
        settings = row_settings(table, row)
    except I2VError as error:
        return base | {"failure": str(error)}, False
    finished = _read(folder / "row.json")
    if finished and finished["settings"] == settings:
        return base | finished, False
    if not wanted:
        return base | {"failure": "not run"}, False
    if folder.exists() and _read(folder / "settings.json") != settings:
        if any(folder.iterdir()) and not (folder / "settings.json").exists():
            return base | {"failure": f"{folder} holds something else than a row: move it away"}, False
        shutil.rmtree(folder)
    _write(folder / "settings.json", settings)
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "i2vkit.apis.table", str(folder)]
        code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    finished = _read(folder / "row.json")
    if code == 0 and finished:
        return base | finished, True
    return base | {"failure": _last_words(folder / "log.txt", code)}, True


def train_and_test(folder: Path) -> None:
    """Do what ``folder/settings.json`` says, from the newest checkpoint there is, and write ``folder/row.json``."""
    from i2vkit.apis.test import test
    from i2vkit.apis.train import train
    from i2vkit.engine.checkpoints import latest_checkpoint

    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    cfg = load_config(settings["config"], settings["options"])
    weights = folder / "train"
    try:
        begun = int(latest_checkpoint(weights).stem.removeprefix("iter_"))
    except CheckpointError:
        begun = 0
    start = time.monotonic()
    if begun < settings["iterations"]:
        train(cfg, weights, resume=begun > 0, seed=settings["seed"])
    seconds = time.monotonic() - start
    protocol = settings["protocol"]
    checkpoint = latest_checkpoint(weights)
    result = test(cfg, checkpoint, protocol, folder / "test", save_videos=True, options=settings["options"])
    times = {"seconds": seconds, "resumed_from": begun, "iterations": settings["iterations"]}
    _write(folder / "row.json", {"settings": settings, **times, **result})


def _last_words(log: Path, code: int) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or [f"exit code {code}"])[-1].removeprefix("error: ")


def _read(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _write(path: Path, content: dict) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from i2vkit.apis.cli import run_tool

    run_tool(lambda: train_and_test(Path(sys.argv[1])))
