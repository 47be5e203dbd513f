"""Colours of the frames."""

import torch

from i2vkit.errors import ConfigError
from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomColors:
    """Multiplies brightness, contrast and saturation, in this order; one draw for all takes and all of their frames.

    Each factor is drawn between 1 less and 1 plus the value given here. Raises ``ConfigError`` if that is not in
    [0, 1].
    """

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2):
        self.ranges = dict(brightness=brightness, contrast=contrast, saturation=saturation)
        for name, value in self.ranges.items():
            if not 0 <= value <= 1:
                raise ConfigError(f"RandomColors draws factors within 1 +- {name}: it is in [0, 1], not {value}")

    def __call__(self, sample: dict) -> dict:
        """Colour all takes anew."""
        from torchvision.transforms.v2 import functional  # slow to import, and needed here only

        factors = {name: sample["rng"].uniform(1 - value, 1 + value) for name, value in self.ranges.items()}
        for take in sample["takes"].values():
            # A copy: torch takes no mirrored arrays, nor those of the cache, which cannot be written to.
            frames = torch.from_numpy(take.frames.copy()).permute(0, 3, 1, 2)
            for name, factor in factors.items():
                frames = getattr(functional, f"adjust_{name}")(frames, factor)
            take.frames = frames.permute(0, 2, 3, 1).numpy()
        return sample
