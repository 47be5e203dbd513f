import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from i2vkit.datasets import ClipDataset, FrameCache, PositionSampler, collate_clips
from i2vkit.datasets import clip_dataset as clips
from i2vkit.errors import DataError, I2VError, MediaError

from .conftest import write_clip

PIPELINE = dict(
    window=dict(type="RandomWindow", length=4),
    read=dict(type="ReadFrames"),
    flip=dict(type="RandomFlip"),
    pack=dict(type="PackClip"),
)


def dataset(root, **arguments):
    return ClipDataset(dict(type="ClipFolder", root=str(root)), **{"pipeline": PIPELINE, **arguments})


def values(item):
    """Values of the flat frames of an item's driving."""
    return item["inputs"]["driving"][0, :, 0, 0].tolist()


def test_a_sample_holds_the_frames_of_its_clip(people_folder):
    data = dataset(people_folder)
    assert len(data) == 6 and data.metainfo == {"labels": ["run", "wave"]}
    got = values(data[3, 17])
    start = got[0]
    assert got == [start, start + 1, start + 2, start + 3] and 120 <= start <= 129
    assert data[3]["inputs"]["label"].item() == 1


def test_samples_follow_from_seed_index_and_position_alone(people_folder):
    data, again = dataset(people_folder), dataset(people_folder, cache=False)
    order = [(index, position) for index in range(6) for position in range(5)]
    first = [values(data[key]) for key in order]
    assert [values(again[key]) for key in reversed(order)] == first[::-1]
    assert values(data[2]) == values(data[2, 2])
    assert [values(dataset(people_folder, seed=1)[key]) for key in order] != first
    assert len({tuple(values(data[0, position])) for position in range(50)}) == 7


def test_the_number_of_workers_changes_nothing(people_folder):
    def batches(num_workers):
        data = dataset(people_folder, pair_sampler=dict(type="OtherPerson"))
        sampler = PositionSampler(data, batch_size=3, seed=5)
        loader = DataLoader(
            data,
            3,
            sampler=sampler,
            num_workers=num_workers,
            collate_fn=collate_clips,
            persistent_workers=num_workers > 0,
        )
        stream = iter(loader)
        return [next(stream)["inputs"] for _ in range(5)]

    for alone, shared in zip(batches(0), batches(2), strict=True):
        assert set(alone) == set(shared) == {"driving", "image_video", "image", "label"}
        assert all(torch.equal(alone[name], shared[name]) for name in alone)


def test_people_and_labels_are_filtered_and_missing_people_logged(people_folder, monkeypatch):
    lines = []
    monkeypatch.setattr(clips, "print_log", lambda line, logger: lines.append(line))
    assert [r.name for r in dataset(people_folder, people=["bob", "eve"], labels=["run"]).records] == ["bob/run/a"]
    assert lines[-1] == "of the people asked for 1 have no clips: eve"
    assert len(dataset(people_folder, people="cem")) == 2
    assert len(dataset(people_folder, exclude_people=["ann"])) == 4
    with pytest.raises(DataError, match="known are ann, bob, cem"):
        dataset(people_folder, people="weizmann/train")


def test_short_clips_are_skipped_and_listed(people_folder):
    data = dataset(people_folder, min_frames=12)
    assert len(data) == 4
    assert data.index.skipped[0] == ("ann/run/a", "10 frames, fewer than min_frames=12")


def test_a_clip_too_short_for_the_pipeline_is_found_at_the_start(people_folder):
    window = dict(window=dict(type="FirstFrames", length=12))
    with pytest.raises(DataError, match="clip ann/run/a has 10 frames"):
        dataset(people_folder, pipeline=window)
    assert len(dataset(people_folder, pipeline=window, people=["bob", "cem"])) == 4
    pair_sampler = dict(type="AllPairs", driving_people=["bob"], image_people=["cem"])
    assert len(dataset(people_folder, pipeline=window, pair_sampler=pair_sampler)) == 2  # ann is not used


def test_drawn_targets_change_with_the_position(people_folder):
    data = dataset(people_folder, pair_sampler=dict(type="SamePerson"))
    names = {data[2, position]["data_samples"].image_name for position in range(5)}
    assert names == {"bob/wave/a"}
    data = dataset(people_folder, pair_sampler=dict(type="OtherPerson"))
    names = {data[2, position]["data_samples"].image_name for position in range(40)}
    assert names == {"ann/run/a", "ann/wave/a", "cem/run/a", "cem/wave/a"}


def test_truth_is_found_for_target_and_source_clip(people_folder, tmp_path):
    write_clip(tmp_path / "truth/bob/run/as_ann", 10, 200)
    (tmp_path / "truth/index.csv").write_text("path,driving\nbob/run/as_ann,ann/run/a\n")
    truth = dict(type="ClipFolder", root=str(tmp_path / "truth"))
    pipeline = dict(window=dict(type="FirstFrames", length=3), read=dict(type="ReadFrames"), pack=dict(type="PackClip"))
    pair_sampler = dict(type="AllPairs", driving_people=["ann"])
    data = dataset(people_folder, truth=truth, pair_sampler=pair_sampler, pipeline=pipeline)
    samples = {item["data_samples"].name: item["data_samples"] for item in (data[i] for i in range(len(data)))}
    assert len(samples) == 6
    assert samples["bob/run/a__ann/run/a"].truth[0, :, 0, 0].tolist() == [200, 201, 202]
    assert samples["ann/wave/a__ann/wave/a"].truth[0, :, 0, 0].tolist() == [40, 41, 42]  # a clip is its own truth
    assert "truth" not in samples["cem/run/a__ann/run/a"]
    missing = dict(type="ClipFolder", root=str(tmp_path / "absent"))
    assert dataset(people_folder, truth=missing, pair_sampler=pair_sampler).truths == {}


def test_a_broken_frame_names_the_clip_and_the_file(people_folder):
    (people_folder / "bob/run/a/005.png").write_bytes(b"\x89PNG broken")
    data = dataset(
        people_folder,
        pipeline=dict(window=dict(type="WholeClip"), read=dict(type="ReadFrames"), pack=dict(type="PackClip")),
    )
    assert values(data[0]) == list(range(10))
    with pytest.raises(MediaError, match=r"clip bob/run/a: .*005\.png"):
        data[2]


def test_missing_data_is_an_error_of_the_user(tmp_path):
    with pytest.raises(I2VError, match="no such folder"):
        dataset(tmp_path / "absent")


# The cache


def test_decoded_clips_are_kept_and_never_changed(people_folder, monkeypatch):
    reads = []
    data = dataset(people_folder)
    source = type(data.records[0].frames)
    whole = source.__iter__
    monkeypatch.setattr(source, "__iter__", lambda self: reads.append(self.paths[0].parent.parent.name) or whole(self))
    first = values(data[0, 3])
    data[0, 3]["inputs"]["driving"].zero_()
    assert values(data[0, 3]) == first
    assert reads == ["run"]


def test_the_cache_stops_at_its_budget_and_travels_empty(people_folder):
    data = dataset(people_folder)
    records = data.records
    cache = FrameCache(budget=8 * 8 * 3 * 21)  # two clips, of 10 and 11 frames
    for record in records:
        frames = cache.read(record, np.array([1, 0]))
        assert frames[:, 0, 0, 0].tolist() == [int(frames[1, 0, 0, 0]) + 1, int(frames[1, 0, 0, 0])]
    assert len(cache._clips) == 2
    assert len(pickle.loads(pickle.dumps(cache))._clips) == 0


def test_real_strips_train(shared_data):
    pipeline = dict(
        window=dict(type="RandomWindow", length=16, stride=2),
        read=dict(type="ReadFrames"),
        resize=dict(type="Resize", size=64),
        pack=dict(type="PackClip"),
    )
    data = ClipDataset(dict(type="FrameStrips", root=str(shared_data / "weizmann")), pipeline, people="weizmann/train")
    assert len(data) == 40 and "2" not in data.index.people
    driving = data[7, 11]["inputs"]["driving"].float()
    assert driving.shape == (3, 16, 64, 64)
    steps = (driving[:, 1:] - driving[:, :-1]).abs().mean(dim=(0, 2, 3))
    assert steps.min() > 0 and steps.max() < 30  # the same person in the same place, moving
