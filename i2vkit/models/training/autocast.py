"""Mixed precision as a context, on every device."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

# The functions that autocast computes in bf16 on a GPU, and those that it computes in fp32, as far as models call them.
_HALF = {
    *(torch.conv1d, torch.conv2d, torch.conv3d),
    *(torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d),
    *(torch.matmul, Tensor.matmul, Tensor.__matmul__, Tensor.__rmatmul__, torch.mm, Tensor.mm, torch.bmm, Tensor.bmm),
    *(torch.addmm, Tensor.addmm, torch.baddbmm, Tensor.baddbmm, torch.einsum, functional.linear),
    *(torch.lstm, torch.gru, functional.scaled_dot_product_attention),
}
_FULL = {
    *(torch.exp, Tensor.exp, torch.log, Tensor.log, torch.pow, Tensor.pow, Tensor.__pow__, torch.rsqrt, Tensor.rsqrt),
    *(torch.sum, Tensor.sum, torch.softmax, Tensor.softmax, functional.softmax, functional.log_softmax),
    *(functional.softplus, functional.mse_loss, functional.l1_loss, functional.cross_entropy),
    *(functional.layer_norm, functional.group_norm, functional.cosine_similarity),
}


def autocast(device: torch.device, enabled: bool) -> AbstractContextManager:
    """Return a context in which products on ``device`` are computed in bf16 if ``enabled``, and in fp32 if not.

    PyTorch has no autocast for the meta device. There the context casts what autocast casts on a GPU, so that shapes
    and memory are those of mixed precision.

    Examples:
        >>> x = torch.ones(2, 2)
        >>> with autocast(x.device, enabled=True):
        ...     print((x @ x).dtype)
        torch.bfloat16
    """
    if device.type == "meta":
        return _MetaAutocast(enabled)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


class _MetaAutocast(TorchFunctionMode):
    """A context that casts the operands of the functions that autocast knows; the innermost such context decides."""

    _inside: list[_MetaAutocast] = []  # all contexts that are open, the innermost last

    def __init__(self, enabled: bool):
        super().__init__()
        self._enabled = enabled
        # The casts of weights, by the identity of the weight; the weight itself is kept so that no other takes its
        # identity.
        self._weights: dict[int, tuple[Tensor, Tensor]] = {}
        # It changes nothing on the meta device, but recurrent layers look it up to know if autocast is on.
        self._of_cpu = torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled)

    def __enter__(self) -> _MetaAutocast:
        self._inside.append(self)
        self._of_cpu.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._of_cpu.__exit__(*error)
        self._inside.pop()
        self._weights.clear()  # the optimiser may change them now

    def __torch_function__(
        self, function: Callable, types: tuple, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._enabled and self._inside[-1] is self and (function in _HALF or function in _FULL):
            cast = self._to_half if function in _HALF else _in_full
            args, kwargs = tree_map_only(Tensor, cast, (args, kwargs))  # nested arguments too
        return function(*args, **kwargs)

    def _to_half(self, tensor: Tensor) -> Tensor:
        """Return the tensor in bf16 if it is in fp32."""
        if tensor.dtype != torch.float32:
            return tensor
        if not (tensor.requires_grad and tensor.is_leaf):  # an intermediate result
            return tensor.to(torch.bfloat16)
        # A weight is cast once, as autocast does.
        if id(tensor) not in self._weights:
            self._weights[id(tensor)] = tensor, tensor.to(torch.bfloat16)
        return self._weights[id(tensor)][1]


def _in_full(tensor: Tensor) -> Tensor:
    """Return the tensor in fp32 if it is in bf16."""
    return tensor.float() if tensor.dtype == torch.bfloat16 else tensor
