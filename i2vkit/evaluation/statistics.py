"""Bootstrap intervals of means over videos."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from i2vkit.errors import RangeError

LEVEL = 0.95
DRAWS = 2000
GROUPS = {"people": "driving_person", "clips": "driving_name"}  # units of the bootstrap and their keys in per_video


def bootstrap_interval(
    values: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    num_draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a mean.

    Videos of one person are not independent, so with ``groups`` people are drawn as a whole with all their videos.

    Args:
        values: One value for each video.
        groups: The person of each video. With None each video is a group of its own.
        level: The nominal coverage of the interval, in [0, 1]. By default 0.95.
        num_draws: The number of bootstrap samples. By default 2000.
        seed: The seed of the draws. By default 0.

    Returns:
        Lower and upper bound on the scale of the values. Both are nan if there are fewer than two groups.

    Raises:
        RangeError: There are no values, or not as many groups as values.

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
    """Return bootstrap means, from which you can read intervals of the mean or of functions of it.

    Args:
        values: One value for each video, (N,), or several scores, (N, K). All scores of a video are drawn together.
        groups: As in ``bootstrap_interval``.
        num_draws: As in ``bootstrap_interval``.
        seed: As in ``bootstrap_interval``.

    Returns:
        (num_draws,) or (num_draws, K), or (0,) if there are fewer than two groups.

    Raises:
        RangeError: There are no values, or not as many groups as values.
    """
    groups = range(len(values)) if groups is None else groups
    if len(values) == 0 or len(groups) != len(values):
        raise RangeError(
            f"expected at least one value, and one group for each, got {len(values)} values and {len(groups)} groups"
        )
    _, index = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    columns = np.asarray(values, dtype=float).reshape(len(values), -1)  # (N,) or (N, K) -> (N, K)
    # The mean of a draw needs only the sum and the size of each group, so G groups suffice in place of N videos.
    sums = np.stack([np.bincount(index, weights=column) for column in columns.T], axis=1)
    sizes = np.bincount(index)
    if len(sizes) < 2:
        return np.empty(0)
    draws = np.random.default_rng(seed).integers(len(sizes), size=(num_draws, len(sizes)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)[:, None]  # (draws, G, K) -> (draws, K)
    return means.reshape(num_draws, *np.shape(values)[1:])


def bootstrap_over(videos: Sequence[dict]) -> tuple[str, int]:
    """Return the units over which to bootstrap a mean over these videos, and their number.

    Videos of one person are not independent, so the units are people. With a single person they are driving clips,
    since one clip may drive many videos. With a single clip they are videos.

    Args:
        videos: Dicts with ``driving_person`` and ``driving_name``.

    >>> from i2vkit.evaluation.statistics import bootstrap_over
    >>> ann, bob = {"driving_person": "ann", "driving_name": "a"}, {"driving_person": "bob", "driving_name": "b"}
    >>> bootstrap_over([ann, ann, bob]), bootstrap_over([ann, ann | {"driving_name": "c"}]), bootstrap_over([ann, ann])
    (('people', 2), ('clips', 2), ('videos', 2))
    """
    for over in GROUPS:
        if (number := len({video.get(GROUPS[over]) for video in videos})) > 1:
            return over, number
    return "videos", len(videos)


def groups_of(videos: Sequence[dict], over: str) -> list | None:
    """Return the group of each video if "people" or "clips" are drawn, or None if "videos" are."""
    return None if over not in GROUPS else [video.get(GROUPS[over]) for video in videos]
