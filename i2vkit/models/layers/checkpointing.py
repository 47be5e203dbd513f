"""Gradient checkpointing (Chen et al., 2016): maps are computed again in the backward pass instead of being kept."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpointed(function: Callable[..., Tensor], *inputs: Tensor | None, norms: nn.Module) -> Tensor:
    """Return ``function(*inputs)`` and keep only ``inputs`` for the backward pass.

    It also serves backward passes that are differentiated again, as gradient penalties need them.

    Args:
        function: A function that gives the same results for the same inputs. It draws no random numbers, has no weights
            that change from call to call (spectral norm), and changes nothing but the statistics of batch norms.
        inputs: The inputs of ``function``.
        norms: The module whose batch norms ``function`` calls. Their running statistics are updated once.

    Examples:
        >>> layer = nn.Linear(2, 1)
        >>> x = torch.ones(3, 2, requires_grad=True)
        >>> checkpointed(layer, x, norms=layer).sum().backward()
        >>> bool((x.grad == layer.weight).all())
        True
    """
    if not torch.is_grad_enabled():  # no backward pass will follow
        return function(*inputs)
    # The forward pass updates the statistics, the second one in the backward pass does not.
    return checkpoint(
        function,
        *inputs,
        use_reentrant=False,
        preserve_rng_state=False,
        # For the first pass, and for the one in the backward pass.
        context_fn=lambda: (nullcontext(), _StatisticsStay(norms)),
    )


class _StatisticsStay:
    """A context, to be entered many times, in which the batch norms of ``module`` keep their statistics."""

    def __init__(self, module: nn.Module):
        self._layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
        self._before: list[tuple[float | None, Tensor | None]] = []

    def __enter__(self) -> None:
        self._before = [(layer.momentum, layer.num_batches_tracked) for layer in self._layers]
        for layer in self._layers:
            # With the momentum at 0 the running statistics keep their values; without a counter no batch is counted.
            layer.momentum, layer.num_batches_tracked = 0.0, None

    def __exit__(self, *_: object) -> None:
        for layer, (momentum, counter) in zip(self._layers, self._before, strict=True):
            layer.momentum, layer.num_batches_tracked = momentum, counter
