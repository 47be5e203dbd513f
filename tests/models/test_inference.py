"""Generators made ready for inference: the same videos, fewer and smaller weights."""

import narrow
import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import nn

from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.inference import for_inference_
from i2vkit.models.training.passes import Pass
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch


def imaginator_config(decoder: str = "TransposedConv1p2dDecoder") -> dict:
    generator = dict(
        content_encoder=narrow.NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=narrow.NARROW["LabelFusion"],
        decoder=narrow.NARROW[decoder],
    )
    return narrow.gan_config(
        generator=generator,
        discriminators={},
        phases=dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss")))),
    )


def model_with_statistics(decoder: str = "TransposedConv1p2dDecoder") -> nn.Module:
    """Weights away from zero, and batch norms that have seen something."""
    torch.manual_seed(0)
    model = MODELS.build(imaginator_config(decoder))
    with torch.no_grad():
        for parameter in model.generator.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for _ in range(30):
            videos(model.generator.train())
    return model.eval()


@torch.no_grad()
def videos(generator: nn.Module, half: bool = False) -> torch.Tensor:
    driving = torch.rand(2, 3, 8, narrow.SIZE, narrow.SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        clip = VideoBatch(driving, label=torch.tensor([0, 1]))
        return generator(clip, {"one": Pass()}, GenerationState([1, 2]))["one"].video


@pytest.mark.parametrize("decoder", ["TransposedConv1p2dDecoder", "TransposedConv3dDecoder"])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 0.06)])
def test_the_video_stays(decoder, dtype, tolerance):
    generator = model_with_statistics(decoder).generator
    plain = videos(generator)
    assert plain.std() > 0.1  # else everything would agree
    for_inference_(generator, dtype)
    found = videos(generator, half=dtype == torch.bfloat16)
    assert found.dtype == torch.float32 and (found - plain).abs().max() < tolerance
    assert not any(isinstance(module, nn.BatchNorm3d) for module in generator.decoder.modules())
    assert {m.weight.dtype for m in generator.modules() if isinstance(m, nn.Linear | nn.ConvTranspose3d)} == {dtype}
    assert not any(parameter.requires_grad for parameter in generator.parameters())


def test_other_types_are_refused():
    with pytest.raises(ConfigError, match=r"float32 or bfloat16, not in torch\.float16"):
        for_inference_(nn.Linear(1, 1), torch.float16)


def test_the_inferencer_in_bf16_is_a_few_grey_levels_off(tmp_path):
    torch.save({"state_dict": model_with_statistics().state_dict(), "meta": {}}, tmp_path / "model.pth")
    config = Config(dict(model=imaginator_config()))
    image = np.random.default_rng(0).integers(0, 255, (narrow.SIZE, narrow.SIZE, 3), dtype=np.uint8)
    made = []
    for precision in ("fp32", "bf16"):
        inferencer = I2VInferencer(config, tmp_path / "model.pth", device="cpu", precision=precision)
        made.append(inferencer(image, label=1, frames=8, seed=3).frames.astype(int))
    difference = np.abs(made[0] - made[1])
    assert 0 < difference.mean() < 1.5 and difference.max() <= 8


@pytest.mark.parametrize("decoder", ["UNetDecoder", "FrameDecoder"])
def test_frame_by_frame_generators_run_in_bf16_too(decoder):
    torch.manual_seed(0)
    changes = dict(decoder=narrow.NARROW[decoder])
    if decoder == "FrameDecoder":
        changes["content_encoder"] = narrow.NARROW["ConvPyramidEncoder"]
    generator = narrow.build(generator=changes).generator.eval()
    plain = videos(generator)
    found = videos(for_inference_(generator, torch.bfloat16), half=True)
    assert (found - plain).abs().max() < 0.06
