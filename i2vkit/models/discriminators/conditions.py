"""The conditions that discriminators may get beside their samples, as one table.

A project adds a condition by ``add_condition``; ``Discriminator`` itself names none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.networks import repeat_over_time
from i2vkit.models.layers.points import heatmaps
from i2vkit.registry import closest_names
from i2vkit.structures import Spec

if TYPE_CHECKING:
    from i2vkit.models.discriminators.discriminator import Discriminator
    from i2vkit.models.discriminators.views import ConditionedVideo, View


@dataclass(frozen=True)
class Condition:
    """One kind of condition.

    Attributes:
        enters: "label", a vector (N, L) that the network joins where it joins labels, or "maps", (N, M, H, W) beside
            frames and (N, M, T, H, W) beside clips.
        size: A function from the model's ``num_labels`` and ``map_channels`` to the number of channels of the
            condition; 0 says that this model does not have it.
        shown: A function from a discriminator, videos, its view, the indices of the samples and the samples themselves
            to the condition of each sample.
        size_of_motion: A function that replaces ``size`` where the condition belongs to the motion: from the spec of
            the encoded motion to the number of channels. None by default.
    """

    enters: str
    size: Callable[[int, int], int]
    shown: Callable[[Discriminator, ConditionedVideo, View, Tensor | None, Tensor], Tensor]
    size_of_motion: Callable[[Spec], int] | None = None


def _label(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    """Return the one-hot label (N, L) of each sample."""
    assert conditioned.label is not None, "find_condition refuses labels where the model has none"
    # (B,) -> (B, L) -> (N, L)
    return functional.one_hot(conditioned.label, discriminator.num_labels)[view.clip_index(conditioned, index)]


def _image(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    """Return the content image of each sample, (N, C, H, W) or (N, C, T, H, W)."""
    if getattr(view, "resizes", False):
        # As a static video, (B, C, H, W) -> (B, C, T, H, W), without a copy.
        static = conditioned.image[:, :, None].expand(-1, -1, conditioned.video.shape[2], -1, -1)
        return view.gather(static, index)
    image = conditioned.image[view.clip_index(conditioned, index)]  # (B, C, H, W) -> (N, C, H, W)
    # Beside clips it is repeated over their time, (N, C, T, H, W).
    return repeat_over_time(image, sample.shape[2]) if view.sample_type == "clip" else image


def _maps(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    """Return the condition maps of the frames of each sample, (N, M, H, W) or (N, M, T, H, W)."""
    assert conditioned.maps is not None, "find_condition refuses maps where the model has none"
    return view.gather(conditioned.maps, index)  # (B, M, T, H, W) -> (N, M, [T,] H, W)


def _frames_before(conditioned: ConditionedVideo) -> Tensor:
    """Return the frame before each frame, (B, C, T, H, W): the one that was fed, or that of the video itself."""
    if conditioned.before is not None:
        return conditioned.before
    # Before frame 0 stands frame 0.
    return torch.cat([conditioned.video[:, :, :1], conditioned.video[:, :, :-1]], dim=2)


def _past(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Any, sample: Tensor
) -> Tensor:
    """Return the frames before each frame of each sample, as channels (N, 3 history, [T,] H, W), the latest last."""
    history, before = discriminator.history, _frames_before(conditioned)
    # Before the first frame everything was the same: (B, C, T, H, W) -> (B, C, history - 1 + T, H, W).
    start = before[:, :, :1].expand(-1, -1, history - 1, -1, -1)
    frames = torch.cat([start, before], dim=2)
    length = before.shape[2]
    return view.gather(torch.cat([frames[:, :, i : i + length] for i in range(history)], dim=1), index)


def wrong_past(conditioned: ConditionedVideo) -> Tensor:
    """Return the frame before each frame, (B, C, T, H, W), of another clip of the batch.

    Clip i gets those of clip i - 1, the first one those of the last. Behind the end of a shorter clip its last true
    frame stays.

    Raises:
        ConfigError: If the batch has one clip.
    """
    before = _frames_before(conditioned)
    if len(before) < 2:
        raise ConfigError(
            "a loss shows the frames before of another clip of the batch (wrong_past), and the batch has one clip: "
            "set batch_size=2 or more, or wrong_past=0"
        )
    if conditioned.num_frames is not None:
        last = conditioned.num_frames[:, None] - 1
        index = torch.arange(before.shape[2], device=last.device).minimum(last)  # (T,) and (B, 1) -> (B, T)
        before = before.take_along_dim(index[:, None, :, None, None], dim=2)
    return before.roll(1, dims=0)


def _points(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    """Return the heatmaps of the driving points of each sample, (N, K, H, W) or (N, K, T, H, W). Each sums to 1."""
    points = conditioned.points
    assert points is not None, "find_condition refuses points where the motion encoder gives none"
    if points.place.shape[1] != conditioned.video.shape[2]:
        raise ConfigError(
            f'a discriminator is conditioned on "points" of {points.place.shape[1]} driving frames, and is shown a '
            f'video of {conditioned.video.shape[2]}: compare the pass with target="driving"'
        )
    maps = heatmaps(points, *conditioned.video.shape[3:])  # (B, T, K, H, W)
    return view.gather(rearrange(maps, "b t k h w -> b k t h w"), index)


# The conditions that a config may name.
CONDITIONS: dict[str, Condition] = {
    "label": Condition("label", lambda labels, maps: labels, _label),
    # An image has three channels in every model.
    "image": Condition("maps", lambda labels, maps: 3, _image),
    "maps": Condition("maps", lambda labels, maps: maps, _maps),
    # The channels of one frame; a discriminator reads ``history`` of them.
    "past": Condition("maps", lambda labels, maps: 3, _past),
    # The points that a video was made from: the generator's losses have their graph.
    "points": Condition("maps", lambda labels, maps: 0, _points, size_of_motion=lambda motion: motion.points),
}


def add_condition(name: str, condition: Condition) -> None:
    """Add a condition that the config of a discriminator may name.

    Args:
        name: Its name in configs.
        condition: The condition.

    Raises:
        ConfigError: If there is one of that name, or it enters neither as a label nor as maps.

    Examples:
        >>> def first_frame(discriminator, conditioned, view, index, sample):
        ...     return conditioned.video[:, :, 0][view.clip_index(conditioned, index)]  # (N, C, H, W)
        >>> add_condition("first_frame", Condition("maps", lambda labels, maps: 3, first_frame))
        >>> find_condition("first_frame", num_labels=0, map_channels=0)[1]
        3
        >>> del CONDITIONS["first_frame"]
    """
    if name in CONDITIONS:
        raise ConfigError(f"there is a condition '{name}' already: choose another name")
    if condition.enters not in ("label", "maps"):
        raise ConfigError(f'condition \'{name}\' enters as "label" or "maps", not {condition.enters!r}')
    CONDITIONS[name] = condition


def find_condition(
    name: str | None, num_labels: int, map_channels: int, motion: Spec | None = None
) -> tuple[Condition | None, int]:
    """Return the condition of that name and its number of channels; None and 0 for the name None.

    Args:
        name: Its name in configs.
        num_labels: Number of labels of the model.
        map_channels: Number of condition maps of a frame.
        motion: Spec of the encoded motion. By default there is none.

    Raises:
        ConfigError: If there is no such condition, or this model does not have it.
    """
    if name is None:
        return None, 0
    if name not in CONDITIONS:
        known = ", ".join(f'"{key}"' for key in CONDITIONS)
        raise ConfigError(
            f"the condition of a discriminator is None, {known}, not {name!r}; nearest: "
            f"{closest_names(str(name), CONDITIONS)}"
        )
    condition = CONDITIONS[name]
    # 0 where the model lacks it
    size = (
        condition.size(num_labels, map_channels)
        if condition.size_of_motion is None
        else condition.size_of_motion(motion or Spec())
    )
    if not size:
        raise ConfigError(
            f'a discriminator is conditioned on "{name}", which this model does not have: set '
            f"model.discriminators.<name>.condition=None, or take parts or data that give it"
        )
    return condition, size
