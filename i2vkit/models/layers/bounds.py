"""Values that keep within bounds and can come back from them."""

import torch
from torch import Tensor


class _Bound(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, least: float, largest: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.bounds = least, largest
        return values.clamp(least, largest)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (values,), (least, largest) = ctx.saved_tensors, ctx.bounds
        # A step goes against the gradient: with a positive one a value becomes smaller.
        outward = ((values > largest) & (gradient < 0)) | ((values < least) & (gradient > 0))
        return gradient.masked_fill(outward, 0), None, None


def clamp_with_inward_gradient(values: Tensor, least: float, largest: float) -> Tensor:
    """``values`` cut off at ``least`` and ``largest``, with a gradient that leads back.

    A value beyond a bound gets no gradient that would take it farther out, and keeps the one that takes it back. The
    gradient of ``Tensor.clamp`` is 0 there, so that what has once run away would stay.

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
