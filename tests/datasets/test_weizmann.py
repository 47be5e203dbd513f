"""Weizmann's own videos: which file is which clip, and which of lena's takes are used."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.datasets import SPLITS, Weizmann
from i2vkit.datasets.pipelines import steps_of
from i2vkit.datasets.readers.weizmann import LABELS, PEOPLE
from i2vkit.errors import DataError
from i2vkit.media import write_video

from .conftest import write_clip

CONFIG = Path(__file__).resolve().parents[2] / "configs/_base_/datasets/weizmann.py"
LENAS = ("run", "skip", "walk")


def write_clips(root, names, flat=False):
    """Write clips of which number n has n + 3 frames, in a folder for each action or all together."""
    for number, name in enumerate(names):
        action = name.split("_")[1].rstrip("12") if "wave" not in name else name.split("_")[1]
        frames = (np.full((16, 24, 3), 5 * number + frame, np.uint8) for frame in range(number + 3))
        write_video(root / ("" if flat else action) / f"{name}.avi", frames, fps=25)


def test_ninety_three_files_are_ninety_clips_or_all(tmp_path):
    write_video(tmp_path / "one.avi", [np.zeros((8, 8, 3), np.uint8)])
    content = (tmp_path / "one.avi").read_bytes()
    (tmp_path / "one.avi").unlink()
    for action in LABELS:
        (tmp_path / action).mkdir()
        for person in PEOPLE:
            for take in ("1", "2") if person == "lena" and action in LENAS else ("",):
                (tmp_path / action / f"{person}_{action}{take}.avi").write_bytes(content)
    index = Weizmann(tmp_path).index()
    assert len(index.records) == 90 and index.labels == list(LABELS) and index.people == list(PEOPLE)
    assert [what for what, _ in index.skipped] == [f"lena/{action}/lena_{action}2" for action in LENAS]
    assert "second_takes=True" in index.skipped[0][1]
    counts = {label: sum(record.label == label for record in index.records) for label in LABELS}
    assert set(counts.values()) == {9}
    everything = Weizmann(tmp_path, second_takes=True).index()
    assert len(everything.records) == 93 and everything.skipped == []
    names = [record.name for record in everything.records if record.person == "lena"]
    assert {"lena/run/lena_run1", "lena/run/lena_run2", "lena/wave1/lena_wave1", "lena/wave2/lena_wave2"} <= set(names)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("wrapper", ["", "weizmann/videos"])
def test_flat_or_a_folder_for_each_action_below_any_wrapper(tmp_path, flat, wrapper):
    write_clips(tmp_path / wrapper, ["daria_bend", "daria_wave1", "denis_wave2"], flat)
    joints = tmp_path / wrapper / "joints/daria_wave1.csv"
    joints.parent.mkdir()
    joints.write_text("frame,x0,y0\n")
    records = Weizmann(tmp_path).index().records
    assert [(r.name, r.person, r.label, r.num_frames, r.fps) for r in records] == [
        ("daria/bend/daria_bend", "daria", "bend", 3, 25.0),
        ("daria/wave1/daria_wave1", "daria", "wave1", 4, 25.0),
        ("denis/wave2/denis_wave2", "denis", "wave2", 5, 25.0),
    ]
    assert [record.metadata for record in records] == [{}, {"joints": joints}, {}]
    assert np.abs(records[2].frames.read([1, 4])[:, 0, 0, 0].astype(int) - [11, 14]).max() <= 1


def test_what_is_no_clip_or_broken_is_named(tmp_path):
    write_clips(tmp_path, ["daria_bend", "background"[:4] + "_bend"])
    (tmp_path / "jack").mkdir()
    (tmp_path / "jack/eli_jack.avi").write_bytes(b"RIFF but no video")
    write_video(tmp_path / "jack/eli_jack3.avi", [np.zeros((8, 8, 3), np.uint8)])
    write_video(tmp_path / "daria_bend.avi", [np.zeros((8, 8, 3), np.uint8)])
    (tmp_path / "truth/daria").mkdir(parents=True)
    write_video(tmp_path / "truth/daria/daria_run.avi", [np.zeros((8, 8, 3), np.uint8)])
    index = Weizmann(tmp_path).index()
    assert [record.name for record in index.records] == ["back/bend/back_bend", "daria/bend/daria_bend"]
    skipped = dict(index.skipped)
    assert skipped["bend/daria_bend.avi"] == f"a copy of {tmp_path / 'daria_bend.avi'}"
    assert skipped["jack/eli_jack3.avi"] == "no name like daria_bend.avi or lena_run1.avi"
    assert "eli_jack.avi cannot be read" in skipped["jack/eli_jack.avi"]
    assert len(skipped) == 3


def test_missing_data_say_what_to_do(tmp_path):
    with pytest.raises(DataError) as error:
        Weizmann(tmp_path / "weizmann").index()
    message = str(error.value)
    for part in ("daria_bend.avi", "there is no such folder", "SpaceTimeActions.html", "classification_masks.mat"):
        assert part in message
    assert f"python tools/synthesize_data.py weizmann --out {tmp_path / 'weizmann'}" in message
    (tmp_path / "weizmann").mkdir()
    with pytest.raises(DataError, match="the folder is empty"):
        Weizmann(tmp_path / "weizmann").index()
    (tmp_path / "weizmann/bend.zip").touch()
    (tmp_path / "weizmann/eli_run.avi").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"(?s)bend\.zip.*Skipped eli_run\.avi: .*cannot be read"):
        Weizmann(tmp_path / "weizmann").index()


def test_the_papers_split_is_six_to_three():
    train, test = SPLITS["weizmann_official/train"], SPLITS["weizmann_official/test"]
    assert (len(train), len(test)) == (6, 3) and sorted(train + test) == list(PEOPLE)


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Two training people and one test person, as the config expects them, and a run that is too short."""
    monkeypatch.chdir(tmp_path)
    for person, label, length in (("eli", "bend", 40), ("ira", "run", 33), ("ira", "walk", 20), ("moshe", "bend", 36)):
        write_clip(tmp_path / "data/weizmann_64" / person / label / f"{person}_{label}", length, 0, (64, 64))
    return Config.fromfile(CONFIG)


def test_the_config_takes_windows_of_32_frames_and_mirrors_them(prepared):
    shapes = {}
    for name in ("train_dataloader", "val_dataloader"):
        prepared[name].update(num_workers=0, persistent_workers=False, batch_size=2)
        loader = Runner.build_dataloader(prepared[name], seed=0)
        batch = next(iter(loader))
        shapes[name] = [tuple(driving.shape) for driving in batch["inputs"]["driving"]]
        assert loader.dataset.labels == list(LABELS)
    assert shapes == {"train_dataloader": [(3, 32, 64, 64)] * 2, "val_dataloader": [(3, 32, 64, 64)]}
    assert "RandomFlip" in str(steps_of(prepared.train_dataloader.dataset))
    assert "RandomFlip" not in str(steps_of(prepared.val_dataloader.dataset))
    assert prepared.train_dataloader.dataset.people == "weizmann_official/train"


def test_the_split_in_time_is_one_option_of_the_config(prepared):
    prepared.train_dataloader.update(num_workers=0, persistent_workers=False, batch_size=1)
    dataset = prepared.train_dataloader.dataset
    dataset.update(people=None, temporal_split=(2 / 3, 1), min_frames=10)
    dataset.window.length = 10
    data = Runner.build_dataloader(prepared.train_dataloader, seed=0).dataset
    assert {record.name: record.num_frames for record in data.records} == {
        "eli/bend/eli_bend": 13,
        "ira/run/ira_run": 11,
        "moshe/bend/moshe_bend": 12,
    }
    seen = {int(value) for n in range(40) for value in data[0, n]["inputs"]["driving"][0, :, 0, 0]}
    assert seen == set(range(27, 40))


def test_the_config_without_data_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as error:
        Runner.build_dataloader(Config.fromfile(CONFIG).train_dataloader, seed=0)
    message = str(error.value)
    assert "python tools/synthesize_data.py weizmann --out data/weizmann_videos\n" in message
    assert "prepare_data.py weizmann --source data/weizmann_videos --out data/weizmann_64 --size 64" in message
    assert "SpaceTimeActions.html" in message
