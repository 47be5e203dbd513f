"""Equal random numbers on every device, and computation in float64 as a reference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

_SHAPED = (torch.rand, torch.randn, torch.randint, torch.randperm)
_LIKE = {torch.rand_like: torch.rand, torch.randn_like: torch.randn}


class SharedRandomness(TorchFunctionMode):
    """A context in which all random numbers come from one float32 generator on the CPU and then go to their device.

    A step on a GPU and the same step on a CPU thus use the same noise. Calls that pass a generator are left alone.

    Args:
        seed: The seed of the generator.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Draw on the CPU, or call any other ``function`` as it is."""
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
        # ``randint`` and ``randperm`` draw integers, which are exact in any type.
        drawn = function(*args, generator=self._generator, **kwargs)
        return drawn.to(device or "cpu", dtype or drawn.dtype)


class _FloatIsDouble(TorchFunctionMode):
    """A context in which ``tensor.float()`` returns float64, so that code that leaves half precision keeps float64."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            return args[0].double()
        return function(*args, **(kwargs or {}))


@contextmanager
def in_double() -> Iterator[None]:
    """Make new tensors float64 inside the context, and let ``tensor.float()`` return float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _FloatIsDouble():
            yield
    finally:
        torch.set_default_dtype(before)
