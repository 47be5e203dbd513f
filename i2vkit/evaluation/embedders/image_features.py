"""Embedder of videos with an image network, which sees one frame at a time."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor
from torch.nn import functional

from i2vkit.evaluation.embedders.interfaces import VideoEmbedder
from i2vkit.models.layers.frozen_features import FrozenBackbone
from i2vkit.registry import VIDEO_EMBEDDERS

CHUNK = 32  # frames that the network processes at a time
# Frames whose vectors are kept. Static baselines, and several videos with one truth, contain the same frames often.
REMEMBERED = 4096


@VIDEO_EMBEDDERS.register_module()
class ImageFeaturesEmbedder(VideoEmbedder):
    """An embedder with an image network of timm, which maps a video to the mean of the features of its frames.

    The features of a frame are the network's last map, averaged over its pixels. The mean over frames is the same in
    any order, so this embedder sees the poses of a video, but not how they follow each other. By default the network is
    EfficientNet-Lite0, whose weights come with the extra ``projected`` and need no download from elsewhere.

    Args:
        backbone: timm's name of the network, as in ``FrozenBackbone``.
        weights: A file of its weights, as in ``FrozenBackbone``. By default that of the extra ``projected``.
        sha256: The SHA-256 of that file, as in ``FrozenBackbone``.
        pretrained: If false, the network stays as timm initialises it.
        size: The side of the frames that the network gets, in pixels. By default 96.

    Raises:
        MissingWeightsError: The file does not exist. The message says how to get it.
        CheckpointError: The file has another hash, or contains other weights.
        ConfigError: There is no such network, or no weights of it are known.
    """

    min_frames = 1

    def __init__(
        self,
        backbone: str = "tf_efficientnet_lite0",
        weights: str | None = None,
        sha256: str | None = None,
        pretrained: bool = True,
        size: int = 96,
    ) -> None:
        self.network, self.size = FrozenBackbone(backbone, size, None, weights, sha256, pretrained), size
        self.network.load_pretrained()
        self.name = f"{backbone}, {self.network.deepest[0]}, mean of frames"
        file = self.network.file
        self.hashes = {} if file is None or file.sha256 is None else {backbone: file.sha256}
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network.to(self.device)
        self._known: dict[bytes, Tensor] = {}

    @torch.no_grad()
    def __call__(self, video: Tensor) -> Tensor:
        """Return the vector (D,) of a video (3, T, H, W), uint8."""
        frames = video.transpose(0, 1).contiguous()  # (3, T, H, W) -> (T, 3, H, W): frames are the batch
        keys = [hashlib.sha256(frame.cpu().numpy().tobytes()).digest() for frame in frames]
        known = {key: self._known[key] for key in keys if key in self._known}
        places = {key: place for place, key in enumerate(keys) if key not in known}
        if places:
            known |= zip(places, self._vectors(frames[list(places.values())]), strict=True)
        for key in keys:
            self._known[key] = self._known.pop(key, known[key])  # the latest ones are the last
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return torch.stack([known[key] for key in keys]).mean(dim=0)

    def _vectors(self, frames: Tensor) -> Tensor:
        """Return the vectors (N, D) of frames (N, 3, H, W), uint8."""
        frames = frames.to(self.device).float() / 127.5 - 1  # [0, 255] becomes [-1, 1]
        frames = functional.interpolate(frames, (self.size, self.size), mode="bilinear", antialias=True)
        return torch.cat([self.network(part)[1].mean(dim=(2, 3)) for part in frames.split(CHUNK)]).cpu()
