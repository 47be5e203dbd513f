"""The built-in morphable model: our own mean face, with modes of identity and expression that are formulas.

Every mode is a displacement field over the mean face, in millimetres for one standard deviation. Most faces deviate
by at most two or three of them. Compared with a scanned model it lacks detail and the statistics of real people.
"""

from functools import lru_cache

import numpy as np

from i2vkit.conditions.face_template import (
    EYE,
    EYE_HALF,
    LID_DOWN,
    LID_UP,
    LIP_DOWN,
    LIP_UP,
    MOUTH,
    MOUTH_HALF,
    NOSE_BASE,
    bump,
    lid_arch,
    lip_edges,
    mean_face,
)
from i2vkit.conditions.morphable import MorphableModel

# The version of the formulas here and in ``face_template``. Change it with them: coefficients fit one version only.
_VERSION = "1"


@lru_cache(maxsize=1)
def procedural_model() -> MorphableModel:
    """Build the model, once for each process.

    It has 2876 vertices, 5644 triangles, 13 identity modes and 14 expression modes.
    """
    template = mean_face()
    face = _Face(template.vertices)
    identity, expression = identity_modes(face), expression_modes(face)
    return MorphableModel(
        name="built-in",
        mean=template.vertices.astype(np.float32),
        identity=np.stack(list(identity.values()), axis=2).astype(np.float32),
        expression=np.stack(list(expression.values()), axis=2).astype(np.float32),
        triangles=template.triangles,
        landmarks=template.landmarks,
        version=_VERSION,
    )


class _Face:
    """The position of the vertices of the mean face relative to lids, lips and jaw. All fields are (V,).

    Args:
        vertices: The vertices (V, 3) of the mean face.
    """

    def __init__(self, vertices: np.ndarray):
        self.x, self.y, self.z = vertices.T.astype(np.float64)
        x, y = self.x, self.y
        # -1 on the left and 1 on the right. The change is smooth, because a step would fold the mesh.
        self.side, self.zero = np.tanh(x / 6.0), np.zeros_like(x)
        # The position across an eye, from -1 to 1 outwards, and the shares by which a vertex follows each lid.
        self.across = (np.abs(x) - EYE) / EYE_HALF
        arch = lid_arch(self.across)
        upper, lower = LID_UP * arch, -LID_DOWN * arch
        open_share = np.clip((y - lower) / np.maximum(upper - lower, 1e-3), 0.0, 1.0)
        self.upper_lid = arch * open_share * np.exp(-np.maximum(y - upper, 0.0) / 4.0)
        self.lower_lid = arch * (1.0 - open_share) * np.exp(-np.maximum(lower - y, 0.0) / 6.0)
        # The same for the lips. Beyond the corners of the mouth the upper and the lower side blend.
        v = x / MOUTH_HALF
        top, gap, bottom = lip_edges(np.clip(v, -1.0, 1.0))
        passing = np.clip((np.abs(v) - 0.88) / 0.6, 0.0, 1.0)
        blend = gap + 0.05 + 16.0 * passing * passing * (3 - 2 * passing)
        self.above = 0.5 + 0.5 * np.clip((y - MOUTH) / blend, -1.0, 1.0)
        between = np.maximum(0.0, 1.0 - np.abs(v) ** 2.6) ** 0.75
        self.upper_lip = self.above * between * np.exp(-np.maximum(y - MOUTH - top, 0.0) / 9.0)
        self.lower_lip = (1.0 - self.above) * between * np.exp(-np.maximum(MOUTH + bottom - y, 0.0) / 9.0)
        self.upper_edge = self.upper_lip * np.clip((y - MOUTH - gap) / LIP_UP, 0.0, 1.0)
        self.lower_edge = self.lower_lip * np.clip((MOUTH - gap - y) / LIP_DOWN, 0.0, 1.0)
        # The jaw turns about the ears, so the chin moves farthest and the lower lip nearly as far.
        below = np.clip((-12.0 - y) / 93.0, 0.0, 1.0) ** 1.5
        lip = bump(x, y, (0.0, -75.0), (20.0, 14.0))
        self.jaw = (1.0 - self.above) * (below + (0.9 - np.minimum(below, 0.9)) * lip)

    def both(self, x: float, y: float, wide: float, tall: float | np.ndarray) -> np.ndarray:
        """Return a hill on each side of the face."""
        return bump(np.abs(self.x), self.y, (x, y), (wide, tall))

    def middle(self, y: float, wide: float, tall: float) -> np.ndarray:
        """Return a hill on the line between the two sides."""
        return bump(self.x, self.y, (0.0, y), (wide, tall))

    def moved(
        self, x: np.ndarray | float = 0.0, y: np.ndarray | float = 0.0, z: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Return the field (V, 3) of these displacements."""
        return np.stack([x + self.zero, y + self.zero, z + self.zero], axis=1)


def identity_modes(face: _Face) -> dict[str, np.ndarray]:
    """Return the identity modes: fields (V, 3) by name, for one standard deviation."""
    eyes, nose = face.both(EYE, 2.0, 17.0, 13.0), face.middle(-36.0, 15.0, 11.0)
    brows, mouth = face.both(32.0, 20.0, 24.0, 8.0), face.middle(MOUTH, 26.0, 14.0)
    return {
        "long": face.moved(x=-0.04 * face.x, y=0.05 * face.y),  # keeps the size, which is the camera's
        "deep": face.moved(z=0.08 * (face.z - 40.0)),
        "chin": face.moved(y=-4.0 * np.clip((-80.0 - face.y) / 25.0, 0.0, 1.0) ** 1.3),
        "square jaw": face.moved(x=4.0 * face.side * face.both(50.0, -78.0, 20.0, 18.0)),
        "eyes apart": face.moved(x=2.0 * face.side * eyes),
        "large eyes": face.moved(x=2.0 * face.side * np.clip(face.across, -1.5, 1.5) * eyes,
                                 y=1.4 * (face.upper_lid - face.lower_lid)),
        "slanting eyes": face.moved(y=1.3 * np.clip(face.across, -1.5, 1.5) * eyes),
        "high brows": face.moved(y=2.4 * brows),
        "long nose": face.moved(y=-2.6 * nose),
        "wide nose": face.moved(x=1.7 * face.side * face.both(13.0, NOSE_BASE, 5.0, 9.0)),
        "large nose": face.moved(z=2.6 * face.middle(-30.0, 9.0, 14.0)),
        "wide mouth": face.moved(x=0.1 * face.x * mouth),
        "full lips": face.moved(y=1.5 * (face.upper_edge - face.lower_edge), z=1.0 * (face.upper_lip + face.lower_lip)),
    }  # fmt: skip


def expression_modes(face: _Face) -> dict[str, np.ndarray]:
    """Return the expression modes: fields (V, 3) by name, for one standard deviation.

    The neutral face has none of them.
    """
    corners = face.both(MOUTH_HALF, MOUTH, 8.0, 9.0)
    cheeks = face.both(36.0, -34.0, 13.0, 11.0)
    lips = face.upper_lip + face.lower_lip
    inside = face.middle(MOUTH, 18.0, 3.0) * np.minimum(face.above, 1.0 - face.above) * 2.0
    wings = face.both(12.0, -39.0, 6.0, 6.0)
    around_mouth = face.middle(MOUTH, 30.0, 14.0)
    rising = np.where(
        face.y > 18.0, 22.0, 9.0
    )  # brows push up the whole forehead, because the mesh would fold otherwise
    return {
        "jaw drop": face.moved(x=-0.04 * face.x * around_mouth, y=-9.0 * face.jaw, z=-3.0 * face.jaw - 15.0 * inside),
        "smile": face.moved(y=4.5 * corners + 2.5 * cheeks, z=2.0 * cheeks - 1.5 * corners),
        "stretch": face.moved(x=0.14 * face.x * around_mouth, z=-2.0 * lips),
        "part": face.moved(y=2.0 * face.upper_lip - 4.0 * face.lower_lip, z=-7.0 * inside),
        "upper lip": face.moved(y=3.6 * face.upper_lip + 1.5 * wings),
        "thin lips": face.moved(y=0.8 * face.lower_edge - 1.6 * face.upper_edge, z=-0.8 * lips),
        "pushed up": face.moved(y=3.6 * (face.lower_lip + face.middle(-92.0, 14.0, 9.0)), z=2.0 * face.lower_lip),
        "uneven": face.moved(x=1.5 * face.side * corners * face.side, y=2.5 * face.side * corners),
        "inner brows": face.moved(y=6.5 * face.both(13.0, 18.0, 11.0, rising)),
        "outer brows": face.moved(y=5.5 * face.both(43.0, 18.0, 13.0, rising)),
        "frown": face.moved(x=-2.2 * face.side * face.both(14.0, 18.0, 9.0, 8.0),
                            y=-1.5 * face.both(22.0, 17.0, 16.0, 7.0), z=1.0 * face.middle(17.0, 9.0, 6.0)),
        "upper lids": face.moved(y=3.4 * face.upper_lid),
        "lower lids": face.moved(y=2.4 * face.lower_lid),
        "wrinkled nose": face.moved(x=0.5 * face.side * wings, y=2.2 * wings + 1.2 * face.middle(-42.0, 7.0, 6.0),
                                    z=1.0 * face.both(12.0, -20.0, 7.0, 12.0)),
    }  # fmt: skip
