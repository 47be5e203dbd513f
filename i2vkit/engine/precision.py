"""The precision that a model computes in: fp32, TF32 for the products of a GPU, or bf16.

TF32 keeps the range of a float and rounds the operands of a product to 10 bits. Convolutions and matrix products are
switched together: PyTorch's own default, TF32 for the first and not for the second, makes two forms of one layer differ
by 4e-3, and the slow one of them is the one made of matrix products.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from i2vkit.errors import ConfigError

PRECISIONS = ("fp32", "tf32", "bf16")

# torch 2.9 to 2.11 warn of this interface. The newer one (fp32_precision) must not be mixed with it: torch.compile
# reads both, and raises where one of them does not know what the other did.
warnings.filterwarnings("ignore", message="Please use the new API settings to control TF32")


def check_precision(name: str) -> str:
    """Return ``name`` if it is one of ``PRECISIONS``.

    Raises:
        ConfigError: It is not.

    Examples:
        >>> check_precision("tf32")
        'tf32'
    """
    if name not in PRECISIONS:
        raise ConfigError(f"precision is {', '.join(map(repr, PRECISIONS[:-1]))} or {PRECISIONS[-1]!r}, not {name!r}")
    return name


def set_precision(name: str) -> None:
    """Switch TF32 on for "tf32" and "bf16" and off for "fp32", until somebody switches it again.

    This concerns the convolutions, recurrent layers (cuDNN) and matrix products (cuBLAS) of GPUs alone. CPUs compute as
    before: ``torch.set_float32_matmul_precision`` would also change what oneDNN computes on some of them.

    Args:
        name: One of ``PRECISIONS``. The autocast of "bf16" is the model's, not switched here.

    Raises:
        ConfigError: For another name.
    """
    allowed = check_precision(name) != "fp32"
    _set_flags({"convolutions": allowed, "matrix_products": allowed})


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Inside, TF32 is as ``set_precision(name)`` switches it; behind it, as it was before."""
    before = tf32_flags()
    set_precision(name)
    try:
        yield
    finally:
        _set_flags(before)


def in_own_precision(step: Callable) -> Callable:
    """Decorate a method such that TF32 is as the object's attribute ``precision`` says while it runs."""

    @functools.wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        with precision(self.precision):
            return step(self, *args, **kwargs)

    return run


def tf32_flags() -> dict[str, bool]:
    """Return whether a GPU may use TF32 now: for "convolutions" (and recurrent layers) and for "matrix_products"."""
    return {
        "convolutions": torch.backends.cudnn.allow_tf32,
        "matrix_products": torch.backends.cuda.matmul.allow_tf32,
    }


def _set_flags(flags: dict[str, bool]) -> None:
    torch.backends.cudnn.allow_tf32 = flags["convolutions"]
    torch.backends.cuda.matmul.allow_tf32 = flags["matrix_products"]
