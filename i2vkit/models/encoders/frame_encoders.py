"""Frame encoders: networks that turn single frames into feature vectors."""

from pathlib import Path

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import FrameEncoder
from i2vkit.models.layers.timm_backbone import TimmBackbone
from i2vkit.registry import FRAME_ENCODERS


@FRAME_ENCODERS.register_module()
class ConvFrameEncoder(FrameEncoder):
    """A plain CNN for small faces and figures.

    It has a 3x3 convolution, batch norm, ReLU and 2x2 max pooling for each width, and a linear layer at the end. It
    follows the frame CNN of Kim et al., 2017, which DTGAN uses. The widths are ours, since DTGAN does not give them.

    Args:
        image_size: Side of the frames in pixels.
        widths: Channels of the convolutions.
        features: Size of the vector of a frame.

    Raises:
        ConfigError: The image is too small for the number of pooling steps.
    """

    def __init__(self, image_size: int, widths: tuple[int, ...] = (32, 64, 128, 256), features: int = 512):
        super().__init__()
        side = image_size >> len(widths)  # of the last map
        if side < 1:
            raise ConfigError(
                f"ConvFrameEncoder halves {len(widths)} times, so it takes images of {1 << len(widths)} pixels or "
                f"more, not of {image_size}: set image_size to as many, or give fewer widths"
            )
        layers: list[nn.Module] = []
        for width_in, width in zip((3, *widths), widths, strict=False):
            layers += [
                nn.Conv2d(width_in, width, 3, padding=1, bias=False),  # the norm behind it has a bias
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            layers += [nn.MaxPool2d(2)]
        # (N, 3, H, W) -> (N, C, side, side) -> (N, C side side)
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        self.linear = nn.Linear(widths[-1] * side * side, features)
        self.features = features

    def forward(self, frames: Tensor) -> Tensor:
        """Return features (N, D) of frames (N, 3, H, W) in [-1, 1]."""
        return self.linear(self.trunk(frames))


@FRAME_ENCODERS.register_module()
class TimmFrameEncoder(FrameEncoder):
    """A network of timm that supports ``features_only``, and a linear layer on its deepest map.

    Args:
        image_size: Side of the frames in pixels.
        backbone: Name of the network in timm.
        features: Size of the vector of a frame.
        out_indices: Maps that are taken (see ``TimmBackbone``). None, the default: timm's choice.
        weights: File of weights for the network (see ``TimmBackbone``). None, the default: timm's initial weights.
        sha256: First 8 or more digits of the hash of that file.

    Raises:
        ConfigError: The network is unknown, or it cannot take images of this size.
    """

    def __init__(
        self,
        image_size: int,
        backbone: str = "resnet18",
        features: int = 512,
        out_indices: tuple[int, ...] | None = None,
        weights: str | Path | None = None,
        sha256: str | None = None,
    ):
        super().__init__()
        self.backbone = TimmBackbone(backbone, image_size, out_indices, weights, sha256)
        channels, height, width = self.backbone.deepest  # the last map of the network
        self.linear = nn.Linear(channels * height * width, features)
        self.features = features

    def forward(self, frames: Tensor) -> Tensor:
        """Return features (N, D) of frames (N, 3, H, W) in [-1, 1]."""
        _, deepest = self.backbone(frames)
        return self.linear(deepest.flatten(1))  # (N, C, h, w) -> (N, C h w) -> (N, D)
