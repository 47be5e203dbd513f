"""Losses of predicted frames: squared differences, and differences of gradients."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean
from i2vkit.models.losses.base import sum_terms
from i2vkit.models.losses.frame_losses import PassLoss, without_given
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


class _ScaledLoss(PassLoss):
    """A loss on the frames of one pass, and with ``every_scale`` on coarser versions of them too."""

    def __init__(self, pass_name: str, every_scale: bool, name: str | None, weight: float | Sequence):
        super().__init__(pass_name, name, weight)
        self.every_scale = every_scale

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the decoder makes no coarser videos and the loss compares them."""
        if self.every_scale and not model.generator.makes_scales:
            raise ConfigError(
                f"loss '{self.name}' has every_scale=True, and {type(model.generator.decoder).__name__} makes videos "
                f"of one scale: leave it out, or take MultiScaleDecoder"
            )

    def forward(self, context: "GanContext") -> Tensor:
        """Return the loss, with ``every_scale`` the mean over the scales."""
        video, real, mask = self.compared(context)
        values = [self.difference(video, real, mask)]
        made = context.generated(self.pass_name)
        for level in made.scales if self.every_scale else ():
            level = without_given(level, made.given, 2)
            factor = real.shape[-1] // level.shape[-1]
            # (B, C, T, H, W) -> (B, C, T, h, w)
            values.append(self.difference(level, functional.avg_pool3d(real, (1, factor, factor)), mask))
        return sum_terms(values) / len(values)

    @abstractmethod
    def difference(self, video: Tensor, real: Tensor, mask: Tensor | None) -> Tensor:
        """Return the difference of two videos (B, C, T, H, W) over the frames in ``mask`` (B, T), a scalar."""


@LOSSES.register_module()
class FrameL2Loss(_ScaledLoss):
    """Mean squared difference between the generated and the real video over true frames, in [0, 4].

    Frames that were given count in none of them. Source: MCNet, Villegas et al., 2017; SVG, Denton and Fergus, 2018.

    Args:
        pass_name: The pass whose video is compared with its target.
        every_scale: True takes the mean over the video and its coarser versions, real ones by averaging.
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

    def __init__(
        self,
        pass_name: str = "reconstruct",
        every_scale: bool = False,
        name: str | None = "frame_l2",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, every_scale, name, weight)

    def difference(self, video: Tensor, real: Tensor, mask: Tensor | None) -> Tensor:
        """Return E (video - real)^2."""
        return masked_mean(rearrange((video - real).square(), "b c t h w -> b t c h w"), mask)


@LOSSES.register_module()
class GradientDifferenceLoss(_ScaledLoss):
    """Mean difference between the sizes of gradients in space of the generated and the real video, over true frames.

    It is the mean of | |dx real| - |dx video| |^power plus that of the same along y. Squared differences alone prefer
    blurred frames, and this loss prefers sharp ones.

    Source: Mathieu et al., 2016.

    Ours:
        differences at the border of the picture are left out

    Args:
        pass_name: The pass whose video is compared with its target.
        power: Exponent of the difference, above 0.
        every_scale: As of ``FrameL2Loss``.
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
        every_scale: bool = False,
        name: str | None = "gradient_difference",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, every_scale, name, weight)
        self.power = power

    def difference(self, video: Tensor, real: Tensor, mask: Tensor | None) -> Tensor:
        """Return the sum of the means along x and along y."""
        total = video.new_zeros(())
        for axis in (3, 4):
            difference = (real.diff(dim=axis).abs() - video.diff(dim=axis).abs()).abs() ** self.power
            total = total + masked_mean(rearrange(difference, "b c t h w -> b t c h w"), mask)
        return total
