"""A decoder that warps the input image by a flow, and paints what the warp cannot make."""

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.warping import flow_in_pixels, warp
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion, Spec


@DECODERS.register_module()
class WarpDecoder(Decoder):
    """Every frame is the input image, sampled where a flow points (Jaderberg et al., 2015), as the base of the head.

    A linear layer makes the flow of a frame, on a grid of ``grid`` x ``grid`` points, from [content code, motion of
    that frame]; in between it is bilinear, and it reaches ``reach`` of half a side at most. Two 3x3 convolutions make
    the head's features from the warped image and the motion.

    Raises:
        ConfigError: the head reads no base.
    """

    requires = ("content.code", "motion.trajectory")
    supports_chunks = True

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        base_requested: bool,
        grid: int = 8,
        reach: float = 0.5,
        width: int = 32,
    ):
        super().__init__()
        if not base_requested:
            raise ConfigError("WarpDecoder gives a base, and this head reads none: set a head that does (ResidualHead)")
        self.grid, self.reach = grid, reach
        self.flow = nn.Linear(content.code + motion.trajectory, 2 * grid * grid)
        nn.init.normal_(self.flow.weight, std=0.01)
        nn.init.zeros_(self.flow.bias)
        first = nn.Conv2d(3 + motion.trajectory, width, 3, padding=1)
        self.features = nn.Sequential(first, nn.ReLU(), nn.Conv2d(width, out_channels, 3, padding=1))

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Features (B, out_channels, T, H, W) for the head, and the base (B, 3, T, H, W): the warped image."""
        batch, length, _ = motion.trajectory.shape
        code = torch.cat([repeat(content.code, "b d -> b t d", t=length), motion.trajectory], dim=2)
        flow = rearrange(torch.tanh(self.flow(code)), "b t (c h w) -> b c t h w", h=self.grid, w=self.grid)
        height, width = content.image.shape[2:]
        warped = warp(content.image[:, :, None], flow_in_pixels(self.reach * flow, height, width))
        frames = rearrange(warped, "b c t h w -> (b t) c h w")
        steps = repeat(motion.trajectory, "b t d -> (b t) d h w", h=height, w=width)
        features = self.features(torch.cat([frames, steps], dim=1))
        return rearrange(features, "(b t) c h w -> b c t h w", b=batch), warped
