"""The config pieces of the data sets: they load, survive being dumped, and build what they say."""

from itertools import chain
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.config.loading import load_config
from i2vkit.config.overriding import override
from i2vkit.datasets.pipelines import steps_of
from i2vkit.errors import DataError

from .conftest import write_clip

CONFIGS = Path(__file__).resolve().parents[2] / "configs/_base_/datasets"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_dumped_config_says_the_same(name, tmp_path):
    config = Config.fromfile(CONFIGS / f"{name}.py")
    config.dump(tmp_path / f"{name}.py")
    dumped = Config.fromfile(tmp_path / f"{name}.py")
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
        assert dumped[loader].dataset.get("people") == config[loader].dataset.get("people")
        assert roots(dumped[loader].dataset.reader) == roots(config[loader].dataset.reader)
        assert list(steps_of(dumped[loader].dataset)) == list(steps_of(config[loader].dataset))


def roots(reader):
    """The folders of a layout, or of those that it joins."""
    return [one.root for one in reader.get("readers", [reader])]


@pytest.mark.parametrize("part, number", [("faces", 24), ("figures", 12)])
def test_more_people_train_beside_those_of_the_truth_set_and_nobody_who_is_tested(part, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config(CONFIGS / f"truth_{part}.py")
    override(config, Config.fromfile(CONFIGS / f"truth_{part}.py")._more_people)
    dataset = config.train_dataloader.dataset
    label = dataset.reader.readers[0].labels[0]
    person = part[:-1]
    set_people = [f"{person}{i:02d}" for i in range(1, 37 if part == "faces" else 22)]
    write_index(tmp_path / f"data/i2v_truth_v1/{part}", [(f"{name}/{label}/1", 20) for name in set_people])
    with pytest.raises(DataError, match="prepare --extra-people 56"):
        Runner.build_dataloader(config.train_dataloader, seed=0)
    write_index(tmp_path / f"data/i2v_truth_v1/{part}_extra", [(f"{person}{i}/{label}/1", 20) for i in (37, 99, 100)])
    dataset.update(pipeline={}, window=None, size=None, maps=None, points=None)
    trained = Runner.build_dataloader(config.train_dataloader, seed=0).dataset.index.people
    assert trained == sorted([*set_people[:number], *(f"{person}{i}" for i in (37, 99, 100))])


def test_oulu_without_data_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(CONFIGS / "oulu_casia.py")
    with pytest.raises(DataError) as error:
        Runner.build_dataloader(config.train_dataloader, seed=0)
    message = str(error.value)
    assert "python tools/synthesize_data.py oulu_casia --out data/oulu_casia\n" in message
    assert "tools/prepare_data.py oulu_casia --source data/oulu_casia --out data/oulu_casia_64 --size 64" in message
    assert "University of Oulu" in message and str(tmp_path / "data/oulu_casia_64") in message


@pytest.mark.parametrize(("name", "owner"), [("mug", "Thessaloniki"), ("uva_nemo", "University of Amsterdam")])
def test_face_sets_without_data_say_how_to_get_them(name, owner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(CONFIGS / f"{name}.py")
    with pytest.raises(DataError) as error:
        Runner.build_dataloader(config.train_dataloader, seed=0)
    message = str(error.value)
    assert f"python tools/synthesize_data.py {name} --out data/{name}\n" in message
    assert f"tools/prepare_data.py {name} --source data/{name} --out data/{name}_64 --size 64" in message
    assert owner in message and str(tmp_path / f"data/{name}_64") in message


def write_index(root, clips):
    """Write a prepared set of tiny clips with those numbers of frames."""
    rows = [f"{name},{name.split('/')[0]},{name.split('/')[1]},{count},25" for name, count in clips]
    for name, count in clips:
        write_clip(root / name, count, 0)
    (root / "index.csv").write_text("\n".join(["path,person,label,num_frames,fps", *rows]) + "\n")


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("mug", ["001/anger/take000", "003/fear/take000"], ["017/sadness/take000"]),
        ("uva_nemo", ["001/spontaneous/smile_1"], ["005/spontaneous/smile_1"]),
    ],
)
def test_who_trains_and_tests_on_face_sets(name, train, test, tmp_path):
    root = tmp_path / "prepared"
    shortest = {"mug": 32, "uva_nemo": 63}[name]
    others = {"mug": "001/neutral/take000", "uva_nemo": "001/spontaneous/smile_2"}
    clips = [(clip, shortest + 8 * (name == "mug")) for clip in [*train, *test]] + [(others[name], shortest - 1)]
    if name == "uva_nemo":
        clips.append(("001/deliberate/smile_1", 63))
    write_index(root, clips)
    config = Config.fromfile(CONFIGS / f"{name}.py")
    for loader, expected in (("train_dataloader", train), ("val_dataloader", test)):
        config[loader].dataset.reader.root = str(root)
        config[loader].update(num_workers=0, persistent_workers=False, batch_size=1)
        built = Runner.build_dataloader(config[loader], seed=0)
        assert sorted(record.name for record in built.dataset.records) == expected
        assert next(iter(built))["inputs"]["driving"][0].shape == (3, 32, 64, 64)
    assert config.train_dataloader.dataset.min_frames == shortest


def test_weizmann_loads_real_clips(shared_data):
    config = Config.fromfile(CONFIGS / "weizmann_strips.py")
    shapes = {}
    for name in ("train_dataloader", "val_dataloader"):
        config[name].dataset.reader.root = str(shared_data / "weizmann")
        config[name].update(num_workers=0, persistent_workers=False)
        loader = Runner.build_dataloader(config[name], seed=0)
        batch = next(iter(loader))
        shapes[name] = (
            len(loader.dataset),
            len(batch["inputs"]["driving"]),
            tuple(batch["inputs"]["driving"][0].shape),
        )
    assert shapes["train_dataloader"] == (40, 4, (3, 16, 64, 64))
    assert shapes["val_dataloader"] == (8, 1, (3, 16, 64, 64))


def test_own_clips_load(people_folder):
    config = Config.fromfile(CONFIGS / "clip_folder.py")
    config.train_dataloader.update(num_workers=0, persistent_workers=False, batch_size=2)
    config.train_dataloader.dataset.reader.root = str(people_folder)
    config.train_dataloader.dataset.min_frames = 10
    config.train_dataloader.dataset.window.length = 10
    batch = next(iter(Runner.build_dataloader(config.train_dataloader, seed=0)))
    assert [tuple(driving.shape) for driving in batch["inputs"]["driving"]] == [(3, 10, 64, 64)] * 2


def test_weizmann_split_in_time_keeps_everybody_and_no_frame_twice(shared_data):
    config = Config.fromfile(CONFIGS / "weizmann_strips_in_time.py")
    sets, batches = [], []
    for name in ("train_dataloader", "val_dataloader"):
        config[name].dataset.reader.root = str(shared_data / "weizmann")
        config[name].update(num_workers=0, persistent_workers=False)
        loader = Runner.build_dataloader(config[name], seed=0)
        sets.append(loader.dataset)
        batches.append(next(iter(loader)))
    train, val = sets
    assert len(train) == len(val) == 48 and config.train_dataloader.batch_size == 16
    for early, late in zip(train.records, val.records, strict=True):
        assert early.name == late.name and early.num_frames > 1.8 * late.num_frames
        assert (early.frames.start, early.frames.stop, late.frames.stop) == (0, late.frames.start, late.frames.length)
    for sample in batches[0]["data_samples"]:
        assert sample.image_person != sample.driving_person
    assert {tuple(clip.shape) for clip in batches[0]["inputs"]["image_video"]} == {(3, 16, 64, 64)}
    assert "image_video" not in batches[1]["inputs"] and batches[1]["inputs"]["driving"][0].shape == (3, 16, 64, 64)


def test_uva_nemo_sequences_are_of_both_kinds_and_of_a_tenth_of_the_people_to_test(tmp_path):
    kinds = ("deliberate/smile_1", "spontaneous/smile_1")
    clips = {person: [f"{person}/{kind}" for kind in kinds] for person in ("001", "005", "010")}
    write_index(tmp_path, [(clip, 40) for clip in chain(*clips.values())] + [("001/deliberate/smile_2", 31)])
    config = Config.fromfile(CONFIGS / "uva_nemo_sequences.py")
    for loader, expected in (
        ("train_dataloader", clips["001"] + clips["005"]),
        ("val_dataloader", clips["010"]),
    ):
        config[loader].dataset.reader.root = str(tmp_path)
        config[loader].update(num_workers=0, persistent_workers=False, batch_size=1)
        built = Runner.build_dataloader(config[loader], seed=0)
        # Each clip is two sequences, all of which train or test; the shortest has only 15 or 16 frames a sequence.
        names = sorted(record.name for record in built.dataset.records)
        assert [name for name in names if "smile_2" not in name] == [
            f"{clip}@{first}" for clip in sorted(expected) for first in (0, 20)
        ]
        batch = next(iter(built))
        assert batch["inputs"]["driving"][0].shape == (3, 16, 64, 64)
        if loader == "train_dataloader":
            pairs = [built.dataset.begin((0, position))["pair"] for position in range(5)]
            assert all(pair.image_video.person != pair.driving.person for pair in pairs)
    assert config.test_dataloader.dataset.people == "uva_nemo/mtgan_test"
