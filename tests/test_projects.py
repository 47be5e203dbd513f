"""The example project: its own tests, and two iterations of its config on made-up strips."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from i2vkit.apis.train import train
from i2vkit.config.loading import load_config
from i2vkit.media import write_image
from i2vkit.registry import DECODERS

PROJECT = Path(__file__).parents[1] / "projects/example_project"
NARROW = {
    "model.generator.content_encoder.widths": [4, 4, 4, 4],
    "model.generator.decoder.width": 4,
    "model.discriminators.frame.network.widths": [4, 4, 4, 4],
    "model.discriminators.video.network.widths": [4, 4, 4, 4],
    "train_dataloader.num_workers": 0,
    "train_dataloader.batch_size": 2,
    "val_dataloader.num_workers": 0,
    "train_cfg.max_iters": 2,
    "train_cfg.val_interval": 2,
    "default_hooks.checkpoint.interval": 2,
    "visualizer.vis_backends": [],
}


@pytest.fixture(autouse=True)
def project(monkeypatch):
    """The project's folder in the path; what it registers is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(PROJECT))
    yield
    DECODERS.module_dict.pop("WarpDecoder", None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "warping"]:
        del sys.modules[name]


def test_the_projects_own_tests():
    tests = runpy.run_path(str(PROJECT / "tests/test_warp_decoder.py"))
    names = [name for name in tests if name.startswith("test_")]
    assert len(names) >= 5
    for name in names:
        tests[name]()


def test_its_config_trains(tmp_path):
    """A strip for each action of a person who trains and of one who validates."""
    rng = np.random.default_rng(0)
    for action in (0, 1, 3, 4):  # as MoCoGAN numbers them
        for subject in (0, 2):
            strip = rng.integers(0, 256, (64, 64 * 32, 3), np.uint8)
            write_image(tmp_path / f"data/{action}/{8 * subject}.png", strip)
    roots = {f"{split}_dataloader.dataset.reader.root": str(tmp_path / "data") for split in ("train", "val")}
    cfg = load_config(PROJECT / "configs/warp_weizmann.py", {**NARROW, **roots})
    runner = train(cfg, tmp_path / "work")
    assert type(runner.model.generator.decoder).__module__ == "warping.warp_decoder"
    assert (tmp_path / "work/iter_2.pth").is_file()


def test_it_is_found_by_its_dotted_path_on_the_command_line():
    options = {
        "model.generator.decoder.type": "warping.warp_decoder.WarpDecoder",
        "model.generator.head.type": "ResidualHead",
    }
    assert "warping.warp_decoder" not in sys.modules
    cfg = load_config("mocogan_weizmann", options)
    assert "WarpDecoder" in DECODERS.module_dict and "widths" not in cfg.model.generator.decoder
