"""Condition maps of pairs of two bodies: what the source does, in the target's place and size."""

from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import CONDITION_GENERATORS, TRANSFORMS, build_part


@TRANSFORMS.register_module()
class RetargetJoints:
    """Moves and scales the source's ``joints`` onto another person's and draws its ``maps`` of them.

    The middle of the hips and the length of the trunk on the first frame taken become those of the target's; the
    target's proportions are not looked at. Stands after ``ReadPoints`` and ``ReadMaps``. Where somebody drives
    themselves, joints and maps stay as they were read.

    Args:
        generator: What draws them, as in preparation, at the frames' size.
    """

    def __init__(self, generator: dict):
        from i2vkit.conditions import JointHeatmaps  # conditions read clips, and so stand above the data sets

        self.generator = build_part(CONDITION_GENERATORS, generator)
        if not isinstance(self.generator, JointHeatmaps):
            raise ConfigError(f"RetargetJoints draws joints (JointHeatmaps), not by {type(self.generator).__name__}")

    def __call__(self, sample: dict) -> dict:
        """Move them and draw them for the source's frames.

        Raises:
            DataError: A clip has no joints, or no frame on which both hips and both shoulders are known.
            ConfigError: Frames of another size.
        """
        from i2vkit.conditions import onto_body

        source, target = sample["takes"]["source"], sample["takes"].get("target")
        if target is None or target.record.person == source.record.person:
            return sample
        for take in (source, target):
            if take.joints is None:
                raise DataError(f"clip {take.record.name} has no joints, or RetargetJoints stands before ReadPoints")
        size = self.generator.size
        if source.frames is not None and source.frames.shape[1:3] != (size, size):
            height, width = source.frames.shape[1:3]
            raise ConfigError(
                f"RetargetJoints draws maps of {size}x{size}, the frames are {width}x{height}: set its size"
            )
        try:
            source.joints = onto_body(source.joints, target.joints)
        except DataError as error:
            raise DataError(f"{source.record.name} cannot be moved onto {target.record.name}: {error}") from error
        source.maps = self.generator(source.joints)
        return sample
