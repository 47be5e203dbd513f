"""Motion from noise, without a driving video."""

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
    """Noise of N(0, I), one vector a clip, as the motion code beside the one-hot label (ImaGINator, sec. 3.1.1).

    The label stands in ``Motion.condition`` wherever a model has labels; without any (UvA-NEMO) the noise is all.
    ``noise=0`` leaves the label alone (table 6).

    Raises:
        ConfigError: with neither noise nor labels.
    """

    accepts = ("motion.condition",)
    provides = ("motion.code",)
    optional_outputs = ("motion.code",)
    supports_chunks = True

    def __init__(self, motion: Spec, noise: int = 512):
        super().__init__()
        if not (noise or motion.condition):
            raise ConfigError("LabelFusion has neither noise nor labels: give noise=512, or the model its labels")
        self.noise = noise
        self.spec = replace(motion, code=noise, code_per_step=False)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Adds the code (B, noise)."""
        return replace(motion, code=state.normal(self, "noise", (self.noise,)))


@MOTION_GENERATORS.register_module()
class NoiseGru(MotionGenerator):
    """A GRU that reads new noise and the one-hot label at every step; its state starts as noise too (the motion
    generator of MoCoGAN, Tulyakov et al., 2018); any length.
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
        """Adds the trajectory (B, T, hidden)."""
        steps: Tensor = state.normal_per_frame(self, "noise", motion.length, (self.noise,))
        if motion.condition is not None:
            steps = torch.cat([steps, repeat(motion.condition, "b l -> b t l", t=motion.length)], dim=2)
        start = state.normal(self, "start", (self.hidden,))
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self, start[None]))
        state.recurrent[self] = hidden
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """GRU outputs (B, T, hidden) for steps (B, T, D), and the state after the last."""
        return self.gru(steps, hidden)
