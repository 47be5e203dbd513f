"""Normal maps of meshes against closed forms and a slow reference."""

import numpy as np
import pytest

from i2vkit.conditions.rasterizer import NormalRasterizer, normals_as_bytes


def sphere(rows: int = 40, columns: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) of a unit sphere and its triangles (F, 3), counter-clockwise seen from outside."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, rows), np.arange(columns) * 2 * np.pi / columns, indexing="ij")
    points = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1)
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b = number[:-1], number[1:]
    c, d = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    return points.reshape(-1, 3), np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, d), (a, d, c))])


def test_the_normals_of_a_sphere_are_the_analytic_ones():
    points, triangles = sphere()
    normals = NormalRasterizer(triangles, len(points), 64)(28.0 * points + (31.0, -33.0, 0.0))
    row, column = np.mgrid[:64, :64]
    x, y = (column - 31.0) / 28.0, (33.0 - row) / 28.0
    outside = x**2 + y**2
    analytic = np.stack([x, y, np.sqrt(np.maximum(0.0, 1.0 - outside))], axis=-1)
    inner = outside < 0.95**2
    cosine = (normals * analytic).sum(axis=-1)[inner]
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.5
    assert np.abs(np.linalg.norm(normals[inner], axis=-1) - 1).max() < 1e-5
    assert (normals[outside > 1.0] == 0).all()


def plate(depth: float, tilt: float = 0.0) -> np.ndarray:
    """A triangle that covers the pixels of 16x16 with column + row <= 15, higher to the right by ``tilt``."""
    return np.array([[0.0, 0.0, depth], [0.0, -15.0, depth], [15.0, 0.0, depth + 15 * tilt]])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_nearer_hides_what_is_behind(order):
    flat, tilted = plate(5.0), plate(0.0, tilt=1.0)
    points = np.concatenate([(flat, tilted)[k] for k in order])
    rasterizer = NormalRasterizer(np.arange(6).reshape(2, 3), 6, 16)
    pixels, seen, _ = rasterizer.visible(points.astype(np.float32))
    which = np.full(256, -1)
    which[pixels] = np.array(order)[seen]
    row, column = np.mgrid[:16, :16]
    covered = column + row <= 15
    assert ((which.reshape(16, 16) >= 0) == covered).all()
    apart = covered & (column != 5)  # there they meet
    assert (which.reshape(16, 16)[apart] == (column > 5)[apart]).all()  # the tilted one comes out in front there
    normals = rasterizer(points)
    assert np.allclose(normals[0, 10], np.array([-1.0, 0.0, 1.0]) / np.sqrt(2), atol=1e-6)
    assert np.allclose(normals[0, 2], (0, 0, 1), atol=1e-6)


def test_triangles_seen_from_behind_are_not_drawn():
    rasterizer = NormalRasterizer(np.array([[0, 2, 1]]), 3, 16)
    assert len(rasterizer.visible(plate(0.0).astype(np.float32))[0]) == 0


def test_many_triangles_agree_with_a_slow_reference():
    rng = np.random.default_rng(0)
    points = rng.uniform((-4, -20, -9), (20, 4, 9), (90, 3)).astype(np.float32)
    triangles = rng.permuted(np.tile(np.arange(90), (40, 1)), axis=1)[:, :3]
    pixels, seen, weights = NormalRasterizer(triangles, 90, 16).visible(points)
    found = {int(pixel): int(triangle) for pixel, triangle in zip(pixels, seen, strict=True)}
    expected = {}
    for pixel in range(256):
        nearest = -np.inf
        for number, (a, b, c) in enumerate(points[triangles].astype(np.float64)):
            sides = np.array([b[:2] - a[:2], c[:2] - a[:2]]).T
            if np.linalg.det(sides) <= 1e-9:
                continue
            u, v = np.linalg.solve(sides, (pixel % 16, -(pixel // 16)) - a[:2])
            depth = a[2] + u * (b - a)[2] + v * (c - a)[2]
            if min(u, v, 1 - u - v) >= 0 and depth > nearest:
                nearest, expected[pixel] = depth, number
    assert found == expected
    placed = np.einsum("kn,nkc->nc", weights, points[triangles[seen]])
    assert np.allclose(placed[:, :2], np.column_stack([pixels % 16, -(pixels // 16)]), atol=1e-4)


def test_bytes_stand_for_minus_one_to_one():
    assert normals_as_bytes(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]
