"""The mean face of the built-in morphable model: 68 landmarks, curves between them, relief and triangles.

All lengths are in millimetres: x to the right of the picture, y up, z towards the viewer. The eyes are at y = 0.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.spatial import Delaunay, cKDTree

EYE, EYE_HALF, LID_UP, LID_DOWN = 31.0, 14.5, 5.9, 4.6
MOUTH, MOUTH_HALF, LIP_UP, LIP_DOWN, GAP = -66.0, 25.0, 7.0, 10.5, 0.8
NOSE_BASE = -42.0

# The right half of the outline: from ear to chin (mirrored, it gives the 17 landmarks of the jaw), and the forehead.
_JAW = np.array([(70, 5, -14), (69.5, -14, -12), (68, -34, -6), (64.5, -53, 1), (57.5, -70, 9), (47, -84, 19),
                 (33, -95, 28), (17, -102.5, 35), (0, -105, 38)], float)  # fmt: skip
_FOREHEAD = np.array([(69.5, 24, -8), (64, 46, 4), (50, 65, 20), (27, 77, 32), (0, 80.5, 36)], float)
_CENTRE = (0.0, -10.0)
_DEPTH = 80.0
_SPACING = 3.1  # distance of the vertices between the curves

# Height of the nose above the face, and half its width, by y.
_NOSE_Y = np.array([-48.0, -44.5, -41.0, -36.0, -31.0, -25.0, -15.0, -5.0, 4.0, 13.0])
_NOSE_HEIGHT = PchipInterpolator(_NOSE_Y, [0.0, 5.0, 15.0, 23.0, 24.5, 21.0, 14.5, 9.0, 5.0, 0.0])
_NOSE_WIDTH = PchipInterpolator(_NOSE_Y, [12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 5.8, 5.2, 5.5, 7.0])

# Hills and hollows of the relief: x (mirrored unless 0), y, widths in x and y, height.
_RELIEF = (
    (12.5, -37.5, 4.2, 4.5, 9.0),  # wings of the nose
    (6.0, -44.0, 3.0, 1.8, -4.0),  # nostrils
    (30.0, 2.0, 14.0, 8.5, -9.0),  # eye sockets
    (15.0, 1.0, 5.0, 6.0, -5.0),  # inner corners
    (27.0, 15.5, 18.0, 5.0, 3.5),  # brow ridges
    (45.0, -24.0, 13.0, 12.0, 4.5),  # cheek bones
    (63.0, 28.0, 9.0, 18.0, -4.0),  # temples
    (24.0, -50.0, 3.5, 9.0, -2.5),  # folds from nose to mouth
    (0.0, -66.0, 24.0, 17.0, 7.0),  # teeth behind the lips
    (0.0, -53.0, 2.5, 5.0, -2.0),  # philtrum
    (0.0, -82.5, 15.0, 3.5, -4.5),  # below the lower lip
    (0.0, -95.0, 13.0, 8.0, 8.0),  # chin
    (25.5, -66.0, 3.5, 3.0, -3.0),  # corners of the mouth
)


@dataclass(frozen=True)
class FaceTemplate:
    """A mesh with vertices (V, 3), triangles (F, 3), and the vertex numbers of the 68 landmarks in iBUG order."""

    vertices: np.ndarray
    triangles: np.ndarray
    landmarks: np.ndarray


def bump(
    x: np.ndarray, y: np.ndarray, centre: tuple[float, float], widths: tuple[float, float | np.ndarray]
) -> np.ndarray:
    """Return a Gaussian hill of height 1 with these standard deviations."""
    return np.exp(-0.5 * (((x - centre[0]) / widths[0]) ** 2 + ((y - centre[1]) / widths[1]) ** 2))


def lid_arch(u: np.ndarray) -> np.ndarray:
    """Return the height of an open lid, 0 to 1, at ``u`` across an eye from -1 to 1. It is 0 outside."""
    return np.maximum(0.0, 1.0 - np.abs(u) ** 2.4) ** 0.8


def lip_edges(v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of the closed lips at ``v`` across the mouth from -1 to 1, as heights above its middle.

    They are the upper edge of the upper lip, half the gap between the lips, and the lower edge of the lower lip.
    """
    bow = 1.0 + 0.12 * np.exp(-(((np.abs(v) - 0.25) / 0.16) ** 2)) - 0.1 * np.exp(-((v / 0.12) ** 2))
    inside = np.maximum(0.0, 1.0 - v**2)
    return LIP_UP * bow * inside**0.8, GAP * np.maximum(0.0, 1 - (v / 0.9) ** 2) ** 0.5, -LIP_DOWN * inside**0.7


def mean_face() -> FaceTemplate:
    """Build the mean face, with 2876 vertices and 5644 triangles."""
    corners, rim = landmarks_2d(), _outline()
    plane = _thinned([corners, *_curves(), rim[:, :2], _grid(rim)])
    height = _height(plane, rim)
    triangles = Delaunay(plane, qhull_options="QJ Pp").simplices
    x, y = plane[triangles, 0], plane[triangles, 1]
    double_area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    # All triangles become counter-clockwise, and degenerate ones are left out.
    triangles[double_area < 0] = triangles[double_area < 0][:, ::-1]
    triangles = triangles[np.abs(double_area) > 1e-3]
    return FaceTemplate(np.column_stack([plane, height]), triangles.astype(np.int32), np.arange(68))


def landmarks_2d() -> np.ndarray:
    """Return the 68 landmarks (68, 2) of the mean face, in iBUG order."""
    jaw = np.concatenate([_JAW * (-1, 1, 1), _JAW[-2::-1]])[:, :2]
    brow = np.array([(14, 17.5), (24, 21.5), (34, 23), (43, 20.5), (50.5, 14)])
    nose = np.array([(0, 3), (0, -9), (0, -21), (0, -33), (-12.5, -40.5), (-6.5, -43.5), (0, -45), (6.5, -43.5),
                     (12.5, -40.5)])  # fmt: skip
    u = np.array([-1.0, -1 / 3, 1 / 3, 1.0])
    upper, lower = np.column_stack([u, LID_UP * lid_arch(u)]), np.column_stack([u, -LID_DOWN * lid_arch(u)])[[2, 1]]
    eye = np.concatenate([upper, lower]) * (EYE_HALF, 1.0)
    top, bottom = np.array([-1.0, -0.6, -0.25, 0, 0.25, 0.6, 1.0]), np.array([0.6, 0.27, 0, -0.27, -0.6])
    inner_top, inner_bottom = np.array([-0.9, -0.32, 0.0, 0.32, 0.9]), np.array([0.32, 0.0, -0.32])
    mouth = [(top, lip_edges(top)[0]), (bottom, lip_edges(bottom)[2])]
    mouth += [(inner_top, lip_edges(inner_top)[1]), (inner_bottom, -lip_edges(inner_bottom)[1])]
    lips = np.concatenate([np.column_stack([MOUTH_HALF * v, MOUTH + y]) for v, y in mouth])
    eyes = [eye + np.array([x, 0.0]) for x in (-EYE, EYE)]
    return np.concatenate([jaw, brow[::-1] * (-1, 1), brow, nose, *eyes, lips])


def _outline() -> np.ndarray:
    """Return the closed rim (96, 3), evenly spaced by angle around the centre."""
    half = np.concatenate([_FOREHEAD[::-1], _JAW])
    closed = np.concatenate([half, half[-2:0:-1] * (-1, 1, 1)])
    angle = np.unwrap(np.arctan2(closed[:, 1] - _CENTRE[1], closed[:, 0] - _CENTRE[0]))
    order, knots = slice(None, None, -1), np.append(angle, angle[0] - 2 * np.pi)
    spline = CubicSpline(knots[order], np.concatenate([closed, closed[:1]])[order], bc_type="periodic")
    return spline(np.linspace(-np.pi, np.pi, 96, endpoint=False))


def _curves() -> list[np.ndarray]:
    """Return points on the lids, lips, brows and nose, where the mesh must be fine."""
    u, v = np.linspace(-1, 1, 17), np.linspace(-0.97, 0.97, 33)
    curves = []
    for height in (LID_UP + 3.0, LID_UP, 0.55 * LID_UP, 0.1, -0.5 * LID_DOWN, -LID_DOWN, -LID_DOWN - 3.0):
        lid = np.column_stack([EYE_HALF * u, height * lid_arch(u)])
        curves += [lid + np.array([x, 0.0]) for x in (-EYE, EYE)]
    top, gap, bottom = lip_edges(v)
    for edge in (top + 2.0, top, 0.5 * (top + gap), gap, 0.0 * gap, -gap, 0.5 * (bottom - gap), bottom, bottom - 2.0):
        curves.append(np.column_stack([MOUTH_HALF * v, MOUTH + edge]))
    nose = np.column_stack([np.zeros(14), np.linspace(10, -46, 14)])
    return [*curves, nose]


def _grid(rim: np.ndarray) -> np.ndarray:
    """Return a hexagonal grid inside the rim, the same on both sides."""
    rows = np.arange(-110.0, 85.0, _SPACING * np.sqrt(0.75))
    columns = np.arange(-80.0, 81.0, _SPACING)
    columns = columns - columns.mean()
    grid = np.concatenate([np.column_stack([columns + (k % 2) * _SPACING / 2, np.full(len(columns), row)])
                           for k, row in enumerate(rows)])  # fmt: skip
    return grid[_share(grid, rim) < 0.985]


def _thinned(groups: list[np.ndarray]) -> np.ndarray:
    """Join the groups of points, leaving out points too close to one of an earlier group."""
    kept = groups[0]
    for group, distance in zip(groups[1:], [*[0.3] * (len(groups) - 3), 1.0, 0.62 * _SPACING], strict=True):
        kept = np.concatenate([kept, group[cKDTree(kept).query(group)[0] > distance]])
    return kept


def _share(points: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Return the position of points (N, 2) between the centre (0) and the rim (1)."""
    offset = points - _CENTRE
    return np.hypot(*offset.T) / _along_rim(points, rim)[0]


def _along_rim(points: np.ndarray, rim: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of the rim from the centre, and its depth, in the direction of points (N, 2)."""
    angle = np.arctan2(points[:, 1] - _CENTRE[1], points[:, 0] - _CENTRE[0])
    knots = np.arctan2(rim[:, 1] - _CENTRE[1], rim[:, 0] - _CENTRE[0])
    order = np.argsort(knots)
    reach = np.hypot(rim[:, 0] - _CENTRE[0], rim[:, 1] - _CENTRE[1])[order]
    return (
        np.interp(angle, knots[order], reach, period=2 * np.pi),
        np.interp(angle, knots[order], rim[order, 2], period=2 * np.pi),
    )


def _height(points: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Return the depth z (N,) of the mean face at points (N, 2).

    On the rim it is the depth of the rim. Inside, hills and hollows are added to a dome.
    """
    x, y = points.T
    share = np.clip(_share(points, rim), 0.0, 1.0)
    _, edge = _along_rim(points, rim)
    down = np.clip(-(y - _CENTRE[1]) / np.maximum(np.hypot(x, y - _CENTRE[1]), 1e-6), 0.0, 1.0)
    # The dome is flatter towards the chin than towards the ears.
    power = 2.3 + 2.2 * down**2
    height = edge + (_DEPTH - edge) * (1.0 - share**power) ** 0.55
    within = np.clip((1.0 - share) / 0.12, 0.0, 1.0)  # the relief fades out at the rim
    relief = np.zeros_like(x)
    for cx, cy, wide, high, tall in _RELIEF:
        relief = relief + tall * (bump(x, y, (cx, cy), (wide, high)) + (cx > 0) * bump(x, y, (-cx, cy), (wide, high)))
    inside = (y > _NOSE_Y[0]) & (y < _NOSE_Y[-1])
    at = np.clip(y, _NOSE_Y[0], _NOSE_Y[-1])
    relief = relief + inside * _NOSE_HEIGHT(at) * np.exp(-((np.abs(x) / _NOSE_WIDTH(at)) ** 2.2))
    return height + within * (relief + _eyes(x, y) + _lips(x, y))


def _eyes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the relief of the eyeballs and the lids around them."""
    u = (np.abs(x) - EYE) / EYE_HALF
    ball = 5.5 * np.sqrt(np.maximum(0.0, 1.0 - (0.85 * u) ** 2 - (y / 11.0) ** 2))
    arch = lid_arch(u)
    upper, lower = LID_UP * arch, -LID_DOWN * arch
    lid = 2.0 * np.exp(-(((y - upper - 1.6) / 1.4) ** 2)) + 1.4 * np.exp(-(((y - lower + 1.4) / 1.3) ** 2))
    fold = -1.6 * np.exp(-(((y - upper - 4.6) / 1.3) ** 2))
    return ball + (np.abs(u) < 1) * np.sqrt(arch) * (lid + fold)


def _lips(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the relief of two lips with a crease between them that is deeper than they are high."""
    v, up = x / MOUTH_HALF, y - MOUTH
    top, gap, bottom = lip_edges(np.clip(v, -1, 1))
    lateral = np.maximum(0.0, 1.0 - np.abs(v) ** 3)
    upper = 4.0 * np.exp(-(((up - 0.55 * top) / (0.42 * top + 0.8)) ** 2))
    lower = 5.0 * np.exp(-(((up - 0.5 * bottom) / (0.42 * -bottom + 0.8)) ** 2))
    crease = -5.0 * np.exp(-((up / (gap + 0.5)) ** 2))
    return lateral * (upper + lower + crease)
