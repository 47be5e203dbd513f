"""The emulated GPU itself: what it computes, refuses and counts, and that it leaves nothing behind."""

import copy
import io
import operator
import pickle

import pytest
import torch
from emulated_cuda import CudaTensor, emulated_cuda
from torch import nn
from torch.nn import functional

from i2vkit.models.clip_lengths import at_last_frame


class Small(nn.Module):
    """A convolution, a batch norm and both recurrent layers."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.lstm, self.gru = nn.LSTM(4, 5, batch_first=True), nn.GRU(5, 2, batch_first=True)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames (T, 3, H, W) to (1, T, 2)."""
        features = functional.relu(self.norm(self.convolution(frames))).mean(dim=(2, 3))[None]
        return self.gru(self.lstm(features)[0])[0]


def trained(device: str) -> list[torch.Tensor]:
    """Losses and weights of three steps."""
    torch.manual_seed(0)
    model, frames = Small().to(device), torch.randn(4, 3, 6, 6).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    losses = []
    for _ in range(3):
        loss = model(frames).square().sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach().cpu())
    return [*losses, *(value.detach().cpu() for value in model.state_dict().values())]


def test_training_has_the_numbers_of_the_cpu():
    expected = trained("cpu")
    with emulated_cuda():
        found = trained("cuda:0")
    assert expected[2] < expected[0]
    for one, other in zip(found, expected, strict=True):
        assert not isinstance(one, CudaTensor) and torch.allclose(one, other, rtol=1e-5, atol=1e-6)


def test_operands_on_two_devices_are_refused_but_for_scalars_of_the_cpu():
    with emulated_cuda():
        there, here, scalar = torch.ones(2, device="cuda:0"), torch.ones(2), torch.tensor(3.0)
        assert there.device == torch.device("cuda", 0) and there.is_cuda
        assert (there + scalar).tolist() == [4, 4]
        for operation in (
            lambda: there + here,
            lambda: here.add_(there[0]),
            lambda: torch.cat([there, here]),
            lambda: torch.stack([there[0], scalar]),
            lambda: nn.Linear(2, 1)(there),
            lambda: functional.cross_entropy(there[None], torch.tensor([0])),
        ):
            with pytest.raises(RuntimeError, match="same device"):
                operation()
        with pytest.raises(RuntimeError, match="same device as the indexed tensor"):
            here[torch.tensor([0], device="cuda:0")]
        for layer in (nn.LSTM(2, 3), nn.GRU(2, 3)):
            with pytest.raises(RuntimeError, match="not at the same device"):
                layer(there[None, None])


def test_numpy_pickle_and_the_backward_pass_of_cudnn_in_eval_mode_are_refused():
    with emulated_cuda():
        there = torch.ones(2, device="cuda:0")
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        with pytest.raises(TypeError, match="call cpu"):
            pickle.dumps(there)
        assert there.cpu().numpy().tolist() == [1, 1]
        for kind in (nn.LSTM, nn.GRU):
            layer = kind(2, 3).to("cuda:0")
            for training in (True, False):
                made = layer.train(training)(there[None, None])[0].sum()
                if training:
                    made.backward()
                    assert layer.weight_ih_l0.grad.is_cuda
                else:
                    with pytest.raises(RuntimeError, match="only be called in training mode"):
                        made.backward()


@pytest.mark.parametrize(
    "operation, waits",
    [
        (lambda x: x.sum().item(), 1),
        (lambda x: float(x[0]) + int(x[1]), 2),
        (lambda x: bool(x[0]), 1),
        (lambda x: 1 if x.sum() > 0 else 0, 1),
        (lambda x: x.tolist(), 1),
        (lambda x: x.cpu(), 1),
        (lambda x: x.to("cpu", non_blocking=True), 0),
        (lambda x: torch.zeros(3).copy_(x), 1),
        (lambda x: (x > 1).nonzero(), 1),
        (lambda x: x[x > 1], 1),
        (lambda x: x.masked_select(x > 1), 1),
        (lambda x: x.unique(), 1),
        (lambda x: torch.equal(x, x), 1),
        (lambda x: torch.bincount(x.long()), 1),
        (lambda x: functional.one_hot(x.long()), 1),
        (lambda x: functional.one_hot(x.long(), 4), 0),
        (lambda x: x.repeat_interleave(x.long()), 1),
        (lambda x: x.repeat_interleave(x.long(), output_size=6), 0),
        (lambda x: x.repeat_interleave(2), 0),
        (lambda x: torch.multinomial(x, 1), 2),
        (lambda x: torch.multinomial(x, 2, replacement=True), 0),
        (lambda x: torch.where(x > 1, x, 0).masked_fill(x > 2, 5), 0),
        (lambda x: x[x.long() - 1].index_select(0, x.long() - 1), 0),
        (lambda x: at_last_frame(x[:, None, None], x.long().clamp(max=1)), 0),
    ],
)
def test_waits_are_counted(operation, waits):
    with emulated_cuda() as cuda:
        x = torch.ones(3, device="cuda:0").cumsum(0)
        cuda.counts.clear()
        operation(x)
        assert (cuda.counts.synchronisations.total(), cuda.counts.copies.total()) == (waits, 0), cuda.counts


def test_the_backward_pass_of_a_mask_waits_too_and_that_of_indices_does_not():
    with emulated_cuda() as cuda:
        x = torch.ones(2, device="cuda:0", requires_grad=True)
        for index, waits in ((x.detach() > 0, 2), (torch.arange(2, device="cuda:0"), 0)):
            cuda.counts.clear()
            x[index].sum().backward()
            assert cuda.counts.synchronisations.total() == waits, cuda.counts
        assert x.grad.tolist() == [2, 2]


def test_copies_to_the_device_are_counted_with_their_line():
    with emulated_cuda() as cuda:
        for operation in (
            lambda: torch.ones(2).to("cuda:0"),
            lambda: torch.ones(2).to("cuda:0", non_blocking=True),
            lambda: torch.tensor([1.0], device="cuda:0"),
            lambda: torch.as_tensor([1.0], device="cuda:0"),
            lambda: torch.zeros(2, device="cuda:0").new_tensor([1.0]),
            lambda: torch.zeros(2, device="cuda:0").copy_(torch.ones(2)),
            lambda: torch.zeros(2, device="cuda:0")[torch.tensor([0])],
            lambda: operator.setitem(torch.zeros(2, device="cuda:0"), 0, 4.0),
        ):
            cuda.counts.clear()
            operation()
            assert cuda.counts.copies.total() == 1 and cuda.counts.synchronisations.total() == 0, cuda.counts
            (event,) = cuda.counts.copies
            assert event.partition(", ")[2].startswith("test_emulated_cuda.py:")
        cuda.counts.clear()
        made = torch.zeros(2, device="cuda:0") + torch.rand(2, device="cuda:0") + torch.arange(2, device="cuda:0")
        made[0] = made[1]
        assert cuda.counts.copies.total() == cuda.counts.synchronisations.total() == 0, cuda.counts


def test_kernels_are_counted_views_are_not():
    with emulated_cuda() as cuda:
        x = torch.ones(2, 3, device="cuda:0")
        cuda.counts.clear()
        y = x.view(6)[1:].reshape(5, 1).expand(5, 2).detach()
        assert cuda.counts.kernels == 0
        y.add(1).sum()
        assert cuda.counts.kernels == 2
        assert str(cuda.counts) == "0 synchronisations, 0 copies, 2 kernels"


def test_models_are_copied_and_files_read_onto_the_device():
    file = io.BytesIO()
    torch.save(dict(weights=[torch.arange(3.0)], iterations=5), file)
    with emulated_cuda():
        layer = nn.Linear(2, 2).to("cuda:0")
        copied = copy.deepcopy(layer)
        assert isinstance(copied.weight, nn.Parameter) and isinstance(copied.weight, CudaTensor)
        with torch.no_grad():
            layer.weight.add_(1)
        assert torch.allclose(layer.weight.cpu() - copied.weight.cpu(), torch.ones(2, 2))
        for place, kind in (("cuda:0", CudaTensor), ("cpu", torch.Tensor)):
            file.seek(0)
            read = torch.load(file, map_location=place, weights_only=True)
            assert type(read["weights"][0]) is kind and read["iterations"] == 5
            assert read["weights"][0].tolist() == [0, 1, 2]


def test_autocast_is_entered_and_changes_nothing():
    with emulated_cuda(), torch.autocast("cuda", dtype=torch.bfloat16):
        assert torch.is_autocast_enabled("cuda")
        assert nn.Linear(2, 2).to("cuda:0")(torch.ones(1, 2, device="cuda:0")).dtype is torch.float32


def test_nothing_is_left_behind():
    def settings():
        changed = torch.load, torch._VF.lstm, torch._C._only_lift_cpu_tensors(), torch.backends.cudnn.enabled
        return *changed, torch.cuda.is_initialized()

    before = settings()
    with pytest.raises(ZeroDivisionError), emulated_cuda():
        kept = torch.ones(1, device="cuda:0")
        raise ZeroDivisionError
    assert settings() == before
    with pytest.raises(RuntimeError, match="outside of emulated_cuda"):
        kept + 1
