"""The transform that moves the condition maps of a driving body to the place and size of the person in the image."""

from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import CONDITION_GENERATORS, TRANSFORMS, build_part


@TRANSFORMS.register_module()
class RetargetJoints:
    """Move and scale the driving clip's ``joints`` onto another person's, and draw its ``maps`` of them.

    The middle of the hips and the length of the trunk on the first sampled frame become those of the person in the
    image. The image video's proportions are not used. Put it after ``ReadPoints`` and ``ReadMaps``. If a person drives
    themselves, joints and maps stay as they were read.

    Args:
        generator: Config of the ``JointHeatmaps`` that draw them, as in preparation, at the frames' size.

    Raises:
        ConfigError: ``generator`` is of another kind.
    """

    def __init__(self, generator: dict):
        from i2vkit.conditions import JointHeatmaps  # imported late, because conditions import the data sets

        self.generator = build_part(CONDITION_GENERATORS, generator)
        if not isinstance(self.generator, JointHeatmaps):
            raise ConfigError(f"RetargetJoints draws joints (JointHeatmaps), not by {type(self.generator).__name__}")

    def __call__(self, sample: dict) -> dict:
        """Move the joints and draw the maps for the driving clip's frames.

        Raises:
            DataError: A clip has no joints, or no frame on which both hips and both shoulders are known.
            ConfigError: The frames have another size than the maps.
        """
        from i2vkit.conditions import fit_to_body

        driving, image_video = sample["clips"]["driving"], sample["clips"].get("image_video")
        if image_video is None or image_video.record.person == driving.record.person:
            return sample
        for sampled in (driving, image_video):
            if sampled.joints is None:
                raise DataError(f"clip {sampled.record.name} has no joints, or RetargetJoints comes before ReadPoints")
        size = self.generator.size
        if driving.frames is not None and driving.frames.shape[1:3] != (size, size):
            height, width = driving.frames.shape[1:3]
            raise ConfigError(
                f"RetargetJoints draws maps of {size}x{size}, the frames are {width}x{height}: set its size"
            )
        try:
            driving.joints = fit_to_body(driving.joints, image_video.joints)
        except DataError as error:
            raise DataError(f"{driving.record.name} cannot be moved onto {image_video.record.name}: {error}") from error
        driving.maps = self.generator(driving.joints)
        return sample
