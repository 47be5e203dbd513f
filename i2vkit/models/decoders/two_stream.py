"""Decoders with a moving foreground over a static background (VGAN)."""

from itertools import pairwise

from einops import repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.decoders.transposed_plan import TIME, TransposedConvPlan, clip_code
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.initialization import InitialWeights, init_dcgan_, init_weights_
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion, Spec


@DECODERS.register_module()
class TwoStreamDecoder(Decoder):
    """Two streams of transposed convolutions from one code (VGAN, Vondrick et al., 2016).

    3D convolutions make the features of every frame, the foreground. 2D convolutions make the ``base``, one background
    image for each clip, over which a head with a mask blends the foreground. Without a head that reads the base, the
    second stream is not built. Batch norm and ReLU follow every layer but the last.

    The code consists of the content code, and of the motion code and the label where they are there. A clip longer than
    the shortest is made from the code repeated at the input.

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a code.
        motion: Spec of the motion.
        out_channels: Number of channels that the head reads.
        base_requested: True if the head reads the base.
        widths: Channels of the layers but the last.
        time: Kernel and stride in time of every layer of the foreground.

    Raises:
        ConfigError: The image size or ``time`` does not fit the widths.
    """

    requires = ("content.code",)
    accepts = ("motion.code", "motion.condition")

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        base_requested: bool,
        widths: tuple[int, ...] = (512, 256, 128, 64),
        time: tuple[tuple[int, int], ...] = TIME,
    ):
        super().__init__()
        self.kernels = TransposedConvPlan(type(self).__name__, image_size, len(widths), time)
        self.lengths = self.kernels.lengths
        code = content.code + motion.code + motion.condition  # 0 for what is not there
        outs = (*widths, out_channels)
        self.foreground = nn.Sequential()
        for i, (width_in, width) in enumerate(zip((code, *widths), outs, strict=True)):
            self.foreground.append(self.kernels.transposed_3d(i, width_in, width))
            if i < len(widths):  # the last layer gives features, which the head bounds
                self.foreground.extend([nn.BatchNorm3d(width), nn.ReLU()])
        self.background = nn.Sequential() if base_requested else None
        if self.background is not None:
            for i, (width_in, width) in enumerate(zip((code, *widths), (*widths, 3), strict=True)):
                # The same kernels in space as in the foreground. Tanh at the end, for an image in [-1, 1].
                self.background.append(nn.ConvTranspose2d(width_in, width, *self.kernels.space[i]))
                self.background.extend([nn.BatchNorm2d(width), nn.ReLU()] if i < len(widths) else [nn.Tanh()])
        init_dcgan_(self)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W).

        The base is the background, or the content image if no head reads it.
        """
        code = clip_code(content, motion)
        # (B, D) -> (B, D, n, 1, 1) -> (B, out_channels, T, H, W)
        features = self.foreground(self.kernels.start(code, motion.length))
        if self.background is None:
            return features, content.image[:, :, None]  # (B, 3, H, W) -> (B, 3, 1, H, W)
        # (B, D) -> (B, D, 1, 1) -> (B, 3, H, W) -> (B, 3, 1, H, W)
        return features, self.background(code[:, :, None, None])[:, :, None]


@DECODERS.register_module()
class TwoStreamMapDecoder(Decoder):
    """The two streams of VGAN from a map of the image instead of a code, as in the authors' script for given images.

    Both read the last map of the content pyramid. The first 3D convolution of the foreground makes the first frames and
    leaves the map's size, each of the others doubles it, and so does each 2D convolution of the background. Neither
    noise nor a label is read.

    Source: ``main_conditional.lua`` of github.com/cvondrick/videogan.

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a pyramid.
        out_channels: Number of channels that the head reads.
        base_requested: True if the head reads the base.
        widths: Channels of the foreground's layers but the last. Those of the background are the same without the
            first.
        time: Kernel and stride in time of every layer of the foreground.
        initial_weights: Standard deviation of the initial weights, as in DCGAN, or "torch" for torch's own.

    Raises:
        ConfigError: The last map is not as large as ``widths`` needs it, or ``time`` does not fit them.
    """

    requires = ("content.pyramid",)

    def __init__(
        self,
        image_size: int,
        content: Spec,
        out_channels: int,
        base_requested: bool,
        widths: tuple[int, ...] = (1024, 512, 256, 128),
        time: tuple[tuple[int, int], ...] = TIME,
        initial_weights: InitialWeights = 0.02,
    ):
        super().__init__()
        plan = TransposedConvPlan(type(self).__name__, image_size, len(widths), time)
        self.lengths = plan.lengths
        last = content.pyramid[-1]
        if image_size // last.stride != plan.side:
            raise ConfigError(
                f"TwoStreamMapDecoder doubles {len(widths)} times, so it starts from maps of {plan.side} pixels, and "
                f"the last map of the content has {image_size // last.stride}: give as many widths as the content "
                f"encoder has blocks"
            )
        (kernel, stride, _), *_ = plan.time
        first = nn.ConvTranspose3d(last.channels, widths[0], (kernel, 1, 1), (stride, 1, 1))
        self.foreground = nn.Sequential(first)
        for i, (width_in, width) in enumerate(pairwise((*widths, out_channels)), start=1):
            self.foreground.extend([nn.BatchNorm3d(width_in), nn.ReLU()])
            self.foreground.append(plan.transposed_3d(i, width_in, width))
        self.background = nn.Sequential() if base_requested else None
        if self.background is not None:
            ins = (last.channels, *widths[1:])
            for width_in, width in pairwise((*ins, 3)):
                self.background.append(nn.ConvTranspose2d(width_in, width, 4, stride=2, padding=1))
                self.background.extend([nn.BatchNorm2d(width), nn.ReLU()] if width != 3 else [nn.Tanh()])
        init_weights_(self, initial_weights)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W).

        The base is the background, or the content image if no head reads it.
        """
        maps = content.pyramid[-1]
        # A longer clip is made from the map repeated at the input: (B, C, h, w) -> (B, C, n, h, w).
        number = 1 + (motion.length - self.lengths.shortest) // self.lengths.step
        features = self.foreground(repeat(maps, "b c h w -> b c n h w", n=number))
        base = content.image if self.background is None else self.background(maps)
        return features, base[:, :, None]  # (B, 3, H, W) -> (B, 3, 1, H, W)
