"""Every registered part: what fvcore counts is what its layers' shapes say, layer by layer, in closed form."""

from collections import Counter
from math import prod

import narrow
import pytest
import torch
from torch import nn

import i2vkit.models  # noqa: F401  registers the parts
from i2vkit.analysis.profile import analyse
from i2vkit.analysis.profile.forward import DiscriminatorProbe, GeneratorProbe, discriminator_input
from i2vkit.registry import (
    CONTENT_ENCODERS,
    DECODERS,
    DISCRIMINATORS,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    REFINERS,
    VIEWS,
    Registry,
)

SLOTS = {
    "content_encoder": CONTENT_ENCODERS,
    "motion_encoder": MOTION_ENCODERS,
    "motion_generator": MOTION_GENERATORS,
    "decoder": DECODERS,
    "refiner": REFINERS,
}
# Tracing leaves out what the video does not depend on, as the log-variance at test.
CODE = narrow.NARROW["Conv3dEncoder"] | dict(variational=False)
AROUND = dict(
    content_encoder=narrow.NARROW["ConvPyramidEncoder"],
    motion_encoder=CODE,
    decoder=narrow.NARROW["FrameDecoder"],
)
# Modules of a part on which the video does not depend at test, which the test below looks at: a prior of its own.
UNREAD = {"RecurrentPosterior": ("prior_network",)}
# What stands around the parts that AROUND does not fit.
POINTS = dict(motion_encoder=narrow.NARROW["KeypointEncoder"])
AROUND_OF = {
    "DenseFlow": POINTS | dict(decoder=narrow.NARROW["WarpedPyramidDecoder"]),
    "PointMaps": POINTS | dict(decoder=narrow.NARROW["UNetDecoder"]),
    "WarpedPyramidDecoder": POINTS | dict(motion_generator=narrow.NARROW["DenseFlow"]),
    "StageMapDecoder": dict(motion_encoder=narrow.NARROW["DifferenceEncoder"]),
}
# fvcore's names of the operations of each kind of layer.
OPERATIONS = {
    "convolution": ("conv",),
    "linear": ("linear", "addmm"),
    "recurrent": ("lstm", "gru"),
    "batch norm": ("batch_norm",),
}


def narrowed(registry: Registry, name: str) -> dict:
    if name == "Conv3dEncoder":
        return CODE
    return narrow.NARROW.get(name, dict(type=registry.get(name)))


def layer_macs(layer: nn.Module, x: torch.Tensor, made: torch.Tensor) -> tuple[str, int]:
    """The kind of a layer, and its multiply-adds by the shapes of weights, input and output."""
    if isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d):
        return "convolution", x.numel() * prod(layer.weight.shape[1:])
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return "convolution", made.numel() * prod(layer.weight.shape[1:])
    if isinstance(layer, nn.Linear):
        return "linear", made.numel() * layer.in_features
    if isinstance(layer, nn.LSTM | nn.GRU):
        return "recurrent", prod(x.shape[:-1]) * sum(p.numel() for p in layer.parameters() if p.dim() == 2)
    return "batch norm", 2 * made.numel()


COUNTED = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.Linear, nn.LSTM, nn.GRU, nn.modules.batchnorm._BatchNorm),
)


def counted_layers(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, COUNTED)]


def check(probe: nn.Module, inputs: tuple, unread: tuple[str, ...] = ()) -> None:
    """Compare all layers with the trace, which must have nothing of the modules ``unread``: they change no output."""
    expected: Counter = Counter()
    left_out = {layer for name in unread for layer in probe.get_submodule(name).modules()}

    def note(layer, given, made):
        kind, macs = layer_macs(layer, given[0], made[0] if isinstance(made, tuple) else made)
        expected[kind] += macs

    hooks = [layer.register_forward_hook(note) for layer in counted_layers(probe) if layer not in left_out]
    with torch.no_grad():
        made = probe(*inputs)
        for hook in hooks:
            hook.remove()
        analysis = analyse(probe, inputs)
        for name in unread:
            assert counted_layers(probe.get_submodule(name)) and not analysis.by_module()[name]
            for parameter in probe.get_submodule(name).parameters():
                parameter.add_(1.0)
        if unread:
            assert torch.equal(probe(*inputs), made)
    counted = analysis.by_operator()
    assert sum(expected.values()) > 0
    for kind, operations in OPERATIONS.items():
        assert sum(counted[operation] for operation in operations) == expected[kind], kind


@pytest.mark.parametrize(
    "slot, name", [(slot, name) for slot, registry in SLOTS.items() for name in registry.module_dict]
)
def test_a_part_of_a_generator(slot, name):
    generator = AROUND | AROUND_OF.get(name, {}) | {slot: narrowed(SLOTS[slot], name)}
    if slot == "motion_generator" and name not in AROUND_OF and "motion.code" not in SLOTS[slot].get(name).requires:
        generator["motion_encoder"] = None  # or else its code is read, and this part is not
    model = narrow.build(generator=generator, discriminators={}, phases={}, frozen=[]).eval()
    assert getattr(model.generator, slot) is not None
    for module in model.modules():
        if hasattr(module, "reference"):  # the textbook form, in which every layer is called as it is
            module.reference = True
    length = model.generator.lengths.at_least(6)
    unread = tuple(f"generator.{slot}.{child}" for child in UNREAD.get(name, ()))
    check(GeneratorProbe(model.generator), (torch.zeros(1, 3, length, narrow.SIZE, narrow.SIZE),), unread)


@pytest.mark.parametrize("name", DISCRIMINATORS.module_dict)
def test_a_network_of_a_discriminator(name):
    kind = DISCRIMINATORS.get(name).sample_type
    view = next(view for view, part in VIEWS.module_dict.items() if part.sample_type == kind)
    condition = None if kind == "vector" else "maps"
    discriminators = dict(one=narrow.discriminator(name, view, condition=condition))
    model = narrow.build(discriminators=discriminators, phases={}, frozen=[]).eval()
    for module in model.modules():
        if hasattr(module, "reference"):
            module.reference = True
    video = torch.zeros(1, 3, 6, narrow.SIZE, narrow.SIZE)
    with torch.no_grad():
        disc_input = discriminator_input(model.discriminators["one"], video, model.generator)
    check(DiscriminatorProbe(model.discriminators["one"], disc_input), (disc_input.sample,))
