"""Motion generators that make a motion from noise, without a driving video."""

from dataclasses import replace

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
    """A GRU that reads new noise and the one-hot label at every step, for clips of any length.

    Its initial state is noise too. It is the motion generator of MoCoGAN, Tulyakov et al., 2018.

    Args:
        motion: Spec upstream, with the number of labels.
        noise: Size of the noise of a step.
        hidden: Size of the GRU's state, and so of a step of the trajectory.
    """

    accepts = ("motion.condition",)
    provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self, motion: Spec, noise: int = 10, hidden: int = 10):
        super().__init__()
        self.noise, self.hidden = noise, hidden
        self.gru = nn.GRU(noise + motion.condition, hidden, batch_first=True)
        self.spec = replace(motion, trajectory=hidden)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Return the motion with the trajectory (B, T, hidden) added."""
        steps: Tensor = state.normal_per_frame(self, "noise", motion.length, (self.noise,))
        if motion.condition is not None:
            # (B, T, noise) and (B, L) -> (B, T, noise + L)
            steps = torch.cat([steps, repeat(motion.condition, "b l -> b t l", t=motion.length)], dim=2)
        start = state.normal(self, "start", (self.hidden,))  # the same for all chunks of a clip
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self, start[None]))  # (B, hidden) -> (1, B, hidden)
        state.recurrent[self] = hidden  # for the next chunk
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return GRU outputs (B, T, hidden) for steps (B, T, D), and the state after the last step."""
        return self.gru(steps, hidden)
