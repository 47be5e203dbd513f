"""The same random numbers on every device, and a reference in float64."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

_SHAPED = (torch.rand, torch.randn, torch.randint, torch.randperm)
_LIKE = {torch.rand_like: torch.rand, torch.randn_like: torch.randn}


class SharedRandomness(TorchFunctionMode):
    """As a context manager: draws come from one generator on the CPU, in float32, and then go to whoever asked.

    A step on a GPU and the same step on a CPU so see the same noise. Draws that name a generator of their own are
    left alone.

    Args:
        seed: of the generator.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Draw on the CPU, or call ``function`` as it is."""
        kwargs = dict(kwargs or {})
        if function in _LIKE:
            like = args[0]
            drawn = _LIKE[function](like.shape, generator=self._generator, dtype=torch.float32)
            return drawn.to(like.device, kwargs.get("dtype") or like.dtype)
        if function not in _SHAPED or kwargs.get("generator") is not None:
            return function(*args, **kwargs)
        device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
        if function in (torch.rand, torch.randn):
            drawn = function(*args, generator=self._generator, dtype=torch.float32, **kwargs)
            return drawn.to(device or "cpu", dtype or torch.get_default_dtype())
        drawn = function(*args, generator=self._generator, **kwargs)
        return drawn.to(device or "cpu", dtype or drawn.dtype)


class _FloatIsDouble(TorchFunctionMode):
    """``tensor.float()`` keeps float64: code that leaves half precision by it stays in the reference's."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            return args[0].double()
        return function(*args, **(kwargs or {}))


@contextmanager
def in_double() -> Iterator[None]:
    """Inside, new tensors are float64 and ``tensor.float()`` gives float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _FloatIsDouble():
            yield
    finally:
        torch.set_default_dtype(before)
