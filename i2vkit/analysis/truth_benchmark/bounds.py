"""Bounds of scores on a set with exact ground truth: the repeated first frame, and the ground truth coded as H.264."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.datasets import ClipFolder
from i2vkit.errors import DataError
from i2vkit.evaluation.metrics import psnr, ssim
from i2vkit.media import read_video, write_video
from i2vkit.values import refuse_values


def truth_bounds(root: str | Path, number: int | None = None) -> dict[str, float]:
    """Return the static baseline and the upper bound of SSIM and PSNR over the clips of a prepared truth.

    Scores are means over videos, from frame 1 on. A model that makes exactly the ground truth reaches the upper bound
    if its videos are read back from MP4 files.

    Args:
        root: The ground truth as a ``ClipFolder``, for instance ``data/mug_64/truth``.
        number: The number of clips, spread evenly over all. By default all.

    Returns:
        ``clips``, ``ssim_static_baseline``, ``ssim_upper_bound``, ``psnr_static_baseline`` and ``psnr_upper_bound`` (in
        decibel).

    Raises:
        DataError: There are no clips, or a clip has a single frame.
    """
    refuse_values(number=(number, int | None))
    records = ClipFolder(str(root)).index().records
    if number is not None:
        records = [records[i] for i in np.unique(np.linspace(0, len(records) - 1, number).round().astype(int))]
    scores: dict[str, list[float]] = {
        f"{name}_{end}": [] for name in ("ssim", "psnr") for end in ("static_baseline", "upper_bound")
    }
    with TemporaryDirectory() as folder:
        for record in records:
            if record.num_frames < 2:
                raise DataError(f"clip {record.name} of {root} has one frame; there is no motion to score")
            frames = record.frames.read(range(record.num_frames))
            coded = Path(folder) / "clip.mp4"
            write_video(coded, frames, record.fps)
            height, width = frames.shape[1:3]
            methods = {
                "static_baseline": np.repeat(frames[:1], len(frames), 0),
                # H.264 needs even sizes, so the video may have been padded.
                "upper_bound": read_video(coded)[:, :height, :width],
            }
            for end, video in methods.items():
                scores[f"ssim_{end}"].append(_mean(ssim(_video(video), _video(frames))))
                scores[f"psnr_{end}"].append(_mean(psnr(_video(video), _video(frames))))
    return {"clips": len(records)} | {name: fmean(values) for name, values in scores.items()}


def _video(frames: np.ndarray) -> Tensor:
    """Map frames (T, H, W, C) to a batch of one video, (1, C, T, H, W)."""
    return torch.from_numpy(rearrange(frames, "t h w c -> 1 c t h w"))


def _mean(scores: Tensor) -> float:
    """Return the mean score over frames 1 to T-1."""
    return scores[:, 1:].mean().item()
