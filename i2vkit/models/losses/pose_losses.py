"""Losses of predicted poses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.supervised_model import SupervisedContext


@LOSSES.register_module()
class PoseLoss(Loss):
    """Mean squared distance between predicted and true joints, in [-1, 1]. Unknown joints do not count.

    Source: Villegas et al., 2017, eq. 4 (masked L2).

    Args:
        name: As of ``Loss``.
        weight: As of ``Loss``.
    """

    outputs = ("poses",)

    def __init__(self, name: str | None = "pose", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the mean over known joints of the squared distance; 0 where none is known."""
        poses = context.output("poses")  # (B, T, J, 2)
        assert context.clip.joints is not None, "the network has refused clips without joints"
        # The last T of the P + T poses are those to predict; from pixels to [-1, 1].
        truth = context.clip.joints[:, -poses.shape[1] :] * (2 / (context.model.image_size - 1)) - 1
        known = truth.isfinite().all(dim=-1)  # (B, T, J)
        difference = torch.where(known[..., None], poses - truth, 0)
        return difference.square().sum() / known.sum().clamp(min=1)
