"""A plot of the shares of all metrics, and strips of one degraded video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from i2vkit.analysis.metrics_and_motion.degradations import TRUTH, degradations
from i2vkit.analysis.metrics_and_motion.ranking import Result, rows_with
from i2vkit.analysis.metrics_and_motion.report import TITLES
from i2vkit.analysis.tables.docs import write_small
from i2vkit.media import write_image
from i2vkit.structures import VideoSample
from i2vkit.visualization import to_frames
from i2vkit.visualization.strips import labelled_strips

COLORS = {"right": "#1f77b4", "wrong": "#d62728"}
MARKERS = "os^D"  # of the parts
MOST = 2.5  # larger shares are drawn at this limit


def plot_shares(results: dict[str, Result], path: Path) -> None:
    """Write a PNG with one panel for each metric: the share of every degradation, and a line at the still image.

    Args:
        results: The results by part. All have the same metrics.
        path: The PNG file, written completely or not at all.
    """
    # Imported here, because matplotlib is slow to import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    first = next(iter(results.values()))
    metrics, rows = list(first["metrics"]), rows_with(first, "right") + rows_with(first, "wrong")
    figure = Figure(figsize=(2 + 1.55 * len(metrics), 1.3 + 0.27 * len(rows)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        axes.axvline(1, color="black", linestyle="--", linewidth=0.8)
        for place, row in enumerate(rows):
            color = COLORS[first["degradations"][row]["motion"]]
            for marker, (part, result) in zip(MARKERS, results.items(), strict=False):
                filled = color if part == next(iter(results)) else "white"
                share = min(result["shares"][row][metric], MOST)
                axes.plot(share, place, marker, color=color, markerfacecolor=filled, markersize=5, clip_on=False)
        axes.set(title=TITLES[metric], xlim=(0, MOST), xticks=(0, 1, 2), yticks=range(len(rows)))
        axes.set_yticklabels(rows)
        axes.grid(axis="y", linewidth=0.3)
    panels[0].invert_yaxis()
    parts = " and ".join(f"{'filled' if part == next(iter(results)) else 'hollow'} {part}" for part in results)
    figure.suptitle(
        f"Blue: right motion, red: wrong motion. 0 is the truth, dashed the still image, {MOST} and more at the right "
        f"edge. Markers: {parts}",
        fontsize=9,
    )
    with TemporaryDirectory() as folder:
        figure.savefig(Path(folder) / "plot.png")
        write_small(Path(folder) / "plot.png", path)


def write_strips(samples: Sequence[VideoSample], number: int, seed: int, path: Path) -> None:
    """Write a WebP with frames of the truth of a sample and of all its degradations.

    Args:
        samples: All samples of the set.
        number: The place of the shown one.
        seed: The seed of the degradations.
        path: The file.
    """
    sample = samples[number]
    videos = {TRUTH: to_frames(sample.truth)}
    videos |= {each.name: to_frames(each.method(seed)(sample)) for each in degradations(samples)}
    with TemporaryDirectory() as folder:
        write_image(Path(folder) / "strips.png", labelled_strips(videos, name=sample.name, height=48))
        write_small(Path(folder) / "strips.png", path)
