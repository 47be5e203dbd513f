"""The scene of an arm: the bin, the things in it, the light, and the first pose of the arm."""

import math
from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

BIN = (0.30, 0.25)  # half the inner width (x) and depth (y)
WALL = 0.055  # height of the walls
REACH = (0.21, 0.16)  # greatest distance of the gripper from the centre; a thing fits between it and the wall
GRIPPER = 0.032  # radius of the disc that pushes

KINDS = ("box", "ball", "cylinder", "cup", "plush")
OBJECT_COLOURS: tuple[Colour, ...] = (
    (206, 52, 46), (238, 128, 38), (244, 200, 52), (96, 172, 66), (34, 126, 92), (52, 158, 190),
    (38, 84, 172), (118, 74, 160), (214, 96, 146), (236, 232, 222), (134, 90, 58), (62, 66, 78),
)  # fmt: skip
PLUSH_COLOURS: tuple[Colour, ...] = (
    (176, 128, 84), (226, 196, 152), (150, 150, 158), (236, 172, 184), (132, 176, 204), (246, 214, 96),
)  # fmt: skip
FLOORS: tuple[Colour, ...] = (
    (150, 150, 152), (186, 180, 168), (116, 124, 134), (168, 138, 104), (104, 128, 112), (200, 196, 190),
    (124, 108, 96), (136, 148, 168),
)  # fmt: skip
WALLS: tuple[Colour, ...] = ((190, 188, 184), (88, 92, 100), (170, 140, 106), (212, 208, 198), (70, 96, 120))
TABLES: tuple[Colour, ...] = ((58, 56, 60), (92, 76, 62), (120, 118, 114), (44, 52, 62), (140, 124, 104))


@dataclass(frozen=True)
class SceneObject:
    """A thing to push. For pushing it is a disc.

    Args:
        kind: One of `KINDS`.
        half: Half its length and width.
        height: The height of its top above the floor.
        colour: RGB.
        accent: RGB of a stripe, a rim or a snout.
        x: Its first position.
        y: Its first position.
        angle: Its first orientation, in radians.
    """

    kind: str
    half: tuple[float, float]
    height: float
    colour: Colour
    accent: Colour
    x: float
    y: float
    angle: float

    @property
    def radius(self) -> float:
        """The radius of a disc with about the area of its outline."""
        return _radius(self.kind, self.half)


@dataclass(frozen=True)
class ArmScene:
    """Everything that the first frame depends on.

    Args:
        things: The things in the bin.
        start: The gripper's x, y, z, yaw in radians, and opening from 0 to 1.
        floor: RGB.
        wall: RGB.
        table: RGB.
        texture: The texture of the floor: "plain", "boards" or "felt".
        light: The unit direction towards the light.
        ambient: The share of the light that comes from everywhere.
        warmth: From -1, bluish, to 1, reddish.
        seed: The seed for the grain of the floor and the marks on the table.
    """

    things: tuple[SceneObject, ...]
    start: tuple[float, float, float, float, float]
    floor: Colour
    wall: Colour
    table: Colour
    texture: str
    light: tuple[float, float, float]
    ambient: float
    warmth: float
    seed: int


def draw_scene(seed: int, split: int, number: int) -> ArmScene:
    """Draw the random scene with a number in a split. It is the same for every number of scenes."""
    rng = np.random.default_rng([seed, 0, split, number])
    start = (
        float(rng.uniform(-1, 1) * REACH[0]),
        float(rng.uniform(-1, 1) * REACH[1]),
        float(rng.uniform(0.012, 0.03)),
        float(rng.uniform(-1.2, 1.2)),
        float(rng.uniform(0.3, 1.0)),
    )
    slant, height = rng.uniform(0, 2 * math.pi), rng.uniform(math.radians(48), math.radians(68))
    return ArmScene(
        things=_scatter(rng, start[:2]),
        start=start,
        floor=_vary(rng, FLOORS[rng.integers(len(FLOORS))], 5),
        wall=_vary(rng, WALLS[rng.integers(len(WALLS))], 5),
        table=_vary(rng, TABLES[rng.integers(len(TABLES))], 4),
        texture=str(rng.choice(["plain", "boards", "felt"])),
        light=(math.cos(slant) * math.cos(height), math.sin(slant) * math.cos(height), math.sin(height)),
        ambient=float(rng.uniform(0.42, 0.6)),
        warmth=float(rng.uniform(-1, 1)),
        seed=int(rng.integers(2**31)),
    )


def _scatter(rng: np.random.Generator, gripper: tuple[float, float]) -> tuple[SceneObject, ...]:
    """Return four to eight things of different colours that touch neither each other nor the gripper."""
    things: list[SceneObject] = []
    wanted = int(rng.integers(4, 9))
    colours = [OBJECT_COLOURS[k] for k in rng.permutation(len(OBJECT_COLOURS))]
    for number in range(wanted):
        kind = str(rng.choice(KINDS, p=[0.3, 0.18, 0.2, 0.12, 0.2]))
        half, height = _proportions(rng, kind)
        radius = _radius(kind, half)
        for _ in range(200):  # a thing for which no free place is found is left out
            x, y = (float(rng.uniform(-1, 1) * (side - radius - 0.005)) for side in BIN)
            clear = math.dist((x, y), gripper) > radius + GRIPPER + 0.012
            if clear and all(math.dist((x, y), (t.x, t.y)) > radius + t.radius + 0.006 for t in things):
                plush = kind == "plush"
                colour = PLUSH_COLOURS[rng.integers(len(PLUSH_COLOURS))] if plush else colours[number]
                accent = _accent(rng, colour, colours[-1 - number % 4], plush)
                things.append(
                    SceneObject(kind, half, height, _vary(rng, colour, 8), accent, x, y, rng.uniform(0, math.tau))
                )
                break
    return tuple(things)


def _proportions(rng: np.random.Generator, kind: str) -> tuple[tuple[float, float], float]:
    """Return half length and width, and height, of a thing."""
    if kind == "box":
        return (rng.uniform(0.036, 0.062), rng.uniform(0.028, 0.044)), rng.uniform(0.035, 0.08)
    if kind == "ball":
        radius = rng.uniform(0.032, 0.048)
        return (radius, radius), 2 * radius
    if kind == "plush":
        size = rng.uniform(0.046, 0.06)
        return (size, size), 1.5 * size
    radius = rng.uniform(0.03, 0.044)
    return (radius, radius), rng.uniform(0.05, 0.1)


def _radius(kind: str, half: tuple[float, float]) -> float:
    """Return the radius of the disc that stands for a thing."""
    return 2 * math.sqrt(half[0] * half[1] / math.pi) if kind == "box" else half[0]


def _accent(rng: np.random.Generator, colour: Colour, other: Colour, plush: bool) -> Colour:
    """Return the second colour of a thing: lighter for a plush toy, else another colour or the same."""
    if plush:
        red, green, blue = (min(255, round(c * 1.15 + 20)) for c in colour)
        return red, green, blue
    return other if rng.random() < 0.6 else colour


def _vary(rng: np.random.Generator, colour: Colour, by: float) -> Colour:
    """Return a colour with random differences."""
    red, green, blue = (int(c) for c in np.clip(np.array(colour) + rng.normal(0, by, 3), 0, 255).round())
    return red, green, blue
