"""Dropout as the noise of a generator (pix2pix), with one mask for each clip."""

from einops import rearrange
from torch import Tensor, nn

from i2vkit.models.generation_state import GenerationState


class ClipDropout(nn.Module):
    """Dropout whose mask is drawn once for a clip and shared by its frames, in training and in tests.

    A new mask for each frame would make the video flicker. With one mask for each clip the noise is a property of the
    clip. pix2pix keeps dropout on in tests.

    Args:
        probability: Probability of an entry to become 0, in [0, 1).
        at_test: If false, there is no dropout in eval mode and the output is deterministic.
    """

    def __init__(self, probability: float = 0.5, at_test: bool = True):
        super().__init__()
        self.probability = probability
        self.at_test = at_test

    def forward(self, x: Tensor, state: GenerationState, batch: int) -> Tensor:
        """Return ``x`` with some entries at 0, the others scaled so that the mean stays.

        Args:
            x: Frames (B T, C, H, W) or steps (B T, C); the T frames of a clip follow each other.
            state: The source of the random numbers.
            batch: B, the number of clips.
        """
        if self.probability == 0 or not (self.training or self.at_test):
            return x
        frames = rearrange(x, "(b t) ... -> b t ...", b=batch)  # (B T, ...) -> (B, T, ...)
        draws = state.uniform(self, "mask", tuple(x.shape[1:]), like=frames)
        # (B, ...), scaled so that the mean stays.
        mask = (draws >= self.probability).to(x.dtype) / (1 - self.probability)
        # The mask (B, 1, ...) serves all T frames.
        return rearrange(frames * rearrange(mask, "b ... -> b 1 ..."), "b t ... -> (b t) ...")
