"""Paired comparison of results: means over seeds, bootstrap intervals, and differences beyond the paired bootstrap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isclose, isnan
from statistics import fmean, stdev
from typing import Any

from i2vkit.analysis.comparison.comparable import ComparedRow, videos_of
from i2vkit.evaluation.statistics import bootstrap_interval, bootstrap_over, groups_of

STATIC_BASELINE = "static baseline: first image repeated"

# The values of one metric: (value, bootstrap group) of each sample. Keys are (name, number), since names may repeat.
Values = dict[tuple[str, int], tuple[float, str]]


@dataclass(frozen=True)
class Cell:
    """The values of one row for one metric. A value that is not known is None.

    Attributes:
        score: The mean over seeds.
        interval: Its 95 % interval.
        spread: The standard deviation over seeds.
        difference: The score minus that of the first row.
        limits: The paired 95 % interval of the difference.
        verdict: "better", "worse", "differs" (no direction is known to be better) or "" (not beyond chance).
    """

    score: float
    interval: tuple[float, float] | None = None
    spread: float | None = None
    difference: float | None = None
    limits: tuple[float, float] | None = None
    verdict: str = ""


@dataclass(frozen=True)
class Comparison:
    """The content of a comparison table. All other rows are compared with the first.

    Attributes:
        rows: The rows of the table.
        metrics: The names of the metrics, in their order.
        cells: The cells by row and metric.
        facts: One of the results, for all that the results share.
        over: The units that the bootstrap draws: people or videos.
        groups: The number of these units.
        counts: The number of samples on which each metric is compared.
    """

    rows: list[ComparedRow]
    metrics: list[str]
    cells: dict[str, dict[str, Cell]]
    facts: dict[str, Any]
    over: str
    groups: int
    counts: dict[str, int] = field(default_factory=dict)


def compare(rows: Sequence[ComparedRow]) -> Comparison:
    """Compare the rows from ``read_results`` with the first of them. The static baseline becomes the last row.

    Each metric is compared on the samples that all rows with this metric could score. With several seeds the value of a
    sample is the mean over them. Samples are paired by name. The bootstrap draws people as a whole, since the videos of
    one person are not independent.
    """
    first = rows[0].results[0]
    names = [name for row in rows for result in row.results for name in result["scores"]]
    metrics = [name for name in dict.fromkeys(names) if not name.endswith(("_static_baseline", "_improvement"))]
    over, groups = bootstrap_over(videos_of(first))
    cells: dict[str, dict[str, Cell]] = {name: {} for name in [*(row.name for row in rows), STATIC_BASELINE]}
    counts = {}
    for metric in metrics:
        known = {row.name: row.results for row in rows if all(metric in result["scores"] for result in row.results)}
        values = {name: _mean_values(results, metric, over) for name, results in known.items()}
        scores = {name: [result["scores"][metric] for result in results] for name, results in known.items()}
        if (key := f"{metric}_static_baseline") in first["scores"]:
            values[STATIC_BASELINE], scores[STATIC_BASELINE] = _mean_values([first], key, over), [first["scores"][key]]
        # Only samples that every row could score are compared. Scores of whole sets have no values of samples.
        common = set.intersection(*[set(found) for found in values.values() if found] or [set()])
        counts[metric] = len(common)
        way = _less_is_better(first, metric)
        for name, found in values.items():
            reference = values.get(rows[0].name)
            cells[name][metric] = _cell(scores[name], found, None if name == rows[0].name else reference, common, way)
    shown = [*rows, ComparedRow(STATIC_BASELINE, [first])] if cells[STATIC_BASELINE] else list(rows)
    return Comparison(shown, metrics, cells, first, over, groups, counts)


def _cell(
    scores: list[float], values: Values, reference: Values | None, common: set, less_is_better: bool | None
) -> Cell:
    """Return the cell for the ``scores`` of a row's seeds, its sample values and those of the first row."""
    spread = stdev(scores) if len(scores) > 1 else None
    keys = [key for key in values if key in common]
    if not keys:
        return Cell(fmean(scores), spread=spread)
    groups = [values[key][1] for key in keys]
    own = [values[key][0] for key in keys]
    interval = _interval(own, groups)
    if not reference:
        return Cell(fmean(own), interval, spread)
    differences = [values[key][0] - reference[key][0] for key in keys]
    limits, verdict = _interval(differences, groups), ""
    if limits and not limits[0] <= 0 <= limits[1]:
        # The interval excludes 0, so its lower limit gives the sign of the difference.
        verdict = "differs" if less_is_better is None else "better" if (limits[0] > 0) != less_is_better else "worse"
    return Cell(fmean(own), interval, spread, fmean(differences), limits, verdict)


def _interval(values: list[float], groups: list[str]) -> tuple[float, float] | None:
    """Return the bootstrap interval of the mean, or None if there are too few groups."""
    low, high = bootstrap_interval(values, groups)
    return None if isnan(low) else (low, high)


def _mean_values(results: Sequence[dict], key: str, over: str) -> Values:
    """Return the mean of ``key`` over the results for each sample that all of them have.

    The dict is empty if the score is not the mean over videos, as for metrics of a whole set. Values of single videos
    then say nothing about the score.
    """
    tables = [_values(result, key, over) for result in results]
    for result, table in zip(results, tables, strict=True):
        means = fmean(value for value, _ in table.values()) if table else float("nan")
        if not isclose(result["scores"][key], means, rel_tol=1e-6, abs_tol=1e-9):
            return {}
    common = [sample for sample in tables[0] if all(sample in table for table in tables)]
    return {sample: (fmean(table[sample][0] for table in tables), tables[0][sample][1]) for sample in common}


def _values(result: dict, key: str, over: str) -> Values:
    """Return the values of ``key`` by sample, or by image if the samples of one image are scored together."""
    key = key.rpartition("/")[2]
    found: Values = {}
    seen: Counter[str] = Counter()
    tables = (result.get("per_video") or [], result.get("per_image") or [])
    rows = next((table for table in tables if any(key in row for row in table)), [])
    groups = groups_of(rows, over) or range(len(rows))
    for row, group in zip(rows, groups, strict=True):
        # Several samples of an image share its name.
        place = (row["name"], seen[row["name"]])
        seen[row["name"]] += 1
        if row.get(key) is not None:
            found[place] = (float(row[key]), str(group))
    return found


def _less_is_better(result: dict, metric: str) -> bool | None:
    """Return True if lower values of a metric are better, False if higher ones are, and None if that is unknown.

    The result says so itself, or it follows from the improvement over the static baseline.
    """
    said = result.get("less_is_better", {}).get(metric)
    score, static_baseline, improvement = (
        result["scores"].get(metric + end) for end in ("", "_static_baseline", "_improvement")
    )
    if said is not None or None in (static_baseline, improvement) or score == static_baseline or not improvement:
        return said
    return (improvement > 0) != (score > static_baseline)
