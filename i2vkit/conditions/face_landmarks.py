"""Landmarks of a face in a morphable model: where a fit sees them, and those of a driving face moved to a person."""

from dataclasses import replace

import numpy as np

from i2vkit.conditions.camera import to_image_space
from i2vkit.conditions.coefficients import Coefficients
from i2vkit.conditions.morphable import MorphableModel
from i2vkit.errors import DataError


def fitted_landmarks(model: MorphableModel, face: Coefficients, count: int = 68) -> np.ndarray:
    """Return the landmarks (T, count, 2) of T frames of a face, x and y in pixels.

    Args:
        model: The morphable model.
        face: The face.
        count: 68 or 5.
    """
    mean, identity, expression = model.at_landmarks(count)
    shapes = mean + identity @ face.identity + np.einsum("nce,te->tnc", expression, face.expression)
    return to_image_space(shapes, face.camera)


def retarget_landmarks(
    model: MorphableModel,
    driving: np.ndarray,
    driving_face: Coefficients,
    image: np.ndarray,
    image_face: Coefficients,
) -> np.ndarray:
    """Return the landmarks of the person in an image who does what a driving face does.

    The image's head is turned as the driving head is on its first frame, by the fitted face. From there each landmark
    moves as the driving one does, in proportion to the size of the face. The middle of the box around all landmarks
    stays, on the first frame, where it is in the image. Without the turn (the displacements alone) a head that looks
    aside on the first driving frame would be wrong in all frames.

    Source: Ours. FRGAN 3.1 takes the rotation of the head from the driving face, too.

    Args:
        model: The morphable model of both faces.
        driving: Landmarks (T, N, 2) of the driving face in pixels, N 68 or 5.
        driving_face: Their fit, T frames.
        image: Landmarks (N, 2) of the image in pixels.
        image_face: Their fit, one frame.

    Returns:
        Landmarks (T, N, 2) in pixels of the image.

    Raises:
        DataError: There is another number of frames or of landmarks in the two.
    """
    if driving.shape[1:] != image.shape or len(driving) != len(driving_face) or len(image_face) != 1:
        raise DataError(
            f"landmarks {driving.shape} of {len(driving_face)} fitted frames cannot move landmarks {image.shape} of "
            f"{len(image_face)}: give as many of both, and of one frame of the image"
        )
    camera = image_face.camera.copy()
    camera[:, :3] = driving_face.camera[:1, :3]  # the rotation
    as_seen, turned = (
        fitted_landmarks(model, face, len(image))[0] for face in (image_face, replace(image_face, camera=camera))
    )
    start = image + turned - as_seen
    start = start + _middle(image) - _middle(start)
    size = image_face.camera[0, 3] / driving_face.camera[0, 3]
    return start + size * (driving - driving[:1])


def _middle(landmarks: np.ndarray) -> np.ndarray:
    """Return the middle (2,) of the box around landmarks (N, 2)."""
    return (landmarks.min(axis=0) + landmarks.max(axis=0)) / 2
