"""From indices to frames."""

from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReadFrames:
    """Reads the frames of every clip, uint8 (T, H, W, 3), through the data set's cache.

    Raises ``MediaError`` that names the clip and the file if one is broken.
    """

    frame_changes = "none"

    def __call__(self, sample: dict) -> dict:
        """Fill in ``frames`` of all clips."""
        for sampled in sample["clips"].values():
            sampled.frames = sample["cache"].read(sampled.record, sampled.indices)
        return sample
