"""The recipes: each steps, early and late, loads what its pre-training makes, and ends when its learning rate does."""

from itertools import product
from pathlib import Path

import narrow
import pytest
import torch
from mmengine.logging import MessageHub
from torch.nn import functional

from i2vkit.config.finding import experiment_names
from i2vkit.config.loading import load_config
from i2vkit.datasets.splits import SPLITS
from i2vkit.engine.hooks import GeneratorEMAHook
from i2vkit.models.training.phases import build_phases
from i2vkit.registry import MODELS

NAMES = [name for name in sorted(experiment_names()) if "recipe" in name]
GANS = [name for name in NAMES if not Path(name).name.startswith(("cnn_lstm", "motion", "landmarks"))]
STAGE_ONE = ("frgan_forecast", "svg_recipe_bair")  # whose training another config goes on with
PRETRAINED = {Path(name).name: name for name in NAMES if name not in GANS or Path(name).name.startswith(STAGE_ONE)}
TWO_STAGES = [name for name in GANS if Path(name).name.startswith("frgan_refine")]


def test_the_recipes_are_there():
    assert {f"dtgan/dtgan_recipe_{data}" for data in ("oulu", "faces", "figures", "weizmann")} <= set(GANS)
    assert {f"dual_mtgan/dual_mtgan_recipe_{data}" for data in ("faces", "figures", "weizmann")} <= set(GANS)
    for paper, data in product(("monkey_net", "fomm"), ("faces", "faces_80people", "figures", "figures_68people")):
        assert f"{paper}/{paper}_recipe_{data}" in GANS
    assert {"imaginator/imaginator_recipe_faces", "frgan/frgan_forecast_recipe_faces"} <= set(GANS)


def batch(cfg, landmarks: bool) -> dict:
    """Two clips of 16 frames of 64x64, with maps and an image to animate where the model reads them."""
    data = narrow.batch(lengths=(16, 16))
    inputs = {key: data["inputs"][key] for key in ("num_frames", "label")}
    inputs["driving"] = [
        functional.interpolate(video.float(), scale_factor=2).to(torch.uint8) for video in data["inputs"]["driving"]
    ]
    inputs["states"] = [torch.arange(16) * 3 // 16] * 2
    if channels := cfg.model.get("map_channels"):
        inputs["driving_maps"] = [255 - video[:channels] for video in inputs["driving"]]
        inputs["image"] = [video[:, 0] for video in inputs["driving"]]
        inputs["image_maps"] = [maps[:, 0] for maps in inputs["driving_maps"]]
    if any(entry.get("content") == "image" for entry in cfg.model.get("passes", {}).values()):
        inputs["image"] = [video[:, 0] for video in inputs["driving"]]
    if landmarks:
        inputs["landmarks"] = [64 * torch.rand(16, 68, 2) for _ in range(2)]
        inputs["image_landmarks"] = [points[0] for points in inputs["landmarks"]]
    return dict(inputs=inputs, data_samples=data["data_samples"])


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_steps_at_its_beginning_and_with_all_that_joins_later(name):
    torch.manual_seed(0)
    cfg = load_config(name)
    model = MODELS.build(cfg.model)
    optimizers = narrow.optimizers(model)
    clock = MessageHub.get_current_instance()
    logs = []
    for iteration in (0, cfg.train_cfg.max_iters - 1):
        clock.update_info("iter", iteration)
        logs.append(model.train_step(batch(cfg, "landmarks" in name), optimizers))
        assert all(torch.isfinite(value) for value in logs[-1].values())
    begun = {loss.name for phase in model.phases for loss in phase.losses if phase.end is None}
    assert begun <= set(logs[-1])
    discriminators = {loss for loss in begun if "discriminator" in loss or "adversarial" in loss}
    assert not discriminators & set(logs[0]), "discriminators wait until there is something to judge"


@pytest.mark.parametrize("name", GANS)
def test_schedules_end_with_the_training(name):
    cfg = load_config(name)
    end = cfg.train_cfg.max_iters
    assert cfg.param_scheduler.decay.end == end
    phases = {phase.name: phase for phase in build_phases(cfg.model.phases)}
    generator = phases["generator"]
    for loss in generator.losses:
        assert loss.schedule[-1][0] < end
        if "adversarial" in loss.name:
            assert phases["discriminators"].begin <= loss.schedule[0][0] and loss.schedule[0][1] == 0
    assert GeneratorEMAHook in [hook.type for hook in cfg.custom_hooks.values() if hook]


@pytest.mark.parametrize("name", [name for name in GANS if load_config(name).model.get("pretrained")])
def test_a_recipe_loads_what_its_pre_training_makes(name, tmp_path):
    """The checkpoint of the config that the recipe names fits into its generator, part by part."""
    cfg = load_config(name)
    [folder] = {entry.checkpoint for entry in cfg.model.pretrained.values()}
    own = PRETRAINED[Path(folder).name]
    assert all(entry.help.endswith(f"tools/train.py {own}") for entry in cfg.model.pretrained.values())
    pretraining = load_config(own)
    torch.manual_seed(0)
    network = MODELS.build(pretraining.model)
    path = tmp_path / "pretrained.pth"
    torch.save(dict(state_dict=network.state_dict()), path)
    for entry in cfg.model.pretrained.values():
        entry.checkpoint = str(path)
    model = MODELS.build(cfg.model)
    model.init_weights()
    for entry in cfg.model.pretrained.values():
        wanted, found = network.get_part(entry.prefix).state_dict(), model.get_part(entry.part).state_dict()
        assert wanted.keys() == found.keys() and all(torch.equal(wanted[key], found[key]) for key in wanted)
    for use in ("reader",) if name in TWO_STAGES else ("reader", "people", "exclude_people"):
        assert cfg.train_dataloader.dataset.get(use) == pretraining.train_dataloader.dataset.get(use)


@pytest.mark.parametrize("name", TWO_STAGES)
def test_the_two_stages_of_frgan_see_other_people_and_nobody_who_is_tested(name):
    first, second = (
        load_config(stage).train_dataloader.dataset for stage in (name.replace("refine", "forecast"), name)
    )
    first, second = set(SPLITS[first.people]), set(SPLITS[second.people])
    held_out = set(SPLITS["i2v_truth/faces_held_out"])
    assert len(first) == len(second) == (40 if name.endswith("_80people") else 12)
    assert not first & second and not (first | second) & held_out
    assert len(first | second | held_out) == len(first) + len(second) + 12
    assert set(SPLITS["i2v_truth/faces_train"]) <= first | second


def test_frgans_stage_two_trains_the_refiner_alone():
    torch.manual_seed(0)
    cfg = load_config("frgan/frgan_refine_recipe_faces")
    model = MODELS.build(cfg.model)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.train_step(batch(cfg, False), narrow.optimizers(model))
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed and all(key.startswith("generator.refiner.") for key in changed)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("people") and "frgan" not in name])
def test_more_people_are_all_that_differs(name):
    part, people = ("figures", "68people") if "figures" in name else ("faces", "80people")
    suffix = f"_{people}"
    assert len(SPLITS[f"i2v_truth/{part}_train"]) + 56 == int(people.removesuffix("people"))
    own, plain = load_config(name).to_dict(), load_config(name.removesuffix(suffix)).to_dict()
    assert own.pop("variant") == people
    reader, other_reader = (config["train_dataloader"]["dataset"].pop("reader") for config in (own, plain))
    assert [each["root"] for each in reader["readers"]] == [other_reader["root"], f"data/i2v_truth_v1/{part}_extra"]
    dataset, other = own["train_dataloader"]["dataset"], plain["train_dataloader"]["dataset"]
    assert (dataset.pop("people"), other.pop("people")) == (None, f"i2v_truth/{part}_train")
    held_out = SPLITS[dataset.pop("exclude_people")]
    assert set(held_out) == {*SPLITS[f"i2v_truth/{part}_val"], *SPLITS[f"i2v_truth/{part}_test"]}
    for model in (own["model"], plain["model"]):
        for entry in (model.get("pretrained") or {}).values():
            entry["checkpoint"] = entry["checkpoint"].removesuffix(suffix)
            entry["help"] = entry["help"].replace(suffix, "")
    assert own == plain
