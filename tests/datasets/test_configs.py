"""The config pieces of the data sets: they load, survive being dumped, and build what they say."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.errors import DataError

CONFIGS = Path(__file__).resolve().parents[2] / "configs/_base_/datasets"
NAMES = ["oulu_casia", "weizmann_strips", "clip_folder"]


@pytest.mark.parametrize("name", NAMES)
def test_a_dumped_config_says_the_same(name, tmp_path):
    config = Config.fromfile(CONFIGS / f"{name}.py")
    config.dump(tmp_path / f"{name}.py")
    dumped = Config.fromfile(tmp_path / f"{name}.py")
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
        assert dumped[loader].dataset.get("people") == config[loader].dataset.get("people")
        assert dumped[loader].dataset.layout.root == config[loader].dataset.layout.root
        assert len(dumped[loader].dataset.pipeline) == len(config[loader].dataset.pipeline)


def test_oulu_without_data_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(CONFIGS / "oulu_casia.py")
    with pytest.raises(DataError) as error:
        Runner.build_dataloader(config.train_dataloader, seed=0)
    message = str(error.value)
    assert "python tools/synthesize_data.py oulu_casia --out data/oulu_casia\n" in message
    assert "tools/prepare_data.py oulu_casia --source data/oulu_casia --out data/oulu_casia_64 --size 64" in message
    assert "University of Oulu" in message and str(tmp_path / "data/oulu_casia_64") in message


def test_weizmann_loads_real_clips(shared_data):
    config = Config.fromfile(CONFIGS / "weizmann_strips.py")
    shapes = {}
    for name in ("train_dataloader", "val_dataloader"):
        config[name].dataset.layout.root = str(shared_data / "weizmann")
        config[name].update(num_workers=0, persistent_workers=False)
        loader = Runner.build_dataloader(config[name], seed=0)
        batch = next(iter(loader))
        shapes[name] = (len(loader.dataset), len(batch["inputs"]["source"]), tuple(batch["inputs"]["source"][0].shape))
    assert shapes["train_dataloader"] == (40, 4, (3, 16, 64, 64))
    assert shapes["val_dataloader"] == (8, 1, (3, 16, 64, 64))


def test_own_clips_load(people_folder):
    config = Config.fromfile(CONFIGS / "clip_folder.py")
    config.train_dataloader.update(num_workers=0, persistent_workers=False, batch_size=2)
    config.train_dataloader.dataset.layout.root = str(people_folder)
    config.train_dataloader.dataset.min_frames = 10
    config.train_dataloader.dataset.pipeline[0].length = 10
    batch = next(iter(Runner.build_dataloader(config.train_dataloader, seed=0)))
    assert [tuple(source.shape) for source in batch["inputs"]["source"]] == [(3, 10, 64, 64)] * 2
