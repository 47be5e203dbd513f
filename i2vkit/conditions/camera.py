"""The scaled orthographic camera.

It has six numbers for each frame: a rotation vector (3), a scale, and the position of the origin (2).
"""

import numpy as np


def rotations(vectors: np.ndarray) -> np.ndarray:
    """Return rotation matrices (T, 3, 3) for rotation vectors (T, 3), in radians.

    >>> rotations(np.array([[0.0, 0.0, np.pi / 2]])).round(6)[0, :, 0].tolist()
    [0.0, 1.0, 0.0]
    """
    cross, angle = _cross(vectors), np.linalg.norm(vectors, axis=1)[:, None, None]
    # The formula of Rodrigues; the bound avoids a division by zero for no rotation.
    small = np.maximum(angle, 1e-8)
    return np.eye(3) + np.sin(small) / small * cross + (1.0 - np.cos(small)) / small**2 * cross @ cross


def turn_derivatives(vectors: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Return the derivatives of rotated points by the rotation vectors.

    Args:
        vectors: The rotation vectors (T, 3).
        turned: The points (T, N, 3) after the rotation.

    Returns:
        (T, N, 3, 3); the last axis is that of the vector. They come from the left Jacobian of the rotations.
    """
    cross, angle = _cross(vectors), np.maximum(np.linalg.norm(vectors, axis=1), 1e-4)[:, None, None]
    first, second = (1.0 - np.cos(angle)) / angle**2, (angle - np.sin(angle)) / angle**3
    jacobian = np.eye(3) + first * cross + second * cross @ cross
    return np.einsum("tnij,tjk->tnik", -_cross(turned), jacobian)


def to_camera_space(shapes: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Transform points of a model to camera space.

    Args:
        shapes: Points (T, V, 3) in model space.
        camera: (T, 6), as in ``Coefficients``.

    Returns:
        Points (T, V, 3) in pixels: x is the column, y is minus the row, and z points towards the viewer.
    """
    # (T, V, 3) @ (T, 3, 3); rows are points, hence the transposed rotation.
    turned = shapes @ (rotations(camera[:, :3]) * camera[:, 3, None, None]).transpose(0, 2, 1).astype(shapes.dtype)
    place = np.stack([camera[:, 4], -camera[:, 5], np.zeros(len(camera))], axis=1)
    return turned + place[:, None].astype(shapes.dtype)  # (T, V, 3) + (T, 1, 3)


def to_image_space(shapes: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Project points (T, V, 3) of a model to pixels (T, V, 2), x and y. Whole numbers are centres of pixels."""
    return to_camera_space(shapes, camera)[..., :2] * (1.0, -1.0)


def _cross(vectors: np.ndarray) -> np.ndarray:
    """Return matrices (..., 3, 3) whose products with a vector are its cross products with ``vectors`` (..., 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    rows = [(zero, -z, y), (z, zero, -x), (-y, x, zero)]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
