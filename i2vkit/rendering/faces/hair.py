"""Hair: a layer behind the neck and one over the forehead, painted once for each person and moved with the head."""

import numpy as np

from i2vkit.rendering.faces.backdrop import head_grid, lit
from i2vkit.rendering.faces.face_geometry import FaceView, spline_basis
from i2vkit.rendering.faces.face_identity import FaceIdentity
from i2vkit.rendering.faces.hair_styles import STYLES, HairStyle
from i2vkit.rendering.faces.painting import Sketch, shade

T = np.linspace(0.0, 1.0, 12)[:, None]  # positions along a strand


def covers_ears(identity: FaceIdentity) -> bool:
    """Return whether the sides of the hair hang over the ears."""
    return STYLES[identity.hair_style].end > 30


def hair_layers(identity: FaceIdentity, width: int, height: int) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the layers behind the head (or None) and in front of it.

    They are premultiplied RGBA layers (H, W, 4) of the resting head.
    """
    rng = np.random.default_rng([identity.seed, 3])
    behind = Sketch(FaceView(width, height), width, height, shade(identity.hair_colour, 0.78))
    front = Sketch(FaceView(width, height), width, height, identity.hair_colour)
    x, y = head_grid(front.view, width, height)
    light = lit(identity, x, y + 20)
    has_back = _paint_behind(behind, identity, rng)
    behind.multiply(0.55 + 0.5 * light)
    if identity.hair_style == "bald":
        _paint_rim(front, identity)
        return None, front.layer()
    _paint_front(front, identity, rng)
    toward = np.sign(identity.light[0])
    gloss = np.exp(-(((y + 52 - 0.006 * x**2) / 7.0) ** 2) - ((x - 26 * toward) / 26) ** 2)
    edge = 1.0 - 0.25 * np.clip((np.abs(x) - identity.face_width) / 14.0, 0, 1)
    front.multiply((0.62 + 0.5 * light + 0.32 * gloss) * edge)
    if identity.hair_style == "buzz":  # the scalp shows through
        front.cover = (front.cover * 0.8).astype(np.uint8)
    return behind.layer() if has_back else None, front.layer()


def _paint_rim(sketch: Sketch, identity: FaceIdentity) -> None:
    """Paint the remaining hair above the ears of a bald head."""
    high = 1.0 if identity.age > 0.3 else 0.7
    for side in (-1, 1):
        x = side * identity.face_width
        sketch.shape(np.array([(x * 0.9, -6), (x * 0.98, -30 * high), (x * 1.05, -26 * high), (x * 1.06, -4)]))


def _paint_front(sketch: Sketch, identity: FaceIdentity, rng: np.random.Generator) -> None:
    """Paint the hair between the outer edge and the hairline, with the sides."""
    style, flip = STYLES[identity.hair_style], 1 if identity.parting < 0 else -1
    outer = _outer_edge(identity, style, rng)
    # Hairlines are defined with the parting on the left, and mirrored for one on the right.
    line = np.array(style.hairline)[::flip] * (flip * identity.face_width, 1.0)
    line = spline_basis(len(line), 6, closed=False) @ line
    inner = identity.face_width * style.lock
    lower = np.concatenate([[(-inner, style.end)], line, [(inner, style.end)]])
    sketch.shape(np.concatenate([outer, lower[::-1]]))
    if identity.hair_style == "curly":
        _paint_curls(sketch, identity, rng)
        return
    start = np.array([-0.4 * flip * identity.face_width * style.parted, -60.0 - style.top])
    for _ in range(110):  # strands over the crown
        end = outer[rng.integers(len(outer))]
        _paint_strand(
            sketch, start, 0.5 * (start + end) - (0, 6), end, shade(identity.hair_colour, rng.uniform(0.8, 1.15)), rng
        )
    lower = np.concatenate([outer[:1], lower, outer[-1:]])
    # The length along the lower edge, by which strands are spread evenly.
    length = np.r_[0, np.cumsum(np.hypot(*np.diff(lower, axis=0).T))]
    for position in np.sort(rng.random(260)) * length[-1]:  # strands over the volume of the hair to its lower edge
        end = np.array([np.interp(position, length, lower[:, k]) for k in (0, 1)]) + rng.normal(0, 2.0, 2) + (0, 4)
        swell = np.array([1.1 * end[0] + 12 * np.sign(end[0] - start[0]), 0.8 * start[1] + 0.2 * min(end[1], 0)])
        tone = rng.choice([rng.uniform(0.68, 0.9), rng.uniform(1.08, 1.3)])
        _paint_strand(sketch, start, swell, end, shade(identity.hair_colour, tone), rng)


def _paint_strand(sketch: Sketch, start: np.ndarray, middle: np.ndarray, end: np.ndarray, colour, rng) -> None:
    """Paint one strand along a quadratic Bezier curve."""
    start = start + rng.normal(0, (3.0, 1.5))
    sketch.stroke((1 - T) ** 2 * start + 2 * T * (1 - T) * middle + T**2 * end, colour, 0.7)


def _outer_edge(identity: FaceIdentity, style: HairStyle, rng: np.random.Generator) -> np.ndarray:
    """Return the outer edge of the hair (N, 2), from the left end over the crown to the right end."""
    angle = np.linspace(0.0, np.pi, 121)
    sharpness = 0.7 if style.rough < 4 else 1.6  # soft waves or spikes
    wave = style.rough * np.abs(np.sin(angle * style.waves / 2 + rng.uniform(0, np.pi))) ** sharpness
    side = identity.face_width + style.side * identity.hair_volume
    top = 54.0 + style.top * identity.hair_volume + wave
    arc = np.stack([-np.cos(angle) * (side + 0.6 * wave), -16.0 - np.sin(angle) ** 0.85 * top], axis=1)
    down = np.linspace(style.end, -14.0, 14)[:-1]
    edge = side + style.rough * 0.5 * np.sin(down / 5.0)
    if style.end > 30:  # long hair ends in a point, a bob turns in under the chin
        edge += (identity.face_width * (style.lock + 0.02) - edge) * np.clip((down - style.end + 30) / 30, 0, 1) ** 2
    left = np.stack([-edge, down], axis=1)
    return np.concatenate([left, arc, (left * (-1, 1))[::-1]])


def _paint_curls(sketch: Sketch, identity: FaceIdentity, rng: np.random.Generator) -> None:
    """Paint curls."""
    angle = np.linspace(0.0, 1.6 * np.pi, 12)
    for _ in range(1500):
        centre, radius = np.array([rng.uniform(-72, 72), rng.uniform(-105, 30)]), rng.uniform(1.4, 3.4)
        turn = angle + rng.uniform(0, 2 * np.pi)
        curl = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        sketch.stroke(curl, shade(identity.hair_colour, rng.uniform(0.72, 1.25)), 0.8)


def _paint_behind(sketch: Sketch, identity: FaceIdentity, rng: np.random.Generator) -> bool:
    """Paint a bun, a ponytail or hair that falls on the back. Return whether there is any of them."""
    style = STYLES[identity.hair_style]
    if identity.hair_style == "bun":
        angle = np.linspace(0, 2 * np.pi, 60)
        ring = np.stack([17 * np.cos(angle), 14 * np.sin(angle)], axis=1)
        sketch.shape(ring - (0, 82))
        for size in np.linspace(0.2, 0.9, 7):
            sketch.stroke(size * ring + (1, -82), shade(identity.hair_colour, rng.uniform(0.6, 1.1)), 0.8)
        return True
    if identity.hair_style == "ponytail":
        side = 1 if identity.parting < 0 else -1
        tail = np.array([(30, -44), (56, -40), (66, -10), (64, 30), (70, 62), (54, 84), (44, 60), (46, 20), (34, -10)])
        sketch.shape(spline_basis(9, 8) @ (tail * (side, 1)))
        _paint_falling(sketch, identity, rng, sorted((34 * side, 66 * side)), (-44, 84))
        return True
    if style.back is None:
        return False
    down = np.linspace(-30, style.back, 30)
    x = identity.face_width + style.side * identity.hair_volume + style.rough * np.sin(down / 6.0) - 0.5
    if style.back > 60:  # narrower towards its end
        x *= 1 - 0.12 * np.clip((down - 40) / 50, 0, 1)
    else:  # rounded
        x *= np.sqrt(1.0 - 0.35 * (np.clip(down, 0, None) / style.back) ** 4)
    sketch.shape(np.concatenate([np.stack([-x, down], axis=1), np.stack([x, down], axis=1)[::-1]]))
    _paint_falling(sketch, identity, rng, (-70, 70), (-30, style.back))
    return True


def _paint_falling(sketch: Sketch, identity: FaceIdentity, rng: np.random.Generator, x_range, y_range) -> None:
    """Paint strands that fall down."""
    y = np.linspace(y_range[0], y_range[1] + 4, 14)
    for _ in range(90):
        x = rng.uniform(*x_range) + 1.6 * np.sin(y / rng.uniform(9, 16) + rng.uniform(0, 6))
        sketch.stroke(np.stack([x, y], axis=1), shade(identity.hair_colour, rng.uniform(0.58, 1.0)), 0.8)
