"""Condition maps of bodies: one heatmap for each joint (FRGAN 3.1)."""

import numpy as np

from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.datasets.readers.penn_action import NUM_JOINTS
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import CONDITION_GENERATORS

# Indices among Penn Action's joints: the head comes first, then left and right of each pair.
SHOULDERS, HIPS = (1, 2), (7, 8)


@CONDITION_GENERATORS.register_module()
class JointHeatmaps(ConditionGenerator):
    """A generator that draws a Gaussian around each joint, one map for each joint.

    Args:
        size: The side of the maps in pixels. It is that of the prepared frames.
        sigma: The standard deviation of the Gaussians, as a share of ``size``. The paper gives no value. Our 1/32 is
            two pixels at 64x64.

    Raises:
        ConfigError: ``sigma`` is not above 0.
    """

    channels = NUM_JOINTS

    def __init__(self, size: int = 64, sigma: float = 1 / 32):
        if sigma <= 0:
            raise ConfigError(f"the sigma of heatmaps must be above 0, as a share of their side; got {sigma}")
        self.size = size
        self.sigma = sigma

    def __call__(self, joints: np.ndarray) -> np.ndarray:
        """Draw maps uint8 (T, 13, size, size), 255 at the joint, from joints (T, 13, 2), x and y in pixels of the maps.

        The map of an unknown joint (NaN) is empty. Raise ``DataError`` for other shapes.

        >>> maps = JointHeatmaps(size=32)(np.full((1, 13, 2), 16.0))
        >>> maps.shape, maps[0, 0, 16, 16:19].tolist()
        ((1, 13, 32, 32), [255, 155, 35])
        """
        if joints.ndim != 3 or joints.shape[1:] != (self.channels, 2):
            raise DataError(f"heatmaps need joints (T, {self.channels}, 2), got {joints.shape}")
        places = np.arange(self.size)
        # (T, J, 2, size): squared distances along x, and along y.
        squares = ((places - joints[..., None]) / (self.sigma * self.size)) ** 2
        across, down = np.moveaxis(np.nan_to_num(np.exp(-squares / 2)), 2, 0)
        # A Gaussian is the product of its two axes: (T, J, size, 1) * (T, J, 1, size) -> (T, J, size, size).
        return np.round(255 * down[..., :, None] * across[..., None, :]).astype(np.uint8)


def trunk(joints: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return the middle of the hips (2,) and the length of the trunk, from joints (T, 13, 2).

    The length is the distance between the middles of hips and shoulders. Both come from the first frame in which the
    four joints are known and do not coincide. Return None if there is no such frame.
    """
    hips, shoulders = (joints[:, list(pair)].mean(axis=1) for pair in (HIPS, SHOULDERS))
    lengths = np.linalg.norm(shoulders - hips, axis=1)
    [known] = np.nonzero(np.nan_to_num(lengths) > 0)
    return (hips[known[0]], float(lengths[known[0]])) if len(known) else None


def fit_to_body(joints: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Move and scale joints (T, 13, 2) to the body of ``person``.

    Afterwards the trunk of their first pose has the position and the length of the person's trunk.

    Raises:
        DataError: ``joints`` or ``person`` (T, 13, 2) has no frame with both hips and both shoulders.
    """
    mine, theirs = trunk(joints), trunk(person)
    if mine is None or theirs is None:
        raise DataError(
            "no frame has both hips and both shoulders, which are needed to compare the sizes of two bodies"
        )
    return (joints - mine[0]) * (theirs[1] / mine[1]) + theirs[0]
