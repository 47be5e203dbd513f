"""Content encoders made of strided 2D convolutions."""

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import ContentEncoder
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.registry import CONTENT_ENCODERS
from i2vkit.structures import Content, FeatureSpec, Spec


@CONTENT_ENCODERS.register_module()
class ConvPyramidEncoder(ContentEncoder):
    """4x4 stride-2 convolutions with batch norm and LeakyReLU, then one convolution of the remaining map to 1x1.

    With widths 64-128-256-512 this is the content encoder of ImaGINator (code 100) and of Dual-MTGAN (code 128), and
    with ``bias=True`` and ``code_norm=True`` the frame encoder of SVG's "dcgan" variant (code 128). The pyramid holds
    the output of every block, fine to coarse.

    Args:
        image_size: Side of the image in pixels.
        widths: Channels of the blocks. Each halves the map.
        code: Size of the code.
        bias: True gives a bias also to convolutions before a batch norm. It changes nothing, but the code of
            ImaGINator's authors has it.
        first_norm: False leaves out the batch norm of the first block.
        code_norm: True puts a batch norm and a tanh behind the code, as SVG has them.
        slope: Slope of the LeakyReLU below 0. 0 is a ReLU.
        initial_weights: Standard deviation of the initial weights, as in DCGAN, or "torch" for torch's own.
        requested: Fields that other parts read. Without "content.code" the last convolution is left out.

    Raises:
        ConfigError: The image is too small for the number of blocks.
    """

    supports_chunks = True
    provides = ("content.pyramid", "content.code")

    def __init__(
        self,
        image_size: int,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        code: int = 128,
        bias: bool = False,
        first_norm: bool = True,
        code_norm: bool = False,
        slope: float = 0.2,
        initial_weights: InitialWeights = 0.02,
        requested: tuple[str, ...] = provides,
    ):
        super().__init__()
        side = image_size >> len(widths)  # of the last map
        if side < 1:
            raise ConfigError(
                f"ConvPyramidEncoder halves {len(widths)} times, so it takes images of {1 << len(widths)} pixels or "
                f"more, not of {image_size}: set image_size to as many, or give fewer widths"
            )
        self.blocks = nn.ModuleList()
        for i, (width_in, width) in enumerate(zip((3, *widths), widths, strict=False)):
            normed = first_norm or i > 0
            # Without a batch norm behind it a convolution needs its bias.
            layers: list[nn.Module] = [nn.Conv2d(width_in, width, 4, stride=2, padding=1, bias=bias or not normed)]
            layers += [nn.BatchNorm2d(width)] if normed else []
            self.blocks.append(nn.Sequential(*layers, nn.LeakyReLU(slope)))
        with_code = "content.code" in requested
        # A kernel as large as the map: (N, C, side, side) -> (N, D, 1, 1).
        self.to_code: nn.Module | None = nn.Conv2d(widths[-1], code, side) if with_code else None
        if self.to_code is not None and code_norm:
            self.to_code = nn.Sequential(self.to_code, nn.BatchNorm2d(code), nn.Tanh())
        self.spec = Spec(
            code=code if with_code else 0,
            code_per_frame=with_code,  # it encodes images one by one, so also all frames of a clip
            pyramid=tuple(FeatureSpec(width, 2 << i) for i, width in enumerate(widths)),
        )
        init_weights_(self, initial_weights)

    def forward(self, image: Tensor) -> Content:
        """Return the content of images (N, 3, H, W): a code (N, D) and maps (N, C_i, H / 2^i, W / 2^i)."""
        pyramid, x = [], image
        for block in self.blocks:
            x = block(x)  # (N, C, h, w) -> (N, C', h / 2, w / 2)
            pyramid.append(x)
        # (N, C, side, side) -> (N, D, 1, 1) -> (N, D)
        code = None if self.to_code is None else self.to_code(x).flatten(1)
        return Content(image=image, pyramid=tuple(pyramid), code=code)
