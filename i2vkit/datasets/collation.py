"""Samples put together into a batch: one tensor a field."""

import math
from collections.abc import Sequence

import torch
from mmengine.registry import FUNCTIONS
from torch import Tensor
from torch.utils.data import default_collate

from i2vkit.datasets.deferred import DeferredBatch
from i2vkit.datasets.frame_operations import DeferredFrames
from i2vkit.errors import ConfigError, DataError
from i2vkit.structures import VideoSample

# Along which axis of a sample time runs, where clips may differ in length.
TIME = {"driving": 1, "image_video": 1, "driving_maps": 1, "states": 0, "landmarks": 0, "joints": 0, "boxes": 0}
# What stands in the padding for "there is none"; other fields repeat their last frame.
NOTHING = {"states": -1, "landmarks": math.nan, "joints": math.nan}
# The field that says how many frames of a video are its own, and the video.
LENGTHS = {"num_frames": "driving", "image_video_num_frames": "image_video"}


@FUNCTIONS.register_module()
def collate_clips(batch: Sequence[dict], samples: bool = True) -> dict:
    """Put samples of ``PackClip`` together into ``dict(inputs={field: one tensor}, data_samples=list)``.

    A worker of a data loader then sends a few tensors and not some of every sample, and the device gets one copy a
    field. Videos stay uint8: see ``stack_inputs``.

    Args:
        batch: What the data set gave, one dict a sample.
        samples: Also hand over the samples' ``VideoSample``, which metrics and pictures need and no training step does.
            Their videos are then views of the batch, so that none is sent twice. Without, ``data_samples`` is empty.

    Raises:
        DataError: The samples of a field differ in shape, or some have a field that others lack.
        ConfigError: Samples are asked for and there are none.
    """
    inputs = stack_inputs({name: [item["inputs"].get(name) for item in batch] for name in _names(batch)})
    if not samples:
        return {"inputs": inputs, "data_samples": []}
    if absent := sum("data_samples" not in item for item in batch):
        raise ConfigError(
            f"{absent} of the {len(batch)} samples of a batch have no VideoSample, as none have whose frames lie on "
            'the device: cache="device" is for training; to validate and test take "file", "memory" or None'
        )
    return {"inputs": inputs, "data_samples": [_sharing(item, inputs, row) for row, item in enumerate(batch)]}


def stack_inputs(inputs: dict[str, Sequence[Tensor | DeferredFrames | None] | Tensor]) -> dict[str, Tensor]:
    """Stack every field that is a list along a new first axis; what is a tensor already stays as it is.

    Frames that lie on the device become a ``DeferredBatch``, of which ``to`` makes the tensor.

    Shorter videos, maps and boxes are padded in time with their last frame, ``states`` with -1, points with NaN. Where
    no video was padded ``num_frames``, or ``image_video_num_frames``, is left out: nobody then needs to look for what
    is true.

    Raises:
        DataError: The samples of a field differ in shape, or some have a field that others lack.
    """
    stacked = {
        name: _stack(name, values) if isinstance(values, list | tuple) else values for name, values in inputs.items()
    }
    for lengths, video in LENGTHS.items():
        given = inputs.get(lengths)
        if isinstance(given, list | tuple) and all(int(length) == stacked[video].shape[2] for length in given):
            del stacked[lengths]
    return stacked


def pad_clips(clips: Sequence[Tensor], dim: int, value: float | None = None) -> list[Tensor]:
    """Make clips as long as the longest along ``dim``, with ``value`` or else with their own last frame."""
    length = max(clip.shape[dim] for clip in clips)

    def padded(clip: Tensor) -> Tensor:
        missing = length - clip.shape[dim]
        if not missing:
            return clip
        last = clip.narrow(dim, clip.shape[dim] - 1, 1)
        rest = [missing if axis == dim else -1 for axis in range(clip.dim())]
        return torch.cat([clip, last.expand(rest) if value is None else torch.full_like(last, value).expand(rest)], dim)

    return [padded(clip) for clip in clips]


def _stack(name: str, values: Sequence[Tensor | DeferredFrames | None]) -> Tensor | DeferredBatch:
    if absent := sum(value is None for value in values):
        raise DataError(f"{absent} of the {len(values)} samples of a batch have no {name}: all need it, or none")
    if isinstance(values[0], DeferredFrames):
        return DeferredBatch(values)
    tensors = [torch.as_tensor(value) for value in values]
    if name in TIME:
        tensors = pad_clips(tensors, TIME[name], NOTHING.get(name))
    if len(shapes := {tuple(tensor.shape) for tensor in tensors}) > 1:
        raise DataError(
            f"the {name} of a batch differ in shape: {', '.join(map(str, sorted(shapes)))}; give the pipeline a "
            f"Resize, or take batch_size=1"
        )
    return default_collate(tensors)  # in a worker it stacks into shared memory at once


def _names(batch: Sequence[dict]) -> list[str]:
    """The fields of a batch, each once, in the order of the samples'."""
    return list(dict.fromkeys(name for item in batch for name in item["inputs"]))


def _sharing(item: dict, inputs: dict[str, Tensor], row: int) -> VideoSample:
    """A copy of the sample in ``item`` whose videos that are also inputs are views of the batch."""
    own, sample = item["inputs"], item["data_samples"].clone()
    for key, value in item["data_samples"].items():
        field = next((name for name in own if own[name] is value), None)
        if field is not None:
            # A shorter clip was padded behind its own frames.
            setattr(sample, key, inputs[field][row][tuple(slice(size) for size in value.shape)])
    return sample
