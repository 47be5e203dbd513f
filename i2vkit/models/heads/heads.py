"""Heads: how the last features of a decoder become a video. They have no weights; ``channels`` is what they read,
``reads_base`` whether they read a base too, ``rest`` (optional) the features with which an untrained refiner begins.
"""

import torch
from torch import Tensor, nn

from i2vkit.registry import HEADS


@HEADS.register_module()
class DirectHead(nn.Module):
    """The video is the hyperbolic tangent of three channels."""

    channels = 3
    reads_base = False
    rest = (0.0, 0.0, 0.0)

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Features (B, 3, T, H, W) to ``video``; ``base`` is not used."""
        return dict(video=torch.tanh(features))


@HEADS.register_module()
class ResidualHead(nn.Module):
    """The video blends new content over a base: V = m * c + (1 - m) * base (FRGAN, eq. 2; VGAN).

    The mask is the sigmoid of one channel, the content the hyperbolic tangent of three. Without ``mask`` it is the
    plain difference of FRGAN's eq. 1: the video is the base plus twice the content, cut off at -1 and 1.
    """

    reads_base = True

    def __init__(self, mask: bool = True):
        super().__init__()
        self.masked = mask
        self.channels = 4 if mask else 3
        self.rest = (-4.0, 0.0, 0.0, 0.0) if mask else (0.0, 0.0, 0.0)  # the base, 98% of it with a mask

    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Features (B, channels, T, H, W) and base (B, 3, T or 1, H, W) to ``video``, ``residual``, ``base`` and, where
        there is one, ``mask``.
        """
        if not self.masked:
            residual = torch.tanh(features)
            return dict(video=(base + 2 * residual).clamp(-1, 1), residual=residual, base=base)
        mask = torch.sigmoid(features[:, :1])
        residual = torch.tanh(features[:, 1:])
        return dict(video=base + mask * (residual - base), mask=mask, residual=residual, base=base)
