"""How far the motion of videos is from that of their truth, by optical flow."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.registry import METRICS

# Farneback's method. Every argument is given: OpenCV's defaults change between its versions.
FARNEBACK = {"pyr_scale": 0.5, "levels": 3, "winsize": 15, "iterations": 3, "poly_n": 5, "poly_sigma": 1.2, "flags": 0}


def motion_accuracy(video: Tensor, truth: Tensor) -> Tensor:
    """End-point error of the optical flow of every frame but the first against the flow of the ground truth, in pixels.

    The flow of frame t is that from frame t-1, of both videos by Farneback's method on grey frames. The error of a
    frame is the mean over its pixels of |flow - true flow|, weighted by |flow| + |true flow|: what moves in either
    video counts, and a still background, however large, does not hide it. Frames in which nothing moves in either have
    an error of 0. Pixels are those of the frames given: compare at one size only.

    From the first frame to each, shuffled frames would come out better than a video that stands still (0.7 of its error
    on rendered faces), as each shows some displacement; from one frame to the next they come out last (5 times, and 2.5
    times on Weizmann's actions). OpenCV's DIS flow ranks alike, but blur moves it more (0.37 against 0.23 there). A
    video with the right motion that comes late is nearly as wrong as one that stands still: time counts.

    Args:
        video: (N, C, T, H, W) uint8, C = 1 or 3 (RGB), T at least 2.
        truth: the same shape.

    Returns:
        (N, T-1), in double precision; 0 for equal motion.

    Raises:
        ValueError: unequal or wrong shapes, one frame, values that are not uint8.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics import motion_accuracy
        >>> wave = (torch.arange(64.0) / 4).sin() * 50 + 120
        >>> picture = wave[:, None] + wave
        >>> truth = torch.stack([picture.roll(2 * t, dims=1) for t in range(3)]).to(torch.uint8)[None, None]
        >>> motion_accuracy(truth, truth).tolist()
        [[0.0, 0.0]]
        >>> still = truth[:, :, :1].expand_as(truth)
        >>> [round(value) for value in motion_accuracy(still, truth)[0].tolist()]
        [2, 2]
    """
    check_pair(video, truth)
    if video.dtype != torch.uint8 or truth.dtype != torch.uint8 or video.shape[1] not in (1, 3) or video.shape[2] < 2:
        raise ValueError(
            f"the motion of uint8 videos (N, 1 or 3, 2 or more, H, W) is compared, got {video.dtype} and {truth.dtype} "
            f"{tuple(video.shape)}"
        )
    errors = [_weighted_error(flow(a), flow(b)) for a, b in zip(video, truth, strict=True)]
    return torch.from_numpy(np.stack(errors))


def flow(video: Tensor) -> np.ndarray:
    """Optical flow of a video (C, T, H, W) uint8 -> float32 (T-1, H, W, 2): x and y in pixels, frame to frame."""
    frames = np.ascontiguousarray(rearrange(video.cpu().numpy(), "c t h w -> t h w c"))
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.shape[2] == 3 else frame[..., 0] for frame in frames]
    return np.stack([cv2.calcOpticalFlowFarneback(before, now, None, **FARNEBACK) for before, now in pairwise(grey)])


def _weighted_error(of_video: np.ndarray, of_truth: np.ndarray) -> np.ndarray:
    """Flows (T, H, W, 2) -> (T,)."""
    error, *speeds = (np.linalg.norm(x.astype(float), axis=-1) for x in (of_video - of_truth, of_video, of_truth))
    weights = speeds[0] + speeds[1]
    total = weights.sum(axis=(1, 2))
    return np.divide((weights * error).sum(axis=(1, 2)), total, out=np.zeros_like(total), where=total > 0)


@METRICS.register_module()
class MotionAccuracy(VideoMetric):
    """``motion_error``: that of the optical flow of frames 1 to T-1 in pixels, per frame, then per video, then overall;
    less is better, and the static baseline is the error of a video that stands still. See :func:`motion_accuracy`.
    """

    name = "motion_error"
    less_is_better = True
    reads_first = True

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """(N, C, T, H, W) uint8 twice, frame 0 included -> (N, T-1)."""
        return motion_accuracy(video, truth)
