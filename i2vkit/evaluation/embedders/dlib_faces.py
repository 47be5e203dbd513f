"""Embedder of faces with dlib's network for face recognition."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.evaluation.embedders.interfaces import Embedder
from i2vkit.preparation.dlib_detector import DlibFaceDetector, dlib_installed
from i2vkit.registry import EMBEDDERS
from i2vkit.utils.package_folders import package_folder
from i2vkit.utils.weight_files import MissingWeightsError

_WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"


@EMBEDDERS.register_module()
class DlibEmbedder(Embedder):
    """An embedder with dlib's ResNet, which maps a face to 128 numbers. Images of one person are closer than 0.6.

    It needs the extra ``faces``. FRGAN uses OpenFace, which is no longer maintained. Its numbers are on another scale
    and cannot be compared. The face is searched for on the first frame, and then near its last position. If none has
    been found, the face is assumed to fill the frame, as in prepared clips of faces.

    Raises:
        MissingWeightsError: The extra is not installed. The message says how to install it.
    """

    name = "dlib ResNet, 128"

    def __init__(self) -> None:
        if not dlib_installed():
            raise MissingWeightsError("the embedder of faces is not installed: pip install 'i2vkit[faces]'")
        import dlib

        path = package_folder("face_recognition_models") / "models" / _WEIGHTS
        self.hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
        self._dlib, self._network, self._faces = dlib, dlib.face_recognition_model_v1(str(path)), DlibFaceDetector()

    def __call__(self, video: Tensor) -> Tensor:
        """Return vectors (T, 128) of the frames of a video (3, T, H, W), uint8."""
        # (3, T, H, W) -> (T, H, W, 3), contiguous as dlib needs it.
        box, vectors = None, []
        for frame in np.ascontiguousarray(rearrange(video.cpu().numpy(), "c t h w -> t h w c")):
            found = self._faces.faces(frame, box)
            # Without a face on this frame the last box is still the best guess.
            if box is None or len(found):
                box = found[0] if len(found) else _whole(frame)
            points = self._faces.landmarks(frame, box).round().astype(int).tolist()
            corners = self._dlib.rectangle(*np.rint(box).astype(int).tolist())
            shape = self._dlib.full_object_detection(corners, [self._dlib.point(*point) for point in points])
            vectors.append(np.array(self._network.compute_face_descriptor(frame, shape)))
        return torch.from_numpy(np.stack(vectors)).float()


def _whole(frame: np.ndarray) -> np.ndarray:
    """Return the box (4,) of a face that fills a frame, as in prepared clips."""
    height, width = frame.shape[:2]
    return np.array([0.1 * width, 0.2 * height, 0.9 * width, 0.95 * height])
