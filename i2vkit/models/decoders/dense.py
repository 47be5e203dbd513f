"""Frame-wise decoder with dense connections (FRGAN)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.models.layers.resampling import StillConv2d
from i2vkit.models.layers.residual import ResidualUp, trunk_levels
from i2vkit.models.layers.stream import Stream
from i2vkit.models.part import Part
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Level, Motion, Spec

CHUNK = 32  # frames at a time in eval mode: 256 of 64x64 pixels at full width took more than 18 GB


@DECODERS.register_module()
class DenseDecoder(Part):
    """f_D of FRGAN (sec. 3.2, fig. 4; sizes by its authors' code): every frame from content code + motion (eq. 3).

    A linear layer makes a map of 4 to 7 pixels a side; residual blocks (``ResidualUp``) double it up to the image size,
    with channels from ``max_width`` down to ``width``. Dense connections: the linear layer's map and the output of
    every block go, upsampled, to the first convolutions of all later blocks; with ``dense=False`` (table 4) to the next
    block alone. Maps of the content pyramid and of the motion's streams join the blocks whose input has their size,
    those of full size the last convolution. Code and motion of different sizes meet through a linear layer.

    In eval mode, where no frame depends on another, clips are decoded one by one, ``CHUNK`` frames at a time.
    """

    needs = ("content.code", "motion.trajectory")
    uses = ("content.pyramid", "motion.maps")
    streams = True
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
        levels = trunk_levels(image_size, width, max_width)[::-1]  # coarse to fine, as everything here
        widths, strides = [level.channels for level in levels], [level.stride for level in levels]
        self.dense, self.side, self.strides = dense, image_size // strides[0], strides
        self.skips = _places(content.pyramid), _places(motion.maps)
        still = [_width(content.pyramid, s) + ("reference" in motion.streams) * _width(motion.maps, s) for s in strides]
        driving = [("driving" in motion.streams) * _width(motion.maps, s) for s in strides]

        same = motion.trajectory == content.code
        self.motion_to_code = None if same else nn.Linear(motion.trajectory, content.code)
        self.start = nn.Linear(content.code, widths[0] * self.side**2)
        self.blocks = nn.ModuleList()
        for i, (width_in, width_out) in enumerate(pairwise(widths)):
            before = sum(widths[: i + 1]) if dense else width_in
            self.blocks.append(ResidualUp(still[i] + driving[i] + before, width_out))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = StillConv2d(still[-1] + driving[-1] + widths[-1], out_channels)
        init_dcgan_(self)

    def forward(self, content: Content, motion: Motion, stream: Stream) -> tuple[Tensor, Tensor]:
        """Features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W): the content image."""
        batch, length = motion.trajectory.shape[:2]
        if self.training or batch * length <= CHUNK:
            features = self._decode(content, motion)
        else:
            clips = (_clip(content, motion, number) for number in range(batch))
            features = torch.cat([torch.cat([self._decode(*p) for p in _pieces(*clip)], dim=2) for clip in clips])
        return features, content.image[:, :, None]

    def _decode(self, content: Content, motion: Motion) -> Tensor:
        batch = len(motion.trajectory)
        steps = motion.trajectory if self.motion_to_code is None else self.motion_to_code(motion.trajectory)
        code = content.code if content.code.dim() == 3 else content.code[:, None]
        x = rearrange(self.start(steps + code), "b t (c h w) -> (b t) c h w", h=self.side, w=self.side)
        before = [x]
        for block, stride in zip(self.blocks, self.strides, strict=False):
            x = block(torch.cat([*self._driving(motion, stride), *before], dim=1), self._still(content, motion, stride))
            before = [_upsampled(item) for item in before] if self.dense else []
            before.append(x)
        x = functional.relu(self.norm(x))
        frames = self.last(torch.cat([*self._driving(motion, 1), x], dim=1), self._still(content, motion, 1))
        return rearrange(frames, "(b t) c h w -> b c t h w", b=batch)

    def _still(self, content: Content, motion: Motion, stride: int) -> Tensor | None:
        """What joins at this stride and stands still: (B, C, H, W)."""
        pictured, moved = (places.get(stride) for places in self.skips)
        still = [] if pictured is None else [content.pyramid[pictured]]
        if moved is not None and "reference" in motion.maps:
            still.append(motion.maps["reference"][moved])
        return torch.cat(still, dim=1) if still else None

    def _driving(self, motion: Motion, stride: int) -> list[Tensor]:
        """What joins at this stride and moves: (B T, C, H, W)."""
        place = self.skips[1].get(stride)
        if place is None or "driving" not in motion.maps:
            return []
        return [rearrange(motion.maps["driving"][place], "b c t h w -> (b t) c h w")]


def _clip(content: Content, motion: Motion, number: int) -> tuple[Content, Motion]:
    """What the decoder reads of one clip of a batch."""
    place = slice(number, number + 1)
    maps = {stream: tuple(level[place] for level in levels) for stream, levels in motion.maps.items()}
    pyramid = tuple(level[place] for level in content.pyramid)
    content = Content(content.image[place], pyramid, content.code[place])
    return content, Motion(motion.length, trajectory=motion.trajectory[place], maps=maps)


def _pieces(content: Content, motion: Motion) -> Iterator[tuple[Content, Motion]]:
    """``CHUNK`` frames after the other of a clip."""
    for start in range(0, motion.length, CHUNK):
        time = slice(start, start + CHUNK)
        code = content.code if content.code.dim() == 2 else content.code[:, time]
        maps = dict(motion.maps)
        if "driving" in maps:
            maps["driving"] = tuple(level[:, :, time] for level in maps["driving"])
        yield replace(content, code=code), replace(motion, trajectory=motion.trajectory[:, time], maps=maps)


def _places(levels: tuple[Level, ...]) -> dict[int, int]:
    return {level.stride: place for place, level in enumerate(levels)}


def _width(levels: tuple[Level, ...], stride: int) -> int:
    return sum(level.channels for level in levels if level.stride == stride)


def _upsampled(x: Tensor) -> Tensor:
    return repeat(x, "n c h w -> n c (h p) (w q)", p=2, q=2)
