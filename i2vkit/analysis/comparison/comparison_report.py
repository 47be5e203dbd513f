"""Reports of a comparison: Markdown, CSV and a plot of the intervals."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from statistics import fmean

from i2vkit.analysis.comparison.comparable import ComparedRow, videos_of
from i2vkit.analysis.comparison.paired import STATIC_BASELINE, Cell, Comparison
from i2vkit.media import atomic_path
from i2vkit.visualization.curves import overlay_curves

# Below this number of people the report warns. In a simulation with normal values, intervals of the percentile
# bootstrap for 95 % covered the true mean in 79 % of cases with 4 people and in 91 % with 10.
FEW = 10
MARKS = {"better": " ▲", "worse": " ▼", "differs": " ≠", "": ""}


def format_comparison(comparison: Comparison) -> str:
    """Return the table of scores and the table of differences from the first row as Markdown, with their conditions."""
    facts, first = comparison.facts, comparison.rows[0].name
    protocol = facts["protocol"].get("replays", facts["protocol"])["name"]
    lines = [f"# {protocol}: {', '.join(row.name for row in comparison.rows if row.name != STATIC_BASELINE)}", ""]
    lines += [*_conditions(comparison), ""]
    heads = ["row", "seeds", *comparison.metrics]
    lines += [_line(heads), "|---" * len(heads) + "|"]
    for row in comparison.rows:
        seeds = "" if row.name == STATIC_BASELINE else str(len(row.results))
        cells = comparison.cells[row.name]
        lines.append(_line([row.name, seeds, *(_score(cells.get(metric)) for metric in comparison.metrics)]))
    others = [row for row in comparison.rows[1:] if any(c.limits for c in comparison.cells[row.name].values())]
    if others:
        lines += ["", f"Difference from {first}, paired by sample:", ""]
        lines += [_line(["row", *comparison.metrics]), "|---" * (1 + len(comparison.metrics)) + "|"]
        for row in others:
            cells = comparison.cells[row.name]
            lines.append(_line([row.name, *(_difference(cells.get(metric)) for metric in comparison.metrics)]))
    return "\n".join(lines) + "\n"


def format_comparison_csv(comparison: Comparison) -> str:
    """Return CSV with one line for each row and metric, and all numbers at full precision."""
    text = io.StringIO()
    names = ["row", "metric", "score", "low", "high", "spread", "seeds", "samples"]
    names += ["difference", "difference_low", "difference_high", "verdict", "files"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in comparison.rows:
        static_baseline = row.name == STATIC_BASELINE
        for metric, cell in comparison.cells[row.name].items():
            known = {"row": row.name, "metric": metric, "score": cell.score, "spread": cell.spread}
            known |= {"difference": cell.difference, "verdict": cell.verdict, "samples": comparison.counts[metric]}
            known |= zip(("low", "high"), cell.interval or (), strict=False)
            known |= zip(("difference_low", "difference_high"), cell.limits or (), strict=False)
            known["seeds"] = "" if static_baseline else len(row.results)
            known["files"] = "" if static_baseline else " ".join(result.get("file", "") for result in row.results)
            writer.writerow(known)
    return text.getvalue()


def write_comparison(comparison: Comparison, out: str | Path, csv_too: bool = False) -> list[Path]:
    """Write ``compare.md``, ``compare.png`` and, if ``csv_too``, ``compare.csv`` into ``out``. Return their paths.

    Results with several samples of an image have scores by time step: ``compare_curves.png`` draws those of all rows in
    one plot.
    """
    texts = {"compare.md": format_comparison(comparison)} | (
        {"compare.csv": format_comparison_csv(comparison)} if csv_too else {}
    )
    for name, text in texts.items():
        with atomic_path(Path(out) / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    plot_comparison(comparison, Path(out) / "compare.png")
    paths = [Path(out) / name for name in (*texts, "compare.png")]
    rows = [
        row for row in comparison.rows if row.name != STATIC_BASELINE and any("curves" in one for one in row.results)
    ]
    if curves := {row.name: mean_curves(row) for row in rows}:
        paths.append(Path(out) / "compare_curves.png")
        overlay_curves(curves, paths[-1], "Scores by time step")
    return paths


def mean_curves(row: ComparedRow) -> dict[str, dict[str, list]]:
    """Return the curves of a row by metric, each score as the mean over the row's seeds that reach its time step."""
    found: dict[str, dict[str, list]] = {}
    every = [result["curves"] for result in row.results if "curves" in result]
    for metric in dict.fromkeys(name for curves in every for name in curves):
        seeds = [curves[metric] for curves in every if metric in curves]
        steps = sorted({step for curve in seeds for step in curve["step"]})
        found[metric] = {"step": steps}
        for key in ("score", "static_baseline"):
            by_step = [dict(zip(curve["step"], curve[key], strict=True)) for curve in seeds]
            found[metric][key] = [fmean(values[step] for values in by_step if step in values) for step in steps]
    return found


def plot_comparison(comparison: Comparison, path: str | Path) -> None:
    """Write a PNG with one panel for each metric: scores with intervals, and the static baseline as a dashed line.

    Rows that differ from the first beyond the paired bootstrap are filled, others hollow. An interrupted call leaves no
    partial file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in comparison.rows if row.name != STATIC_BASELINE]
    figure = Figure(figsize=(2 + 3.6 * len(comparison.metrics), 1.4 + 0.35 * len(rows)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(comparison.metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, comparison.metrics, strict=True):
        for place, row in enumerate(rows):
            cell = comparison.cells[row.name].get(metric)
            if cell is None:
                continue
            if cell.interval:
                axes.plot(cell.interval, [place, place], color="#4c78a8", linewidth=1.5)
            filled = "#4c78a8" if cell.verdict or row is rows[0] else "white"
            axes.plot(cell.score, place, "o", color="#4c78a8", markerfacecolor=filled)
        if static_baseline := comparison.cells[STATIC_BASELINE].get(metric):
            axes.axvline(static_baseline.score, color="black", linestyle="--", linewidth=0.8)
        axes.set(xlabel=metric, yticks=range(len(rows)))
        axes.set_yticklabels([row.name for row in rows])
    panels[0].invert_yaxis()
    figure.suptitle("95 % intervals; dashed: first image repeated; filled: differs from the first", fontsize=8)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _conditions(comparison: Comparison) -> list[str]:
    """Return the lines that say what the table depends on: videos, frames, intervals, and anything that differs."""
    facts, counts = comparison.facts, comparison.counts
    people = "" if comparison.over == "videos" else f" of {comparison.groups} {comparison.over}"
    lines = [f"{facts.get('generated', len(videos_of(facts)))} videos{people}; {_frames(facts)}."]
    text = f"In brackets 95 % intervals, bootstrap over {comparison.over} (±: standard deviation over seeds)."
    if len(comparison.rows) > 1:
        text += f" ▲ better, ▼ worse, ≠ different from {comparison.rows[0].name} beyond the paired bootstrap."
    lines.append(text)
    if 1 < comparison.groups < FEW:
        lines.append(f"Mind: over {comparison.groups} {comparison.over} such intervals are too narrow.")
    most = max(counts.values(), default=0)
    if short := {metric: count for metric, count in counts.items() if 0 < count < most}:
        lines.append("Compared on fewer: " + ", ".join(f"{metric} on {count}" for metric, count in short.items()) + ".")
    for key, name in (("precision", "precision"), ("versions", "versions of packages")):
        values = [result.get(key) for row in comparison.rows for result in row.results]
        if any(value != values[0] for value in values):
            lines.append(f"Mind: the results differ in {name}.")
    return lines


def _frames(facts: dict) -> str:
    """Return the frames and the size that were scored, as text."""
    if "frames" not in facts:
        return ", ".join(facts.get("pipeline", []))
    frames, resize = facts["frames"] or {}, facts["resize"]
    stride = "" if frames.get("stride") is None else f", stride {frames['stride']}"
    size = "as they lie" if resize is None else "{1}x{0}".format(*resize["size"])
    return f"{frames.get('length') or 'all'} frames ({frames.get('by')}{stride}), {size}"


def _line(cells: list[str]) -> str:
    """Return a line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _score(cell: Cell | None) -> str:
    """Return the cell of a score: its mean, spread, interval and mark."""
    if cell is None:
        return ""
    spread = "" if cell.spread is None else f" ± {cell.spread:.3f}"
    interval = "" if cell.interval is None else " ({:.3f} to {:.3f})".format(*cell.interval)
    return f"{cell.score:.3f}{spread}{interval}{MARKS[cell.verdict]}"


def _difference(cell: Cell | None) -> str:
    """Return the cell of a difference from the first row."""
    if cell is None or cell.limits is None or cell.difference is None:
        return ""
    low, high = cell.limits
    return f"{cell.difference:+.3f} ({low:+.3f} to {high:+.3f}){MARKS[cell.verdict]}"
