"""A decoder that makes each frame from codes by transposed convolutions (Dual-MTGAN, MoCoGAN)."""

from itertools import pairwise

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion, Spec


@DECODERS.register_module()
class FrameDecoder(Decoder):
    """4x4 transposed convolutions from 1x1 that make every frame from [content code, motion of that frame].

    It is G_I of Dual-MTGAN, eq. 3, and the frame generator of MoCoGAN. It reads one content code for each clip or one
    for each frame. Batch norm and ReLU follow every convolution but the last.

    Content code and motion are each scaled to mean 0 and variance 1 over their elements. Encoders give codes of any
    magnitude, and behind a batch norm the larger of two inputs drowns the other, after 400 iterations a thousandfold.

    Ours:
        when normalize_content=True: the content code is scaled to mean 0 and variance 1
        when normalize_motion=True: the motion of a frame is scaled to mean 0 and variance 1
        when skips=True: the maps of the content image are added, through a 3x3 convolution

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a code.
        motion: Spec of the motion, with a trajectory.
        out_channels: Number of channels that the head reads.
        widths: Channels of the convolutions but the last.
        skips: True adds the content pyramid at every size before the batch norm, through a 3x3 convolution that runs
            once for each clip (ours; the papers have no skip connections).
        normalize_content: False leaves the content code as it is.
        normalize_motion: False leaves the motion as it is.
        initial_weights: Standard deviation of the initial weights, as in DCGAN, or "torch" for torch's own, as in
            MoCoGAN's released code.

    Raises:
        ConfigError: The image size does not fit ``widths``, or no level of the pyramid fits the maps.
    """

    requires = ("content.code", "motion.trajectory")
    accepts = ("content.pyramid",)
    supports_chunks = True
    frame_wise = True
    code_per_frame = True

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        widths: tuple[int, ...] = (512, 256, 128, 64),
        skips: bool = False,
        normalize_content: bool = True,
        normalize_motion: bool = True,
        initial_weights: InitialWeights = 0.02,
    ):
        super().__init__()
        self.normalized = (normalize_content, normalize_motion)
        side = image_size >> len(widths)  # of the first map
        if side < 1 or side << len(widths) != image_size:
            sizes = ClipLengths(1 << len(widths), 1 << len(widths))
            raise ConfigError(
                f"FrameDecoder doubles {len(widths)} times, so it makes images of {sizes} pixels, not of {image_size}: "
                f"set image_size to one of these, or give other widths"
            )
        # (N, D, 1, 1) -> (N, widths[0], side, side), which every further convolution doubles
        blocks: list[nn.Module] = [nn.ConvTranspose2d(content.code + motion.trajectory, widths[0], side, bias=False)]
        for width_in, width in pairwise(widths):
            blocks += [nn.BatchNorm2d(width_in), nn.ReLU()]
            blocks += [nn.ConvTranspose2d(width_in, width, 4, stride=2, padding=1, bias=False)]
        blocks += [nn.BatchNorm2d(widths[-1]), nn.ReLU()]
        blocks += [nn.ConvTranspose2d(widths[-1], out_channels, 4, stride=2, padding=1)]
        self.blocks = nn.Sequential(*blocks)
        # By stride of a map: the index in ``blocks`` of the convolution that makes it. Every third block is one.
        places = {image_size // (side << i): 3 * i for i in range(len(widths))}
        # Pairs (level of the pyramid, index in ``blocks``) of maps that have the same size.
        self.levels = [(i, places[level.stride]) for i, level in enumerate(content.pyramid) if level.stride in places]
        if skips and not self.levels:
            raise ConfigError(
                "FrameDecoder has skips=True, but no level of the content's pyramid has the size of one of its maps: "
                "set a content encoder that gives a pyramid (ConvPyramidEncoder), or skips=False"
            )
        self.levels = self.levels if skips else []
        # To the channels of the map that they are added to. No bias, since a batch norm follows.
        self.skips = nn.ModuleList(
            nn.Conv2d(content.pyramid[i].channels, widths[place // 3], 3, padding=1, bias=False)
            for i, place in self.levels
        )
        init_weights_(self, initial_weights)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the content image (B, 3, 1, H, W) as base."""
        code, trajectory = content.code, motion.trajectory
        assert code is not None and trajectory is not None, "requires names both"
        length = trajectory.shape[1]
        code = repeat(code, "b d -> b t d", t=length) if code.dim() == 2 else code  # (B, D_c) -> (B, T, D_c)
        # Scaled one by one, so that neither drowns the other.
        both = [
            functional.layer_norm(vectors, vectors.shape[-1:]) if normalized else vectors
            for vectors, normalized in zip((code, trajectory), self.normalized, strict=True)
        ]
        # (B, T, D_c) and (B, T, D_m) -> (B, T, D) -> (B T, D, 1, 1)
        steps = rearrange(torch.cat(both, dim=2), "b t d -> (b t) d 1 1")
        # By index in ``blocks``: what a level of the pyramid adds, (B, C, h, w) -> (B T, C, h, w).
        static = {
            place: repeat(skip(content.pyramid[i]), "b c h w -> (b t) c h w", t=length)
            for skip, (i, place) in zip(self.skips, self.levels, strict=True)
        }
        x = steps
        for place, block in enumerate(self.blocks):
            x = block(x) + static[place] if place in static else block(x)
        # (B T, C, H, W) -> (B, C, T, H, W), and (B, 3, H, W) -> (B, 3, 1, H, W)
        return rearrange(x, "(b t) c h w -> b c t h w", t=length), content.image[:, :, None]
