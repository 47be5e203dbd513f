"""The precision of a model's computations: fp32, TF32 for matrix products on a GPU, or bf16.

TF32 keeps the range of a float and rounds the operands of a product to 10 bits. Convolutions and matrix products are
switched together. PyTorch's own default, TF32 for the first and not for the second, makes two forms of one layer differ
by 4e-3, and the slower form is the one made of matrix products.
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

# torch 2.9 to 2.11 warn about this interface. The newer one (fp32_precision) must not be mixed with it, because
# torch.compile reads both and raises if they disagree.
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
    """Switch TF32 on for "tf32" and "bf16" and off for "fp32", until the next call.

    It changes only the convolutions, recurrent layers (cuDNN) and matrix products (cuBLAS) of GPUs. CPUs compute as
    before, whereas ``torch.set_float32_matmul_precision`` would also change oneDNN on some of them.

    Args:
        name: One of ``PRECISIONS``. The autocast of "bf16" is the model's task and is not switched here.

    Raises:
        ConfigError: Another name.
    """
    allowed = check_precision(name) != "fp32"
    _set_flags({"convolutions": allowed, "matrix_products": allowed})


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Return a context in which TF32 is as ``set_precision(name)`` switches it. Afterwards it is as before."""
    before = tf32_flags()
    set_precision(name)
    try:
        yield
    finally:
        _set_flags(before)


def in_own_precision(step: Callable) -> Callable:
    """Decorate a method so that TF32 is as the object's attribute ``precision`` says while it runs."""

    @functools.wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        with precision(self.precision):
            return step(self, *args, **kwargs)

    return run


def tf32_flags() -> dict[str, bool]:
    """Return two flags, True if a GPU may use TF32 now.

    They are "convolutions" (with recurrent layers) and "matrix_products".
    """
    return {
        "convolutions": torch.backends.cudnn.allow_tf32,
        "matrix_products": torch.backends.cuda.matmul.allow_tf32,
    }


def _set_flags(flags: dict[str, bool]) -> None:
    torch.backends.cudnn.allow_tf32 = flags["convolutions"]
    torch.backends.cuda.matmul.allow_tf32 = flags["matrix_products"]
