"""The report of a study: a table, a plot and all numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from i2vkit.errors import DataError
from i2vkit.media import atomic_path
from i2vkit.study.answers import Answer
from i2vkit.study.statistics import Share, attentive, shares

TABLE, PLOT, NUMBERS = "table.md", "shares.png", "report.json"
_ASPECTS = {
    "realistic": "looks real",
    "spatially_consistent": "intact pictures",
    "temporally_consistent": "smooth motion",
}


@dataclass(frozen=True)
class Report:
    """The statistics of a study.

    Attributes:
        shares: The shares, see ``Share``.
        raters: The raters whose answers count.
        left_out: The numbers of the raters who missed attention checks.
        answers: The answers that count. A rating has three.
    """

    shares: list[Share]
    raters: int
    left_out: list[int]
    answers: int


def report_of(answers: Sequence[Answer], missed: int = 0) -> Report:
    """Return the statistics of answers.

    Args:
        answers: All answers, with those to attention checks.
        missed: The attention checks that a rater may answer wrongly. Default 0.

    Raises:
        DataError: No answer counts.
    """
    counted, left_out = attentive(answers, missed)
    if not counted:
        why = f"{len(left_out)} raters missed attention checks (--missed)" if left_out else "nobody has answered yet"
        raise DataError(f"there is no answer to count: {why}")
    return Report(shares(counted), len({answer.rater for answer in counted}), left_out, len(counted))


def write_report(report: Report, out: str | Path) -> str:
    """Write ``table.md``, ``shares.png`` and ``report.json`` into a folder, and return the table as text."""
    out, text = Path(out), table(report)
    with atomic_path(out / NUMBERS) as temporary:
        temporary.write_text(json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with atomic_path(out / TABLE) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    plot(report, out / PLOT)
    return text


def table(report: Report) -> str:
    """Return the shares as a Markdown table whose columns are aligned, with a sentence about raters below it."""
    rows = [("answer", "share", "95 % interval", "answers", "raters", "clips", "agreement", "alpha")]
    for one in report.shares:
        interval = "-" if one.low is None or one.high is None else f"{100 * one.low:.1f} to {100 * one.high:.1f} %"
        agreed = "-" if one.agreement is None else f"{100 * one.agreement:.1f} %"
        alpha = "-" if one.alpha is None else f"{one.alpha:.2f}"
        counts = (str(one.answers), str(one.raters), str(one.clips))
        rows.append((_label(one), f"{100 * one.share:.1f} %", interval, *counts, agreed, alpha))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    noun = "rater" if report.raters == 1 else "raters"
    lines += ["", f"{report.answers} answers of {report.raters} {noun}. Intervals draw raters as a whole."]
    if report.left_out:
        lines.append(f"Left out: {len(report.left_out)} who missed attention checks.")
    return "\n".join(lines)


def plot(report: Report, path: Path) -> None:
    """Draw the shares with their intervals, one below the other, as a PNG file."""
    # Imported here, because matplotlib is slow to import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(report.shares)
    figure = Figure(figsize=(7, 1.1 + 0.42 * count), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for y, one in enumerate(report.shares):
        if one.low is not None and one.high is not None:
            axes.plot([100 * one.low, 100 * one.high], [y, y], color="#1f5f7a", linewidth=2, solid_capstyle="butt")
        axes.plot(100 * one.share, y, "o", color="#1f5f7a")
    if any(one.other for one in report.shares):
        axes.axvline(50, color="#9a9a9a", linestyle="--", linewidth=1)
    axes.set(xlim=(-2, 102), ylim=(count - 0.5, -0.5), xlabel="% of the answers, with 95 % intervals over raters")
    axes.set_yticks(range(count), [_label(one) for one in report.shares])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _label(share: Share) -> str:
    return f"{share.model} over {share.other}" if share.other else f"{share.model}: {_ASPECTS[share.aspect]}"
