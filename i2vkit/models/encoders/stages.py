"""A content encoder of stages: some convolutions at one size, then a pooling."""

from collections.abc import Callable

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import ContentEncoder
from i2vkit.models.layers.hourglass import check_halvings
from i2vkit.registry import CONTENT_ENCODERS
from i2vkit.structures import Content, FeatureSpec, Spec

_STEM_KERNEL = 7
_POOLS: dict[str, Callable[[int], nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "leaky": lambda: nn.LeakyReLU(0.2)}


@CONTENT_ENCODERS.register_module()
class StageEncoder(ContentEncoder):
    """Stages of convolutions, each followed by a pooling that halves the maps (VGG's plan).

    With ``convs=(1, 1, 1, 1, 1)``, batch norm, average pooling and ``skip="after"`` it is the content encoder of
    Monkey-Net. With a stem of 64 channels and widths 128-256 it is the first half of the first-order motion model's
    generator.

    Args:
        image_size: Side of the image in pixels.
        widths: Channels of each stage.
        convs: Number of convolutions in each stage.
        kernel: Side of all kernels: an odd number.
        norm: "batch" for a batch norm behind each convolution, or None.
        activation: "relu", or "leaky" for a LeakyReLU of slope 0.2.
        pool: "max" or "average".
        stem: Channels of a 7x7 convolution, with norm and activation, before the first stage. 0, the default, leaves
            it out.
        skip: "before" gives the maps before each pooling, with strides 1, 2, 4, ...; "after" those behind it, with
            strides 2, 4, 8, ...

    Raises:
        ConfigError: A name is none of these, the numbers of widths and convolutions differ, or the image cannot be
            halved so often.
    """

    supports_chunks = True
    provides = ("content.pyramid",)

    def __init__(
        self,
        image_size: int,
        widths: tuple[int, ...] = (64, 128, 256, 512, 512),
        convs: tuple[int, ...] = (1, 1, 1, 1, 1),
        kernel: int = 3,
        norm: str | None = "batch",
        activation: str = "relu",
        pool: str = "average",
        stem: int = 0,
        skip: str = "after",
    ):
        super().__init__()
        for name, value, allowed in (
            ("norm", norm, ("batch", None)),
            ("activation", activation, tuple(_ACTIVATIONS)),
            ("pool", pool, tuple(_POOLS)),
            ("skip", skip, ("before", "after")),
        ):
            if value not in allowed:
                raise ConfigError(f"StageEncoder has {name} in {allowed}, not {value!r}")
        if len(convs) != len(widths) or kernel % 2 == 0 or min(convs) < 1:
            raise ConfigError(
                f"StageEncoder takes as many convs as widths, each 1 or more, and an odd kernel, not convs={convs}, "
                f"widths={widths} and kernel={kernel}"
            )
        check_halvings("StageEncoder", image_size, len(widths))
        self.stages, self.pool, self.before = nn.ModuleList(), _POOLS[pool](2), skip == "before"

        def convolution(inputs: int, outputs: int, side: int) -> list[nn.Module]:
            layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, side, padding=side // 2)]
            layers += [nn.BatchNorm2d(outputs)] if norm else []
            return [*layers, _ACTIVATIONS[activation]()]

        self.stem = nn.Sequential(*convolution(3, stem, _STEM_KERNEL)) if stem else None
        channels = stem or 3
        for width, number in zip(widths, convs, strict=True):
            layers: list[nn.Module] = []
            for _ in range(number):
                layers += convolution(channels, width, kernel)
                channels = width
            self.stages.append(nn.Sequential(*layers))
        self.spec = Spec(
            pyramid=tuple(FeatureSpec(width, (1 if self.before else 2) << i) for i, width in enumerate(widths))
        )

    def forward(self, image: Tensor) -> Content:
        """Return the content of images (N, 3, H, W): maps (N, C_i, H_i, W_i), fine to coarse."""
        pyramid: list[Tensor] = []
        x = image if self.stem is None else self.stem(image)
        for stage in self.stages:
            made = stage(x)  # (N, C, h, w)
            # The last pooling of ``skip="before"`` would have no reader.
            x = made if self.before and len(pyramid) + 1 == len(self.stages) else self.pool(made)
            pyramid.append(made if self.before else x)
        return Content(image=image, pyramid=tuple(pyramid))
