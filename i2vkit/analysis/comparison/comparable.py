"""Reading of results into the rows of a table, and checks that they score the same samples in the same way."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

from i2vkit.errors import ConfigError
from i2vkit.utils.json_files import read_json
from i2vkit.values import check_keys

NEEDED = ("config", "checkpoint", "protocol", "scores")

# Types of the values that are read here.
_HINTS: dict[str, Any] = {
    "config": str,
    "checkpoint": dict,
    "protocol": dict,
    "scores": dict,
    "options": dict | None,
    "samples": list[dict],
    "samples_sha256": str,
    "per_video": list[dict] | None,
    "per_image": list[dict] | None,
    "seed": int | None,
    "precision": str,
}

# These transforms leave the frames as they are, so they change no score.
_SCORE_NEUTRAL = ("ReadMaps(", "RetargetMaps(", "RetargetLandmarks(", "RetargetJoints(", "ReadPoints(", "PackClip(")


@dataclass(frozen=True)
class ComparedRow:
    """A row of the table: a model's name and its results, one for each seed."""

    name: str
    results: list[dict[str, Any]]


def read_results(files: Sequence[str | Path]) -> list[ComparedRow]:
    """Read ``metrics.json`` files into rows, in the order of the files.

    Results of one config, options and iteration that differ only in the training or test seed form one row.

    Args:
        files: Paths of results. NAME=FILE names a row, and files with the same name are its seeds.

    Raises:
        ConfigError: A file cannot be read or is no result, a result comes twice, or the results do not score the same
            samples in the same way.
    """
    named = [_read(entry) for entry in map(str, files)]
    check_comparable([result for _, result in named])
    groups: dict[Any, list[dict]] = {}
    for name, result in named:
        groups.setdefault(name or _settings(result), []).append(result)
    # A group without a name is one row only if its members are seeds of one model.
    split = [part for key, group in groups.items() for part in _seeds(key, group)]
    configs = Counter(group[0]["config"] for _, group in split)
    rows = []
    for key, group in split:
        config = group[0]["config"]
        # Rows of one config need more than its name: add the file.
        own = config if configs[config] == 1 else f"{config} ({group[0]['file']})"
        rows.append(ComparedRow(key if isinstance(key, str) else own, group))
    if twice := [name for name, count in Counter(row.name for row in rows).items() if count > 1]:
        raise ConfigError(f"two rows are named {twice[0]}: give one another name, NAME=FILE")
    return rows


def check_comparable(results: Sequence[dict[str, Any]]) -> None:
    """Raise ``ConfigError`` unless all results can be compared with the first. The message says what differs.

    The check covers samples (except their seeds), frames (stride), resize, the weights of feature extractors, and the
    static baselines, which show that the videos were the same. ``name`` or ``file`` names a result in the message.
    """
    for other in results[1:]:
        if what := difference_of(results[0], other):
            names = [_name(result) for result in (results[0], other)]
            raise ConfigError(
                f"{names[0]} and {names[1]} cannot be in one table: {what}. Test one of them again with the "
                f"samples of the other (tools/test.py --protocol METRICS.JSON), or make two tables"
            )


def difference_of(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Return the difference that makes two results incomparable, with both values, or None if there is none."""
    for find in (_samples, _frames, _extractors, _static_baselines):
        if what := find(one, other):
            return what
    return None


def samples_digest(result: dict[str, Any]) -> str:
    """Return the SHA-256 of a result's samples with their seeds. Some results store it instead of the list."""
    if "samples_sha256" in result:
        return result["samples_sha256"]
    return hashlib.sha256(json.dumps(result["samples"]).encode()).hexdigest()


def _samples(one: dict, other: dict) -> str | None:
    """Return the difference in samples."""
    protocols = " and ".join(_protocol(result) for result in (one, other))
    if "samples" not in one or "samples" not in other:
        differ = samples_digest(one) != samples_digest(other)
        return f"they were made from other samples, of protocols {protocols}" if differ else None
    # Seeds may differ: results of one model with several test seeds are compared by their mean.
    own_samples, other_samples = _without_seeds(one), _without_seeds(other)
    if len(own_samples) != len(other_samples):
        return f"they have {len(own_samples)} and {len(other_samples)} samples, of protocols {protocols}"
    for number, (ours, others) in enumerate(zip(own_samples, other_samples, strict=True)):
        if ours != others:
            return f"samples number {number} are {ours} and {others}, of protocols {protocols}"
    return None


def _without_seeds(result: dict) -> list[dict]:
    """Return the samples of a result without their seeds."""
    return [{key: value for key, value in sample.items() if key != "seed"} for sample in result["samples"]]


def _protocol(result: dict) -> str:
    """Return the name of the protocol that made the samples."""
    protocol = result["protocol"]
    return str(protocol.get("replays", protocol).get("name"))


def _name(result: dict) -> str:
    """Return the name of a result for messages."""
    return str(result.get("name") or result.get("file") or result["config"])


def _steps(result: dict) -> str:
    """Return the transforms of a result that affect its scores."""
    return ", ".join(step for step in result.get("pipeline", []) if not step.startswith(_SCORE_NEUTRAL))


def _frames(one: dict, other: dict) -> str | None:
    """Return the difference in frames or resize. Older results store the whole pipeline only."""
    for key in ("frames", "resize"):
        if key not in one or key not in other:
            steps, other_steps = (_steps(result) for result in (one, other))
            return None if steps == other_steps else f"they differ in the pipeline ({steps} and {other_steps})"
        if one[key] != other[key]:
            ours, others = one[key] or {}, other[key] or {}
            # Name only the settings that differ, in the order of the first result.
            names = [name for name in {**ours, **others} if ours.get(name) != others.get(name)]
            differ = ", ".join(f"{name} ({ours.get(name)} and {others.get(name)})" for name in names)
            return f"their {key} differ in {differ}"
    return None


def _extractors(one: dict, other: dict) -> str | None:
    """Return the first metric whose feature extractors differ."""
    ours, others = one.get("extractors", {}), other.get("extractors", {})
    for metric in ours.keys() & others.keys():
        if ours[metric] != others[metric]:
            return f"{metric} looks through other weights ({ours[metric]} and {others[metric]})"
    return None


def _static_baselines(one: dict, other: dict) -> str | None:
    """Return the first static baseline that differs, which means that the videos were not the same."""
    for name in sorted(one["scores"].keys() & other["scores"].keys()):
        ours, others = one["scores"][name], other["scores"][name]
        if name.endswith("_static_baseline") and not isclose(ours, others, rel_tol=1e-4):
            roots = " and ".join(str((result.get("data") or {}).get("root", "?")) for result in (one, other))
            return f"their {name} differs ({ours:.4f} and {others:.4f}), so the videos were others (data: {roots})"
    return None


def videos_of(result: dict[str, Any]) -> list[dict]:
    """Return the values of each video, or of each image if the result has none for videos."""
    return result.get("per_video") or result.get("per_image") or []


def _read(entry: str) -> tuple[str | None, dict[str, Any]]:
    """Return the name that the user gave, and the result with its path as ``file``."""
    # A path may contain "=" itself.
    given, mark, rest = entry.partition("=")
    name, path = (given, rest) if mark and not Path(entry).is_file() else (None, entry)
    try:
        result = read_json(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the result {path} cannot be read: {error}") from error
    missing = [key for key in NEEDED if key not in result] if isinstance(result, dict) else NEEDED
    if missing:
        raise ConfigError(f"{path} is no result of tools/test.py: it has no {missing[0]}")
    check_keys(result, _HINTS, f"the result {path}")
    if "samples" not in result and "samples_sha256" not in result:
        raise ConfigError(f"{path} does not list its samples: test the model again")
    return name, result | {"file": path}


def _settings(result: dict) -> tuple:
    """Return everything that the results of one row share besides their seeds."""
    options = {key: value for key, value in (result.get("options") or {}).items() if key != "randomness.seed"}
    precision = result.get("precision", "fp32")
    return (result["config"], json.dumps(options, sort_keys=True), result["checkpoint"].get("iteration"), precision)


def _seeds(key: Any, group: list[dict]) -> list[tuple[Any, list[dict]]]:
    """Return a group of results as one row if they differ in their seeds, else as one row each.

    Raises:
        ConfigError: A result comes twice, so that a mean over seeds would count it twice, or the user gave one name to
            results of two configs.
    """
    if other := [result for result in group if result["config"] != group[0]["config"]]:
        configs = f"{group[0]['config']} ({group[0]['file']}) and {other[0]['config']} ({other[0]['file']})"
        raise ConfigError(f"row {key} has results of two configs, {configs}: give them names of their own")
    same = Counter((result["checkpoint"]["sha256"], result.get("seed")) for result in group)
    for result in group:
        if same[result["checkpoint"]["sha256"], result.get("seed")] > 1 and len(group) > 1:
            twice = [other["file"] for other in group if other["checkpoint"] == result["checkpoint"]]
            raise ConfigError(f"{' and '.join(twice)} are one result (same weights, same seed): leave one out")
    seeds = {(result["checkpoint"].get("seed"), result.get("seed")) for result in group}
    if isinstance(key, str) or len(seeds) == len(group):
        return [(key, group)]
    return [(key, [result]) for result in group]
