"""An emulated GPU: tensors say that they lie on ``cuda:0``, compute on the CPU and refuse what CUDA refuses.

Inside ``with emulated_cuda() as cuda:`` the device "cuda" exists: ``model.to("cuda")`` and ``torch.zeros(3,
device="cuda")`` work, the numbers are those of the CPU, and training really trains. What a machine without a GPU hides
comes to light:

* Operands on different devices raise (a CPU tensor of no dimension may join, as on CUDA), and so do ``numpy()`` and the
  backward pass through a recurrent layer of cuDNN in eval mode.
* ``cuda.counts`` says how often, and at which line of i2vkit, the host waited for the device and data were copied.

Every count is what current PyTorch does: a value read by the host (``item``, ``tolist``, ``if tensor``), a result whose
size the values decide (``nonzero``, indexing by a mask and its backward pass, ``unique``, ``masked_select``,
``repeat_interleave`` without ``output_size``), ``equal``, ``multinomial`` without replacement or of one draw (older
sources check their input there), and every copy to the host. Mixed precision is not emulated: autocast leaves these
tensors as they are.

On entry nothing is global but PyTorch's stack of dispatch modes and the few settings that ``emulated_cuda`` names; on
exit all are as before. Tensors made inside are of no use outside.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch.nn.modules import rnn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

import i2vkit

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")
_PACKAGE = str(Path(i2vkit.__file__).parent)

# Operations after which the host waits, and how often.
_BLOCKING = {
    **dict.fromkeys(("_local_scalar_dense", "nonzero", "masked_select", "equal", "bincount"), 1),
    **dict.fromkeys(("_unique", "_unique2", "unique_dim", "unique_consecutive", "unique_dim_consecutive"), 1),
}
_INDEXING = ("index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put")
_COPYING = ("copy_", "_to_copy", "_foreach_copy_")
_JOINING = ("cat", "stack")  # which take no scalar from the CPU
# Operations that start no kernel; views do not either.
_FREE = ("empty", "empty_strided", "empty_like", "new_empty", "new_empty_strided", "lift_fresh", "_local_scalar_dense")


@dataclass
class Counts:
    """Events since ``clear``, by "operation, file:line" of i2vkit (or of whoever called, where i2vkit did not).

    Args:
        synchronisations: times that the host waited for the device; among them all copies to the host.
        copies: copies from the host's memory to the device, which wait too where it is not pinned.
        kernels: about how many kernels were started; a recurrent layer counts as three, its backward pass as four.
    """

    synchronisations: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    kernels: int = 0

    def clear(self) -> None:
        """Start anew."""
        self.synchronisations.clear()
        self.copies.clear()
        self.kernels = 0

    def __str__(self) -> str:
        lines = [
            f"{self.synchronisations.total()} synchronisations, {self.copies.total()} copies, {self.kernels} kernels"
        ]
        for kind, events in (("waits", self.synchronisations), ("copies", self.copies)):
            lines += [f"{number:5} {kind}: {event}" for event, number in events.most_common()]
        return "\n".join(lines)


class CudaTensor(torch.Tensor):
    """A tensor that says it lies on ``cuda:0``; ``on_cpu`` is the CPU tensor that it stands for.

    PyTorch's own code sees a tensor on the meta device: that is why autograd needs no driver.
    """

    on_cpu: torch.Tensor

    @staticmethod
    def __new__(cls, on_cpu: torch.Tensor) -> "CudaTensor":
        made = torch.Tensor._make_wrapper_subclass(
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

    def __init__(self, on_cpu: torch.Tensor) -> None:
        super().__init__()

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = is_meta = property(lambda self: False)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f"a tensor of an emulated GPU was used outside of emulated_cuda(), by {func}")

    def tolist(self) -> Any:
        """As on CUDA: the host waits."""
        return self.cpu().tolist()

    def new_tensor(self, data: Any, *, dtype: torch.dtype | None = None, device=None, requires_grad=False):
        """As on CUDA: made on the host, and copied."""
        return torch.tensor(data, dtype=dtype or self.dtype, device=device or CUDA, requires_grad=requires_grad)

    def numpy(self, *, force: bool = False):
        """As on CUDA: refused."""
        if not force:
            raise TypeError("can't convert cuda:0 device type tensor to numpy: call cpu() first")
        return self.detach().cpu().numpy()

    def __array__(self, dtype=None):
        return self.numpy()

    def __deepcopy__(self, memo: dict) -> "CudaTensor":
        if id(self) not in memo:
            copied = self.detach().clone().requires_grad_(self.requires_grad)
            # A parameter of a subclass is known by this mark.
            copied.__dict__.update({name: value for name, value in self.__dict__.items() if name != "on_cpu"})
            memo[id(self)] = copied
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        raise TypeError("a tensor on the GPU was to be saved: call cpu() first")

    def __repr__(self, **settings) -> str:
        return f"CudaTensor({self.on_cpu!r})"


class _Emulation(TorchDispatchMode):
    """Sees every operation: on emulated tensors it computes with the real ones, checks and counts."""

    # In the place of a fake mode, so that torch looks for no driver when a device "cuda" is named.
    _mode_key = torch._C._TorchDispatchModeKey.FAKE

    @classmethod
    def is_infra_mode(cls) -> bool:
        return True

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counts()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        leaves = tree_leaves((args, kwargs))
        emulated = [leaf for leaf in leaves if isinstance(leaf, CudaTensor)]
        plain = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and not isinstance(leaf, CudaTensor)]
        named = kwargs.get("device")
        # Torch's own code takes "meta", as which it sees emulated tensors, over to new ones.
        to_cuda = bool(emulated) if named is None else torch.device(named).type in ("cuda", "meta")
        if not emulated and not to_cuda:
            return func(*args, **kwargs)
        if func is torch.ops.prim.device.default:
            return CUDA
        self._check(name, args, plain, emulated)
        self._count(func, name, args, kwargs, emulated, plain, to_cuda)

        def as_real(leaf):
            if isinstance(leaf, CudaTensor):
                return leaf.on_cpu
            return CPU if isinstance(leaf, torch.device) else leaf

        made = func(*tree_map(as_real, args), **tree_map(as_real, kwargs))
        if not to_cuda:
            return made
        # What an operation in place gives is what it was given.
        given = {id(tensor.on_cpu): tensor for tensor in emulated}

        def as_emulated(leaf):
            if not isinstance(leaf, torch.Tensor):
                return leaf
            known = given.get(id(leaf))
            if known is not None and (known.shape, known.stride()) != (leaf.shape, leaf.stride()):
                raise NotImplementedError(f"the emulation has no {name}, which gives a tensor another shape in place")
            return CudaTensor(leaf) if known is None else known

        return tree_map(as_emulated, made)

    @staticmethod
    def _check(name: str, args: tuple, plain: list[torch.Tensor], emulated: list[CudaTensor]) -> None:
        """Raise ``RuntimeError`` where CUDA takes no operands from both devices."""
        if not plain or not emulated or name in _COPYING:
            return
        if name in _INDEXING:
            indices = [index for index in args[1] if index is not None]
            if not isinstance(args[0], CudaTensor) and any(isinstance(index, CudaTensor) for index in indices):
                raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
            plain = [tensor for tensor in plain if not any(tensor is index for index in indices)]
        wrong = plain if name in _JOINING else [tensor for tensor in plain if tensor.dim()]
        # The steps of Adam may lie on the CPU.
        if wrong and not name.startswith("_fused_adam"):
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but found cuda:0 and cpu in {name}, there "
                f"{[tuple(tensor.shape) for tensor in wrong]}; at {_where()}"
            )

    def _count(self, func, name, args, kwargs, emulated, plain, to_cuda: bool) -> None:
        counts = self.counts
        waits = _BLOCKING.get(name, 0) if emulated else 0
        if name in _INDEXING and emulated:
            indices = [index for index in args[1] if index is not None]
            masks = [index for index in indices if index.dtype in (torch.bool, torch.uint8)]
            waits = len([mask for mask in masks if isinstance(mask, CudaTensor)])
            for _ in [index for index in indices if not isinstance(index, CudaTensor)]:
                counts.copies[f"{name}, {_where()}"] += 1
        elif name == "repeat_interleave" and kwargs.get("output_size") is None:
            waits = 1
        elif name == "multinomial":
            replacement = args[2] if len(args) > 2 else kwargs.get("replacement", False)
            waits = 0 if replacement and args[1] > 1 else 2
        elif name == "_to_copy":
            waits = int(bool(emulated) and not to_cuda and not kwargs.get("non_blocking"))
            if plain and to_cuda:
                counts.copies[f"{name} {tuple(plain[0].shape)}, {_where()}"] += 1
        elif name == "copy_" and plain:
            blocking = not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
            if isinstance(args[0], CudaTensor):
                counts.copies[f"{name} {tuple(args[1].shape)}, {_where()}"] += 1
            else:
                waits = int(blocking)
        if waits:
            counts.synchronisations[f"{name}, {_where()}"] += waits
        counts.kernels += not func.is_view and name not in _FREE


def _where() -> str:
    """The innermost line of i2vkit that is being executed, or the innermost outside of torch and of this file."""
    frame, outside = sys._getframe(1), ""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_PACKAGE):
            return f"{path[len(_PACKAGE) + 1 :]}:{frame.f_lineno}"
        if not outside and path != __file__ and f"site-packages{'/torch/'}" not in path:
            outside = f"{Path(path).name}:{frame.f_lineno}"
        frame = frame.f_back
    return outside


class _Recurrent(torch.autograd.Function):
    """A recurrent layer on emulated tensors, as one operation with CPU kernels."""

    @staticmethod
    def forward(ctx, compute: Callable, training: bool, *tensors: CudaTensor):
        ctx.training = training
        ctx.inputs = [
            tensor.on_cpu.detach().requires_grad_(needed)
            for tensor, needed in zip(tensors, ctx.needs_input_grad[2:], strict=True)
        ]
        with _disable_current_modes(), torch.enable_grad():
            ctx.outputs = compute(ctx.inputs)
        return tuple(CudaTensor(output.detach()) for output in ctx.outputs)

    @staticmethod
    def backward(ctx, *gradients: CudaTensor):
        if not ctx.training:
            raise RuntimeError(f"cudnn RNN backward can only be called in training mode; at {_where()}")
        _counts().kernels += 4
        wanted = [tensor for tensor in ctx.inputs if tensor.requires_grad]
        with _disable_current_modes():
            made = torch.autograd.grad(
                ctx.outputs, wanted, [gradient.on_cpu for gradient in gradients], allow_unused=True, retain_graph=True
            )
        found = iter(made)
        gradients = [next(found) if tensor.requires_grad else None for tensor in ctx.inputs]
        return None, None, *(None if gradient is None else CudaTensor(gradient) for gradient in gradients)


def _recurrent(kind: str, original: Callable) -> Callable:
    """``original``, torch's LSTM or GRU, which takes emulated tensors too."""

    def call(x, start, weights, *settings):
        starts = list(start) if kind == "lstm" else [start]
        tensors = [x, *starts, *weights]
        if not any(isinstance(tensor, CudaTensor) for tensor in tensors):
            return original(x, start, weights, *settings)
        if not all(isinstance(tensor, CudaTensor) for tensor in tensors):
            raise RuntimeError(f"Input, hidden and parameter tensors are not at the same device; at {_where()}")

        def compute(reals: list[torch.Tensor]):
            first, states, rest = reals[0], reals[1 : 1 + len(starts)], reals[1 + len(starts) :]
            return original(first, tuple(states) if kind == "lstm" else states[0], rest, *settings)

        _counts().kernels += 3
        training = settings[3]  # behind has_biases, num_layers and dropout
        return _Recurrent.apply(compute, training, *tensors)

    return call


def _counts() -> Counts:
    return torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE).counts


@contextmanager
def emulated_cuda() -> Iterator[_Emulation]:
    """An emulated GPU inside; its ``counts`` say what happened there.

    Besides PyTorch's stack of dispatch modes it sets, and restores: that ``torch.tensor`` makes its data on the CPU
    before it copies them; torch's LSTM and GRU; cuDNN off; the device that mmengine gives to a Runner.
    """
    layers = {kind: _recurrent(kind, getattr(rnn._VF, kind)) for kind in ("lstm", "gru")}
    lifts = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with (
            mock.patch.object(rnn, "_VF", SimpleNamespace(**layers)),
            mock.patch("mmengine.device.utils.DEVICE", "cuda:0"),
            torch.backends.cudnn.flags(enabled=False),
            _Emulation() as emulation,
        ):
            yield emulation
    finally:
        torch._C._set_only_lift_cpu_tensors(lifts)
