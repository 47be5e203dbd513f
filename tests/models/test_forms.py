"""Reference and fast forms: one switch for all layers, and on a GPU both compute the same, without kernels for CPUs."""

import types
from contextlib import contextmanager
from unittest import mock

import narrow
import pytest
import torch
from emulated_cuda import emulated_cuda
from torch import nn

from i2vkit.analysis.benchmark.generators import using_reference_forms
from i2vkit.models.discriminators import FrameDiscriminator, VideoDiscriminator
from i2vkit.models.layers import (
    PooledConv,
    ResidualUp,
    StaticConv2d,
    TransposedConv1p2d,
    UpsampledConv,
    cpu_kernels,
)
from i2vkit.models.layers.forms import FAST, FORMS, REFERENCE, TwoForms, choose_form
from i2vkit.models.layers.stages import StaticTransposedConv2d

DISCRIMINATOR = dict(in_channels=3, image_size=16, label_size=3, widths=(4, 6))
# Every layer of the table, and the shapes of its inputs.
LAYERS = {
    "TransposedConv1p2d": (
        lambda: TransposedConv1p2d(4 + 3, 6, 5, (4, 2, 1), (4, 2, 1)),
        [(2, 4, 5, 4, 4), (2, 3, 4, 4)],
    ),
    "PooledConv": (lambda: PooledConv(3, 4, dim=3), [(2, 3, 4, 6, 6)]),
    "UpsampledConv": (lambda: UpsampledConv(3 + 2, 4), [(4, 3, 5, 5), (2, 2, 5, 5)]),
    "StaticConv2d": (lambda: StaticConv2d(3 + 2, 4), [(4, 3, 5, 5), (2, 2, 5, 5)]),
    "StaticTransposedConv2d": (lambda: StaticTransposedConv2d(3 + 2, 4), [(4, 3, 5, 5), (2, 2, 5, 5)]),
    "ResidualUp": (lambda: ResidualUp(3 + 2, 4).eval(), [(4, 3, 5, 5), (2, 2, 5, 5)]),
    "FrameDiscriminator": (lambda: FrameDiscriminator(**DISCRIMINATOR), [(4, 3, 16, 16), (4, 3)]),
    "VideoDiscriminator": (lambda: VideoDiscriminator(**DISCRIMINATOR), [(4, 3, 8, 16, 16), (4, 3)]),
}
TRANSPOSED = [  # time, space, side: blocks of few pixels and of many, and kernels of other reach
    ((2, 1, 0), (4, 1, 0), 1),
    ((4, 2, 1), (4, 2, 1), 4),
    ((3, 1, 1), (4, 2, 1), 2),
    ((6, 2, 2), (4, 2, 1), 4),
    ((4, 4, 0), (2, 1, 0), 1),
]


def results(make, shapes: list[tuple], form: str | None, device: str, gradients: bool = True) -> list[torch.Tensor]:
    """Output of a layer on ``device``, and all gradients, on the CPU."""
    torch.manual_seed(0)
    layer = make().double()
    choose_form(layer, form)
    layer, inputs = layer.to(device), [torch.randn(shape).double().to(device).requires_grad_() for shape in shapes]
    with torch.set_grad_enabled(gradients):
        out = layer(*inputs)
    if not gradients:
        return [out.cpu()]
    (out * torch.linspace(-1, 1, out.numel(), dtype=torch.float64).to(device).view(out.shape)).sum().backward()
    return [tensor.detach().cpu() for tensor in (out, *(each.grad for each in (*inputs, *layer.parameters())))]


@contextmanager
def gpu_without_cpu_kernels():
    """An emulated GPU; whoever calls a kernel for CPUs inside fails."""
    names = [name for name, value in vars(cpu_kernels).items() if isinstance(value, types.FunctionType)]
    own = [name for name in names if getattr(cpu_kernels, name).__module__ == cpu_kernels.__name__ and name != "on_cpu"]
    assert {"product", "few_rows_product", "overlap_add", "reference_is_faster"} <= set(own)
    refuse = mock.Mock(side_effect=AssertionError("a kernel for CPUs was asked for on a GPU"))
    with mock.patch.multiple(cpu_kernels, **dict.fromkeys(own, refuse)), emulated_cuda():
        yield


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("form", [REFERENCE, FAST])
def test_a_layer_computes_the_same_on_a_gpu(name, form):
    make, shapes = LAYERS[name]
    expected = results(make, shapes, REFERENCE, "cpu")
    with gpu_without_cpu_kernels():
        found = results(make, shapes, form, "cuda:0")
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("time, space, side", TRANSPOSED)
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("gradients", [True, False])
def test_the_1p2d_layer_does_so_for_all_kernels(time, space, side, length, gradients):
    """On a GPU, and in the fast form on a CPU, which without gradients is another one."""
    make, shapes = lambda: TransposedConv1p2d(7, 6, 5, time, space), [(2, 4, length, side, side), (2, 3, side, side)]
    expected = results(make, shapes, REFERENCE, "cpu", gradients)
    with gpu_without_cpu_kernels():
        found = results(make, shapes, FAST, "cuda:0", gradients)
    for one, other, third in zip(found, expected, results(make, shapes, FAST, "cpu", gradients), strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9) and torch.allclose(third, other, rtol=1e-9, atol=1e-9)


def test_the_table_names_every_layer_and_decides_by_device(monkeypatch):
    known = {kind.__name__ for kind in all_subclasses(TwoForms) if kind.__module__.startswith("i2vkit.")}
    assert {name.lstrip("_") for name in known} - {"ConvStack"} == set(FORMS) == set(LAYERS)
    layer, cpu = PooledConv(3, 4), torch.empty(0)
    with emulated_cuda():
        gpu = torch.empty(0, device="cuda:0")
        for form in (REFERENCE, FAST):
            monkeypatch.setitem(FORMS["PooledConv"], "cuda", form)
            assert layer.takes_reference(gpu) == (form == REFERENCE) and not layer.takes_reference(cpu)
            monkeypatch.setitem(FORMS["PooledConv"], "cpu", form)
            assert layer.takes_reference(cpu) == layer.takes_reference(cpu.to("meta")) == (form == REFERENCE)
            monkeypatch.setitem(FORMS["PooledConv"], "cpu", FAST)


def all_subclasses(kind: type) -> set[type]:
    return {each for child in kind.__subclasses__() for each in (child, *all_subclasses(child))}


def test_the_form_of_one_model_is_chosen_and_given_back():
    model = narrow.build(
        discriminators=dict(one=narrow.discriminator("VideoDiscriminator", "WholeClip", condition="label")),
        phases={},
        frozen=[],
    )
    model.extra = nn.Sequential(PooledConv(3, 4), UpsampledConv(3, 4))
    x = torch.empty(0)
    assert [type(layer).__name__ for layer in choose_form(model, REFERENCE, "UpsampledConv")] == ["UpsampledConv"]
    assert [layer.takes_reference(x) for layer in model.extra] == [False, True]
    with using_reference_forms(model):
        assert all(layer.takes_reference(x) for layer in (*model.extra, model.discriminators["one"].network))
    assert [layer.takes_reference(x) for layer in model.extra] == [False, True]
    with using_reference_forms(model, False):
        assert not any(layer.takes_reference(x) for layer in model.extra)
    assert len(choose_form(model, None)) == 3
    assert not any(layer.takes_reference(x) for layer in model.extra)
