"""Motion generators that make a motion from noise, without a driving video."""

from dataclasses import replace
from typing import Literal

import torch
from einops import repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionGenerator
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.registry import MOTION_GENERATORS
from i2vkit.structures import Motion, Spec


@MOTION_GENERATORS.register_module()
class LabelFusion(MotionGenerator):
    """Noise of N(0, I), one vector for each clip, as the motion code beside the one-hot label.

    It follows ImaGINator, sec. 3.1.1. Where a model has labels, ``Motion.condition`` holds them. A model without labels
    (UvA-NEMO) has only the noise.

    Args:
        motion: Spec upstream, with the number of labels.
        noise: Size of the noise. 0 leaves only the label, as in table 6 of the paper.

    Raises:
        ConfigError: There is neither noise nor a label.
    """

    accepts = ("motion.condition",)
    provides = ("motion.code",)
    optional_outputs = ("motion.code",)  # noise=0 switches it off
    supports_chunks = True

    def __init__(self, motion: Spec, noise: int = 512):
        super().__init__()
        if not (noise or motion.condition):
            raise ConfigError("LabelFusion has neither noise nor labels: give noise=512, or the model its labels")
        self.noise = noise
        # One code for each clip, whatever the motion upstream had.
        self.spec = replace(motion, code=noise, code_per_step=False)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Return the motion with the code (B, noise) added."""
        # The label is in ``motion.condition`` already. The state knows the number of clips.
        return replace(motion, code=state.normal(self, "noise", (self.noise,)))


@MOTION_GENERATORS.register_module()
class NoiseGru(MotionGenerator):
    """A GRU that reads new noise at every step, for clips of any length, beside the one-hot label.

    Its initial state is noise too. It is the motion generator of MoCoGAN, Tulyakov et al., 2018.

    Ours:
        when label="input": the GRU reads the label, so that motion depends on it (MoCoGAN: the decoder alone does)

    Args:
        motion: Spec upstream, with the number of labels.
        noise: Size of the noise of a step.
        hidden: Size of the GRU's state.
        label: Where the label goes. "input": the GRU reads it at every step, so that motion depends on it (ours).
            "output": it is appended to the GRU's output, so that only the decoder reads it, as in MoCoGAN.

    Raises:
        ConfigError: ``label`` is neither.
    """

    accepts = ("motion.condition",)
    provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self, motion: Spec, noise: int = 10, hidden: int = 10, label: Literal["input", "output"] = "input"):
        super().__init__()
        if label not in ("input", "output"):
            raise ConfigError(f'NoiseGru: the label goes to "input" or "output" of the GRU, not to {label!r}')
        self.noise, self.hidden, self.label = noise, hidden, label
        in_input, in_output = (motion.condition, 0) if label == "input" else (0, motion.condition)
        self.gru = nn.GRU(noise + in_input, hidden, batch_first=True)
        self.spec = replace(motion, trajectory=hidden + in_output)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Return the motion with the trajectory (B, T, hidden), or (B, T, hidden + L), added."""
        steps: Tensor = state.normal_per_frame(self, "noise", motion.length, (self.noise,))
        label = None if motion.condition is None else repeat(motion.condition, "b l -> b t l", t=motion.length)
        if label is not None and self.label == "input":
            steps = torch.cat([steps, label], dim=2)  # (B, T, noise) and (B, T, L) -> (B, T, noise + L)
        start = state.normal(self, "start", (self.hidden,))  # the same for all chunks of a clip
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self, start[None]))  # (B, hidden) -> (1, B, hidden)
        state.recurrent[self] = hidden  # for the next chunk
        if label is not None and self.label == "output":
            # (B, T, hidden) and (B, T, L) -> (B, T, hidden + L)
            trajectory = torch.cat([trajectory, label.to(trajectory.dtype)], dim=2)
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return GRU outputs (B, T, hidden) for steps (B, T, D), and the state after the last step."""
        return self.gru(steps, hidden)
