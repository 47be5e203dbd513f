"""Every config: read, checked, built at full width, and stepped through on the meta device."""

from itertools import product

import pytest
import torch

from i2vkit.config.data_facts import check_facts
from i2vkit.config.loading import experiment_names, load_config
from i2vkit.models import ImageToVideoGan
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

NAMES = experiment_names()


def test_the_papers_configs_are_there():
    assert {"cnn_lstm_oulu", "cnn_lstm_weizmann", "dtgan_oulu", "dtgan_oulu_128", "dtgan_weizmann"} <= set(NAMES)
    assert {f"imaginator_{data}" for data in ("mug", "natops", "weizmann", "uva_nemo")} <= set(NAMES)
    assert {f"{paper}_{data}" for paper in ("vgan", "mocogan") for data in ("mug", "weizmann")} <= set(NAMES)
    assert {f"frgan_{stage}_{data}" for stage in ("forecast", "refine") for data in ("mug", "penn")} <= set(NAMES)
    assert {f"dual_mtgan_{data}" for data in ("uva_nemo", "weizmann", "bair")} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_config_builds_at_full_width_and_leaves_no_slot_unused(name):
    cfg = load_config(name)
    assert cfg.default_scope == "i2vkit"
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
    assert {cfg.model.image_size} == {cfg[f"{split}_dataloader"].dataset["size"] for split in ("train", "val", "test")}
    check_facts(cfg)
    if not isinstance(model, ImageToVideoGan):
        return
    slots = ("content_encoder", "motion_encoder", "motion_generator")
    for slot in slots:
        assert (cfg.model.generator[slot] is None) == (getattr(model.generator, slot) is None), f"{slot} is not read"
    size, length = cfg.model.image_size, model.generator.lengths.at_least(4)
    clip = VideoBatch(
        torch.empty(2, 3, length, size, size, device="meta"),
        image=torch.empty(2, 3, size, size, device="meta"),
        label=torch.zeros(2, dtype=torch.long, device="meta"),
    )
    for made in model.generator(model.generator.with_maps(clip), model.passes).values():
        assert made.video.shape == (2, 3, length, size, size)


def test_widths_of_dtgan_are_those_of_pix2pix():
    model = MODELS.build(load_config("dtgan_oulu").model)
    widths = [block[0 if i == 0 else 1].out_channels for i, block in enumerate(model.generator.decoder.unet.down)]
    assert widths == [64, 128, 256, 512, 512, 512]
    assert [dropout.probability for dropout in model.generator.decoder.unet.dropouts] == [0.5] * 3
    weights = {loss.name: loss.weight_at(0) for loss in model.phases[1].losses}
    assert weights == {"frame_adversarial": 1, "dynamics_adversarial": 1, "frame_l1": 100, "motion_l1": 10}


def test_ablation_differs_by_the_suppression_alone():
    plain, ablation = load_config("dtgan_oulu"), load_config("dtgan_oulu_no_suppression")
    ablation.model.generator.motion_encoder.suppress_appearance = True
    assert ablation.pop("variant") == "no_suppression"
    assert ablation.to_dict() == plain.to_dict()


def built(name: str, options: dict | None = None) -> ImageToVideoGan:
    with torch.device("meta"):
        return MODELS.build(load_config(name, options or {}).model)


def count(part: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())


def test_parameters_of_imaginator_are_those_of_the_authors_code():
    model = built("imaginator_weizmann")  # four labels
    assert count(model.generator.content_encoder) == 3_577_764
    assert count(model.generator) == 75_346_771
    assert {name: count(discriminator) for name, discriminator in model.discriminators.items()} == {
        "video": 11_072_449,
        "frame": 2_764_737,
    }
    assert model.generator.lengths == ClipLengths(32, 16)


def test_parameters_of_frgan_are_those_of_the_authors_code():
    model = built("frgan_forecast_mug", {"model.image_size": 64})
    assert count(model.generator) == 70_326_596
    assert count(model.discriminators["frame"]) == 13_286_977
    assert model.generator.decoder.side == 4 and built("frgan_forecast_mug").generator.decoder.side == 6


def test_stage_two_of_frgan_freezes_and_loads_all_of_stage_one():
    for data, window in (("mug", 32), ("penn", 16)):
        cfg, model = load_config(f"frgan_refine_{data}"), built(f"frgan_refine_{data}")
        one = built(f"frgan_forecast_{data}")
        assert {entry.checkpoint for entry in cfg.model.pretrained.values()} == {f"work_dirs/frgan_forecast_{data}"}
        loaded = {entry.part for entry in cfg.model.pretrained.values()}
        names = {name for name in model.state_dict() if any(name.startswith(part + ".") for part in loaded)}
        assert names == set(one.state_dict())
        frozen = {id(p) for path in model.frozen for p in model.get_part(path).parameters()}
        assert {id(p) for p in model.generator.refiner.parameters()} == {
            id(p) for p in model.generator.parameters() if id(p) not in frozen
        }
        jump, refiner = cfg.train_dataloader.dataset.window, model.generator.refiner
        assert jump.frames == refiner.window == window
        weights = {loss.name: loss.weight_at(0) for loss in model.phases[1].losses}
        assert weights == {"frame_l1": 3, "mask": 0.05, "video_adversarial": 0.005, "frame_adversarial": 0.005}


def test_ablations_of_frgan_differ_by_what_they_leave_out():
    for data in ("mug", "penn"):
        full, plain = built(f"frgan_forecast_{data}"), built(f"frgan_forecast_{data}_no_dense")
        assert count(full.generator) > count(plain.generator)
        assert [loss.name for loss in full.phases[1].losses] == [loss.name for loss in plain.phases[1].losses]
        villegas = built(f"frgan_forecast_{data}_villegas")
        assert not villegas.generator.head.reads_base and not villegas.generator.decoder.dense
        assert "mask" not in [loss.name for loss in villegas.phases[1].losses]


def test_settings_of_imaginator_in_the_paper_and_in_the_code():
    paper, code = load_config("imaginator_mug"), load_config("imaginator_mug_released_code")
    assert paper.model.phases.generator.losses.frame_l1.weight == 1e-3
    assert [loss.get("wrong_label", 0) for loss in paper.model.phases.discriminators.losses.values()] == [0, 0.5]
    assert (paper.optim_wrapper.optimizer.lr, paper.optim_wrapper.per_phase.discriminators.lr) == (2e-4, 5e-5)
    assert len(paper.model.labels) == 7 and len(code.model.labels) == 6
    assert list(paper.model.phases) == ["discriminators", "generator"]
    assert list(code.model.phases) == ["generator", "discriminators"]
    assert [loss.get("wrong_label", 0) for loss in code.model.phases.discriminators.losses.values()] == [0, 0]
    assert code.model.phases.generator.losses.frame_l1.weight == 100
    assert code.optim_wrapper.per_phase == {}
    assert [loader.dataset.window.stride for loader in (code.train_dataloader, code.val_dataloader)] == [1, 1]


def test_table_5_of_imaginator_has_eight_different_cells():
    cells = set()
    for decoder, classifier, alone in product(("", "_3d"), ("", "_classifier"), ("", "_no_frame_discriminator")):
        cell = f"mug{decoder}{classifier}{alone}"
        model = built(f"imaginator_{cell}")
        video = model.discriminators["video"]
        assert ("frame" in model.discriminators) == (not alone)
        assert (video.classifies, video.condition) == ((True, None) if classifier else (False, "label"))
        assert {phase.name: len(phase.losses) for phase in model.phases} == {
            "discriminators": 1 + bool(classifier) + (not alone),
            "generator": 2 + bool(classifier) + (not alone),
        }
        assert count(model.generator.decoder) == pytest.approx(71_858_527, rel=1e-3)
        cells.add((type(model.generator.decoder), video.classifies, len(model.discriminators)))
    assert len(cells) == 8


def test_one_line_swaps_build_and_step():
    import narrow

    for key, part, adapter in (
        ("motion_encoder", "Conv3dEncoder", "CodeToTrajectory"),
        ("head", "ResidualHead", None),
        ("motion_generator", "LstmUnroll", "TrajectoryToCode"),
    ):
        cfg = load_config("dtgan_weizmann", {f"model.generator.{key}.type": part})
        swapped = key == "motion_encoder"
        assert (cfg.model.frozen, len(cfg.model.pretrained)) == (
            [] if swapped else ["generator.motion_encoder"],
            not swapped,
        )
        model = MODELS.build(cfg.model)
        adapters = [*model.generator.generator_adapters, *model.generator.decoder_adapters]
        assert [type(one).__name__ for one in adapters] == ([adapter] if adapter else [])
        data = narrow.batch(lengths=(4, 4))
        for video in data["inputs"]["driving"]:
            assert video.shape[-1] == narrow.SIZE
        data["inputs"]["driving"] = [
            video.repeat_interleave(2, 2).repeat_interleave(2, 3) for video in data["inputs"]["driving"]
        ]
        log = model.train_step(data, narrow.optimizers(model))
        assert all(torch.isfinite(value) for value in log.values())


def test_no_workers_is_one_option():
    cfg = load_config("dtgan_weizmann", {"train_dataloader.num_workers": 0})
    assert cfg.train_dataloader.persistent_workers is False
    assert cfg.val_dataloader.persistent_workers is True
