"""Embedder of frames with any network of the user."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.engine.checkpoints import check_hash, load_weights
from i2vkit.evaluation.embedders.interfaces import Embedder
from i2vkit.registry import EMBEDDERS, MODELS, build_part
from i2vkit.utils.weight_files import MissingWeightsError

CHUNK = 16  # frames that the network processes at a time


@EMBEDDERS.register_module()
class NetworkEmbedder(Embedder):
    """An embedder with a registered module that maps frames (N, 3, size, size) in [-1, 1] to vectors (N, D).

    Args:
        network: The module as ``dict(type=..., ...)`` from the registry ``MODELS``.
        weights: The path of its state dict. By default it keeps its initial weights.
        sha256: The SHA-256 of that file. By default it is not checked.
        size: The side in pixels to which frames are resized. By default they keep their size.

    Raises:
        MissingWeightsError: The file does not exist.
        CheckpointError: The file has another hash, or contains other weights.
    """

    def __init__(
        self, network: dict, weights: str | None = None, sha256: str | None = None, size: int | None = None
    ) -> None:
        self.network, self.size = build_part(MODELS, network), size
        self.name, self.hashes = type(self.network).__name__, {}
        if weights is not None:
            path = Path(weights).expanduser()
            if not path.is_file():
                raise MissingWeightsError(f"there is no {path.absolute()}: put the weights of {self.name} there")
            if sha256 is not None:
                check_hash(path, sha256)
            load_weights(self.network, path)
            self.hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
        self.network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, video: Tensor) -> Tensor:
        """Return vectors (T, D) of the frames of a video (3, T, H, W), uint8."""
        # The frames are the batch of the network, and [0, 255] becomes [-1, 1].
        frames = rearrange(video, "c t h w -> t c h w").float() / 127.5 - 1
        if self.size is not None:
            frames = functional.interpolate(frames, (self.size, self.size), mode="bilinear", antialias=True)
        return torch.cat([self.network(part) for part in frames.split(CHUNK)]).flatten(1).cpu()
