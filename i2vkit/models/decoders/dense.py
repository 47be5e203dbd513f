"""A frame-wise decoder with dense connections (FRGAN)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.models.layers.resampling import StaticConv2d
from i2vkit.models.layers.residual import ResidualUp, trunk_specs
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, FeatureSpec, Motion, Spec

_CPU_MEMORY = 1 << 30  # bytes for the maps of one piece; a CPU is not faster with larger pieces
_GPU_SHARE = 8  # one piece may take an eighth of a GPU's memory


@DECODERS.register_module()
class DenseDecoder(Decoder):
    """Residual blocks with dense connections that make every frame from content code + motion (eq. 3).

    It is f_D of FRGAN (sec. 3.2, fig. 4), with the sizes of its authors' code. A linear layer makes a map with a side
    of 4 to 7 pixels. Residual blocks (``ResidualUp``) double it up to the image size, with channels from ``max_width``
    down to ``width``. Through the dense connections, the first convolution of a block reads the upsampled outputs of
    the linear layer and of all blocks before.

    Maps of the content pyramid and of the motion's map groups join the block whose input has their size. Maps of full
    size join the last convolution. If code and motion differ in size, a linear layer adapts the motion.

    In eval mode no frame depends on another. The decoder then takes as many clips and frames at a time as need about a
    GiB on a CPU, or an eighth of a GPU's memory. With the paper's sizes, these are 36 frames of 64x64 on a CPU.

    Args:
        image_size: Side of the image in pixels.
        content: Spec of the content, with a code.
        motion: Spec of the motion, with a trajectory.
        out_channels: Number of channels that the head reads.
        width: Channels of the last block.
        max_width: Largest number of channels.
        dense: False connects each block to the next one only, as in table 4 of the paper.
    """

    requires = ("content.code", "motion.trajectory")
    accepts = ("content.pyramid", "motion.maps")
    supports_chunks = True
    frame_wise = True
    code_per_frame = True

    def __init__(
        self,
        image_size: int,
        content: Spec,
        motion: Spec,
        out_channels: int,
        width: int = 64,
        max_width: int = 512,
        dense: bool = True,
    ):
        super().__init__()
        levels = trunk_specs(image_size, width, max_width)[::-1]  # coarse to fine, like everything in this class
        widths, strides = [level.channels for level in levels], [level.stride for level in levels]
        self.dense, self.side, self.strides = dense, image_size // strides[0], strides
        self.skips = _places(content.pyramid), _places(motion.maps)
        # Channels that join at every stride. Static maps are the same for all frames of a clip.
        static = [
            _width(content.pyramid, s) + ("reference" in motion.map_groups) * _width(motion.maps, s) for s in strides
        ]
        driving = [("driving" in motion.map_groups) * _width(motion.maps, s) for s in strides]

        # Code and motion are added, so they need one size.
        same = motion.trajectory == content.code
        self.motion_to_code = None if same else nn.Linear(motion.trajectory, content.code)
        self.start = nn.Linear(content.code, widths[0] * self.side**2)
        self.blocks = nn.ModuleList()
        inputs = []
        for i, (width_in, width_out) in enumerate(pairwise(widths)):
            before = sum(widths[: i + 1]) if dense else width_in  # of all blocks before, or of the last one
            inputs.append(static[i] + driving[i] + before)
            self.blocks.append(ResidualUp(inputs[i], width_out))
        # In memory are a block's input, the normalised input, the output, and the maps for later blocks. As measured,
        # the largest block takes about four times its input, of 4 bytes a value.
        self._frame_bytes = 4 * 4 * max(w * (image_size // s) ** 2 for w, s in zip(inputs, strides, strict=False))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = StaticConv2d(static[-1] + driving[-1] + widths[-1], out_channels)
        init_dcgan_(self)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the content image (B, 3, 1, H, W) as base."""
        _, trajectory = _code_and_trajectory(content, motion)
        batch, length = trajectory.shape[:2]
        if self.training or batch * length <= self.frames_at_once(content.image.device):
            features = self._decode(content, motion)
        else:
            features = self._decode_in_pieces(content, motion, self.frames_at_once(content.image.device))
        return features, content.image[:, :, None]  # (B, 3, H, W) -> (B, 3, 1, H, W)

    def _decode_in_pieces(self, content: Content, motion: Motion, frames: int) -> Tensor:
        """Return the features (B, out_channels, T, H, W), made of at most ``frames`` frames at a time."""
        _, trajectory = _code_and_trajectory(content, motion)
        batch, length = trajectory.shape[:2]
        # As many whole clips at a time as fit, or pieces of one clip.
        clips = max(1, frames // length)
        groups = (_clips(content, motion, start, start + clips) for start in range(0, batch, clips))
        # The inner cat joins pieces in time, the outer one groups of clips.
        return torch.cat(
            [torch.cat([self._decode(*piece) for piece in _pieces(*group, frames)], dim=2) for group in groups]
        )

    def frames_at_once(self, device: torch.device) -> int:
        """Return the number of frames that are decoded at a time in eval mode."""
        return max(1, _memory_for_maps(device) // self._frame_bytes)

    def _decode(self, content: Content, motion: Motion) -> Tensor:
        """Return the features (B, out_channels, T, H, W) of all frames at once."""
        code, trajectory = _code_and_trajectory(content, motion)
        batch = len(trajectory)
        steps = trajectory if self.motion_to_code is None else self.motion_to_code(trajectory)
        code = code if code.dim() == 3 else code[:, None]  # (B, D) -> (B, 1, D), for all frames
        # (B, T, D) -> (B, T, C side side) -> (B T, C, side, side)
        x = rearrange(self.start(steps + code), "b t (c h w) -> (b t) c h w", h=self.side, w=self.side)
        before = [x]  # maps (B T, C_i, h, w) that the next block reads
        for block, stride in zip(self.blocks, self.strides, strict=False):
            x = block(
                torch.cat([*self._driving(motion, stride), *before], dim=1), self._static(content, motion, stride)
            )
            # The block has doubled the side, so the older maps have to follow.
            before = [_upsampled(item) for item in before] if self.dense else []
            before.append(x)
        x = functional.relu(self.norm(x))
        frames = self.last(torch.cat([*self._driving(motion, 1), x], dim=1), self._static(content, motion, 1))
        return rearrange(frames, "(b t) c h w -> b c t h w", b=batch)  # (B T, C, H, W) -> (B, C, T, H, W)

    def _static(self, content: Content, motion: Motion, stride: int) -> Tensor | None:
        """Return the static maps (B, C, H, W) that join at this stride, or None."""
        of_pyramid, of_maps = (places.get(stride) for places in self.skips)
        static = [] if of_pyramid is None else [content.pyramid[of_pyramid]]
        if of_maps is not None and "reference" in motion.maps:
            static.append(motion.maps["reference"][of_maps])
        return torch.cat(static, dim=1) if static else None  # (B, C_1, H, W) and (B, C_2, H, W) -> (B, C, H, W)

    def _driving(self, motion: Motion, stride: int) -> list[Tensor]:
        """Return the dynamic maps (B T, C, H, W) that join at this stride, one or none."""
        place = self.skips[1].get(stride)
        if place is None or "driving" not in motion.maps:
            return []
        # (B, C, T, H, W) -> (B T, C, H, W)
        return [rearrange(motion.maps["driving"][place], "b c t h w -> (b t) c h w")]


@torch.compiler.assume_constant_result
def _memory_for_maps(device: torch.device) -> int:
    """Return the bytes for the maps of a piece: the same on all machines of a kind, so that runs can be repeated."""
    if device.type == "cpu":
        return _CPU_MEMORY
    if device.type == "cuda" and torch.cuda.is_available():
        return torch.cuda.get_device_properties(device).total_memory // _GPU_SHARE
    return (80 << 30) // _GPU_SHARE  # an emulated GPU, for measurements without one


def _code_and_trajectory(content: Content, motion: Motion) -> tuple[Tensor, Tensor]:
    """Return the content code (B, D) or (B, T, D) and the trajectory (B, T, D)."""
    assert content.code is not None and motion.trajectory is not None, "requires names both"
    return content.code, motion.trajectory


def _clips(content: Content, motion: Motion, start: int, stop: int) -> tuple[Content, Motion]:
    """Return all fields that the decoder reads of the clips from ``start`` to before ``stop``."""
    code, trajectory = _code_and_trajectory(content, motion)
    place = slice(start, stop)
    maps = {group: tuple(level[place] for level in levels) for group, levels in motion.maps.items()}
    pyramid = tuple(level[place] for level in content.pyramid)
    content = Content(content.image[place], pyramid, code[place])
    return content, Motion(motion.length, trajectory=trajectory[place], maps=maps)


def _pieces(content: Content, motion: Motion, frames: int) -> Iterator[tuple[Content, Motion]]:
    """Yield some clips in pieces of ``frames`` frames."""
    codes, trajectory = _code_and_trajectory(content, motion)
    for start in range(0, motion.length, frames):
        time = slice(start, start + frames)
        code = codes if codes.dim() == 2 else codes[:, time]  # (B, D) for all frames, or (B, T, D)
        maps = dict(motion.maps)
        if "driving" in maps:
            maps["driving"] = tuple(level[:, :, time] for level in maps["driving"])  # (B, C, T, H, W)
        yield replace(content, code=code), replace(motion, trajectory=trajectory[:, time], maps=maps)


def _places(levels: tuple[FeatureSpec, ...]) -> dict[int, int]:
    """Return the index of each level by its stride."""
    return {level.stride: place for place, level in enumerate(levels)}


def _width(levels: tuple[FeatureSpec, ...], stride: int) -> int:
    """Return the channels of the level with this stride, 0 if there is none."""
    return sum(level.channels for level in levels if level.stride == stride)


def _upsampled(x: Tensor) -> Tensor:
    """Return maps (N, C, H, W) with every pixel repeated to 2x2: (N, C, 2 H, 2 W)."""
    return repeat(x, "n c h w -> n c (h p) (w q)", p=2, q=2)
