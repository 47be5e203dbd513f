"""Stages of convolutions between two changes of a map's size, as in VGG, and ways to double a map."""

from itertools import pairwise
from typing import Literal

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.layers.forms import TwoForms
from i2vkit.models.layers.resampling import StaticConv2d, join_static

Norm = Literal["batch", "instance"] | None
Activation = Literal["relu", "leaky"]
Pool = Literal["max", "average"]
Unpool = Literal["nearest", "zeros"]
Up = Unpool | Literal["transposed"]
Skip = Literal["before", "after"]
Skips = Literal["join", "add"]

_NORMS: dict[str | None, type[nn.Module]] = {None: nn.Identity, "batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}


def check_odd(part: str, *kernels: int) -> None:
    """Raise ``ConfigError`` unless all ``kernels`` of ``part`` are odd, so that they have a middle."""
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ConfigError(f"{part} has kernels with odd sides, not {kernels}")


def check_stages(part: str, image_size: int, widths: tuple[int, ...], convs: tuple[int, ...]) -> None:
    """Raise ``ConfigError`` unless there is a number of convolutions for each stage, and the size can be halved."""
    if len(convs) != len(widths) or not widths:
        raise ConfigError(
            f"{part} has {len(widths)} stages by its widths and {len(convs)} by its convs: give one number for each"
        )
    step = 1 << len(widths)
    if image_size % step:
        raise ConfigError(
            f"{part} has {len(widths)} stages that each halve or double, so images have a multiple of {step} pixels, "
            f"not {image_size}: set image_size to one, or give fewer widths"
        )


def norm_and_activation(channels: int, norm: Norm, activation: Activation) -> list[nn.Module]:
    """Return the layers behind a convolution: a norm, if there is one, and a ReLU or a LeakyReLU of slope 0.2."""
    rectifier = nn.ReLU(inplace=True) if activation == "relu" else nn.LeakyReLU(0.2, inplace=True)
    return [rectifier] if norm is None else [_NORMS[norm](channels), rectifier]


def conv_stage(
    in_channels: int, width: int, number: int, kernel: int, norm: Norm, activation: Activation
) -> nn.Sequential:
    """Return ``number`` convolutions of odd ``kernel`` that keep a map's size, each with norm and activation.

    Examples:
        >>> import torch
        >>> conv_stage(3, 4, number=2, kernel=3, norm=None, activation="relu")(torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 4, 8, 8])
    """
    layers: list[nn.Module] = []
    for i in range(number):
        layers.append(nn.Conv2d(in_channels if i == 0 else width, width, kernel, padding=kernel // 2))
        layers += norm_and_activation(width, norm, activation)
    return nn.Sequential(*layers)


def pooled(x: Tensor, pool: Pool) -> Tensor:
    """Return maps (N, C, H, W) halved by maximum or mean: (N, C, H / 2, W / 2)."""
    return functional.max_pool2d(x, 2) if pool == "max" else functional.avg_pool2d(x, 2)


def doubled(x: Tensor, up: Unpool) -> Tensor:
    """Return maps (N, C, H, W) doubled: every value repeated, or at the top left of four places with zeros elsewhere.

    Examples:
        >>> import torch
        >>> doubled(torch.ones(1, 1, 1, 1), "zeros").tolist()
        [[[[1.0, 0.0], [0.0, 0.0]]]]
    """
    if up == "nearest":
        return functional.interpolate(x, scale_factor=2, mode="nearest")
    # (N, C, H, W) -> (N, C, H, 1, W, 1) -> (N, C, H, 2, W, 2) -> (N, C, 2 H, 2 W)
    spread = functional.pad(rearrange(x, "n c h w -> n c h 1 w 1"), (0, 1, 0, 0, 0, 1))
    return rearrange(spread, "n c h p w q -> n c (h p) (w q)")


class FusedMaps(nn.Module):
    """3x3 convolutions of static and dynamic maps of one size, joined. The static part is computed once for each clip.

    Args:
        static: Channels of the static maps, 0 for none.
        dynamic: Channels of the dynamic maps, 0 for none.
        widths: Channels of the convolutions, with a ReLU between them.
        last_activation: True puts a ReLU behind the last one too.
    """

    def __init__(self, static: int, dynamic: int, widths: tuple[int, ...], last_activation: bool):
        super().__init__()
        # Without dynamic maps all is static: the maps are repeated over time behind the last convolution.
        first = StaticConv2d(static + dynamic, widths[0]) if dynamic else nn.Conv2d(static, widths[0], 3, padding=1)
        self.first, self.moves = first, dynamic > 0
        rest: list[nn.Module] = []
        for width_in, width in pairwise(widths):
            rest += [nn.ReLU(), nn.Conv2d(width_in, width, 3, padding=1)]
        self.rest = nn.Sequential(*rest, *([nn.ReLU()] if last_activation else []))

    def forward(self, static: Tensor | None, dynamic: Tensor | None, length: int) -> Tensor:
        """Return maps (B T, O, H, W) of ``static`` (B, C', H, W) and ``dynamic`` (B T, C, H, W)."""
        if self.moves:
            return self.rest(self.first(dynamic, static))
        return repeat(self.rest(self.first(static)), "b c h w -> (b t) c h w", t=length)


class StaticTransposedConv2d(TwoForms):
    """A 4x4 transposed convolution that doubles maps. The part of static channels is computed once for each clip.

    Args:
        in_channels: Channels of static and dynamic maps together.
        out_channels: Channels of the output.

    Examples:
        >>> StaticTransposedConv2d(5, 4)(torch.zeros(6, 3, 8, 8), torch.zeros(2, 2, 8, 8)).shape  # 2 clips of 3 frames
        torch.Size([6, 4, 16, 16])
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.convolution = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1)

    def forward(self, dynamic: Tensor, static: Tensor | None = None) -> Tensor:
        """Return maps (B T, O, 2 H, 2 W) of ``static`` (B, C', H, W) and, after it, ``dynamic`` (B T, C, H, W)."""
        if static is None or len(static) == len(dynamic) or self.takes_reference(dynamic):
            return self.convolution(join_static(static, dynamic))
        # The static channels come first in the weight (C' + C, O, 4, 4).
        channels, weight, bias = static.shape[1], self.convolution.weight, self.convolution.bias
        constant = functional.conv_transpose2d(static, weight[:channels], bias, stride=2, padding=1)
        made = functional.conv_transpose2d(dynamic, weight[channels:], None, stride=2, padding=1)
        # (B T, O, H, W) -> (B, T, O, H, W) + (B, 1, O, H, W) -> (B T, O, H, W)
        made = rearrange(made, "(b t) c h w -> b t c h w", b=len(static)) + constant[:, None]
        return rearrange(made, "b t c h w -> (b t) c h w")


class UpStages(nn.Module):
    """Stages that each double a map, take up a skip connection, and convolve; the mirror of an encoder's stages.

    Args:
        widths: Channels of the stages, coarse to fine.
        convs: Number of 3x3 convolutions of each stage. The last one of a stage has the next stage's width.
        skips: Channels that join at each stage; 0 where none joins. Added maps have the stage's width.
        out_channels: Channels of the last convolution, which has neither norm nor activation.
        up: "nearest" or "zeros", see ``doubled``. "transposed": the first convolution of each stage doubles the map
            (``StaticTransposedConv2d``), and takes up the skip before.
        join: True joins skips to the maps, static ones once for each clip. False adds them, with an activation behind.
        norm: Norm behind every other convolution.
        activation: Activation behind every other convolution.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        convs: tuple[int, ...],
        skips: list[int],
        out_channels: int,
        up: Up,
        join: bool,
        norm: Norm,
        activation: Activation,
    ):
        super().__init__()
        self.up, self.join = up, join
        self.firsts, self.stages, self.activations = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        outputs = (*widths[1:], out_channels)
        first = StaticTransposedConv2d if up == "transposed" else StaticConv2d
        for i, (width, number, skip, out) in enumerate(zip(widths, convs, skips, outputs, strict=True)):
            inner = [width] * (number - 1) + [out]  # channels behind each convolution of the stage
            self.firsts.append(first(width + (skip if join else 0), inner[0]))
            self.activations.append(norm_and_activation(width, None, activation)[0])
            layers: list[nn.Module] = []
            for j, channels in enumerate(inner):
                layers += [nn.Conv2d(inner[j - 1], channels, 3, padding=1)] if j else []  # the first one stands apart
                last = i == len(widths) - 1 and j == number - 1
                layers += [] if last else norm_and_activation(channels, norm, activation)
            self.stages.append(nn.Sequential(*layers))

    def forward(self, x: Tensor, skips: list[tuple[Tensor | None, Tensor | None]]) -> Tensor:
        """Return features (B T, out_channels, H, W) of the coarsest maps (B T, widths[0], h, w).

        Args:
            x: The coarsest maps.
            skips: For each stage a static map (B, C, h, w) or None, and a dynamic one (B T, C, h, w) or None.
        """
        for first, stage, activation, (static, dynamic) in zip(
            self.firsts, self.stages, self.activations, skips, strict=True
        ):
            x = x if self.up == "transposed" else doubled(x, self.up)
            if not self.join:
                x = x if dynamic is None else activation(x + dynamic)
                static = None
            elif dynamic is not None:
                x = torch.cat([dynamic, x], dim=1)  # (B T, C, h, w) and (B T, C', h, w)
            x = stage(first(x, static))
        return x
