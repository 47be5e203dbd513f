"""Heads: how the last features of a decoder become a video. Their interface is ``Head`` in ``models/interfaces/``."""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import Head
from i2vkit.models.layers.warping import warp
from i2vkit.registry import HEADS

BASE_LOGIT = -4.0  # of a mask that lets 98 % of the base through


@HEADS.register_module()
class DirectHead(Head):
    """The video is the hyperbolic tangent of three channels."""

    channels = 3
    reads_base = False
    identity_bias = (0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Features (B, 3, T, H, W) to ``video``; ``base`` is not used."""
        return dict(video=torch.tanh(features))


@HEADS.register_module()
class ResidualHead(Head):
    """The video blends new content over a base: V = m * c + (1 - m) * base (FRGAN, eq. 2; VGAN).

    The mask is the sigmoid of one channel, the content the hyperbolic tangent of three. Without ``mask`` it is the
    plain difference of FRGAN's eq. 1: the video is the base plus twice the content, cut off at -1 and 1.

    Args:
        mask: blend (eq. 2), or add a difference (eq. 1).
        mask_bias: is added to the mask's channel before the sigmoid (ours; the papers have 0). An untrained decoder
            gives features close to 0, so with 0 the first videos are half grey, and with -2 they are 88 % the base.
            Not read without a mask.
    """

    reads_base = True

    def __init__(self, mask: bool = True, mask_bias: float = 0.0):
        super().__init__()
        self.masked, self.mask_bias = mask, mask_bias
        self.channels = 4 if mask else 3
        self.identity_bias = (BASE_LOGIT - mask_bias, 0.0, 0.0, 0.0) if mask else (0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Features (B, channels, T, H, W) and base (B, 3, T or 1, H, W) to ``video``, ``residual``, ``base`` and, where
        there is one, ``mask``.
        """
        if not self.masked:
            residual = torch.tanh(features)
            return dict(video=(base + 2 * residual).clamp(-1, 1), residual=residual, base=base)
        return blend(features[:, :1] + self.mask_bias, features[:, 1:], base)


def blend(mask: Tensor, content: Tensor, base: Tensor) -> dict[str, Tensor]:
    """``video`` (B, 3, T, H, W), new content over a base, with its ``mask``, ``residual`` and ``base``.

    Args:
        mask: logits (B, 1, T, H, W).
        content: (B, 3, T, H, W) before the hyperbolic tangent.
        base: (B, 3, T or 1, H, W) in [-1, 1].
    """
    mask, residual = torch.sigmoid(mask), torch.tanh(content)
    return dict(video=base + mask * (residual - base), mask=mask, residual=residual, base=base)


@HEADS.register_module()
class WarpHead(Head):
    """The video warps its base and blends new content over it: V = m * c + (1 - m) * warp(base, flow).

    It moves what the image shows already and paints only the rest, in place of an output layer that draws every pixel
    anew. Ours: none of the papers here has it. First-order-model (Siarohin et al., 2019) is the best known of its
    family.

    Args:
        max_displacement: the flow's largest length along x and along y, in pixels of the video. About a tenth of its
            width is enough for faces, a fifth for bodies.
        mask_bias: is added to the mask's channel before the sigmoid: with -2 an untrained model gives 88 % the base.
        smooth: the flow is averaged over so many pixels squared; an odd number, 1 leaves it as it is. Transposed
            convolutions otherwise make a checkerboard of it.

    Raises:
        ConfigError: if ``max_displacement`` is not above 0, or ``smooth`` is no odd number.
    """

    channels = 6
    reads_base = True

    def __init__(self, max_displacement: float = 6.0, mask_bias: float = -2.0, smooth: int = 1):
        super().__init__()
        if max_displacement <= 0 or smooth < 1 or smooth % 2 == 0:
            raise ConfigError(
                f"WarpHead takes a max_displacement above 0 pixels and smooth=1, 3, 5, ... pixels, not "
                f"{max_displacement} and smooth={smooth}"
            )
        self.max_displacement, self.mask_bias, self.smooth = max_displacement, mask_bias, smooth
        self.identity_bias = (BASE_LOGIT - mask_bias, 0.0, 0.0, 0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Features (B, 6, T, H, W), of mask, content and flow, and base (B, 3, T or 1, H, W) to ``video``, ``mask``,
        ``residual``, ``flow`` (B, 2, T, H, W) in pixels, and the warped ``base`` (B, 3, T, H, W).
        """
        flow = self.max_displacement * torch.tanh(features[:, 4:])
        if self.smooth > 1:
            frames = rearrange(flow, "b c t h w -> (b t) c h w")
            frames = functional.avg_pool2d(frames, self.smooth, 1, self.smooth // 2, count_include_pad=False)
            flow = rearrange(frames, "(b t) c h w -> b c t h w", b=len(flow))
        return dict(blend(features[:, :1] + self.mask_bias, features[:, 1:4], warp(base, flow)), flow=flow)
