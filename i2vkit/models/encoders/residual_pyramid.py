"""Encoders made of residual blocks: of images, and of condition maps (FRGAN)."""

from einops import rearrange
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import ContentEncoder, MotionEncoder
from i2vkit.models.layers.residual import ResidualTrunk
from i2vkit.registry import CONTENT_ENCODERS, MOTION_ENCODERS
from i2vkit.structures import Content, Motion, Spec, VideoBatch


class _CodedTrunk(nn.Module):
    """A residual trunk, and a linear layer from its last map to a code."""

    def __init__(self, in_channels: int, image_size: int, width: int, max_width: int, code: int):
        super().__init__()
        self.trunk = ResidualTrunk(in_channels, image_size, width, max_width)
        last = self.trunk.levels[-1].channels
        self.to_code = nn.Linear(last * self.trunk.side**2, code) if code else None

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Maps (N, C, H, W) to the pyramid, fine to coarse, and the code (N, D)."""
        pyramid = self.trunk(x)
        return pyramid, None if self.to_code is None else self.to_code(pyramid[-1].flatten(1))


@CONTENT_ENCODERS.register_module()
class ResidualPyramidEncoder(ContentEncoder):
    """f_I of FRGAN (sec. 3.2; sizes by its authors' code): a 3x3 convolution to ``width``, then residual blocks that
    halve the map while it is 8 or larger (64 -> 4x4, 96 -> 6x6) and double its channels up to ``max_width``; a linear
    layer gives the code. The pyramid holds all maps, that of full size first.

    Raises:
        ConfigError: if the image size does not halve so.
    """

    supports_chunks = True
    provides = ("content.pyramid", "content.code")

    def __init__(
        self,
        image_size: int,
        width: int = 64,
        max_width: int = 512,
        code: int = 128,
        requested: tuple[str, ...] = provides,
    ):
        super().__init__()
        code = code if "content.code" in requested else 0
        self.encoder = _CodedTrunk(3, image_size, width, max_width, code)
        self.spec = Spec(code=code, code_per_frame=code > 0, pyramid=self.encoder.trunk.levels)

    def forward(self, image: Tensor) -> Content:
        """The content of images (N, 3, H, W)."""
        pyramid, code = self.encoder(image)
        return Content(image=image, pyramid=tuple(pyramid), code=code)


@MOTION_ENCODERS.register_module()
class MapDifferenceEncoder(MotionEncoder):
    """f_M of FRGAN on condition maps, used as an analogy (eq. 3): the motion of a frame is f_M(M_t+k) - f_M(M_t).

    M_t+k are ``clip.driving_maps``, M_t is ``clip.image_maps``, of the input image, which is encoded once a clip.
    ``Motion.maps`` holds the pyramids of both, as the groups "driving" and "reference". Sizes as in
    ``ResidualPyramidEncoder``.

    Raises:
        ConfigError: if the model has no condition maps, or the image size does not halve as it should.
    """

    supports_chunks = True
    reads_maps = True
    reads_video = False
    provides = ("motion.trajectory", "motion.maps")

    def __init__(
        self,
        image_size: int,
        map_channels: int,
        width: int = 64,
        max_width: int = 512,
        code: int = 128,
        requested: tuple[str, ...] = provides,
    ):
        super().__init__()
        if not map_channels:
            raise ConfigError(
                "MapDifferenceEncoder encodes condition maps, and the model has none: set model.map_channels (normal "
                "maps 3, heatmaps 13, silhouettes 1)"
            )
        code = code if "motion.trajectory" in requested else 0
        self.encoder = _CodedTrunk(map_channels, image_size, width, max_width, code)
        self.spec = Spec(trajectory=code, maps=self.encoder.trunk.levels, map_groups=("driving", "reference"))

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """The trajectory (B, T, D) and the pyramids of ``clip.driving_maps`` against ``clip.image_maps``."""
        length = clip.driving_maps.shape[2]
        pyramid, codes = self.encoder(rearrange(clip.driving_maps, "b m t h w -> (b t) m h w"))
        reference, code = self.encoder(clip.image_maps)
        driving = [rearrange(level, "(b t) c h w -> b c t h w", t=length) for level in pyramid]
        trajectory = None if code is None else rearrange(codes, "(b t) d -> b t d", t=length) - code[:, None]
        maps = dict(driving=tuple(driving), reference=tuple(reference))
        return Motion(length=length, trajectory=trajectory, maps=maps, num_frames=clip.num_frames)
