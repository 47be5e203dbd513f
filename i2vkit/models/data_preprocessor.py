"""From collated samples to a VideoBatch, and back to bytes."""

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from i2vkit.datasets.collation import stack_inputs
from i2vkit.errors import TrainingError
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

# The fields that hold pixels or maps, 0..255 for [-1, 1].
VIDEOS = ("driving", "image_video", "image", "driving_maps", "image_maps")


def to_uint8(video: Tensor) -> Tensor:
    """[-1, 1] to 0..255, rounded.

    >>> to_uint8(torch.tensor([-1.0, 0.0, 1.0, 2.0])).tolist()
    [0, 128, 255, 255]
    """
    return ((video.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def from_uint8(video: Tensor) -> Tensor:
    """0..255 to [-1, 1].

    >>> from_uint8(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    [-1.0, 1.0]
    """
    return video.float() / 127.5 - 1


def check_values(name: str | None, video: Tensor, slack: float = 0.01) -> None:
    """Raise ``TrainingError``, with the name and the first such frame, unless a video (C, T, H, W) is in [-1, 1].

    ``to_uint8`` would hide both: values beyond are cut off there, and what is not a number becomes black. ``slack`` is
    what bf16 may round beyond, about one grey level.
    """
    wrong = ~torch.isfinite(video).all(dim=0).flatten(1).all(dim=1)
    if wrong.any():
        raise TrainingError(
            f"the video generated for '{name}' is not finite, first in frame {int(wrong.nonzero()[0])}: is the "
            "checkpoint sound?"
        )
    beyond = (video.abs().amax(dim=(0, 2, 3)) > 1 + slack).nonzero()
    if len(beyond):
        raise TrainingError(
            f"the video generated for '{name}' has values of {video.min():.3g} to {video.max():.3g}, beyond [-1, 1], "
            f"first in frame {int(beyond[0])}: they would be cut off unseen; its head must keep to the range"
        )


@MODELS.register_module()
class ClipPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device, one copy a field, and scales all frames to [-1, 1] there.

    Videos travel as uint8. With ``non_blocking`` a copy from pinned memory goes on while the training step is issued;
    from other memory it makes no difference. Samples stay where they are: no model reads their videos.
    """

    def __init__(self, non_blocking: bool = True):
        super().__init__(non_blocking)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Make ``dict(clip=VideoBatch, samples=list)`` of a batch.

        Args:
            data: ``dict(inputs=..., data_samples=list)``, the inputs as ``collate_clips`` hands them over (one tensor a
                field) or as mmengine's ``pseudo_collate`` does (a list of tensors a field).
            training: Nothing depends on it.

        Raises:
            DataError: The samples of a field differ in shape, or some have a field that others lack.
        """
        fields = {}
        for name, values in stack_inputs(data["inputs"]).items():
            moved = values.to(self.device, non_blocking=self._non_blocking)
            fields[name] = from_uint8(moved) if name in VIDEOS else moved
        return dict(clip=VideoBatch(**fields), samples=data.get("data_samples") or [])
