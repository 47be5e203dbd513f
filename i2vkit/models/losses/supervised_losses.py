"""Losses of what is pre-trained: frames and sequences with class labels and states.

The five on frames are our reading of the abstract of Kim et al. (IEEE Trans. Affective Computing, 2017), DTGAN's
reference [12]: the class of a frame, compact classes, the state of a frame (onset ... apex), compact states, and states
that follow one another in feature space. Features are compared on the unit sphere, so that no loss is met by shrinking.
"""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional

from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES


class _FrameLoss(Loss):
    """A loss on true frames of a labelled batch; frames in one of ``skip_states`` do not count.

    Frames at the onset look the same in all classes, so losses on classes skip them.
    """

    def __init__(self, name: str | None, weight, skip_states: Sequence[int]):
        super().__init__(name, weight)
        self.skip_states = tuple(skip_states)

    def frames(self, context, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of ``values`` (B, T, D) those that count (N, D), with their classes and states (N,)."""
        states = context.clip.states
        counts = states >= 0
        for state in self.skip_states:
            counts &= states != state
        labels = context.clip.label[:, None].expand_as(states)
        return values[counts], labels[counts], states[counts]


def _spread(features: Tensor, groups: Tensor) -> Tensor:
    """Mean squared distance of unit features (N, D) to the centre of their group (N,)."""
    if len(features) == 0:
        return features.sum()
    features = functional.normalize(features.float(), dim=1)
    _, group = groups.unique(return_inverse=True)
    membership = functional.one_hot(group).to(features.dtype)
    centres = (membership.T @ features) / membership.sum(dim=0)[:, None]
    return (features - centres[group]).square().sum(dim=1).mean()


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
        logits, labels, _ = self.frames(context, context.output("frame_class"))
        return functional.cross_entropy(logits, labels) if len(logits) else logits.sum()


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
        features, labels, _ = self.frames(context, context.output("features"))
        return _spread(features, labels)


@LOSSES.register_module()
class StateClassLoss(_FrameLoss):
    """Cross-entropy of the state of each frame."""

    outputs = ("frame_state",)

    def __init__(self, name: str | None = "frame_state", weight: float | Sequence = 1.0):
        super().__init__(name, weight, ())

    def forward(self, context) -> Tensor:
        """The mean over true frames."""
        logits, _, states = self.frames(context, context.output("frame_state"))
        return functional.cross_entropy(logits, states)


@LOSSES.register_module()
class StateCompactnessLoss(_FrameLoss):
    """Mean squared distance of frame features to the mean of their state within their class."""

    outputs = ("features",)

    def __init__(self, name: str | None = "state_compactness", weight: float | Sequence = 1.0):
        super().__init__(name, weight, ())

    def forward(self, context) -> Tensor:
        """In [0, 1] on the unit sphere."""
        features, labels, states = self.frames(context, context.output("features"))
        return _spread(features, labels * (int(states.max()) + 1) + states)


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
        features, labels, states = self.frames(context, context.output("features"))
        features = functional.normalize(features.float(), dim=1)
        terms = []
        for label in labels.unique():
            own = labels == label
            present = states[own].unique().tolist()
            centre = {state: features[own & (states == state)].mean(dim=0) for state in present}
            for first, middle, last in combinations(present, 3):
                outer = (centre[first] - centre[last]).square().sum()
                for a, b in ((first, middle), (middle, last)):
                    inner = (centre[a] - centre[b]).square().sum()
                    terms.append(functional.relu(inner - outer + self.margin))
        return torch.stack(terms).mean() if terms else features.sum() * 0


@LOSSES.register_module()
class SequenceClassLoss(Loss):
    """Cross-entropy of the class of each clip, read at its last true frame."""

    outputs = ("sequence_class",)

    def __init__(self, name: str | None = "sequence_class", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context) -> Tensor:
        """The mean over the batch."""
        return functional.cross_entropy(context.output("sequence_class"), context.clip.label)
