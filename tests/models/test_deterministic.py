"""``--deterministic``: no training step calls what CUDA refuses then, and what stands in its place is the same."""

import re

import narrowed
import pytest
import torch
from emulated_cuda import emulated_cuda
from nondeterministic import REFUSED, Recorded
from torch.nn import functional

from i2vkit.models.layers import resampling
from i2vkit.models.layers.resampling import adaptive_average_pool, average_pool
from i2vkit.models.losses.feature_losses import crop_boxes


def test_everything_that_the_installed_pytorch_refuses_is_looked_for():
    refused = torch.use_deterministic_algorithms.__doc__.split("RuntimeError` when ``mode=True``:")[1]
    entries = re.findall(r"^ *\* :(?:class|func):`([\w.]+)`", refused.split("In addition")[0], flags=re.MULTILINE)
    assert len(entries) > 15
    assert set(entries) <= set(REFUSED)


def test_what_is_refused_is_found():
    with Recorded() as recorded:
        video = torch.rand(1, 2, 4, 4, 4, requires_grad=True)
        functional.avg_pool3d(video, 2).sum().backward()
    assert recorded.refused == {"torch.nn.AvgPool3d": {"avg_pool3d_backward"}}


@pytest.fixture
def deterministic():
    """The setting that ``--deterministic`` turns on."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name, iteration", narrowed.STEPS)
def test_no_training_step_calls_what_cuda_refuses(name, iteration, deterministic):
    cfg = narrowed.narrowed(name)
    with emulated_cuda():
        model, optimizers = narrowed.build(cfg, "cuda:0")
        narrowed.at_iteration(iteration)
        with Recorded() as recorded:
            model.train_step(narrowed.batch_for(model, narrowed.frames_of(cfg)), optimizers)
    assert {"convolution_backward", "native_batch_norm_backward"} & recorded.names or "lstm" in name
    assert recorded.refused == {}


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 3, 3), (5, 4, 2), (3, 3, 7)])
@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 3, 3), (5, 7, 2), (8, 3, 9)])
def test_adaptive_pooling_is_that_of_torch(shape, sizes):
    """Uneven parts, one for all, more parts than places; values and gradients."""
    x = torch.randn(2, 3, *shape, dtype=torch.float64, requires_grad=True)
    found, expected = adaptive_average_pool(x, sizes), functional.adaptive_avg_pool3d(x, sizes)
    assert torch.allclose(found, expected, atol=1e-12)
    cost = torch.randn_like(expected)
    assert torch.allclose(*(torch.autograd.grad(made, x, cost)[0] for made in (found, expected)), atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 6, 8), (1, 4, 4), (5, 7, 1), (2, 1, 3)])
def test_average_pooling_on_a_gpu_is_that_of_torch(shape):
    """Values, gradients and gradients of gradients; axes of one place, and of an odd number of places."""
    x = torch.randn(2, 3, *shape, dtype=torch.float64)

    def results(pool, device: str) -> list[torch.Tensor]:
        own = x.to(device).requires_grad_()
        made = pool(own)
        (first,) = torch.autograd.grad(made.pow(3).sum(), own, create_graph=True)
        (second,) = torch.autograd.grad(first.pow(2).sum(), own)
        return [tensor.detach().cpu() for tensor in (made, first, second)]

    expected = results(lambda x: functional.avg_pool3d(x, resampling.pool_sizes(x.shape[2:])), "cpu")
    with emulated_cuda(), Recorded() as recorded:
        found = results(average_pool, "cuda:0")
    assert recorded.refused == {}
    for one, other in (*zip(found, expected, strict=True), *zip(results(average_pool, "cpu"), expected, strict=True)):
        assert torch.allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("size", [7, 16, 40])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_a_crop_is_what_grid_sample_gives(size, dtype, tolerance):
    """Boxes inside, beyond two edges each, beyond all, of nearly no size, and of the whole frame."""
    frames = torch.rand(5, 3, 24, 18, dtype=dtype).mul(2).sub(1).requires_grad_()
    sides = [[3.2, 4.5, 15.1, 20.9], [-5, -2, 10, 12], [9, 15, 30, 40], [5, 5, 5.2, 5.1], [0, 0, 18, 24]]
    boxes = torch.tensor(sides, dtype=dtype)
    low, high = boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    shape = boxes.new_tensor([18, 24])
    places = torch.cat([torch.diag_embed((high - low) / shape), ((high + low) / shape - 1)[:, :, None]], dim=2)
    grid = functional.affine_grid(places, (5, 3, size, size), align_corners=False)
    expected = functional.grid_sample(frames, grid, padding_mode="border", align_corners=False)
    with Recorded() as recorded:
        found = crop_boxes(frames, boxes, size)
        cost = torch.randn_like(found)
        (gradient,) = torch.autograd.grad(found, frames, cost)
    assert recorded.refused == {}
    assert torch.allclose(found, expected, atol=tolerance)
    (wanted,) = torch.autograd.grad(expected, frames, cost)
    assert torch.allclose(gradient, wanted, atol=tolerance * wanted.abs().max().item())


def test_a_crop_keeps_its_precision_in_mixed_precision():
    frames, boxes = torch.rand(1, 3, 8, 8), torch.tensor([[1.0, 2.0, 6.5, 7.0]])
    with torch.autocast("cpu", torch.bfloat16):
        mixed = crop_boxes(frames, boxes, 5)
    assert mixed.dtype == torch.float32 and torch.equal(mixed, crop_boxes(frames, boxes, 5))
