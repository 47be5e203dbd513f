"""Normal maps of triangle meshes by a z-buffer in numpy, which needs no compiler.

In camera space x points to the right, y up and z towards the viewer, in pixels. The centre of a pixel is at
x = column, y = -row.
"""

import numpy as np
from scipy.sparse import csr_array

_EDGE = 1e-6  # tolerance of barycentric weights, so that a pixel centre on an edge is in both triangles


class NormalRasterizer:
    """A rasterizer that draws the normals of meshes with the same triangles.

    Args:
        triangles: Vertex numbers (F, 3), counter-clockwise seen from outside. Triangles seen from behind are not drawn.
        num_vertices: The number V of vertices.
        size: The side of the picture in pixels.
    """

    def __init__(self, triangles: np.ndarray, num_vertices: int, size: int):
        self.size = size
        self.corners = np.ascontiguousarray(triangles.T)
        count = len(triangles)
        entries = (np.ones(3 * count, np.float32), (self.corners.ravel(), np.tile(np.arange(count), 3)))
        # A sparse matrix (V, F) that sums the normals of the triangles around each vertex.
        self._gather = csr_array(entries, shape=(num_vertices, count))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Draw points (V, 3) in camera space as unit normals, float32 (size, size, 3), zero where there is no mesh.

        The normal of a vertex is the mean of those of the triangles around it, weighted by area. Within a triangle the
        normals of its vertices are interpolated.
        """
        points = np.asarray(points, np.float32)
        pixels, triangles, weights = self.visible(points)
        around = self._gather @ face_normals(points, self.corners)
        seen = np.einsum("kn,knc->nc", weights, _unit(around)[self.corners[:, triangles]])
        picture = np.zeros((self.size * self.size, 3), np.float32)
        picture[pixels] = _unit(seen)
        return picture.reshape(self.size, self.size, 3)  # (size * size, 3) -> (size, size, 3)

    def visible(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the visible triangle of each pixel of the mesh.

        Returns:
            The pixels (N,) counted row by row, their triangles (N,), and the barycentric weights of the corners (3, N).
        """
        columns, rows = points[:, 0][self.corners], -points[:, 1][self.corners]
        left, right = _whole_numbers(columns, self.size)
        top, bottom = _whole_numbers(rows, self.size)
        (candidates,) = np.nonzero((left <= right) & (top <= bottom))
        x, y = columns[:, candidates], rows[:, candidates]
        double_area = (x[2] - x[0]) * (y[1] - y[0]) - (x[1] - x[0]) * (y[2] - y[0])
        front = double_area > 1e-9
        candidates, x, y, double_area = candidates[front], x[:, front], y[:, front], double_area[front]
        # One long list of all pixels in the bounding boxes of all triangles. ``of`` is the triangle of each pixel, and
        # ``place`` counts the pixels within a box.
        left, top = left[candidates], top[candidates]
        width, height = right[candidates] - left + 1, bottom[candidates] - top + 1
        of = np.repeat(np.arange(len(candidates)), width * height)
        place = np.arange(len(of)) - np.repeat(np.cumsum(width * height) - width * height, width * height)
        column, row = left[of] + place % width[of], top[of] + place // width[of]
        weights = _weights(x[:, of], y[:, of], double_area[of], column, row)
        inside = (weights >= -_EDGE).all(axis=0)
        column, row, of, weights = column[inside], row[inside], of[inside], weights[:, inside]
        depth = (weights * points[:, 2][self.corners[:, candidates[of]]]).sum(axis=0)
        pixel, nearest = row * self.size + column, np.full(self.size * self.size, -1)
        order = np.argsort(depth, kind="stable")
        nearest[pixel[order]] = order  # nearer triangles come later and overwrite farther ones
        chosen = nearest[nearest >= 0]
        return pixel[chosen], candidates[of[chosen]], weights[:, chosen]


def face_normals(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the normals (F, 3) of the triangles with corners (3, F) among points (V, 3).

    Their length is twice the area of the triangle.

    >>> face_normals(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0], [1], [2]])).tolist()
    [[0.0, 0.0, 1.0]]
    """
    x, y, z = (points[:, axis][corners] for axis in range(3))
    (ax, bx), (ay, by), (az, bz) = ((values[1] - values[0], values[2] - values[0]) for values in (x, y, z))
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def normals_as_bytes(normals: np.ndarray) -> np.ndarray:
    """Convert normals (..., 3) to uint8: 0 to 255 stands for -1 to 1, and a missing normal becomes 128.

    >>> normals_as_bytes(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])).tolist()
    [[128, 128, 255], [128, 128, 128]]
    """
    return np.rint((normals + 1.0) * 127.5).astype(np.uint8)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (N, 3) to length 1; zero vectors stay zero."""
    lengths = np.sqrt(np.einsum("nc,nc->n", vectors, vectors))
    return vectors / np.maximum(lengths, 1e-12)[:, None]


def _whole_numbers(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last pixel along one axis of triangles with corners (3, F); none if last < first."""
    first = np.ceil(np.minimum(np.minimum(values[0], values[1]), values[2]))
    last = np.floor(np.maximum(np.maximum(values[0], values[1]), values[2]))
    return np.clip(first, 0, size).astype(np.int32), np.clip(last, -1, size - 1).astype(np.int32)


def _weights(x: np.ndarray, y: np.ndarray, double_area: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return the barycentric weights (3, N) of pixels in triangles with corners x, y (3, N)."""
    one = ((x[2] - column) * (y[1] - row) - (x[1] - column) * (y[2] - row)) / double_area
    two = ((x[0] - column) * (y[2] - row) - (x[2] - column) * (y[0] - row)) / double_area
    return np.stack([one, two, 1.0 - one - two])
