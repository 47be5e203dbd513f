"""Motion encoders made of 3D convolutions."""

import torch
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.models.layers.stream import Stream
from i2vkit.models.part import Part
from i2vkit.registry import MOTION_ENCODERS
from i2vkit.structures import Clip, Motion, Spec


@MOTION_ENCODERS.register_module()
class Conv3dEncoder(Part):
    """3D convolutions with batch norm, strided in space and, but for the first, in time; averaged over time to
    ``steps`` maps, squeezed to ``squeezed`` channels, and read place by place by one linear layer, as in C3D: the
    average over places would not tell where something moves, nor when. One code a clip.

    Variational (Dual-MTGAN, sec. III-A): code ~ N(mean, exp(log_variance)) by the reparametrisation trick in training,
    the mean at test. Any length of 1 or more; the padding of shorter clips in a batch is seen as a still.
    ``initial_log_variance`` (ours): with less noise than the prior's at the start, a decoder comes to read the code
    before the divergence has emptied it.

    Raises:
        ConfigError: if the video is too small for the number of blocks.
    """

    gives = ("motion.code",)

    def __init__(
        self,
        image_size: int,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        code: int = 128,
        steps: int = 2,
        squeezed: int = 32,
        variational: bool = True,
        initial_log_variance: float = -4.0,
    ):
        super().__init__()
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv3d(width_in, width, (3, 4, 4), stride=(1 if i == 0 else 2, 2, 2), padding=1, bias=False),
                    nn.BatchNorm3d(width),
                    nn.ReLU(inplace=True),
                )
                for i, (width_in, width) in enumerate(zip((3, *widths), widths, strict=False))
            )
        )
        side = image_size >> len(widths)
        if side < 1:
            raise ConfigError(
                f"Conv3dEncoder halves {len(widths)} times, so it takes videos of {1 << len(widths)} pixels or more, "
                f"not of {image_size}: set image_size to as many, or give fewer widths"
            )
        self.pool = nn.AdaptiveAvgPool3d((steps, side, side))
        self.squeeze = nn.Conv3d(widths[-1], squeezed, 1, bias=False)
        read = squeezed * steps * side * side
        self.to_mean = nn.Linear(read, code)
        self.to_log_variance = nn.Linear(read, code) if variational else None
        self.spec = Spec(code=code, variational=variational)
        init_dcgan_(self)
        if variational:
            nn.init.zeros_(self.to_log_variance.weight)
            nn.init.constant_(self.to_log_variance.bias, initial_log_variance)

    def forward(self, clip: Clip, stream: Stream) -> Motion:
        """The code of ``clip.source``."""
        features = self.squeeze(self.pool(self.blocks(clip.source))).flatten(1)
        mean = self.to_mean(features)
        motion = Motion(length=clip.source.shape[2], code=mean, mean=mean, num_frames=clip.num_frames)
        if self.to_log_variance is None:
            return motion
        log_variance = self.to_log_variance(features)
        code = mean
        if self.training:
            noise = stream.normal(self, "code", tuple(mean.shape[1:]), like=mean)
            code = mean + torch.exp(0.5 * log_variance) * noise
        return Motion(motion.length, code, mean, log_variance, num_frames=clip.num_frames)
