"""Losses of what is pre-trained: frames and sequences with class labels and states.

The five on frames are our reading of the abstract of Kim et al. (IEEE Trans. Affective Computing, 2017), DTGAN's
reference [12]: the class of a frame, compact classes, the state of a frame (onset ... apex), compact states, and states
that follow one another in feature space. Features are compared on the unit sphere, so that no loss is met by shrinking.
"""

from collections.abc import Sequence
from itertools import combinations

from torch import Tensor
from torch.nn import functional

from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES


class _FrameLoss(Loss):
    """A loss on true frames of a labelled batch; frames in one of ``skip_states`` do not count.

    Frames at the onset look the same in all classes, so losses on classes skip them. Frames that do not count stay in
    the batch and weigh nothing: to pick the others, or to ask which classes there are, the host would have to wait for
    a GPU. The numbers of classes and states are ``num_labels`` and ``num_states`` of the model's network.
    """

    def __init__(self, name: str | None, weight, skip_states: Sequence[int]):
        super().__init__(name, weight)
        self.skip_states = tuple(skip_states)

    def valid_frames(self, context) -> Tensor:
        """The mask (B, T) of the frames that count."""
        states = context.clip.states
        counts = states >= 0
        for state in self.skip_states:
            counts = counts & (states != state)
        return counts

    def cross_entropy(self, context, logits: Tensor, wanted: Tensor) -> Tensor:
        """The mean over the frames that count, of logits (B, T, K) and class indices (B, T); 0 where none does."""
        counts = self.valid_frames(context)
        wanted = wanted.masked_fill(~counts, _IGNORED).flatten()
        total = functional.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=_IGNORED, reduction="sum")
        return total / counts.sum().clamp(min=1)


_IGNORED = -100


def _centres(features: Tensor, groups: Tensor, counts: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The mean (G, D) of the features (B, T, D) of each of ``number`` groups, and how many frames it has (G,).

    ``groups`` (B, T) are indices; only frames where ``counts`` (B, T) is true take part. An empty group is at 0.
    """
    membership = functional.one_hot(groups.masked_fill(~counts, 0), number) * counts[..., None]
    membership = membership.flatten(0, 1).to(features.dtype)
    sizes = membership.sum(dim=0)
    return (membership.T @ features.flatten(0, 1)) / sizes.clamp(min=1)[:, None], sizes


def _spread(features: Tensor, groups: Tensor, counts: Tensor, number: int) -> Tensor:
    """Mean squared distance of unit features (B, T, D) to the centre of their group; arguments as for ``_centres``."""
    features = functional.normalize(features.float(), dim=2)
    centres, _ = _centres(features, groups, counts, number)
    own = centres[groups.masked_fill(~counts, 0)]
    distances = (features - own).square().sum(dim=2)
    return (distances * counts).sum() / counts.sum().clamp(min=1)


@LOSSES.register_module()
class FrameClassLoss(_FrameLoss):
    """Cross-entropy of the class of each frame."""

    outputs = ("frame_class",)

    def __init__(
        self, name: str | None = "frame_class", weight: float | Sequence = 1.0, skip_states: Sequence[int] = (0,)
    ):
        super().__init__(name, weight, skip_states)

    def forward(self, context) -> Tensor:
        """The mean over frames that count."""
        wanted = context.clip.label[:, None].expand_as(context.clip.states)
        return self.cross_entropy(context, context.output("frame_class"), wanted)


@LOSSES.register_module()
class ClassCompactnessLoss(_FrameLoss):
    """Mean squared distance of frame features to the mean of their class in the batch."""

    outputs = ("features",)

    def __init__(
        self, name: str | None = "class_compactness", weight: float | Sequence = 1.0, skip_states: Sequence[int] = (0,)
    ):
        super().__init__(name, weight, skip_states)

    def forward(self, context) -> Tensor:
        """In [0, 1] on the unit sphere."""
        groups = context.clip.label[:, None].expand_as(context.clip.states)
        number = context.model.network.num_labels
        return _spread(context.output("features"), groups, self.valid_frames(context), number)


@LOSSES.register_module()
class StateClassLoss(_FrameLoss):
    """Cross-entropy of the state of each frame."""

    outputs = ("frame_state",)

    def __init__(self, name: str | None = "frame_state", weight: float | Sequence = 1.0):
        super().__init__(name, weight, ())

    def forward(self, context) -> Tensor:
        """The mean over true frames."""
        return self.cross_entropy(context, context.output("frame_state"), context.clip.states)


@LOSSES.register_module()
class StateCompactnessLoss(_FrameLoss):
    """Mean squared distance of frame features to the mean of their state within their class."""

    outputs = ("features",)

    def __init__(self, name: str | None = "state_compactness", weight: float | Sequence = 1.0):
        super().__init__(name, weight, ())

    def forward(self, context) -> Tensor:
        """In [0, 1] on the unit sphere."""
        network = context.model.network
        groups = context.clip.label[:, None] * network.num_states + context.clip.states
        number = network.num_labels * network.num_states
        return _spread(context.output("features"), groups, self.valid_frames(context), number)


@LOSSES.register_module()
class StateContinuityLoss(_FrameLoss):
    """Of three states in order, the outer two lie further apart than either neighbour pair, by a margin, within every
    class of the batch: states follow one another along a path.
    """

    outputs = ("features",)

    def __init__(self, name: str | None = "state_continuity", weight: float | Sequence = 1.0, margin: float = 0.1):
        super().__init__(name, weight, ())
        self.margin = margin

    def forward(self, context) -> Tensor:
        """The mean hinge over classes and triples; 0 if no class shows three states."""
        features = functional.normalize(context.output("features").float(), dim=2)
        labels, states = context.model.network.num_labels, context.model.network.num_states
        groups = context.clip.label[:, None] * states + context.clip.states
        centres, sizes = _centres(features, groups, self.valid_frames(context), labels * states)
        centres, there = centres.unflatten(0, (labels, states)), (sizes > 0).unflatten(0, (labels, states))
        total, number = features.sum() * 0, 0
        for first, middle, last in combinations(range(states), 3):
            # A class (L,) that does not show all three has no such triple.
            counts = there[:, first] & there[:, middle] & there[:, last]
            outer = (centres[:, first] - centres[:, last]).square().sum(dim=1)
            for a, b in ((first, middle), (middle, last)):
                inner = (centres[:, a] - centres[:, b]).square().sum(dim=1)
                total = total + (functional.relu(inner - outer + self.margin) * counts).sum()
                number = number + counts.sum()
        return total / number.clamp(min=1) if states > 2 else total


@LOSSES.register_module()
class SequenceClassLoss(Loss):
    """Cross-entropy of the class of each clip, read at its last true frame."""

    outputs = ("sequence_class",)

    def __init__(self, name: str | None = "sequence_class", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context) -> Tensor:
        """The mean over the batch."""
        return functional.cross_entropy(context.output("sequence_class"), context.clip.label)
