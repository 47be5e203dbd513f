"""Frechet distance of two sets of vectors, each modelled as a Gaussian."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from i2vkit.errors import RangeError


def frechet_distance(mean: ArrayLike, covariance: ArrayLike, other_mean: ArrayLike, other: ArrayLike) -> float:
    """Return the squared Frechet (Wasserstein-2) distance of two Gaussians: |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1
    S2)^(1/2)).

    The trace of the root is the sum of the roots of the eigenvalues of S1^(1/2) S2 S1^(1/2). This matrix is symmetric,
    so unlike a root of S1 S2 the result is real, and stable even if the covariances do not have full rank.

    Source: Dowson and Landau, 1982; Heusel et al., 2017.

    Args:
        mean: (D,).
        covariance: (D, D), symmetric, without negative eigenvalues.
        other_mean: The mean of the other Gaussian, (D,).
        other: The covariance of the other Gaussian, (D, D).

    Returns:
        The distance, 0 or more, in double precision.

    Raises:
        RangeError: Shapes do not fit, or values are not finite.

    Examples:
        >>> import numpy as np
        >>> round(frechet_distance([0, 0], np.diag([1, 4]), [3, 4], np.diag([9, 4])), 6)  # 5^2 + (3 - 1)^2
        29.0
    """
    means = [_numbers(x) for x in (mean, other_mean)]
    covariances = [_numbers(x) for x in (covariance, other)]
    size = means[0].size
    if any(m.shape != (size,) for m in means) or any(c.shape != (size, size) for c in covariances):
        raise RangeError(
            f"means {[m.shape for m in means]} and covariances {[c.shape for c in covariances]} do not fit"
        )
    if not all(np.isfinite(x).all() for x in means + covariances):
        raise RangeError("a mean or a covariance is not finite")
    values, vectors = np.linalg.eigh(covariances[0])
    root = vectors * np.sqrt(values.clip(min=0))  # a root of S1 up to a rotation, which leaves the eigenvalues as is
    shared = np.sqrt(np.linalg.eigvalsh(root.T @ covariances[1] @ root).clip(min=0)).sum()
    return _distance(means[0] - means[1], np.trace(covariances[0]) + np.trace(covariances[1]), shared)


def _numbers(values: ArrayLike) -> np.ndarray:
    """Return an array in double precision. Raise ``RangeError`` if there are other things than numbers in it."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise RangeError(f"expected numbers, as many in each row: {error}") from error


def frechet_distance_of(vectors: ArrayLike, others: ArrayLike) -> float:
    """Return the ``frechet_distance`` of the Gaussians of two sets of vectors, (N, D) and (M, D), with N and M at least
    2.

    With fewer vectors than dimensions the covariances have low rank. The trace of the root then equals the sum of the
    singular values of an (N, M) matrix, and no (D, D) matrix is needed.

    Args:
        vectors: (N, D).
        others: (M, D).

    Raises:
        RangeError: A set has fewer than two vectors, shapes do not fit, or values are not finite.

    Examples:
        >>> frechet_distance_of([[0.0], [2.0]], [[3.0], [5.0]])  # one variance, means 1 and 4
        9.0
    """
    sets = [_numbers(x) for x in (vectors, others)]
    if any(x.ndim != 2 or len(x) < 2 for x in sets) or sets[0].shape[1] != sets[1].shape[1]:
        raise RangeError(f"expected two or more vectors (N, D) in each set, got {sets[0].shape} and {sets[1].shape}")
    if not all(np.isfinite(x).all() for x in sets):
        raise RangeError("a vector is not finite")
    means = [x.mean(axis=0) for x in sets]
    # With more vectors than dimensions the (D, D) matrices are the smaller ones.
    if min(map(len, sets)) > sets[0].shape[1]:
        covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in sets]
        return frechet_distance(means[0], covariances[0], means[1], covariances[1])
    # S1 = X1^T X1, S2 = X2^T X2: the eigenvalues of S1 S2 are the squared singular values of X1 X2^T.
    # (N, D) and (M, D), whose product below is (N, M).
    scaled = [(x - mean) / np.sqrt(len(x) - 1) for x, mean in zip(sets, means, strict=True)]
    shared = np.linalg.svd(scaled[0] @ scaled[1].T, compute_uv=False).sum()
    return _distance(means[0] - means[1], sum(np.square(x).sum() for x in scaled), shared)


def _distance(difference: np.ndarray, traces: float, shared: float) -> float:
    """Return the distance, at least 0, since rounding errors can make the sum negative."""
    return max(float(difference @ difference + traces - 2 * shared), 0.0)
