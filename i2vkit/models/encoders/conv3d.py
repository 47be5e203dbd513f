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
    """3D convolutions with batch norm that give one code for each clip.

    The convolutions are strided in space and, except for the first, in time. Their maps are averaged over time to
    ``steps`` maps and reduced to ``squeezed`` channels. One linear layer reads all places of these maps, as in C3D: an
    average over places would lose where and when something moves. Clips have any length of 1 or more. The encoder sees
    the padding of shorter clips in a batch as frames without motion.

    A variational encoder (Dual-MTGAN, sec. III-A) draws code ~ N(mean, exp(log_variance)) by the reparametrisation
    trick in training, and returns the mean at test.

    Ours:
        its maps are averaged to two in time and reduced to 32 channels before the code
        when initial_log_variance=-4.0: the log-variance starts at -4, the prior's is 0
        the log-variance is kept between bounds, by default -10 and 2
        when difference=True: it reads x_t - x_0 in place of x_t

    Args:
        image_size: Side of the frames in pixels.
        widths: Channels of the convolutions.
        code: Size of the code.
        steps: Number of maps in time that are left.
        squeezed: Channels of these maps.
        variational: False leaves out the log-variance and all noise.
        initial_log_variance: Log-variance at the start (ours). With less noise than the prior's, a decoder learns to
            read the code before the divergence has emptied it.
        difference: True reads x_t - x_0 in place of x_t, so that a constant picture added to all frames changes nothing
            (ours; the paper does not mention it). A code of x_t shows who drives long before it shows how they move. On
            unseen people the driver's beard and brows then come with the motion.
        log_variance_bounds: Least and largest log-variance (ours). While the decoder does not need the code, the
            log-variance can drift without limit, and the divergence grows with it. Within the bounds nothing changes;
            see ``clamp_with_inward_gradient``.

    Raises:
        ConfigError: The video is too small for the number of blocks, or ``initial_log_variance`` is not between the
            bounds.
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
        # The bounds themselves are excluded, since the bias should start inside.
        if not least < initial_log_variance < largest:
            raise ConfigError(
                f"Conv3dEncoder begins at initial_log_variance={initial_log_variance}, which is not between "
                f"log_variance_bounds={tuple(log_variance_bounds)}: set other bounds"
            )
        self.difference, self.log_variance_bounds = difference, (least, largest)
        # (B, 3, T, H, W) -> (B, widths[0], T, H / 2, W / 2) -> (B, widths[1], T / 2, H / 4, W / 4) -> ...
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
        side = image_size >> len(widths)  # of the last map
        if side < 1:
            raise ConfigError(
                f"Conv3dEncoder halves {len(widths)} times, so it takes videos of {1 << len(widths)} pixels or more, "
                f"not of {image_size}: set image_size to as many, or give fewer widths"
            )
        self.pooled = (steps, side, side)  # sizes in time and space that the linear layers read
        self.squeeze = nn.Conv3d(widths[-1], squeezed, 1, bias=False)
        read = squeezed * steps * side * side
        self.to_mean = nn.Linear(read, code)
        self.to_log_variance = nn.Linear(read, code) if variational else None
        self.spec = Spec(code=code, variational=variational)
        init_dcgan_(self)
        if self.to_log_variance is not None:
            # With weights of 0 the first log-variance is the bias, whatever the clip.
            nn.init.zeros_(self.to_log_variance.weight)
            nn.init.constant_(self.to_log_variance.bias, initial_log_variance)

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Return the code (B, D) of ``clip.driving``, with its mean and log-variance if the encoder is variational."""
        # (B, 3, T, H, W) - (B, 3, 1, H, W)
        video = clip.driving - clip.driving[:, :, :1] if self.difference else clip.driving
        maps = adaptive_average_pool(self.blocks(video), self.pooled)  # (B, C, steps, side, side)
        features = self.squeeze(maps).flatten(1)  # (B, squeezed, steps, side, side) -> (B, squeezed steps side side)
        mean = self.to_mean(features)
        motion = Motion(length=clip.driving.shape[2], code=mean, mean=mean, num_frames=clip.num_frames)
        if self.to_log_variance is None:
            return motion
        log_variance = clamp_with_inward_gradient(self.to_log_variance(features), *self.log_variance_bounds)
        code = mean  # at test
        if self.training:
            # Mean + standard deviation * noise, all (B, D), so that gradients reach mean and log-variance.
            noise = state.normal(self, "code", tuple(mean.shape[1:]), like=mean)
            code = mean + torch.exp(0.5 * log_variance) * noise
        return Motion(motion.length, code, mean, log_variance, num_frames=clip.num_frames)
