"""The identity of a rendered figure: build, skin, hair, clothes, and the look of its backgrounds."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

SKIN_TONES: tuple[Colour, ...] = (
    (248, 216, 192), (240, 200, 170), (230, 184, 148), (212, 162, 122), (186, 134, 96), (152, 104, 72), (112, 74, 52),
)  # fmt: skip
HAIR_COLOURS: tuple[Colour, ...] = (
    (36, 32, 36), (62, 44, 36), (104, 68, 44), (214, 174, 106), (146, 64, 38), (168, 166, 168), (44, 38, 40),
)  # fmt: skip
SHIRTS: tuple[Colour, ...] = (
    (196, 62, 58), (44, 92, 152), (238, 232, 220), (62, 62, 72), (232, 178, 60), (52, 128, 96),
    (126, 84, 150), (226, 122, 62), (90, 170, 190), (216, 128, 150), (120, 132, 84), (30, 46, 84),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (52, 66, 98), (44, 44, 50), (150, 128, 98), (98, 102, 108), (86, 58, 50), (206, 200, 188), (58, 80, 70),
)  # fmt: skip
SHOES: tuple[Colour, ...] = ((40, 38, 40), (232, 232, 228), (150, 52, 48), (104, 72, 48), (60, 84, 128))
HAIR_STYLES = ("short", "long", "curly", "bun", "bald", "ponytail", "cap", "bob")
LEGWEAR = ("trousers", "trousers", "shorts", "skirt", "trousers", "shorts")
STEPS = (0.7548777, 0.6180340, 0.5698403, 0.8191725, 0.4142136, 0.2360680)  # for skin, hair, style, shirt, legs, wall


@dataclass(frozen=True)
class FigureIdentity:
    """A person, with everything that does not move.

    Lengths and radii are shares of the average body height, and colours are RGB.
    """

    name: str
    thigh: float
    shin: float
    ankle: float  # height of the ankle above the sole
    foot: float  # from the ankle's plumb line to the ball of the foot
    spine: float  # from the hips to the neck's base
    neck: float
    head: float  # half its height
    head_width: float  # half
    upper_arm: float
    forearm: float
    hand: float  # from the wrist to the finger tips
    shoulders: float  # half
    hips: float  # half, between the joints
    girth: float  # 0.8 slim .. 1.25 stout
    chest: float  # extra width of the chest against the waist
    skin: Colour
    hair_style: str  # one of HAIR_STYLES
    hair: Colour
    shirt: Colour
    accent: Colour  # colour of collars, stripes, caps
    pattern: str  # "plain", "stripes" or "yoke"
    sleeves: str  # "long" or "short"
    legwear: str  # "trousers", "shorts" or "skirt"
    trousers: Colour
    shoes: Colour
    light: tuple[float, float, float]  # towards the light, unit length; x right, y up, z towards the camera
    look: float  # 0..1: chooses among the looks of a place
    seed: int  # seed for textures and leaves

    @property
    def leg(self) -> float:
        """The length from hip to ankle of the stretched leg."""
        return self.thigh + self.shin

    @property
    def arm(self) -> float:
        """The length from shoulder to wrist of the stretched arm."""
        return self.upper_arm + self.forearm


def draw_person(seed: int, person: int) -> FigureIdentity:
    """Draw the person with a number (from 1). The person is the same for every number of people.

    The most visible traits (skin, hair, clothes) follow low-discrepancy sequences, so that neighbours differ.
    """
    rng = np.random.default_rng([seed, 0, person])
    start = np.random.default_rng([seed, 1]).random(len(STEPS))
    spread = [float((start[k] + person * step) % 1.0) for k, step in enumerate(STEPS)]
    tone = spread[0] * (len(SKIN_TONES) - 1)
    skin = _mix(SKIN_TONES[int(tone)], SKIN_TONES[int(tone) + 1], tone % 1.0)
    dark = tone > 3.5
    shirt = _pick(SHIRTS, spread[3])
    # Shirt and trousers have clearly different colours.
    trousers = _pick([c for c in TROUSERS if _distance(c, shirt) > 90.0], float(rng.random()))
    return FigureIdentity(
        name=f"P{person:03d}",
        **_build(rng),
        skin=skin,
        hair_style=_pick(HAIR_STYLES, spread[1]),
        hair=_pick(HAIR_COLOURS[:2] if dark else HAIR_COLOURS, spread[2]),
        shirt=shirt,
        accent=_pick([c for c in SHIRTS if _distance(c, shirt) > 120.0], float(rng.random())),
        pattern=_pick(("plain", "plain", "stripes", "yoke"), float(rng.random())),
        sleeves=_pick(("long", "short"), (spread[3] * 7.3) % 1.0),
        legwear=_pick(LEGWEAR, spread[4]),
        trousers=trousers,
        shoes=_pick(SHOES, float(rng.random())),
        light=_light(rng),
        look=spread[5],
        seed=int(rng.integers(2**31)),
    )


def _build(rng: np.random.Generator) -> dict[str, float]:
    """Draw the lengths and the girth of a body."""
    height, girth = float(rng.uniform(0.92, 1.07)), float(np.clip(rng.normal(1.0, 0.12), 0.8, 1.28))
    legs, arms = float(rng.uniform(0.97, 1.04)), float(rng.uniform(0.97, 1.04))
    return dict(
        thigh=0.245 * height * legs,
        shin=0.235 * height * legs,
        ankle=0.042 * height,
        foot=0.075 * height,
        spine=0.295 * height * (2.0 - legs),
        neck=0.05 * height,
        head=float(rng.uniform(0.071, 0.076)),
        head_width=float(rng.uniform(0.053, 0.06)),
        upper_arm=0.17 * height * arms,
        forearm=0.15 * height * arms,
        hand=0.098 * height,
        shoulders=float(rng.uniform(0.098, 0.122)) * height * girth**0.2,
        hips=float(rng.uniform(0.046, 0.056)) * height,
        girth=girth,
        chest=float(rng.uniform(0.95, 1.1)),
    )


def _light(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw the direction towards the light."""
    direction = np.array(
        [rng.choice([-1.0, 1.0]) * rng.uniform(0.45, 0.8), rng.uniform(0.7, 1.0), rng.uniform(0.4, 0.8)]
    )
    x, y, z = (direction / np.linalg.norm(direction)).tolist()
    return x, y, z


def _distance(first: Colour, second: Colour) -> float:
    """Return the sum of the differences of two colours."""
    return float(np.abs(np.subtract(first, second)).sum())


def _pick(options, position: float):
    """Return the option at a position 0 to 1 in the list."""
    return options[int(position * len(options))]


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours. `share` is that of the second colour."""
    red, green, blue = (round(a + (b - a) * float(share)) for a, b in zip(first, second, strict=True))
    return red, green, blue
