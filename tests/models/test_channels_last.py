"""Weights with the channels last: other strides, the same values, and checkpoints that fit either way."""

from copy import deepcopy

import narrow
import narrowed
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from i2vkit.models.generator_weights import export_generator
from i2vkit.models.layers.memory_format import to_channels_last_

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def trained(cfg, channels_last: bool, steps: int = 2, checkpoint: dict | None = None) -> tuple[list[dict], dict]:
    """The losses of some steps of a narrow config on a CPU, and a checkpoint."""
    cfg = deepcopy(cfg)
    cfg.model.channels_last = channels_last
    model, optimizers = narrowed.build(cfg)
    if checkpoint is not None:
        model.load_state_dict(checkpoint["model"])
        optimizers.load_state_dict(deepcopy(checkpoint["optimizers"]))  # whose tensors would be worked on
    data, losses = narrowed.batch_for(model, narrowed.frames_of(cfg)), []
    for step in range(steps):
        torch.manual_seed(step + (0 if checkpoint is None else 2))
        losses.append({name: float(value) for name, value in model.train_step(data, optimizers).items()})
    return losses, dict(model=deepcopy(model.state_dict()), optimizers=deepcopy(optimizers.state_dict()))


@pytest.mark.parametrize(
    "name", ["imaginator_mug", "dtgan_weizmann", "dual_mtgan_weizmann", "frgan_refine_mug", "cnn_lstm_weizmann"]
)
def test_training_is_the_same_and_a_checkpoint_fits_either_way(name):
    cfg = narrowed.narrowed(name)
    narrowed.at_iteration(0)
    expected, checkpoint = trained(cfg, False)
    found, moved = trained(cfg, True)
    further, _ = trained(cfg, False, checkpoint=checkpoint)
    for one, other in (
        *zip(found, expected, strict=True),
        *zip(trained(cfg, True, checkpoint=checkpoint)[0], further, strict=True),
        *zip(trained(cfg, False, checkpoint=moved)[0], further, strict=True),
    ):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-5)


def test_all_weights_of_convolutions_lie_so_and_their_outputs_follow():
    discriminators = dict(
        frame=narrow.discriminator(),
        video=narrow.discriminator("VideoDiscriminator", "WholeClip"),
    )
    discriminators["frame"]["network"] = discriminators["frame"]["network"] | dict(norm="spectral")
    model = narrow.build(discriminators=discriminators, phases={}, frozen=[], channels_last=True)
    weights = [parameter for parameter in model.parameters() if parameter.dim() in FORMATS]
    assert {weight.dim() for weight in weights} == {4, 5}
    assert all(weight.is_contiguous(memory_format=FORMATS[weight.dim()]) for weight in weights)
    for name, sample in (("frame", torch.rand(2, 3, 32, 32)), ("video", torch.rand(2, 3, 4, 32, 32))):
        seen = []
        last = model.discriminators[name].network.blocks[-1]
        handle = last.register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output))
        model.discriminators[name](sample)
        handle.remove()
        assert not seen[0].is_contiguous() and seen[0].is_contiguous(memory_format=FORMATS[sample.dim()])


def test_in_place_and_the_same_values():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose3d(3, 4, 2), nn.Linear(3, 4))
    before, pointers = deepcopy(module.state_dict()), [id(parameter) for parameter in module.parameters()]
    assert to_channels_last_(module) is module
    assert [id(parameter) for parameter in module.parameters()] == pointers
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_such_a_model_is_exported(tmp_path):
    cfg = narrowed.narrowed("dtgan_weizmann")
    cfg.model.channels_last = True
    model, _ = narrowed.build(cfg)
    export_generator(model, cfg, tmp_path / "weights.safetensors")
    weights = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(weights[f"generator.{name}"], value) for name, value in model.generator.state_dict().items())
