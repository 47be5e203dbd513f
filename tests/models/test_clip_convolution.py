"""3D convolutions of clips shorter than their kernels: right gradients in bf16 on a CPU, else what PyTorch computes."""

import pytest
import torch
from torch import nn

from i2vkit.models.layers import TransposedConv1p2d
from i2vkit.models.layers.clip_convolution import ClipConv3d, ClipConvTranspose3d, kernel_is_cut
from i2vkit.models.layers.forms import choose_form
from i2vkit.models.layers.residual import ResidualDown

CUT = [  # kernel, stride and padding in time, frames
    (3, 1, 1, 2),
    (5, 1, 2, 2),
    (5, 1, 2, 4),
    (4, 1, 1, 3),
    (7, 2, 3, 4),
]
CUT_TRANSPOSED = [(3, 1, 1, 2), (4, 2, 2, 2), (6, 2, 2, 2)]
WHOLE = [(3, 1, 1, 1), (3, 1, 1, 3), (4, 2, 1, 2), (4, 2, 1, 4), (2, 1, 0, 3)]


def poison() -> None:
    """Leave NaN in the memory that PyTorch hands out next, which a kernel must not read."""
    blocks = [torch.full((1 << size,), float("nan")) for size in range(10, 21) for _ in range(3)]
    del blocks


def layers(kind: type, kernel: int, stride: int, padding: int) -> nn.Module:
    return kind(8, 16, (kernel, 3, 3), (stride, 1, 1), (padding, 1, 1))


def gradients(part: nn.Module, x: torch.Tensor, bf16: bool) -> dict[str, torch.Tensor]:
    """The output of ``part`` and all gradients of its sum with fixed weights."""
    x = x.clone().requires_grad_()
    part.zero_grad()
    poison()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        made = part(x)
    pull = torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
    poison()
    (made.float() * pull).sum().backward()
    return {"output": made.detach().float(), "input": x.grad} | {n: p.grad.clone() for n, p in part.named_parameters()}


def assert_close_in_bf16(part: nn.Module, x: torch.Tensor, limit: float = 0.02) -> None:
    expected = gradients(part, x, bf16=False)
    for name, value in gradients(part, x, bf16=True).items():
        assert value.isfinite().all(), name
        assert (value - expected[name]).norm() < limit * expected[name].norm(), name


@pytest.mark.parametrize("kernel, stride, padding, frames", CUT + WHOLE)
def test_gradients_in_bf16_are_those_in_fp32(kernel, stride, padding, frames):
    assert_close_in_bf16(layers(ClipConv3d, kernel, stride, padding), torch.randn(1, 8, frames, 12, 12))


@pytest.mark.parametrize("kernel, stride, padding, frames", [*CUT_TRANSPOSED, (4, 2, 1, 1), (4, 2, 1, 2), (2, 1, 0, 1)])
def test_gradients_of_transposed_ones_in_bf16_are_those_in_fp32(kernel, stride, padding, frames):
    assert_close_in_bf16(layers(ClipConvTranspose3d, kernel, stride, padding), torch.randn(1, 8, frames, 12, 12))


@pytest.mark.parametrize("form", ["reference", "fast"])
@pytest.mark.parametrize("time", [(3, 1, 1), (6, 2, 2), (4, 2, 1)])
def test_decoder_layers_of_two_frames(time, form):
    # In eval mode, for behind the statistics of a batch no gradient is left of the bias.
    block = TransposedConv1p2d(8, 16, 8, time, (4, 2, 1)).eval()
    choose_form(block, form)
    assert_close_in_bf16(block, torch.randn(2, 8, 2, 12, 12), limit=0.1)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
@pytest.mark.parametrize("form", ["reference", "fast"])
def test_residual_blocks_of_short_clips(frames, form):
    block = ResidualDown(8, 16, dim=3, slope=0.2)
    choose_form(block, form)
    assert_close_in_bf16(block, torch.randn(1, 8, frames, 12, 12), limit=0.05)


@pytest.mark.parametrize(
    "kind, plain, cases", [(ClipConv3d, nn.Conv3d, CUT), (ClipConvTranspose3d, nn.ConvTranspose3d, CUT_TRANSPOSED)]
)
def test_the_values_are_pytorchs(kind, plain, cases):
    for kernel, stride, padding, frames in cases:
        own, other = layers(kind, kernel, stride, padding), layers(plain, kernel, stride, padding)
        other.load_state_dict(own.state_dict())
        x = torch.randn(2, 8, frames, 6, 6)
        assert torch.equal(own(x), other(x))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.testing.assert_close(own(x), other(x), rtol=0.02, atol=0.02)


def test_only_short_clips_in_bf16_on_a_cpu_take_another_way():
    x = torch.randn(1, 8, 2, 4, 4)
    assert not kernel_is_cut(x, 3, 2, 2)
    assert kernel_is_cut(x.bfloat16(), 3, 2, 2)
    assert not kernel_is_cut(x.bfloat16().to("meta"), 3, 2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert kernel_is_cut(x, 3, 2, 2)
        assert not kernel_is_cut(x, 3, 3, 3) and not kernel_is_cut(x, 3, 2, 1)
