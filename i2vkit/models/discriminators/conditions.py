"""The table of what a discriminator may be told beside what it sees.

A project adds a condition by ``add_condition``; nothing in ``Discriminator`` names one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.networks import repeat_over_time
from i2vkit.registry import closest_names

if TYPE_CHECKING:
    from i2vkit.models.discriminators.discriminator import Discriminator
    from i2vkit.models.discriminators.views import ConditionedVideo, View


@dataclass(frozen=True)
class Condition:
    """One kind of condition.

    Attributes:
        enters: "label", a vector (N, L) that the network joins where it joins labels, or "maps", (N, M, H, W) beside
            frames and (N, M, T, H, W) beside clips.
        size: From what the model has, ``num_labels`` and ``map_channels``, to the number of its channels. 0 says that
            this model does not have it.
        shown: From a discriminator, videos, its view, an index of what is seen and the sample, to the condition of each
            sample.
    """

    enters: str
    size: Callable[[int, int], int]
    shown: Callable[[Discriminator, ConditionedVideo, View, Tensor | None, Tensor], Tensor]


def _label(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    return functional.one_hot(conditioned.label, discriminator.num_labels)[view.clip_index(conditioned, index)]


def _image(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    image = conditioned.image[view.clip_index(conditioned, index)]
    return repeat_over_time(image, sample.shape[2]) if view.sample_type == "clip" else image


def _maps(
    discriminator: Discriminator, conditioned: ConditionedVideo, view: View, index: Tensor | None, sample: Tensor
) -> Tensor:
    return view.gather(conditioned.maps, index)


CONDITIONS: dict[str, Condition] = {
    "label": Condition("label", lambda labels, maps: labels, _label),
    "image": Condition("maps", lambda labels, maps: 3, _image),
    "maps": Condition("maps", lambda labels, maps: maps, _maps),
}


def add_condition(name: str, condition: Condition) -> None:
    """Add a condition that the config of a discriminator may name.

    Raises:
        ConfigError: if there is one of that name, or it does not enter as a label or as maps.
    """
    if name in CONDITIONS:
        raise ConfigError(f"there is a condition '{name}' already: choose another name")
    if condition.enters not in ("label", "maps"):
        raise ConfigError(f'condition \'{name}\' enters as "label" or "maps", not {condition.enters!r}')
    CONDITIONS[name] = condition


def find_condition(name: str | None, num_labels: int, map_channels: int) -> tuple[Condition | None, int]:
    """Return the condition of that name and its number of channels; None and 0 for none.

    Raises:
        ConfigError: if there is no such condition, or this model does not have it.
    """
    if name is None:
        return None, 0
    if name not in CONDITIONS:
        known = ", ".join(f'"{key}"' for key in CONDITIONS)
        raise ConfigError(
            f"the condition of a discriminator is None, {known}, not {name!r}; nearest: "
            f"{closest_names(str(name), CONDITIONS)}"
        )
    size = CONDITIONS[name].size(num_labels, map_channels)
    if not size:
        raise ConfigError(f'a discriminator is conditioned on "{name}", which this model does not have')
    return CONDITIONS[name], size
