"""Encoders made of residual blocks, for images and for condition maps (FRGAN)."""

from einops import rearrange
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import ContentEncoder, MotionEncoder
from i2vkit.models.layers.residual import ResidualTrunk
from i2vkit.registry import CONTENT_ENCODERS, MOTION_ENCODERS
from i2vkit.structures import Content, Motion, Spec, VideoBatch


class _CodedTrunk(nn.Module):
    """A residual trunk, and a linear layer from its last map to a code; ``code=0`` leaves the layer out."""

    def __init__(self, in_channels: int, image_size: int, width: int, max_width: int, code: int):
        super().__init__()
        self.trunk = ResidualTrunk(in_channels, image_size, width, max_width)
        last = self.trunk.levels[-1].channels  # of the coarsest map
        self.to_code = nn.Linear(last * self.trunk.side**2, code) if code else None

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Return the pyramid (fine to coarse) and the code (N, D) of maps (N, C, H, W)."""
        pyramid = self.trunk(x)
        # (N, C, side, side) -> (N, C side side) -> (N, D)
        return pyramid, None if self.to_code is None else self.to_code(pyramid[-1].flatten(1))


@CONTENT_ENCODERS.register_module()
class ResidualPyramidEncoder(ContentEncoder):
    """The content encoder f_I of FRGAN (sec. 3.2), with the sizes of its authors' code.

    It begins with a 3x3 convolution. Residual blocks then halve the map while its side is 8 or more (64 -> 4x4, 96 ->
    6x6), and double its channels up to ``max_width``. A linear layer gives the code. The pyramid holds all maps,
    beginning with that of full size.

    Args:
        image_size: Side of the image in pixels.
        width: Channels of the first convolution.
        max_width: Largest number of channels.
        code: Size of the code.
        requested: Fields that other parts read. Without "content.code" the linear layer is left out.

    Raises:
        ConfigError: The image size cannot be halved in this way.
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
        code = code if "content.code" in requested else 0  # 0 leaves the linear layer out
        self.encoder = _CodedTrunk(3, image_size, width, max_width, code)
        self.spec = Spec(code=code, code_per_frame=code > 0, pyramid=self.encoder.trunk.levels)

    def forward(self, image: Tensor) -> Content:
        """Return the content of images (N, 3, H, W): a code (N, D) and maps (N, C_i, H_i, W_i)."""
        pyramid, code = self.encoder(image)
        return Content(image=image, pyramid=tuple(pyramid), code=code)


@MOTION_ENCODERS.register_module()
class MapDifferenceEncoder(MotionEncoder):
    """The encoder f_M of FRGAN on condition maps, used as an analogy (eq. 3).

    The motion of a frame is f_M(M_t+k) - f_M(M_t). M_t+k are ``clip.driving_maps``. M_t is ``clip.image_maps``, the
    maps of the image, which are encoded once for each clip. ``Motion.maps`` holds the pyramids of both, as the groups
    "driving" and "reference". The blocks are those of ``ResidualPyramidEncoder``.

    Args:
        image_size: Side of the maps in pixels.
        map_channels: Channels of the condition maps.
        width: Channels of the first convolution.
        max_width: Largest number of channels.
        code: Size of a step of the trajectory.
        requested: Fields that other parts read. Without "motion.trajectory" the linear layer is left out.

    Raises:
        ConfigError: The model has no condition maps, or the image size cannot be halved as it should.
    """

    supports_chunks = frame_wise = True
    reads_maps = True
    reads_video = False  # so the motion of a generated video, which has no maps, cannot be encoded
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
        code = code if "motion.trajectory" in requested else 0  # 0 leaves the linear layer out
        self.encoder = _CodedTrunk(map_channels, image_size, width, max_width, code)
        self.spec = Spec(trajectory=code, maps=self.encoder.trunk.levels, map_groups=("driving", "reference"))

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Return the trajectory (B, T, D), and the pyramids of driving maps and image maps."""
        assert clip.driving_maps is not None, "the generator checks the condition maps of a clip before it encodes them"
        length = clip.driving_maps.shape[2]
        # (B, M, T, H, W) -> (B T, M, H, W)
        pyramid, codes = self.encoder(rearrange(clip.driving_maps, "b m t h w -> (b t) m h w"))
        reference, code = self.encoder(clip.image_maps)  # (B, M, H, W), once for each clip
        # (B T, C_i, H_i, W_i) -> (B, C_i, T, H_i, W_i)
        driving = [rearrange(level, "(b t) c h w -> b c t h w", t=length) for level in pyramid]
        # (B T, D) -> (B, T, D), minus (B, 1, D) of the image
        trajectory = None if code is None else rearrange(codes, "(b t) d -> b t d", t=length) - code[:, None]
        maps = dict(driving=tuple(driving), reference=tuple(reference))
        return Motion(length=length, trajectory=trajectory, maps=maps, num_frames=clip.num_frames)
