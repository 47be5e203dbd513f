"""Content encoder on an image network of timm."""

from pathlib import Path

from torch import Tensor, nn

from i2vkit.models.interfaces import ContentEncoder
from i2vkit.models.layers.timm_backbone import TimmBackbone
from i2vkit.registry import CONTENT_ENCODERS
from i2vkit.structures import Content, Spec


@CONTENT_ENCODERS.register_module()
class TimmPyramidEncoder(ContentEncoder):
    """Any network of timm with ``features_only``, by name: its maps are the pyramid, a linear layer on the deepest one
    gives the code. For the arguments see ``TimmBackbone``.

    To keep published weights as they are, freeze ``generator.content_encoder.backbone``: the code still trains.

    Raises:
        ConfigError: an unknown network, or one that cannot take images of this size.
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
        channels, height, width = self.backbone.deepest
        with_code = "content.code" in requested
        self.to_code = nn.Linear(channels * height * width, code) if with_code else None
        self.spec = Spec(code=code if with_code else 0, code_per_frame=with_code, pyramid=self.backbone.levels)

    def forward(self, image: Tensor) -> Content:
        """The content of images (N, 3, H, W)."""
        pyramid, deepest = self.backbone(image)
        code = None if self.to_code is None else self.to_code(deepest.flatten(1))
        return Content(image=image, pyramid=tuple(pyramid), code=code)
