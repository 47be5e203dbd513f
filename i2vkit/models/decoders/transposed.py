"""Decoders that make a whole clip at once by transposed convolutions in space and time (ImaGINator)."""

from itertools import zip_longest

import torch
from einops import repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.decoders.transposed_plan import TIME, TransposedConvPlan, clip_code
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.initialization import init_batch_norm_
from i2vkit.models.layers.transposed_1p2d import TransposedConv1p2d, fold_batch_norm_
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion, Spec


class _TransposedDecoder(Decoder):
    """A clip from [motion code, label, content code] by transposed convolutions.

    Batch norm and LeakyReLU stand behind every block but the last. With ``fusion`` the map of the content pyramid that
    has the size of a block's output, repeated over time, joins it (spatio-temporal fusion, ImaGINator, sec. 3.1.1);
    with ``label_maps`` the label does too, repeated over time and space. ``widths`` are the channels of the blocks but
    the last; ``time`` their kernels and strides in time. A clip longer than the shortest is made from the code repeated
    at the input: between its two ends it repeats itself every ``lengths.step`` frames.

    Raises:
        ConfigError: if the image size or ``time`` does not fit the widths.
    """

    requires = ("content.code", "motion.code")
    accepts = ("content.pyramid", "motion.condition")

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        widths: tuple[int, ...] = (512, 256, 128, 64),
        time: tuple[tuple[int, int], ...] = TIME,
        fusion: bool = True,
        label_maps: bool = True,
    ):
        super().__init__()
        self.kernels = TransposedConvPlan(type(self).__name__, image_size, len(widths), time)
        self.lengths = self.kernels.lengths
        self.label_maps = label_maps and motion.condition > 0
        sides = [self.kernels.side << i for i in range(len(widths))]
        by_side = {image_size // level.stride: i for i, level in enumerate(content.pyramid)} if fusion else {}
        self.levels = [by_side.get(side) for side in sides]
        labels = motion.condition if self.label_maps else 0
        static = [labels + (0 if i is None else content.pyramid[i].channels) for i in self.levels]
        code = content.code + motion.code + motion.condition
        widths = self.final_widths(code, widths, static, out_channels)
        self.blocks = nn.ModuleList(
            self.block(i, *channels) for i, channels in enumerate(block_channels(code, widths, static, out_channels))
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(width) for width in widths)
        # The convolutions keep torch's initial weights, as in the authors' code.
        init_batch_norm_(self)

    def final_widths(self, code: int, widths: tuple[int, ...], static: list[int], out_channels: int) -> tuple[int, ...]:
        """The widths that are built; a subclass may want others."""
        return widths

    def block(self, i: int, in_channels: int, out_channels: int) -> nn.Module:
        """Block ``i``."""
        raise NotImplementedError

    def join(self, block: nn.Module, x: Tensor, static: Tensor | None) -> Tensor:
        """``block`` on ``x`` (B, C, T, H, W) and, behind its channels, ``static`` (B, C', H, W) at every frame."""
        raise NotImplementedError

    @torch.no_grad()
    def fold_batch_norms_(self) -> "_TransposedDecoder":
        """Put the batch norms into the convolutions before them: the same in eval mode, faster; for inference only."""
        for block, norm in zip_longest(self.blocks, self.norms):
            last = block
            if isinstance(block, TransposedConv1p2d):
                last = block.spatial
                fold_batch_norm_(block.temporal, block.norm)
                block.norm = nn.Identity()
            if norm is not None:
                fold_batch_norm_(last, norm)
        self.norms = nn.ModuleList(nn.Identity() for _ in self.norms)
        return self

    def _static(self, i: int, content: Content, motion: Motion) -> Tensor | None:
        """What joins the output of block ``i`` at every frame: (B, C', H, W)."""
        side = self.kernels.side << i
        static = [] if self.levels[i] is None else [content.pyramid[self.levels[i]]]
        if self.label_maps:
            static.append(repeat(motion.condition, "b l -> b l h w", h=side, w=side))
        return torch.cat(static, dim=1) if static else None

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W): the content image."""
        x, static = self.kernels.start(clip_code(content, motion), motion.length), None
        for i, block in enumerate(self.blocks):
            x = self.join(block, x, static)
            if i < len(self.norms):
                x = functional.leaky_relu(self.norms[i](x), 0.2, inplace=True)
                static = self._static(i, content, motion)
        return x, content.image[:, :, None]


def block_channels(code: int, widths: tuple[int, ...], static: list[int], out_channels: int) -> list[tuple[int, int]]:
    """Channels in and out of every block.

    >>> block_channels(616, (512, 256), [516, 260], 3)
    [(616, 512), (1028, 256), (516, 3)]
    """
    joined = [width + more for width, more in zip(widths, static, strict=True)]
    return list(zip([code, *joined], [*widths, out_channels], strict=True))


@DECODERS.register_module()
class TransposedConv1p2dDecoder(_TransposedDecoder):
    """The decoder of ImaGINator (sec. 3.1.1): every block is a transposed (1+2)D convolution.

    ``temporal_widths`` are the channels M between the convolution in time and the one in space. The defaults are those
    of the authors' code for 64x64 and 32 frames. For the rest see ``_TransposedDecoder``.
    """

    def __init__(self, *, temporal_widths: tuple[int, ...] = (4096, 3072, 1536, 768, 36), **shared):
        self.temporal_widths = temporal_widths
        super().__init__(**shared)

    def block(self, i: int, in_channels: int, out_channels: int) -> TransposedConv1p2d:
        """A transposed (1+2)D convolution."""
        time, space = self.kernels.time[i], self.kernels.space[i]
        return TransposedConv1p2d(in_channels, self.temporal_widths[i], out_channels, time, space)

    def join(self, block: nn.Module, x: Tensor, static: Tensor | None) -> Tensor:
        """As documented above; the layer knows what to do with maps that stand still."""
        return block(x, static)


@DECODERS.register_module()
class TransposedConv3dDecoder(_TransposedDecoder):
    """The comparison of ImaGINator's tables 2 and 5: every block is one transposed 3D convolution.

    All ``widths`` grow alike until the decoder has as many parameters as a ``TransposedConv1p2dDecoder`` with these
    widths and ``same_size_as`` as its ``temporal_widths`` (to a tenth of a percent; the paper does not say how it made
    them equal); with None they stay. For the rest see ``_TransposedDecoder``.
    """

    def __init__(self, *, same_size_as: tuple[int, ...] | None = (4096, 3072, 1536, 768, 36), **shared):
        self.same_size_as = same_size_as
        super().__init__(**shared)

    def final_widths(self, code: int, widths: tuple[int, ...], static: list[int], out_channels: int) -> tuple[int, ...]:
        """The widths grown as documented above."""
        if self.same_size_as is None:
            return widths
        taps = [(kt, ks * ks) for (kt, *_), (ks, *_) in zip(self.kernels.time, self.kernels.space, strict=True)]

        def size(widths: tuple[int, ...]) -> int:
            channels = block_channels(code, widths, static, out_channels)
            weights = (i * o * kt * ks + o for (i, o), (kt, ks) in zip(channels, taps, strict=True))
            return sum(weights) + 2 * sum(widths)

        channels = zip(block_channels(code, widths, static, out_channels), taps, self.same_size_as, strict=True)
        wanted = sum(m * (i * kt + o * ks + 3) + o for (i, o), (kt, ks), m in channels) + 2 * sum(widths)
        low, high = 0.0, 16.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if size(_scaled(widths, middle)) < wanted else (low, middle)
        return _scaled(widths, high)

    def block(self, i: int, in_channels: int, out_channels: int) -> nn.ConvTranspose3d:
        """A transposed 3D convolution."""
        return self.kernels.transposed_3d(i, in_channels, out_channels)

    def join(self, block: nn.Module, x: Tensor, static: Tensor | None) -> Tensor:
        """As documented above."""
        if static is not None:
            x = torch.cat([x, repeat(static, "b c h w -> b c t h w", t=x.shape[2])], dim=1)
        return block(x)


def _scaled(widths: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(max(1, round(width * factor)) for width in widths)
