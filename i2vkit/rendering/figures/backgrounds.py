"""The backgrounds of figures, painted once: walls, rooms, fields, courts and gyms."""

from collections.abc import Callable

import numpy as np

from i2vkit.rendering.figures.background_painter import BackgroundPainter
from i2vkit.rendering.figures.figure_canvas import FigureCamera
from i2vkit.rendering.figures.figure_identity import Colour, FigureIdentity

PLACES = {
    "baseball_pitch": "field",
    "baseball_swing": "field",
    "clean_and_jerk": "gym",
    "golf_swing": "course",
    "jumping_jacks": "park",
    "jump_rope": "gym",
    "tennis_forehand": "court",
    "tennis_serve": "court",
}


def place_of(scene: str, action: str) -> str:
    """Return the kind of place for an action of a scene."""
    return PLACES[action] if scene == "penn_action" else {"weizmann": "yard", "natops": "room"}[scene]


def paint_place(identity: FigureIdentity, place: str, camera: FigureCamera, width: int, height: int) -> np.ndarray:
    """Paint the empty place, uint8 RGB (H, W, 3), in the look that belongs to a person."""
    painter = BackgroundPainter(identity, place, camera, width, height)
    painters: dict[str, Callable[[BackgroundPainter], None]] = dict(
        yard=_yard, room=_room, field=_field, gym=_gym, course=_course, park=_park, court=_court
    )
    painters[place](painter)
    return painter.picture()


def _yard(painter: BackgroundPainter) -> None:
    """Paint a wall above a pavement."""
    wall = painter.pick((176, 178, 172), (196, 176, 148), (150, 140, 130), (168, 186, 190), (188, 160, 140))
    ground = painter.pick((128, 126, 120), (142, 150, 104), (168, 158, 142), (118, 120, 124), (150, 136, 116))
    line, bottom = painter.horizon, painter.height
    painter.band(0, line, wall, -0.12)
    painter.texture(0, line, (26, 1.6, 0.06), (5, 2.5, 0.04), (1.2, 1.0, 0.035))
    if painter.look < 0.4:  # bricks or panels
        _bricks(painter, line)
    elif painter.look < 0.7:
        for column in np.arange(painter.rng.uniform(8, 30), painter.width, painter.width / 5.2):
            painter.line([(column, 0), (column, line)], tuple(c * 0.78 for c in wall), 0.9)
    painter.band(line, bottom, ground, 0.16)
    painter.texture(line, bottom, (18, 0.35, 0.05), (2.5, 0.5, 0.05), (0.8, 1.0, 0.05))
    painter.line([(0, line), (painter.width, line)], tuple(c * 0.6 for c in ground), 1.4)
    if painter.look > 0.62:
        painter.foliage(-6, painter.width + 6, line - 9, line + 1, (92, 116, 66), 3.0, 150)


def _bricks(painter: BackgroundPainter, bottom: float) -> None:
    """Darken the bricks of a wall by random amounts."""
    high, wide = max(4.0, painter.height / 24), max(10.0, painter.width / 13)
    for number, row in enumerate(np.arange(bottom, -high, -high)):
        shift = 0.5 * wide * (number % 2)
        for column in np.arange(-wide + shift, painter.width, wide):
            first, last = max(0, round((row - high + 0.7) * 2)), max(0, round(row * 2))
            left, right = max(0, round((column + 0.7) * 2)), max(0, round((column + wide) * 2))
            painter.image[first:last, left:right] *= np.array([1.0, 0.97, 0.95], np.float32) * painter.rng.uniform(
                0.86, 1.0
            )


def _room(painter: BackgroundPainter) -> None:
    """Paint the wall of a room with a board, a shelf, a window, a curtain or a door."""
    wall = painter.pick((206, 204, 196), (186, 198, 208), (214, 200, 178), (178, 192, 178), (200, 188, 204))
    width, height = painter.width, painter.height
    painter.band(0, height, wall, -0.1)
    painter.texture(0, height, (60, 1.0, 0.025), (1.0, 1.0, 0.012))
    left = painter.rng.random() < 0.5
    edge = (lambda share: share * width) if left else (lambda share: (1.0 - share) * width)
    kind = painter.pick("board", "shelf", "window", "curtain", "door")
    frame = (236, 234, 228)
    if kind == "board":
        painter.box(width * 0.14, height * 0.1, width * 0.86, height * 0.62, (150, 146, 140))
        painter.box(width * 0.15, height * 0.115, width * 0.85, height * 0.6, (243, 244, 242))
        for row in painter.rng.uniform(0.16, 0.5, 5):
            start = painter.rng.uniform(0.18, 0.6)
            painter.line([(width * start, height * row), (width * (start + 0.18), height * row)], (120, 140, 176), 0.9)
    elif kind == "window":
        _window(painter, sorted((edge(0.06), edge(0.34))), height * 0.06, height * 0.6, frame)
    elif kind == "shelf":
        _shelf(painter, sorted((edge(0.0), edge(0.27))))
    elif kind == "curtain":
        columns = np.arange(painter.image.shape[1]) / painter.FINE
        folds = 1.0 + 0.1 * np.sin(columns / width * 62) + 0.05 * np.sin(columns / width * 23 + 1.0)
        painter.image[:] = np.array((116, 132, 150), np.float32) * folds[None, :, None]
    else:
        low, high = sorted((edge(0.05), edge(0.3)))
        painter.box(low - 4, height * 0.04, high + 4, height, frame)
        painter.box(low, height * 0.06, high, height, (156, 118, 84))
        painter.box(low + 7, height * 0.14, high - 7, height * 0.52, (142, 106, 74))
    painter.band(height * 0.93, height * 0.955, tuple(c * 0.72 for c in wall))
    painter.texture(0, height, (120, 1.0, 0.03))


def _window(painter: BackgroundPainter, sides: list[float], top: float, bottom: float, frame: Colour) -> None:
    """Paint a window."""
    left, right = sides
    painter.box(left - 4, top - 4, right + 4, bottom + 4, frame)
    painter.box(left, top, right, bottom, (176, 206, 230))
    middle = 0.5 * (left + right)
    painter.box(left, top + 0.7 * (bottom - top), right, bottom, (134, 160, 120))
    painter.box(middle - 1.5, top, middle + 1.5, bottom, frame)
    painter.box(left, 0.5 * (top + bottom) - 1.5, right, 0.5 * (top + bottom) + 1.5, frame)


def _shelf(painter: BackgroundPainter, sides: list[float]) -> None:
    """Paint a shelf with books."""
    left, right = sides
    painter.box(left, painter.height * 0.05, right, painter.height, (128, 98, 72))
    for low in np.arange(0.27, 1.2, 0.22):
        bottom = low * painter.height
        painter.box(left + 4, bottom - 0.19 * painter.height, right - 4, bottom, (92, 70, 54))
        column = left + 6
        while column < right - 10:
            wide, high = painter.rng.uniform(4, 9), painter.rng.uniform(0.11, 0.17) * painter.height
            painter.box(
                column, bottom - high, min(column + wide, right - 5), bottom, tuple(painter.rng.uniform(80, 200, 3))
            )
            column += wide + 0.8


def _sky(painter: BackgroundPainter, bottom: float) -> None:
    """Paint a sky with clouds."""
    painter.band(0, bottom, painter.pick((150, 190, 226), (176, 200, 220), (196, 206, 214)), 0.22)
    cloud = np.clip(painter.noise(60, 0.45)[: round(bottom * 2)] - 0.4, 0, 1)[..., None] * 0.35
    part = painter.image[: round(bottom * 2)]
    part += cloud[: len(part)] * (250 - part)


def _grass(painter: BackgroundPainter, top: float, colour: Colour) -> None:
    """Paint grass."""
    painter.band(top, painter.height, colour, 0.12)
    painter.texture(top, painter.height, (40, 0.25, 0.05), (4, 0.6, 0.05), (1.0, 1.6, 0.06))


def _trees(painter: BackgroundPainter, line: float, height: float, count: int = 9) -> None:
    """Paint a row of trees."""
    for column in np.linspace(-20, painter.width + 20, count) + painter.rng.uniform(-15, 15, count):
        green = np.array((70, 104, 58)) * painter.rng.uniform(0.75, 1.2) + painter.rng.uniform(-8, 8, 3)
        top = line - height * painter.rng.uniform(0.6, 1.1)
        painter.foliage(column - 26, column + 26, top, line, tuple(green), 7.0, 70)


def _field(painter: BackgroundPainter) -> None:
    """Paint a baseball field."""
    far = painter.horizon - 0.16 * painter.camera.scale
    _sky(painter, far * 0.6)
    fence = painter.pick((46, 92, 66), (40, 66, 118), (124, 44, 44))
    _trees(painter, far * 0.62, far * 0.45)
    painter.band(far * 0.58, far, fence, -0.1)
    for column in np.arange(painter.rng.uniform(0, 60), painter.width, 92.0):
        painter.box(column, far * 0.68, column + 58, far * 0.9, tuple(100.0 + 0.5 * painter.rng.uniform(60, 250, 3)))
    painter.line([(0, far * 0.58), (painter.width, far * 0.58)], (222, 196, 74), 2.0)
    _grass(painter, far, (96, 142, 70))
    painter.band(painter.horizon - 4, painter.height, (178, 132, 92), 0.1)
    painter.texture(painter.horizon - 4, painter.height, (30, 0.3, 0.05), (1.2, 0.8, 0.045))
    painter.line([(0, painter.height * 0.985), (painter.width, painter.height * 0.94)], (236, 230, 220), 2.0)


def _course(painter: BackgroundPainter) -> None:
    """Paint a golf course."""
    line = painter.horizon - 0.3 * painter.camera.scale
    _sky(painter, line)
    _trees(painter, line, line * 0.5)
    _grass(painter, line - 2, (126, 160, 82))
    painter.polygon(_blob(painter, 0.78 * painter.width, line + 14, 46, 6), (226, 212, 168))
    painter.band(painter.horizon, painter.height, (104, 150, 72), 0.1)
    painter.texture(painter.horizon, painter.height, (30, 0.3, 0.05), (1.0, 1.5, 0.05))


def _blob(painter: BackgroundPainter, column: float, row: float, wide: float, high: float) -> np.ndarray:
    """Return the outline (30, 2) of an irregular ellipse."""
    angle = np.linspace(0.0, 2.0 * np.pi, 30, endpoint=False)
    wave = 1.0 + 0.12 * np.sin(3 * angle + painter.rng.uniform(0, 6))
    return np.column_stack([column + wide * wave * np.cos(angle), row + high * wave * np.sin(angle)])


def _park(painter: BackgroundPainter) -> None:
    """Paint a park in front of houses."""
    line = painter.horizon - 0.2 * painter.camera.scale
    _sky(painter, line)
    for column in np.arange(painter.rng.uniform(0, 40), painter.width, 74):
        high, tone = (
            painter.rng.uniform(0.35, 0.7) * line,
            tuple(painter.rng.uniform(150, 205) * np.array([1.0, 0.95, 0.9])),
        )
        painter.box(column, line - high, column + 52, line, tone)
        for row in np.arange(line - high + 6, line - 8, 11):
            for window in np.arange(column + 5, column + 46, 11):
                painter.box(window, row, window + 6, row + 6, tuple(0.62 * c for c in tone))
    _trees(painter, line, line * 0.32, 7)
    _grass(painter, line - 2, (118, 156, 84))
    painter.band(painter.horizon, painter.height, painter.pick((190, 178, 160), (164, 164, 166), (124, 156, 88)), 0.1)
    painter.texture(painter.horizon, painter.height, (30, 0.3, 0.04), (1.2, 0.8, 0.035))


def _court(painter: BackgroundPainter) -> None:
    """Paint a tennis court."""
    line = painter.horizon - 0.3 * painter.camera.scale
    _sky(painter, line * 0.62)
    _trees(painter, line * 0.8, line * 0.6)
    painter.band(line * 0.6, line, painter.pick((42, 84, 66), (44, 68, 104), (58, 92, 60)))
    painter.texture(line * 0.6, line, (3, 1.0, 0.03))
    for column in np.arange(20, painter.width, 64):
        painter.line([(column, line * 0.55), (column, line)], (70, 76, 76), 1.6)
    outer = painter.pick((70, 128, 88), (88, 118, 80), (168, 104, 76))
    inner = painter.pick((60, 110, 160), (74, 142, 92), (186, 104, 70))
    painter.band(line, painter.height, outer, 0.1)
    painter.band(painter.horizon - 0.1 * painter.camera.scale, painter.height, inner, 0.1)
    painter.texture(line, painter.height, (40, 0.3, 0.03), (1.0, 1.0, 0.02))
    for row, thick in ((painter.horizon - 0.1 * painter.camera.scale, 1.5), (painter.height * 0.975, 2.4)):
        painter.line([(0, row), (painter.width, row)], (240, 240, 236), thick)


def _gym(painter: BackgroundPainter) -> None:
    """Paint a gym."""
    wall = painter.pick((204, 200, 192), (172, 186, 196), (196, 178, 164))
    line = painter.horizon
    painter.band(0, line, wall, -0.1)
    painter.texture(0, line, (50, 1.0, 0.03))
    painter.band(line * 0.62, line * 0.66, painter.pick((176, 60, 56), (58, 92, 140), (210, 160, 60)))
    for column in np.arange(painter.rng.uniform(0, 50), painter.width, 84):
        painter.box(column, line * 0.1, column + 44, line * 0.34, (228, 236, 240))
        painter.box(column + 21, line * 0.1, column + 23, line * 0.34, (150, 156, 160))
    rack = painter.rng.uniform(0.02, 0.12) * painter.width
    for row in (0.78, 0.92):
        painter.line([(rack, line * row), (rack + 70, line * row)], (70, 70, 74), 2.0)
        for column in np.arange(rack + 6, rack + 66, 13):
            painter.polygon(_blob(painter, column, line * row - 5, 5, 5), (44, 46, 52))
    painter.band(line, painter.height, painter.pick((196, 158, 112), (92, 98, 106), (172, 134, 98)), 0.14)
    painter.texture(line, painter.height, (30, 0.12, 0.05), (1.5, 0.4, 0.02))
    painter.line([(0, line), (painter.width, line)], (90, 80, 72), 2.0)
