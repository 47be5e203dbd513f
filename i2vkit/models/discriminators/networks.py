"""Discriminator networks. Each takes samples of one kind and a condition, and gives logits of a sample: one or more of
its being real and, if built with ``num_classes``, those of its class.

A network is built with ``in_channels`` of its samples, ``label_size`` (one-hot label, 0 if none), ``map_channels``
(condition images or maps, 0 if none) and ``num_classes`` by its discriminator. ``norm`` is "batch", "spectral" or None.
"""

from dataclasses import dataclass

import torch
from einops import repeat
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.layers.forms import TwoForms
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.registry import DISCRIMINATORS


def check_norm(norm: str | None) -> None:
    """Raise ``ConfigError`` unless ``norm`` is one that discriminators have."""
    if norm not in ("batch", "spectral", None):
        raise ConfigError(f'norm is "batch", "spectral" or None, not {norm!r}')


@dataclass(frozen=True)
class SharedFeatures:
    """What a network made of samples before the label joins.

    ``features`` (N, C, ...) are the output of the first block; or, with ``label_weight``, that of the convolution after
    it, to which its weight of the label is yet to be applied, on maps of ``sides``.
    """

    features: Tensor
    label_weight: Tensor | None = None
    sides: tuple[int, ...] = ()


class _ConvStack(TwoForms, DiscriminatorNetwork):
    """Strided 4x4(x4) convolutions, then one over what remains; the label enters as maps behind the first block.

    Such maps enter the second convolution as one extra term, for they are constant. The reference form joins them to
    the features as they are.
    """

    sample_type: str
    convolution: type[nn.Module]
    batch_norm: type[nn.Module]

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        norm: str | None = "batch",
    ):
        super().__init__()
        check_norm(norm)
        self.label_size = label_size
        self.side = image_size >> len(widths)
        if self.side < 1:
            raise ConfigError(
                f"{type(self).__name__} cannot halve {image_size} pixels {len(widths)} times: give fewer widths"
            )
        self.blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            width_in = in_channels + map_channels if i == 0 else widths[i - 1] + (label_size if i == 1 else 0)
            normed = norm == "batch" and i > 0
            layers = [self.convolution(width_in, width, 4, stride=2, padding=1, bias=not normed)]
            layers += [self.batch_norm(width)] if normed else []
            # In place: else every map is kept twice for the backward pass.
            self.blocks.append(nn.Sequential(*layers, nn.LeakyReLU(0.2, inplace=True)))
        last = widths[-1] + (label_size if len(widths) == 1 else 0)
        self.to_score = self._last(last, 1)
        self.to_class = self._last(last, num_classes) if num_classes else None
        init_dcgan_(self)
        if norm == "spectral":
            lasts = [layer for layer in (self.to_score, self.to_class) if layer is not None]
            for layer in [*(block[0] for block in self.blocks), *lasts]:
                spectral_norm(layer)

    def _last(self, width: int, out_channels: int) -> nn.Module:
        raise NotImplementedError

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Logits (N, ...) of samples (N, C, [T,] H, W), one-hot labels (N, L) and maps (N, M, [T,] H, W)."""
        return self.score(self.shared_features(sample, maps), label)

    def score(self, shared: SharedFeatures, label: Tensor | None) -> Tensor:
        """Logits (N, ...) of what ``shared_features`` gave and one-hot labels (N, L)."""
        return self.to_score(self._finish(shared, label)).flatten(1)

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Class logits (N, num_classes) of the same, the mean over the places where there are several."""
        return self.to_class(self.features(sample, label, maps)).flatten(2).mean(dim=2)

    def features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """What the last layers read."""
        return self._finish(self.shared_features(sample, maps), label)

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> SharedFeatures:
        """What does not depend on the label: it serves for several labels of the same samples."""
        x = self.blocks[0](sample if maps is None else torch.cat([sample, maps], dim=1))
        if self.takes_reference(x) or not self.label_size or len(self.blocks) == 1:
            return SharedFeatures(x)
        convolution = self.blocks[1][0]
        weight, label_weight = convolution.weight.split([x.shape[1], self.label_size], dim=1)
        return SharedFeatures(_convolved(convolution, x, weight, None), label_weight, tuple(x.shape[2:]))

    def _finish(self, shared: SharedFeatures, label: Tensor | None) -> Tensor:
        x, rest = shared.features, list(self.blocks[1:])
        if shared.label_weight is not None:
            convolution, *layers = rest.pop(0)
            x = x + _label_term(shared, label.to(x.dtype), convolution)
            for layer in layers:
                x = layer(x)
        elif label is not None:
            x = torch.cat([x, _as_maps(label.to(x.dtype), tuple(x.shape[2:]))], dim=1)
        for block in rest:
            x = block(x)
        return x


def _convolved(layer: nn.Conv2d | nn.Conv3d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``x`` through ``layer`` with another weight and bias."""
    function = functional.conv2d if x.dim() == 4 else functional.conv3d
    return function(x, weight, bias, layer.stride, layer.padding)


def _as_maps(label: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Labels (N, L) at every place: (N, L, *sides)."""
    return label[(..., *[None] * len(sides))].expand(-1, -1, *sides)


def _label_term(shared: SharedFeatures, label: Tensor, convolution: nn.Module) -> Tensor:
    """What maps of ``label`` (N, L) add to the output of ``convolution``, with its bias.

    It is the same everywhere but at the two ends of an axis, for a 4x4(x4) convolution of stride 2 and padding 1: maps
    of 6 or 7 pixels, which become 3, show all cases.
    """
    small = tuple(side if side < 8 else 6 + side % 2 for side in shared.sides)
    term = _convolved(convolution, _as_maps(label, small), shared.label_weight, convolution.bias)
    for axis, side in enumerate(shared.sides, start=2):
        if side >= 8:
            places = torch.ones(side // 2, dtype=torch.long, device=term.device)
            places[0], places[-1] = 0, 2
            term = term.index_select(axis, places)
    return term


@DISCRIMINATORS.register_module()
class FrameDiscriminator(_ConvStack):
    """Five 4x4 convolutions on single frames, global output (DTGAN's D_s, ImaGINator's D_I)."""

    sample_type = "frames"
    convolution, batch_norm = nn.Conv2d, nn.BatchNorm2d

    def _last(self, width: int, out_channels: int) -> nn.Module:
        return nn.Conv2d(width, out_channels, self.side)


@DISCRIMINATORS.register_module()
class VideoDiscriminator(_ConvStack):
    """4x4x4 stride-2 3D convolutions on clips, then one over ``last_length`` of the steps that remain in time; where
    more remain, every stretch has a logit of its own. With a last length of 2 and 32 frames D_V of ImaGINator.

    Raises:
        ConfigError: when a clip is too short for the number of blocks.
    """

    sample_type = "clip"
    convolution, batch_norm = nn.Conv3d, nn.BatchNorm3d

    def __init__(self, *, last_length: int = 1, **shared):
        self.last_length = last_length
        super().__init__(**shared)

    @property
    def min_frames(self) -> int:
        """The least number of frames that it judges."""
        return self.last_length << len(self.blocks)

    def _last(self, width: int, out_channels: int) -> nn.Module:
        return nn.Conv3d(width, out_channels, (self.last_length, self.side, self.side))

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> SharedFeatures:
        """As documented above, for (N, C, T, H, W)."""
        if sample.shape[2] < self.min_frames:
            raise ConfigError(
                f"VideoDiscriminator needs clips of {self.min_frames} frames or more, got {sample.shape[2]}"
            )
        return super().shared_features(sample, maps)


@DISCRIMINATORS.register_module()
class VectorDiscriminator(DiscriminatorNetwork):
    """A perceptron of three layers on vectors (DTGAN's D_d; its widths are ours).

    Raises:
        ConfigError: if asked to condition on an image or on maps.
    """

    sample_type = "vector"

    def __init__(
        self,
        in_channels: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        widths: tuple[int, int] = (256, 128),
        norm: str | None = None,
    ):
        super().__init__()
        check_norm(norm)
        if map_channels:
            raise ConfigError("VectorDiscriminator cannot be conditioned on an image or on maps")
        layers: list[nn.Module] = []
        for width_in, width in zip((in_channels + label_size, *widths), widths, strict=False):
            layers += [
                nn.Linear(width_in, width),
                *([nn.BatchNorm1d(width)] if norm == "batch" else []),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))
        self.to_class = nn.Linear(widths[-1], num_classes) if num_classes else None
        if norm == "spectral":
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    spectral_norm(layer)

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: None = None) -> Tensor:
        """Logits (N, 1) of vectors (N, D) and one-hot labels (N, L)."""
        return self.layers(_with_label(sample, label))

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: None = None) -> Tensor:
        """Class logits (N, num_classes) of the same."""
        return self.to_class(self.layers[:-1](_with_label(sample, label)))


def _with_label(sample: Tensor, label: Tensor | None) -> Tensor:
    return sample if label is None else torch.cat([sample, label.to(sample.dtype)], dim=1)


def repeat_over_time(image: Tensor, length: int) -> Tensor:
    """An image (N, C, H, W) as a still clip (N, C, T, H, W)."""
    return repeat(image, "n c h w -> n c t h w", t=length)
