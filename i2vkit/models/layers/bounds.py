"""Values that stay within bounds and can come back from them."""

from typing import Any

import torch
from torch import Tensor


class _Bound(torch.autograd.Function):
    """``Tensor.clamp`` with a gradient that leads back into the bounds."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, least: float, largest: float) -> Tensor:
        ctx.save_for_backward(values)  # before they are cut off
        ctx.bounds = least, largest
        return values.clamp(least, largest)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (values,), (least, largest) = ctx.saved_tensors, ctx.bounds
        # A step goes against the gradient, so a positive gradient makes a value smaller.
        outward = ((values > largest) & (gradient < 0)) | ((values < least) & (gradient > 0))
        return gradient.masked_fill(outward, 0), None, None  # the bounds have no gradients


def clamp_with_inward_gradient(values: Tensor, least: float, largest: float) -> Tensor:
    """Return ``values`` cut off at ``least`` and ``largest``, with a gradient that leads back.

    A value beyond a bound gets no gradient that would move it farther out, and keeps the one that moves it back. The
    gradient of ``Tensor.clamp`` is 0 there, so that a value that has once run away would stay.

    Args:
        values: A tensor of any shape.
        least: The lower bound.
        largest: The upper bound.

    Examples:
        >>> values = torch.tensor([-20.0, 0.0, 5.0], requires_grad=True)
        >>> made = clamp_with_inward_gradient(values, -10.0, 2.0)
        >>> made.tolist()
        [-10.0, 0.0, 2.0]
        >>> made.sum().backward()  # all are to become smaller
        >>> values.grad.tolist()
        [0.0, 1.0, 1.0]
    """
    return _Bound.apply(values, least, largest)
