"""Hands: a palm with fingers and a thumb if they are large enough to be seen, else a mitten."""

import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCanvas
from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.figure_view import FigureView

DETAILED = 12.0  # least length in pixels of a hand with separate fingers


def draw_hand(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView, side: str) -> None:
    """Draw the hand at the end of a forearm."""
    length = identity.hand * view.scale
    along, thumb = view.flat(view.space(f"{side}_fingers")), view.flat(view.space(f"{side}_thumb"))
    wrist, skin = view[f"{side}_wrist"], np.array(identity.skin)
    flat = view.channel(f"{side}_open")
    if length < DETAILED:
        tip = wrist + (0.35 + 0.4 * flat) * length * along
        canvas.limbs(wrist[None], tip[None], [0.2 * length], [0.24 * length], skin[None])
        if view.channel(f"{side}_thumb") > 0.3:
            middle = wrist + 0.3 * length * along
            canvas.limbs(
                middle[None], (middle + 0.5 * length * thumb)[None], [0.12 * length], [0.1 * length], skin[None]
            )
        return
    _fingers(canvas, wrist, length * along, length * thumb, length, skin, _stretched(view, side))


def _stretched(view: FigureView, side: str) -> np.ndarray:
    """Return the stretching of thumb and four fingers, from 0 (folded) to 1."""
    flat, thumb, point = (view.channel(f"{side}_{name}") for name in ("open", "thumb", "point"))
    return np.array([max(thumb, 0.6 * flat), max(flat, point), flat, flat, flat])


def _fingers(
    canvas: FigureCanvas,
    wrist: np.ndarray,
    along: np.ndarray,
    thumb: np.ndarray,
    length: float,
    skin,
    stretched: np.ndarray,
) -> None:
    """Draw palm, fingers and thumb. `along` and `thumb` are one hand long when seen from the side."""
    places = np.array([0.18, 0.06, -0.06, -0.17])
    knuckles = wrist + 0.46 * along + places[:, None] * thumb
    reach = np.array([0.46, 0.52, 0.48, 0.38]) * (0.25 + 0.75 * stretched[1:])
    tips = knuckles + reach[:, None] * along + (0.6 * places * stretched[1:])[:, None] * thumb
    root = wrist + 0.16 * along + 0.16 * thumb
    out = stretched[0]
    # The thumb lies along the fist, lies along the flat hand, or points away from both.
    away = (0.2 + 0.42 * out) * thumb + (0.3 - 0.12 * out) * along
    palm = wrist + 0.4 * along
    canvas.limbs(
        np.concatenate([[root], knuckles, [wrist, wrist + 0.34 * along - 0.08 * thumb]]),
        np.concatenate([[root + away], tips, [palm, wrist + 0.36 * along + 0.1 * thumb]]),
        length * np.array([0.085, 0.066, 0.068, 0.066, 0.06, 0.17, 0.19]),
        length * np.array([0.066, 0.055, 0.055, 0.055, 0.05, 0.2, 0.19]),
        np.repeat(skin[None], 7, axis=0),
    )
    # Draw lines between the fingers, which would merge otherwise.
    gaps = 0.5 * (knuckles[1:] + knuckles[:-1])
    ends = 0.5 * (tips[1:] + tips[:-1])
    for gap, end in zip(gaps, ends, strict=True):
        canvas.stroke(np.array([gap + 0.25 * (end - gap), end]), skin * 0.62, 0.35)
