"""Heads: from the last features of a decoder to a video. Their interface is ``Head`` in ``models/interfaces/``."""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import Head
from i2vkit.models.layers.warping import warp
from i2vkit.registry import HEADS

BASE_LOGIT = -4.0  # the logit of a mask that lets 98 % of the base through


@HEADS.register_module()
class DirectHead(Head):
    """A head that paints every pixel: the video is the hyperbolic tangent of three channels.

    Examples:
        >>> DirectHead()(torch.zeros(1, 3, 2, 8, 8), base=torch.ones(1, 3, 1, 8, 8))["video"].abs().max().item()
        0.0
    """

    channels = 3
    reads_base = False
    identity_bias = (0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Return ``video`` (B, 3, T, H, W) from features of that shape; ``base`` is not used."""
        return dict(video=torch.tanh(features))  # from any number to (-1, 1)


@HEADS.register_module()
class ResidualHead(Head):
    """A head that blends new content over a base: V = m * c + (1 - m) * base (FRGAN, eq. 2; VGAN).

    The mask is the sigmoid of one channel, the content the hyperbolic tangent of three. Without ``mask`` it is the
    difference of FRGAN's eq. 1: the video is the base plus twice the content, cut off at -1 and 1.

    Ours:
        when mask=False: the difference is twice a tanh, and the sum is cut off at -1 and 1

    Args:
        mask: If true, blend (eq. 2). If false, add a difference (eq. 1).
        mask_bias: A number that is added to the mask's channel before the sigmoid (ours; the papers have 0). An
            untrained decoder gives features close to 0. With 0 the first videos are then half grey, and with -2 they
            are 88 % the base. Not read without a mask.

    Examples:
        >>> base = torch.ones(1, 3, 1, 8, 8)
        >>> made = ResidualHead(mask_bias=-2.0)(torch.zeros(1, 4, 2, 8, 8), base)
        >>> made["video"].shape, round(made["video"].mean().item(), 2)
        (torch.Size([1, 3, 2, 8, 8]), 0.88)
    """

    reads_base = True

    def __init__(self, mask: bool = True, mask_bias: float = 0.0):
        super().__init__()
        self.masked, self.mask_bias = mask, mask_bias
        # The features with which the video is close to its base.
        self.channels = 4 if mask else 3
        self.identity_bias = (BASE_LOGIT - mask_bias, 0.0, 0.0, 0.0) if mask else (0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Return ``video``, ``residual``, ``base`` and, where there is one, ``mask``.

        Args:
            features: (B, channels, T, H, W).
            base: (B, 3, T or 1, H, W) in [-1, 1].
        """
        if not self.masked:
            residual = torch.tanh(features)  # half the difference, so that any colour can be reached
            # A base (B, 3, 1, H, W) is broadcast over time.
            return dict(video=(base + 2 * residual).clamp(-1, 1), residual=residual, base=base)
        return blend(
            features[:, :1] + self.mask_bias, features[:, 1:], base
        )  # channels: 1 of the mask, 3 of the content


def blend(mask: Tensor, content: Tensor, base: Tensor) -> dict[str, Tensor]:
    """Return ``video`` (B, 3, T, H, W), new content over a base, with its ``mask``, ``residual`` and ``base``.

    Args:
        mask: Logits (B, 1, T, H, W).
        content: (B, 3, T, H, W) before the hyperbolic tangent.
        base: (B, 3, T or 1, H, W) in [-1, 1].
    """
    mask, residual = torch.sigmoid(mask), torch.tanh(content)  # in (0, 1) and (-1, 1)
    # (B, 1, T, H, W) weighs all three channels; a base (B, 3, 1, H, W) is broadcast over time.
    return dict(video=base + mask * (residual - base), mask=mask, residual=residual, base=base)


@HEADS.register_module()
class WarpHead(Head):
    """A head that warps its base and blends new content over it: V = m * c + (1 - m) * warp(base, flow).

    It moves the content of the image and paints only the rest, in place of an output layer that draws every pixel.

    Source: Ours; none of the papers here has it. First-order-model (Siarohin et al., 2019) is the best known of its
    family.

    Args:
        max_displacement: The largest displacement along x and along y, in pixels of the video; above 0. About a tenth
            of its width is enough for faces, a fifth for bodies.
        mask_bias: A number that is added to the mask's channel before the sigmoid. With -2 an untrained model gives 88
            % the base.
        smooth: Side of the square over which the flow is averaged, in pixels: an odd number. 1 leaves it as it is.
            Transposed convolutions otherwise leave a checkerboard in it.

    Raises:
        ConfigError: If ``max_displacement`` is not above 0, or ``smooth`` is no odd number.

    Examples:
        >>> base = torch.ones(1, 3, 1, 8, 8)
        >>> made = WarpHead()(torch.zeros(1, 6, 2, 8, 8), base)
        >>> made["flow"].shape, made["flow"].abs().max().item(), round(made["video"].mean().item(), 2)
        (torch.Size([1, 2, 2, 8, 8]), 0.0, 0.88)
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
        # One number for mask, content (3) and flow (2).
        self.identity_bias = (BASE_LOGIT - mask_bias, 0.0, 0.0, 0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Return ``video``, ``mask``, ``residual``, ``flow`` (B, 2, T, H, W) in pixels, and the warped ``base``.

        Args:
            features: (B, 6, T, H, W): of the mask, the content and the flow.
            base: (B, 3, T or 1, H, W) in [-1, 1].
        """
        flow = self.max_displacement * torch.tanh(features[:, 4:])  # (B, 2, T, H, W), in pixels
        if self.smooth > 1:
            # Frame by frame: (B, 2, T, H, W) -> (B T, 2, H, W), and back.
            frames = rearrange(flow, "b c t h w -> (b t) c h w")
            frames = functional.avg_pool2d(frames, self.smooth, 1, self.smooth // 2, count_include_pad=False)
            flow = rearrange(frames, "(b t) c h w -> b c t h w", b=len(flow))
        # Channels: 1 of the mask, 3 of the content, 2 of the flow.
        return dict(blend(features[:, :1] + self.mask_bias, features[:, 1:4], warp(base, flow)), flow=flow)
