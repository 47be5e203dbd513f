"""Embedder of videos with I3D."""

from __future__ import annotations

import hashlib
import warnings

import torch
from torch import Tensor

from i2vkit.errors import CheckpointError
from i2vkit.evaluation.embedders.interfaces import VideoEmbedder
from i2vkit.registry import VIDEO_EMBEDDERS
from i2vkit.utils.weight_files import WeightFile

# The file that StyleGAN-V publishes. Several projects state this hash.
I3D = WeightFile(
    "https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt",
    "bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
)


@VIDEO_EMBEDDERS.register_module()
class I3dEmbedder(VideoEmbedder):
    """An embedder with I3D of Kinetics-400 as TorchScript, which maps a video to 400 numbers before the softmax.

    The script takes videos (N, 3, T, H, W) with values from 0 to 255 and the arguments ``rescale``, ``resize`` (to 224
    x 224) and ``return_features``. TorchScript is a program, so no file runs before its hash has been checked.

    Args:
        path: The path of the file. By default ``data/extractors/i3d_torchscript.pt``.
        sha256: The SHA-256 of the file, if it is not StyleGAN-V's.

    Raises:
        MissingWeightsError: The file does not exist.
        CheckpointError: The file has another hash, or is no TorchScript.
    """

    min_frames = 10  # its last pooling needs two steps, eight frames apart
    name = "I3D, 400"

    def __init__(self, path: str | None = None, sha256: str | None = None) -> None:
        file = I3D.find(path, sha256)
        self.hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        with warnings.catch_warnings():  # torch calls TorchScript deprecated, but I3D is published in no other form
            warnings.simplefilter("ignore")
            try:
                self.network = torch.jit.load(file, map_location=self.device).eval()
            except RuntimeError as error:
                raise CheckpointError(f"{file} is not a TorchScript file: {str(error).splitlines()[0]}") from error

    @torch.no_grad()
    def __call__(self, video: Tensor) -> Tensor:
        """Return the vector (D,) of a video (3, T, H, W), uint8."""
        videos = video[None].to(self.device).float()
        return self.network(videos, rescale=True, resize=True, return_features=True).flatten().float().cpu()
