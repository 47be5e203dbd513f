"""A content encoder made of stages of convolutions with pooling between them."""

from torch import Tensor, nn

from i2vkit.models.interfaces import ContentEncoder
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.stages import (
    Activation,
    Norm,
    Pool,
    Skip,
    check_odd,
    check_stages,
    conv_stage,
    norm_and_activation,
    pooled,
)
from i2vkit.registry import CONTENT_ENCODERS
from i2vkit.structures import Content, FeatureSpec, Spec

_STEM_KERNEL = 7


@CONTENT_ENCODERS.register_module()
class StageEncoder(ContentEncoder):
    """Stages of 3x3 convolutions, each followed by pooling by 2, as in VGG; then one convolution of the rest to a code.

    With widths 64-128-256 and 2, 2 and 3 convolutions it is the content encoder of MCNet. With widths 64-128-256-512,
    convs 2-2-3-3, batch norm and LeakyReLU it is the frame encoder of SVG. With one convolution a stage, batch norm,
    average pooling and ``skip="after"`` it is the content encoder of Monkey-Net. With a stem of 64 channels and widths
    128-256 it is the first half of the first-order motion model's generator. The code has a batch norm, if the stages
    have one, and a tanh.

    Source: Villegas et al., 2017; Denton and Fergus, 2018; Siarohin et al., 2019 (their released code).

    Args:
        image_size: Side of the image in pixels.
        widths: Channels of the stages.
        convs: Number of convolutions of each stage.
        kernel: Side of the kernels, odd.
        norm: "batch", "instance" or None, behind every convolution.
        activation: "relu", or "leaky" for a LeakyReLU of slope 0.2.
        pool: "max" or "average".
        stem: Channels of a 7x7 convolution, with norm and activation, before the first stage. 0 leaves it out.
        skip: Maps of the pyramid. "before": those before each pooling, and the last one behind it. "after": those
            behind each pooling.
        code: Size of the code.
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.
        requested: Fields that other parts read. Without "content.code" the last convolution is left out.

    Raises:
        ConfigError: ``convs`` does not have one number for each stage, the image cannot be halved so often, or the
            kernel is even.
    """

    supports_chunks = True
    provides = ("content.pyramid", "content.code")

    def __init__(
        self,
        image_size: int,
        widths: tuple[int, ...] = (64, 128, 256, 512, 512),
        convs: tuple[int, ...] = (1, 1, 1, 1, 1),
        kernel: int = 3,
        norm: Norm = "batch",
        activation: Activation = "relu",
        pool: Pool = "average",
        stem: int = 0,
        skip: Skip = "after",
        code: int = 128,
        initial_weights: InitialWeights = "torch",
        requested: tuple[str, ...] = provides,
    ):
        super().__init__()
        check_stages("StageEncoder", image_size, widths, convs)
        check_odd("StageEncoder", kernel)
        self.pool, self.skip = pool, skip
        self.stem: nn.Sequential | None = None
        if stem:
            convolution = nn.Conv2d(3, stem, _STEM_KERNEL, padding=_STEM_KERNEL // 2)
            self.stem = nn.Sequential(convolution, *norm_and_activation(stem, norm, activation))
        inputs = (stem or 3, *widths)
        self.stages = nn.ModuleList(
            conv_stage(width_in, width, number, kernel, norm, activation)
            for width_in, width, number in zip(inputs, widths, convs, strict=False)
        )
        with_code = "content.code" in requested
        if with_code:
            # A kernel as large as the map: (N, C, side, side) -> (N, D, 1, 1).
            to_code: list[nn.Module] = [nn.Conv2d(widths[-1], code, image_size >> len(widths))]
            # An instance norm of one place would be 0.
            to_code += norm_and_activation(code, norm, activation)[:1] if norm == "batch" else []
            self.to_code: nn.Sequential | None = nn.Sequential(*to_code, nn.Tanh())
        else:
            self.to_code = None
        before = tuple(FeatureSpec(width, 1 << i) for i, width in enumerate(widths))
        after = tuple(FeatureSpec(width, 2 << i) for i, width in enumerate(widths))
        self.spec = Spec(
            code=code if with_code else 0,
            code_per_frame=with_code,  # it encodes images one by one, so also all frames of a clip
            pyramid=(*before, after[-1]) if skip == "before" else after,
        )
        init_weights_(self, initial_weights)

    def forward(self, image: Tensor) -> Content:
        """Return the content of images (N, 3, H, W): a code (N, D) in [-1, 1] and maps (N, C_i, H_i, W_i)."""
        before, after, x = [], [], image if self.stem is None else self.stem(image)
        for stage in self.stages:
            before.append(stage(x))
            x = pooled(before[-1], self.pool)  # (N, C, h, w) -> (N, C, h / 2, w / 2)
            after.append(x)
        code = None if self.to_code is None else self.to_code(x).flatten(1)  # (N, D, 1, 1) -> (N, D)
        return Content(image, (*before, x) if self.skip == "before" else tuple(after), code)
