"""Frame-wise decoder with dense connections (FRGAN)."""

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

_CPU_MEMORY = 1 << 30  # bytes for the maps of one piece: a CPU is no faster with larger ones
_GPU_SHARE = 8  # one piece may take this part of a GPU's memory


@DECODERS.register_module()
class DenseDecoder(Decoder):
    """f_D of FRGAN (sec. 3.2, fig. 4; sizes by its authors' code): every frame from content code + motion (eq. 3).

    A linear layer makes a map of 4 to 7 pixels a side; residual blocks (``ResidualUp``) double it up to the image size,
    with channels from ``max_width`` down to ``width``. Dense connections: the linear layer's map and the output of
    every block go, upsampled, to the first convolutions of all later blocks; with ``dense=False`` (table 4) to the next
    block alone. Maps of the content pyramid and of the motion's map groups join the blocks whose input has their size,
    those of full size the last convolution. Code and motion of different sizes meet through a linear layer.

    In eval mode, where no frame depends on another, as many clips and frames are decoded at a time as take about a GiB
    on a CPU, or an eighth of a GPU's memory: of the paper's sizes 36 frames of 64x64 on a CPU.
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
        levels = trunk_specs(image_size, width, max_width)[::-1]  # coarse to fine, as everything here
        widths, strides = [level.channels for level in levels], [level.stride for level in levels]
        self.dense, self.side, self.strides = dense, image_size // strides[0], strides
        self.skips = _places(content.pyramid), _places(motion.maps)
        static = [
            _width(content.pyramid, s) + ("reference" in motion.map_groups) * _width(motion.maps, s) for s in strides
        ]
        driving = [("driving" in motion.map_groups) * _width(motion.maps, s) for s in strides]

        same = motion.trajectory == content.code
        self.motion_to_code = None if same else nn.Linear(motion.trajectory, content.code)
        self.start = nn.Linear(content.code, widths[0] * self.side**2)
        self.blocks = nn.ModuleList()
        for i, (width_in, width_out) in enumerate(pairwise(widths)):
            before = sum(widths[: i + 1]) if dense else width_in
            self.blocks.append(ResidualUp(static[i] + driving[i] + before, width_out))
        # A block holds its input, the same behind the norm, what it makes of it, and what goes on to later blocks: at
        # the largest, measured, about four times its input.
        inputs = [block.shortcut.convolution.in_channels for block in self.blocks]
        self._frame_bytes = 4 * 4 * max(w * (image_size // s) ** 2 for w, s in zip(inputs, strides, strict=False))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = StaticConv2d(static[-1] + driving[-1] + widths[-1], out_channels)
        init_dcgan_(self)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W): the content image."""
        batch, length = motion.trajectory.shape[:2]
        frames = batch * length if self.training else self.frames_at_once(content.image.device)
        if batch * length <= frames:
            features = self._decode(content, motion)
        else:
            clips = max(1, frames // length)
            groups = (_clips(content, motion, start, start + clips) for start in range(0, batch, clips))
            features = torch.cat(
                [torch.cat([self._decode(*piece) for piece in _pieces(*group, frames)], dim=2) for group in groups]
            )
        return features, content.image[:, :, None]

    def frames_at_once(self, device: torch.device) -> int:
        """How many frames are decoded at a time in eval mode."""
        return max(1, _memory_for_maps(device) // self._frame_bytes)

    def _decode(self, content: Content, motion: Motion) -> Tensor:
        batch = len(motion.trajectory)
        steps = motion.trajectory if self.motion_to_code is None else self.motion_to_code(motion.trajectory)
        code = content.code if content.code.dim() == 3 else content.code[:, None]
        x = rearrange(self.start(steps + code), "b t (c h w) -> (b t) c h w", h=self.side, w=self.side)
        before = [x]
        for block, stride in zip(self.blocks, self.strides, strict=False):
            x = block(
                torch.cat([*self._driving(motion, stride), *before], dim=1), self._static(content, motion, stride)
            )
            before = [_upsampled(item) for item in before] if self.dense else []
            before.append(x)
        x = functional.relu(self.norm(x))
        frames = self.last(torch.cat([*self._driving(motion, 1), x], dim=1), self._static(content, motion, 1))
        return rearrange(frames, "(b t) c h w -> b c t h w", b=batch)

    def _static(self, content: Content, motion: Motion, stride: int) -> Tensor | None:
        """What joins at this stride and stands still: (B, C, H, W)."""
        pictured, moved = (places.get(stride) for places in self.skips)
        static = [] if pictured is None else [content.pyramid[pictured]]
        if moved is not None and "reference" in motion.maps:
            static.append(motion.maps["reference"][moved])
        return torch.cat(static, dim=1) if static else None

    def _driving(self, motion: Motion, stride: int) -> list[Tensor]:
        """What joins at this stride and moves: (B T, C, H, W)."""
        place = self.skips[1].get(stride)
        if place is None or "driving" not in motion.maps:
            return []
        return [rearrange(motion.maps["driving"][place], "b c t h w -> (b t) c h w")]


@torch.compiler.assume_constant_result
def _memory_for_maps(device: torch.device) -> int:
    """Bytes for the maps of a piece: the same on every machine of a kind, so that runs can be repeated."""
    if device.type == "cpu":
        return _CPU_MEMORY
    if device.type == "cuda" and torch.cuda.is_available():
        return torch.cuda.get_device_properties(device).total_memory // _GPU_SHARE
    return (80 << 30) // _GPU_SHARE  # where a GPU is only imagined, to measure


def _clips(content: Content, motion: Motion, start: int, stop: int) -> tuple[Content, Motion]:
    """What the decoder reads of some clips of a batch."""
    place = slice(start, stop)
    maps = {group: tuple(level[place] for level in levels) for group, levels in motion.maps.items()}
    pyramid = tuple(level[place] for level in content.pyramid)
    content = Content(content.image[place], pyramid, content.code[place])
    return content, Motion(motion.length, trajectory=motion.trajectory[place], maps=maps)


def _pieces(content: Content, motion: Motion, frames: int) -> Iterator[tuple[Content, Motion]]:
    """``frames`` frames after the other of some clips."""
    for start in range(0, motion.length, frames):
        time = slice(start, start + frames)
        code = content.code if content.code.dim() == 2 else content.code[:, time]
        maps = dict(motion.maps)
        if "driving" in maps:
            maps["driving"] = tuple(level[:, :, time] for level in maps["driving"])
        yield replace(content, code=code), replace(motion, trajectory=motion.trajectory[:, time], maps=maps)


def _places(levels: tuple[FeatureSpec, ...]) -> dict[int, int]:
    return {level.stride: place for place, level in enumerate(levels)}


def _width(levels: tuple[FeatureSpec, ...], stride: int) -> int:
    return sum(level.channels for level in levels if level.stride == stride)


def _upsampled(x: Tensor) -> Tensor:
    return repeat(x, "n c h w -> n c (h p) (w q)", p=2, q=2)
