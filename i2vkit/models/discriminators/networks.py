"""Discriminator networks: from samples of one type and a condition to logits.

A network gives one or more logits of a sample being real and, if it is built with ``num_classes``, those of its class.
Its discriminator builds it with ``in_channels`` of the samples, ``label_size`` (one-hot label, 0 if none),
``map_channels`` (condition images or maps, 0 if none) and ``num_classes``. ``norm`` is "batch", "spectral" or None.
"""

from dataclasses import dataclass
from typing import Any

import torch
from einops import repeat
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.layers.forms import TwoForms
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.registry import DISCRIMINATORS


def check_norm(norm: str | None) -> None:
    """Raise ``ConfigError`` unless ``norm`` is one that discriminators have."""
    if norm not in ("batch", "spectral", None):
        raise ConfigError(f'norm is "batch", "spectral" or None, not {norm!r}')


@dataclass(frozen=True)
class SharedFeatures:
    """The features of samples before the label joins.

    Attributes:
        features: (N, C, ...), the output of the first block. With ``label_weight`` it is the output of the convolution
            after it, without the part of the label.
        label_weight: The weight (O, L, ...) that this convolution applies to the label, or None.
        sides: The sides of the maps that enter this convolution.
    """

    features: Tensor
    label_weight: Tensor | None = None
    sides: tuple[int, ...] = ()


class _ConvStack(TwoForms, DiscriminatorNetwork):
    """Strided 4x4(x4) convolutions, then one over the rest; the label enters as maps behind the first block.

    Such maps are constant, so they enter the second convolution as one extra term. The reference form joins them to the
    features as they are.
    """

    sample_type: str
    convolution: type[nn.Conv2d] | type[nn.Conv3d]
    batch_norm: type[nn.Module]
    stride: Any = 2  # of the blocks, one number for all axes, or one for each
    padding: Any = 1

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        norm: str | None = "batch",
        initial_weights: InitialWeights = 0.02,
    ):
        super().__init__()
        check_norm(norm)
        self.label_size = label_size
        self.side = image_size >> len(widths)  # of the last maps, in pixels
        if self.side < 1:
            raise ConfigError(
                f"{type(self).__name__} cannot halve {image_size} pixels {len(widths)} times: give fewer widths"
            )
        self.blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            # Maps enter with the sample, the label behind the first block.
            width_in = in_channels + map_channels if i == 0 else widths[i - 1] + (label_size if i == 1 else 0)
            normed = norm == "batch" and i > 0
            # A bias before a batch norm would have no effect.
            layers: list[nn.Module] = [
                self.convolution(width_in, width, 4, stride=self.stride, padding=self.padding, bias=not normed)
            ]
            layers += [self.batch_norm(width)] if normed else []
            # In place: else every map is kept twice for the backward pass.
            self.blocks.append(nn.Sequential(*layers, nn.LeakyReLU(0.2, inplace=True)))
        last = widths[-1] + (label_size if len(widths) == 1 else 0)  # with one block the label joins behind it
        self.to_score = self._last(last, 1)
        self.to_class = self._last(last, num_classes) if num_classes else None
        init_weights_(self, initial_weights)
        if norm == "spectral":
            lasts = [layer for layer in (self.to_score, self.to_class) if layer is not None]
            convolutions = [block[0] for block in self.blocks]  # type: ignore[index]  # blocks are Sequentials
            for layer in [*convolutions, *lasts]:
                spectral_norm(layer)

    def _last(self, width: int, out_channels: int) -> nn.Module:
        """Return the layer that reads the last maps."""
        raise NotImplementedError

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, ...) of samples (N, C, [T,] H, W), one-hot labels (N, L) and maps (N, M, [T,] H, W)."""
        return self.score(self.shared_features(sample, maps), label)

    def score(self, shared: SharedFeatures, label: Tensor | None) -> Tensor:
        """Return logits (N, ...) from the output of ``shared_features`` and one-hot labels (N, L)."""
        return self.to_score(self._finish(shared, label)).flatten(1)  # (N, 1, [T',] 1, 1) -> (N, T')

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes), the mean over the places where there are several."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        # (N, num_classes, [T',] 1, 1) -> (N, num_classes)
        return self.to_class(self.features(sample, label, maps)).flatten(2).mean(dim=2)

    def features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return the maps (N, C, ...) that the last layers read."""
        return self._finish(self.shared_features(sample, maps), label)

    def block_features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> list[Tensor]:
        """Return the outputs (N, C_i, ...) of all blocks, fine to coarse."""
        x = sample if maps is None else torch.cat([sample, maps], dim=1)
        found = []
        for i, block in enumerate(self.blocks):
            if i == 1 and label is not None:
                # (N, C, ...) and (N, L, ...) -> (N, C + L, ...)
                x = torch.cat([x, _as_maps(label.to(x.dtype), tuple(x.shape[2:]))], dim=1)
            x = block(x)
            found.append(x)
        return found

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> SharedFeatures:
        """Return the features that do not depend on the label. They serve for several labels of the same samples."""
        x = self.blocks[0](sample if maps is None else torch.cat([sample, maps], dim=1))
        # ``_label_term`` knows blocks that halve every axis.
        if self.takes_reference(x) or not self.label_size or len(self.blocks) == 1 or self.stride != 2:
            return SharedFeatures(x)
        # The second convolution is linear: the part of the sample now, that of the label in ``score``.
        convolution = self.blocks[1][0]  # type: ignore[index]  # blocks are Sequentials
        # (O, I + L, 4, 4[, 4]) -> (O, I, ...) and (O, L, ...)
        weight, label_weight = convolution.weight.split([x.shape[1], self.label_size], dim=1)
        return SharedFeatures(_convolved(convolution, x, weight, None), label_weight, tuple(x.shape[2:]))

    def _finish(self, shared: SharedFeatures, label: Tensor | None) -> Tensor:
        """Return the maps that the last layers read, once the label has joined."""
        x, rest = shared.features, list(self.blocks[1:])  # everything behind the first block
        if shared.label_weight is not None:
            assert label is not None, "a network that was built with a label is called with one"
            block: Any = rest.pop(0)  # a Sequential, which the type of a ModuleList does not say
            convolution, *layers = block
            x = x + _label_term(shared, label.to(x.dtype), convolution)
            for layer in layers:  # batch norm and activation of the second block
                x = layer(x)
        elif label is not None:
            # (N, C, ...) and (N, L, ...) -> (N, C + L, ...)
            x = torch.cat([x, _as_maps(label.to(x.dtype), tuple(x.shape[2:]))], dim=1)
        for block in rest:
            x = block(x)
        return x


def _convolved(layer: nn.Conv2d | nn.Conv3d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``x`` through ``layer`` with another weight and bias."""
    function = functional.conv2d if x.dim() == 4 else functional.conv3d  # frames or clips
    return function(x, weight, bias, layer.stride, layer.padding)


def _as_maps(label: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return labels (N, L) at every place: (N, L, *sides)."""
    # (N, L) -> (N, L, 1, ...) -> (N, L, *sides), without a copy
    return label[(..., *[None] * len(sides))].expand(-1, -1, *sides)


def _label_term(shared: SharedFeatures, label: Tensor, convolution: nn.Conv2d | nn.Conv3d) -> Tensor:
    """Return the part that maps of ``label`` (N, L) add to the output of ``convolution``, with its bias.

    For a 4x4(x4) convolution of stride 2 and padding 1 it is the same everywhere but at the two ends of an axis. Maps
    of 6 or 7 pixels, which become 3, show all cases.
    """
    assert shared.label_weight is not None, "shared features with a split convolution have the label's weight"
    small = tuple(side if side < 8 else 6 + side % 2 for side in shared.sides)
    term = _convolved(convolution, _as_maps(label, small), shared.label_weight, convolution.bias)
    for axis, side in enumerate(shared.sides, start=2):
        if side >= 8:
            # The first place, copies of the middle one, the last place: 3 places -> side / 2 places.
            # Comparisons and no assignments of numbers, which a GPU would wait for.
            place = torch.arange(side // 2, device=term.device)
            term = term.index_select(axis, (place > 0).long() + (place == side // 2 - 1))
    return term


@DISCRIMINATORS.register_module()
class FrameDiscriminator(_ConvStack):
    """Five 4x4 convolutions on single frames, with one logit a frame (DTGAN's D_s, ImaGINator's D_I).

    With ``patches`` the last convolution is one of the others, 4x4 with stride 2, and every patch of the frame has a
    logit of its own. With widths 64-128-256 it is then the image discriminator of MoCoGAN's released code.

    Ours:
        when norm="spectral": spectral norm starts from 15 power iterations, and makes one more in each phase

    Args:
        in_channels: Channels of the samples.
        image_size: Side of the frames, in pixels.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Channels of condition images or maps; 0 if there are none.
        num_classes: Number of classes; 0 unless it classifies.
        widths: Channels of the blocks; each halves the maps.
        norm: "batch", "spectral" or None.
        initial_weights: Standard deviation of the initial weights, as in DCGAN, or "torch" for torch's own.
        patches: True gives one logit for each patch.

    Raises:
        ConfigError: If the frames cannot be halved as often as there are widths, and once more for patches.

    Examples:
        >>> network = FrameDiscriminator(in_channels=3, image_size=16, label_size=2, widths=(4, 8))
        >>> network(torch.zeros(5, 3, 16, 16), torch.eye(2)[[0, 1, 0, 1, 0]]).shape
        torch.Size([5, 1])
    """

    sample_type = "frames"
    convolution, batch_norm = nn.Conv2d, nn.BatchNorm2d

    def __init__(self, *, patches: bool = False, **shared: Any):
        self.patches = patches  # the base class builds the last layer with it
        super().__init__(**shared)

    def _last(self, width: int, out_channels: int) -> nn.Module:
        if not self.patches:
            return nn.Conv2d(width, out_channels, self.side)  # over the whole of the last maps: one logit
        if self.side < 2:
            raise ConfigError("FrameDiscriminator with patches halves the frames once more: give fewer widths")
        return nn.Conv2d(width, out_channels, 4, stride=2, padding=1)


@DISCRIMINATORS.register_module()
class VideoDiscriminator(_ConvStack):
    """4x4x4 stride-2 3D convolutions on clips, then one over ``last_length`` of the remaining steps in time.

    Where more steps remain, every stretch of them has a logit of its own. With a last length of 2 and 32 frames it is
    D_V of ImaGINator. With ``halves_time=False`` every frame counts in every block, as in MoCoGAN's released code: a
    block takes three steps off the ends, so that 16 frames become 13, 10, 7 and 4, which a last length of 4 covers.

    Ours:
        when norm="spectral": spectral norm starts from 15 power iterations, and makes one more in each phase

    Args:
        last_length: Number of steps that the last convolution covers.
        halves_time: False keeps the frame rate: stride 1 in time, without padding.
        shared: Arguments of ``FrameDiscriminator``, without ``patches``.

    Raises:
        ConfigError: If a clip is too short for the number of blocks.
    """

    sample_type = "clip"
    convolution, batch_norm = nn.Conv3d, nn.BatchNorm3d

    def __init__(self, *, last_length: int = 1, halves_time: bool = True, **shared: Any):
        self.last_length = last_length  # the base class builds the layers with these
        if not halves_time:
            self.stride, self.padding = (1, 2, 2), (0, 1, 1)  # time, height, width
        self.halves_time = halves_time
        super().__init__(**shared)

    @property
    def min_frames(self) -> int:  # type: ignore[override]  # it follows from the arguments, and nothing sets it
        """The least number of frames that it judges."""
        if self.halves_time:
            return self.last_length << len(self.blocks)
        return self.last_length + 3 * len(self.blocks)  # every block takes 3 steps, its kernel has 4

    def _last(self, width: int, out_channels: int) -> nn.Module:
        return nn.Conv3d(width, out_channels, (self.last_length, self.side, self.side))  # one logit a stretch of time

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> SharedFeatures:
        """Return the features of clips (N, C, T, H, W) that do not depend on the label."""
        if sample.shape[2] < self.min_frames:
            raise ConfigError(
                f"VideoDiscriminator needs clips of {self.min_frames} frames or more, got {sample.shape[2]}"
            )
        return super().shared_features(sample, maps)


@DISCRIMINATORS.register_module()
class VectorDiscriminator(DiscriminatorNetwork):
    """A perceptron of three layers on vectors (DTGAN's D_d; its widths are ours).

    Args:
        in_channels: Size of the vectors.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Must be 0.
        num_classes: Number of classes; 0 unless it classifies.
        widths: Units of the two hidden layers.
        norm: "batch", "spectral" or None.

    Raises:
        ConfigError: If it is to be conditioned on an image or on maps.
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
        # The label enters with the sample.
        for width_in, width in zip((in_channels + label_size, *widths), widths, strict=False):
            layers += [
                nn.Linear(width_in, width),
                *([nn.BatchNorm1d(width)] if norm == "batch" else []),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))
        self.to_class = nn.Linear(widths[-1], num_classes) if num_classes else None  # reads the last hidden layer
        if norm == "spectral":
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    spectral_norm(layer)

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, 1) of vectors (N, D) and one-hot labels (N, L)."""
        return self.layers(_with_label(sample, label))  # (N, D + L) -> (N, 1)

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes) of vectors (N, D) and one-hot labels (N, L)."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        return self.to_class(self.layers[:-1](_with_label(sample, label)))


def _with_label(sample: Tensor, label: Tensor | None) -> Tensor:
    # (N, D) and (N, L) -> (N, D + L)
    """Return vectors (N, D) with their labels (N, L) appended."""
    return sample if label is None else torch.cat([sample, label.to(sample.dtype)], dim=1)


def repeat_over_time(image: Tensor, length: int) -> Tensor:
    """Return an image (N, C, H, W) as a static clip (N, C, T, H, W)."""
    return repeat(image, "n c h w -> n c t h w", t=length)
