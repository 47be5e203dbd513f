"""The conversion of collated samples to a ``VideoBatch``, and of videos to bytes."""

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from i2vkit.datasets.collation import stack_inputs
from i2vkit.errors import TrainingError
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

# The fields that hold pixels or condition maps. They arrive as 0..255, which becomes [-1, 1].
VIDEOS = ("driving", "image_video", "image", "driving_maps", "image_maps")


def to_uint8(video: Tensor) -> Tensor:
    """Return values in [-1, 1] as uint8 in 0..255, rounded. Values outside are clipped.

    >>> to_uint8(torch.tensor([-1.0, 0.0, 1.0, 2.0])).tolist()
    [0, 128, 255, 255]
    """
    # -1 -> 0 and 1 -> 255. Without rounding, the conversion would truncate.
    return ((video.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def from_uint8(video: Tensor) -> Tensor:
    """Return values in 0..255 as float in [-1, 1].

    >>> from_uint8(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    [-1.0, 1.0]
    """
    return video.float() / 127.5 - 1


def check_values(name: str | None, video: Tensor, slack: float = 0.01) -> None:
    """Raise ``TrainingError`` unless all values of a video are finite and in [-1, 1].

    ``to_uint8`` would hide both errors: it clips values outside, and NaN becomes black.

    Args:
        name: Name of the video, for the message.
        video: A video (C, T, H, W).
        slack: Tolerance at both ends, since bf16 may round values beyond them. The default is about one grey level.

    Raises:
        TrainingError: The message has the name and the first wrong frame.
    """
    wrong = ~torch.isfinite(video).all(dim=0).flatten(1).all(dim=1)  # (C, T, H, W) -> (T, H, W) -> (T, H W) -> (T,)
    if wrong.any():
        # Before the check of the range, which NaN would pass.
        raise TrainingError(
            f"the video generated for '{name}' is not finite, first in frame {int(wrong.nonzero()[0])}: is the "
            "checkpoint sound?"
        )
    beyond = (video.abs().amax(dim=(0, 2, 3)) > 1 + slack).nonzero()  # (C, T, H, W) -> (T,) -> (frames, 1)
    if len(beyond):
        raise TrainingError(
            f"the video generated for '{name}' has values of {video.min():.3g} to {video.max():.3g}, beyond [-1, 1], "
            f"first in frame {int(beyond[0])}: conversion to bytes would clip them; take a head that keeps to the range"
        )


@MODELS.register_module()
class ClipPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device, with one copy for each field, and scales all frames to [-1, 1] there.

    Videos are copied as uint8. Samples stay where they are, since no model reads their videos.

    Args:
        non_blocking: True lets copies from pinned memory run while the training step is issued. It makes no difference
            for other memory.
    """

    def __init__(self, non_blocking: bool = True):
        super().__init__(non_blocking)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return ``dict(clip=VideoBatch, samples=list)`` for a batch.

        Args:
            data: ``dict(inputs=..., data_samples=list)``. The inputs have one tensor for each field, as from
                ``collate_clips``, or a list of tensors, as from mmengine's ``pseudo_collate``.
            training: Has no effect.

        Raises:
            DataError: The samples of a field differ in shape, or some have a field that others lack.
        """
        fields = {}
        for name, values in stack_inputs(data["inputs"]).items():
            # As uint8, a quarter of the bytes of the floats that are made on the device.
            moved = values.to(self.device, non_blocking=self._non_blocking)
            fields[name] = from_uint8(moved) if name in VIDEOS else moved
        return dict(clip=VideoBatch(**fields), samples=data.get("data_samples") or [])
