"""A moving foreground over a background that stands still (VGAN)."""

from torch import Tensor, nn

from i2vkit.models.decoders.transposed_plan import TIME, TransposedConvPlan, clip_code
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion, Spec


@DECODERS.register_module()
class TwoStreamDecoder(Decoder):
    """Two streams from one code (VGAN, Vondrick et al., 2016): transposed 3D convolutions make the features of every
    frame, transposed 2D ones the ``base``, one image a clip, over which a head with a mask blends them.

    The code is that of the content image, with the motion code and the label where they are there. Batch norm and ReLU
    behind every layer but the last. A head that does not read the base leaves the second stream out. A clip longer than
    the shortest is made from the code repeated at the input.

    Raises:
        ConfigError: if the image size or ``time`` does not fit the widths.
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
        code = content.code + motion.code + motion.condition
        outs = (*widths, out_channels)
        self.foreground = nn.Sequential()
        for i, (width_in, width) in enumerate(zip((code, *widths), outs, strict=True)):
            self.foreground.append(self.kernels.transposed_3d(i, width_in, width))
            if i < len(widths):
                self.foreground.extend([nn.BatchNorm3d(width), nn.ReLU()])
        self.background = nn.Sequential() if base_requested else None
        if base_requested:
            for i, (width_in, width) in enumerate(zip((code, *widths), (*widths, 3), strict=True)):
                self.background.append(nn.ConvTranspose2d(width_in, width, *self.kernels.space[i]))
                self.background.extend([nn.BatchNorm2d(width), nn.ReLU()] if i < len(widths) else [nn.Tanh()])
        init_dcgan_(self)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W): the background, or the
        content image where no head reads it.
        """
        code = clip_code(content, motion)
        features = self.foreground(self.kernels.start(code, motion.length))
        if self.background is None:
            return features, content.image[:, :, None]
        return features, self.background(code[:, :, None, None])[:, :, None]
