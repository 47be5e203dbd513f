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
    """An LSTM with a learned initial state that reads the motion code at every step, for clips of any length.

    It is G_T of Dual-MTGAN, sec. III-A. Where there is a code for each step, each step reads its own. With
    ``normalize`` the code is scaled to mean 0 and variance 1 over its elements. This hardly changes a sample of N(0,
    I), and it keeps large codes early in training from saturating the LSTM.

    Ours:
        when normalize=True: the motion code is scaled to mean 0 and variance 1
        the initial state is learned, and the code is read anew at every step

    Args:
        motion: Spec upstream, with a code.
        hidden: Size of the LSTM's state, and so of a step of the trajectory.
        normalize: False leaves the code as it is.
    """

    requires = ("motion.code",)
    provides = ("motion.trajectory",)
    supports_chunks = True
    code_per_step = True

    def __init__(self, motion: Spec, hidden: int = 128, normalize: bool = True):
        super().__init__()
        self.normalize = normalize
        self.lstm = nn.LSTM(motion.code, hidden, batch_first=True)
        self.initial = nn.Parameter(torch.zeros(2, 1, hidden))  # hidden state and cell state, for one clip
        self.spec = replace(motion, trajectory=hidden)  # the code stays, for a decoder that reads it too

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Return the motion with the trajectory (B, T, hidden) added."""
        assert motion.code is not None, "requires names motion.code"
        code = functional.layer_norm(motion.code, motion.code.shape[-1:]) if self.normalize else motion.code
        # (B, D) -> (B, T, D)
        steps = repeat(code, "b d -> b t d", t=motion.length) if code.dim() == 2 else code
        # (2, 1, hidden) -> (2, 1, B, hidden) -> two states (1, B, hidden)
        start = tuple(repeat(self.initial, "s 1 d -> s 1 b d", b=len(steps)).contiguous())
        trajectory, hidden = self.unroll(steps, state.recurrent.get(self, start))
        state.recurrent[self] = hidden  # for the next chunk
        return replace(motion, trajectory=trajectory)

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple]:
        """Return LSTM outputs (B, T, hidden) for steps (B, T, D), and the state after the last step."""
        return self.lstm(steps, hidden)
