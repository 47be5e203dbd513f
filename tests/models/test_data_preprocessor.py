"""From collated samples to a VideoBatch: one copy a field, uint8 until it is there."""

import narrow
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils._python_dispatch import TorchDispatchMode

from i2vkit.datasets import collate_clips
from i2vkit.models import ClipPreprocessor
from i2vkit.models.data_preprocessor import from_uint8
from i2vkit.structures import VideoSample


def items(data: dict) -> list[dict]:
    """The samples of a batch of lists, one by one."""
    inputs = data["inputs"]
    return [
        dict(inputs={name: values[row] for name, values in inputs.items()}, data_samples=sample)
        for row, sample in enumerate(data["data_samples"])
    ]


def test_both_kinds_of_batches_give_the_same_clip():
    samples = items(narrow.batch(lengths=(6, 4), image_videos=True))
    lists, stacked = (ClipPreprocessor()(collate(samples))["clip"] for collate in (pseudo_collate, collate_clips))
    for name in vars(lists):
        one, other = getattr(lists, name), getattr(stacked, name)
        same = one is None and other is None
        assert same or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True), name  # padded points are NaN
    assert lists.num_frames.tolist() == lists.image_video_num_frames.tolist() == [6, 4]
    assert torch.equal(lists.driving[0], from_uint8(samples[0]["inputs"]["driving"]))
    assert torch.equal(lists.driving[1, :, 4:], lists.driving[1, :, 3:4].expand(-1, 2, -1, -1))
    assert torch.equal(lists.image_maps[1], from_uint8(samples[1]["inputs"]["image_maps"]))
    assert lists.driving.dtype == lists.image.dtype == lists.driving_maps.dtype == torch.float32
    assert lists.label.tolist() == [0, 1]


@pytest.mark.parametrize("collate", [pseudo_collate, collate_clips])
def test_lengths_are_left_out_where_nothing_was_padded(collate):
    clip = ClipPreprocessor()(collate(items(narrow.batch(lengths=(4, 4), image_videos=True))))["clip"]
    assert clip.num_frames is None and clip.image_video_num_frames is None


class Moves(TorchDispatchMode):
    """Lists the shapes and types of what is copied to the meta device."""

    def __init__(self):
        super().__init__()
        self.moved = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is torch.ops.aten._to_copy.default and (kwargs or {}).get("device") == torch.device("meta"):
            self.moved.append((tuple(args[0].shape), args[0].dtype, kwargs["non_blocking"]))
        return result


@pytest.mark.parametrize("collate", [pseudo_collate, collate_clips])
def test_a_field_is_one_copy_of_bytes_that_nobody_waits_for(collate):
    preprocessor = ClipPreprocessor().to("meta")
    batch = collate(items(narrow.batch(lengths=(4, 4), image_videos=True)))
    with Moves() as moves:
        clip = preprocessor(batch, training=True)["clip"]
    size = narrow.SIZE
    assert sorted(moves.moved, key=str) == sorted(
        [
            ((2, 3, 4, size, size), torch.uint8, True),  # driving clip
            ((2, 3, 4, size, size), torch.uint8, True),  # image video
            ((2, 3, size, size), torch.uint8, True),  # image
            ((2, narrow.MAPS, 4, size, size), torch.uint8, True),
            ((2, narrow.MAPS, size, size), torch.uint8, True),
            ((2, 4, narrow.POINTS, 2), torch.float32, True),  # landmarks
            ((2, narrow.POINTS, 2), torch.float32, True),
            ((2,), torch.int64, True),  # label
        ],
        key=str,
    )
    assert clip.driving.is_meta and clip.driving.dtype == torch.float32


def test_samples_stay_where_they_are():
    sample = VideoSample()
    sample.truth = torch.zeros(3, 4, 8, 8, dtype=torch.uint8)
    batch = narrow.batch(lengths=(4,)) | dict(data_samples=[sample])
    given = ClipPreprocessor().to("meta")(batch)["samples"]
    assert given == [sample] and given[0].truth.device.type == "cpu"
    del batch["data_samples"]
    assert ClipPreprocessor()(batch)["samples"] == []
