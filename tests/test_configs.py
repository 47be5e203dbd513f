"""Every config: read, checked, built at full width, and stepped through on the meta device."""

from itertools import combinations, product

import pytest
import torch

from i2vkit.config.data_facts import check_facts
from i2vkit.config.finding import experiment_names
from i2vkit.config.loading import load_config
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


def test_every_cell_of_the_papers_tables_has_a_config():
    sets = ("mug", "natops", "uva_nemo", "weizmann_ten_actions")
    cells = {f"{paper}_{data}" for paper in ("imaginator", "vgan", "mocogan") for data in sets}  # table 1
    cells |= {"imaginator_weizmann_ten_actions_3d", "mocogan_oulu", "mocogan_mug_frgan", "vgan_mug_released_code"}
    parts = ("3d", "classifier", "no_frame_discriminator")
    cells |= {
        f"imaginator_{data}_{'_'.join(some)}"
        for data in ("mug", "natops")
        for some in (*((part,) for part in parts), *combinations(parts, 2), parts, ("no_fusion",), ("no_noise",))
    }  # tables 5 and 6
    cells |= {
        f"dual_mtgan_{data}_no_{what}"
        for data in ("bair", "weizmann_ten_actions")
        for what in ("content_loss", "cycle", "image_discriminator", "video_discriminator")
    }  # fig. 6
    actions = set(load_config("vgan_penn").train_dataloader.dataset.reader.labels)
    cells |= {f"vgan_penn_{action}" for action in actions} | {"dual_mtgan_bair_fifteen"}
    cells |= {f"imaginator_{data}_lfdm_people" for data in ("mug", "natops")}
    cells |= {"mcnet_mug", "mathieu_penn", "svg_bair", "svg_bair_fp", "svg_bair_two_observed"}  # baselines
    cells |= {f"svg_{data}" for data in ("uva_nemo", "oulu", "weizmann_ten_actions")}
    assert len(actions) == 8 and cells <= set(NAMES)


FACES = ("mug", "uva_nemo", "oulu", "faces")


@pytest.mark.parametrize("name", [name for name in NAMES if "recipe" not in name and "figures" not in name])
def test_the_metrics_of_the_papers_are_in_the_tests(name):
    """Video FID and ACD (ImaGINator, table 1 and 3), LPIPS (Dual-MTGAN, table II), ACD (FRGAN, table 1)."""
    cfg = load_config(name)
    found = {entry["type"].__name__ for entry in (cfg.get("test_evaluator") or {}).values() if entry}
    paper = name.split("_")[0]
    if paper in ("imaginator", "vgan", "mocogan"):
        assert "VideoFid" in found
        assert ("ContentDistance" in found) == any(data in name for data in FACES)
    if paper in ("dual", "svg") and "figures" not in name:
        assert "Lpips" in found
    if paper == "mathieu" and "penn" in name:
        assert "Mse" in found
    if paper in ("frgan", "mcnet") and any(data in name for data in FACES):
        assert "ContentDistance" in found


def test_models_of_one_action_learn_and_test_that_action_alone():
    cfg = load_config("vgan_penn_golf_swing")
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.labels == ["golf_swing"] and loader.dataset.points is None
    assert "mse" in cfg.test_evaluator


def test_ten_actions_are_the_papers_settings():
    cfg = load_config("imaginator_weizmann_ten_actions")
    assert cfg.model.phases.generator.losses.frame_l1.weight == 1e-3 and len(cfg.model.labels) == 10
    train, test = cfg.train_dataloader, cfg.test_dataloader
    assert (train.batch_size, train.dataset.people, test.dataset.people) == (
        64,
        "weizmann_official/train",
        "weizmann_official/test",
    )
    assert train.dataset.augmentation.flip.probability == 0.5
    mtgan = load_config("dual_mtgan_weizmann_ten_actions")
    shares = [loader.dataset.temporal_split for loader in (mtgan.train_dataloader, mtgan.test_dataloader)]
    assert [list(share) for share in shares] == [
        [0, 2 / 3],
        [2 / 3, 1],
    ] and mtgan.test_dataloader.dataset.people is None


def test_bair_from_one_frame_to_fifteen_with_a_hundred_samples():
    cfg = load_config("dual_mtgan_bair_fifteen")
    assert {loader.dataset.window.length for loader in (cfg.train_dataloader, cfg.test_dataloader)} == {16}
    assert cfg.protocols.stochastic.num_samples == 100 and "fvd" in cfg.test_evaluator


def test_mocogan_in_frgans_protocol():
    cfg = load_config("mocogan_mug_frgan")
    people = [cfg[f"{use}_dataloader"].dataset.people for use in ("train", "val", "test")]
    assert people == ["mug/frgan_forecast", "mug/frgan_refine", "mug/frgan_test"]
    assert cfg.model.image_size == 96 and len(cfg.model.labels) == 6 and "map_channels" not in cfg.model
    assert "references" in cfg.protocols


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
    for made in model.generator(model.generator.with_conditions(clip), model.passes).values():
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


def test_parameters_and_settings_of_the_predictors_are_those_of_their_codes():
    """MCNet, SVG and Mathieu et al. (test_mcnet.py, test_svg.py and test_mathieu.py have them part by part)."""
    mcnet, svg, mathieu = built("mcnet_mug"), built("svg_bair"), built("mathieu_penn")
    assert count(mcnet.generator) == 14_096_259 and mcnet.generator.skips_from == "past"
    assert count(svg.generator) == 22_831_747 and count(built("svg_bair_fp").generator) == 22_239_491
    assert count(built("svg_bair_dcgan").generator) == 12_689_539
    assert count(mathieu.generator) == 12_569_740 and count(mathieu.discriminators) == 20_640_388
    assert count(built("mathieu_penn_script").generator) == 223_644
    weights = {loss.name: loss.weight_at(0) for loss in mcnet.phases[1].losses}
    assert weights == {"frame_l2": 1, "gradient_difference": 0.5, "clip_adversarial": 0.02}
    weights = {loss.name: loss.weight_at(0) for loss in svg.phases[0].losses}
    assert weights == {"frame_l2": 1, "kl": 4e-4} and svg.passes["reconstruct"].feed == "truth"
    assert built("svg_bair_two_observed").passes["reconstruct"].observed == 2
    weights = {loss.name: loss.weight_at(0) for loss in mathieu.phases[1].losses}
    adversarial = {f"scale{scale}_adversarial": 0.05 for scale in (8, 4, 2, 1)}
    assert weights == {"frame_l2": 4, "gradient_difference": 4} | adversarial


@pytest.mark.parametrize("name, epochs", [("fomm_bair", 20), ("fomm_uva_nemo", 800), ("fomm_oulu", None)])
def test_the_first_order_model_has_the_released_codes_settings(name, epochs):
    cfg, model = load_config(name), built(name)
    assert count(model.generator) == 59_790_759
    losses = {loss.name: loss.weight_at(0) for loss in model.phases[0].losses}
    of_discriminator = {"frame_features": 1, "frame_adversarial": 1} if epochs else {}
    assert losses == {"perceptual": 10, "equivariance": 10} | of_discriminator
    if epochs:
        assert count(model.discriminators["frame"]) == 2_758_849 and model.discriminators["frame"].condition is None
        assert cfg.model.phases.generator.losses.frame_features.channel_weights == (10, 10, 10, 10)
        assert [phase.name for phase in model.phases] == ["generator", "discriminators"]
        batches = cfg.train_cfg.max_iters / epochs
        assert (batches, cfg.train_dataloader.batch_size) == ({20: 40_960, 800: 2220}[epochs] // 36, 36)
        assert cfg.param_scheduler.decay.milestones == [0.6 * epochs * batches, 0.9 * epochs * batches]
    else:
        assert not model.discriminators


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
