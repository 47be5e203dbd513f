"""Dry runs of a training step on the meta device. Tensors have shapes but no values, so any step takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import WeakIdKeyDictionary

META = torch.device("meta")

_aten = torch.ops.aten
_INDEXED = {
    _aten.index.Tensor,
    _aten.index_put.default,
    _aten.index_put_.default,
    _aten._index_put_impl_.default,
    _aten._unsafe_index.Tensor,
}
# These make a tensor from numbers alone.
_MAKERS = {_aten.arange, _aten.full, _aten.ones, _aten.scalar_tensor, _aten.zeros}
# The shapes of their results depend on the values of their inputs.
_SHAPED_BY_VALUES = {_aten.nonzero.default, _aten._unique2.default, _aten.unique_dim.default}


class DryRun(TorchDispatchMode):
    """A context in which operations on the meta device work, including those for which a training step needs values.

    Integers and booleans that come from the CPU (labels, lengths, states of frames) or from numbers alone are computed
    as well, so everything that depends on them has its true shape. Other values are assumed. Booleans are true (every
    loss is finite, no frame is padding) and numbers are 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self._values = WeakIdKeyDictionary()  # tensor on the meta device -> the same tensor on the CPU

    def to_meta(self, tensor: Tensor) -> Tensor:
        """Return ``tensor`` on the meta device. Its values stay known if they are integers."""
        moved = tensor.to(META)
        # Tensors of bytes are pictures, whose values nothing depends on.
        if not tensor.is_floating_point() and tensor.dtype != torch.uint8:
            self._values[moved] = tensor
        return moved

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run one operation, on the CPU too if its values are known."""
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if not any(tensor.is_meta for tensor in tensors):
            return self._away_from_meta(function, args, kwargs)
        # If the values of all inputs are known, the operation runs on the CPU as well.
        known = None
        if all(tensor in self._values for tensor in tensors if tensor.is_meta):
            known = function(*self._on_cpu(args), **self._on_cpu(kwargs))
        if function is _aten._local_scalar_dense.default:
            # ``tensor.item()`` needs a value: the known one, or an assumed one.
            return _assumed(args[0]) if known is None else known
        if function is _aten._to_copy.default and torch.device(kwargs.get("device") or META) != META:
            return torch.ones_like(args[0], **kwargs) if known is None else known
        if function in _SHAPED_BY_VALUES:
            result = _everything(function, args[0]) if known is None else _like(known)
        elif function in _INDEXED:
            result = function(args[0], self._places(args[1]), *args[2:], **kwargs)
        else:
            result = function(*args, **kwargs)
            if function is _aten.native_batch_norm.default and not args[5]:
                # In eval mode real kernels return no batch statistics, but the meta device allocates them.
                result = (result[0], *(statistic.new_empty(0) for statistic in result[1:]))
        if known is not None:
            self._remember(result, known)
        elif function._schema.is_mutable and isinstance(args[0], Tensor):
            # An operation in place has changed its first input to unknown values.
            self._values.pop(args[0], None)
        return result

    def _away_from_meta(self, function: OpOverload, args: tuple, kwargs: dict) -> Any:
        """Run an operation without inputs on the meta device. Its result may be there."""
        result = function(*args, **kwargs)
        if isinstance(result, Tensor) and result.is_meta:
            if function is _aten._to_copy.default:
                self._remember(result, args[0].to(result.dtype))
            elif function.overloadpacket in _MAKERS and not result.is_floating_point():
                self._remember(result, function(*args, **self._on_cpu(kwargs)))
        return result

    def _on_cpu(self, values: Any) -> Any:
        """Return ``values`` with tensors and devices of the meta device replaced by those of the CPU."""
        values = tree_map_only(Tensor, lambda tensor: self._values[tensor] if tensor.is_meta else tensor, values)
        return tree_map_only(torch.device, lambda device: torch.device("cpu"), values)

    def _remember(self, result: Any, known: Any) -> None:
        """Note the known integer values of the tensors of ``result``."""
        for tensor, value in zip(tree_leaves(result), tree_leaves(known), strict=True):
            if isinstance(tensor, Tensor) and not value.is_floating_point() and value.dtype != torch.uint8:
                self._values[tensor] = value

    def _places(self, indices: list[Tensor | None]) -> list[Tensor | None]:
        """Return ``indices`` with each mask replaced by index tensors, one for each dimension of the mask."""
        places: list[Tensor | None] = []
        for index in indices:
            if index is None or index.dtype not in (torch.bool, torch.uint8):
                places.append(index)
                continue
            # A mask with unknown values counts as all true.
            number = int(self._values[index].sum()) if index in self._values else index.numel()
            places += [torch.empty(number, dtype=torch.long, device=META) for _ in range(index.dim())]
        return places


def _assumed(number: Tensor) -> bool | int | float:
    """Return the value that is assumed for ``number``: true or one."""
    return True if number.dtype == torch.bool else 1.0 if number.is_floating_point() else 1


def _everything(function: Callable, tensor: Tensor) -> Any:
    """Return the result of ``nonzero`` if all values are true, or of ``unique`` if all values differ."""
    if function is _aten.nonzero.default:
        return torch.empty(tensor.numel(), tensor.dim(), dtype=torch.long, device=META)
    places = torch.empty(tensor.shape, dtype=torch.long, device=META)
    return torch.empty(tensor.numel(), dtype=tensor.dtype, device=META), places, places.flatten()


def _like(known: Any) -> Any:
    """Return empty tensors on the meta device with the shapes of ``known``."""
    return tree_map_only(Tensor, lambda value: torch.empty_like(value, device=META), known)
