"""Losses on the frames of one pass, and on the mask that blends them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from einops import rearrange
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


class PassLoss(Loss):
    """A loss on one pass. The base class of losses that read a single pass.

    Args:
        pass_name: The pass, a key of ``model.passes``.
        name: As of ``Loss``.
        weight: As of ``Loss``.
    """

    def __init__(self, pass_name: str, name: str | None, weight: float | Sequence):
        super().__init__(name, weight)
        self.passes = (pass_name,)  # the context generates the passes that losses name

    @property
    def pass_name(self) -> str:
        """The name of the pass."""
        return self.passes[0]

    def compared(self, context: "GanContext") -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the generated and the real video without the frames that were given, and the mask of the true frames.

        Returns:
            Two videos (B, C, T, H, W), and a mask (B, T), or None where all frames are true ones.
        """
        real = context.real(self.pass_name)
        made = context.generated(self.pass_name)
        mask = true_frames(real.num_frames, made.video.shape[2])  # (B, T) or None
        return (
            without_given(made.video, made.given, 2),
            without_given(real.video, made.given, 2),
            without_given(mask, made.given, 1),
        )


@overload
def without_given(values: Tensor, given: int, dim: int) -> Tensor: ...
@overload
def without_given(values: None, given: int, dim: int) -> None: ...
def without_given(values: Tensor | None, given: int, dim: int) -> Tensor | None:
    """Return ``values`` without the first ``given`` entries along ``dim``; None stays None."""
    if not given or values is None:
        return values
    return values.narrow(dim, given, values.shape[dim] - given)  # a view, without a copy


@LOSSES.register_module()
class FrameL1Loss(PassLoss):
    """Mean absolute difference between the generated and the real video over true frames, in [0, 2].

    Where little moves, a model otherwise learns to repeat the image long before it learns motion. ``motion_weight`` is
    ours.

    Source: DTGAN, eq. 5.

    Args:
        pass_name: The pass whose video is compared with its target.
        motion_weight: A pixel weighs 1 plus ``motion_weight`` times the largest change of its channels since the real
            video's first frame; 0 or more. 0 weighs all pixels alike.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Examples:
        >>> from types import SimpleNamespace
        >>> import torch
        >>> made = SimpleNamespace(video=torch.zeros(1, 3, 2, 4, 4), given=0)
        >>> real = SimpleNamespace(video=torch.full((1, 3, 2, 4, 4), 0.5), num_frames=None)
        >>> context = SimpleNamespace(generated=lambda name: made, real=lambda name: real)
        >>> FrameL1Loss("reconstruct")(context).item()
        0.5
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        motion_weight: float = 0.0,
        name: str | None = "frame_l1",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        self.motion_weight = motion_weight

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |video - real|, weighted."""
        video, real, mask = self.compared(context)
        difference = (video - real).abs()  # (B, C, T, H, W)
        if self.motion_weight:
            first = context.real(self.pass_name).video[:, :, :1]  # (B, C, 1, H, W)
            change = (real - first).abs().amax(dim=1, keepdim=True)  # (B, 1, T, H, W)
            difference = (1 + self.motion_weight * change) * difference
        # (B, C, T, H, W) -> (B, T, C, H, W), as masks (B, T) need it.
        return masked_mean(rearrange(difference, "b c t h w -> b t c h w"), mask)


@LOSSES.register_module()
class BaseL1Loss(PassLoss):
    """Mean absolute difference between the base of the head and the real video over true frames, in [0, 2].

    The base of a decoder that warps is the warped image, so the loss trains the flow by itself.

    Source: Monkey-Net (Siarohin et al., 2019), released code.
    """

    def __init__(self, pass_name: str = "reconstruct", name: str | None = "base_l1", weight: float | Sequence = 1.0):
        super().__init__(pass_name, name, weight)

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |base - real|."""
        made = context.generated(self.pass_name)
        _, real, mask = self.compared(context)
        assert made.base is not None, "every generated video has a base"
        # A base (B, C, 1, H, W) serves all frames.
        base = made.base if made.base.shape[2] == 1 else without_given(made.base, made.given, 2)
        difference = (base - real).abs()
        return masked_mean(rearrange(difference, "b c t h w -> b t c h w"), mask)


@LOSSES.register_module()
class MaskSparsityLoss(PassLoss):
    """The mean of the head's mask over true frames: the less a video paints over its base, the smaller it is.

    Source: FRGAN, eq. 6; VGAN.

    Raises:
        ConfigError: If the head makes no mask.
    """

    def __init__(self, pass_name: str = "reconstruct", name: str | None = "mask", weight: float | Sequence = 1.0):
        super().__init__(pass_name, name, weight)

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the head makes no mask."""
        if not model.generator.makes_mask:
            raise ConfigError(f"loss '{self.name}' needs a head with a mask, for instance ResidualHead")

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |mask|."""
        made = context.generated(self.pass_name)
        assert made.mask is not None, "check has asked for a head with a mask"
        size = without_given(made.mask, made.given, 2).abs()  # (B, 1, T, H, W)
        inside = true_frames(made.motion.num_frames, made.mask.shape[2])  # (B, T) or None
        return masked_mean(rearrange(size, "b c t h w -> b t c h w"), without_given(inside, made.given, 1))
