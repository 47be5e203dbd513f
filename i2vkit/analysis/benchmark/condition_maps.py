"""Benchmark of fitting and drawing condition maps of faces."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from i2vkit.analysis.benchmark.timing import environment_info, time_interleaved
from i2vkit.conditions import Coefficients, FaceMaps, MorphableModel, fit_clip, procedural_model
from i2vkit.conditions.camera import to_camera_space, to_image_space

FRAMES = 60  # length of the clip that is fitted
DRAWN = {"built-in": 16, "large": 4}  # maps that one turn draws
LARGE = (80, 29)  # identity and expression components, as in a Basel model with expressions


def benchmark_maps(seconds: float = 10.0, size: int = 96) -> dict[str, Any]:
    """Measure the built-in face model and one as large as Basel's, interleaved with a plain loop over triangles.

    The clock is processor time, so other programs do not count. Make sure that numpy uses one thread. Before measuring,
    the function checks that the plain loop covers the same pixels.

    Args:
        seconds: The duration of the measurement. By default 10.
        size: Height and width of a map in pixels. By default 96.

    Returns:
        ``maps_per_second`` and ``triangles`` of each candidate, ``fits_per_second`` of a clip of 60 frames with 68
        landmarks, ``size`` and the environment.
    """
    models = {"built-in": procedural_model(), "large": large_model()}
    faces = {name: somebody(model, size) for name, model in models.items()}
    generators = {name: FaceMaps(size) for name in models}
    generators["large"].model = models["large"]
    built_in = models["built-in"]
    points = to_camera_space(built_in.shapes(faces["built-in"].identity, faces["built-in"].expression[:1]),
                       faces["built-in"].camera[:1])[0]  # fmt: skip
    drawn = (generators["built-in"](faces["built-in"][:1])[0] != 128).any(axis=0)
    apart = (drawn != plain_mask(points, built_in.triangles, size)).mean()
    if apart > 0.001:
        raise AssertionError(f"{apart:.2%} of the pixels differ from a plain loop over the triangles")
    mean, identity, expression = built_in.at_landmarks()
    shapes = mean + identity @ faces["built-in"].identity
    landmarks = to_image_space(shapes + np.einsum("nce,te->tnc", expression, faces["built-in"].expression),
                           faces["built-in"].camera)  # fmt: skip

    def draw(name: str) -> object:
        return generators[name](faces[name][: DRAWN[name]])

    candidates: dict[str, Callable[[], object]] = {name: partial(draw, name) for name in models}
    candidates["plain loop"] = lambda: plain_mask(points, built_in.triangles, size)
    candidates["fit"] = lambda: fit_clip(built_in, landmarks)
    turns = time_interleaved(candidates, seconds, clock=time.process_time)
    return {
        "maps_per_second": {name: DRAWN.get(name, 1) / turns.median(name) for name in [*models, "plain loop"]},
        "triangles": {name: len(model.triangles) for name, model in models.items()},
        "fits_per_second": 1.0 / turns.median("fit"),
        "size": size,
    } | environment_info()


def somebody(model: MorphableModel, size: int) -> Coefficients:
    """Return the coefficients of a random face over ``FRAMES`` frames that fills a picture of ``size`` pixels."""
    rng, moments = np.random.default_rng(0), np.linspace(0, 3, FRAMES)[:, None]
    camera = np.tile([0.0, 0.0, 0.0, size / 200, size / 2, 0.44 * size], (FRAMES, 1))
    camera[:, :3] = 0.1 * np.sin(moments + rng.uniform(0, 6, 3))
    expression = np.sin(moments) * rng.normal(size=model.num_expression)
    return Coefficients(rng.normal(size=model.num_identity), expression, camera)


def large_model() -> MorphableModel:
    """Return a model of Basel's size: the built-in one with each triangle split into 16, about 90,000 triangles."""
    own = procedural_model()
    # (V, 3, 1 + identities + expressions), so that one interpolation serves mean and components.
    values = np.concatenate([own.mean[..., None], own.identity, own.expression], axis=2)
    triangles = own.triangles
    for _ in range(2):
        values, triangles = _subdivide(values, triangles)
    identity = 1 + np.resize(np.arange(own.num_identity), LARGE[0])
    expression = 1 + own.num_identity + np.resize(np.arange(own.num_expression), LARGE[1])
    # The components repeat the few of the built-in model, so they are scaled down to keep faces plausible.
    return MorphableModel(
        "large", values[..., 0], values[..., identity] / 6, values[..., expression], triangles, own.landmarks
    )


def _subdivide(values: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split each triangle into four. Return the values (V, ...) at corners and edge middles, and the new triangles."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, place = np.unique(edges, axis=0, return_inverse=True)
    # (3 * triangles,) -> (3, triangles): the index of the middle of each of the three edges.
    middles = (len(values) + place.reshape(3, -1)).astype(np.int32)
    (a, b, c), (ab, bc, ca) = triangles.T, middles
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    halved = np.concatenate([np.stack(part, axis=1) for part in parts])
    return np.concatenate([values, values[unique].mean(axis=1)]), halved


def plain_mask(points: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """Return the mask (size, size) of the pixels that a mesh covers, by a z-buffer and a loop over its triangles."""
    depth = np.full((size, size), -np.inf)
    # (triangles, 3 corners, 3 coordinates): images have y downwards.
    for corners in points[triangles] * (1.0, -1.0, 1.0):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
        area = (cx - ax) * (by - ay) - (bx - ax) * (cy - ay)
        # The triangle is seen from behind, or from its edge.
        if area <= 1e-9:
            continue
        (left, top), (right, bottom) = np.ceil(corners.min(axis=0)[:2]), np.floor(corners.max(axis=0)[:2])
        for row in range(max(int(top), 0), min(int(bottom) + 1, size)):
            for column in range(max(int(left), 0), min(int(right) + 1, size)):
                # Barycentric coordinates of the pixel's centre.
                one = ((cx - column) * (by - row) - (bx - column) * (cy - row)) / area
                two = ((ax - column) * (cy - row) - (cx - column) * (ay - row)) / area
                if min(one, two, 1 - one - two) >= -1e-6:
                    depth[row, column] = max(depth[row, column], one * az + two * bz + (1 - one - two) * cz)
    return depth > -np.inf


def format_maps(result: dict[str, Any]) -> str:
    """Return the result as text."""
    triangles = {**result["triangles"], "plain loop": result["triangles"]["built-in"]}
    size = result["size"]
    lines = [
        f"{name:<11} {number:8.1f} maps of {size}x{size} a second of a processor, {triangles[name]:,} triangles"
        for name, number in result["maps_per_second"].items()
    ]
    fit = f"{'fit':<11} {result['fits_per_second']:8.1f} clips of {FRAMES} frames a second of a processor, 68 landmarks"
    return "\n".join([*lines, fit, f"{result['threads']} threads, {result['cores']} cores, {result['processor']}"])
