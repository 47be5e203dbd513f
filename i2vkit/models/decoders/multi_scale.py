"""A decoder that makes each frame from the frames before it, from a coarse picture to a fine one."""

from itertools import pairwise
from typing import cast

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder, Head
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.stages import check_odd
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion


@DECODERS.register_module()
class MultiScaleDecoder(Decoder):
    """Convolutions on the last frames at several scales, where each scale refines the picture of the one before.

    A scale reads the frames before, averaged to its size, and the coarser picture, repeated to its size. What it gives
    is added to that picture before the head, y_s = head(up(y_2s) + N_s([x_s, up(y_2s)])). A head with a base gets the
    coarser picture as its base instead. At the start of a video the history is filled with the image. The coarser
    pictures are a third output, from which ``Generated.scales`` comes.

    Source: Mathieu et al., 2016.

    Ours:
        the history is filled with the given image at the start of a video

    Args:
        image_size: Side of the image in pixels.
        out_channels: Number of channels that the head reads.
        base_requested: True if the head reads a base.
        head: The head, which also makes the coarser pictures.
        history: Number of frames before that are read.
        scales: Divisors of the image's side, coarse to fine. The last one is 1.
        kernels: Sides of the kernels of each scale, odd.
        widths: Channels of each scale's convolutions but the last.
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.

    Raises:
        ConfigError: The scales do not divide the image or do not end at 1, each half the one before, or kernels and
            widths do not fit them.
    """

    requires = ("content.past",)
    supports_chunks = reads_past = True

    def __init__(
        self,
        image_size: int,
        out_channels: int,
        base_requested: bool,
        head: Head,
        history: int = 4,
        scales: tuple[int, ...] = (8, 4, 2, 1),
        kernels: tuple[tuple[int, ...], ...] = ((3, 3, 3, 3), (5, 3, 3, 5), (5, 3, 3, 3, 3, 5), (7, 5, 5, 5, 5, 7)),
        widths: tuple[tuple[int, ...], ...] = (
            (128, 256, 128),
            (128, 256, 128),
            (128, 256, 512, 256, 128),
            (128, 256, 512, 256, 128),
        ),
        initial_weights: InitialWeights = "torch",
    ):
        super().__init__()
        halves = all(fine * 2 == coarse for coarse, fine in pairwise(scales))
        if not scales or scales[-1] != 1 or not halves or image_size % scales[0]:
            raise ConfigError(
                f"MultiScaleDecoder takes scales that end at 1, each half the one before, and that divide "
                f"{image_size} pixels, not {tuple(scales)}"
            )
        fits = len(kernels) == len(widths) == len(scales)
        if not fits or any(len(k) != len(w) + 1 for k, w in zip(kernels, widths, strict=False)):
            raise ConfigError(
                f"MultiScaleDecoder takes kernels and widths for {len(scales)} scales, one kernel more than widths in "
                f"each: the last convolution gives what the head reads"
            )
        self.history, self.scales = history, tuple(scales)
        # Not as a submodule: the generator owns the head.
        self._head = (head,)
        self.adds = not base_requested and out_channels == 3
        self.networks = nn.ModuleList()
        for i, (sides, channels) in enumerate(zip(kernels, widths, strict=True)):
            check_odd("MultiScaleDecoder", *sides)
            layers: list[nn.Module] = []
            inputs = (3 * history + (3 if i else 0), *channels)
            for side, width_in, width in zip(sides, inputs, (*channels, out_channels), strict=True):
                layers += [nn.ReLU(inplace=True)] if layers else []
                layers.append(nn.Conv2d(width_in, width, side, padding=side // 2))
            self.networks.append(nn.Sequential(*layers))
        init_weights_(self, initial_weights)

    def histories(self, past: Tensor, state: GenerationState) -> Tensor:
        """Return the last frames (B, 3 history, n, H, W) before each of n steps, the latest one last.

        Args:
            past: The frame before each step, (B, 3, n, H, W).
            state: Keeps the frames for the next step or chunk.
        """
        # Before the first frame the image itself: (B, 3, 1, H, W) -> (B, 3, history - 1, H, W)
        start = repeat(past[:, :, 0], "b c h w -> b c t h w", t=self.history - 1)
        frames = torch.cat([state.recurrent.get(self, start), past], dim=2)
        state.recurrent[self] = frames[:, :, past.shape[2] :]  # the last history - 1 ones
        return stacked_history(frames, self.history)

    def forward(  # type: ignore[override]  # a third output
        self, content: Content, motion: Motion, state: GenerationState
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return features (B, out_channels, n, H, W), the base (B, 3, n, H, W), and coarser videos, fine to coarse."""
        assert content.past is not None, "requires names it"
        number = content.past.shape[2]
        frames = rearrange(self.histories(content.past, state), "b c t h w -> (b t) c h w")
        coarser: list[Tensor] = []
        picture: Tensor | None = None  # (B n, 3, h, w) of the scale before
        features = base = frames
        for scale, network in zip(self.scales, self.networks, strict=True):
            seen = functional.avg_pool2d(frames, scale) if scale > 1 else frames  # (B n, 3 history, h, w)
            base = seen[:, -3:] if picture is None else functional.interpolate(picture, scale_factor=2, mode="nearest")
            features = network(seen if picture is None else torch.cat([seen, base], dim=1))
            if self.adds and picture is not None:
                features = features + base
            if scale > 1:
                made = self._head[0](_clips(features, number).float(), _clips(base, number).float())["video"]
                coarser.append(made)
                picture = rearrange(made, "b c t h w -> (b t) c h w").to(features.dtype)
        return _clips(features, number), _clips(base, number), cast("tuple[Tensor, ...]", tuple(coarser[::-1]))


def stacked_history(frames: Tensor, history: int) -> Tensor:
    """Return the windows of ``history`` frames, as channels: (B, C history, T - history + 1, H, W), the latest last.

    Examples:
        >>> import torch
        >>> stacked_history(torch.arange(4.0).view(1, 1, 4, 1, 1), 3)[0, :, :, 0, 0].tolist()
        [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]
    """
    number = frames.shape[2] - history + 1
    return torch.cat([frames[:, :, i : i + number] for i in range(history)], dim=1)


def _clips(x: Tensor, length: int) -> Tensor:
    """Return maps (B T, C, H, W) as (B, C, T, H, W)."""
    return rearrange(x, "(b t) c h w -> b c t h w", t=length)
