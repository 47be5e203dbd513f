"""A motion encoder that gives a random code for every frame, with a prior that reads the frames before."""

from typing import Literal

import torch
from torch import Tensor, nn

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionEncoder
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.registry import MOTION_ENCODERS
from i2vkit.structures import Content, Motion, Spec, VideoBatch


class GaussianLstm(nn.Module):
    """A linear layer, an LSTM and two linear layers: mean and log-variance at every step.

    Args:
        features: Size of a step.
        code: Size of mean and log-variance.
        hidden: Size of the LSTM's state.
    """

    def __init__(self, features: int, code: int, hidden: int):
        super().__init__()
        self.embed = nn.Linear(features, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.to_mean, self.to_log_variance = nn.Linear(hidden, code), nn.Linear(hidden, code)

    def train(self, mode: bool = True) -> "GaussianLstm":
        """Set the mode of every module but the LSTM, which stays in training mode for cuDNN's backward pass."""
        super().train(mode)
        self.lstm.train()
        return self

    @outside_graphs
    def unroll(self, steps: Tensor, hidden: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple]:
        """Return LSTM outputs (B, T, hidden) for steps (B, T, D), and the state after the last step."""
        return self.lstm(steps, hidden)

    def forward(self, steps: Tensor, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance (B, T, code) for steps (B, T, features). ``state`` keeps the LSTM's state."""
        outputs, state.recurrent[self] = self.unroll(self.embed(steps), state.recurrent.get(self))
        return self.to_mean(outputs), self.to_log_variance(outputs)


@MOTION_ENCODERS.register_module()
class RecurrentPosterior(MotionEncoder):
    """A random code for every frame, from the content codes of this frame and those before, with its own prior.

    The posterior of step t reads the codes of frames 1 to t, the prior those of frames 0 to t - 1. Frame 0 is given,
    so that its code tells nothing: it is a draw of N(0, I). In training and in eval mode codes are drawn.

    Source: SVG-LP (``prior="learned"``) and SVG-FP (``prior="fixed"``), Denton and Fergus, 2018.

    Args:
        content: Spec of the content, with a code.
        code: Size of the code of a step.
        hidden: Size of the LSTMs' states.
        prior: "learned" for a prior of its own, "fixed" for N(0, I).
        initial_weights: Standard deviation of the initial weights of linear layers, "xavier", or "torch". The LSTMs
            keep torch's own.
    """

    requires = ("content.code",)
    provides = ("motion.code",)
    supports_chunks = code_per_frame = True

    def __init__(
        self,
        content: Spec,
        code: int = 64,
        hidden: int = 256,
        prior: Literal["learned", "fixed"] = "learned",
        initial_weights: InitialWeights = 0.02,
    ):
        super().__init__()
        self.posterior_network = GaussianLstm(content.code, code, hidden)
        self.prior_network = GaussianLstm(content.code, code, hidden) if prior == "learned" else None
        self.spec = Spec(code=code, variational=True, code_per_step=True)
        init_weights_(self, initial_weights)

    def forward(self, clip: VideoBatch, state: GenerationState, content: Content) -> Motion:  # type: ignore[override]
        """Return codes (B, T, D), with means and log-variances, from the content codes (B, T, D') of the clip."""
        assert content.code is not None and content.code.dim() == 3, "code_per_frame asks for a code of every frame"
        started = state.recurrent.get(self, False)  # false in the first chunk, whose first frame is given
        state.recurrent[self] = True
        steps = content.code if started else content.code[:, 1:]
        if steps.shape[1]:
            mean, log_variance = self.posterior_network(steps, state)
        else:  # the first chunk is one frame
            mean = log_variance = steps.new_zeros(len(steps), 0, self.spec.code)
        if not started:
            first = mean.new_zeros(len(mean), 1, self.spec.code)
            mean, log_variance = torch.cat([first, mean], dim=1), torch.cat([first, log_variance], dim=1)
        length = clip.driving.shape[2]
        noise = state.normal_per_frame(self, "code", length, (self.spec.code,), like=mean)
        code = mean + torch.exp(0.5 * log_variance) * noise
        return Motion(length, code, mean, log_variance, num_frames=clip.num_frames)

    def prior(self, content: Content, state: GenerationState) -> tuple[Tensor, Tensor] | None:
        """Return mean and log-variance (B, n, D) from the codes of the frames before n steps, None for N(0, I)."""
        if self.prior_network is None:
            return None
        assert content.code is not None, "requires names it"
        if content.code.dim() == 2:  # outside of a rollout: of the image alone, for the whole clip
            mean, log_variance = self.prior_network(content.code[:, None], GenerationState())
            return mean[:, 0], log_variance[:, 0]
        return self.prior_network(content.code, state)
