"""The adapters: small parts that make a field which one part needs from a field which another part gives.

They let you combine parts of different papers. The builder chooses them by the missing field (``provides``) and the
fields that are there (``reads``), and the log names each one used.
"""

from dataclasses import replace

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor, nn

from i2vkit.models.clip_lengths import true_frames
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Adapter
from i2vkit.models.layers.points import heatmaps
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.models.layers.residual import ResidualTrunk
from i2vkit.registry import ADAPTERS
from i2vkit.structures import Content, Motion, Points, Spec


@ADAPTERS.register_module()
class CodeToTrajectory(Adapter[Motion]):
    """A GRU that turns a motion code into a trajectory (B, T, D).

    The GRU reads the code at every step: the one code (B, D) of the clip, or the code of the step. A repeated code
    would give every frame the same motion and freeze the video. Behind a motion generator that is driven by labels
    (``LabelFusion``) the one-hot label belongs to the code, so the GRU reads it too.

    Args:
        spec: Spec upstream. The trajectory is as large as its code, or as its label if it has no code.
    """

    side, provides, reads = "motion", "trajectory", "code"
    supports_chunks = True
    code_per_step = True

    def __init__(self, spec: Spec):
        super().__init__()
        width = spec.code or spec.condition  # LabelFusion without noise has only the label
        self.labelled = spec.condition > 0
        # The label is concatenated to every step; without labels spec.condition is 0.
        self.gru = nn.GRU(spec.code + spec.condition, width, batch_first=True)
        self.spec = replace(spec, trajectory=width)

    def forward(self, motion: Motion, state: GenerationState | None) -> Motion:
        """Add the trajectory."""
        code = motion.code
        assert code is not None and state is not None, "the plan puts this adapter behind a motion code"
        # (B, D) -> (B, T, D)
        steps = repeat(code, "b d -> b t d", t=motion.length) if code.dim() == 2 else code
        if self.labelled:
            assert motion.condition is not None, "a generator with labels adds the one-hot label"
            # (B, T, D) and (B, L) -> (B, T, D + L)
            steps = torch.cat([steps, repeat(motion.condition, "b l -> b t l", t=motion.length)], dim=2)
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self))
        state.recurrent[self] = hidden  # for the next chunk
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return GRU outputs (B, T, D) for steps (B, T, C), and the state after the last step."""
        return self.gru(steps, hidden)


@ADAPTERS.register_module()
class TrajectoryToCode(Adapter[Motion]):
    """The mean of a trajectory (B, T, D) over the true frames as a motion code (B, D)."""

    side, provides, reads = "motion", "code", "trajectory"
    supports_chunks = False  # the mean needs the whole clip

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = replace(spec, code=spec.trajectory)  # the trajectory itself stays

    def forward(self, motion: Motion, state: GenerationState | None) -> Motion:
        """Add the code."""
        steps = motion.trajectory
        assert steps is not None, "the plan puts this adapter behind a trajectory"
        inside = true_frames(motion.num_frames, steps.shape[1])
        if inside is None:
            return replace(motion, code=steps.mean(dim=1))  # (B, T, D) -> (B, D)
        mask = inside.to(steps.dtype)
        total = (steps * mask[..., None]).sum(dim=1)  # (B, T, D) * (B, T, 1) -> (B, D)
        return replace(motion, code=total / mask.sum(dim=1, keepdim=True))  # (B, D) / (B, 1)


@ADAPTERS.register_module()
class TrajectoryToFlow(Adapter[Motion]):
    """A linear layer that turns each step of a trajectory into a flow on a coarse grid.

    X2Face has a network in its place (Wiles et al., 2018). The flow is 0 at first, so that a decoder begins with the
    image as it is.

    Args:
        spec: Spec upstream.
        image_size: Side of the image in pixels.
        grid: Side of the grid in cells, at most ``image_size``.
    """

    side, provides, reads = "motion", "flow", "trajectory"
    supports_chunks = frame_wise = True

    def __init__(self, spec: Spec, image_size: int, grid: int = 8):
        super().__init__()
        self.grid = grid = min(grid, image_size)
        self.linear = nn.Linear(spec.trajectory, 2 * grid * grid)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.spec = replace(spec, flow=image_size // grid)

    def forward(self, motion: Motion, state: GenerationState | None) -> Motion:
        """Add the flow (B, 2, T, grid, grid) with components in [-0.5, 0.5], at most a quarter of the image's side."""
        # A whole side is 2, from -1 to 1.
        values = 0.5 * torch.tanh(self.linear(motion.trajectory))
        # (B, T, 2 grid grid) -> (B, 2, T, grid, grid)
        return replace(motion, flow=rearrange(values, "b t (c h w) -> b c t h w", h=self.grid, w=self.grid))


@ADAPTERS.register_module()
class PointsToTrajectory(Adapter[Motion]):
    """The coordinates of all points as a trajectory (B, T, 2 K).

    With reference points each step is relative to them, so that another image moves as the driving video does.
    """

    side, provides, reads = "motion", "trajectory", "points"
    supports_chunks = frame_wise = True

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = replace(spec, trajectory=2 * spec.points)

    def forward(self, motion: Motion, state: GenerationState | None) -> Motion:
        """Add the trajectory."""
        place = motion.points["driving"].place
        if "reference" in motion.points:
            place = place - motion.points["reference"].place[:, None]  # (B, T, K, 2) - (B, 1, K, 2)
        # (B, T, K, 2) -> (B, T, 2 K)
        return replace(motion, trajectory=rearrange(place, "b t k xy -> b t (k xy)"))


@ADAPTERS.register_module()
class PointsToMaps(Adapter[Motion]):
    """The heatmaps of all points as map groups, through residual blocks that halve them.

    They take the place of condition maps, which need a face model or joints. So learned points drive ``DenseDecoder``.

    Args:
        spec: Spec upstream.
        image_size: Side of the image in pixels.
        width: Channels of the first maps.
        max_width: Largest number of channels.
    """

    side, provides, reads = "motion", "maps", "points"
    supports_chunks = frame_wise = True
    for_accepted = True

    def __init__(self, spec: Spec, image_size: int, width: int = 16, max_width: int = 64):
        super().__init__()
        self.image_size = image_size
        self.trunk = ResidualTrunk(spec.points, image_size, width, max_width)
        self.spec = replace(spec, maps=self.trunk.levels, map_groups=("driving", "reference"))

    def forward(self, motion: Motion, state: GenerationState | None) -> Motion:
        """Add the groups "driving", with levels (B, C_i, T, H_i, W_i), and "reference", with levels (B, C_i, H_i, W_i).

        Without reference points those of the first driving frame take their place.
        """
        driving = motion.points["driving"]
        reference = motion.points.get("reference", Points(driving.place[:, 0]))
        batch, length = driving.place.shape[:2]
        # With a peak of 1, as condition maps have it.
        maps = heatmaps(driving, self.image_size, self.image_size, peak=1.0)
        moved = self.trunk(rearrange(maps, "b t k h w -> (b t) k h w"))
        static = self.trunk(heatmaps(reference, self.image_size, self.image_size, peak=1.0))
        levels = tuple(rearrange(level, "(b t) c h w -> b c t h w", b=batch, t=length) for level in moved)
        return replace(motion, maps=dict(driving=levels, reference=tuple(static)))


@ADAPTERS.register_module()
class PyramidToCode(Adapter[Content]):
    """The coarsest map of a content pyramid as a content code (B, D): its mean over space, and a linear layer.

    Args:
        spec: Spec upstream.
        code: Size of the code.
    """

    side, provides, reads = "content", "code", "pyramid"
    supports_chunks = True

    def __init__(self, spec: Spec, code: int = 128):
        super().__init__()
        self.linear = nn.Linear(spec.pyramid[-1].channels, code)
        self.spec = replace(spec, code=code, code_per_frame=True)  # every image is encoded by itself

    def forward(self, content: Content, state: GenerationState | None) -> Content:
        """Add the code."""
        pooled: Tensor = reduce(content.pyramid[-1], "b c h w -> b c", "mean")  # (B, C, H, W) -> (B, C)
        return replace(content, code=self.linear(pooled))
