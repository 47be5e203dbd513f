"""Tensors of an emulated GPU, and what sees every operation on them."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

import i2vkit

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")
_PACKAGE = f"{Path(i2vkit.__file__).parent}/"
_OTHERS = f"{Path(torch.__file__).parent}/", f"{Path(__file__).parent}/"

# Operations after which the host waits once.
_BLOCKING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "bincount"}
_BLOCKING |= {"_unique", "_unique2", "unique_dim", "unique_consecutive", "unique_dim_consecutive"}
_INDEXING = {"index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_"}
_COPYING = {"copy_", "_to_copy"}
_PINNING = {"is_pinned": lambda tensor: False, "_pin_memory": Tensor.clone}  # all of the host's memory is as it is
_JOINING = {"cat", "stack"}  # which take not even a scalar from the CPU
# Operations that start no kernel; views do not either.
_FREE = {"empty", "empty_strided", "empty_like", "new_empty", "new_empty_strided", "lift_fresh", "_local_scalar_dense"}


@dataclass
class Counts:
    """What was asked of the device since ``clear``, events by "operation, file:line" of i2vkit (or of who called it).

    Args:
        synchronisations: times that the host waited for the device, among them all copies to the host.
        copies: copies from the host to the device (from memory that is not pinned, they wait for the copy itself).
        kernels: about how many kernels were started; a recurrent layer counts as three, its backward pass as four.
    """

    synchronisations: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    kernels: int = 0

    def clear(self) -> None:
        """Start anew."""
        self.__init__()

    def __str__(self) -> str:
        waits, copies = self.synchronisations, self.copies
        lines = [f"{waits.total()} synchronisations, {copies.total()} copies, {self.kernels} kernels"]
        for kind, events in (("wait", waits), ("copy", copies)):
            lines += [f"{number:5} x {kind}: {event}" for event, number in events.most_common()]
        return "\n".join(lines)


class CudaTensor(Tensor):
    """A tensor that says it lies on ``cuda:0``; ``on_cpu`` is the CPU tensor that it stands for.

    PyTorch's own code sees a tensor on the meta device, which is why autograd looks for no driver.
    """

    on_cpu: Tensor

    @staticmethod
    def __new__(cls, on_cpu: Tensor) -> "CudaTensor":
        made = Tensor._make_wrapper_subclass(
            cls,
            on_cpu.shape,
            strides=on_cpu.stride(),
            storage_offset=on_cpu.storage_offset(),
            dtype=on_cpu.dtype,
            layout=on_cpu.layout,
            device="meta",
        )
        made.on_cpu = on_cpu
        return made

    def __init__(self, on_cpu: Tensor) -> None:
        super().__init__()

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = is_meta = property(lambda self: False)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f"a tensor of an emulated GPU was used outside of emulated_cuda(), by {func}")

    def tolist(self) -> Any:
        """As on CUDA: the host waits for a copy."""
        return self.cpu().tolist()

    def new_tensor(self, data: Any, *, dtype: torch.dtype | None = None, device=CUDA, requires_grad=False) -> Tensor:
        """As on CUDA: made on the host, and copied."""
        return torch.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def __setitem__(self, index: Any, value: Any) -> None:
        """As on CUDA (seen on an H100): a number becomes a tensor on the host, and the host waits for its copy."""
        super().__setitem__(index, value if isinstance(value, Tensor) else torch.tensor(value, dtype=self.dtype))

    def numpy(self, *, force: bool = False):
        """As on CUDA: refused."""
        if not force:
            raise TypeError("can't convert cuda:0 device type tensor to numpy: call cpu() first")
        return self.detach().cpu().numpy()

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def __deepcopy__(self, memo: dict) -> "CudaTensor":
        if id(self) not in memo:
            copied = self.detach().clone().requires_grad_(self.requires_grad)
            # A parameter of a subclass is known by a mark in here.
            copied.__dict__.update({name: value for name, value in self.__dict__.items() if name != "on_cpu"})
            memo[id(self)] = copied
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        raise TypeError("a tensor of the GPU was to be saved, and a file with it needs a GPU to be read: call cpu()")

    def __repr__(self, **settings) -> str:
        return f"CudaTensor({self.on_cpu!r})"


class Emulation(TorchDispatchMode):
    """Sees every operation: checks and counts it, and computes it with the tensors that the emulated ones stand for."""

    # The place of fake modes: there torch looks for no driver when a device "cuda" is named.
    _mode_key = torch._C._TorchDispatchModeKey.FAKE

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counts()

    @classmethod
    def is_infra_mode(cls) -> bool:
        """True, as of all modes in that place."""
        return True

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        emulated = [tensor for tensor in tensors if isinstance(tensor, CudaTensor)]
        named = kwargs.get("device")
        # Torch's own code sees emulated tensors on "meta" and makes new ones there.
        to_cuda = bool(emulated) if named is None else named.type in ("cuda", "meta")
        if func is torch.ops.prim.device.default and emulated:
            return CUDA
        name = func.overloadpacket.__name__
        if name in _PINNING:
            return _PINNING[name](args[0])
        if not emulated and not to_cuda:
            return func(*args, **kwargs)
        plain = [tensor for tensor in tensors if not isinstance(tensor, CudaTensor)]
        _check(name, args, emulated, plain)
        waits, copies = _cost(name, args, kwargs, plain, to_cuda)
        for events, number in ((self.counts.synchronisations, waits), (self.counts.copies, copies)):
            if number:
                events[f"{name}, {where()}"] += number
        self.counts.kernels += not func.is_view and name not in _FREE

        def as_real(leaf):
            return leaf.on_cpu if isinstance(leaf, CudaTensor) else CPU if isinstance(leaf, torch.device) else leaf

        made = func(*tree_map(as_real, args), **tree_map(as_real, kwargs))
        if not to_cuda:
            return made
        # An operation in place returns what it was given.
        given = {id(tensor.on_cpu): tensor for tensor in emulated}

        def as_emulated(leaf):
            if not isinstance(leaf, Tensor):
                return leaf
            known = given.get(id(leaf))
            if known is not None and (known.shape, known.stride()) != (leaf.shape, leaf.stride()):
                raise NotImplementedError(f"the emulation has no {name}, which changes the shape of a tensor in place")
            return CudaTensor(leaf) if known is None else known

        return tree_map(as_emulated, made)


def _check(name: str, args: tuple, emulated: list[CudaTensor], plain: list[Tensor]) -> None:
    """Raise ``RuntimeError`` where CUDA takes no operands from both devices."""
    if not plain or not emulated or name in _COPYING:
        return
    if name in _INDEXING:  # the indices alone may lie on the CPU
        if not args[0].is_cuda:
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        plain = [tensor for tensor in plain if not any(tensor is index for index in args[1])]
    wrong = plain if name in _JOINING else [tensor for tensor in plain if tensor.dim()]
    if wrong:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in wrong)
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but {name} at {where()} got some on cuda:0 and, on cpu, "
            f"{shapes}"
        )


def _cost(name: str, args: tuple, kwargs: dict, plain: list[Tensor], to_cuda: bool) -> tuple[int, int]:
    """How often the host waits in an operation on emulated tensors, and how often it copies to the device."""
    if name == "_to_copy":
        return (0, int(to_cuda)) if plain else (int(not to_cuda and not kwargs.get("non_blocking")), 0)
    if name == "copy_":
        to, source, non_blocking = (*args, kwargs.get("non_blocking", False))[:3]
        return int(not to.is_cuda and not non_blocking), int(not source.is_cuda)
    if name in _INDEXING:
        indices = [index for index in args[1] if index is not None]
        masks = [index for index in indices if index.is_cuda and index.dtype in (torch.bool, torch.uint8)]
        return len(masks), sum(not index.is_cuda for index in indices)
    if name == "repeat_interleave":
        return int(kwargs.get("output_size") is None), 0
    if name == "multinomial":
        _, number, replacement = (*args, kwargs.get("replacement", False))[:3]
        return 0 if replacement and number > 1 else 2, 0
    return int(name in _BLOCKING), 0


def where() -> str:
    """The innermost line of i2vkit that is being executed, or else the innermost outside of torch and this package."""
    frame, outside = sys._getframe(1), "torch"
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_PACKAGE):
            return f"{path.removeprefix(_PACKAGE)}:{frame.f_lineno}"
        if outside == "torch" and not path.startswith(_OTHERS):
            outside = f"{Path(path).name}:{frame.f_lineno}"
        frame = frame.f_back
    return outside
