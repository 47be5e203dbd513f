"""Augmentations of the samples of discriminators: real and generated alike, with gradients to the generator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import Augmentation
from i2vkit.registry import AUGMENTATIONS

POLICIES = ("color", "translation", "cutout")
# The columns of a draw (B, 10): numbers in [0, 1), one row for each clip.
_APPLIES = slice(0, 3)  # one for each of POLICIES
_BRIGHTNESS, _SATURATION, _CONTRAST = 3, 4, 5
_SHIFT, _HOLE = slice(6, 8), slice(8, 10)  # down and right
_NUMBERS = 10


@AUGMENTATIONS.register_module()
class DiffAugment(Augmentation):
    """Colour, translation and cutout of frames and clips, differentiable, the same for all frames of a clip.

    All frames of a clip share one draw, and in one loss its real and its generated frames share it too. Condition
    images and maps follow translation and cutout, not the colours. Places that are moved in from outside or cut out
    become 0, the middle grey.

    "color" shifts all values by up to 0.5, then multiplies the distance to the grey picture by 0 to 2, and the distance
    to the sample's mean by 0.5 to 1.5. "translation" moves by up to an eighth of each side. "cutout" blanks a rectangle
    of half of each side, whose middle lies anywhere in the frame.

    Source: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (2020), with its strengths. Ours
    are the one draw for each clip and ``probability`` (the paper always augments).

    Args:
        policy: Any of "color", "translation" and "cutout"; they are applied in this order.
        probability: Probability of each of them to be applied to a clip, in [0, 1].
        translation: The farthest move, as a share of each side.
        cutout: Each side of the rectangle, as a share of the frame's.

    Raises:
        ConfigError: For another policy.

    Examples:
        >>> augment = DiffAugment(policy="cutout")
        >>> clips = torch.ones(2, 3, 4, 8, 8)
        >>> made = augment(clips, augment.sample_parameters(2, clips.device))
        >>> made.shape, bool((made.amin(dim=2) == made.amax(dim=2)).all())  # all frames have the same hole
        (torch.Size([2, 3, 4, 8, 8]), True)
    """

    def __init__(
        self,
        policy: str | Sequence[str] = POLICIES,
        probability: float = 1.0,
        translation: float = 0.125,
        cutout: float = 0.5,
    ):
        super().__init__()
        self.policy: tuple[str, ...] = (policy,) if isinstance(policy, str) else tuple(policy)
        if unknown := [name for name in self.policy if name not in POLICIES]:
            raise ConfigError(f"DiffAugment has no policy {unknown[0]!r}; there are: {', '.join(POLICIES)}")
        self.probability, self.translation, self.cutout = probability, translation, cutout

    def sample_parameters(self, batch: int, device: torch.device) -> Tensor:
        """Return random numbers (B, 10) in [0, 1), one row for each clip, which decide how it is augmented."""
        return torch.rand(batch, _NUMBERS, device=device)

    def forward(self, sample: Tensor, parameters: Tensor) -> Tensor:
        """Return the augmented samples. Their values may leave [-1, 1].

        Args:
            sample: (N, 3, [T,] H, W) in [-1, 1].
            parameters: The row of each sample, (N, 10).
        """
        return self.transform_maps(self._colored(sample, parameters), parameters)

    def transform_maps(self, maps: Tensor, parameters: Tensor) -> Tensor:
        """Return condition maps, translated and cut out as their samples are.

        Args:
            maps: (N, C, [T,] H, W).
            parameters: The row of each sample, (N, 10).
        """
        height, width = maps.shape[-2:]
        visible = torch.ones(len(maps), height, width, dtype=torch.bool, device=maps.device)
        if "translation" in self.policy:
            maps, visible = self._translated(maps, parameters)
        if "cutout" in self.policy:
            visible = visible & self._outside_hole((height, width), parameters)
        # (N, H, W) -> (N, 1, [1,] H, W)
        visible = visible.view(len(maps), *[1] * (maps.dim() - 3), height, width)
        return torch.where(visible, maps, maps.new_zeros(()))

    def _applies(self, name: str, parameters: Tensor) -> Tensor:
        """Return the samples that a policy is applied to, bool (N,)."""
        return parameters[:, _APPLIES][:, POLICIES.index(name)] < self.probability

    def _colored(self, sample: Tensor, parameters: Tensor) -> Tensor:
        """Return samples (N, 3, [T,] H, W) with other brightness, saturation and contrast."""
        if "color" not in self.policy:
            return sample
        applies = self._applies("color", parameters)
        # Columns (N,) of the draw.
        brightness, saturation, contrast = (parameters[:, i] for i in (_BRIGHTNESS, _SATURATION, _CONTRAST))
        # Numbers that change nothing where the policy is not applied, (N,) -> (N, 1, [1,] 1, 1).
        strengths = (
            torch.where(applies, brightness - 0.5, 0.0),
            torch.where(applies, 2 * saturation, 1.0),
            torch.where(applies, contrast + 0.5, 1.0),
        )
        shift, color, spread = (s.to(sample.dtype).view(-1, *[1] * (sample.dim() - 1)) for s in strengths)
        sample = sample + shift
        # Saturation: towards the grey picture (N, 1, [T,] H, W) or away from it.
        sample = torch.lerp(sample.mean(dim=1, keepdim=True).expand_as(sample), sample, color)
        # One mean for all frames of a clip: another one for each would make its brightness flicker.
        mean = sample.mean(dim=tuple(range(1, sample.dim())), keepdim=True)
        return torch.lerp(mean.expand_as(sample), sample, spread)

    def _translated(self, maps: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return the moved maps, and the places that they cover, bool (N, H, W)."""
        height, width = maps.shape[-2:]
        applies = self._applies("translation", parameters)
        sources, inside = [], []
        for side, number in zip((height, width), parameters[:, _SHIFT].unbind(dim=1), strict=True):
            farthest = round(side * self.translation)
            shift = (number * (2 * farthest + 1)).floor().long() - farthest
            shift = torch.where(applies, shift, 0)  # (N,), in pixels
            source = torch.arange(side, device=maps.device) - shift[:, None]  # (N, side)
            inside.append((source >= 0) & (source < side))
            sources.append(source.clamp(0, side - 1))
        rows, columns = sources  # (N, H) and (N, W)
        index = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)  # (N, H * W)
        flat = maps.flatten(-2).flatten(1, -2)  # (N, C * T, H * W)
        # One gather for both axes: (N, C * T, H * W) -> (N, C, [T,] H, W).
        moved = flat.gather(2, index[:, None].expand_as(flat)).view_as(maps)
        # (N, H, 1) & (N, 1, W) -> (N, H, W)
        return moved, inside[0][:, :, None] & inside[1][:, None, :]

    def _outside_hole(self, sides: Sequence[int], parameters: Tensor) -> Tensor:
        """Return the places that are not cut out, bool (N, H, W)."""
        applies = self._applies("cutout", parameters)
        covered = []
        for side, number in zip(sides, parameters[:, _HOLE].unbind(dim=1), strict=True):
            hole = round(side * self.cutout)
            # The middle lies anywhere in the frame, so the hole may stick out at its edges.
            start = (number * (side + 1 - hole % 2)).floor() - hole // 2
            place = torch.arange(side, device=parameters.device) - start[:, None]  # (N, side)
            covered.append((place >= 0) & (place < hole))
        # (N, H, 1) & (N, 1, W) & (N, 1, 1) -> (N, H, W)
        return ~(covered[0][:, :, None] & covered[1][:, None, :] & applies[:, None, None])
