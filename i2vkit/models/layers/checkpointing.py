"""Gradient checkpointing (Chen et al., 2016): maps are computed again in the backward pass instead of being kept."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpointed(function: Callable[..., Tensor], *inputs: Tensor | None, norms: nn.Module) -> Tensor:
    """Return ``function(*inputs)``; nothing of it is kept for the backward pass but ``inputs``.

    It also serves backward passes with gradients of their own, as gradient penalties take them.

    Args:
        function: it gives the same whenever it is called with the same: it draws no random numbers, has no weights that
            change from call to call (spectral norm), and changes nothing but the statistics of batch norms.
        inputs: of ``function``.
        norms: the module whose batch norms ``function`` calls: their running statistics are updated once.
    """
    if not torch.is_grad_enabled():
        return function(*inputs)
    return checkpoint(
        function,
        *inputs,
        use_reentrant=False,
        preserve_rng_state=False,
        context_fn=lambda: (nullcontext(), _StatisticsStay(norms)),
    )


class _StatisticsStay:
    """A context, to be entered again and again, in which the batch norms of ``module`` leave their statistics alone."""

    def __init__(self, module: nn.Module):
        self._layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
        self._before: list[tuple[float | None, Tensor | None]] = []

    def __enter__(self) -> None:
        self._before = [(layer.momentum, layer.num_batches_tracked) for layer in self._layers]
        for layer in self._layers:
            # With the momentum at 0 a running statistic becomes what it was, and without a counter nothing is counted.
            layer.momentum, layer.num_batches_tracked = 0.0, None

    def __exit__(self, *_: object) -> None:
        for layer, (momentum, counter) in zip(self._layers, self._before, strict=True):
            layer.momentum, layer.num_batches_tracked = momentum, counter
