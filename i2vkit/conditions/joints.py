"""Condition maps of bodies: a heatmap for each joint (FRGAN 3.1)."""

import numpy as np

from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.datasets.readers.penn_action import NUM_JOINTS
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import CONDITION_GENERATORS

# Places of Penn Action's joints: head, then left and right of each of these.
SHOULDERS, HIPS = (1, 2), (7, 8)


@CONDITION_GENERATORS.register_module()
class JointHeatmaps(ConditionGenerator):
    """Draws a Gaussian around each joint, one map a joint.

    Args:
        size: Side of the maps in pixels; that of the prepared frames.
        sigma: Of the Gaussians, as a share of ``size``. The paper does not say; 1/32 is two pixels at 64x64, our
            choice.

    Raises:
        ConfigError: A sigma that is not above 0.
    """

    channels = NUM_JOINTS

    def __init__(self, size: int = 64, sigma: float = 1 / 32):
        if sigma <= 0:
            raise ConfigError(f"the sigma of heatmaps is above 0, a share of their side; got {sigma}")
        self.size = size
        self.sigma = sigma

    def __call__(self, joints: np.ndarray) -> np.ndarray:
        """Draw maps uint8 (T, 13, size, size), 255 at the joint, of joints (T, 13, 2), x and y in pixels of the maps.

        The map of a joint that is not known (NaN) is empty. Raises ``DataError`` for other shapes.

        >>> maps = JointHeatmaps(size=32)(np.full((1, 13, 2), 16.0))
        >>> maps.shape, maps[0, 0, 16, 16:19].tolist()
        ((1, 13, 32, 32), [255, 155, 35])
        """
        if joints.ndim != 3 or joints.shape[1:] != (self.channels, 2):
            raise DataError(f"heatmaps are drawn of joints (T, {self.channels}, 2), not {joints.shape}")
        places = np.arange(self.size)
        # (T, J, 2, size): along x, and along y.
        squares = ((places - joints[..., None]) / (self.sigma * self.size)) ** 2
        across, down = np.moveaxis(np.nan_to_num(np.exp(-squares / 2)), 2, 0)
        return np.round(255 * down[..., :, None] * across[..., None, :]).astype(np.uint8)


def trunk(joints: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The middle of the hips (2,) and the distance from there to that of the shoulders, of joints (T, 13, 2).

    Those of the first frame in which all four joints are known and not in one place; None where there is none.
    """
    hips, shoulders = (joints[:, list(pair)].mean(axis=1) for pair in (HIPS, SHOULDERS))
    lengths = np.linalg.norm(shoulders - hips, axis=1)
    [known] = np.nonzero(np.nan_to_num(lengths) > 0)
    return (hips[known[0]], float(lengths[known[0]])) if len(known) else None


def fit_to_body(joints: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Joints (T, 13, 2), moved and scaled so that their first pose gets place and length of the ``person``'s trunk.

    Raises ``DataError`` if ``joints`` or ``person`` (T, 13, 2) has no frame with both hips and both shoulders.
    """
    mine, theirs = trunk(joints), trunk(person)
    if mine is None or theirs is None:
        raise DataError("no frame has both hips and both shoulders, by which bodies are compared")
    return (joints - mine[0]) * (theirs[1] / mine[1]) + theirs[0]
