"""Descriptions of tables, and what the scores of one row depend on."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2vkit.config.loading import load_config
from i2vkit.engine.checkpoints import latest_checkpoint
from i2vkit.errors import ConfigError
from i2vkit.models.generator_weights import file_digest
from i2vkit.utils.named import named_entries

BUDGETS = ("iterations", "minutes")
KEYS = {"title", "description", "rows", "seed", "seeds", "protocol", "options", "sets", "narrow", "jobs", "reference"}
KEYS |= set(BUDGETS)
ROW_KEYS = {"name", "config", "options", "use", "after", "scored", "parents", *BUDGETS}


def read_description(path: str | Path) -> dict[str, Any]:
    """A table's description, checked: ``title``, a budget, and ``rows`` of ``name`` and ``config``.

    The budget, of all rows or of one, is ``iterations``, or ``minutes``: processor minutes of one thread. ``options``
    (likewise) are as ``--cfg-options`` takes them; ``sets`` are named groups of options that a row takes with ``use``.
    A row that stands ``after`` another loads that one's newest checkpoint as its ``model.pretrained``; one that is not
    ``scored`` is trained for such rows only. How a row differs from those that it names as ``parents`` is shown.
    ``seed`` is 0, or there are several ``seeds``; ``protocol`` is the config's first and ``jobs`` 1 unless given.
    ``narrow`` true marks the table as one of narrowed models. ``reference`` lists numbers of others that are shown
    apart: ``name``, ``source``, ``scores``.

    Raises:
        ConfigError: no such file; unknown or missing keys; rows that do not fit together.
    """
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is no description of a table: {error}") from error
    if not isinstance(table, dict) or {"title", "rows"} - set(table) or len(set(BUDGETS) & set(table)) != 1:
        raise ConfigError(f"{path}: a table needs title, rows, and either iterations or minutes")
    unknown = sorted((set(table) - KEYS) | {key for row in table["rows"] for key in set(row) - ROW_KEYS})
    if unknown:
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}; known: {', '.join(sorted(KEYS | ROW_KEYS))}")
    if "seed" in table and "seeds" in table:
        raise ConfigError(f"{path}: give seed or seeds")
    _check_rows(table, path)
    return table


def _check_rows(table: dict, path: str | Path) -> None:
    before: list[str] = []
    for row in table["rows"]:
        name = row.get("name")
        if not name or "config" not in row or name in before or set(name) & set("./\\"):
            raise ConfigError(
                f"{path}: each row needs a config and a name of its own without dots and slashes, unlike {row}"
            )
        if lost := set(row.get("use", ())) - set(table.get("sets", {})):
            raise ConfigError(f"{path}: row {name} uses {sorted(lost)}, which is not among the sets")
        if row.get("after", name) not in [*before, name] or row.get("after") == name:
            raise ConfigError(f"{path}: row {name} stands after {row['after']!r}, which is no row above it")
        before.append(name)
    for row in table["rows"]:
        if lost := set(row.get("parents", ())) - set(before):
            raise ConfigError(f"{path}: row {row['name']} has parents that are no rows: {', '.join(sorted(lost))}")


def seeds_of(table: dict) -> list[int]:
    """The seeds with which each row is trained."""
    return table.get("seeds") or [table.get("seed", 0)]


def budget_of(table: dict, row: dict) -> dict[str, float]:
    """``{"iterations": n}`` or ``{"minutes": m}``: the row's own, or the table's.

    >>> budget_of({"minutes": 3}, {"name": "a", "iterations": 90}), budget_of({"minutes": 3}, {"name": "b"})
    ({'iterations': 90}, {'minutes': 3})
    """
    owner = row if set(BUDGETS) & set(row) else table
    return {key: owner[key] for key in BUDGETS if key in owner}


def row_settings(table: dict, row: dict, seed: int, basis: Path | None = None) -> dict[str, Any]:
    """All that a row's scores depend on, with a digest of its config after all options.

    Args:
        table: of ``read_description``.
        row: one of its rows.
        seed: of its training.
        basis: work dir of the training of the row that it stands ``after``.

    Raises:
        ConfigError: a config or an option that makes no sense.
        CheckpointError: ``basis`` holds no checkpoint.
    """
    budget = budget_of(table, row)
    # Workers are processes of their own, whose time is not this one's.
    options = {f"{use}_dataloader.num_workers": 0 for use in ("train", "test") if "minutes" in budget}
    options |= table.get("options", {})
    for name in row.get("use", ()):
        options |= table["sets"][name]
    options |= row.get("options", {})
    cfg = load_config(row["config"], options)
    settings = {"config": row["config"], "options": options, "budget": budget, "seed": seed}
    settings |= {"protocol": table.get("protocol"), "scored": row.get("scored", True)}
    settings["config_sha256"] = hashlib.sha256(cfg.pretty_text.encode()).hexdigest()
    if basis is not None:
        if not cfg.model.get("pretrained"):
            raise ConfigError(f"row {row['name']} stands after {row['after']}, but its model.pretrained is empty")
        # It matters what these weights are, not where they lie.
        settings["after"] = {"row": row["after"], "sha256": file_digest(latest_checkpoint(basis))}
    return settings


def folder_of(name: str, seed: int) -> str:
    """The folder of a row below that of its table; names of rows have no dots.

    >>> folder_of("dtgan", 0), folder_of("dtgan", 1)
    ('dtgan', 'dtgan.seed1')
    """
    return name if seed == 0 else f"{name}.seed{seed}"


def scale_schedules(cfg: Config, iterations: int) -> Config:
    """A copy of ``cfg`` as a training of ``iterations``, without validation and with two checkpoints kept.

    Whatever it counts in iterations (learning rates, phases, weights of losses) takes the same share of the training
    as before.
    """
    cfg = copy.deepcopy(cfg)  # its own copy is a shallow one
    ratio = iterations / cfg.train_cfg.max_iters

    def at(iteration: float) -> int:
        return round(iteration * ratio)

    for scheduler in named_entries(cfg.get("param_scheduler"), "param_scheduler").values():
        scheduler.begin = at(scheduler.get("begin", 0))
        scheduler.end = max(at(scheduler.end), scheduler.begin + 1)
    for phase in named_entries(cfg.model.phases, "phases").values():
        phase.update({key: at(phase[key]) for key in ("begin", "end") if phase.get(key) is not None})
        for loss in named_entries(phase.losses, "losses").values():
            if isinstance(loss.get("weight"), list | tuple):
                loss.weight = _distinct([(at(step), weight) for step, weight in loss.weight])
    cfg.train_cfg.update(max_iters=iterations, val_interval=iterations + 1)
    for key in ("val_dataloader", "val_evaluator", "val_cfg"):  # mmengine would validate after the last iteration
        cfg.pop(key, None)
    cfg.default_hooks.checkpoint.update(interval=max(1, iterations // 4), max_keep_ckpts=2, save_best=None)
    return cfg


def _distinct(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Points of a schedule at steps that grow, moved by as little as that takes.

    >>> _distinct([(3, 0.0), (3, 1.0), (9, 2.0)])
    [(3, 0.0), (4, 1.0), (9, 2.0)]
    """
    result: list[tuple[int, float]] = []
    for step, weight in points:
        result.append((max(step, result[-1][0] + 1) if result else step, weight))
    return result
