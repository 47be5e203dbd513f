"""Losses on the content codes of a clip's frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from einops import reduce
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


def within_clip_variance_ratio(codes: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the share of the variance of codes that lies within clips, a scalar in [0, 1].

    It is 0 if all frames of a clip have one code, and 1 if clips do not differ. Scaling or moving all codes changes
    nothing.

    Args:
        codes: (B, T, D).
        mask: The true frames (B, T); None stands for all frames.

    Examples:
        >>> codes = torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]])
        >>> round(within_clip_variance_ratio(codes).item(), 3)
        0.2
    """
    counts = torch.ones_like(codes[..., :1]) if mask is None else mask.to(codes.dtype)[..., None]  # (B, T, 1)
    # The mean of each clip (B, 1, D), and that of all frames (D,); padded frames weigh 0.
    centres = reduce(codes * counts, "b t d -> b 1 d", "sum") / reduce(counts, "b t 1 -> b 1 1", "sum")
    centre = reduce(codes * counts, "b t d -> d", "sum") / counts.sum()
    within = ((codes - centres).square() * counts).sum()  # around the mean of each clip
    total = ((codes - centre).square() * counts).sum()  # around the mean of all frames
    return within / total.clamp(min=torch.finfo(codes.dtype).tiny)


class _FrameCodeLoss(PassLoss):
    """A loss on the content codes of all frames of a pass."""

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the pass has one code for all frames."""
        generator = model.generator
        per_frame = model.passes[self.pass_name].content_per_frame and generator.content_per_frame
        if not per_frame or generator.feeds_back:
            raise ConfigError(
                f"loss '{self.name}' compares the content codes of frames, but pass '{self.pass_name}' has one only: "
                f"give the pass content_per_frame=True, and the generator a decoder that reads a code a frame "
                f"(FrameDecoder)"
            )

    def codes(self, context: "GanContext") -> tuple[Tensor, Tensor | None]:
        """Return the codes (B, T, D), and the mask (B, T) of the true frames, None for all."""
        code = context.generated(self.pass_name).content.code
        assert code is not None, "check has asked for a content code of every frame"
        return code.float(), true_frames(context.clip.num_frames, code.shape[1])


@LOSSES.register_module()
class ContentInvarianceLoss(_FrameCodeLoss):
    """Mean absolute difference between the content codes of neighbouring true frames; 0 for static clips.

    Source: Dual-MTGAN, eq. 1. The paper does not say if its norm is a sum over the code or a mean. Like its other L1
    losses it is a mean here.

    Args:
        pass_name: A pass with ``content_per_frame=True``.
        relative: If true (ours), divide by the mean absolute difference between the batch's codes and their mean. A
            decoder with batch norm reads codes of any scale, so that small codes minimise eq. 1 although they still
            encode every frame.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: If the pass has one code for all frames.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        relative: bool = False,
        name: str | None = "content_l1",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        self.relative = relative

    def needs_whole_clip(self, model: "ImageToVideoGan") -> bool:
        """Return true: neighbouring frames are compared."""
        return True

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |E_C(x^t) - E_C(x^t+1)|, divided by E |E_C(x^t) - mean| if ``relative``."""
        codes, mask = self.codes(context)
        # Steps (B, T - 1, D) from frame to frame; a step counts where its second frame is a true one.
        change = masked_mean((codes[:, 1:] - codes[:, :-1]).abs(), None if mask is None else mask[:, 1:])
        if not self.relative:  # eq. 1 as it is
            return change
        counts = torch.ones_like(codes[..., :1]) if mask is None else mask.to(codes.dtype)[..., None]
        centre = reduce(codes * counts, "b t d -> d", "sum") / counts.sum()  # (B, T, D) -> (D,)
        return change / masked_mean((codes - centre).abs(), mask).clamp(min=torch.finfo(codes.dtype).tiny)


@LOSSES.register_module()
class ContentVarianceRatio(_FrameCodeLoss):
    """The share of the variance of a batch's content codes that lies within clips (``within_clip_variance_ratio``).

    It is measured and not minimised, so its weight is 0 by default. Small codes minimise eq. 1 of Dual-MTGAN too, and
    this ratio shows them.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        name: str | None = "content_variance_ratio",
        weight: float | Sequence = 0.0,
    ):
        super().__init__(pass_name, name, weight)

    def forward(self, context: "GanContext") -> Tensor:
        """Return the share, in [0, 1]."""
        return within_clip_variance_ratio(*self.codes(context))
