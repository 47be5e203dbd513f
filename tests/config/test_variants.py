"""Variants: experiments that differ from a config by a few options, kept in its file."""

import runpy
from pathlib import Path

import pytest
from mmengine.config import Config

from i2vkit.apis.train import prepare
from i2vkit.config.finding import config_names, experiment_names, find_config, find_experiment
from i2vkit.config.loading import load_config, read_variants
from i2vkit.config.slots import name_of
from i2vkit.errors import ConfigError

TOOLS = Path(__file__).parents[2] / "tools"
BASE = """
from mmengine.config import read_base

with read_base():
    from i2vkit.configs.vgan_weizmann import *

"""


def mine(tmp_path: Path, variants: str) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(BASE + variants)
    return path


def test_a_variant_has_two_names_and_is_the_same_by_both():
    by_option, by_name = load_config("imaginator_mug", variant="no_fusion"), load_config("imaginator_mug_no_fusion")
    assert by_option.to_dict() == by_name.to_dict() and by_name.variant == "no_fusion"
    assert by_name.model.generator.decoder.fusion is False
    whole = load_config("imaginator_mug").to_dict()
    own = by_name.to_dict()
    del own["variant"], own["model"]["generator"]["decoder"]["fusion"]
    assert own == whole
    path, key = find_experiment("configs/imaginator_mug.py", "3d")
    assert path.samefile(find_config("imaginator_mug")) and key == "3d"
    assert find_experiment("imaginator_mug") == (find_config("imaginator_mug"), None)


def test_its_work_dir_and_the_config_in_it_have_its_name(tmp_path):
    cfg = prepare(load_config("dtgan/dtgan_recipe_faces", variant="80people"))
    assert cfg.work_dir == "work_dirs/dtgan_recipe_faces_80people" and cfg.experiment_name.startswith(
        "dtgan_recipe_faces_80p"
    )
    cfg.dump(tmp_path / Path(cfg.filename).name)
    again = load_config(tmp_path / "dtgan_recipe_faces_80people.py")
    assert again.to_dict() == cfg.to_dict() and again.variant == "80people"
    assert load_config("dtgan_weizmann", variant="penn_strips").filename.endswith("/dtgan_penn_strips.py")


def test_options_of_the_command_line_come_after_those_of_the_variant():
    cfg = load_config("imaginator_weizmann", {"train_cfg.max_iters": 7}, "crops_averaged")
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (7, 500)
    assert cfg.param_scheduler.decay.end == 3000 and cfg.param_scheduler.decay.end_factor == 0.02  # of crops
    assert list(cfg.custom_hooks) == ["seed", "strips", "ema"]
    assert name_of(cfg.train_dataloader.dataset.crop.type) == "RandomCrop"


def test_other_data_come_whole_with_their_facts():
    cfg = load_config("dtgan_faces", variant="figures")
    assert cfg.model.labels == ["bend", "jack", "pjump", "walk", "wave1", "wave2"]
    dataset = cfg.train_dataloader.dataset
    assert (dataset.maps, dataset.points, dataset.people) == (13, ["joints"], "i2v_truth/figures_train")
    assert cfg.protocols.transfer.path == "data/i2v_truth_v1/figures/test.json"
    assert "temporal_split" not in load_config("dual_mtgan_penn_strips").train_dataloader.dataset
    assert load_config("frgan_forecast_figures").model.map_channels == 13


def test_every_variant_says_what_it_is_and_what_a_step_takes():
    names = config_names()
    assert len(names) == 79 and len(experiment_names()) == 211
    for name in names:
        for key, variant in read_variants(find_config(name)).items():
            assert len(variant.help) > 15 and variant.help.endswith((".", "?")) and variant.memory, f"{name} {key}"


def test_the_variants_of_a_base_are_not_inherited(tmp_path):
    assert read_variants(find_config("imaginator_mug_released_code")) == {}
    assert read_variants(mine(tmp_path, "train_cfg['max_iters'] = 3")) == {}
    with pytest.raises(ConfigError, match=r"mine.py has no variants, so there is no 'penn_strips'"):
        load_config(tmp_path / "mine.py", variant="penn_strips")


@pytest.mark.parametrize(
    "variants, message",
    [
        ("variants = {'a': dict(help='A.', options={'model.generater': 3})}", "variant a: .*no 'generater'|generater"),
        ("variants = {'a': dict(options={'train_cfg.max_iters': 3})}", 'variant a needs help="..." and options'),
        ("variants = {'a': dict(help='A.')}", 'variant a needs help="..." and options'),
        ("variants = {'a': dict(help='A.', option={}, data='x')}", "variant a takes no 'option'; nearest: options"),
        ("variants = {'a': dict(help='A.', data='_base_/datasets/mugg.py')}", "there is no config .*mugg"),
        ("variants = {'a': dict(help='A.', options={'resume': True}, extends='b')}", "has no variant 'b'; nearest: a"),
        ("variants = {'a': dict(help='A.', options={'resume': True}, extends='a')}", "variant a extends itself"),
        ("variants = dict(a=dict(help='A.'))", 'write variants = {"name": dict'),
    ],
)
def test_a_variant_that_cannot_be_is_one_error(variants, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        load_config(mine(tmp_path, variants), variant="a")


def test_a_wrong_name_gives_the_nearest():
    with pytest.raises(ConfigError, match=r"no variant 'no_fusio'; nearest: no_fusion.* It has: 3d, no_frame_discr"):
        load_config("imaginator_mug", variant="no_fusio")
    with pytest.raises(
        ConfigError, match=r"there is no config 'imaginator_mug_no_fusio'.*nearest: imaginator_mug_no_fusion"
    ):
        load_config("imaginator_mug_no_fusio")


def test_tools_take_a_variant_and_list_them(monkeypatch, capsys):
    def printed(*arguments):
        monkeypatch.setattr("sys.argv", ["print_config.py", *arguments])
        runpy.run_path(str(TOOLS / "print_config.py"), run_name="__main__")
        return capsys.readouterr().out

    by_option = printed("frgan_forecast_penn", "--variant", "no_dense", "--cfg-options", "randomness.seed=3")
    [line] = [line for line in by_option.splitlines() if line.startswith("model.generator.decoder.dense ")]
    assert line.split("#") == [line.split("#")[0], " frgan_forecast_penn.py, variant no_dense"] and "False" in line
    assert by_option == printed("frgan_forecast_penn_no_dense", "--cfg-options", "randomness.seed=3")
    listed = printed("frgan_forecast_penn", "--variants").splitlines()
    assert [line.split(" ")[0] for line in listed] == ["no_dense", "no_features", "villegas"]
    assert listed[0].startswith("no_dense (frgan_forecast_penn_no_dense, 5.1 GiB in fp32): Without dense connections")
    assert printed("imaginator_uva_nemo", "--variants") == "no variants\n"


def test_pretrained_weights_that_an_option_names_are_kept():
    cfg = load_config("dual_mtgan_weizmann", variant="joint")
    assert cfg.model.pretrained.generator.checkpoint == "work_dirs/dual_mtgan_weizmann_short"
    assert "frozen" not in cfg.model and Config(cfg.to_dict()).model.pretrained.generator.part == "generator"
