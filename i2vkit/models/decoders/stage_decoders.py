"""Decoders that mirror an encoder made of stages: from a trajectory, or from maps of content and motion."""

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.stages import (
    Activation,
    FusedMaps,
    Norm,
    Skips,
    Unpool,
    Up,
    UpStages,
    check_stages,
    norm_and_activation,
)
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, FeatureSpec, Motion, Spec


@DECODERS.register_module()
class StageDecoder(Decoder):
    """A transposed convolution of the motion of a frame to the coarsest map, then stages that double it.

    Each stage takes up the map of the content pyramid that has its size. With joined skips, batch norm and LeakyReLU it
    is the decoder of SVG, whose motion already knows the content: with nearest upsampling its "vgg" variant, with
    ``up="transposed"`` and one convolution a stage its "dcgan" variant.

    Source: Denton and Fergus, 2018 (their released code).

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a pyramid.
        motion: Spec of the motion, with a trajectory.
        out_channels: Number of channels that the head reads.
        widths: Channels of the stages, coarse to fine.
        convs: Number of 3x3 convolutions of each stage.
        up: "nearest", or "zeros" for the value at the top left of four places. With "transposed" the first convolution
            of each stage is a 4x4 transposed one that doubles, and the stage takes up the map that has its size before.
        skips: "join", or "add" through a 3x3 convolution.
        coarsest: True adds the map that has the size of the first one too, through a 3x3 convolution. False, as in SVG,
            where that map reaches the decoder by the code alone. With "transposed" the first stage takes it up.
        norm: "batch", "instance" or None, behind every convolution but the last.
        activation: "relu", or "leaky" for a LeakyReLU of slope 0.2.
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.

    Raises:
        ConfigError: The image size does not fit ``widths``, or no level of the pyramid has the size of a stage.
    """

    requires = ("content.pyramid", "motion.trajectory")
    supports_chunks = frame_wise = True

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        widths: tuple[int, ...] = (512, 256, 128, 64),
        convs: tuple[int, ...] = (3, 3, 2, 2),
        up: Up = "nearest",
        skips: Skips = "join",
        coarsest: bool = True,
        norm: Norm = "batch",
        activation: Activation = "leaky",
        initial_weights: InitialWeights = 0.02,
    ):
        super().__init__()
        check_stages("StageDecoder", image_size, widths, convs)
        transposed = up == "transposed"
        strides = [stride << transposed for stride in _strides(widths)]
        self.levels = [_place(content.pyramid, stride) for stride in strides]
        if all(level is None for level in self.levels):
            raise ConfigError(
                f"StageDecoder makes maps of strides {strides}, and the content's pyramid has strides "
                f"{[level.stride for level in content.pyramid]}: give other widths, or another content encoder"
            )
        joined = [0 if level is None else content.pyramid[level].channels for level in self.levels]
        self.start = nn.Sequential(
            nn.ConvTranspose2d(motion.trajectory, widths[0], image_size >> len(widths)),
            *norm_and_activation(widths[0], norm, activation),
        )
        place = _place(content.pyramid, 1 << len(widths)) if coarsest and not transposed else None
        self.coarsest = place
        self.first = None if place is None else nn.Conv2d(content.pyramid[place].channels, widths[0], 3, padding=1)
        self.join = skips == "join"
        # To the stage's width, where maps are added.
        self.added = nn.ModuleList(
            nn.Conv2d(channels, width, 3, padding=1) if channels and not self.join else nn.Identity()
            for channels, width in zip(joined, widths, strict=True)
        )
        self.stages = UpStages(widths, convs, joined, out_channels, up, self.join, norm, activation)
        init_weights_(self, initial_weights)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the content image (B, 3, 1, H, W) as base."""
        assert motion.trajectory is not None, "requires names it"
        length = motion.trajectory.shape[1]
        x = self.start(rearrange(motion.trajectory, "b t d -> (b t) d 1 1"))  # (B T, widths[0], side, side)
        if self.first is not None and self.coarsest is not None:
            x = x + repeat(self.first(content.pyramid[self.coarsest]), "b c h w -> (b t) c h w", t=length)
        skips: list[tuple[Tensor | None, Tensor | None]] = []
        for level, added in zip(self.levels, self.added, strict=True):
            static = None if level is None else content.pyramid[level]  # (B, C, h, w)
            if static is None or self.join:
                skips.append((static, None))
            else:
                # Convolved once for each clip, then repeated: (B, C, h, w) -> (B T, C', h, w).
                skips.append((None, repeat(added(static), "b c h w -> (b t) c h w", t=length)))
        features = self.stages(x, skips)
        return rearrange(features, "(b t) c h w -> b c t h w", t=length), content.image[:, :, None]


@DECODERS.register_module()
class StageMapDecoder(Decoder):
    """Stages that double fused maps of content and motion, and take up such maps at every size (MCNet).

    At the coarsest size three 3x3 convolutions fuse both. At each finer size two do, and the result is the skip
    connection of that stage ("residual" in the paper). Sizes without a map of content or motion have no skip.

    Source: Villegas et al., 2017 (their released code).

    Ours:
        where a motion encoder gives maps of the image too (MapDifferenceEncoder), they are fused like those of content

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a pyramid.
        motion: Spec of the motion, with maps.
        out_channels: Number of channels that the head reads.
        widths: Channels of the stages, coarse to fine.
        convs: Number of 3x3 convolutions of each stage.
        up: "zeros" for the value at the top left of four places, or "nearest".
        skips: "add" or "join".
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.

    Raises:
        ConfigError: The image size does not fit ``widths``, or content or motion has no map of a size that is read.
    """

    requires = ("content.pyramid", "motion.maps")
    supports_chunks = frame_wise = True

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        widths: tuple[int, ...] = (256, 128, 64),
        convs: tuple[int, ...] = (3, 2, 2),
        up: Unpool = "zeros",
        skips: Skips = "add",
        initial_weights: InitialWeights = "xavier",
    ):
        super().__init__()
        check_stages("StageMapDecoder", image_size, widths, convs)
        strides = [1 << len(widths), *_strides(widths)]  # of the coarsest maps, and of each stage
        self.content_levels = [_place(content.pyramid, stride) for stride in strides]
        self.motion_levels = [_place(motion.maps, stride) for stride in strides]
        for side, levels in (("content", self.content_levels), ("motion", self.motion_levels)):
            if all(level is None for level in levels):
                raise ConfigError(
                    f"StageMapDecoder reads maps of strides {strides}, and the {side} has none of them: give other "
                    f"widths, or another {side} encoder"
                )
        if self.content_levels[0] is None and self.motion_levels[0] is None:
            raise ConfigError(
                f"StageMapDecoder starts from maps of stride {strides[0]}, and neither content nor motion has one: "
                f"give another number of widths"
            )
        static, dynamic = [], []
        for of_content, of_motion in zip(self.content_levels, self.motion_levels, strict=True):
            moving = 0 if of_motion is None else motion.maps[of_motion].channels
            still = 0 if of_content is None else content.pyramid[of_content].channels
            static.append(still + moving * ("reference" in motion.map_groups))
            dynamic.append(moving * ("driving" in motion.map_groups))
        first = widths[0]
        self.combined = FusedMaps(static[0], dynamic[0], (first, max(1, first // 2), first), last_activation=True)
        fused = [bool(still or moving) for still, moving in zip(static[1:], dynamic[1:], strict=True)]
        self.fused = nn.ModuleList(
            FusedMaps(static[i + 1], dynamic[i + 1], (width, width), last_activation=False) if there else nn.Identity()
            for i, (width, there) in enumerate(zip(widths, fused, strict=True))
        )
        joined = [width if there else 0 for width, there in zip(widths, fused, strict=True)]
        self.stages = UpStages(widths, convs, joined, out_channels, up, skips == "join", None, "relu")
        init_weights_(self, initial_weights)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the content image (B, 3, 1, H, W) as base."""
        maps = list(zip(self.content_levels, self.motion_levels, strict=True))
        x = self.combined(*_maps(content, motion, *maps[0]), motion.length)
        skips: list[tuple[Tensor | None, Tensor | None]] = []
        for fused, places in zip(self.fused, maps[1:], strict=True):
            there = isinstance(fused, FusedMaps)
            skips.append((None, fused(*_maps(content, motion, *places), motion.length) if there else None))
        features = self.stages(x, skips)
        return rearrange(features, "(b t) c h w -> b c t h w", t=motion.length), content.image[:, :, None]


def _maps(
    content: Content, motion: Motion, of_content: int | None, of_motion: int | None
) -> tuple[Tensor | None, Tensor | None]:
    """Return the static maps (B, C, h, w) and the dynamic ones (B T, C', h, w) of one size; None for none."""
    static = [] if of_content is None else [content.pyramid[of_content]]
    if of_motion is not None and "reference" in motion.maps:
        static.append(motion.maps["reference"][of_motion])
    dynamic = None
    if of_motion is not None and "driving" in motion.maps:
        dynamic = rearrange(motion.maps["driving"][of_motion], "b c t h w -> (b t) c h w")
    return torch.cat(static, dim=1) if static else None, dynamic


def _strides(widths: tuple[int, ...]) -> list[int]:
    """Return the stride of each stage behind its doubling, coarse to fine: the last one is 1."""
    return [1 << (len(widths) - 1 - i) for i in range(len(widths))]


def _place(levels: tuple[FeatureSpec, ...], stride: int) -> int | None:
    """Return the index of the level with this stride, None if there is none."""
    return next((i for i, level in enumerate(levels) if level.stride == stride), None)
