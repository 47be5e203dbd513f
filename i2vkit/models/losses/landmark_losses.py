"""The loss that pre-trains a landmark encoder (ours)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import frame_mask
from i2vkit.models.losses.base import Loss
from i2vkit.models.losses.change_losses import landmark_change
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.supervised_model import SupervisedContext


@LOSSES.register_module()
class LandmarkLoss(Loss):
    """Mean distance of predicted landmarks from the known ones, along x and y, in pixels.

    The landmarks' displacement since the first frame is compared too. It is what moves another face, and an error that
    is the same in all frames does not count in it. Unknown landmarks (NaN) and padding are left out.

    Args:
        change_weight: Weight of the error of the displacement, against 1 of the landmarks; 0 or more.
        name: As of ``Loss``.
        weight: As of ``Loss``.
    """

    outputs = ("landmarks",)

    def __init__(self, change_weight: float = 3.0, name: str | None = "landmarks", weight: float | Sequence = 1.0):
        super().__init__(name, weight)
        self.change_weight = change_weight

    def check(self, model: Any) -> None:
        """Raise ``ConfigError`` if the network does not predict landmarks."""
        if getattr(getattr(model, "network", None), "predicts", None) != "landmarks":
            raise ConfigError(
                f"loss '{self.name}' reads 'landmarks': take a SupervisedModel whose network is a LandmarkRegressor"
            )

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return E |predicted - known| + change_weight E |displacement - known displacement|.

        Raises:
            DataError: The clips have no landmarks.
        """
        predicted, clip = context.output("landmarks"), context.clip  # (B, T, N, 2)
        true_change = landmark_change(clip)
        assert clip.landmarks is not None, "landmark_change refuses clips without landmarks"
        batch, length = predicted.shape[:2]
        inside = frame_mask(clip.num_frames, batch, length, predicted.device)[..., None, None]  # (B, T, 1, 1)
        error = _mean_distance(predicted, clip.landmarks, inside)
        return error + self.change_weight * _mean_distance(predicted - predicted[:, :1], true_change, inside)


def _mean_distance(predicted: Tensor, known: Tensor, inside: Tensor) -> Tensor:
    """Return the mean of |predicted - known| over the values that are known and inside the clips, or 0."""
    counts = known.isfinite() & inside
    distance = torch.where(counts, predicted - torch.where(counts, known, 0.0), 0.0).abs()
    return distance.sum() / counts.sum().clamp(min=1)
