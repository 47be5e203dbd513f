"""The interface of a loss."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from i2vkit.errors import ConfigError


class Loss(nn.Module):
    """A number to minimise: ``loss(context) -> Tensor``, a scalar, without its weight.

    ``name`` is the name in the log (by default that of the class). In a config it is the key of the loss, and not
    given. ``weight`` is a number, or a schedule: pairs (iteration, weight), linear between and constant outside; while
    a schedule is at 0 the loss is not computed. ``passes`` names the passes whose videos the loss reads.

    Raises:
        ConfigError: for a schedule whose iterations do not ascend.
    """

    passes: tuple[str, ...] = ()

    def __init__(self, name: str | None = None, weight: float | Sequence[tuple[int, float]] = 1.0):
        super().__init__()
        self.name = name or type(self).__name__
        self.schedule = [(0, float(weight))] if isinstance(weight, int | float) else [tuple(pair) for pair in weight]
        times = [time for time, _ in self.schedule]
        if not times or times != sorted(set(times)):
            raise ConfigError(
                f"the weight of loss '{self.name}' is a number or pairs (iteration, weight) in ascending order"
            )

    def runs_at(self, iteration: int) -> bool:
        """Whether the loss is computed at an iteration: not while a schedule is at 0. A constant 0 only measures."""
        return len(self.schedule) == 1 or self.weight_at(iteration) != 0

    def weight_at(self, iteration: int) -> float:
        """The weight at an iteration.

        >>> Loss(weight=[(0, 0.0), (10, 1.0)]).weight_at(5)
        0.5
        """
        before = [(t, w) for t, w in self.schedule if t <= iteration]
        after = [(t, w) for t, w in self.schedule if t > iteration]
        if not before or not after:
            return (before[-1] if before else after[0])[1]
        (t0, w0), (t1, w1) = before[-1], after[0]
        return w0 + (w1 - w0) * (iteration - t0) / (t1 - t0)

    def needs_whole_clip(self, model) -> bool:
        """Whether the loss compares frames with their neighbours, reads the last one, or encodes a video anew: what it
        cannot do where a training step decodes some frames of each clip (``ImageToVideoGan(decoded_frames=...)``).
        """
        return False

    def networks(self) -> list[nn.Module]:
        """Networks that the loss looks through and that are no part of the model, once they are loaded."""
        return []

    def check_value(self, value: float, iteration: int) -> None:
        """Called with each value, finite and on the CPU, before anything is updated by it: raise ``TrainingError`` if
        it says that training has run away.
        """

    def check(self, model) -> None:
        """Called once the model is built: raise ``ConfigError`` if it does not give what this loss reads."""

    # The class itself is no ABC, so that schedules can be tried without a loss behind them; ``build_part`` refuses one.
    @abstractmethod
    def forward(self, context) -> Tensor:
        """The unweighted value, a scalar."""
        raise NotImplementedError
