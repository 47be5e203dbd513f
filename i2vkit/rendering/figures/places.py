"""Where figures are seen: walls, rooms, fields, courts and gyms, painted once."""

from collections.abc import Callable

import numpy as np

from i2vkit.rendering.figures.canvas import Camera
from i2vkit.rendering.figures.easel import Easel
from i2vkit.rendering.figures.identity import Colour, FigureIdentity

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
    """The kind of place where a scene's action is seen."""
    return PLACES[action] if scene == "penn_action" else {"weizmann": "yard", "natops": "room"}[scene]


def paint_place(identity: FigureIdentity, place: str, camera: Camera, width: int, height: int) -> np.ndarray:
    """The empty place, uint8 RGB (H, W, 3), in the look that goes with that person."""
    easel = Easel(identity, place, camera, width, height)
    painters: dict[str, Callable[[Easel], None]] = dict(
        yard=_yard, room=_room, field=_field, gym=_gym, course=_course, park=_park, court=_court
    )
    painters[place](easel)
    return easel.picture()


def _yard(easel: Easel) -> None:
    wall = easel.pick((176, 178, 172), (196, 176, 148), (150, 140, 130), (168, 186, 190), (188, 160, 140))
    ground = easel.pick((128, 126, 120), (142, 150, 104), (168, 158, 142), (118, 120, 124), (150, 136, 116))
    line, bottom = easel.horizon, easel.height
    easel.band(0, line, wall, -0.12)
    easel.texture(0, line, (26, 1.6, 0.06), (5, 2.5, 0.04), (1.2, 1.0, 0.035))
    if easel.look < 0.4:  # bricks or panels
        _bricks(easel, line)
    elif easel.look < 0.7:
        for column in np.arange(easel.rng.uniform(8, 30), easel.width, easel.width / 5.2):
            easel.line([(column, 0), (column, line)], tuple(c * 0.78 for c in wall), 0.9)
    easel.band(line, bottom, ground, 0.16)
    easel.texture(line, bottom, (18, 0.35, 0.05), (2.5, 0.5, 0.05), (0.8, 1.0, 0.05))
    easel.line([(0, line), (easel.width, line)], tuple(c * 0.6 for c in ground), 1.4)
    if easel.look > 0.62:
        easel.foliage(-6, easel.width + 6, line - 9, line + 1, (92, 116, 66), 3.0, 150)


def _bricks(easel: Easel, bottom: float) -> None:
    high, wide = max(4.0, easel.height / 24), max(10.0, easel.width / 13)
    for number, row in enumerate(np.arange(bottom, -high, -high)):
        shift = 0.5 * wide * (number % 2)
        for column in np.arange(-wide + shift, easel.width, wide):
            first, last = max(0, round((row - high + 0.7) * 2)), max(0, round(row * 2))
            left, right = max(0, round((column + 0.7) * 2)), max(0, round((column + wide) * 2))
            easel.image[first:last, left:right] *= np.array([1.0, 0.97, 0.95], np.float32) * easel.rng.uniform(
                0.86, 1.0
            )


def _room(easel: Easel) -> None:
    wall = easel.pick((206, 204, 196), (186, 198, 208), (214, 200, 178), (178, 192, 178), (200, 188, 204))
    width, height = easel.width, easel.height
    easel.band(0, height, wall, -0.1)
    easel.texture(0, height, (60, 1.0, 0.025), (1.0, 1.0, 0.012))
    left = easel.rng.random() < 0.5
    edge = (lambda share: share * width) if left else (lambda share: (1.0 - share) * width)
    kind = easel.pick("board", "shelf", "window", "curtain", "door")
    frame = (236, 234, 228)
    if kind == "board":
        easel.box(width * 0.14, height * 0.1, width * 0.86, height * 0.62, (150, 146, 140))
        easel.box(width * 0.15, height * 0.115, width * 0.85, height * 0.6, (243, 244, 242))
        for row in easel.rng.uniform(0.16, 0.5, 5):
            start = easel.rng.uniform(0.18, 0.6)
            easel.line([(width * start, height * row), (width * (start + 0.18), height * row)], (120, 140, 176), 0.9)
    elif kind == "window":
        _window(easel, sorted((edge(0.06), edge(0.34))), height * 0.06, height * 0.6, frame)
    elif kind == "shelf":
        _shelf(easel, sorted((edge(0.0), edge(0.27))))
    elif kind == "curtain":
        columns = np.arange(easel.image.shape[1]) / easel.FINE
        folds = 1.0 + 0.1 * np.sin(columns / width * 62) + 0.05 * np.sin(columns / width * 23 + 1.0)
        easel.image[:] = np.array((116, 132, 150), np.float32) * folds[None, :, None]
    else:
        low, high = sorted((edge(0.05), edge(0.3)))
        easel.box(low - 4, height * 0.04, high + 4, height, frame)
        easel.box(low, height * 0.06, high, height, (156, 118, 84))
        easel.box(low + 7, height * 0.14, high - 7, height * 0.52, (142, 106, 74))
    easel.band(height * 0.93, height * 0.955, tuple(c * 0.72 for c in wall))
    easel.texture(0, height, (120, 1.0, 0.03))


def _window(easel: Easel, sides: list[float], top: float, bottom: float, frame: Colour) -> None:
    left, right = sides
    easel.box(left - 4, top - 4, right + 4, bottom + 4, frame)
    easel.box(left, top, right, bottom, (176, 206, 230))
    middle = 0.5 * (left + right)
    easel.box(left, top + 0.7 * (bottom - top), right, bottom, (134, 160, 120))
    easel.box(middle - 1.5, top, middle + 1.5, bottom, frame)
    easel.box(left, 0.5 * (top + bottom) - 1.5, right, 0.5 * (top + bottom) + 1.5, frame)


def _shelf(easel: Easel, sides: list[float]) -> None:
    left, right = sides
    easel.box(left, easel.height * 0.05, right, easel.height, (128, 98, 72))
    for low in np.arange(0.27, 1.2, 0.22):
        bottom = low * easel.height
        easel.box(left + 4, bottom - 0.19 * easel.height, right - 4, bottom, (92, 70, 54))
        column = left + 6
        while column < right - 10:
            wide, high = easel.rng.uniform(4, 9), easel.rng.uniform(0.11, 0.17) * easel.height
            easel.box(
                column, bottom - high, min(column + wide, right - 5), bottom, tuple(easel.rng.uniform(80, 200, 3))
            )
            column += wide + 0.8


def _sky(easel: Easel, bottom: float) -> None:
    easel.band(0, bottom, easel.pick((150, 190, 226), (176, 200, 220), (196, 206, 214)), 0.22)
    cloud = np.clip(easel.noise(60, 0.45)[: round(bottom * 2)] - 0.4, 0, 1)[..., None] * 0.35
    part = easel.image[: round(bottom * 2)]
    part += cloud[: len(part)] * (250 - part)


def _grass(easel: Easel, top: float, colour: Colour) -> None:
    easel.band(top, easel.height, colour, 0.12)
    easel.texture(top, easel.height, (40, 0.25, 0.05), (4, 0.6, 0.05), (1.0, 1.6, 0.06))


def _trees(easel: Easel, line: float, height: float, count: int = 9) -> None:
    for column in np.linspace(-20, easel.width + 20, count) + easel.rng.uniform(-15, 15, count):
        green = np.array((70, 104, 58)) * easel.rng.uniform(0.75, 1.2) + easel.rng.uniform(-8, 8, 3)
        top = line - height * easel.rng.uniform(0.6, 1.1)
        easel.foliage(column - 26, column + 26, top, line, tuple(green), 7.0, 70)


def _field(easel: Easel) -> None:
    far = easel.horizon - 0.16 * easel.camera.scale
    _sky(easel, far * 0.6)
    fence = easel.pick((46, 92, 66), (40, 66, 118), (124, 44, 44))
    _trees(easel, far * 0.62, far * 0.45)
    easel.band(far * 0.58, far, fence, -0.1)
    for column in np.arange(easel.rng.uniform(0, 60), easel.width, 92.0):
        easel.box(column, far * 0.68, column + 58, far * 0.9, tuple(100.0 + 0.5 * easel.rng.uniform(60, 250, 3)))
    easel.line([(0, far * 0.58), (easel.width, far * 0.58)], (222, 196, 74), 2.0)
    _grass(easel, far, (96, 142, 70))
    easel.band(easel.horizon - 4, easel.height, (178, 132, 92), 0.1)
    easel.texture(easel.horizon - 4, easel.height, (30, 0.3, 0.05), (1.2, 0.8, 0.045))
    easel.line([(0, easel.height * 0.985), (easel.width, easel.height * 0.94)], (236, 230, 220), 2.0)


def _course(easel: Easel) -> None:
    line = easel.horizon - 0.3 * easel.camera.scale
    _sky(easel, line)
    _trees(easel, line, line * 0.5)
    _grass(easel, line - 2, (126, 160, 82))
    easel.polygon(_blob(easel, 0.78 * easel.width, line + 14, 46, 6), (226, 212, 168))
    easel.band(easel.horizon, easel.height, (104, 150, 72), 0.1)
    easel.texture(easel.horizon, easel.height, (30, 0.3, 0.05), (1.0, 1.5, 0.05))


def _blob(easel: Easel, column: float, row: float, wide: float, high: float) -> np.ndarray:
    angle = np.linspace(0.0, 2.0 * np.pi, 30, endpoint=False)
    wave = 1.0 + 0.12 * np.sin(3 * angle + easel.rng.uniform(0, 6))
    return np.column_stack([column + wide * wave * np.cos(angle), row + high * wave * np.sin(angle)])


def _park(easel: Easel) -> None:
    line = easel.horizon - 0.2 * easel.camera.scale
    _sky(easel, line)
    for column in np.arange(easel.rng.uniform(0, 40), easel.width, 74):
        high, tone = (
            easel.rng.uniform(0.35, 0.7) * line,
            tuple(easel.rng.uniform(150, 205) * np.array([1.0, 0.95, 0.9])),
        )
        easel.box(column, line - high, column + 52, line, tone)
        for row in np.arange(line - high + 6, line - 8, 11):
            for window in np.arange(column + 5, column + 46, 11):
                easel.box(window, row, window + 6, row + 6, tuple(0.62 * c for c in tone))
    _trees(easel, line, line * 0.32, 7)
    _grass(easel, line - 2, (118, 156, 84))
    easel.band(easel.horizon, easel.height, easel.pick((190, 178, 160), (164, 164, 166), (124, 156, 88)), 0.1)
    easel.texture(easel.horizon, easel.height, (30, 0.3, 0.04), (1.2, 0.8, 0.035))


def _court(easel: Easel) -> None:
    line = easel.horizon - 0.3 * easel.camera.scale
    _sky(easel, line * 0.62)
    _trees(easel, line * 0.8, line * 0.6)
    easel.band(line * 0.6, line, easel.pick((42, 84, 66), (44, 68, 104), (58, 92, 60)))
    easel.texture(line * 0.6, line, (3, 1.0, 0.03))
    for column in np.arange(20, easel.width, 64):
        easel.line([(column, line * 0.55), (column, line)], (70, 76, 76), 1.6)
    outer = easel.pick((70, 128, 88), (88, 118, 80), (168, 104, 76))
    inner = easel.pick((60, 110, 160), (74, 142, 92), (186, 104, 70))
    easel.band(line, easel.height, outer, 0.1)
    easel.band(easel.horizon - 0.1 * easel.camera.scale, easel.height, inner, 0.1)
    easel.texture(line, easel.height, (40, 0.3, 0.03), (1.0, 1.0, 0.02))
    for row, thick in ((easel.horizon - 0.1 * easel.camera.scale, 1.5), (easel.height * 0.975, 2.4)):
        easel.line([(0, row), (easel.width, row)], (240, 240, 236), thick)


def _gym(easel: Easel) -> None:
    wall = easel.pick((204, 200, 192), (172, 186, 196), (196, 178, 164))
    line = easel.horizon
    easel.band(0, line, wall, -0.1)
    easel.texture(0, line, (50, 1.0, 0.03))
    easel.band(line * 0.62, line * 0.66, easel.pick((176, 60, 56), (58, 92, 140), (210, 160, 60)))
    for column in np.arange(easel.rng.uniform(0, 50), easel.width, 84):
        easel.box(column, line * 0.1, column + 44, line * 0.34, (228, 236, 240))
        easel.box(column + 21, line * 0.1, column + 23, line * 0.34, (150, 156, 160))
    rack = easel.rng.uniform(0.02, 0.12) * easel.width
    for row in (0.78, 0.92):
        easel.line([(rack, line * row), (rack + 70, line * row)], (70, 70, 74), 2.0)
        for column in np.arange(rack + 6, rack + 66, 13):
            easel.polygon(_blob(easel, column, line * row - 5, 5, 5), (44, 46, 52))
    easel.band(line, easel.height, easel.pick((196, 158, 112), (92, 98, 106), (172, 134, 98)), 0.14)
    easel.texture(line, easel.height, (30, 0.12, 0.05), (1.5, 0.4, 0.02))
    easel.line([(0, line), (easel.width, line)], (90, 80, 72), 2.0)
