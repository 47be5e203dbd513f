"""Decoders that make a whole clip at once, by transposed convolutions in space and time (ImaGINator)."""

from itertools import zip_longest
from typing import cast

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
    """Transposed convolutions that make a clip from [motion code, label, content code].

    Batch norm and LeakyReLU follow every block but the last. A clip longer than the shortest is made from the code
    repeated at the input. Between its two ends it repeats itself every ``lengths.step`` frames.

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a code.
        motion: Spec of the motion, with a code.
        out_channels: Number of channels that the head reads.
        widths: Channels of the blocks but the last.
        time: Kernel and stride in time of every block.
        fusion: True concatenates the map of the content pyramid that has the size of a block's output, repeated over
            time (spatio-temporal fusion, ImaGINator, sec. 3.1.1).
        label_maps: True concatenates the label too, repeated over time and space.

    Raises:
        ConfigError: The image size or ``time`` does not fit the widths.
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
        # Sides of the blocks' outputs, and the level of the pyramid that has such a side.
        sides = [self.kernels.side << i for i in range(len(widths))]
        by_side = {image_size // level.stride: i for i, level in enumerate(content.pyramid)} if fusion else {}
        # For each block but the last: the level of the pyramid that joins its output, or None.
        self.levels = [by_side.get(side) for side in sides]
        labels = motion.condition if self.label_maps else 0
        # Channels that join the output of each block but the last.
        static = [labels + (0 if i is None else content.pyramid[i].channels) for i in self.levels]
        code = content.code + motion.code + motion.condition
        widths = self.final_widths(code, widths, static, out_channels)
        self.blocks = nn.ModuleList(
            self.block(i, *channels) for i, channels in enumerate(block_channels(code, widths, static, out_channels))
        )
        self.norms: nn.ModuleList = nn.ModuleList(nn.BatchNorm3d(width) for width in widths)
        # The convolutions keep torch's initial weights, as in the authors' code.
        init_batch_norm_(self)

    def final_widths(self, code: int, widths: tuple[int, ...], static: list[int], out_channels: int) -> tuple[int, ...]:
        """Return the channels of the blocks but the last. A subclass may change ``widths``."""
        return widths

    def block(self, i: int, in_channels: int, out_channels: int) -> nn.Module:
        """Return block ``i``, as yet untrained."""
        raise NotImplementedError

    def join(self, block: nn.Module, x: Tensor, static: Tensor | None) -> Tensor:
        """Return ``block`` applied to ``x`` (B, C, T, H, W) with ``static`` (B, C', H, W) behind it at every frame."""
        raise NotImplementedError

    @torch.no_grad()
    def fold_batch_norms_(self) -> "_TransposedDecoder":
        """Fold the batch norms into the convolutions before them, for faster inference, and return the decoder.

        The output in eval mode stays the same. The decoder cannot be trained afterwards.
        """
        # The last block has no norm, for which zip_longest gives None.
        for block, norm in zip_longest(self.blocks, self.norms):
            last = block  # the convolution in front of the norm
            if isinstance(block, TransposedConv1p2d):
                last = block.spatial
                # Still a batch norm here, since a decoder is folded only once.
                fold_batch_norm_(block.temporal, cast(nn.BatchNorm3d, block.norm))
                block.norm = nn.Identity()  # type: ignore[assignment]  # the layer calls whatever stands there
            if norm is not None:
                fold_batch_norm_(cast(nn.ConvTranspose3d, last), cast(nn.BatchNorm3d, norm))
        # Identities, since ``forward`` calls a norm behind every block but the last.
        self.norms = nn.ModuleList(nn.Identity() for _ in self.norms)
        return self

    def _static(self, i: int, content: Content, motion: Motion) -> Tensor | None:
        """Return the maps (B, C', H, W) that join the output of block ``i`` at every frame, or None."""
        side = self.kernels.side << i
        level = self.levels[i]
        static = [] if level is None else [content.pyramid[level]]
        if self.label_maps:
            assert motion.condition is not None, "a generator with labels adds the one-hot label"
            static.append(repeat(motion.condition, "b l -> b l h w", h=side, w=side))  # (B, L) -> (B, L, H, W)
        return torch.cat(static, dim=1) if static else None  # (B, C, H, W) and (B, L, H, W) -> (B, C + L, H, W)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the content image (B, 3, 1, H, W) as base."""
        # (B, D) -> (B, D, n, 1, 1), which the blocks make larger in time and space
        x, static = self.kernels.start(clip_code(content, motion), motion.length), None
        for i, block in enumerate(self.blocks):
            x = self.join(block, x, static)  # (B, C, T, H, W), larger with every block
            if i < len(self.norms):
                x = functional.leaky_relu(self.norms[i](x), 0.2, inplace=True)
                # ``join`` of the next block repeats them over time, or need not.
                static = self._static(i, content, motion)
        return x, content.image[:, :, None]  # (B, 3, H, W) -> (B, 3, 1, H, W)


def block_channels(code: int, widths: tuple[int, ...], static: list[int], out_channels: int) -> list[tuple[int, int]]:
    """Return the channels in and out of every block.

    Args:
        code: Size of the code, which the first block reads.
        widths: Channels of the blocks but the last.
        static: Channels that join the output of each of these.
        out_channels: Channels of the last block.

    >>> block_channels(616, (512, 256), [516, 260], 3)
    [(616, 512), (1028, 256), (516, 3)]
    """
    joined = [width + more for width, more in zip(widths, static, strict=True)]  # what the next block reads
    return list(zip([code, *joined], [*widths, out_channels], strict=True))


@DECODERS.register_module()
class TransposedConv1p2dDecoder(_TransposedDecoder):
    """The decoder of ImaGINator (sec. 3.1.1), whose blocks are transposed (1+2)D convolutions.

    Batch norm and LeakyReLU follow every block but the last. A clip longer than the shortest is made from the code
    repeated at the input. Between its two ends it repeats itself every ``lengths.step`` frames.

    Args:
        temporal_widths: Channels M between the convolution in time and the one in space. The defaults are those of the
            authors' code for 64x64 pixels and 32 frames.
        shared: Arguments of both decoders of this module: ``image_size``, ``content``, ``motion``, ``out_channels``,
            ``widths`` (channels of the blocks but the last), ``time`` (kernel and stride in time of every block),
            ``fusion`` (default True: the content pyramid joins the blocks) and ``label_maps`` (default True: the label
            joins them too).

    Raises:
        ConfigError: The image size or ``time`` does not fit the widths.
    """

    def __init__(self, *, temporal_widths: tuple[int, ...] = (4096, 3072, 1536, 768, 36), **shared):
        self.temporal_widths = temporal_widths  # before the blocks are built, which read it
        super().__init__(**shared)

    def block(self, i: int, in_channels: int, out_channels: int) -> TransposedConv1p2d:
        """Return block ``i``, a transposed (1+2)D convolution."""
        time, space = self.kernels.time[i], self.kernels.space[i]
        return TransposedConv1p2d(in_channels, self.temporal_widths[i], out_channels, time, space)

    def join(self, block: nn.Module, x: Tensor, static: Tensor | None) -> Tensor:
        """Return ``block`` applied to both. The layer itself repeats ``static`` over time."""
        return block(x, static)


@DECODERS.register_module()
class TransposedConv3dDecoder(_TransposedDecoder):
    """The comparison of ImaGINator's tables 2 and 5, whose blocks are transposed 3D convolutions.

    By default all ``widths`` grow by one factor, until the decoder has as many parameters as a
    ``TransposedConv1p2dDecoder`` with the same ``widths``, to a tenth of a percent. The paper does not say how it made
    the two decoders equal.

    Args:
        same_size_as: ``temporal_widths`` of the decoder whose number of parameters is matched. None leaves ``widths``
            as they are.
        shared: Arguments of both decoders of this module; see ``TransposedConv1p2dDecoder``.

    Raises:
        ConfigError: The image size or ``time`` does not fit the widths.
    """

    def __init__(self, *, same_size_as: tuple[int, ...] | None = (4096, 3072, 1536, 768, 36), **shared):
        self.same_size_as = same_size_as  # before the blocks are built, whose widths depend on it
        super().__init__(**shared)

    def final_widths(self, code: int, widths: tuple[int, ...], static: list[int], out_channels: int) -> tuple[int, ...]:
        """Return ``widths``, all multiplied by the factor that gives the wanted number of parameters."""
        if self.same_size_as is None:
            return widths
        # Weights of a kernel in time and of one in space, for every block.
        taps = [(kt, ks * ks) for (kt, *_), (ks, *_) in zip(self.kernels.time, self.kernels.space, strict=True)]

        def size(widths: tuple[int, ...]) -> int:
            """Return the number of parameters of this decoder: convolutions with biases, and batch norms."""
            channels = block_channels(code, widths, static, out_channels)
            weights = (i * o * kt * ks + o for (i, o), (kt, ks) in zip(channels, taps, strict=True))
            return sum(weights) + 2 * sum(widths)

        channels = zip(block_channels(code, widths, static, out_channels), taps, self.same_size_as, strict=True)
        # A (1+2)D block has i * m * kt + m * o * ks weights, m + o biases, and 2 m parameters of the norm between.
        wanted = sum(m * (i * kt + o * ks + 3) + o for (i, o), (kt, ks), m in channels) + 2 * sum(widths)
        # The number of parameters grows with the factor, so that halving the interval finds it.
        low, high = 0.0, 16.0
        for _ in range(40):  # far more precise than whole channels
            middle = (low + high) / 2
            low, high = (middle, high) if size(_scaled(widths, middle)) < wanted else (low, middle)
        return _scaled(widths, high)

    def block(self, i: int, in_channels: int, out_channels: int) -> nn.ConvTranspose3d:
        """Return block ``i``, a transposed 3D convolution."""
        return self.kernels.transposed_3d(i, in_channels, out_channels)

    def join(self, block: nn.Module, x: Tensor, static: Tensor | None) -> Tensor:
        """Return ``block`` applied to ``x`` (B, C, T, H, W) with ``static`` (B, C', H, W) behind it at every frame."""
        if static is not None:
            # (B, C', H, W) -> (B, C', T, H, W), and joined (B, C + C', T, H, W)
            x = torch.cat([x, repeat(static, "b c h w -> b c t h w", t=x.shape[2])], dim=1)
        return block(x)


def _scaled(widths: tuple[int, ...], factor: float) -> tuple[int, ...]:
    """Return ``widths`` times ``factor``, rounded, each at least 1."""
    return tuple(max(1, round(width * factor)) for width in widths)
