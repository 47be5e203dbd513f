"""Losses of predicted frames: squared differences, and differences of gradients."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from einops import rearrange
from torch import Tensor

from i2vkit.models.clip_lengths import masked_mean
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext


@LOSSES.register_module()
class FrameL2Loss(PassLoss):
    """Mean squared difference between the generated and the real video over true frames, in [0, 4].

    Frames that were given count in none of them. Source: MCNet, Villegas et al., 2017; SVG, Denton and Fergus, 2018.

    Args:
        pass_name: The pass whose video is compared with its target.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Examples:
        >>> from types import SimpleNamespace
        >>> import torch
        >>> made = SimpleNamespace(video=torch.zeros(1, 3, 3, 4, 4), given=1)
        >>> real = SimpleNamespace(video=torch.full((1, 3, 3, 4, 4), 0.5), num_frames=None)
        >>> context = SimpleNamespace(generated=lambda name: made, real=lambda name: real)
        >>> FrameL2Loss()(context).item()
        0.25
    """

    def __init__(self, pass_name: str = "reconstruct", name: str | None = "frame_l2", weight: float | Sequence = 1.0):
        super().__init__(pass_name, name, weight)

    def forward(self, context: "GanContext") -> Tensor:
        """Return E (video - real)^2."""
        video, real, mask = self.compared(context)
        return masked_mean(rearrange((video - real).square(), "b c t h w -> b t c h w"), mask)


@LOSSES.register_module()
class GradientDifferenceLoss(PassLoss):
    """Mean difference between the sizes of gradients in space of the generated and the real video, over true frames.

    It is the mean of | |dx real| - |dx video| |^power plus that of the same along y. Squared differences alone prefer
    blurred frames, and this loss prefers sharp ones.

    Source: Mathieu et al., 2016.

    Ours:
        differences at the border of the picture are left out

    Args:
        pass_name: The pass whose video is compared with its target.
        power: Exponent of the difference, above 0.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Examples:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> steps = torch.arange(4.0).expand(1, 1, 2, 4, 4)  # each pixel is 1 more than the one to its left
        >>> made, real = SimpleNamespace(video=steps, given=1), SimpleNamespace(video=-3 * steps, num_frames=None)
        >>> context = SimpleNamespace(generated=lambda name: made, real=lambda name: real)
        >>> GradientDifferenceLoss(power=1)(context).item(), GradientDifferenceLoss(power=2)(context).item()
        (2.0, 4.0)
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        power: float = 1.0,
        name: str | None = "gradient_difference",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        self.power = power

    def forward(self, context: "GanContext") -> Tensor:
        """Return the sum of the means along x and along y."""
        video, real, mask = self.compared(context)
        total = video.new_zeros(())
        for axis in (3, 4):
            difference = (real.diff(dim=axis).abs() - video.diff(dim=axis).abs()).abs() ** self.power
            total = total + masked_mean(rearrange(difference, "b c t h w -> b t c h w"), mask)
        return total
