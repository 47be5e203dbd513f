"""Verification of shipped weights: they are scored again, and compared with the committed digits."""

from __future__ import annotations

from pathlib import Path

from i2vkit.errors import ConfigError
from i2vkit.zoo.index import INDEX, ZooEntry
from i2vkit.zoo.metadata import config_of, read_header
from i2vkit.zoo.scoring import DATA, Scores, differences, score_weights


def verify(
    entry: ZooEntry, data: Path = DATA, quick: bool = False, index: Path = INDEX
) -> tuple[list[tuple[str, str, str]], Scores]:
    """Score the weights of a model again, and compare them with its row.

    Args:
        entry: The row.
        data: Folder of i2v-truth-v1. The set is rendered if it is missing.
        quick: Use the small subset, which has its own digits. Default False.
        index: The index of the row.

    Returns:
        (metric, committed, found) for every score whose digits differ, and all scores that were found.

    Raises:
        ConfigError: ``quick`` is set for a model without such digits.
        CheckpointError: The weights are not those of the index.
        DataError: The model is tested on other data than i2v-truth-v1, and they are missing.
    """
    if quick and not entry.quick_scores:
        raise ConfigError(f"{entry.name} has no quick subset: leave --quick away")
    path = entry.verified_file(index)
    cfg = config_of(read_header(path), path)
    found, baseline = score_weights(cfg, path, entry.protocol, data, quick)
    if quick:
        return differences(entry.quick_scores, found), found
    rows = differences(entry.scores, found)
    rows += [
        (f"{name} of the image repeated", committed, new)
        for name, committed, new in differences(entry.static_baseline, baseline)
    ]
    return rows, found


def report(name: str, rows: list[tuple[str, str, str]], scores: Scores) -> str:
    """Return the result as text: a line, or a table of differences.

    >>> print(report("tiny", [], {"ssim": "0.840"}))
    tiny: every digit agrees (ssim 0.840)
    >>> print(report("tiny", [("ssim", "0.840", "0.841")], {"ssim": "0.841"}))
    tiny: 1 score differs from what is committed
    metric  committed  found
    ssim    0.840      0.841
    """
    if not rows:
        return f"{name}: every digit agrees ({', '.join(f'{metric} {value}' for metric, value in scores.items())})"
    table = [("metric", "committed", "found"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
    count = f"{len(rows)} score differs" if len(rows) == 1 else f"{len(rows)} scores differ"
    return "\n".join([f"{name}: {count} from what is committed", *lines])
