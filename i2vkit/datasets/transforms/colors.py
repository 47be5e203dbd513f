"""The transform of colours."""

from i2vkit.datasets.frame_operations import Recolor, change
from i2vkit.errors import ConfigError
from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomColors:
    """Multiply brightness, contrast and saturation, in this order, by one draw for all clips and all of their frames.

    Each factor is drawn uniformly between 1 - value and 1 + value.

    Args:
        brightness: Range of the factor, in [0, 1]. Default 0.2.
        contrast: The same for contrast. Default 0.2.
        saturation: The same for saturation. Default 0.2.

    Raises:
        ConfigError: A range is not in [0, 1].
    """

    frame_changes = "random"

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2):
        self.ranges = dict(brightness=brightness, contrast=contrast, saturation=saturation)
        for name, value in self.ranges.items():
            if not 0 <= value <= 1:
                raise ConfigError(f"RandomColors draws factors within 1 +- {name}: it is in [0, 1], not {value}")

    def __call__(self, sample: dict) -> dict:
        """Change the colours of all clips."""
        factors = {name: sample["rng"].uniform(1 - value, 1 + value) for name, value in self.ranges.items()}
        for sampled in sample["clips"].values():
            sampled.frames = change(sampled.frames, Recolor(**factors))
        return sample
