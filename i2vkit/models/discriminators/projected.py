"""Discriminators that look through the frozen features of an image network (Projected GANs)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.discriminators.networks import check_norm
from i2vkit.models.layers.frozen_features import FrozenFeatures
from i2vkit.registry import DISCRIMINATORS


@dataclass(frozen=True)
class ProjectedFeatures:
    """The features of samples before the label joins.

    Attributes:
        maps: (N * groups, C_i, H_i, W_i), fine to coarse.
        groups: Number of feature maps of each sample, for instance the pairs of frames of a clip.
    """

    maps: list[Tensor]
    groups: int


class _ScaleDiscriminator(nn.Module):
    """Logits from maps of one scale: strided 4x4 convolutions, one 3x3 convolution, and a 1x1 convolution on top."""

    def __init__(self, in_channels: int, halvings: int, hidden: int, num_classes: int, norm: str | None):
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(halvings + 1):
            kernel, stride = (4, 2) if i < halvings else (3, 1)
            normed = norm == "batch" and i > 0  # not behind the first convolution, as in DCGAN
            convolution = nn.Conv2d(in_channels if i == 0 else hidden, hidden, kernel, stride, 1, bias=not normed)
            layers += [convolution, *([nn.BatchNorm2d(hidden)] if normed else []), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.to_score = nn.Conv2d(hidden, 1, 1)
        self.to_class = nn.Conv2d(hidden, num_classes, 1) if num_classes else None
        if norm == "spectral":
            for layer in list(self.modules()):
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def class_logits(self, x: Tensor) -> Tensor:
        """Return class logits (N, num_classes) from the output of ``layers``, the mean over its places."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        return self.to_class(x).flatten(2).mean(dim=2)  # (N, num_classes, H, W) -> (N, num_classes)


class ProjectedDiscriminator(DiscriminatorNetwork):
    """Small discriminators, one for each scale, on frozen features that random projections have mixed.

    All scales are brought to the side of the coarsest map, so that each has as many logits as the others. The label
    joins as constant maps. Condition images and maps join as their means over the places of each scale.

    Source: Sauer et al., "Projected GANs Converge Faster" (2021), sec. 3. Ours: the sizes of the small discriminators,
    the conditions, and how maps are mixed in detail (``RandomMixing``). The paper scales small images up to the size
    that the network was trained on, which ``resize`` does.

    Args:
        image_size: Side of the frames, in pixels.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Channels of condition images or maps; 0 if there are none.
        num_classes: Number of classes; 0 unless it classifies.
        backbone: A network of timm. The weights of the default come with the extra ``projected``.
        out_indices: As of ``FrozenBackbone``.
        weights: As of ``FrozenBackbone``.
        sha256: As of ``FrozenBackbone``.
        pretrained: As of ``FrozenBackbone``.
        resize: As of ``FrozenFeatures``.
        scales: As of ``FrozenFeatures``.
        width: As of ``FrozenFeatures``.
        max_width: As of ``FrozenFeatures``.
        hidden: Channels of the small discriminators.
        norm: "batch", "spectral" or None, in the small discriminators.
        seed: As of ``FrozenFeatures``.

    Raises:
        ConfigError: If timm does not have the backbone, it gives no maps of images of this size, or its weights are not
            known; and for samples that are not colour frames.
    """

    sample_type: str
    frames: ClassVar[int]  # successive frames whose features are judged together

    def __init__(
        self,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        backbone: str = "tf_efficientnet_lite0",
        out_indices: tuple[int, ...] | None = None,
        weights: str | Path | None = None,
        sha256: str | None = None,
        pretrained: bool = True,
        resize: int | None = None,
        scales: int = 4,
        width: int = 64,
        max_width: int = 512,
        hidden: int = 128,
        norm: str | None = "spectral",
        seed: int = 0,
    ):
        super().__init__()
        check_norm(norm)
        self.features = FrozenFeatures(
            image_size, backbone, out_indices, weights, sha256, pretrained, resize, scales, width, max_width, seed
        )
        coarsest = self.features.strides[-1]  # all scales are brought to its side
        self.heads = nn.ModuleList(
            _ScaleDiscriminator(
                in_channels=self.frames * (channels + map_channels) + label_size,
                halvings=(coarsest // stride).bit_length() - 1,  # down to the side of the coarsest map
                hidden=hidden,
                num_classes=num_classes,
                norm=norm,
            )
            for channels, stride in zip(self.features.mixing.widths, self.features.strides, strict=True)
        )

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, ...) of samples (N, 3, [T,] H, W), one-hot labels (N, L) and maps (N, M, [T,] H, W)."""
        return self.score(self.shared_features(sample, maps), label)

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> ProjectedFeatures:
        """Return the features of samples, which serve for several labels."""
        raise NotImplementedError

    def score(self, shared: ProjectedFeatures, label: Tensor | None) -> Tensor:
        """Return logits (N, groups * scales * places) of shared features and one-hot labels (N, L)."""
        features = self._judged(shared, label)
        # (N * groups, 1, h, w) -> (N * groups, h * w), the same h and w at all scales.
        logits = [head.to_score(x).flatten(1) for head, x in zip(self._scales(), features, strict=True)]
        return rearrange(torch.cat(logits, dim=1), "(n g) k -> n (g k)", g=shared.groups)

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes), the mean over scales and places."""
        shared = self.shared_features(sample, maps)  # N * groups maps a scale
        features = self._judged(shared, label)
        logits = [head.class_logits(x) for head, x in zip(self._scales(), features, strict=True)]
        # (scales, N * groups, num_classes) -> (N, num_classes)
        return rearrange(torch.stack(logits).mean(dim=0), "(n g) k -> n g k", g=shared.groups).mean(dim=1)

    def _scales(self) -> list[_ScaleDiscriminator]:
        """Return the small discriminators, fine to coarse."""
        return list(self.heads)  # type: ignore[arg-type]  # a ModuleList has no type of its elements

    def _judged(self, shared: ProjectedFeatures, label: Tensor | None) -> list[Tensor]:
        """Return the maps that the last layers of each scale read."""
        found = []
        for head, x in zip(self._scales(), shared.maps, strict=True):
            if label is not None:
                # (N, L) -> (N * groups, L) -> (N * groups, L, H_i, W_i)
                own = label.to(x.dtype).repeat_interleave(shared.groups, dim=0)
                x = torch.cat([x, own[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)
            found.append(head.layers(x))  # (N * groups, hidden, h, w)
        return found

    def _features(self, frames: Tensor, maps: Tensor | None) -> list[Tensor]:
        """Return frozen features of frames (N, 3, H, W), fine to coarse, each joined with the condition maps."""
        if frames.shape[1] != 3:
            raise ConfigError(f"{type(self).__name__} looks at colour frames of 3 channels, not of {frames.shape[1]}")
        features = self.features(frames)  # (N, C_i, H_i, W_i), fine to coarse
        if maps is None:
            return features
        # Condition maps (N, M, H, W) in the size of each level: (N, M, H_i, W_i).
        maps = self.features.resized(maps.to(frames.dtype))
        shrunk = [functional.avg_pool2d(maps, stride) for stride in self.features.strides]
        return [torch.cat(pair, dim=1) for pair in zip(features, shrunk, strict=True)]  # (N, C_i + M, H_i, W_i)


@DISCRIMINATORS.register_module()
class ProjectedFrameDiscriminator(ProjectedDiscriminator):
    """A discriminator on single frames, seen through the frozen features of an image network.

    Its arguments are those of ``ProjectedDiscriminator``.

    Source: Sauer et al., 2021, sec. 3.
    """

    sample_type, frames = "frames", 1

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> ProjectedFeatures:
        """Return the features of frames (N, 3, H, W)."""
        return ProjectedFeatures(self._features(sample, maps), groups=1)  # one feature map a frame


@DISCRIMINATORS.register_module()
class ProjectedPairDiscriminator(ProjectedDiscriminator):
    """A discriminator on every two successive frames of a clip, by the frozen features of both side by side.

    So it judges motion. With the view ``FramePairs`` these are two frames at a distance. In a longer clip each frame is
    judged with the next. Its arguments are those of ``ProjectedDiscriminator``.

    Source: Ours, after the discriminator on single frames of Sauer et al., 2021.
    """

    sample_type, frames = "clip", 2
    min_frames = 2

    def shared_features(self, sample: Tensor, maps: Tensor | None = None) -> ProjectedFeatures:
        """Return the features of the pairs of frames of clips (N, 3, T, H, W)."""
        if sample.shape[2] < 2:
            raise ConfigError("ProjectedPairDiscriminator needs clips of 2 frames or more, got 1")
        # The network sees single frames: (N, C, T, H, W) -> (N * T, C, H, W).
        apart = None if maps is None else rearrange(maps, "n m t h w -> (n t) m h w")
        features = self._features(rearrange(sample, "n c t h w -> (n t) c h w"), apart)
        pairs = []
        for level in features:
            level = rearrange(level, "(n t) c h w -> n t c h w", n=len(sample))
            # Each frame beside the next one.
            both = torch.cat([level[:, :-1], level[:, 1:]], dim=2)  # (N, T - 1, 2 C, H, W)
            pairs.append(both.flatten(0, 1))  # (N * (T - 1), 2 C, H, W)
        return ProjectedFeatures(pairs, groups=sample.shape[2] - 1)
