"""Error of the motion of videos against that of their truth, by optical flow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.errors import RangeError
from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.registry import METRICS

# Arguments of Farneback's method. All are given, since OpenCV's defaults change between versions.
FARNEBACK = {"pyr_scale": 0.5, "levels": 3, "winsize": 15, "iterations": 3, "poly_n": 5, "poly_sigma": 1.2, "flags": 0}


def motion_accuracy(video: Tensor, truth: Tensor) -> Tensor:
    """Return the end-point error of the optical flow of every frame but the first against that of the truth, in pixels.

    The flow of frame t is that from frame t-1, in both videos by Farneback's method on grey frames. The error of a
    frame is the mean over its pixels of |flow - true flow|, weighted by |flow| + |true flow|. So pixels that move in
    either video count, and a large static background does not hide them. Frames without motion in either video have an
    error of 0. The error is in pixels of the given frames, so compare it at one size only.

    Flow from the first frame would rank shuffled frames above a static video (0.7 of its error on rendered faces),
    since each of them shows some displacement. Flow between successive frames ranks them last (5 times its error, and
    2.5 times on Weizmann's actions). OpenCV's DIS flow gives the same ranking, but is more sensitive to blur (0.37
    against 0.23 there). A video with the right motion that comes late is nearly as wrong as a static one: timing
    counts.

    Args:
        video: (N, C, T, H, W), uint8, with C = 1 or 3 (RGB) and T at least 2.
        truth: The same shape.

    Returns:
        (N, T-1), in double precision. Equal motion has an error of 0.

    Raises:
        RangeError: Shapes are unequal or wrong, there is one frame, or values are not uint8.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics import motion_accuracy
        >>> wave = (torch.arange(64.0) / 4).sin() * 50 + 120
        >>> picture = wave[:, None] + wave
        >>> truth = torch.stack([picture.roll(2 * t, dims=1) for t in range(3)]).to(torch.uint8)[None, None]
        >>> motion_accuracy(truth, truth).tolist()
        [[0.0, 0.0]]
        >>> static = truth[:, :, :1].expand_as(truth)
        >>> [round(value) for value in motion_accuracy(static, truth)[0].tolist()]
        [2, 2]
    """
    check_pair(video, truth)
    if video.dtype != torch.uint8 or truth.dtype != torch.uint8 or video.shape[1] not in (1, 3) or video.shape[2] < 2:
        raise RangeError(
            f"expected uint8 videos (N, 1 or 3, 2 or more, H, W), got {video.dtype} and {truth.dtype} "
            f"{tuple(video.shape)}"
        )
    errors = [_weighted_error(flow(a), flow(b)) for a, b in zip(video, truth, strict=True)]
    return torch.from_numpy(np.stack(errors))


def flow(video: Tensor) -> np.ndarray:
    """Return the optical flow of a video (C, T, H, W), uint8, from frame to frame: float32 (T-1, H, W, 2), x and y in
    pixels.
    """
    frames = np.ascontiguousarray(rearrange(video.cpu().numpy(), "c t h w -> t h w c"))
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.shape[2] == 3 else frame[..., 0] for frame in frames]
    # OpenCV's annotations do not say that None means no initial flow.
    estimate: Callable[..., np.ndarray] = cv2.calcOpticalFlowFarneback
    return np.stack([estimate(before, now, None, **FARNEBACK) for before, now in pairwise(grey)])


def _weighted_error(of_video: np.ndarray, of_truth: np.ndarray) -> np.ndarray:
    """Map flows (T, H, W, 2) to weighted errors (T,)."""
    error, *speeds = (np.linalg.norm(x.astype(float), axis=-1) for x in (of_video - of_truth, of_video, of_truth))
    # (T, H, W): pixels without motion in both videos have no weight.
    weights = speeds[0] + speeds[1]
    total = weights.sum(axis=(1, 2))
    # Without any motion there is no weight and no error.
    return np.divide((weights * error).sum(axis=(1, 2)), total, out=np.zeros_like(total), where=total > 0)


@METRICS.register_module()
class MotionAccuracy(VideoMetric):
    """``motion_error``: the error of the optical flow of frames 1 to T-1 in pixels, see ``motion_accuracy``.

    It is averaged over frames, then over videos. Lower is better. The static baseline is the error of a static video.
    """

    name = "motion_error"
    less_is_better = True
    reads_first = True

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Map videos and truths (N, C, T, H, W), uint8, including frame 0, to (N, T-1)."""
        return motion_accuracy(video, truth)
