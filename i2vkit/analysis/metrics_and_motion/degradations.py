"""Twelve known degradations of a true video. Six leave its motion right, and six make it wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from i2vkit.analysis.truth_benchmark.reference_methods import ReferenceMethod, blurred, frozen, late
from i2vkit.errors import DataError
from i2vkit.structures import VideoSample

TRUTH, STILL = "truth", "still image"


@dataclass(frozen=True)
class Degradation:
    """A way to degrade a true video.

    Args:
        name: Its name in tables.
        right_motion: Whether a viewer would still call the motion right.
        strength: The change in words, with its strength.
        degrade: Maps a sample and random numbers of its own to the degraded truth, uint8 (C, T, H, W).
    """

    name: str
    right_motion: bool
    strength: str
    degrade: Callable[[VideoSample, np.random.Generator], Tensor]

    def method(self, seed: int) -> ReferenceMethod:
        """Return the degradation as a reference method. Its random numbers follow from the seed and a sample's name.

        So the result for a sample does not depend on the order or the number of samples.
        """
        return lambda sample: self.degrade(sample, np.random.default_rng([seed, crc32(sample.name.encode())]))


def degradations(samples: Sequence[VideoSample]) -> list[Degradation]:
    """Return the twelve degradations, those with the right motion first.

    Args:
        samples: All samples of the set. Two of the degradations show another truth of the same person.
    """
    same, other = (partial(_other_motion, samples, same) for same in (True, False))
    return [
        Degradation("2 frames late", True, "frame t shows frame t - 2", lambda sample, _: late(sample, 2)),
        Degradation("half the frames", True, "every second frame repeats the one before", _in_order(_every_second)),
        Degradation("blurred", True, "Gaussian of 1 pixel", lambda sample, _: blurred(sample, 1.0)),
        Degradation("noised", True, "independent noise, deviation 8 of 255", _noised),
        Degradation("other colours", True, "contrast 0.9, red + 8 and blue - 8 of 255", _recoloured),
        Degradation("1 pixel beside", True, "everything 1 pixel to the right", _moved),
        Degradation(STILL, False, "frame 0 repeated", lambda sample, _: frozen(sample)),
        Degradation("half the speed", False, "frame t shows frame t / 2, rounded down", _in_order(_half_speed)),
        Degradation("reversed", False, "from the last frame to the first", _in_order(_reversed)),
        Degradation("shuffled", False, "frames 1 to T-1 in random order", _in_order(_shuffled)),
        Degradation("another performance", False, "the same person and label, another one's motion", same),
        Degradation("another label", False, "the same person, the motion of another label", other),
    ]


def _in_order(order: Callable[[int, np.random.Generator], np.ndarray]) -> Callable:
    """Return the degradation that shows the frames of a truth in the order of ``order(T, rng)``."""
    return lambda sample, rng: sample.truth[:, order(sample.truth.shape[1], rng).tolist()]


def _every_second(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return 0, 0, 2, 2, 4, ..."""
    return np.arange(length) // 2 * 2


def _half_speed(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return 0, 0, 1, 1, 2, ..."""
    return np.arange(length) // 2


def _reversed(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return T - 1, ..., 0."""
    return np.arange(length)[::-1]


def _shuffled(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return 0, and the other frames in random order."""
    return np.array([0, *1 + rng.permutation(length - 1)])


def _noised(sample: VideoSample, rng: np.random.Generator, sigma: float = 8.0) -> Tensor:
    """Return the truth with independent noise in every value, of ``sigma`` of 255 grey levels."""
    return _to_uint8(sample.truth + torch.from_numpy(rng.normal(0, sigma, tuple(sample.truth.shape))))


def _recoloured(sample: VideoSample, rng: np.random.Generator) -> Tensor:
    """Return the truth with less contrast around the middle grey, redder and less blue."""
    shift = torch.tensor([8.0, 0.0, -8.0]).view(3, 1, 1, 1)  # over (C, T, H, W)
    return _to_uint8(127.5 + 0.9 * (sample.truth - 127.5) + shift)


def _moved(sample: VideoSample, rng: np.random.Generator) -> Tensor:
    """Return the truth moved to the right by a pixel. The first column is there twice, and the last one is gone."""
    return torch.cat([sample.truth[..., :1], sample.truth[..., :-1]], dim=-1)


def _other_motion(
    samples: Sequence[VideoSample], same_label: bool, sample: VideoSample, rng: np.random.Generator
) -> Tensor:
    """Return the truth of another sample, in which the same person moves like somebody else, or by another label.

    Raises:
        DataError: There is no such sample.
    """
    found = [
        other
        for other in samples
        if other.image_person == sample.image_person
        and (other.label_name == sample.label_name) == same_label
        # Not the motion itself. With another label, it is another one whoever drives.
        and not (same_label and other.driving_person == sample.driving_person)
    ]
    if not found:
        label = f"with the label {sample.label_name}, by another driving person" if same_label else "with another label"
        raise DataError(
            f"the motion of {sample.name!r} cannot be exchanged: no other sample shows {sample.image_person} {label}"
        )
    return found[rng.integers(len(found))].truth


def _to_uint8(video: Tensor) -> Tensor:
    """Return a video of numbers as uint8."""
    return video.round().clamp(0, 255).to(torch.uint8)
