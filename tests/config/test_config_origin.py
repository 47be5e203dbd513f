"""Every value of a config, and the file that set it."""

import runpy
from pathlib import Path

import pytest

from i2vkit.config.finding import CONFIG_FOLDER
from i2vkit.config.loading import load_config
from i2vkit.config.origin import bases, config_origins, format_origins
from i2vkit.datasets.loaders import default_workers
from i2vkit.errors import ConfigError


def origins(name, options=None) -> dict:
    return {key: (value, origin) for key, value, origin in config_origins(name, options)}


def test_values_come_from_the_files_of_the_chain():
    """Variant 3d of imaginator_mug -> imaginator_mug -> model, data, evaluation and runtime -> loaders."""
    found = origins("imaginator_mug_3d")
    decoder = "i2vkit.models.decoders.TransposedConv3dDecoder"
    assert found["model.generator.decoder.type"] == (decoder, "imaginator_mug.py, variant 3d")
    assert found["model.image_size"] == (64, "the data set")
    assert found["model.labels"][1] == "the data set" and len(found["model.labels"][0]) == 7
    assert found["train_dataloader.dataset.size"] == (64, "_base_/datasets/mug.py")
    assert found["model.phases.generator.losses.frame_l1.weight"] == (1e-3, "_base_/models/imaginator.py")
    assert found["train_cfg.max_iters"] == (55_000, "imaginator_mug.py")
    assert found["train_cfg.type"][1] == found["randomness.seed"][1] == "_base_/runtime.py"
    assert found["train_dataloader.collate_fn.samples"] == (False, "_base_/loaders.py")
    assert found["train_dataloader.num_workers"] == (default_workers("train"), "this machine")
    assert found["train_dataloader.dataset.type"][1] == "_base_/datasets/mug.py"
    assert "model.generator.decoder.temporal_widths" not in found  # of the part that went


def test_every_value_of_the_config_is_there_once():
    rows = config_origins("frgan_refine_penn")
    cfg = load_config("frgan_refine_penn").to_dict()
    assert len({key for key, _, _ in rows}) == len(rows)
    assert {key.split(".")[0] for key, _, _ in rows} == set(cfg)
    for key, value, _ in rows:
        node = cfg
        for name in key.split("."):
            node = node[int(name)] if isinstance(node, list | tuple) else node[name]
        assert node == value


def test_options_come_from_the_command_line():
    options = {"model.generator.decoder.type": "FrameDecoder", "train_cfg.max_iters": 7}
    options["train_dataloader.num_workers"] = 1
    found = origins("imaginator_mug", options)
    assert found["train_dataloader.num_workers"] == (1, "command line")
    assert found["train_cfg.max_iters"] == (7, "command line")
    assert found["model.generator.decoder.type"] == ("FrameDecoder", "command line")
    assert "model.generator.decoder.widths" not in found
    assert found["model.generator.head.type"][1] == "_base_/models/imaginator.py"


def test_a_config_outside_the_package(tmp_path):
    """What is imported later wins; a value set to what it was is still the base's; packages are found by name."""
    lines = "from mmengine.config import read_base\nwith read_base():\n    {}\n{}\n"
    (tmp_path / "one.py").write_text("train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)\nresume = False\n")
    (tmp_path / "two.py").write_text("train_cfg = dict(type='IterBasedTrainLoop', max_iters=2)\n")
    (tmp_path / "sub").mkdir()
    mine = tmp_path / "sub/mine.py"
    imports = ["from i2vkit.configs._base_.runtime import *", "from ..one import *", "from ..two import *"]
    mine.write_text(lines.format("\n    ".join(imports), "resume = False\nwork_dir = 'here'"))
    runtime = CONFIG_FOLDER.resolve() / "_base_/runtime.py"
    assert bases(mine) == [tmp_path / "two.py", tmp_path / "one.py", runtime]
    found = origins(mine)
    assert found["train_cfg.max_iters"] == (2, str(tmp_path / "two.py"))
    assert found["resume"] == (False, str(tmp_path / "one.py"))
    assert found["work_dir"] == ("here", str(mine))
    assert found["default_scope"] == ("i2vkit", "_base_/runtime.py")


def test_what_cannot_be_resolved_is_an_error():
    with pytest.raises(ConfigError, match="there is no config 'dtgan_olu'"):
        config_origins("dtgan_olu")
    with pytest.raises(ConfigError, match="no 'widhts'; nearest: widths"):
        config_origins("imaginator_mug", {"model.generator.decoder.widhts": [4]})


def test_text_and_tool(monkeypatch, capsys):
    rows = config_origins("vgan_mug", {"randomness.seed": 3})
    monkeypatch.setattr("sys.argv", ["print_config.py", "vgan_mug", "--cfg-options", "randomness.seed=3"])
    runpy.run_path(str(Path(__file__).parents[2] / "tools/print_config.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.rstrip("\n") == format_origins(rows)
    [line] = [line for line in printed.splitlines() if line.startswith("randomness.seed")]
    assert line.split() == ["randomness.seed", "=", "3", "#", "command", "line"]
