"""Structural similarity of videos, frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.registry import METRICS

WINDOW = 11
BORDER = WINDOW // 2
# Frames whose maps are held at a time: about 40 MB for 128 x 128 frames in double precision, whatever the length.
CHUNK = 16


def ssim(video: Tensor, truth: Tensor, data_range: float = 255.0) -> Tensor:
    """Structural similarity of every frame, averaged over colours and over the pixels whose window lies inside.

    Gaussian window of 11 pixels with sigma 1.5 and biased covariance, k1 = 0.01, k2 = 0.03, as in Wang et al.,
    "Image quality assessment" (2004) and as scikit-image counts them with ``gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False``: the outer 5 pixels, where torchmetrics would reflect the image, are left out.

    Args:
        video: (N, C, T, H, W), uint8 or float, on the scale of ``data_range``.
        truth: the same shape.
        data_range: difference between the largest and the smallest possible value.

    Returns:
        (N, T) in [-1, 1], 1 for equal frames, in double precision.

    Raises:
        ValueError: unequal or wrong shapes, or frames smaller than the window.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics import ssim
        >>> truth = torch.arange(2 * 3 * 4 * 16 * 16).reshape(2, 3, 4, 16, 16) % 251
        >>> ssim(truth, truth).shape
        torch.Size([2, 4])
        >>> round(ssim(truth, truth).mean().item(), 6)
        1.0
        >>> bool((ssim(255 - truth, truth) < 0).all())
        True
    """
    check_pair(video, truth)
    n, _, t, height, width = video.shape
    if min(height, width) < WINDOW:
        raise ValueError(f"SSIM needs frames of at least {WINDOW} x {WINDOW} pixels, got {height} x {width}")
    # (N, C, T, H, W) -> (N * T, C, H, W)
    frames, others = (x.transpose(1, 2).flatten(0, 1) for x in (video, truth))
    pairs = zip(frames.split(CHUNK), others.split(CHUNK), strict=True)
    # Double precision: variances are differences of squares, and those of 8-bit values leave float32 too few digits.
    scores = [_frame_ssim(some.double(), other.double(), data_range) for some, other in pairs]
    return torch.cat(scores).unflatten(0, (n, t))


def _frame_ssim(frames: Tensor, truth: Tensor, data_range: float) -> Tensor:
    """Per-frame mean of the SSIM map without its border: two times (N, C, H, W) -> (N,)."""
    _, full = structural_similarity_index_measure(
        frames, truth, sigma=1.5, kernel_size=WINDOW, data_range=data_range, reduction=None, return_full_image=True
    )
    return full[..., BORDER:-BORDER, BORDER:-BORDER].flatten(1).mean(1)


@METRICS.register_module()
class Ssim(VideoMetric):
    """SSIM of frames 1 to T-1, per frame, then per video, then overall; see :func:`ssim`."""

    name = "ssim"

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """(N, C, T, H, W) uint8 twice -> (N, T) in [-1, 1]."""
        return ssim(video, truth)
