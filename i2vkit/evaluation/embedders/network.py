"""Who is seen, by any network of the user's."""

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

CHUNK = 16  # frames that the network sees at a time


@EMBEDDERS.register_module()
class NetworkEmbedder(Embedder):
    """A registered module that makes vectors (N, D) of frames (N, 3, size, size) in [-1, 1].

    Args:
        network: the module, ``dict(type=..., ...)``, of the registry ``MODELS``.
        weights: its state dict; without one it stays as it is built.
        sha256: of that file.
        size: side that frames are scaled to; theirs by default.

    Raises:
        MissingWeightsError: there is no such file.
        CheckpointError: it is another file, or holds other weights.
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
        """Frames of a video (3, T, H, W) uint8 -> (T, D)."""
        frames = rearrange(video, "c t h w -> t c h w").float() / 127.5 - 1
        if self.size is not None:
            frames = functional.interpolate(frames, (self.size, self.size), mode="bilinear", antialias=True)
        return torch.cat([self.network(part) for part in frames.split(CHUNK)]).flatten(1).cpu()
