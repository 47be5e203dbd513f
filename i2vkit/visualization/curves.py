"""Plots of scores by time step."""

from __future__ import annotations

from pathlib import Path

from i2vkit.media import atomic_path


def plot_curves(curves: dict[str, dict[str, list]], path: str | Path, title: str) -> None:
    """Plot each metric and its static baseline over the frames of a video (Dual-MTGAN, fig. 6).

    Args:
        curves: By name of the metric, its lists "step", "score" and "static_baseline", all of one length.
        path: The PNG file, written completely or not at all.
        title: The text above the plots.
    """
    # Imported here, because matplotlib is slow to import and only tests of stochastic models draw curves.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(1 + 4 * len(curves), 3.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, curve) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True):
        axes.plot(curve["step"], curve["score"], marker=".", color="#4c78a8", label="model")
        axes.plot(curve["step"], curve["static_baseline"], linestyle="--", color="black", label="first image repeated")
        axes.set(xlabel="time step (0 is the given image)", ylabel=name.replace("_", " "))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
