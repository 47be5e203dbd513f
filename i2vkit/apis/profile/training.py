"""A training step, phase by phase: forward and backward passes of all losses, and the optimisers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from statistics import median
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn
from torch.utils.flop_counter import flop_registry

from i2vkit.apis.benchmark.step import build_optimizers, random_batch
from i2vkit.apis.profile.forward import RUNS
from i2vkit.apis.profile.measuring import Stopwatch, TensorMemory, Watcher
from i2vkit.apis.profile.report import PartProfile

CLIPS = 2
BEFORE = "videos of all passes"

# Beside all views: what fvcore takes as free in a forward pass, as it is called below autograd.
# fmt: off
FREE = frozenset({
    "_local_scalar_dense", "_record_function_enter_new", "_record_function_exit", "_to_copy", "_unsafe_view",
    "arange", "bernoulli", "cat", "clamp", "clone", "constant_pad_nd", "copy", "empty", "empty_like", "empty_strided",
    "eq", "fill", "full", "full_like", "ge", "gt", "index", "index_put", "isfinite", "item", "lift_fresh",
    "masked_fill", "new_empty", "new_empty_strided", "new_full", "new_zeros", "normal", "ones", "ones_like", "rand",
    "randint", "randn", "randperm", "relu", "resize", "scalar_tensor", "select_backward", "set", "slice_backward",
    "stack", "threshold_backward", "uniform", "zero", "zeros", "zeros_like",
})
# fmt: on


def profile_training(model: nn.Module, optim_wrapper: dict, num_frames: int, clips: int = CLIPS) -> list[PartProfile]:
    """A row for each phase of a training step of random clips, one for what comes before, and "training step".

    Counted are the products of matrices, convolutions, recurrent layers and attention, forward and backward, as they
    reach torch's kernels; the rest is listed by name. ``parameters`` of a phase are those that it updates. It is a step
    of the beginning: a phase that does not run in the first iteration has zeros.

    Args:
        model: on the CPU; a copy of it is trained.
        optim_wrapper: of the config.
        num_frames: length of the clips.
        clips: how many there are in a step.
    """
    model = deepcopy(model).train()
    data, optimizers = random_batch(model, num_frames, clips), build_optimizers(model, optim_wrapper)
    model.train_step(data, optimizers)  # the optimisers make their states
    known = [*model.parameters(), *model.buffers(), *_tensors(optimizers), *_tensors(data["inputs"])]
    with StepMeter(known) as meter:
        model.train_step(data, Announcing(optimizers, meter))
    runs = []
    for _ in range(RUNS):
        watch = Stopwatch()
        model.train_step(data, Announcing(optimizers, watch))
        watch.enter("")
        runs.append(watch.seconds)

    def row(section: str, parameters: int) -> PartProfile:
        times = median(run[section] for run in runs)
        return PartProfile(
            f"phase {section}" if section else BEFORE,
            parameters,
            meter.macs[section],
            dict(meter.uncounted.get(section, Counter()).most_common()),
            peak_bytes=meter.peaks[section],
            seconds=times,
        )

    rows = [row("", 0)]
    for phase in model.phases:
        modules = nn.ModuleList(model.phase_modules(phase.name))
        frozen = {id(p) for path in model.frozen for p in model.get_part(path).parameters()}
        rows.append(row(phase.name, sum(p.numel() for p in modules.parameters() if id(p) not in frozen)))
    uncounted = sum((Counter(each.uncounted) for each in rows), Counter())
    total = PartProfile(
        "training step",
        sum(p.numel() for p in model.trainable()),
        meter.macs.total(),
        dict(uncounted.most_common()),
        peak_bytes=max(meter.peaks.values()),
        seconds=median(run.total() for run in runs),
    )
    return [*rows, total]


class Announcing(OptimWrapperDict):
    """The optimisers of a step, which tell a watcher when a phase begins: a phase asks for its own first."""

    def __init__(self, optimizers: OptimWrapperDict, watcher: Watcher) -> None:
        super().__init__(**dict(optimizers.items()))
        self._watcher = watcher
        watcher.enter("")

    def __getitem__(self, key: str) -> OptimWrapper:
        """The optimiser of phase ``key``, which begins."""
        self._watcher.enter(key)
        return super().__getitem__(key)


class StepMeter(TensorMemory):
    """As a context manager: multiply-adds (``macs``) and the names of other operations (``uncounted``) by section."""

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__(known)
        self.macs: Counter = Counter()
        self.uncounted: dict[str, Counter] = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """One operation."""
        result = super().__torch_dispatch__(function, types, args, kwargs)
        name = function.overloadpacket.__name__
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
    """Of one layer and direction, steps (T, B, D): every vector meets both weight matrices once."""
    return steps.shape[0] * steps.shape[1] * (input_weight.numel() + state_weight.numel())


# What torch's counter lacks. The backward pass of a product is two products: the gradients of both factors.
PRODUCTS = {
    **dict.fromkeys(("mv", "dot", "vdot"), lambda first, second: first.numel()),
    "mkldnn_rnn_layer": _layer_macs,
    "mkldnn_rnn_layer_backward": lambda *inputs: 2 * _layer_macs(*inputs),
}


def _tensors(values: Any) -> list[Tensor]:
    """All tensors below dicts, lists and the states of optimisers."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, OptimWrapperDict):
        return [tensor for _, wrapper in values.items() for tensor in _tensors(wrapper.optimizer.state)]
    if isinstance(values, Mapping):
        return [tensor for value in values.values() for tensor in _tensors(value)]
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    return []
