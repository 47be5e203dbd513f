"""Dropout as the noise of a generator (pix2pix), one mask a clip."""

from einops import rearrange
from torch import Tensor, nn

from i2vkit.models.generation_state import GenerationState


class ClipDropout(nn.Module):
    """Dropout whose mask is drawn once for a clip and shared by its frames, in training as at test.

    A new mask for each frame would make the video flicker; one mask a clip makes the noise a property of the clip.
    pix2pix keeps dropout on at test; ``at_test=False`` turns it off there, for a deterministic output.
    """

    def __init__(self, probability: float = 0.5, at_test: bool = True):
        super().__init__()
        self.probability = probability
        self.at_test = at_test

    def forward(self, x: Tensor, state: GenerationState, batch: int) -> Tensor:
        """``x``: frames (B T, C, H, W) or steps (B T, C) of ``batch`` clips, T following B."""
        if self.probability == 0 or not (self.training or self.at_test):
            return x
        frames = rearrange(x, "(b t) ... -> b t ...", b=batch)
        draws = state.uniform(self, "mask", tuple(x.shape[1:]), like=frames)
        mask = (draws >= self.probability).to(x.dtype) / (1 - self.probability)
        return rearrange(frames * rearrange(mask, "b ... -> b 1 ..."), "b t ... -> (b t) ...")
