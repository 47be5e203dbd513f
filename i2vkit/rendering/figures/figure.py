"""Drawing of a body: legs, trunk, arms and hands, from far to near."""

import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCanvas
from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.figure_view import FigureView
from i2vkit.rendering.figures.hands import draw_hand
from i2vkit.rendering.figures.head import draw_hair_behind, draw_head, draw_neck
from i2vkit.rendering.figures.props import prop_parts

ROUND = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
CIRCLE = np.stack([np.cos(ROUND), np.sin(ROUND)], axis=-1)

Limbs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def draw_figure(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> None:
    """Draw the person and the prop."""
    near = view.near
    trunk = 0.5 * (near["pelvis"] + near["neck"])
    parts = [
        (trunk, lambda: draw_trunk(canvas, identity, view)),
        (near["head"] + 0.03, lambda: draw_head(canvas, identity, view)),
        (trunk - 0.02, lambda: draw_neck(canvas, identity, view)),
        (trunk - 0.001, lambda: draw_shoulder_lines(canvas, identity, view)),
    ]
    if identity.hair_style in ("long", "bob", "ponytail"):
        parts.append((near["head"] - 0.12 * view.axes["head"][2, 2], lambda: draw_hair_behind(canvas, identity, view)))
    for side in "lr":
        leg = (near[f"{side}_hip"] + near[f"{side}_knee"] + near[f"{side}_ankle"]) / 3.0
        # Shirts hang over trousers, so a leg is drawn before the trunk unless it is well in front of it.
        parts.append((min(leg, trunk - 0.01) if leg < trunk + 0.12 else leg, _leg(canvas, identity, view, side)))
        arm = 0.2 * near[f"{side}_shoulder"] + 0.35 * near[f"{side}_elbow"] + 0.45 * near[f"{side}_wrist"]
        parts.append((arm + 0.015, _arm(canvas, identity, view, side)))
    parts += prop_parts(canvas, identity, view)
    # Paint from far to near, so that near parts cover far ones.
    for _, draw in sorted(parts, key=lambda part: part[0]):
        draw()


def _leg(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView, side: str):
    """Return a function that draws one leg."""

    def draw() -> None:
        """Draw shoe, leg and shorts."""
        hip, knee, ankle = (view[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        girth = identity.girth * view.scale
        bare = np.array(identity.skin)
        covered = bare if identity.legwear != "trousers" else np.array(identity.trousers)
        _shoe(canvas, identity, view, side)
        calf = 0.62 * knee + 0.38 * ankle
        canvas.limbs(
            np.array([hip, knee, calf]),
            np.array([knee, calf, ankle]),
            girth * np.array([0.058, 0.036, 0.038]),
            girth * np.array([0.038, 0.038, 0.024 if identity.legwear != "trousers" else 0.03]),
            np.array([covered, covered, covered]),
        )
        if identity.legwear == "shorts":
            hem = 0.25 * hip + 0.75 * knee
            canvas.limbs(hip[None], hem[None], [0.064 * girth], [0.052 * girth], np.array([identity.trousers]))

    return draw


def _shoe(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView, side: str) -> None:
    """Draw one shoe."""
    heel, toe, ankle = (view[f"{side}_{name}"] for name in ("heel", "toe", "ankle"))
    lift = np.array([0.0, -0.016 * view.scale])
    size = view.scale * np.array([0.026, 0.024, 0.027])
    canvas.limbs(
        np.array([ankle, heel + lift, ankle]),
        np.array([heel + lift, toe + lift, 0.25 * heel + 0.75 * toe + lift]),
        size[[2, 0, 0]],
        size[[0, 1, 1]],
        np.array([identity.shoes] * 3),
    )


def _ring(identity: FigureIdentity, view: FigureView, name: str, along: float, wide: float, deep: float, axes: str):
    """Return a cross section of the trunk, in pixels: its centre, and its outline relative to the centre."""
    frame = view.flat_axes[axes]
    centre = view[name] + along * view.scale * frame[1]
    around = CIRCLE[:, :1] * wide * frame[0] + CIRCLE[:, 1:] * deep * frame[2]
    # A cross section seen from its edge keeps some thickness.
    return centre, view.scale * (around + 0.25 * min(wide, deep) * CIRCLE)


def draw_trunk(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> None:
    """Draw hips, shirt and skirt."""
    girth, shoulders = identity.girth, identity.shoulders
    pelvis = _ring(identity, view, "pelvis", 0.01, 0.088 * girth, 0.062 * girth, "pelvis")
    seat = _ring(identity, view, "pelvis", -0.015, 0.075 * girth, 0.055 * girth, "pelvis")
    if identity.legwear == "skirt":
        _skirt(canvas, identity, view, pelvis)
    else:
        canvas.hull([pelvis, seat], identity.trousers)
    hem = _ring(identity, view, "pelvis", 0.012, 0.092 * girth, 0.066 * girth, "pelvis")
    belly = _ring(identity, view, "waist", 0.0, 0.08 * girth * (2.0 - identity.chest), 0.058 * girth**1.3, "waist")
    chest = _ring(identity, view, "neck", -0.085, 0.1 * identity.chest * girth, 0.066 * girth, "chest")
    yoke = _ring(identity, view, "neck", -0.028, shoulders * 0.98, 0.046 * girth, "chest")
    collar = _ring(identity, view, "neck", 0.012, 0.036, 0.032, "chest")
    rings = [hem, belly, chest, yoke, collar]
    canvas.hull(rings, identity.shirt)
    if identity.pattern == "yoke":
        canvas.hull([chest, yoke, collar], identity.accent, contour=False)
    elif identity.pattern == "stripes":
        _stripes(canvas, identity, rings)


def _stripes(canvas: FigureCanvas, identity: FigureIdentity, rings: list) -> None:
    """Draw the stripes of a shirt."""
    (hem, around), (belly, waist), (chest, breast) = rings[0], rings[1], rings[2]
    for share in (0.3, 0.75, 1.2, 1.65):
        low, high, mix = (hem, belly, share) if share < 1.0 else (belly, chest, share - 1.0)
        outline = (1.0 - mix) * (around if share < 1.0 else waist) + mix * (waist if share < 1.0 else breast)
        centre = (1.0 - mix) * low + mix * high
        across = centre + 0.93 * outline[[int(np.argmin(outline[:, 0])), int(np.argmax(outline[:, 0]))]]
        canvas.stroke(across, identity.accent, 0.014 / 0.066 * float(np.abs(around).max()) * 0.75)


def _skirt(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView, pelvis: tuple) -> None:
    """Draw a skirt."""
    knees = [0.3 * view[f"{side}_hip"] + 0.7 * view[f"{side}_knee"] for side in "lr"]
    around = np.concatenate([knee - 0.5 * (knees[0] + knees[1]) + 0.06 * view.scale * CIRCLE for knee in knees])
    canvas.hull(
        [(pelvis[0], np.repeat(pelvis[1], 2, axis=0)), (0.5 * (knees[0] + knees[1]), around * 1.08)], identity.trousers
    )


def _sleeves(identity: FigureIdentity, view: FigureView, side: str) -> list[Limbs]:
    """Return the limbs of one arm, each as start, stop, first and last radii, and colours.

    Skin comes before its cover.
    """
    shoulder, elbow, wrist = (view[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    girth = identity.girth**0.7 * view.scale
    starts = np.array([shoulder, elbow])
    if identity.sleeves == "long":
        ends = np.array([elbow, 0.06 * elbow + 0.94 * wrist])
        first, last = girth * np.array([0.042, 0.031]), girth * np.array([0.031, 0.024])
        return [(starts, ends, first, last, np.array([identity.shirt] * 2))]
    skin = np.array([identity.skin] * 2)
    first, last = girth * np.array([0.033, 0.026]), girth * np.array([0.027, 0.018])
    colour = np.array([identity.accent if identity.pattern == "yoke" else identity.shirt])
    hem = (0.4 * shoulder + 0.6 * elbow)[None]
    sleeve = (shoulder[None], hem, girth * np.array([0.042]), girth * np.array([0.036]), colour)
    return [(starts, np.array([elbow, wrist]), first, last, skin), sleeve]


def _arm(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView, side: str):
    """Return a function that draws one arm with its hand."""

    def draw() -> None:
        """Draw arm and hand, the nearer one last."""
        hand_before = float(view.space(f"{side}_fingers")[2]) > 0.4
        if not hand_before:
            draw_hand(canvas, identity, view, side)
        for limbs in _sleeves(identity, view, side):
            # At the shoulder the cloth continues into the trunk, so there is no line.
            canvas.limbs(*limbs, bare=0.45)
        if hand_before:
            draw_hand(canvas, identity, view, side)

    return draw


def draw_shoulder_lines(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> None:
    """Draw the contours of the upper arms, which are visible where the trunk does not cover them."""
    for side in "lr":
        start, stop, first, last, colours = (part[:1] for part in _sleeves(identity, view, side)[-1])
        canvas.limbs(start, stop, first, last, colours)
