"""Transforms of the size and handedness of the frames. Landmarks, joints and boxes, in pixels, follow.

Condition maps are drawn once, for the prepared frames. Frames of clips with maps must therefore stay as they are.
"""

import numpy as np

from i2vkit.datasets.frame_operations import Crop, Mirror, Scale, change
from i2vkit.datasets.point_files import POINTS, mirror_order
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Resize:
    """Scale the frames. The aspect is not kept, so crop before.

    Shrinking averages over areas, enlarging interpolates linearly. Frames of that size already stay as they are, bit by
    bit.

    Args:
        size: Side in pixels, or (height, width).
    """

    frame_changes = "fixed"

    def __init__(self, size: int | tuple[int, int]):
        self.size = (size, size) if isinstance(size, int) else tuple(size)

    def __call__(self, sample: dict) -> dict:
        """Scale all clips."""
        height, width = self.size
        for sampled in sample["clips"].values():
            old_height, old_width = sampled.frames.shape[1:3]
            _move_points(sampled, scale=(width / old_width, height / old_height))
            sampled.frames = change(sampled.frames, Scale(height, width))
        return sample


@TRANSFORMS.register_module()
class CenterCrop:
    """Cut a square from the middle of the frames.

    Args:
        size: Its side in pixels. By default the largest that fits.

    Raises:
        DataError: Frames are smaller than ``size``.
    """

    frame_changes = "fixed"

    def __init__(self, size: int | None = None):
        self.size = size

    def __call__(self, sample: dict) -> dict:
        """Crop all clips."""
        for sampled in sample["clips"].values():
            height, width = sampled.frames.shape[1:3]
            size = self.size or min(height, width)
            if size > min(height, width):
                raise DataError(f"clip {sampled.record.name} is {width}x{height}, too small for CenterCrop({size})")
            top, left = (height - size) // 2, (width - size) // 2
            _move_points(sampled, shift=(-left, -top))
            sampled.frames = change(sampled.frames, Crop(top, left, size, size))
        return sample


@TRANSFORMS.register_module()
class RandomCrop:
    """Cut a random part of the frames, of their aspect, with one draw for all clips and the same part of all frames.

    Each side is a share of the picture's, drawn between ``smallest`` and 1 and rounded to the whole pixel. Put
    ``Resize`` after it.

    Args:
        smallest: Smallest share, above 0 and at most 1. Default 0.8.

    Raises:
        ConfigError: A clip has condition maps.
    """

    frame_changes = "random"

    def __init__(self, smallest: float = 0.8):
        self.smallest = smallest

    def __call__(self, sample: dict) -> dict:
        """Crop all clips."""
        share = sample["rng"].uniform(self.smallest, 1)
        down, right = sample["rng"].random(2)
        for sampled in sample["clips"].values():
            _refuse_maps(sampled, "RandomCrop")
            whole = sampled.frames.shape[1:3]
            height, width = (max(1, round(share * side)) for side in whole)
            # The floor of a share of all possible places, so that each is as likely as the others.
            top, left = int(down * (whole[0] - height + 1)), int(right * (whole[1] - width + 1))
            _move_points(sampled, shift=(-left, -top))
            sampled.frames = change(sampled.frames, Crop(top, left, height, width))
        return sample


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirror all clips, left to right, or none of them.

    Left and right points change places, because a left eye in the mirror is where the picture shows a right one.

    Args:
        probability: Share of the samples that are mirrored, in [0, 1]. Default 0.5.

    Raises:
        DataError: The points are neither 68 or 5 landmarks nor 13 joints, so that their mirrored order is not known.
        ConfigError: A clip has condition maps.
    """

    frame_changes = "random"

    def __init__(self, probability: float = 0.5):
        self.probability = probability

    def __call__(self, sample: dict) -> dict:
        """Mirror all clips or none."""
        for sampled in sample["clips"].values():
            _refuse_maps(sampled, "RandomFlip")
        if sample["rng"].random() >= self.probability:
            return sample
        for sampled in sample["clips"].values():
            _move_points(sampled, scale=(-1.0, 1.0), shift=(sampled.frames.shape[2], 0))
            for name in POINTS:
                if (points := getattr(sampled, name)) is not None:
                    setattr(sampled, name, points[:, mirror_order(points.shape[1])])
            if sampled.boxes is not None:
                sampled.boxes = sampled.boxes[:, [2, 1, 0, 3]]  # the right edge has become the left one
            sampled.frames = change(sampled.frames, Mirror())
        return sample


def _move_points(
    sampled: SampledClip, scale: tuple[float, float] = (1.0, 1.0), shift: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Map points and boxes to x * scale + shift, where the picture spans 0 to its width.

    Boxes are edges of pixels and need nothing else. Points count from the centre of the first pixel, half a pixel on.
    """
    if scale == (1.0, 1.0) and shift == (0, 0):
        return
    _refuse_maps(sampled, "a transform of this pipeline")
    sampled.moved = True
    for name in POINTS:
        if (points := getattr(sampled, name)) is not None:
            setattr(sampled, name, (points + 0.5) * np.array(scale) + np.array(shift) - 0.5)
    if sampled.boxes is not None:
        sampled.boxes = sampled.boxes * np.tile(scale, 2) + np.tile(shift, 2)


def _refuse_maps(sampled: SampledClip, who: str) -> None:
    """Raise ``ConfigError`` if the transform ``who`` would separate the frames from their condition maps."""
    if sampled.maps is not None:
        raise ConfigError(
            f"clip {sampled.record.name} has condition maps, drawn for its prepared frames; {who} would crop, scale or "
            f"mirror these: take it out of the pipeline, and prepare the set at the size the model sees"
        )
