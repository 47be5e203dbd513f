"""Motion generators that unroll a code in time."""

from dataclasses import replace

import torch
from einops import repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionGenerator
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.registry import MOTION_GENERATORS
from i2vkit.structures import Motion, Spec


@MOTION_GENERATORS.register_module()
class LstmUnroll(MotionGenerator):
    """An LSTM that reads the motion code at every step from a learned initial state (G_T of Dual-MTGAN, sec. III-A);
    any length. Where there is a code for each step, each step reads its own.

    The code is scaled to mean 0 and variance 1 over its elements (ours), which leaves a sample of N(0, I) nearly as it
    is, and keeps large codes, early in training, from saturating the LSTM.
    """

    requires = ("motion.code",)
    provides = ("motion.trajectory",)
    supports_chunks = True
    code_per_step = True

    def __init__(self, motion: Spec, hidden: int = 128):
        super().__init__()
        self.lstm = nn.LSTM(motion.code, hidden, batch_first=True)
        self.initial = nn.Parameter(torch.zeros(2, 1, hidden))
        self.spec = replace(motion, trajectory=hidden)

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Adds the trajectory (B, T, D)."""
        code = functional.layer_norm(motion.code, motion.code.shape[-1:])
        steps = repeat(code, "b d -> b t d", t=motion.length) if code.dim() == 2 else code
        start = tuple(repeat(self.initial, "s 1 d -> s 1 b d", b=len(steps)).contiguous())
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self, start))
        state.recurrent[self] = hidden
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple]:
        """LSTM outputs (B, T, D) for steps (B, T, code), and the state after the last."""
        return self.lstm(steps, hidden)
