"""A decoder that moves the features of the image along a flow."""

from itertools import pairwise

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.hourglass import SameBlock, UpBlock
from i2vkit.models.layers.points import differences
from i2vkit.models.layers.warping import flow_at, warp
from i2vkit.models.motion_generators.dense_flow import driving_and_reference
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, FeatureSpec, Motion, Spec


@DECODERS.register_module()
class WarpedPyramidDecoder(Decoder):
    """Every frame from the content pyramid and the image, all warped by the flow of this frame.

    Blocks double the maps from the coarsest level up. Each reads the warped level of its size and, if the motion has
    points, the heatmaps of the driving points minus those of the image. Residual blocks at full size and a convolution
    follow. With the pyramid of ``StageEncoder`` it is the decoder of Monkey-Net. Where the motion has ``visible``, the
    warped maps are multiplied by it, as in the first-order motion model, which has skips=False, heatmaps=False,
    residual_blocks=0 and bottleneck_blocks=6.

    The base for the head is the warped image.

    Ours:
        an offset and not a place is resized for each level, so that a flow of 0 leaves every level as it is
        beyond the image its border goes on (the released codes: zeros)

    Source: As ``KeypointEncoder``.

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a pyramid.
        motion: Spec of the motion, with a flow.
        out_channels: Number of channels that the head reads.
        identity_bias: Features with which the head gives its base, or nothing.
        widths: Channels of the blocks, fine to coarse, one for each halving down to the coarsest level. None, the
            default: those of the level that has the block's size, and half as many at full size.
        heatmaps: False leaves the heatmaps out.
        peak: As of ``DenseFlow``.
        residual_blocks: Number of residual blocks at full size.
        bottleneck_blocks: Number of residual blocks on the coarsest maps.
        skips: False leaves out all levels but the coarsest, and the image.
        kernel: Side of the last kernel: an odd number.

    Raises:
        ConfigError: The number of widths is not that of the halvings, the sides of the pyramid are not halves of each
            other, or ``kernel`` is even.
    """

    requires = ("content.pyramid", "motion.flow")
    accepts = ("motion.points",)
    supports_chunks = True
    frame_wise = True

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        identity_bias: tuple[float, ...] = (),
        widths: tuple[int, ...] | None = None,
        heatmaps: bool = True,
        peak: float | None = None,
        residual_blocks: int = 4,
        bottleneck_blocks: int = 0,
        skips: bool = True,
        kernel: int = 1,
    ):
        super().__init__()
        self.peak, self.image_size, self.skips = peak, image_size, skips
        self.maps = motion.points if heatmaps else 0
        coarsest = content.pyramid[-1]
        halvings = coarsest.stride.bit_length() - 1
        if 1 << halvings != coarsest.stride or kernel % 2 == 0:
            raise ConfigError(
                f"WarpedPyramidDecoder doubles maps up to the image and takes an odd kernel, and the coarsest level of "
                f"the pyramid has stride {coarsest.stride}, the kernel {kernel}: take an encoder that halves maps"
            )
        widths = _mirrored(content.pyramid, halvings) if widths is None else widths
        if len(widths) != halvings:
            raise ConfigError(
                f"WarpedPyramidDecoder doubles maps {halvings} times, from stride {coarsest.stride}, and got "
                f"{len(widths)} widths: give as many, or None"
            )
        # Of each stride, fine to coarse: the place of its level in the pyramid.
        self.places = {level.stride: i for i, level in enumerate(content.pyramid)}
        if not skips:
            self.places = {coarsest.stride: len(content.pyramid) - 1}
        channels = {stride: content.pyramid[i].channels for stride, i in self.places.items()}
        joined = {1 << i: channels.get(1 << i, 0) + self.maps for i in range(halvings + 1)}
        joined[1] += 3 if skips else 0  # the image
        self.bottleneck = nn.Sequential(*(SameBlock(joined[coarsest.stride]) for _ in range(bottleneck_blocks)))
        outputs = [0, *widths[::-1]]  # nothing comes from below the coarsest level
        strides = [1 << i for i in range(halvings, -1, -1)]
        self.up = nn.ModuleList(
            UpBlock(before + joined[stride], after)
            for (before, after), stride in zip(pairwise(outputs), strides, strict=False)
        )
        last = outputs[-1] + joined[1]
        self.residual = nn.Sequential(*(SameBlock(last) for _ in range(residual_blocks)))
        self.last = nn.Conv2d(last, out_channels, kernel, padding=kernel // 2)
        self.strides = strides

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the warped image (B, 3, T, H, W) as base."""
        flow = motion.flow
        assert flow is not None, "requires names it"
        batch, _, length, *_ = flow.shape
        base = _warped(content.image, flow)
        maps = None
        if self.maps:
            with autocast(flow.device, enabled=False):
                maps = differences(*driving_and_reference(motion), self.image_size, self.image_size, self.peak)
            maps = rearrange(maps, "b k t h w -> (b t) k h w")
        x: Tensor | None = None
        for stride, block in zip(self.strides, [*self.up, None], strict=True):
            parts = [] if x is None else [x]
            if stride in self.places:
                level = _shown(_warped(content.pyramid[self.places[stride]], flow), motion.visible)
                parts.append(rearrange(level, "b c t h w -> (b t) c h w"))
            if stride == 1 and self.skips:
                parts.append(rearrange(_shown(base, motion.visible), "b c t h w -> (b t) c h w"))
            if maps is not None:
                parts.append(maps[:, :, ::stride, ::stride])  # the nearest values
            joined = torch.cat(parts, dim=1) if parts else x
            if x is None:
                joined = self.bottleneck(joined)
            x = joined if block is None else block(joined)
        features = self.last(self.residual(x))
        return rearrange(features, "(b t) c h w -> b c t h w", b=batch, t=length), base


def _warped(maps: Tensor, flow: Tensor) -> Tensor:
    """Return maps (B, C, h, w) of one image, moved by each of its flows (B, 2, T, ...): (B, C, T, h, w)."""
    with autocast(maps.device, enabled=False):  # places in bf16 would be a pixel off
        return warp(maps.float()[:, :, None], flow_at(flow.float(), *maps.shape[2:]))


def _shown(maps: Tensor, visible: Tensor | None) -> Tensor:
    """Return maps (B, C, T, h, w) times the share of each place that the image shows."""
    if visible is None:
        return maps
    height = maps.shape[3]
    if visible.shape[3] >= height:
        step = visible.shape[3] // height
        return maps * visible[..., ::step, ::step]
    grow = height // visible.shape[3]
    return maps * repeat(visible, "b c t h w -> b c t (h p) (w q)", p=grow, q=grow)


def _mirrored(pyramid: tuple[FeatureSpec, ...], halvings: int) -> tuple[int, ...]:
    """Return the channels of the blocks, fine to coarse: those of the level of that size, or of the next coarser one.

    The block at full size has half the channels of the level with stride 2.
    """
    widths = {level.stride: level.channels for level in pyramid}
    channels, found = [], pyramid[-1].channels
    for i in range(halvings - 1, 0, -1):
        found = widths.get(1 << i, found)
        channels.append(found)
    return (max(1, found // 2), *channels[::-1])
