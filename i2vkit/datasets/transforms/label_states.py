"""The transform that labels how far an expression or an action has come in every frame."""

from typing import Literal

import numpy as np

from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.errors import ConfigError
from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LabelStates:
    """Give every frame one of ``num_states`` states, int64 (T,), from 0.

    Args:
        num_states: Number of states. Default 3.
        by: "position" (the default) is for clips that go from neutral to the apex once. It cuts the whole clip,
            whatever part of it was sampled, into equal parts (with three: onset, onset to apex, apex). "displacement"
            is for actions that come and go. It takes the mean absolute difference of each frame to the first sampled
            one, and cuts the range up to the largest in the sample into equal parts.

    Raises:
        ConfigError: ``by`` is another word.
    """

    def __init__(self, num_states: int = 3, by: Literal["position", "displacement"] = "position"):
        if by not in ("position", "displacement"):
            raise ConfigError(f'LabelStates: by is "position" or "displacement", got {by!r}')
        self.num_states = num_states
        self.by = by

    @property
    def frame_changes(self) -> str | None:
        """Return "none", as frames stay as they are, or None if their pixels are needed."""
        return "none" if self.by == "position" else None

    def __call__(self, sample: dict) -> dict:
        """Fill in ``states`` of all clips."""
        label = self._by_position if self.by == "position" else self._by_displacement
        for sampled in sample["clips"].values():
            sampled.states = label(sampled)
        return sample

    def _by_position(self, sampled: SampledClip) -> np.ndarray:
        assert sampled.indices is not None  # the window comes first in every pipeline
        return sampled.indices * self.num_states // sampled.record.num_frames

    def _by_displacement(self, sampled: SampledClip) -> np.ndarray:
        # With "displacement" ``frame_changes`` is None, so that frames on the device are refused before.
        assert isinstance(sampled.frames, np.ndarray)
        # (T, H, W, 3) -> (T,)
        difference = np.abs(sampled.frames.astype(np.float32) - sampled.frames[0]).mean(axis=(1, 2, 3))
        share = difference / max(difference.max(), np.finfo(np.float32).tiny)
        return np.minimum(share * self.num_states, self.num_states - 1).astype(np.int64)
