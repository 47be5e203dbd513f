"""From indices to frames."""

from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReadFrames:
    """Reads the frames of every take, uint8 (T, H, W, 3), through the data set's cache.

    Raises ``MediaError`` that names the clip and the file if one is broken.
    """

    frame_changes = "none"

    def __call__(self, sample: dict) -> dict:
        """Fill in ``frames`` of all takes."""
        for take in sample["takes"].values():
            take.frames = sample["cache"].read(take.record, take.indices)
        return sample
