"""The transform that reads the sampled frames."""

from i2vkit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReadFrames:
    """Read the sampled frames of every clip, uint8 (T, H, W, 3), through the data set's cache.

    Raises:
        MediaError: A file is broken. The message names the clip and the file.
    """

    frame_changes = "none"

    def __call__(self, sample: dict) -> dict:
        """Fill in ``frames`` of all clips."""
        for sampled in sample["clips"].values():
            sampled.frames = sample["cache"].read(sampled.record, sampled.indices)
        return sample
