"""What a table looks like: Markdown, CSV, a plot of the gains, and a sheet of strips."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path, read_video, write_image
from i2vkit.visualization.strips import labelled_strips

Row = dict[str, Any]


def check_comparable(rows: list[Row]) -> None:
    """Raise ``ConfigError`` where two rows were not scored on the same videos in the same way."""
    done = [row for row in rows if "failure" not in row]
    for key in ("protocol", "seed", "image_size", "pipeline", "samples"):
        for row in done[1:]:
            if row[key] != done[0][key]:
                what = "" if key == "samples" else f": {done[0][key]} and {row[key]}"
                raise ConfigError(
                    f"rows {done[0]['name']} and {row['name']} do not go into one table: they differ in {key}{what}; "
                    "give both the same test options, or make two tables"
                )


def metrics_of(rows: list[Row]) -> list[str]:
    """Names of all metrics, in the order in which they come up."""
    names = [name for row in rows for name in row.get("scores", {}) if not name.endswith(("_floor", "_gain"))]
    return list(dict.fromkeys(names))


def title_of(table: dict) -> str:
    """The title, with what keeps its numbers from being compared with others."""
    return table["title"] + (" (narrow)" if table.get("narrow") else "")


def as_markdown(table: dict, rows: list[Row]) -> str:
    """The table as Markdown: score, floor, and gain with its 95 % interval, of each metric."""
    metrics, done = metrics_of(rows), [row for row in rows if "failure" not in row]
    lines = [f"# {title_of(table)}", "", table.get("description", ""), ""]
    budget = f"{table['iterations']} iterations a row, seed {table.get('seed', 0)}"
    if done:
        first = done[0]
        budget += f"; protocol {first['protocol']['name']}, {first['scored']} videos of {first['people']} people scored"
    lines += [
        f"{budget}. Floor: the first image repeated; gain: score - floor, with its 95 % interval over people.",
        "",
    ]
    heads = [
        "row",
        *(f"{m} {what}" for m in metrics for what in ("score", "floor", "gain")),
        "s / iteration, set-up included",
    ]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        if "failure" in row:
            cells = [f"failed: {row['failure']}".replace("|", "/"), *[""] * (len(heads) - 2)]
        else:
            cells = [cell for metric in metrics for cell in _cells(row, metric)] + [_pace(row)]
        lines.append(f"| {' | '.join([row['name'], *cells])} |")
    return "\n".join(lines) + "\n"


def as_csv(rows: list[Row]) -> str:
    """The table as CSV: a line a row, failed ones with their ``failure``."""
    metrics = metrics_of(rows)
    heads = [f"{m}{end}" for m in metrics for end in ("", "_floor", "_gain", "_gain_low", "_gain_high")]
    text = io.StringIO()
    writer = csv.DictWriter(
        text,
        ["name", "config", *heads, "iterations", "seconds", "resumed_from", "failure"],
        lineterminator="\n",
        extrasaction="ignore",
    )
    writer.writeheader()
    for row in rows:
        limits = {}
        for name, (low, high) in row.get("intervals", {}).items():
            limits |= {f"{name}_low": low, f"{name}_high": high}
        writer.writerow({**row, **row.get("scores", {}), **limits})
    return text.getvalue()


def write_report(table: dict, rows: list[Row], out: Path) -> None:
    """Write ``table.md``, ``table.csv`` and, where a row is finished, ``gains.png`` and ``strips.png`` into ``out``."""
    for name, text in (("table.md", as_markdown(table, rows)), ("table.csv", as_csv(rows))):
        with atomic_path(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    done = [row for row in rows if "failure" not in row]
    if done:
        _plot(table, done, out / "gains.png")
        _sheet(table, done, out)


def _cells(row: Row, metric: str) -> list[str]:
    scores = row["scores"]
    score, floor, gain = (scores.get(metric + end) for end in ("", "_floor", "_gain"))
    texts = ["" if value is None else f"{value:.3f}" for value in (score, floor)]
    limits = row["intervals"].get(f"{metric}_gain")
    interval = "" if limits is None else " ({:+.3f} to {:+.3f})".format(*limits)
    return [*texts, "" if gain is None else f"{gain:+.3f}{interval}"]


def _pace(row: Row) -> str:
    steps = row["iterations"] - row["resumed_from"]
    return f"{row['seconds'] / steps:.2f}" if steps else ""


def _plot(table: dict, rows: list[Row], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metrics = [metric for metric in metrics_of(rows) if any(f"{metric}_gain" in row["scores"] for row in rows)]
    if not metrics:
        return
    figure = Figure(figsize=(2 + 4 * len(metrics), 1.2 + 0.35 * len(rows)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    all_axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(all_axes, metrics, strict=True):
        key = f"{metric}_gain"
        for place, row in enumerate(rows):
            gain = row["scores"].get(key)
            if gain is None:
                continue
            axes.barh(place, gain, color="#4c78a8")
            if limits := row["intervals"].get(key):
                axes.plot(limits, [place, place], color="black", linewidth=1.5)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set(xlabel=f"{metric}: gain over the floor", yticks=range(len(rows)))
        axes.set_yticklabels([row["name"] for row in rows])
    all_axes[0].invert_yaxis()
    figure.suptitle(title_of(table), fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _sheet(table: dict, rows: list[Row], out: Path) -> None:
    """The first clip of the protocol, as each row makes it."""
    clip = rows[0]["per_video"][0]["name"]
    paths = {row["name"]: out / row["name"] / "test/videos" / f"{clip.replace('/', '_')}.mp4" for row in rows}
    videos = {name: read_video(path) for name, path in paths.items() if path.is_file()}
    if videos:
        write_image(out / "strips.png", labelled_strips(videos, name=f"{title_of(table)}: {clip}"))
