"""Reports of a table: means over seeds, Markdown, CSV and pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from i2vkit.analysis.comparison.comparable import ComparedRow as NamedResults
from i2vkit.analysis.comparison.comparable import check_comparable
from i2vkit.analysis.comparison.paired import STATIC_BASELINE, Cell, compare
from i2vkit.analysis.tables.pictures import plot_curves, plot_improvements, write_sheet
from i2vkit.evaluation.metrics.base import META
from i2vkit.media import atomic_path

RowResult = dict[str, Any]
NOT_RUN = "not run"  # the failure of a row that nobody asked for, or that has not been reached


def check_scored(results: list[RowResult]) -> None:
    """Raise ``ConfigError`` if two results do not score the same samples in the same way."""
    check_comparable([result for result in results if "scores" in result])


def over_seeds(results: list[RowResult]) -> list[RowResult]:
    """Return one row for each name, with means over seeds of scores, times and the values of each video.

    Rows with several seeds have ``spread``, the standard deviation of each score over seeds. If one seed failed, the
    row is a ``failure``. Rows that are not scored are left out unless they failed.
    """
    rows = []
    for name in dict.fromkeys(result["name"] for result in results):
        group = [result for result in results if result["name"] == name]
        failed = [result for result in group if "failure" in result]
        if failed:
            several = f" (seed {failed[0]['training_seed']})" if len(group) > 1 else ""
            rows.append({"name": name, "failure": failed[0]["failure"] + several})
        elif "scores" in group[0]:
            rows.append(group[0] if len(group) == 1 else _mean_row(group))
    return rows


def _mean_row(group: list[RowResult]) -> RowResult:
    """Return the mean row of several seeds, with intervals of the mean."""
    from i2vkit.evaluation.result import intervals

    names = list(group[0]["scores"])
    per_video = [
        {key: value if key in META else _mean([video[key] for video in videos]) for key, value in videos[0].items()}
        for videos in zip(*(row["per_video"] for row in group), strict=True)
    ]
    return group[0] | {
        "scores": {name: fmean(row["scores"][name] for row in group) for name in names},
        "spread": {name: stdev(row["scores"][name] for row in group) for name in names},
        "intervals": group[0]["intervals"] | intervals(per_video, names),
        "per_video": per_video,
        "iterations": round(fmean(row["iterations"] for row in group)),
        "minutes": fmean(minutes_of(row) for row in group),
        "seeds": [row["training_seed"] for row in group],
    }


def _mean(values: list) -> float | None:
    """Return the mean, or None if a value is missing."""
    return None if None in values else fmean(values)


def minutes_of(result: RowResult) -> float:
    """Return the processor minutes of a row's training. For a resumed row the pace of its last part counts."""
    if "minutes" in result:
        return result["minutes"]
    steps = result["iterations"] - result["resumed_from"]
    # Of a resumed row only the last part was timed.
    pace = result["seconds"] / steps if steps else result.get("pilot_seconds", 0.0)
    return pace * result["iterations"] / 60


def metrics_of(rows: list[RowResult]) -> list[str]:
    """Return the names of all metrics in the order of their first appearance."""
    names = [
        name
        for row in rows
        for name in row.get("scores", {})
        if not name.endswith(("_static_baseline", "_improvement"))
    ]
    return list(dict.fromkeys(names))


def title_of(table: dict) -> str:
    """Return the title, with "(narrow)" if the models are narrowed and the numbers thus not comparable with others."""
    return table["title"] + (" (narrow)" if table.get("narrow") else "")


def format_table(table: dict, results: list[RowResult], heading: str = "#") -> str:
    """Return the table as Markdown: each metric's score and its improvement over the static baseline with 95 %
    interval.

    The published numbers of ``reference`` follow in a table of their own.
    """
    rows = over_seeds(results)
    metrics, done = metrics_of(rows), [row for row in rows if "failure" not in row]
    improved = {metric for metric in metrics if any(f"{metric}_improvement" in row["scores"] for row in done)}
    heads = ["row"]
    for metric in metrics:
        heads += [metric, f"{metric} improvement"] if metric in improved else [metric]
    heads += ["iterations", "processor min"]
    lines = [f"{heading} {title_of(table)}", "", table.get("description", ""), "", explanation(table, done), ""]
    lines += [_line(heads), "|---" * len(heads) + "|"]
    if improved:
        static_baselines = []
        for metric in metrics:
            static_baselines += [_static_baseline(done, metric), ""] if metric in improved else [""]
        lines.append(_line([STATIC_BASELINE, *static_baselines, "", ""]))
    paces = {result["name"]: minutes_of(result) for result in results if "failure" not in result}
    for row in rows:
        if "failure" in row:
            reason = row["failure"] if row["failure"].startswith(NOT_RUN) else f"failed: {row['failure']}"
            cells = [reason.replace("|", "/").replace("\n", " "), *[""] * (len(heads) - 2)]
        else:
            cells = [cell for metric in metrics for cell in _cells(row, metric, metric in improved)]
            cells += [str(row["iterations"]), _minutes(row, paces)]
        lines.append(_line([row["name"], *cells]))
    return "\n".join([*lines, *_parents(table, results), *_reference(table)]) + "\n"


def explanation(table: dict, done: list[RowResult]) -> str:
    """Return the text that explains the columns, the budget and the scored videos."""
    if "minutes" in table:
        budget = f"{table['minutes']:g} processor minutes of one thread a row, without set-up and test"
    else:
        budget = f"{table['iterations']} iterations a row"
    seeds = table.get("seeds") or [table.get("seed", 0)]
    known = f"seeds are {', '.join(map(str, seeds))}" if len(seeds) > 1 else f"seed is {seeds[0]}"
    text = f"The budget is {budget}, and the {known}."
    if done:
        first = done[0]
        people = "1 person" if first["people"] == 1 else f"{first['people']} people"
        text += f" The protocol is {first['protocol']['name']}, with {first['scored']} scored videos of {people}."
    over = done[0].get("bootstrap", {}).get("over", "people") if done else "people"
    text += f" A positive improvement over the static baseline is better. Its 95 % interval over {over} is in brackets."
    if len(seeds) > 1:
        text += " The number after ± is the standard deviation over seeds."
    if any("after" in row for row in table["rows"]):
        text += " The time after a + is that of the row that gave the initial weights. It is not counted."
    return text


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _static_baseline(done: list[RowResult], metric: str) -> str:
    """Return the score of the static baseline as text. It is the same for all rows."""
    values = [
        row["scores"][f"{metric}_static_baseline"]
        for row in done
        if row["scores"].get(f"{metric}_static_baseline") is not None
    ]
    return f"{values[0]:.3f}" if values else ""


def _cells(row: RowResult, metric: str, improved: bool) -> list[str]:
    """Return the cells of one metric: the score and, if ``improved``, its improvement with the interval."""
    score, improvement = (row["scores"].get(metric + end) for end in ("", "_improvement"))
    text = "" if score is None else f"{score:.3f}"
    if score is not None and "spread" in row:
        text += f" ± {row['spread'][metric]:.3f}"
    if not improved:
        return [text]
    limits = row["intervals"].get(f"{metric}_improvement")
    interval = "" if limits is None else " ({:+.3f} to {:+.3f})".format(*limits)
    return [text, "" if improvement is None else f"{improvement:+.3f}{interval}"]


def _minutes(row: RowResult, paces: dict[str, float]) -> str:
    """Return the minutes of a row, and after a + those of the row that it starts from."""
    after = row["settings"].get("after", {}).get("row")
    extra = f" + {paces[after]:.1f} ({after})" if after in paces else ""
    return f"{minutes_of(row):.1f}{extra}"


def _parents(table: dict, results: list[RowResult]) -> list[str]:
    """Return the table of differences between rows and their ``parents``, on the same videos."""
    lines: list[str] = []
    done = {row["name"] for row in over_seeds(results) if "failure" not in row}
    groups = {name: [result for result in results if result["name"] == name] for name in done}
    metrics = metrics_of(results)
    for row in table["rows"]:
        for parent in row.get("parents", []) if row["name"] in done else []:
            if parent in done:
                pair = [NamedResults(name, groups[name]) for name in (parent, row["name"])]
                cells = compare(pair).cells[row["name"]]
                lines.append(_line([row["name"], parent, *(_difference(cells.get(metric)) for metric in metrics)]))
    if not lines:
        return []
    heads = ["row", "minus its parent", *metrics]
    text = "Differences on the same videos, with paired 95 % intervals. A bold one has an interval without 0."
    return ["", text, "", _line(heads), "|---" * len(heads) + "|", *lines]


def _difference(cell: Cell | None) -> str:
    """Return a difference with its interval, bold if the interval excludes 0."""
    if cell is None or cell.difference is None:
        return ""
    limits = "" if cell.limits is None else " ({:+.3f} to {:+.3f})".format(*cell.limits)
    return f"**{cell.difference:+.3f}**{limits} {cell.verdict}" if cell.verdict else f"{cell.difference:+.3f}{limits}"


def _reference(table: dict) -> list[str]:
    """Return the table of published numbers."""
    entries = table.get("reference", [])
    if not entries:
        return []
    names = list(dict.fromkeys(name for entry in entries for name in entry["scores"]))
    lines = ["", "The papers' own numbers come from other data, code and budgets. Do not compare them with ours.", ""]
    lines += [_line(["of", *names, "source"]), "|---" * (len(names) + 2) + "|"]
    for entry in entries:
        values = [str(entry["scores"].get(name, "")) for name in names]
        lines.append(_line([entry["name"], *values, entry["source"]]))
    return lines


def format_table_csv(results: list[RowResult]) -> str:
    """Return the table as CSV: one line for each row, with means over seeds, or with its ``failure``."""
    rows = over_seeds(results)
    metrics = metrics_of(rows)
    ends = ("", "_static_baseline", "_improvement", "_improvement_low", "_improvement_high", "_spread")
    text = io.StringIO()
    heads = ["name", "config", *(f"{m}{end}" for m in metrics for end in ends), "iterations", "minutes", "failure"]
    writer = csv.DictWriter(text, heads, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        values = {f"{name}_spread": value for name, value in row.get("spread", {}).items()}
        for name, (low, high) in row.get("intervals", {}).items():
            values |= {f"{name}_low": low, f"{name}_high": high}
        if "failure" not in row:
            values["minutes"] = round(minutes_of(row), 3)
        writer.writerow({**row, **row.get("scores", {}), **values})
    return text.getvalue()


def write_report(table: dict, results: list[RowResult], out: Path) -> None:
    """Write ``table.md`` and ``table.csv`` into ``out``, and three pictures if any row is finished.

    The pictures are ``improvements.png``, ``curves.png`` (training curves) and ``strips.png`` (the first clip as
    generated by each row).
    """
    for name, text in (("table.md", format_table(table, results)), ("table.csv", format_table_csv(results))):
        with atomic_path(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    title, done = title_of(table), [row for row in over_seeds(results) if "failure" not in row]
    if done:
        plot_improvements(done, metrics_of(done), title, out / "improvements.png")
        plot_curves(done, title, out / "curves.png")
        write_sheet(done, title, out)
