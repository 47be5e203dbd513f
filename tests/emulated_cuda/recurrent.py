"""LSTM and GRU on tensors of an emulated GPU, as cuDNN has them."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from emulated_cuda.device import Counts, CudaTensor, where


class _Recurrent(torch.autograd.Function):
    """A recurrent layer on emulated tensors: one operation, with the kernels of the CPU."""

    @staticmethod
    def forward(ctx, compute: Callable, counts: Counts, training: bool, *tensors: CudaTensor):
        """``compute`` on what the tensors stand for."""
        counts.kernels += 3
        ctx.counts, ctx.training = counts, training
        needed = ctx.needs_input_grad[3:]
        ctx.inputs = [t.on_cpu.detach().requires_grad_(wanted) for t, wanted in zip(tensors, needed, strict=True)]
        with _disable_current_modes(), torch.enable_grad():
            ctx.outputs = compute(ctx.inputs)
        return tuple(CudaTensor(output.detach()) for output in ctx.outputs)

    @staticmethod
    def backward(ctx, *gradients: CudaTensor):
        """As cuDNN: in training mode only."""
        if not ctx.training:
            raise RuntimeError(f"cudnn RNN backward can only be called in training mode; at {where()}")
        ctx.counts.kernels += 4
        wanted = [tensor for tensor in ctx.inputs if tensor.requires_grad]
        given = [gradient.on_cpu for gradient in gradients]
        with _disable_current_modes():
            made = iter(torch.autograd.grad(ctx.outputs, wanted, given, allow_unused=True, retain_graph=True))
        own = [next(made) if tensor.requires_grad else None for tensor in ctx.inputs]
        return None, None, None, *(None if gradient is None else CudaTensor(gradient) for gradient in own)


def recurrent(kind: str, counts: Counts) -> Callable:
    """Torch's function "lstm" or "gru" for emulated tensors too."""
    original = getattr(torch._VF, kind)

    def call(x, start, weights, biased, layers, dropout, training, *settings):
        starts = list(start) if kind == "lstm" else [start]
        tensors = [x, *starts, *weights]
        if not any(isinstance(tensor, CudaTensor) for tensor in tensors):
            return original(x, start, weights, biased, layers, dropout, training, *settings)
        if not all(isinstance(tensor, CudaTensor) for tensor in tensors):
            raise RuntimeError(f"Input, hidden and parameter tensors are not at the same device; at {where()}")

        def compute(reals: list[Tensor]):
            states, own = reals[1 : 1 + len(starts)], reals[1 + len(starts) :]
            begun = tuple(states) if kind == "lstm" else states[0]
            return original(reals[0], begun, own, biased, layers, dropout, training, *settings)

        return _Recurrent.apply(compute, counts, training, *tensors)

    return call
