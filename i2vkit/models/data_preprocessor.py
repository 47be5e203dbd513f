"""From collated samples to a Clip, and back to bytes."""

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from i2vkit.errors import TrainingError
from i2vkit.registry import MODELS
from i2vkit.structures import Clip


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


def pad_clips(clips: list[Tensor], dim: int) -> Tensor:
    """Stack clips of different lengths along ``dim``; shorter ones are padded with their last frame."""
    length = max(clip.shape[dim] for clip in clips)

    def padded(clip: Tensor) -> Tensor:
        index = torch.arange(length, device=clip.device).clamp(max=clip.shape[dim] - 1)
        return clip if clip.shape[dim] == length else clip.index_select(dim, index)

    return torch.stack([padded(clip) for clip in clips])


@MODELS.register_module()
class ClipPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device, pads it in time with each clip's last frame and scales all frames to [-1, 1]."""

    def forward(self, data: dict, training: bool = False) -> dict:
        """``dict(inputs=dict of lists of tensors, data_samples=list)`` to ``dict(clip=Clip, samples=list)``."""
        data = self.cast_data(data)
        inputs: dict[str, list[Tensor]] = data["inputs"]
        fields = {}
        for name, values in inputs.items():
            if name in ("source", "target", "source_maps"):
                fields[name] = from_uint8(pad_clips(values, dim=1))
            elif name in ("target_image", "image_maps"):
                fields[name] = from_uint8(torch.stack(values))
            elif name == "landmarks":
                fields[name] = pad_clips(values, dim=0)
            elif name == "states":
                fields[name] = _pad_states(values)
            else:
                fields[name] = torch.stack([torch.as_tensor(value) for value in values])
        return dict(clip=Clip(**fields), samples=data.get("data_samples") or [])


def _pad_states(states: list[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(states, batch_first=True, padding_value=-1)
