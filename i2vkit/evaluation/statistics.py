"""How sure a mean over videos is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

LEVEL = 0.95
DRAWS = 2000
GROUPS = {"people": "driving_person", "clips": "driving_name"}


def bootstrap_interval(
    values: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    num_draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean.

    Videos of one person are not independent: with ``groups`` whole people are drawn, each with all their videos.

    Args:
        values: one a video.
        groups: the person of every video; each video is its own group where it is None.
        level: probability that the interval is meant to cover.
        num_draws: samples drawn with replacement.
        seed: of the draws.

    Returns:
        Lower and upper bound, on the scale of the values; both are nan where there are fewer than two groups.

    Raises:
        ValueError: no values, or not as many groups as values.

    Examples:
        >>> from i2vkit.evaluation.statistics import bootstrap_interval
        >>> bootstrap_interval([0.5, 0.5, 0.5])
        (0.5, 0.5)
        >>> low, high = bootstrap_interval(range(100))
        >>> low < 49.5 < high
        True
    """
    means = bootstrap_means(values, groups, num_draws, seed)
    if not len(means):
        return float("nan"), float("nan")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_means(
    values: Sequence, groups: Sequence[Hashable] | None = None, num_draws: int = DRAWS, seed: int = 0
) -> np.ndarray:
    """Means of what is drawn with replacement, from which intervals of the mean, or of what is made of it, are read.

    Args:
        values: one a video, or several scores of each, (N,) or (N, K); all scores of a video are drawn together.
        groups, num_draws, seed: as ``bootstrap_interval``.

    Returns:
        (num_draws,) or (num_draws, K); (0,) where there are fewer than two groups.

    Raises:
        ValueError: no values, or not as many groups as values.
    """
    groups = range(len(values)) if groups is None else groups
    if len(values) == 0 or len(groups) != len(values):
        raise ValueError(f"{len(values)} values of {len(groups)} groups: expected as many, and at least one")
    _, index = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    columns = np.asarray(values, dtype=float).reshape(len(values), -1)
    sums = np.stack([np.bincount(index, weights=column) for column in columns.T], axis=1)
    sizes = np.bincount(index)
    if len(sizes) < 2:
        return np.empty(0)
    draws = np.random.default_rng(seed).integers(len(sizes), size=(num_draws, len(sizes)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)[:, None]
    return means.reshape(num_draws, *np.shape(values)[1:])


def bootstrap_over(videos: Sequence[dict]) -> tuple[str, int]:
    """Over whom the interval of a mean over these videos is drawn, and how many they are.

    Videos of one person are not independent, so people are drawn; of a single person the clips that drive, since one
    clip may drive many videos; of a single clip nothing is left but the videos.

    Args:
        videos: each with its ``driving_person`` and ``driving_name``.

    >>> from i2vkit.evaluation.statistics import bootstrap_over
    >>> ann, bob = {"driving_person": "ann", "driving_name": "a"}, {"driving_person": "bob", "driving_name": "b"}
    >>> bootstrap_over([ann, ann, bob]), bootstrap_over([ann, ann | {"driving_name": "c"}]), bootstrap_over([ann, ann])
    (('people', 2), ('clips', 2), ('videos', 2))
    """
    for over in GROUPS:
        if (number := len(set(groups_of(videos, over)))) > 1:
            return over, number
    return "videos", len(videos)


def groups_of(videos: Sequence[dict], over: str) -> list | None:
    """The group of each video where "people" or "clips" are drawn; None where "videos" are, each on its own."""
    return None if over not in GROUPS else [video.get(GROUPS[over]) for video in videos]
