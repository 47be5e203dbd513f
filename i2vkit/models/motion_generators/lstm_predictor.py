"""A motion generator that predicts the next content code from the one before."""

from dataclasses import replace

import torch
from einops import repeat
from torch import Tensor, nn

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionGenerator
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.registry import MOTION_GENERATORS
from i2vkit.structures import Content, Motion, Spec


@MOTION_GENERATORS.register_module()
class LstmPredictor(MotionGenerator):
    """An LSTM that reads the content code of the frame before and the motion code of the step (SVG's frame predictor).

    The trajectory is the predicted content code of the frame to be made, a tanh. A motion code of the whole clip is
    read at every step, and so is a label. Without any of them the prediction is deterministic.

    Source: Denton and Fergus, 2018.

    Args:
        motion: Spec upstream, with a code or none.
        content: Spec of the content, with a code.
        hidden: Size of the LSTM's state.
        layers: Number of the LSTM's layers.
        initial_weights: Standard deviation of the initial weights of linear layers, "xavier", or "torch". The LSTM
            keeps torch's own.
    """

    requires = ("content.code",)
    accepts = ("motion.code", "motion.condition")
    provides = ("motion.trajectory",)
    supports_chunks = reads_past = code_per_step = True

    def __init__(
        self,
        motion: Spec,
        content: Spec,
        hidden: int = 256,
        layers: int = 2,
        initial_weights: InitialWeights = 0.02,
    ):
        super().__init__()
        self.embed = nn.Linear(content.code + motion.code + motion.condition, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers, batch_first=True)
        self.output = nn.Linear(hidden, content.code)
        self.spec = replace(motion, trajectory=content.code)
        init_weights_(self, initial_weights)

    def train(self, mode: bool = True) -> "LstmPredictor":
        """Set the mode of every module but the LSTM, which stays in training mode for cuDNN's backward pass."""
        super().train(mode)
        self.lstm.train()
        return self

    def forward(self, motion: Motion, state: GenerationState, content: Content) -> Motion:  # type: ignore[override]
        """Return the motion with the trajectory (B, T, D) in [-1, 1] added, from content codes (B, T, D)."""
        assert content.code is not None, "requires names it"
        steps = [content.code]  # of the frames before, (B, T, D)
        if motion.code is not None:
            # (B, Z) -> (B, T, Z)
            clip_code = motion.code.dim() == 2
            steps.append(repeat(motion.code, "b z -> b t z", t=motion.length) if clip_code else motion.code)
        if motion.condition is not None:
            steps.append(repeat(motion.condition, "b l -> b t l", t=motion.length))
        outputs, hidden = self.unroll(self.embed(torch.cat(steps, dim=2)), state.recurrent.get(self))
        state.recurrent[self] = hidden  # for the next step or chunk
        return replace(motion, trajectory=torch.tanh(self.output(outputs)))

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple]:
        """Return LSTM outputs (B, T, hidden) for steps (B, T, D), and the state after the last step."""
        return self.lstm(steps, hidden)
