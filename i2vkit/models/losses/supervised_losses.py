"""Losses for pre-training with class labels and states, on frames and on sequences.

The five losses on frames are our reading of the abstract of Kim et al. (IEEE Trans. Affective Computing, 2017), DTGAN's
reference [12]: the class of a frame, compact classes, the state of a frame (onset ... apex), compact states, and states
that follow one another in feature space. Features are compared on the unit sphere, so that shrinking them does not
reduce a loss.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from i2vkit.models.losses.base import Loss, sum_terms
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.supervised_model import SupervisedContext

_IGNORED = -100  # torch's own choice for frames that a cross-entropy leaves out


class _FrameLoss(Loss):
    """A loss on the true frames of a labelled batch. Frames in one of ``skip_states`` do not count.

    Frames at the onset look the same in all classes, so losses on classes skip them. Frames that do not count stay in
    the batch and weigh nothing: picking the others, or listing the classes of a batch, would make the host wait for a
    GPU. The numbers of classes and states are ``num_labels`` and ``num_states`` of the model's network.
    """

    def __init__(self, name: str | None, weight: float | Sequence, skip_states: Sequence[int]):
        super().__init__(name, weight)
        self.skip_states = tuple(skip_states)

    def valid_frames(self, context: "SupervisedContext") -> Tensor:
        """Return the mask (B, T) of the frames that count."""
        states = _states(context)
        counts = states >= 0  # (B, T); padded frames have the state -1
        for state in self.skip_states:
            counts = counts & (states != state)
        return counts

    def cross_entropy(self, context: "SupervisedContext", logits: Tensor, wanted: Tensor) -> Tensor:
        """Return the mean cross-entropy over the frames that count; 0 where none does.

        Args:
            context: The batch.
            logits: (B, T, K).
            wanted: Class indices (B, T).
        """
        counts = self.valid_frames(context)
        wanted = wanted.masked_fill(~counts, _IGNORED).flatten()  # (B, T) -> (B * T,)
        # Logits (B, T, K) -> (B * T, K).
        total = functional.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=_IGNORED, reduction="sum")
        return total / counts.sum().clamp(min=1)


def _states(context: "SupervisedContext") -> Tensor:
    """Return the states (B, T) of the frames."""
    states = context.clip.states
    assert states is not None, "losses on frames train on data sets with states"
    return states


def _frame_labels(context: "SupervisedContext") -> Tensor:
    """Return the class (B, 1) of each clip, to be broadcast over its frames."""
    assert context.clip.label is not None, "losses on classes train on data sets with labels"
    return context.clip.label[:, None]


def _centres(features: Tensor, groups: Tensor, counts: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return the mean (G, D) of the features of each of ``number`` groups, and the number of frames (G,) in each.

    Args:
        features: (B, T, D).
        groups: The group of each frame, indices (B, T).
        counts: The frames that take part, bool (B, T).
        number: G. The mean of an empty group is 0.
    """
    # (B, T) -> one-hot (B, T, G); frames that do not count belong to no group.
    membership = functional.one_hot(groups.masked_fill(~counts, 0), number) * counts[..., None]
    membership = membership.flatten(0, 1).to(features.dtype)  # (B * T, G)
    sizes = membership.sum(dim=0)  # (G,)
    # (G, B * T) x (B * T, D) -> (G, D)
    return (membership.T @ features.flatten(0, 1)) / sizes.clamp(min=1)[:, None], sizes


def _spread(features: Tensor, groups: Tensor, counts: Tensor, number: int) -> Tensor:
    """Return the mean squared distance of unit features to the centre of their group; arguments as of ``_centres``."""
    features = functional.normalize(features.float(), dim=2)
    centres, _ = _centres(features, groups, counts, number)
    own = centres[groups.masked_fill(~counts, 0)]  # (G, D) -> (B, T, D)
    distances = (features - own).square().sum(dim=2)  # (B, T)
    return (distances * counts).sum() / counts.sum().clamp(min=1)


@LOSSES.register_module()
class FrameClassLoss(_FrameLoss):
    """Cross-entropy of the class of each frame.

    Args:
        name: As of ``Loss``.
        weight: As of ``Loss``.
        skip_states: States whose frames do not count; by default the onset, 0.
    """

    outputs = ("frame_class",)

    def __init__(
        self, name: str | None = "frame_class", weight: float | Sequence = 1.0, skip_states: Sequence[int] = (0,)
    ):
        super().__init__(name, weight, skip_states)

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the mean over the frames that count."""
        wanted = _frame_labels(context).expand_as(_states(context))  # (B, 1) -> (B, T)
        return self.cross_entropy(context, context.output("frame_class"), wanted)


@LOSSES.register_module()
class ClassCompactnessLoss(_FrameLoss):
    """Mean squared distance of frame features to the mean of their class in the batch.

    Args:
        name: As of ``Loss``.
        weight: As of ``Loss``.
        skip_states: States whose frames do not count; by default the onset, 0.
    """

    outputs = ("features",)

    def __init__(
        self, name: str | None = "class_compactness", weight: float | Sequence = 1.0, skip_states: Sequence[int] = (0,)
    ):
        super().__init__(name, weight, skip_states)

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the distance, in [0, 1] on the unit sphere."""
        groups = _frame_labels(context).expand_as(_states(context))  # (B, 1) -> (B, T)
        number = context.model.network.num_labels
        return _spread(context.output("features"), groups, self.valid_frames(context), number)


@LOSSES.register_module()
class StateClassLoss(_FrameLoss):
    """Cross-entropy of the state of each frame."""

    outputs = ("frame_state",)

    def __init__(self, name: str | None = "frame_state", weight: float | Sequence = 1.0):
        super().__init__(name, weight, ())

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the mean over true frames."""
        return self.cross_entropy(context, context.output("frame_state"), _states(context))


@LOSSES.register_module()
class StateCompactnessLoss(_FrameLoss):
    """Mean squared distance of frame features to the mean of their state within their class."""

    outputs = ("features",)

    def __init__(self, name: str | None = "state_compactness", weight: float | Sequence = 1.0):
        super().__init__(name, weight, ())

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the distance, in [0, 1] on the unit sphere."""
        labels, states = context.model.network.num_labels, context.model.network.num_states
        # A group is a state of a class: indices (B, T) in [0, classes * states).
        groups = _frame_labels(context) * states + _states(context)
        return _spread(context.output("features"), groups, self.valid_frames(context), labels * states)


@LOSSES.register_module()
class StateContinuityLoss(_FrameLoss):
    """A hinge loss on triples of states: the outer two lie further apart than either neighbouring pair.

    It holds within every class of the batch, so that states follow one another along a path.

    Args:
        name: As of ``Loss``.
        weight: As of ``Loss``.
        margin: The least difference between the squared distances, which lie in [0, 4].
    """

    outputs = ("features",)

    def __init__(self, name: str | None = "state_continuity", weight: float | Sequence = 1.0, margin: float = 0.1):
        super().__init__(name, weight, ())
        self.margin = margin

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the mean hinge over classes and triples; 0 if no class shows three states."""
        features = functional.normalize(context.output("features").float(), dim=2)
        labels, states = context.model.network.num_labels, context.model.network.num_states
        # A group is a state of a class: indices (B, T) in [0, classes * states).
        groups = _frame_labels(context) * states + _states(context)
        centres, sizes = _centres(features, groups, self.valid_frames(context), labels * states)
        # (classes * states, D) -> (classes, states, D), and (classes, states) of those that the batch shows.
        centres, present = centres.unflatten(0, (labels, states)), (sizes > 0).unflatten(0, (labels, states))
        total = features.sum() * 0  # a zero with a graph: where no triple is shown there is still something to train
        shown: list[Tensor] = []
        for first, middle, last in combinations(range(states), 3):
            # A class (L,) that does not show all three has no such triple.
            counts = present[:, first] & present[:, middle] & present[:, last]
            outer = (centres[:, first] - centres[:, last]).square().sum(dim=1)  # (L,)
            for a, b in ((first, middle), (middle, last)):
                inner = (centres[:, a] - centres[:, b]).square().sum(dim=1)
                total = total + (functional.relu(inner - outer + self.margin) * counts).sum()
                shown.append(counts.sum())
        return total / sum_terms(shown).clamp(min=1) if shown else total


@LOSSES.register_module()
class SequenceClassLoss(Loss):
    """Cross-entropy of the class of each clip, read at its last true frame."""

    outputs = ("sequence_class",)

    def __init__(self, name: str | None = "sequence_class", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the mean over the batch."""
        assert context.clip.label is not None, "losses on classes train on data sets with labels"
        return functional.cross_entropy(context.output("sequence_class"), context.clip.label)
