"""Descriptions of tables, and the settings on which the scores of one row depend."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2vkit.config.loading import load_config
from i2vkit.engine.work_dirs import latest_checkpoint
from i2vkit.errors import ConfigError
from i2vkit.models.generator_weights import file_digest
from i2vkit.utils.json_files import read_json
from i2vkit.utils.named import named_entries
from i2vkit.values import check_keys

_LONGEST = 200  # bytes of a name, to which suffixes are added
BUDGETS = ("iterations", "minutes")
_BUDGET_HINTS: dict[str, Any] = {"iterations": int, "minutes": float}
# Types of the values of a table, and of a row.
_HINTS: dict[str, Any] = _BUDGET_HINTS | {
    "title": str,
    "description": str,
    "rows": list[dict],
    "seed": int,
    "seeds": list[int],
    "protocol": str | None,
    "options": dict,
    "sets": dict[str, dict],
    "narrow": bool,
    "jobs": int,
    "reference": list[dict],
}
_ROW_HINTS: dict[str, Any] = _BUDGET_HINTS | {
    "name": str,
    "config": str,
    "options": dict,
    "use": list[str],
    "after": str,
    "scored": bool,
    "parents": list[str],
}
KEYS, ROW_KEYS = set(_HINTS), set(_ROW_HINTS)


def read_description(path: str | Path) -> dict[str, Any]:
    """Read and check the description of a table, a JSON file.

    Its keys:

    - ``title`` and ``rows`` are required. Each row has a ``name`` and a ``config``.
    - ``iterations`` or ``minutes`` is the budget, of the table or of one row. Minutes are processor minutes of one
      thread.
    - ``options``, of the table or of one row, are options as in ``--cfg-options``.
    - ``sets`` are named groups of options. A row takes them with ``use``.
    - ``after``, in a row, names a row above it, whose newest checkpoint becomes its ``model.pretrained``.
    - ``scored``, in a row, is false if the row is only trained so that others can load its weights.
    - ``parents``, in a row, names rows. The table shows the difference from each of them.
    - ``seed`` (by default 0) or several ``seeds`` for the trainings.
    - ``protocol``, by default the config's first, and ``jobs``, by default 1.
    - ``narrow`` is true if the models are narrowed.
    - ``reference`` lists published numbers, which are shown apart, each with ``name``, ``source`` and ``scores``.

    Raises:
        ConfigError: The file cannot be read, keys are unknown or missing, or rows do not fit together.
    """
    try:
        table = read_json(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is no description of a table: {error}") from error
    if not isinstance(table, dict) or {"title", "rows"} - set(table) or len(set(BUDGETS) & set(table)) != 1:
        raise ConfigError(f"{path}: a table needs title, rows, and either iterations or minutes")
    check_keys(table, _HINTS, str(path))
    for number, row in enumerate(table["rows"]):
        check_keys(row, _ROW_HINTS, f"{path}: rows.{number}")
    unknown = sorted((set(table) - KEYS) | {key for row in table["rows"] for key in set(row) - ROW_KEYS})
    if unknown:
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}; known: {', '.join(sorted(KEYS | ROW_KEYS))}")
    if "seed" in table and "seeds" in table:
        raise ConfigError(f"{path}: give seed or seeds, not both")
    _check_rows(table, path)
    return table


def _check_rows(table: dict, path: str | Path) -> None:
    """Raise ``ConfigError`` if names are missing or repeated, or if a row refers to something that does not exist."""
    if not table["rows"]:
        raise ConfigError(f"{path}: rows is empty, so there is nothing to train")
    if "seeds" in table and len(set(table["seeds"])) != max(1, len(table["seeds"])):
        raise ConfigError(f"{path}: seeds is {table['seeds']}, but takes one or more numbers, each once")
    before: list[str] = []
    for row in table["rows"]:
        name = row.get("name")
        if not name or "config" not in row or name in before or set(name) & set("./\\") or not _can_be_a_file(name):
            raise ConfigError(
                f"{path}: each row needs a config and a unique name without dots and slashes, which is not so for {row}"
            )
        if lost := set(row.get("use", ())) - set(table.get("sets", {})):
            raise ConfigError(f"{path}: row {name} uses {sorted(lost)}, which is not among the sets")
        if row.get("after", name) not in [*before, name] or row.get("after") == name:
            raise ConfigError(f"{path}: row {name} is after {row['after']!r}, which is no row above it")
        before.append(name)
    for row in table["rows"]:
        if lost := set(row.get("parents", ())) - set(before):
            raise ConfigError(f"{path}: row {row['name']} has parents that are no rows: {', '.join(sorted(lost))}")


def _can_be_a_file(name: str) -> bool:
    """Return True for a name that a folder can have on every disk."""
    return name.isprintable() and len(name.encode()) <= _LONGEST


def seeds_of(table: dict) -> list[int]:
    """Return the seeds with which each row is trained."""
    return table.get("seeds") or [table.get("seed", 0)]


def budget_of(table: dict, row: dict) -> dict[str, float]:
    """Return the budget of a row, ``{"iterations": n}`` or ``{"minutes": m}``: its own, or else the table's.

    >>> budget_of({"minutes": 3}, {"name": "a", "iterations": 90}), budget_of({"minutes": 3}, {"name": "b"})
    ({'iterations': 90}, {'minutes': 3})
    """
    owner = row if set(BUDGETS) & set(row) else table
    return {key: owner[key] for key in BUDGETS if key in owner}


def check_configs(table: dict, names: set[str], path: str | Path) -> None:
    """Load the configs of some rows with all their options, before any row runs.

    Args:
        table: A table from ``read_description``.
        names: The names of the rows.
        path: The description, for the message.

    Raises:
        ConfigError: Configs or options are wrong. The message names every such row.
    """
    wrong = []
    for row in table["rows"]:
        if row["name"] in names:
            try:
                _, cfg = _options_and_config(table, row)
                if "after" in row and not cfg.model.get("pretrained"):
                    raise ConfigError(f"it is after {row['after']}, but its model.pretrained is empty")
            except ConfigError as error:
                wrong.append(f"row {row['name']}: {error}")
    if wrong:
        raise ConfigError(f"{path}: {len(wrong)} of {len(names)} rows are wrong, and none has run. " + "; ".join(wrong))


def _options_and_config(table: dict, row: dict) -> tuple[dict[str, Any], Config]:
    """Return the options of a row, and its config with them."""
    # The processor time of worker processes would not be counted, so load the data in this process.
    options = {f"{use}_dataloader.num_workers": 0 for use in ("train", "test") if "minutes" in budget_of(table, row)}
    options |= table.get("options", {})
    # Later options win: the table's, then those of sets, then the row's own.
    for name in row.get("use", ()):
        options |= table["sets"][name]
    options |= row.get("options", {})
    return options, load_config(row["config"], options)


def row_settings(table: dict, row: dict, seed: int, basis: Path | None = None) -> dict[str, Any]:
    """Return everything that a row's scores depend on, with a digest of its config after all options.

    Args:
        table: A table from ``read_description``.
        row: One of its rows.
        seed: The seed of the training.
        basis: The work dir of the training of the row whose weights it loads. By default None.

    Raises:
        ConfigError: A config or an option is wrong.
        CheckpointError: ``basis`` has no checkpoint.
    """
    options, cfg = _options_and_config(table, row)
    settings = {"config": row["config"], "options": options, "budget": budget_of(table, row), "seed": seed}
    settings |= {"protocol": table.get("protocol"), "scored": row.get("scored", True)}
    settings["config_sha256"] = hashlib.sha256(cfg.pretty_text.encode()).hexdigest()
    if basis is not None:
        # The content of these weights matters, and not their path.
        settings["after"] = {"row": row["after"], "sha256": file_digest(latest_checkpoint(basis))}
    return settings


def folder_of(name: str, seed: int) -> str:
    """Return the folder of a row, relative to that of its table. Names of rows have no dots.

    >>> folder_of("dtgan", 0), folder_of("dtgan", 1)
    ('dtgan', 'dtgan.seed1')
    """
    return name if seed == 0 else f"{name}.seed{seed}"


def scale_schedules(cfg: Config, iterations: int) -> Config:
    """Return a copy of ``cfg`` for a training of ``iterations``, without validation and with two checkpoints kept.

    Everything that the config counts in iterations (learning rates, phases, weights of losses) takes the same share of
    the training as before.
    """
    cfg = copy.deepcopy(cfg)  # Config.copy is shallow
    ratio = iterations / cfg.train_cfg.max_iters

    def at(iteration: float) -> int:
        return round(iteration * ratio)

    for scheduler in named_entries(cfg.get("param_scheduler"), "param_scheduler").values():
        scheduler.begin = at(scheduler.get("begin", 0))
        scheduler.end = max(at(scheduler.end), scheduler.begin + 1)
    for phase in named_entries(cfg.model.phases, "phases").values():
        # Phases begin and end at the same share of the training.
        phase.update({key: at(phase[key]) for key in ("begin", "end") if phase.get(key) is not None})
        for loss in named_entries(phase.losses, "losses").values():
            # A weight that is a list is a schedule of (iteration, weight).
            if isinstance(loss.get("weight"), list | tuple):
                loss.weight = _distinct([(at(step), weight) for step, weight in loss.weight])
    cfg.train_cfg.update(max_iters=iterations, val_interval=iterations + 1)
    for key in ("val_dataloader", "val_evaluator", "val_cfg"):  # mmengine would validate after the last iteration
        cfg.pop(key, None)
    cfg.default_hooks.checkpoint.update(interval=max(1, iterations // 4), max_keep_ckpts=2, save_best=None)
    return cfg


def _distinct(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points of a schedule with strictly increasing steps, each moved as little as possible.

    >>> _distinct([(3, 0.0), (3, 1.0), (9, 2.0)])
    [(3, 0.0), (4, 1.0), (9, 2.0)]
    """
    result: list[tuple[int, float]] = []
    for step, weight in points:
        result.append((max(step, result[-1][0] + 1) if result else step, weight))
    return result
