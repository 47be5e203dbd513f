"""Phases, losses, hooks, schedulers, metrics and pipeline steps have names, and None drops one."""

import narrow
import pytest
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.config.loading import load_config
from i2vkit.config.swaps import classes_in, reset_swapped_parts
from i2vkit.datasets import ClipDataset
from i2vkit.datasets.pipelines import steps_of
from i2vkit.errors import ConfigError
from i2vkit.models.training.phases import build_phases
from i2vkit.registry import MODELS
from i2vkit.utils.named import named_entries

L1 = dict(type="FrameL1Loss")


@HOOKS.register_module()
class Noting(Hook):
    """Notes the names of hooks as they run."""

    def __init__(self, name):
        self.name = name

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        runner.message_hub.update_info("noted", [*runner.message_hub.runtime_info.get("noted", []), self.name])


def test_the_order_of_names_is_kept_and_none_is_left_out():
    entries = named_entries(dict(b=1, none=None, a=2), "custom_hooks")
    assert list(entries.items()) == [("b", 1), ("a", 2)]
    assert named_entries(None, "pretrained") == {}


@pytest.mark.parametrize(
    "given, message",
    [
        ([L1], r"model.x is a list; give each entry a name, for instance losses=dict\(frame_l1=dict\("),
        (L1, "model.x is one part without a name"),
    ],
)
def test_what_has_no_names_is_refused_with_an_example(given, message):
    with pytest.raises(ConfigError, match=message):
        named_entries(given, "losses", "model.x")


def test_phases_and_losses_are_called_what_their_keys_say_in_the_order_of_the_dict():
    phases = build_phases(
        dict(
            second=dict(updates=["b"], losses=dict(z=L1, a=dict(L1, weight=3.0), gone=None)),
            first=dict(updates=["a"], losses={}, every=2),
            dropped=None,
        )
    )
    assert [(phase.name, phase.every) for phase in phases] == [("second", 1), ("first", 2)]
    assert [(loss.name, loss.weight_at(0)) for loss in phases[0].losses] == [("z", 1.0), ("a", 3.0)]


@pytest.mark.parametrize(
    "phases, message",
    [
        ([dict(name="g", updates=["generator"], losses={})], r"phases is a list.*phases=dict\(generator=dict\("),
        (dict(g=dict(updates=["generator"], losses=[L1])), r"phases.g.losses is a list.*losses=dict\(frame_l1="),
        (dict(g=dict(updates=[], losses=dict(a=dict(L1, name="b")))), "phases.g.losses.a has a key 'name': leave it"),
        (dict(g=dict(name="g", updates=[], losses={})), "phase 'g' has an unknown key 'name'"),
        (
            dict(g=dict(updates=[], losses=dict(a=L1)), h=dict(updates=[], losses=dict(a=L1))),
            "two losses are called 'a'",
        ),
    ],
)
def test_phases_that_do_not_name_what_they_hold_are_refused(phases, message):
    with pytest.raises(ConfigError, match=message):
        build_phases(phases)


def test_an_option_drops_a_loss_or_sets_its_weight():
    options = {"model.phases.generator.losses.content_l1": None, "model.phases.generator.losses.frame_l1.weight": 7}
    model = MODELS.build(load_config("dual_mtgan_weizmann", options).model)
    plain = MODELS.build(load_config("dual_mtgan_weizmann").model)
    names, before = ([loss.name for loss in built.phases[1].losses] for built in (model, plain))
    assert names == [name for name in before if name != "content_l1"] and len(names) == len(before) - 1
    assert model.phases[1].losses[0].name == "frame_l1" and model.phases[1].losses[0].weight_at(0) == 7


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model.phases.generator.losses.frame_l2": None}, "no key 'model.phases.generator.losses.frame_l2'.*frame_l1"),
        ({"model.phases.generator.losses.frame_l2.weight": 7}, "nearest: frame_l1"),
        ({"model.phases.generater": None}, "no key 'model.phases.generater' in the config; nearest: generator"),
        ({"model.phases.1.losses.0.weight": 7}, "no key 'model.phases.1'|there is no part at 'model.phases.1"),
        ({"train_dataloader.dataset.windw": None}, "nearest: window"),
        ({"train_dataloader.dataset.window.lenght": 3}, "RandomWindow takes no 'lenght'; nearest: length"),
        ({"custom_hooks.strip": None}, "nearest: strips"),
        ({"model.phases": [dict(name="g")]}, "model.phases is a list; give each entry a name"),
        ({"custom_hooks": [dict(type="SampleStripHook")]}, r"custom_hooks is a list.*custom_hooks=dict\("),
    ],
)
def test_a_wrong_name_and_a_position_are_errors(options, message):
    with pytest.raises(ConfigError, match=message):
        load_config("dual_mtgan_weizmann", options)


def test_a_hook_and_a_pipeline_step_are_dropped_by_none():
    cfg = load_config("dtgan_oulu", {"custom_hooks.strips": None, "train_dataloader.dataset.size": None})
    assert list(named_entries(cfg.custom_hooks, "custom_hooks")) == ["seed"]
    assert list(steps_of(cfg.train_dataloader.dataset)) == ["window", "read", "pack"]


def test_a_list_of_transforms_is_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match=r"pipeline is a list.*pipeline=dict\(window=dict\(type=RandomWindow"):
        ClipDataset(dict(type="ClipFolder", root="nowhere"), [dict(type="WholeClip")])


def test_a_loss_that_does_not_fit_names_the_option_that_leaves_it_out():
    generator = dict(motion_encoder=None, motion_generator=narrow.NARROW["NoiseGru"])
    with pytest.raises(ConfigError, match=r"set model\.phases\.generator\.losses\.motion_l1=None to leave"):
        narrow.build(generator=generator, discriminators=dict(frame=narrow.discriminator()), phases=without_dynamics())
    phases = without_dynamics()
    phases["generator"]["losses"]["motion_l1"] = None
    model = narrow.build(generator=generator, discriminators=dict(frame=narrow.discriminator()), phases=phases)
    assert "motion_l1" not in {loss.name for phase in model.phases for loss in phase.losses}


def without_dynamics() -> dict:
    phases = narrow.gan_config()["phases"]
    phases["discriminators"]["updates"] = ["discriminators.frame"]
    phases["discriminators"]["losses"]["dynamics_discriminator"] = None
    phases["generator"]["losses"]["dynamics_adversarial"] = None
    return phases


def test_a_swap_forgets_pretrained_parts_by_name():
    cfg = load_config("frgan_refine_mug", {"model.generator.decoder.type": "UNetDecoder"})
    assert list(cfg.model.pretrained) == ["content_encoder", "motion_encoder", "frame_discriminator"]
    cfg = load_config("frgan_refine_mug", {"model.pretrained.decoder": None})
    assert "generator.decoder" in classes_in(cfg)  # it is frozen still
    assert reset_swapped_parts(cfg.model, {"generator.decoder"}) and cfg.model.pretrained.get("decoder") is None


def test_a_training_runs_named_hooks_and_schedules_in_order_and_keeps_their_names(tmp_path):
    rate = dict(type="LinearLR", end_factor=1.0, begin=0, end=2, by_epoch=False)
    cfg = tiny_config(tmp_path, 2)
    cfg.custom_hooks.update(b=dict(type=Noting, name="b"), gone=None, a=dict(type=Noting, name="a"))
    cfg.param_scheduler = dict(
        warmup=dict(rate, start_factor=0.5, phases=["generator"]), gone=None, all=dict(rate, start_factor=0.25)
    )
    runner = train(cfg)
    assert runner.message_hub.runtime_info["noted"] == ["b", "a"] * 2
    assert {name: len(found) for name, found in runner.param_schedulers.items()} == {
        "discriminators": 1,
        "generator": 2,
    }
    assert list(runner.cfg.custom_hooks) == ["seed", "b", "gone", "a"]
    assert list(runner.cfg.param_scheduler) == ["warmup", "gone", "all"]


def test_a_schedule_of_a_phase_that_is_not_there_is_refused(tmp_path):
    cfg = tiny_config(tmp_path, 2)
    cfg.param_scheduler = dict(decay=dict(type="LinearLR", begin=0, end=2, by_epoch=False, phases=["discriminator"]))
    with pytest.raises(ConfigError, match="param_scheduler: no phase 'discriminator'; nearest: discriminators"):
        train(cfg)
