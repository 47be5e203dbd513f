"""Orders in which metrics rank degradations, from the scores of a result."""

from __future__ import annotations

from itertools import product
from typing import Any

from i2vkit.analysis.metrics_and_motion.degradations import STILL

Result = dict[str, Any]


def rows_with(result: Result, motion: str) -> list[str]:
    """Return the degradations whose motion is "right" or "wrong"."""
    return [name for name, facts in result["degradations"].items() if facts["motion"] == motion]


def is_better(result: Result, metric: str, one: str, other: str) -> bool:
    """Return True if a metric scores a degradation better than another one. Equal scores are not better.

    >>> result = {"shares": {"blurred": {"ssim": 1.25}, "still image": {"ssim": 1.0}}}
    >>> is_better(result, "ssim", "still image", "blurred")
    True
    """
    return result["shares"][one][metric] < result["shares"][other][metric]


def right_pairs(result: Result, metric: str) -> tuple[int, int]:
    """Return the number of pairs of a right and a wrong motion of which the right one is better, and of all pairs."""
    pairs = list(product(rows_with(result, "right"), rows_with(result, "wrong")))
    return sum(is_better(result, metric, right, wrong) for right, wrong in pairs), len(pairs)


def behind_still(result: Result, metric: str) -> list[str]:
    """Return the degradations with the right motion that are not better for a metric than the still image."""
    return [name for name in rows_with(result, "right") if not is_better(result, metric, name, STILL)]


def preferred_to(result: Result, metric: str, right: str) -> list[str]:
    """Return the degradations with a wrong motion that are not worse for a metric than ``right``."""
    return [name for name in rows_with(result, "wrong") if not is_better(result, metric, right, name)]


def undecided(result: Result) -> list[tuple[str, str]]:
    """Return (degradation, metric) of the right motions whose interval contains 1, the share of the still image."""
    intervals = result["intervals"]
    rows = [name for name in rows_with(result, "right") if name in intervals]
    return [(row, metric) for row in rows for metric, (low, high) in intervals[row].items() if low <= 1 <= high]
