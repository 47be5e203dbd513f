"""Clips divided into sequences, and windows whose stride gives way in short clips."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomWindow
from i2vkit.errors import ConfigError, DataError

from .conftest import make_index, write_clip
from .test_clip_dataset import dataset

ALL = dict(window=dict(type="WholeClip"), read=dict(type="ReadFrames"), pack=dict(type="PackClip"))


def frames_of(sample: dict) -> list[int]:
    return [int(value) for value in sample["inputs"]["driving"][0, :, 0, 0]]


def test_sequences_are_all_frames_of_a_clip_once_and_in_order(people_folder):
    whole = dataset(people_folder, pipeline=ALL)
    divided = dataset(people_folder, pipeline=ALL, sequences=3)
    assert len(divided) == 3 * len(whole)
    for number in range(len(whole)):  # of 10 to 15 frames
        parts = [frames_of(divided[3 * number + part]) for part in range(3)]
        assert list(chain(*parts)) == frames_of(whole[number])
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert [record.name for record in divided.records[:3]] == ["ann/run/a@0", "ann/run/a@3", "ann/run/a@7"]
    assert {record.person for record in divided.records} == {"ann", "bob", "cem"}


def test_sequences_come_after_the_split_in_time_and_short_clips_are_listed(people_folder):
    data = dataset(people_folder, pipeline=ALL, temporal_split=(0.5, 1), sequences=2)
    assert frames_of(data[0]) + frames_of(data[1]) == [5, 6, 7, 8, 9]
    index = ClipFolder(str(people_folder)).index()
    few = index.sequences(11)
    assert few.skipped[-1] == ("ann/run/a", "10 frames, fewer than 11 sequences")
    assert index.sequences(1) is index
    with pytest.raises(ConfigError, match="1 sequence or more, not into 0"):
        index.sequences(0)


def test_a_truth_is_divided_as_its_driving_clip(people_folder, tmp_path):
    truth = tmp_path / "truth"
    write_clip(truth / "bob/run/as_ann", 10, 200)
    (truth / "index.csv").write_text(
        "path,person,label,num_frames,fps,driving\nbob/run/as_ann,bob,run,10,25,ann/run/a\n"
    )
    data = dataset(
        people_folder,
        pipeline=ALL,
        sequences=2,
        truth=dict(type="ClipFolder", root=str(truth)),
        pair_sampler=dict(type="AllPairs", driving_people=["ann"], image_people=["bob"]),
    )
    shown = {sample["data_samples"].driving_name: sample for sample in map(data.__getitem__, range(4))}
    late = shown["ann/run/a@5"]["data_samples"].truth
    assert [int(value) for value in late[0, :, 0, 0]] == [205, 206, 207, 208, 209]


@pytest.mark.parametrize(("frames", "stride"), [(7, 1), (8, 1), (12, 1), (13, 2), (18, 2), (19, 3), (30, 3)])
def test_the_stride_is_the_largest_that_fits(frames, stride):
    record = replace(make_index("ann/run/a").records[0], num_frames=frames)
    first = FirstFrames(7, stride=3, min_stride=1).pick(record, np.random.default_rng(0))
    assert first.tolist() == [stride * number for number in range(7)]
    drawn = [RandomWindow(7, 3, min_stride=1).pick(record, np.random.default_rng(seed)) for seed in range(400)]
    assert {int(indices[1] - indices[0]) for indices in drawn} == {stride}
    assert {int(indices[0]) for indices in drawn} == set(range(frames - 6 * stride))


def test_strides_that_cannot_be():
    record = make_index("ann/run/a").records[0]  # 10 frames
    with pytest.raises(DataError, match=r"FirstFrames\(length=6, stride=2\) needs 11"):
        FirstFrames(6, stride=3, min_stride=2).pick(record, np.random.default_rng(0))
    with pytest.raises(DataError, match=r"stride=2\) needs 11"):
        FirstFrames(6, stride=2).check(record)
    for wrong in (0, 4):
        with pytest.raises(ConfigError, match=f"min_stride={wrong} is not from 1 to stride=3|min_stride is {wrong}"):
            RandomWindow(4, stride=3, min_stride=wrong)
