"""Batches: one tensor a field, padded, without lengths where nothing was padded, and no video twice."""

import pickle

import pytest
import torch
from mmengine.registry import FUNCTIONS
from torch.utils.data import DataLoader

from i2vkit.datasets import ClipDataset, PositionSampler, collate_clips
from i2vkit.datasets.collation import pad_clips, stack_inputs
from i2vkit.errors import DataError
from i2vkit.structures import VideoSample

WINDOW = dict(window=dict(type="RandomWindow", length=4), read=dict(type="ReadFrames"), pack=dict(type="PackClip"))
WHOLE = dict(
    window=dict(type="WholeClip"),
    read=dict(type="ReadFrames"),
    states=dict(type="LabelStates"),
    pack=dict(type="PackClip"),
)


def dataset(root, pipeline=WINDOW, **arguments):
    return ClipDataset(dict(type="ClipFolder", root=str(root)), pipeline, **arguments)


def test_runner_finds_it_by_name():
    assert FUNCTIONS.get("collate_clips") is collate_clips


def test_clips_of_one_length_come_without_lengths(people_folder):
    data = dataset(people_folder, pair_sampler=dict(type="OtherPerson"))
    items = [data[index, 7] for index in range(3)]
    inputs = collate_clips(items)["inputs"]
    assert {name: (values.dtype, tuple(values.shape)) for name, values in inputs.items()} == {
        "driving": (torch.uint8, (3, 3, 4, 8, 8)),
        "image_video": (torch.uint8, (3, 3, 4, 8, 8)),
        "image": (torch.uint8, (3, 3, 8, 8)),
        "label": (torch.int64, (3,)),
    }
    for row, item in enumerate(items):
        assert all(torch.equal(inputs[name][row], item["inputs"][name]) for name in inputs)


def test_shorter_clips_are_padded_and_lengths_told(people_folder):
    items = [dataset(people_folder, WHOLE)[index] for index in (2, 0)]  # of 12 and 10 frames
    inputs = collate_clips(items)["inputs"]
    assert inputs["num_frames"].tolist() == [12, 10] and inputs["num_frames"].dtype == torch.int64
    assert inputs["driving"][1, 0, :, 0, 0].tolist() == [*range(10), 9, 9]
    assert torch.equal(inputs["driving"][0], items[0]["inputs"]["driving"])
    assert inputs["states"].tolist() == [[0] * 4 + [1] * 4 + [2] * 4, [0] * 4 + [1] * 3 + [2] * 3 + [-1] * 2]


def test_points_are_not_known_in_the_padding_and_boxes_stay_where_they_were():
    points, boxes = torch.arange(4.0).view(2, 1, 2), torch.arange(8.0).view(2, 4)
    inputs = stack_inputs({name: [points, points.repeat(2, 1, 1)] for name in ("landmarks", "joints")})
    for values in inputs.values():
        assert values.shape == (2, 4, 1, 2) and torch.equal(values[0, :2], points)
        assert values[0, 2:].isnan().all() and not values[1].isnan().any()
    assert stack_inputs(dict(boxes=[boxes, boxes[:1]]))["boxes"][1].tolist() == [[0, 1, 2, 3]] * 2


def test_lengths_of_sources_and_targets_are_told_each_on_its_own():
    video, longer = torch.zeros(3, 2, 4, 4, dtype=torch.uint8), torch.zeros(3, 5, 4, 4, dtype=torch.uint8)
    inputs = stack_inputs(
        dict(
            driving=[video, video],
            num_frames=[torch.tensor(2)] * 2,
            image_video=[video, longer],
            image_video_num_frames=[torch.tensor(2), torch.tensor(5)],
        )
    )
    assert "num_frames" not in inputs and inputs["image_video_num_frames"].tolist() == [2, 5]
    # A clip that says of itself that it was padded before.
    assert stack_inputs(dict(driving=[video], num_frames=[torch.tensor(1)]))["num_frames"].tolist() == [1]
    # What is stacked already stays, and so do its lengths.
    ready = dict(driving=torch.zeros(1, 3, 2, 4, 4), num_frames=torch.tensor([2]))
    assert all(stacked is ready[name] for name, stacked in stack_inputs(ready).items())


def test_pad_clips_along_any_axis():
    short, long = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[5, 6, 7, 8], [9, 9, 9, 9]])
    assert pad_clips([short, long], dim=1)[0].tolist() == [[1, 2, 2, 2], [3, 4, 4, 4]]
    assert pad_clips([short, long], dim=1)[1] is long
    assert pad_clips([short, torch.zeros(3, 2)], dim=0, value=-1)[0].tolist() == [[1, 2], [3, 4], [-1, -1]]


def test_samples_are_views_of_the_batch_and_those_of_the_data_set_stay(people_folder):
    items = [dataset(people_folder, WHOLE)[index] for index in (2, 0)]
    batch = collate_clips(items)
    driving = batch["inputs"]["driving"]
    for row, (sample, item, length) in enumerate(zip(batch["data_samples"], items, (12, 10), strict=True)):
        before = item["data_samples"]
        assert sample.name == before.name and sample is not before
        for video in (sample.driving, sample.truth):
            assert video.shape[1] == length and torch.equal(video, before.driving)
            assert video.untyped_storage().data_ptr() == driving.untyped_storage().data_ptr()
            assert torch.equal(video, driving[row, :, :length])
        assert torch.equal(sample.image, before.driving[:, 0])
        assert sample.image.untyped_storage().nbytes() == 3 * 8 * 8  # and not the whole clip
        sample.generated = torch.zeros(1)
        assert "generated" not in before


def test_without_samples_nothing_but_inputs_is_sent(people_folder):
    items = [dataset(people_folder)[index] for index in range(4)]
    lean = collate_clips(items, samples=False)
    assert lean["data_samples"] == []
    assert len(pickle.dumps(lean)) < 4 * 3 * 4 * 8 * 8 + 2000


def sizes(values) -> dict[int, int]:
    """The bytes of every storage below dicts, lists and samples, by its address."""
    if isinstance(values, torch.Tensor):
        return {values.untyped_storage().data_ptr(): values.untyped_storage().nbytes()}
    items = values.values() if isinstance(values, dict | VideoSample) else values if isinstance(values, list) else ()
    return {address: size for item in items for address, size in sizes(item).items()}


@pytest.mark.parametrize("samples", [False, True])
def test_a_worker_sends_every_video_once(people_folder, samples):
    data = dataset(people_folder)
    sampler = PositionSampler(data, ordered=True)
    loader = DataLoader(data, 6, sampler=sampler, num_workers=1, collate_fn=lambda b: collate_clips(b, samples))
    batch = next(iter(loader))
    sent = sizes(batch)
    videos, labels, firsts = 6 * 3 * 4 * 8 * 8, 6 * 8, 6 * 3 * 8 * 8
    assert sum(sent.values()) == videos + labels + (firsts if samples else 0)
    assert len(sent) == 2 + (6 if samples else 0)


def test_fields_that_do_not_fit_together_are_named(people_folder):
    video = torch.zeros(3, 2, 4, 4, dtype=torch.uint8)
    with pytest.raises(DataError, match=r"the driving of a batch differ in shape: .*\(3, 2, 4, 4\), \(3, 2, 4, 6\)"):
        stack_inputs(dict(driving=[video, torch.zeros(3, 2, 4, 6, dtype=torch.uint8)]))
    with pytest.raises(DataError, match=r"landmarks of a batch differ in shape: \(2, 5, 2\), \(2, 68, 2\)"):
        stack_inputs(dict(landmarks=[torch.zeros(2, 5, 2), torch.zeros(2, 68, 2)]))
    items = [dict(inputs=dict(driving=video, joints=torch.zeros(2, 13, 2))), dict(inputs=dict(driving=video))]
    with pytest.raises(DataError, match="1 of the 2 samples of a batch have no joints"):
        collate_clips(items, samples=False)
