"""Plots of scores by time step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from i2vkit.media import atomic_path

# By name of the metric, its lists "step", "score" and "static_baseline", all of one length.
Curves = Mapping[str, Mapping[str, list]]


def plot_curves(curves: Curves, path: str | Path, title: str) -> None:
    """Plot each metric and its static baseline over the frames of a video (Dual-MTGAN, fig. 6).

    Args:
        curves: The curves of one result.
        path: The PNG file, written completely or not at all.
        title: The text above the plots.
    """
    overlay_curves({"model": curves}, path, title)


def overlay_curves(results: Mapping[str, Curves], path: str | Path, title: str) -> None:
    """Plot each metric of several results over the frames of a video, with one static baseline (Dual-MTGAN, fig. 6).

    Args:
        results: The curves of every result, by the name that stands in the legend. A result without a metric has no
            line in its plot. The static baseline is that of the first result.
        path: The PNG file, written completely or not at all.
        title: The text above the plots.
    """
    # Imported here, because matplotlib is slow to import and only tests of stochastic models draw curves.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    metrics = list(dict.fromkeys(name for curves in results.values() for name in curves))
    figure = Figure(figsize=(1 + 4 * len(metrics), 3.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        shown = {name: curves[metric] for name, curves in results.items() if metric in curves}
        for name, curve in shown.items():
            axes.plot(curve["step"], curve["score"], marker=".", label=name)
        first = next(iter(shown.values()))
        axes.plot(first["step"], first["static_baseline"], linestyle="--", color="black", label="first image repeated")
        axes.set(xlabel="time step (0 is the given image)", ylabel=metric.replace("_", " "))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
