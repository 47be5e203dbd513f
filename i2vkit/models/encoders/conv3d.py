"""Motion encoders made of 3D convolutions."""

import torch
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionEncoder
from i2vkit.models.layers.bounds import clamp_with_inward_gradient
from i2vkit.models.layers.clip_convolution import ClipConv3d
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.models.layers.resampling import adaptive_average_pool
from i2vkit.registry import MOTION_ENCODERS
from i2vkit.structures import Motion, Spec, VideoBatch


@MOTION_ENCODERS.register_module()
class Conv3dEncoder(MotionEncoder):
    """3D convolutions with batch norm, strided in space and, but for the first, in time; averaged over time to
    ``steps`` maps, squeezed to ``squeezed`` channels, and read place by place by one linear layer, as in C3D: the
    average over places would not tell where something moves, nor when. One code a clip.

    Variational (Dual-MTGAN, sec. III-A): code ~ N(mean, exp(log_variance)) by the reparametrisation trick in training,
    the mean at test. Any length of 1 or more; the padding of shorter clips in a batch is seen as a still.
    ``initial_log_variance`` (ours): with less noise than the prior's at the start, a decoder comes to read the code
    before the divergence has emptied it.

    Args:
        difference: reads x_t - x_0 in place of x_t, so that a constant picture added to all frames changes nothing
            (ours; the paper does not say so). A code of x_t tells who drives long before it tells how they move, and
            on unseen people the driver's beard and brows then come with the motion.
        log_variance_bounds: least and largest log-variance (ours). While the decoder does not need the code, it can run
            away, and the divergence with it. Within them nothing changes; see ``clamp_with_inward_gradient``.

    Raises:
        ConfigError: if the video is too small for the number of blocks, or the bounds leave nothing between them.
    """

    provides = ("motion.code",)

    def __init__(
        self,
        image_size: int,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        code: int = 128,
        steps: int = 2,
        squeezed: int = 32,
        variational: bool = True,
        initial_log_variance: float = -4.0,
        difference: bool = False,
        log_variance_bounds: tuple[float, float] = (-10.0, 2.0),
    ):
        super().__init__()
        least, largest = log_variance_bounds
        if not least < initial_log_variance < largest:
            raise ConfigError(
                f"Conv3dEncoder begins at initial_log_variance={initial_log_variance}, which is not between "
                f"log_variance_bounds={tuple(log_variance_bounds)}: set other bounds"
            )
        self.difference, self.log_variance_bounds = difference, (least, largest)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    ClipConv3d(width_in, width, (3, 4, 4), stride=(1 if i == 0 else 2, 2, 2), padding=1, bias=False),
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
        self.pooled = (steps, side, side)
        self.squeeze = nn.Conv3d(widths[-1], squeezed, 1, bias=False)
        read = squeezed * steps * side * side
        self.to_mean = nn.Linear(read, code)
        self.to_log_variance = nn.Linear(read, code) if variational else None
        self.spec = Spec(code=code, variational=variational)
        init_dcgan_(self)
        if variational:
            nn.init.zeros_(self.to_log_variance.weight)
            nn.init.constant_(self.to_log_variance.bias, initial_log_variance)

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """The code of ``clip.driving``."""
        video = clip.driving - clip.driving[:, :, :1] if self.difference else clip.driving
        maps = adaptive_average_pool(self.blocks(video), self.pooled)
        features = self.squeeze(maps).flatten(1)
        mean = self.to_mean(features)
        motion = Motion(length=clip.driving.shape[2], code=mean, mean=mean, num_frames=clip.num_frames)
        if self.to_log_variance is None:
            return motion
        log_variance = clamp_with_inward_gradient(self.to_log_variance(features), *self.log_variance_bounds)
        code = mean
        if self.training:
            noise = state.normal(self, "code", tuple(mean.shape[1:]), like=mean)
            code = mean + torch.exp(0.5 * log_variance) * noise
        return Motion(motion.length, code, mean, log_variance, num_frames=clip.num_frames)
