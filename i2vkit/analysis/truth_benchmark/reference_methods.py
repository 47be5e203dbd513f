"""Reference methods: ways to make a video without a model, from the best to the worst, to calibrate a score.

A reference method is a function ``method(sample) -> uint8 (C, T, H, W)`` of everything that is known of a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import avg_pool2d

from i2vkit.datasets import ClipDataset
from i2vkit.media import read_video, write_video
from i2vkit.structures import VideoSample

ReferenceMethod = Callable[[VideoSample], Tensor]


def truth(sample: VideoSample) -> Tensor:
    """Return the truth itself."""
    return sample.truth


def coded_truth(sample: VideoSample) -> Tensor:
    """Return the truth, coded as H.264 and read back. It is the upper bound for videos that are stored as MP4 files."""
    height, width = sample.truth.shape[-2:]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "truth.mp4"
        write_video(path, _frames(sample.truth), sample.get("fps", 25.0))
        return _video(read_video(path)[:, :height, :width])


def repeated_image(sample: VideoSample) -> Tensor:
    """Return the input image in every frame: the right person, but no motion."""
    return sample.image[:, None].expand_as(sample.truth)


def driving_video(sample: VideoSample) -> Tensor:
    """Return the driving video: the right motion, but the wrong person."""
    return sample.driving


def frozen(sample: VideoSample) -> Tensor:
    """Return the first frame of the ground truth in every frame."""
    return sample.truth[:, :1].expand_as(sample.truth)


def shuffled(sample: VideoSample) -> Tensor:
    """Return the ground truth with all frames after the first in another order, which depends on the length only."""
    order = 1 + np.random.default_rng(0).permutation(sample.truth.shape[1] - 1)
    return sample.truth[:, [0, *order.tolist()]]


def late(sample: VideoSample, frames: int = 3) -> Tensor:
    """Return the truth delayed by ``frames`` frames, by default 3."""
    return sample.truth[:, [max(t - frames, 0) for t in range(sample.truth.shape[1])]]


def blurred(sample: VideoSample, sigma: float = 1.5) -> Tensor:
    """Return the truth, blurred by a Gaussian of ``sigma`` pixels, by default 1.5."""
    return _video(np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in _frames(sample.truth)]))


def slightly_blurred(sample: VideoSample) -> Tensor:
    """Return the truth, blurred by a Gaussian of 0.6 pixels."""
    return blurred(sample, 0.6)


def noised(sample: VideoSample, sigma: float = 12.0) -> Tensor:
    """Return the truth with independent noise in every frame, of ``sigma`` of 255 grey levels, by default 12."""
    # (C, T, H, W): independent values for every frame, but the same for all videos of one shape.
    noise = np.random.default_rng(0).normal(0, sigma, tuple(sample.truth.shape))
    return (sample.truth + torch.from_numpy(noise)).round().clamp(0, 255).to(torch.uint8)


class NearestClip:
    """A reference method that returns the training clip whose start is like the image and whose motion is like the
    driving's.

    The clip minimises the sum of two mean squared differences: of its first frame from the image, and of its change
    since the first frame from that of the driving video. Both are computed at a quarter of the size.

    Args:
        dataset: The training clips, of the samples' length and size.
    """

    def __init__(self, dataset: ClipDataset) -> None:
        self.dataset = dataset
        # (T, C, H / 4, W / 4) of each clip, which is enough to compare them and keeps them in memory.
        small = [_small(dataset[i]["inputs"]["driving"]) for i in range(len(dataset))]
        self.starts = torch.stack([clip[0] for clip in small])
        self.changes = torch.stack([clip[1:] - clip[0] for clip in small])

    def __call__(self, sample: VideoSample) -> Tensor:
        """Return the nearest clip."""
        image, driving = _small(sample.image[:, None])[0], _small(sample.driving)
        # (clips, C, h, w) -> (clips,)
        apart = (self.starts - image).square().flatten(1).mean(1)
        # (clips, T - 1, C, h, w) -> (clips,)
        apart += (self.changes - (driving[1:] - driving[0])).square().flatten(1).mean(1)
        return self.dataset[int(apart.argmin())]["inputs"]["driving"]


REFERENCE_METHODS: dict[str, ReferenceMethod] = {
    "truth": truth,
    "truth as H.264": coded_truth,
    "truth, slightly blurred": slightly_blurred,
    "truth, blurred": blurred,
    "truth, noised": noised,
    "truth, 3 frames late": late,
    "truth, shuffled": shuffled,
    "truth, frozen": frozen,
    "driving video": driving_video,
    "image repeated": repeated_image,
}


def _frames(video: Tensor) -> np.ndarray:
    """Map a video (C, T, H, W) to frames (T, H, W, C)."""
    return np.ascontiguousarray(rearrange(video.numpy(), "c t h w -> t h w c"))


def _video(frames: np.ndarray) -> Tensor:
    """Map frames (T, H, W, C) to a video (C, T, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(rearrange(frames, "t h w c -> c t h w")))


def _small(video: Tensor) -> Tensor:
    """Return a video (C, T, H, W), uint8, at a quarter of the size: (T, C, H / 4, W / 4), float."""
    return avg_pool2d(video.transpose(0, 1).float(), 4)
