"""Props that people hold: bat, racket, golf club, barbell, skipping rope, and ball with a glove."""

from collections.abc import Callable

import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCanvas
from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.figure_view import FigureView

TURN = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
STEEL, WOOD, BLACK = (186, 190, 196), (206, 160, 102), (48, 48, 52)
Parts = list[tuple[float, Callable[[], None]]]


def prop_parts(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return the pieces of the prop, each as its nearness and a function that draws it."""
    if view.prop is None:
        return []
    pieces = dict(bat=_bat, racket=_racket, club=_club, barbell=_barbell, rope=_rope, ball=_ball)[view.prop]
    return [(depth, _outside(canvas, draw)) for depth, draw in pieces(canvas, identity, view)]


def _outside(canvas: FigureCanvas, draw: Callable[[], None]) -> Callable[[], None]:
    """Let a function draw outside the body's silhouette, to which props do not belong."""

    def drawn() -> None:
        canvas.holds_body = False
        draw()
        canvas.holds_body = True

    return drawn


def _rod(canvas: FigureCanvas, view: FigureView, start, stop, radii: tuple[float, float], colour) -> None:
    """Draw a rod between two points in space."""
    ends = view.project(np.stack([start, stop]))
    canvas.limbs(ends[:1], ends[1:], [radii[0] * view.scale], [radii[1] * view.scale], np.array([colour]))


def _bat(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return the pieces of a baseball bat."""
    grip, along = view.space("grip"), view.space("prop")
    tip = grip + 0.5 * along

    def draw() -> None:
        _rod(canvas, view, grip - 0.03 * along, grip + 0.22 * along, (0.009, 0.011), WOOD)
        _rod(canvas, view, grip + 0.22 * along, tip, (0.011, 0.02), WOOD)

    return [(view.near["grip"] + 0.25 * float(along[2]) + 0.005, draw)]


def _club(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return the pieces of a golf club."""
    grip, along = view.space("grip"), view.space("prop")
    tip = grip + 0.56 * along

    def draw() -> None:
        _rod(canvas, view, grip - 0.04 * along, grip + 0.12 * along, (0.008, 0.007), BLACK)
        _rod(canvas, view, grip + 0.12 * along, tip, (0.005, 0.004), STEEL)
        head = view.project(np.stack([tip - 0.01 * along, tip + 0.035 * view.axes["chest"][:, 2]]))
        canvas.limbs(head[:1], head[1:], [0.014 * view.scale], [0.017 * view.scale], np.array([BLACK]))

    return [(view.near["grip"] + 0.2 * float(along[2]) + 0.005, draw)]


def _racket(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return the pieces of a tennis racket."""
    hand = view.space("r_wrist") + 0.45 * identity.hand * view.space("r_fingers")
    along = view.space("prop")
    wide = np.cross(along, view.space("r_fingers"))
    wide = np.cross(wide, along) if np.linalg.norm(wide) > 0.2 else view.space("r_thumb")
    # The face of the racket is spanned by its handle and a direction across it.
    wide = wide - along * (wide @ along)
    wide = wide / max(float(np.linalg.norm(wide)), 1e-6)
    face = hand + 0.3 * along

    def draw() -> None:
        rim = face + 0.105 * np.cos(TURN)[:, None] * along + 0.08 * np.sin(TURN)[:, None] * wide
        for share in np.linspace(-0.7, 0.7, 5):
            half = np.sqrt(1.0 - share**2)
            strings = [
                face + 0.105 * share * along + 0.08 * half * np.outer((-1, 1), wide),
                face + 0.105 * half * np.outer((-1, 1), along) + 0.08 * share * wide,
            ]
            for string in strings:
                canvas.stroke(view.project(string), (225, 225, 215), 0.3)
        canvas.stroke(view.project(rim), np.multiply(identity.accent, 0.8), max(0.8, 0.013 * view.scale), closed=True)
        _rod(canvas, view, hand - 0.03 * along, hand + 0.2 * along, (0.009, 0.007), BLACK)

    return [(view.near["r_wrist"] + 0.2 * float(along[2]) - 0.005, draw)]


def _barbell(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return the pieces of a barbell."""
    grip, along = view.space("grip"), view.space("prop")
    across = np.cross(along, (0.0, 1.0, 0.0))
    across, upright = across / np.linalg.norm(across), np.cross(across, along)
    wheel = np.cos(TURN)[:, None] * across + np.sin(TURN)[:, None] * upright
    parts: Parts = [
        (view.near["grip"], lambda: _rod(canvas, view, grip - 0.62 * along, grip + 0.62 * along, (0.009, 0.009), STEEL))
    ]

    def plate(at: float, radius: float, colour) -> tuple[float, Callable[[], None]]:
        """Return one plate of the barbell."""
        centre = grip + at * along

        def draw() -> None:
            faces = [view.project(centre + side * 0.016 * along + radius * wheel) for side in (-1, 1)]
            middles = [face.mean(axis=0) for face in faces]
            rounds = [(middle, face - middle) for middle, face in zip(middles, faces, strict=True)]
            canvas.hull(rounds, colour)

        return float(centre[2]), draw

    for side in (-1, 1):
        parts += [plate(side * 0.5, 0.125, identity.accent), plate(side * 0.545, 0.1, BLACK)]
    return parts


def _rope(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return the pieces of a skipping rope."""
    hands = [view.space(f"{side}_wrist") + 0.5 * identity.hand * view.space(f"{side}_fingers") for side in "lr"]
    middle, across = 0.5 * (hands[0] + hands[1]), hands[0] - hands[1]
    turn = 2.0 * np.pi * view.channel("phase")
    forward = view.axes["pelvis"][:, 2]
    swing = np.cos(turn) * np.array([0.0, -1.0, 0.0]) + np.sin(turn) * forward
    # The rope is long enough to pass under the feet and over the head.
    drop = middle[1] + 0.02
    reach = drop + (1.14 - middle[1] - drop) * 0.5 * (1.0 - np.cos(turn))
    share = np.linspace(0.0, 1.0, 25)[:, None]
    bow = np.sin(np.pi * share) ** 0.65
    path = middle + (0.5 - share) * across * (1.0 + 0.25 * bow) + reach * bow * swing

    def draw() -> None:
        canvas.stroke(view.project(path), (52, 44, 48), max(0.8, 0.009 * view.scale))
        for hand, side in zip(hands, "lr", strict=True):
            _rod(
                canvas,
                view,
                hand - 0.03 * view.space(f"{side}_fingers"),
                hand + 0.05 * view.space(f"{side}_fingers"),
                (0.01, 0.01),
                identity.accent,
            )

    return [(view.near["pelvis"] + 0.5 * float(swing[2]) + 0.02, draw)]


def _ball(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> Parts:
    """Return a baseball and a glove on the other hand.

    The ball flies once `phase` (seconds since the release) passes 0.
    """
    projected, flight = view.film, view.channel("phase")
    # Before the release the ball is in the hand, and afterwards it flies from there.
    released = (
        int(np.argmax(projected.motion["phase"] > 0)) - 1
        if np.any(projected.motion["phase"] > 0)
        else len(projected.motion) - 1
    )
    at = min(view.frame, released)
    place = projected.body["r_wrist"][at] + 0.6 * identity.hand * projected.body["r_fingers"][at]
    forward = projected.body.axes["pelvis"][0][:, 2]
    place = place + flight * (7.0 * forward + np.array([0.0, -0.4, 0.0]))
    glove = view["l_wrist"] + 0.5 * identity.hand * view.scale * view.flat(view.space("l_fingers"))

    def draw_ball() -> None:
        canvas.disc(view.project(place), 0.022 * view.scale, (90, 80, 76))
        canvas.disc(view.project(place), 0.018 * view.scale, (248, 246, 240))

    def draw_glove() -> None:
        canvas.limbs(
            glove[None],
            glove[None] + 0.02 * view.scale,
            [0.045 * view.scale],
            [0.05 * view.scale],
            np.array([(136, 84, 46)]),
        )

    near = view.near["l_wrist"]
    return [(float(place[2]) + 0.01, draw_ball), (near + 0.05, draw_glove)]
