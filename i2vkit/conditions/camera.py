"""The scaled orthographic camera: six numbers a frame, rotation vector (3), scale, place of the origin (2)."""

import numpy as np


def rotations(vectors: np.ndarray) -> np.ndarray:
    """Rotation matrices (T, 3, 3) of rotation vectors (T, 3), in radians.

    >>> rotations(np.array([[0.0, 0.0, np.pi / 2]])).round(6)[0, :, 0].tolist()
    [0.0, 1.0, 0.0]
    """
    cross, angle = _cross(vectors), np.linalg.norm(vectors, axis=1)[:, None, None]
    small = np.maximum(angle, 1e-8)
    return np.eye(3) + np.sin(small) / small * cross + (1.0 - np.cos(small)) / small**2 * cross @ cross


def turn_derivatives(vectors: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """How turned points (T, N, 3) change with the rotation vectors (T, 3) that turned them: (T, N, 3, 3).

    The last axis is the vector's. By the left Jacobian of the rotations.
    """
    cross, angle = _cross(vectors), np.maximum(np.linalg.norm(vectors, axis=1), 1e-4)[:, None, None]
    first, second = (1.0 - np.cos(angle)) / angle**2, (angle - np.sin(angle)) / angle**3
    jacobian = np.eye(3) + first * cross + second * cross @ cross
    return np.einsum("tnij,tjk->tnik", -_cross(turned), jacobian)


def to_camera_space(shapes: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Points (T, V, 3) of a model in camera space: x is the column in pixels, y minus the row, z towards the viewer."""
    turned = shapes @ (rotations(camera[:, :3]) * camera[:, 3, None, None]).transpose(0, 2, 1).astype(shapes.dtype)
    place = np.stack([camera[:, 4], -camera[:, 5], np.zeros(len(camera))], axis=1)
    return turned + place[:, None].astype(shapes.dtype)


def to_image_space(shapes: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Pixels (T, V, 2), x and y, of points (T, V, 3); centres of pixels are whole numbers."""
    return to_camera_space(shapes, camera)[..., :2] * (1.0, -1.0)


def _cross(vectors: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) that multiply as the cross product by vectors (..., 3) does."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    rows = [(zero, -z, y), (z, zero, -x), (-y, x, zero)]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
