"""The base class of losses, and the sum of their terms."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

from torch import Tensor, nn

from i2vkit.errors import ConfigError


class Loss(nn.Module):
    """A number that a phase makes small. Registered in ``LOSSES``.

    ``loss(context)`` gives a scalar, without its weight. The context holds one batch of a training step: a
    ``GanContext`` in an ``ImageToVideoGan``, a ``SupervisedContext`` in a ``SupervisedModel``.

    Args:
        name: The name in the log; by default that of the class. In a config the key of a loss is its name.
        weight: A number, or a schedule: pairs (iteration, weight), linear between the pairs and constant outside of
            them. While a schedule is at 0 the loss is not computed. A constant 0 still measures it.

    Attributes:
        passes: Names of the passes whose videos the loss reads.
        outputs: Names of the network's outputs that the loss reads; of losses in a ``SupervisedModel``.

    Raises:
        ConfigError: If the iterations of a schedule do not ascend.

    Examples:
        >>> class SmoothnessLoss(Loss):
        ...     passes = ("reconstruct",)
        ...     def forward(self, context):
        ...         video = context.generated("reconstruct").video  # (B, 3, T, H, W)
        ...         return (video[:, :, 1:] - video[:, :, :-1]).abs().mean()
        >>> loss = SmoothnessLoss(weight=[(0, 0.0), (1000, 2.0)])
        >>> loss.name, loss.weight_at(250), loss.runs_at(0)
        ('SmoothnessLoss', 0.5, False)
    """

    passes: tuple[str, ...] = ()
    outputs: tuple[str, ...]  # declared only, so that parts without this base class need none

    def __init__(self, name: str | None = None, weight: float | Sequence[tuple[int, float]] = 1.0):
        super().__init__()
        self.name = name or type(self).__name__  # a config overrides it by the key of the loss
        # Pairs (iteration, weight); a constant weight is a schedule of one pair.
        pairs = [(0, float(weight))] if isinstance(weight, int | float) else list(weight)
        times = [pair[0] for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]
        if not times or len(times) != len(pairs) or times != sorted(set(times)):  # ascending, for the interpolation
            raise ConfigError(
                f"the weight of loss '{self.name}' is a number, or pairs (iteration, weight) in ascending order"
            )
        self.schedule: list[tuple[int, float]] = [(time, value) for time, value in pairs]

    def runs_at(self, iteration: int) -> bool:
        """Return true if the loss is computed at an iteration: always, except while a schedule is at 0."""
        return len(self.schedule) == 1 or self.weight_at(iteration) != 0

    def weight_at(self, iteration: int) -> float:
        """Return the weight at an iteration.

        Examples:
            >>> Loss(weight=[(0, 0.0), (10, 1.0)]).weight_at(5)
            0.5
        """
        # The pairs up to this iteration, and those after it.
        before = [(t, w) for t, w in self.schedule if t <= iteration]
        after = [(t, w) for t, w in self.schedule if t > iteration]
        if not before or not after:
            return (before[-1] if before else after[0])[1]
        # Linear between the two neighbouring pairs.
        (t0, w0), (t1, w1) = before[-1], after[0]
        return w0 + (w1 - w0) * (iteration - t0) / (t1 - t0)

    # ``model`` and ``context`` are ``Any`` here: a loss names in its own signature those that it is made for.
    def needs_whole_clip(self, model: Any) -> bool:
        """Return true if the loss cannot be computed from some frames of each clip.

        It then compares frames with their neighbours, reads the last one, or encodes a video again. ``ImageToVideoGan``
        refuses such losses together with ``decoded_frames``.
        """
        return False

    def networks(self) -> list[nn.Module]:
        """Return the frozen networks outside of the model whose features the loss compares, once they are loaded."""
        return []

    def check_value(self, value: float, iteration: int) -> None:
        """Refuse a value that says that training has run away. It is called before anything is updated.

        Args:
            value: The loss without its weight, finite.
            iteration: The current iteration, for the message.

        Raises:
            TrainingError: In losses that override it. The base class accepts every value.
        """

    def check(self, model: Any) -> None:
        """Refuse a model that does not give what this loss reads. It is called once the model is built.

        Raises:
            ConfigError: In losses that override it. The base class accepts every model.
        """

    # The class itself is no ABC, so that schedules can be tried without a loss behind them; ``build_part`` refuses one.
    @abstractmethod
    def forward(self, context: Any) -> Tensor:
        """Return the value without its weight, a scalar."""
        raise NotImplementedError


def sum_terms(terms: Iterable[Tensor]) -> Tensor:
    """Return the sum of one or more tensors of one shape, in their order.

    Examples:
        >>> import torch
        >>> sum_terms(torch.tensor([1.0, 2.0, 3.0]).unbind()).item()
        6.0
    """
    return reduce(add, terms)
