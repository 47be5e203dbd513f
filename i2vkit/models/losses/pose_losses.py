"""Losses of predicted poses."""

from collections.abc import Sequence

import torch
from torch import Tensor

from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES


@LOSSES.register_module()
class PoseLoss(Loss):
    """Mean squared distance of predicted joints to the true ones, in [-1, 1]; joints that are not known do not count.

    Source: Villegas et al., 2017, eq. 4 (masked L2).
    """

    outputs = ("poses",)

    def __init__(self, name: str | None = "pose", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context) -> Tensor:
        """The mean over known joints of the squared distance; 0 where none is known."""
        poses = context.output("poses")  # (B, T, J, 2)
        truth = context.clip.joints[:, -poses.shape[1] :] * (2 / (context.model.image_size - 1)) - 1
        known = truth.isfinite().all(dim=-1)
        difference = torch.where(known[..., None], poses - truth, 0)
        return difference.square().sum() / known.sum().clamp(min=1)
