"""Batches from samples: one tensor for each field."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from mmengine.registry import FUNCTIONS
from torch import Tensor
from torch.utils.data import default_collate

from i2vkit.datasets.deferred import DeferredBatch
from i2vkit.datasets.frame_operations import DeferredFrames
from i2vkit.errors import ConfigError, DataError
from i2vkit.structures import VideoSample

# The time axis of a sample's fields that may differ in length.
TIME = {"driving": 1, "image_video": 1, "driving_maps": 1, "states": 0, "landmarks": 0, "joints": 0, "boxes": 0}
# The padding that means "there is none". Other fields repeat their last frame.
NOTHING = {"states": -1, "landmarks": math.nan, "joints": math.nan}
# The field with the number of a video's own frames, and the video.
LENGTHS = {"num_frames": "driving", "image_video_num_frames": "image_video"}


@FUNCTIONS.register_module()
def collate_clips(batch: Sequence[dict], samples: bool = True) -> dict:
    """Put samples of ``PackClip`` together into ``dict(inputs={field: one tensor}, data_samples=list)``.

    A worker of a data loader then sends a few tensors instead of several for every sample, and the device gets one copy
    for each field. Videos stay uint8, see ``stack_inputs``.

    Args:
        batch: Samples of the data set.
        samples: Also return the samples' ``VideoSample``. Metrics and pictures need them, a training step does not.
            Their videos are views of the batch, so that none is sent twice. With False ``data_samples`` is empty.
            Default True.

    Raises:
        DataError: The samples of a field differ in shape, or some have a field that others lack.
        ConfigError: ``samples`` is True and the batch has none.
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


def stack_inputs(
    inputs: Mapping[str, list[Any] | tuple[Any, ...] | Tensor | DeferredBatch],
) -> dict[str, Tensor | DeferredBatch]:
    """Stack every field that is a list along a new first axis. A field that is a tensor already stays as it is.

    Frames on the device become a ``DeferredBatch``, and its ``to`` makes the tensor.

    Shorter videos, maps and boxes are padded in time with their last frame, ``states`` with -1, and points with NaN. If
    no video was padded, ``num_frames`` (or ``image_video_num_frames``) is left out, so that the model need not look for
    padding.

    Args:
        inputs: By field, the values of all samples or one tensor.

    Raises:
        DataError: The samples of a field differ in shape, or some have a field that others lack.
    """
    stacked: dict[str, Tensor | DeferredBatch] = {
        name: _stack(name, values) if isinstance(values, list | tuple) else values for name, values in inputs.items()
    }
    for lengths, video in LENGTHS.items():
        given = inputs.get(lengths)
        if isinstance(given, list | tuple) and all(int(length) == stacked[video].shape[2] for length in given):
            del stacked[lengths]
    return stacked


def pad_clips(clips: Sequence[Tensor], dim: int, value: float | None = None) -> list[Tensor]:
    """Pad clips along ``dim`` to the length of the longest, with ``value`` or by default with their own last frame."""
    length = max(clip.shape[dim] for clip in clips)

    def padded(clip: Tensor) -> Tensor:
        missing = length - clip.shape[dim]
        if not missing:
            return clip
        last = clip.narrow(dim, clip.shape[dim] - 1, 1)
        rest = [missing if axis == dim else -1 for axis in range(clip.dim())]
        # The padding is expanded along ``dim`` only, where the last frame has length 1.
        return torch.cat([clip, last.expand(rest) if value is None else torch.full_like(last, value).expand(rest)], dim)

    return [padded(clip) for clip in clips]


def _stack(name: str, values: Sequence[Tensor | DeferredFrames | None]) -> Tensor | DeferredBatch:
    """Stack the values of one field."""
    if absent := sum(value is None for value in values):
        raise DataError(f"{absent} of the {len(values)} samples of a batch have no {name}: all need it, or none")
    if isinstance(values[0], DeferredFrames):
        return DeferredBatch(cast(Sequence[DeferredFrames], values))  # a data set has a device cache or none
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
    """Return the fields of a batch, each once, in the order of the samples."""
    return list(dict.fromkeys(name for item in batch for name in item["inputs"]))


def _sharing(item: dict, inputs: Mapping[str, Tensor | DeferredBatch], row: int) -> VideoSample:
    """Copy the sample of ``item`` so that its videos that are also inputs are views of the batch."""
    own, sample = item["inputs"], item["data_samples"].clone()
    for key, value in item["data_samples"].items():
        field = next((name for name in own if own[name] is value), None)
        if field is not None:
            batched = inputs[field]
            assert isinstance(batched, Tensor)  # frames on the device have no VideoSample
            # A shorter clip was padded behind its own frames.
            setattr(sample, key, batched[row][tuple(slice(size) for size in value.shape)])
    return sample
