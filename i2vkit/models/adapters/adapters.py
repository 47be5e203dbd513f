"""Adapters: what stands between two parts of different papers when one gives what the other does not read as it is.

The builder inserts them by what is missing (``provides``) and what is there (``reads``), and the log names each one
used.
"""

from dataclasses import replace

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor, nn

from i2vkit.models.clip_lengths import true_frames
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Adapter
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.registry import ADAPTERS
from i2vkit.structures import Content, Motion, Spec


@ADAPTERS.register_module()
class CodeToTrajectory(Adapter):
    """A motion code becomes a trajectory (B, T, D) through a GRU that reads it at every step: the one code (B, D) of
    the clip, or the step's own.

    Repeating the code instead would give every frame the same motion and freeze the video. Behind a motion generator
    that is driven by labels (``LabelFusion``) the one-hot label belongs to the code: the GRU reads it too.
    """

    side, provides, reads = "motion", "trajectory", "code"
    supports_chunks = True
    code_per_step = True

    def __init__(self, spec: Spec):
        super().__init__()
        width = spec.code or spec.condition  # LabelFusion without noise has the label alone
        self.labelled = spec.condition > 0
        self.gru = nn.GRU(spec.code + spec.condition, width, batch_first=True)
        self.spec = replace(spec, trajectory=width)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Adds the trajectory."""
        code = motion.code
        steps = repeat(code, "b d -> b t d", t=motion.length) if code.dim() == 2 else code
        if self.labelled:
            steps = torch.cat([steps, repeat(motion.condition, "b l -> b t l", t=motion.length)], dim=2)
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self))
        state.recurrent[self] = hidden
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """GRU outputs (B, T, D) for steps (B, T, C), and the state after the last."""
        return self.gru(steps, hidden)


@ADAPTERS.register_module()
class TrajectoryToCode(Adapter):
    """A trajectory (B, T, D) becomes a code (B, D): the mean over the true frames."""

    side, provides, reads = "motion", "code", "trajectory"
    supports_chunks = False

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = replace(spec, code=spec.trajectory)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Adds the code."""
        steps = motion.trajectory
        mask = true_frames(motion.num_frames, steps.shape[1])
        if mask is None:
            return replace(motion, code=steps.mean(dim=1))
        mask = mask.to(steps.dtype)
        total = (steps * mask[..., None]).sum(dim=1)
        return replace(motion, code=total / mask.sum(dim=1, keepdim=True))


@ADAPTERS.register_module()
class TrajectoryToFlow(Adapter):
    """A trajectory becomes a flow: a linear layer makes that of each frame on a coarse grid (X2Face has a network in
    its place, Wiles et al., 2018). It is 0 at first, so that a decoder begins with the image as it is.
    """

    side, provides, reads = "motion", "flow", "trajectory"
    supports_chunks = True

    def __init__(self, spec: Spec, image_size: int, grid: int = 8):
        super().__init__()
        self.grid = grid = min(grid, image_size)
        self.linear = nn.Linear(spec.trajectory, 2 * grid * grid)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.spec = replace(spec, flow=image_size // grid)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Adds the flow (B, 2, T, grid, grid), of half a side at most."""
        values = 0.5 * torch.tanh(self.linear(motion.trajectory))
        return replace(motion, flow=rearrange(values, "b t (c h w) -> b c t h w", h=self.grid, w=self.grid))


@ADAPTERS.register_module()
class PointsToTrajectory(Adapter):
    """Points become a trajectory: their places, one after the other.

    With reference points each step is relative to them, so that a different image moves as the driving video does.
    """

    side, provides, reads = "motion", "trajectory", "points"
    supports_chunks = True

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = replace(spec, trajectory=2 * spec.points)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Adds the trajectory (B, T, 2 K)."""
        place = motion.points["driving"].place
        if "reference" in motion.points:
            place = place - motion.points["reference"].place[:, None]
        return replace(motion, trajectory=rearrange(place, "b t k xy -> b t (k xy)"))


@ADAPTERS.register_module()
class PyramidToCode(Adapter):
    """The coarsest map of a content pyramid becomes its code (B, D): the mean over space and a linear layer."""

    side, provides, reads = "content", "code", "pyramid"
    supports_chunks = True

    def __init__(self, spec: Spec, code: int = 128):
        super().__init__()
        self.linear = nn.Linear(spec.pyramid[-1].channels, code)
        self.spec = replace(spec, code=code)

    def forward(self, content: Content, state: GenerationState) -> Content:
        """Adds the code."""
        pooled: Tensor = reduce(content.pyramid[-1], "b c h w -> b c", "mean")
        return replace(content, code=self.linear(pooled))
