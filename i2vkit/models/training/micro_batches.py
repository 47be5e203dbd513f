"""The loss of a discriminator from a few samples at a time: no more work, in the memory of a few samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from i2vkit.models.training.autocast import autocast


class _WithGradients(torch.autograd.Function):
    """A number whose gradients by ``tensors`` are known already."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: Sequence[Tensor | None], *tensors: Tensor) -> Tensor:
        ctx.known = gradients  # tensors without a graph, and None
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        # The chain rule: the known gradients times that of the loss by this number.
        return None, None, *(None if each is None else upstream * each for each in ctx.known)


def loss_in_micro_batches(
    term: Callable[..., Tensor], disc_inputs: Sequence[Any], size: int, parameters: Iterable[nn.Parameter]
) -> Tensor:
    """Return ``term(*disc_inputs)``, computed from ``size`` samples at a time.

    The gradients of each micro-batch are taken at once, and its maps are freed. The result has the gradients of the
    whole, up to rounding, and nothing is computed twice. Random numbers in ``term`` are drawn for every micro-batch.

    Args:
        term: A mean over independent samples.
        disc_inputs: ``DiscriminatorInput``s of equally many samples; with other numbers of samples the whole is
            computed at once.
        size: Samples in a micro-batch; the last may have fewer.
        parameters: Parameters of all modules that ``term`` calls.

    Returns:
        A scalar.
    """
    number = len(disc_inputs[0].sample)  # N
    if size >= number or any(len(disc_input.sample) != number for disc_input in disc_inputs):
        return term(*disc_inputs)
    weights: list[Tensor] = [parameter for parameter in parameters if parameter.requires_grad]
    # Inputs may share a sample; those that share the whole one also share its parts.
    tensors = {id(tensor): tensor for disc_input in disc_inputs for tensor in _tensors(disc_input)}
    # Those that the generator's gradients pass through.
    inputs = {key: tensor for key, tensor in tensors.items() if tensor.requires_grad}
    values: list[Tensor] = []
    of_weights: list[Tensor | None] = [None] * len(weights)
    of_inputs: dict[int, list[Tensor]] = {key: [] for key in inputs}
    for start in range(0, number, size):
        # (N, ...) -> (size, ...), cut off from the graph behind.
        parts = {key: tensor.detach()[start : start + size] for key, tensor in tensors.items()}
        leaves = [parts[key].requires_grad_() for key in inputs]
        few = [_replaced(disc_input, parts) for disc_input in disc_inputs]
        value, found = _value_and_gradients(term, few, number, leaves + weights)
        values.append(value)
        # Gradients of the inputs belong to these samples alone, those of the weights add up.
        for key, part, gradient in zip(inputs, leaves, found, strict=False):
            of_inputs[key].append(torch.zeros_like(part) if gradient is None else gradient)
        of_weights = [_sum(one, other) for one, other in zip(of_weights, found[len(leaves) :], strict=True)]
    total = torch.stack(values).sum()  # scalars -> (micro-batches,) -> ()
    if not torch.is_grad_enabled() or not (inputs or weights):
        return total
    # The parts (size, ...) of each input, one after the other: (N, ...).
    gradients = [*(torch.cat(parts) for parts in of_inputs.values()), *of_weights]
    return _WithGradients.apply(total, gradients, *inputs.values(), *weights)


def _value_and_gradients(
    term: Callable[..., Tensor], disc_inputs: list[Any], number: int, tensors: list[Tensor]
) -> tuple[Tensor, list[Tensor | None]]:
    """Return the share of some of ``number`` samples in ``term``, and its gradients by ``tensors``.

    A gradient is None where the share does not depend on the tensor.
    """
    value = len(disc_inputs[0].sample) / number * term(*disc_inputs)  # its share of the mean over all N
    if not (tensors and value.requires_grad):
        return value.detach(), [None] * len(tensors)
    # As every backward pass outside of autocast. The graph behind the weights serves all micro-batches (those of
    # spectral norm); that of this one goes with ``value``.
    with autocast(value.device, enabled=False):
        return value.detach(), list(torch.autograd.grad(value, tensors, allow_unused=True, retain_graph=True))


def _tensors(disc_input: Any) -> list[Tensor]:
    """Return the tensors of an input."""
    values = (getattr(disc_input, each.name) for each in fields(disc_input))
    return [value for value in values if isinstance(value, Tensor)]


def _replaced(disc_input: Any, parts: dict[int, Tensor]) -> Any:
    """Return an input with the parts, by the identity of the tensors that they belong to."""
    return replace(
        disc_input, **{each.name: parts.get(id(getattr(disc_input, each.name))) for each in fields(disc_input)}
    )


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Return the sum of two gradients, None if both are None."""
    if one is None or other is None:
        return other if one is None else one
    return one.add_(other)  # in place: nothing else holds the gradient of a micro-batch
