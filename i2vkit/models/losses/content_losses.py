"""Losses on the content codes of a clip's frames."""

from collections.abc import Sequence

import torch
from einops import reduce
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.layers.lengths import frame_mask
from i2vkit.models.losses.gan_losses import PassLoss
from i2vkit.registry import LOSSES


def spread_within_clips(codes: Tensor, mask: Tensor) -> Tensor:
    """The share of the variance of codes (B, T, D) that lies within clips, in [0, 1]; ``mask`` (B, T), true frames.

    0: all frames of a clip have one code; 1: clips do not differ. Scaling or moving all codes changes nothing.

    >>> codes = torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]])
    >>> round(spread_within_clips(codes, torch.ones(2, 2, dtype=torch.bool)).item(), 3)
    0.2
    """
    counts = mask.to(codes.dtype)[..., None]
    centres = reduce(codes * counts, "b t d -> b 1 d", "sum") / reduce(counts, "b t 1 -> b 1 1", "sum")
    centre = reduce(codes * counts, "b t d -> d", "sum") / counts.sum()
    within = ((codes - centres).square() * counts).sum()
    total = ((codes - centre).square() * counts).sum()
    return within / total.clamp(min=torch.finfo(codes.dtype).tiny)


class _FrameCodeLoss(PassLoss):
    """A loss on the content codes of all frames of a pass."""

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the pass has one code for all frames."""
        if model.passes[self.pass_name].frames != "each" or not model.generator.content_per_frame:
            raise ConfigError(
                f"loss '{self.name}' compares the content codes of frames, but pass '{self.pass_name}' has one only: "
                f'give the pass frames="each", and the generator a decoder that reads a code a frame (FrameDecoder)'
            )

    def codes(self, context) -> tuple[Tensor, Tensor]:
        """Codes (B, T, D), and which frames are true ones, bool (B, T)."""
        code = context.generated(self.pass_name).content.code
        return code.float(), frame_mask(context.clip.num_frames, *code.shape[:2], code.device)


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
        differences = (codes[:, 1:] - codes[:, :-1]).abs()[mask[:, 1:]]
        change = differences.sum() / max(1, differences.numel())
        if not self.relative:
            return change
        true = codes[mask]
        return change / (true - true.mean(dim=0)).abs().mean().clamp(min=torch.finfo(codes.dtype).tiny)


@LOSSES.register_module()
class ContentSpread(_FrameCodeLoss):
    """The share of the variance of a batch's content codes that lies within clips (``spread_within_clips``).

    Measured, not minimised, which is why it weighs 0: eq. 1 of Dual-MTGAN is met by small codes too, this is not.
    """

    def __init__(
        self, pass_name: str = "reconstruct", name: str | None = "content_spread", weight: float | Sequence = 0.0
    ):
        super().__init__(pass_name, name, weight)

    def forward(self, context) -> Tensor:
        """In [0, 1]."""
        return spread_within_clips(*self.codes(context))
