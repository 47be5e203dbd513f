"""Losses on the content codes of a clip's frames."""

from collections.abc import Sequence

import torch
from einops import reduce
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import LOSSES


def within_clip_variance_ratio(codes: Tensor, mask: Tensor | None = None) -> Tensor:
    """The share of the variance of codes (B, T, D) that lies within clips, in [0, 1].

    0: all frames of a clip have one code; 1: clips do not differ. Scaling or moving all codes changes nothing. ``mask``
    (B, T) says which frames are true ones; None stands for all.

    >>> codes = torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]])
    >>> round(within_clip_variance_ratio(codes).item(), 3)
    0.2
    """
    counts = torch.ones_like(codes[..., :1]) if mask is None else mask.to(codes.dtype)[..., None]
    centres = reduce(codes * counts, "b t d -> b 1 d", "sum") / reduce(counts, "b t 1 -> b 1 1", "sum")
    centre = reduce(codes * counts, "b t d -> d", "sum") / counts.sum()
    within = ((codes - centres).square() * counts).sum()
    total = ((codes - centre).square() * counts).sum()
    return within / total.clamp(min=torch.finfo(codes.dtype).tiny)


class _FrameCodeLoss(PassLoss):
    """A loss on the content codes of all frames of a pass."""

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the pass has one code for all frames."""
        generator = model.generator
        if (
            not model.passes[self.pass_name].content_per_frame
            or not generator.content_per_frame
            or generator.feeds_back
        ):
            raise ConfigError(
                f"loss '{self.name}' compares the content codes of frames, but pass '{self.pass_name}' has one only: "
                f"give the pass content_per_frame=True, and the generator a decoder that reads a code a frame "
                f"(FrameDecoder)"
            )

    def codes(self, context) -> tuple[Tensor, Tensor | None]:
        """Codes (B, T, D), and the mask (B, T) of the true frames, None for all."""
        code = context.generated(self.pass_name).content.code
        return code.float(), true_frames(context.clip.num_frames, code.shape[1])


@LOSSES.register_module()
class ContentInvarianceLoss(_FrameCodeLoss):
    """Mean absolute difference of the content codes of neighbouring true frames (Dual-MTGAN, eq. 1); 0 for stills.

    The paper's norm is a sum over the code or a mean, it does not say; like its other L1 losses it is a mean here.
    ``relative`` (ours) divides by the mean absolute difference of the batch's codes from their mean: a decoder with
    batch norm reads codes of any scale, so that eq. 1 alone is met by small codes that still tell every frame.
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

    def needs_whole_clip(self, model) -> bool:
        """True: neighbouring frames are compared."""
        return True

    def forward(self, context) -> Tensor:
        """E |E_C(x^t) - E_C(x^t+1)|, relative to E |E_C(x^t) - mean| if asked for."""
        codes, mask = self.codes(context)
        change = masked_mean((codes[:, 1:] - codes[:, :-1]).abs(), None if mask is None else mask[:, 1:])
        if not self.relative:
            return change
        counts = torch.ones_like(codes[..., :1]) if mask is None else mask.to(codes.dtype)[..., None]
        centre = reduce(codes * counts, "b t d -> d", "sum") / counts.sum()
        return change / masked_mean((codes - centre).abs(), mask).clamp(min=torch.finfo(codes.dtype).tiny)


@LOSSES.register_module()
class ContentVarianceRatio(_FrameCodeLoss):
    """The share of the variance of a batch's content codes that lies within clips (``within_clip_variance_ratio``).

    Measured, not minimised, which is why it weighs 0: eq. 1 of Dual-MTGAN is met by small codes too, this is not.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        name: str | None = "content_variance_ratio",
        weight: float | Sequence = 0.0,
    ):
        super().__init__(pass_name, name, weight)

    def forward(self, context) -> Tensor:
        """In [0, 1]."""
        return within_clip_variance_ratio(*self.codes(context))
