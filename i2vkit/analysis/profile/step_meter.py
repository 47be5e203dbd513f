"""Operations of a training step, counted by phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from i2vkit.analysis.profile.measuring import TensorMemory, Watcher

# Operations that count as free, besides all views. They are those that fvcore takes as free in a forward pass, by the
# names that they have below autograd.
# fmt: off
FREE = frozenset({
    "_local_scalar_dense", "_record_function_enter_new", "_record_function_exit", "_to_copy", "_unsafe_view",
    "arange", "bernoulli", "cat", "clamp", "clone", "constant_pad_nd", "copy", "empty", "empty_like", "empty_strided",
    "eq", "fill", "full", "full_like", "ge", "gt", "index", "index_put", "isfinite", "item", "lift_fresh",
    "masked_fill", "new_empty", "new_empty_strided", "new_full", "new_zeros", "normal", "ones", "ones_like", "rand",
    "randint", "randn", "randperm", "relu", "resize", "scalar_tensor", "select_backward", "set", "slice_backward",
    "stack", "threshold_backward", "uniform", "zero", "zeros", "zeros_like",
})
WITHOUT_KERNEL = frozenset({
    "_local_scalar_dense", "_record_function_enter_new", "_record_function_exit", "_unsafe_view", "empty", "empty_like",
    "empty_strided", "item", "lift_fresh", "new_empty", "new_empty_strided", "resize", "set",
})
# fmt: on


class PhaseReportingOptimizers(OptimWrapperDict):
    """The optimisers of a step. They notify a watcher when a phase begins, since it first asks for its optimiser."""

    def __init__(self, optimizers: OptimWrapperDict, watcher: Watcher) -> None:
        super().__init__(**dict(optimizers.items()))
        self._watcher = watcher
        watcher.enter("")

    def __getitem__(self, key: str) -> OptimWrapper:
        """Return the optimiser of phase ``key`` and notify the watcher that this phase begins."""
        self._watcher.enter(key)
        return super().__getitem__(key)


class StepMeter(TensorMemory):
    """A context that counts by section multiply-adds (``macs``) and ``operations`` that start a kernel.

    ``uncounted`` has the names of the operations that are not part of ``macs``.
    """

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__(known)
        self.macs: Counter = Counter()
        self.operations: Counter = Counter()
        self.uncounted: dict[str, Counter] = {}
        self._pauses = False  # True while an optimiser takes its step

    @contextmanager
    def leaving_out(self, optimizers: OptimWrapperDict) -> Iterator[StepMeter]:
        """Enter the meter as a context that counts nothing while ``optimizers`` take their steps."""

        def pause(*_: Any) -> None:
            self._pauses = True

        def go_on(*_: Any) -> None:
            self._pauses = False

        hooks = []
        for _, wrapper in optimizers.items():
            hooks.append(wrapper.optimizer.register_step_pre_hook(pause))
            hooks.append(wrapper.optimizer.register_step_post_hook(go_on))
        try:
            with self:
                yield self
        finally:
            for hook in hooks:
                hook.remove()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run one operation and count it."""
        if self._pauses:
            return function(*args, **(kwargs or {}))
        result = super().__torch_dispatch__(function, types, args, kwargs)
        name = function.overloadpacket.__name__
        self.operations[self._section] += not (function.is_view or name in WITHOUT_KERNEL)
        if function.overloadpacket in flop_registry:
            # torch counts a multiply-add as two.
            self.macs[self._section] += (
                flop_registry[function.overloadpacket](*args, **(kwargs or {}), out_val=result) // 2
            )
        elif name in PRODUCTS:
            self.macs[self._section] += PRODUCTS[name](*args)
        elif not (function.is_view or name.rstrip("_") in FREE):
            self.uncounted.setdefault(self._section, Counter())[name.rstrip("_")] += 1
        return result


def _layer_macs(steps: Tensor, input_weight: Tensor, state_weight: Tensor, *_: Any) -> int:
    """Return the multiply-adds of a layer and direction for steps (T, B, D): each vector meets both weights once."""
    return steps.shape[0] * steps.shape[1] * (input_weight.numel() + state_weight.numel())


# Operations that torch's counter lacks. The backward pass of a product is two products: the gradients of both factors.
PRODUCTS = {
    **dict.fromkeys(("mv", "dot", "vdot"), lambda first, second: first.numel()),
    "mkldnn_rnn_layer": _layer_macs,
    "mkldnn_rnn_layer_backward": lambda *inputs: 2 * _layer_macs(*inputs),
}
