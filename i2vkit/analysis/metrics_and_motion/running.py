"""Comparison of metrics on the parts of i2v-truth-v1: results, plot and strips in one folder."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from mmengine.registry import DefaultScope

from i2vkit.analysis.metrics_and_motion.pictures import plot_shares, write_strips
from i2vkit.analysis.metrics_and_motion.ranking import Result
from i2vkit.analysis.metrics_and_motion.report import read_results, write_result
from i2vkit.analysis.metrics_and_motion.scoring import metric_entries, score_degradations
from i2vkit.analysis.truth_benchmark.reference_scores import plain_dataset
from i2vkit.analysis.truth_benchmark.scoring import DATA, benchmark_config
from i2vkit.engine.precision import precision as computing_in
from i2vkit.evaluation.result import PACKAGES
from i2vkit.evaluation.run import build_protocol
from i2vkit.registry import SCOPE
from i2vkit.rendering.i2v_truth.parts import PARTS, VERSION
from i2vkit.structures import VideoSample
from i2vkit.utils.versions import package_versions


def compare_metrics(
    out: str | Path,
    parts: Sequence[str] = tuple(PARTS),
    data: str | Path = DATA,
    seed: int = 0,
    weights: Mapping[str, str] | None = None,
) -> dict[str, Result]:
    """Score twelve degradations of all true videos of the test of i2v-truth-v1 by all metrics.

    ``out`` gets ``<part>.json`` and strips of one sample, drawn by the seed (``<part>.webp``), for each part, and a
    plot of all parts in that folder (``shares.png``).

    Args:
        out: The folder of the results.
        parts: "faces", "figures" or both.
        data: The folder of the set.
        seed: The seed of noise, shuffling, and the choice of other motions.
        weights: Files of weights of "lpips", "video_fid" and "fvd", by name. By default those in ``data/extractors``.

    Returns:
        The results by part: those of ``score_degradations``, with ``version``, ``part``, ``command``,
        ``seed``, ``versions`` and ``seconds``.

    Raises:
        ConfigError: There is no such part, or weights are given of another metric.
        DataError: The set is missing or incomplete.
        CheckpointError: A file of weights is the wrong one.
    """
    entries, results = metric_entries(weights or {}), {}
    for part in parts:
        start = perf_counter()
        with DefaultScope.overwrite_default_scope(SCOPE), computing_in("fp32"):
            samples = _samples(part, data)
            found = score_degradations(samples, entries, seed)
        words = ["python", "tools/benchmark_truth.py", "metrics", "--part", part, "--seed", str(seed)]
        words += ["--weights", *(f"{name}={file}" for name, file in weights.items())] if weights else []
        results[part] = {
            "version": VERSION,
            "part": part,
            "command": shlex.join(words),
            "seed": seed,
            "versions": package_versions(PACKAGES),
            **found,
            "seconds": round(perf_counter() - start),
        }
        write_result(results[part], Path(out))
        number = int(np.random.default_rng(seed).integers(len(samples)))
        write_strips(samples, number, seed, Path(out) / f"{part}.webp")
    # Parts may be scored one after the other, so the plot has all that are there.
    plot_shares(read_results(Path(out)), Path(out) / "shares.png")
    return results


def _samples(part: str, data: str | Path) -> list[VideoSample]:
    """Return the samples of a part with their truths, driving videos and images."""
    cfg = benchmark_config(part, data=data)
    dataset = plain_dataset(cfg.test_dataloader.dataset, build_protocol(cfg, None)[1])
    return [dataset[number]["data_samples"] for number in range(len(dataset))]
