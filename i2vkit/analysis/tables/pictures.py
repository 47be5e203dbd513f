"""Pictures of a table: improvements over the static baseline, training curves, and one clip as each row makes it."""

from __future__ import annotations

from collections import Counter
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from i2vkit.analysis.tables.description import folder_of
from i2vkit.media import atomic_path, read_video, write_image
from i2vkit.visualization.strips import labelled_strips

RowResult = dict[str, Any]
PANELS = 6  # number of losses that are drawn
COLUMNS = 3


def plot_improvements(rows: list[RowResult], metrics: list[str], title: str, path: Path) -> None:
    """Draw the improvement of every row over the static baseline with its interval, one panel for each metric.

    If no metric has improvements, nothing is written.
    """
    metrics = [metric for metric in metrics if any(f"{metric}_improvement" in row["scores"] for row in rows)]
    if not metrics:
        return
    figure = _figure(2 + 4 * len(metrics), 1.2 + 0.35 * len(rows))
    all_axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(all_axes, metrics, strict=True):
        key = f"{metric}_improvement"
        for place, row in enumerate(rows):
            improvement = row["scores"].get(key)
            if improvement is None:
                continue
            axes.barh(place, improvement, color="#4c78a8")
            if limits := row["intervals"].get(key):
                axes.plot(limits, [place, place], color="black", linewidth=1.5)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set(xlabel=f"{metric}: improvement over the static baseline", yticks=range(len(rows)))
        axes.set_yticklabels([row["name"] for row in rows])
    all_axes[0].invert_yaxis()
    _save(figure, title, path)


def plot_curves(rows: list[RowResult], title: str, path: Path) -> None:
    """Draw the losses that most rows have over the share of the budget, one line for each row.

    If there are no logs, nothing is written.
    """
    losses = shared_losses(rows)
    if not losses:
        return
    columns = min(COLUMNS, len(losses))
    lines = -(-len(losses) // columns)  # rounded up
    figure = _figure(1 + 4 * columns, 0.9 + 2.8 * lines + 0.09 * len(rows))
    panels = figure.subplots(lines, columns, squeeze=False).flatten()
    colors = _colors(len(rows))
    for axes in panels[len(losses) :]:
        axes.axis("off")
    for axes, loss in zip(panels, losses, strict=False):
        for row, color in zip(rows, colors, strict=True):
            curve = row.get("training", {})
            logged = zip(curve.get("step", []), curve.get(loss, []), strict=False)
            points = [(step / row["iterations"], value) for step, value in logged if value is not None]
            if points:
                axes.plot(*zip(*points, strict=True), color=color, lw=1)
        axes.set(title=loss, xlabel="share of the budget")
    handles = [
        panels[0].plot([], [], color=color, label=row["name"])[0] for row, color in zip(rows, colors, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(rows)), fontsize=8)
    _save(figure, title, path)


def shared_losses(rows: list[RowResult]) -> list[str]:
    """Return the losses that most rows logged, at most six. Distances come first, and sums over a phase are left out.

    >>> training = {"step": [1], "frame_discriminator": [2.0], "frame_l1": [0.5], "discriminators_total": [2.0]}
    >>> shared_losses([{"training": training}])
    ['frame_l1', 'frame_discriminator']
    """
    names = (name for row in rows for name in row.get("training", {}))
    counted = Counter(name for name in names if name != "step" and not name.endswith("_total"))
    # Frequent losses first. Among these, adversarial ones come last, since they tell little about progress.
    order = sorted(counted, key=lambda name: (-counted[name], name.endswith(("discriminator", "adversarial")), name))
    return order[:PANELS]


def write_sheet(rows: list[RowResult], title: str, out: Path) -> None:
    """Write ``strips.png``: driving clip and truth of the protocol's first sample, and the video that each row
    generated.

    The videos come from ``out/<row>/test``. Of a row with several seeds the first seed is shown.
    """
    clip = rows[0]["per_video"][0]["name"].replace("/", "_")
    videos: dict[str, Any] = {}
    for row in rows:
        folder = out / folder_of(row["name"], row["training_seed"]) / "test"
        for name in ("driving", "truth"):
            if name not in videos and (folder / f"{name}.mp4").is_file():
                videos[name] = read_video(folder / f"{name}.mp4")
        # Names of sampled videos end with their seed. The shortest name is the clip's own, or its first seed.
        made = sorted((folder / "videos").glob(f"{escape(clip)}*.mp4"), key=lambda path: len(path.name))
        if made:
            videos[row["name"]] = read_video(made[0])
    if {"driving", "truth"} <= set(videos) and np.array_equal(videos["driving"], videos["truth"]):
        del videos["driving"]
    if set(videos) - {"driving", "truth"}:
        write_image(out / "strips.png", labelled_strips(videos, name=f"{title}: {clip}", height=64))


def _colors(number: int) -> list[Any]:
    """Return a colour for each of ``number`` rows. From the 21st row on they repeat."""
    from matplotlib import colormaps

    return [colormaps["tab20"](index % 20) for index in range(number)]


def _figure(width: float, height: float) -> Any:
    # Matplotlib is slow to import, and most users of this module draw nothing.
    """Return an empty figure of a size in inches, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, title: str, path: Path) -> None:
    """Write a figure as PNG. An interrupted call leaves no partial file."""
    figure.suptitle(title, fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
