"""Losses on the frames of one pass, and on what they were blended from."""

from collections.abc import Sequence

from einops import rearrange
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES


class PassLoss(Loss):
    """A loss on one pass."""

    def __init__(self, pass_name: str, name: str | None, weight):
        super().__init__(name, weight)
        self.passes = (pass_name,)

    @property
    def pass_name(self) -> str:
        """The pass it looks at."""
        return self.passes[0]

    def compared(self, context) -> tuple[Tensor, Tensor, Tensor | None]:
        """The generated and the real video (B, C, T, H, W) without the frames that were given, and which are true.

        The mask (B, T) is None where all are.
        """
        real = context.real(self.pass_name)
        made = context.generated(self.pass_name)
        mask = true_frames(real.num_frames, made.video.shape[2])
        return (
            without_given(made.video, made.given, 2),
            without_given(real.video, made.given, 2),
            without_given(mask, made.given, 1),
        )


def without_given(values: Tensor | None, given: int, dim: int) -> Tensor | None:
    """``values`` without the first ``given`` along ``dim``."""
    if not given or values is None:
        return values
    return values.narrow(dim, given, values.shape[dim] - given)


@LOSSES.register_module()
class FrameL1Loss(PassLoss):
    """Mean absolute difference of the generated and the real video over true frames, in [0, 2] (DTGAN, eq. 5).

    With ``motion_weight`` (ours) a pixel weighs 1 + ``motion_weight`` times its largest change of a channel from the
    real video's first frame: where little moves, a model otherwise learns to repeat the image long
    before it learns motion.
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

    def forward(self, context) -> Tensor:
        """E |video - real|, weighted."""
        video, real, mask = self.compared(context)
        difference = (video - real).abs()
        if self.motion_weight:
            first = context.real(self.pass_name).video[:, :, :1]
            change = (real - first).abs().amax(dim=1, keepdim=True)
            difference = (1 + self.motion_weight * change) * difference
        return masked_mean(rearrange(difference, "b c t h w -> b t c h w"), mask)


@LOSSES.register_module()
class MaskSparsityLoss(PassLoss):
    """The mean of the head's mask (FRGAN, eq. 6; VGAN).

    Raises:
        ConfigError: if the head makes no mask.
    """

    def __init__(self, pass_name: str = "reconstruct", name: str | None = "mask", weight: float | Sequence = 1.0):
        super().__init__(pass_name, name, weight)

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the head makes no mask."""
        if not model.generator.makes_mask:
            raise ConfigError(f"loss '{self.name}' needs a head with a mask, for instance ResidualHead")

    def forward(self, context) -> Tensor:
        """E |mask|."""
        made = context.generated(self.pass_name)
        return without_given(made.mask, made.given, 2).abs().mean()
