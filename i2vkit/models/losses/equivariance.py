"""A loss that lets learned points follow the picture under deformations that are known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.layers.points import inverses
from i2vkit.models.layers.random_warps import SmoothWarp
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


@LOSSES.register_module()
class EquivarianceLoss(PassLoss):
    """Distance between the points of driving frames and those of deformed driving frames, sent back by the deformation.

    Every clip gets a random affine map with a thin-plate spline, T. A deformed frame shows at z what the frame has at
    T(z), so the points p' found in it shall have T(p') = p. Their local affine maps, if there are some, shall have
    T'(p') J' = J. The loss is E |p - T(p')| plus E |I - J^-1 T'(p') J'|.

    Ours:
        the spline has a weight for each axis, and its numbers are ours

    Source: Siarohin et al., "First order motion model for image animation" (2019), eq. 10 to 12.

    Args:
        pass_name: The pass whose driving frames are deformed.
        sigma_affine: Standard deviation of the elements of the affine map.
        sigma_spline: Standard deviation of the weights of the spline.
        grid: Control points of the spline along each axis.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: The motion encoder gives no points.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        sigma_affine: float = 0.05,
        sigma_spline: float = 0.005,
        grid: int = 5,
        name: str | None = "equivariance",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        self.sigma_affine, self.sigma_spline, self.grid = sigma_affine, sigma_spline, grid

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the motion encoder gives no points, or reads no videos."""
        model.generator.check_encodes_video()
        if not model.generator.encoded.points:
            raise ConfigError(
                f"loss '{self.name}' compares learned points, and "
                f"{type(model.generator.motion_encoder).__name__} gives none: leave the loss out, or take "
                f"KeypointEncoder"
            )

    def needs_whole_clip(self, model: "ImageToVideoGan") -> bool:
        """Return true: the points that it compares are those of the whole clip."""
        return True

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |p - T(p')| + E |I - J^-1 T'(p') J'| over true frames."""
        video, num_frames = context.clip.driving, context.clip.num_frames
        transform = SmoothWarp.random(len(video), self.sigma_affine, self.sigma_spline, self.grid, video)
        points = context.encoded(self.pass_name).points["driving"]
        deformed = context.encode(transform.frames(video), num_frames).points["driving"]
        _, length, number, _ = points.place.shape
        with autocast(video.device, enabled=False):
            places = deformed.place.flatten(1, 2)  # (B, T, K, 2) -> (B, T K, 2)
            sent_back = transform.places(places).unflatten(1, (length, number))
            difference = (points.place - sent_back).abs().flatten(2)  # (B, T, 2 K)
            mask = true_frames(num_frames, length)
            total = masked_mean(difference, mask)
            if points.affine is None or deformed.affine is None:
                return total
            turned = transform.derivatives(places).unflatten(1, (length, number)) @ deformed.affine
            identity = torch.eye(2, device=turned.device, dtype=turned.dtype)
            return total + masked_mean((identity - inverses(points.affine) @ turned).abs().flatten(2), mask)
