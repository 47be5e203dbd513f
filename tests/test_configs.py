"""Every config: read, checked, built at full width, and stepped through on the meta device."""

from copy import deepcopy

import pytest
import torch

from i2vkit.apis.config import config_names, load_config
from i2vkit.models import ImageToVideoGan
from i2vkit.registry import MODELS
from i2vkit.structures import Clip

NAMES = sorted(config_names())


def test_the_papers_configs_are_there():
    assert {"cnn_lstm_oulu", "cnn_lstm_weizmann", "dtgan_oulu", "dtgan_oulu_128", "dtgan_weizmann"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_config_builds_at_full_width_and_leaves_no_slot_unused(name):
    cfg = load_config(name)
    assert cfg.default_scope == "i2vkit"
    model = MODELS.build(cfg.model)
    assert cfg.model.image_size == next(t["size"] for t in cfg.train_dataloader.dataset.pipeline if "size" in t)
    if not isinstance(model, ImageToVideoGan):
        return
    slots = ("content_encoder", "motion_encoder", "motion_generator")
    for slot in slots:
        assert (cfg.model.generator[slot] is None) == (getattr(model.generator, slot) is None), f"{slot} is not read"
    meta = deepcopy(model).to("meta")
    size = cfg.model.image_size
    clip = Clip(torch.empty(2, 3, 4, size, size, device="meta"), label=torch.zeros(2, dtype=torch.long, device="meta"))
    for made in meta.generator(clip, meta.passes).values():
        assert made.video.shape == (2, 3, 4, size, size)


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
    assert ablation.to_dict() == plain.to_dict()


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
        for video in data["inputs"]["source"]:
            assert video.shape[-1] == narrow.SIZE
        data["inputs"]["source"] = [
            video.repeat_interleave(2, 2).repeat_interleave(2, 3) for video in data["inputs"]["source"]
        ]
        log = model.train_step(data, narrow.optimizers(model))
        assert all(torch.isfinite(value) for value in log.values())


def test_no_workers_is_one_option():
    cfg = load_config("dtgan_weizmann", {"train_dataloader.num_workers": 0})
    assert cfg.train_dataloader.persistent_workers is False
    assert cfg.val_dataloader.persistent_workers is True
