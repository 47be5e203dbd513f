"""What data loaders leave to the machine."""

import os

import numpy as np
import pytest
import torch

from i2vkit.config.loading import load_config
from i2vkit.datasets.loaders import build_loader, complete_loader, default_workers
from i2vkit.errors import ConfigError
from i2vkit.media import write_image

CONFIG = """
from mmengine.config import read_base

with read_base():
    from i2vkit.configs._base_.loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames

train_dataloader.update(
    batch_size=2,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root={root!r}),
        pipeline=dict(window=dict(type=FirstFrames, length=4), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    ),
)
del val_dataloader, test_dataloader
"""


@pytest.fixture
def machine(monkeypatch):
    """Set the number of cores, whether there is a GPU, and the processes of a training on this machine."""

    def use(cores, gpu, processes=1):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(cores), raising=False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))

    return use


def test_workers_fit_the_machine(machine):
    machine(2, gpu=False)
    assert (default_workers("train"), default_workers("val")) == (2, 2)
    machine(1, gpu=False)
    assert default_workers("train") == 1
    machine(16, gpu=False)
    assert default_workers("train") == 2
    machine(16, gpu=True)
    assert [default_workers(split) for split in ("train", "val", "test")] == [8, 4, 4]
    machine(6, gpu=True)
    assert [default_workers(split) for split in ("train", "val", "test")] == [6, 4, 4]
    machine(16, gpu=True, processes=8)
    assert default_workers("train") == 2
    machine(4, gpu=True, processes=8)
    assert default_workers("train") == 1


def test_what_the_config_says_stays_and_the_rest_is_filled_in(machine):
    machine(16, gpu=True)
    loader = dict(batch_size=4)
    complete_loader(loader, "train")
    assert loader == dict(batch_size=4, num_workers=8, persistent_workers=True, pin_memory=True)
    own = dict(num_workers=3, persistent_workers=False, pin_memory=False, prefetch_factor=4)
    loader = dict(own)
    complete_loader(loader, "train")
    assert loader == own
    machine(16, gpu=False)
    loader = dict(num_workers=0, prefetch_factor=4, persistent_workers=True)
    complete_loader(loader, "val")
    assert loader == dict(num_workers=0, persistent_workers=False, pin_memory=False)


def test_clips_on_the_device_want_few_workers_and_train(machine):
    machine(16, gpu=True)
    loader = dict(dataset=dict(cache="device"))
    complete_loader(loader, "train")
    assert loader["num_workers"] == 2
    with pytest.raises(ConfigError, match=r'test_dataloader.dataset.cache="device" is for training'):
        complete_loader(loader, "test")


def test_one_option_chooses_the_workers_of_every_config():
    loaders = load_config("imaginator_mug", {"train_dataloader.num_workers": 5, "val_dataloader.pin_memory": True})
    assert (loaders.train_dataloader.num_workers, loaders.train_dataloader.pin_memory) == (5, False)
    assert (loaders.val_dataloader.num_workers, loaders.val_dataloader.pin_memory) == (default_workers("val"), True)
    assert loaders.test_dataloader.persistent_workers is True


def test_a_loader_of_a_config_of_data_alone(tmp_path):
    for person in ("ann", "bob"):
        for t in range(5):
            write_image(tmp_path / f"clips/{person}/run/a/{t}.png", np.full((8, 8, 3), t, np.uint8))
    path = tmp_path / "config.py"
    path.write_text(CONFIG.format(root=str(tmp_path / "clips")))
    loader = build_loader(load_config(path), "train", workers=0)
    assert (loader.num_workers, loader.persistent_workers, loader.pin_memory) == (0, False, False)
    batch = next(iter(loader))
    assert batch["inputs"]["driving"].shape == (2, 3, 4, 8, 8) and batch["data_samples"] == []
    assert "num_frames" not in batch["inputs"]
