"""From collated samples to a Clip, and back to bytes."""

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

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
            elif name == "states":
                fields[name] = _pad_states(values)
            else:
                fields[name] = torch.stack([torch.as_tensor(value) for value in values])
        return dict(clip=Clip(**fields), samples=data.get("data_samples") or [])


def _pad_states(states: list[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(states, batch_first=True, padding_value=-1)
