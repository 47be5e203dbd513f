"""Content encoder on an image network of timm."""

from pathlib import Path

from torch import Tensor, nn

from i2vkit.models.interfaces import ContentEncoder
from i2vkit.models.layers.timm_backbone import TimmBackbone
from i2vkit.registry import CONTENT_ENCODERS
from i2vkit.structures import Content, Spec


@CONTENT_ENCODERS.register_module()
class TimmPyramidEncoder(ContentEncoder):
    """A network of timm that supports ``features_only``, as a content encoder.

    The maps of the network are the pyramid. A linear layer on the deepest map gives the code. To keep published weights
    as they are, freeze ``generator.content_encoder.backbone``; the linear layer still trains.

    Args:
        image_size: Side of the image in pixels.
        backbone: Name of the network in timm.
        code: Size of the code.
        out_indices: Maps that are taken (see ``TimmBackbone``). None, the default: timm's choice.
        weights: File of weights for the network (see ``TimmBackbone``). None, the default: timm's initial weights.
        sha256: First 8 or more digits of the hash of that file.
        requested: Fields that other parts read. Without "content.code" the linear layer is left out.

    Raises:
        ConfigError: The network is unknown, or it cannot take images of this size.
    """

    supports_chunks = True
    provides = ("content.pyramid", "content.code")

    def __init__(
        self,
        image_size: int,
        backbone: str = "resnet18",
        code: int = 128,
        out_indices: tuple[int, ...] | None = None,
        weights: str | Path | None = None,
        sha256: str | None = None,
        requested: tuple[str, ...] = provides,
    ):
        super().__init__()
        self.backbone = TimmBackbone(backbone, image_size, out_indices, weights, sha256)
        # The deepest map may be coarser than the pyramid, which has only maps that the image size divides into.
        channels, height, width = self.backbone.deepest
        with_code = "content.code" in requested
        self.to_code = nn.Linear(channels * height * width, code) if with_code else None
        self.spec = Spec(code=code if with_code else 0, code_per_frame=with_code, pyramid=self.backbone.levels)

    def forward(self, image: Tensor) -> Content:
        """Return the content of images (N, 3, H, W): a code (N, D) and the maps of the network."""
        pyramid, deepest = self.backbone(image)
        # (N, C, h, w) -> (N, C h w) -> (N, D)
        code = None if self.to_code is None else self.to_code(deepest.flatten(1))
        return Content(image=image, pyramid=tuple(pyramid), code=code)
