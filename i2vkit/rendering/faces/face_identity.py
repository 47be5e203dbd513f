"""The identity of a rendered face: shape, skin, hair, eyes, mouth, clothes and the light on it."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

SKIN_TONES: tuple[Colour, ...] = (
    (250, 222, 200), (244, 208, 180), (236, 194, 160), (226, 180, 142), (210, 160, 118),
    (188, 136, 96), (160, 110, 76), (130, 86, 58), (102, 66, 46),
)  # fmt: skip
HAIR_COLOURS: dict[str, Colour] = {
    "black": (34, 30, 34), "espresso": (58, 40, 32), "brown": (96, 62, 40), "chestnut": (134, 84, 48),
    "blond": (218, 180, 112), "auburn": (140, 58, 34), "ginger": (190, 104, 58), "grey": (156, 156, 160),
    "white": (222, 218, 212),
}  # fmt: skip
IRIS_COLOURS: tuple[Colour, ...] = (
    (92, 58, 34),
    (62, 40, 28),
    (70, 112, 150),
    (84, 128, 84),
    (112, 122, 132),
    (128, 92, 48),
)
SHIRT_COLOURS: tuple[Colour, ...] = (
    (52, 74, 110), (122, 46, 52), (60, 98, 78), (208, 202, 188), (74, 74, 82),
    (176, 120, 60), (104, 82, 130), (44, 120, 130), (196, 96, 96), (226, 186, 84),
)  # fmt: skip
BACKGROUNDS: tuple[Colour, ...] = (
    (206, 212, 214), (188, 198, 206), (212, 204, 192), (180, 192, 182), (200, 190, 204), (168, 180, 196),
)  # fmt: skip
MASCULINE_HAIR = ("short", "side_part", "buzz", "spiky", "bald", "curly", "short", "long", "swept")
FEMININE_HAIR = ("long", "bob", "bun", "wavy", "fringe", "curly", "ponytail", "side_part", "long")
BEARDS = ("none", "stubble", "full", "none", "moustache", "none", "goatee", "none")
STEPS = (0.7548777, 0.6180340, 0.5698403, 0.8191725, 0.4142136)  # steps for skin, hair, beard, glasses, clothes


@dataclass(frozen=True)
class FaceIdentity:
    """A person, with everything that does not move.

    Lengths are in head units (one 240th of the picture's height), and colours are RGB. The origin of the head is the
    point between the eyes, with x to the right of the picture and y down.
    """

    name: str
    face_width: float  # half, at the cheekbones
    chin: float  # y of the chin
    jaw: float  # 0 pointed .. 1 square
    skin: Colour
    blush: float
    freckles: float
    age: float  # 0 young .. 1 old: depth of the folds
    eye_distance: float  # half, between the eye centres
    eye_width: float  # half
    eye_height: float  # upper and lower lid together
    eye_tilt: float
    iris: Colour
    lashes: float
    brow_height: float
    brow_thickness: float
    brow_arch: float
    brow_colour: Colour
    nose_length: float
    nose_width: float  # half
    mouth_width: float  # half
    upper_lip: float
    lower_lip: float
    lip_colour: Colour
    ear: float
    hair_style: str
    hair_colour: Colour
    hair_volume: float
    parting: float  # -1 left .. 1 right
    beard: str
    glasses: str  # "none", "round" or "square"
    glasses_colour: Colour
    shirt: Colour
    collar: str
    background: Colour
    light: tuple[float, float, float]  # direction towards the light, unit length, z towards the camera
    seed: int  # seed for strands and freckles

    @property
    def mouth_height(self) -> float:
        """The y of the closed mouth."""
        return 0.5 * (self.nose_length + self.chin) - 2.0


def draw_identity(seed: int, person: int) -> FaceIdentity:
    """Draw the person with a number (from 1). The person is the same for every number of people.

    The most visible traits (hair, skin, clothes) follow low-discrepancy sequences, so that neighbours differ.
    """
    rng = np.random.default_rng([seed, 0, person])
    start = np.random.default_rng([seed, 1]).random(6)
    feminine = person % 2 == 0
    # Men and women alternate, so each of these sequences counts pairs of people.
    spread = [(start[k] + person // 2 * step) % 1.0 for k, step in enumerate(STEPS)]
    # Skin tones vary from person to person, not from pair to pair.
    spread[0] = (start[0] + person * STEPS[0]) % 1.0
    tone = spread[0] ** 1.3 * (len(SKIN_TONES) - 1)
    skin = _mix(SKIN_TONES[int(tone)], SKIN_TONES[min(int(tone) + 1, len(SKIN_TONES) - 1)], tone % 1.0)
    age = float(rng.beta(1.4, 2.0))
    hair = _hair_colour(rng, dark=tone > 4.0, age=age)
    return FaceIdentity(
        name=f"P{person:03d}",
        **_shape(rng, feminine),
        **_eyes_and_brows(rng, feminine, hair, dark=tone > 4.0),
        **_nose_and_mouth(rng, feminine, skin),
        skin=skin,
        blush=float(rng.uniform(0.2, 0.8)),
        freckles=float(max(0.0, rng.uniform(-1.2, 1.0))) if tone < 2.5 else 0.0,
        age=age,
        hair_style=_pick(FEMININE_HAIR if feminine else MASCULINE_HAIR, spread[1]),
        hair_colour=hair,
        hair_volume=float(rng.uniform(0.8, 1.25)),
        parting=float(rng.choice([-1.0, 1.0]) * rng.uniform(0.25, 0.6)),
        beard="none" if feminine else _pick(BEARDS, spread[2]),
        glasses=_pick(("none", "none", "none", "none", "round", "square"), spread[3]),
        glasses_colour=_pick(((30, 30, 34), (92, 52, 30), (130, 30, 40), (60, 66, 84)), rng.random()),
        shirt=_pick(SHIRT_COLOURS, spread[4]),
        collar=_pick(("crew", "v", "shirt", "turtle"), rng.random()),
        background=_pick(BACKGROUNDS, rng.random()),
        light=_light(rng),
        seed=int(rng.integers(2**31)),
    )


def _shape(rng: np.random.Generator, feminine: bool) -> dict:
    """Draw the shape of the head."""
    return dict(
        face_width=float(rng.uniform(39.0, 44.5) + (0.0 if feminine else 1.5)),
        chin=float(rng.uniform(57.0, 64.0) + (0.0 if feminine else 3.0)),
        jaw=float(np.clip(rng.normal(0.3 if feminine else 0.65, 0.22), 0.0, 1.0)),
        ear=float(rng.uniform(0.85, 1.2)),
    )


def _eyes_and_brows(rng: np.random.Generator, feminine: bool, hair: Colour, dark: bool) -> dict:
    """Draw eyes and brows."""
    return dict(
        eye_distance=float(rng.uniform(18.5, 21.5)),
        eye_width=float(rng.uniform(9.2, 11.6)),
        eye_height=float(rng.uniform(8.0, 11.0)),
        eye_tilt=float(rng.uniform(-1.6, 1.2)),
        iris=_pick(IRIS_COLOURS[:2] if dark else IRIS_COLOURS, rng.random()),
        lashes=float(rng.uniform(0.7, 1.0) if feminine else rng.uniform(0.0, 0.35)),
        brow_height=float(rng.uniform(13.0, 16.0)),
        brow_thickness=float(rng.uniform(2.2, 3.4) + (0.0 if feminine else 1.2)),
        brow_arch=float(rng.uniform(0.5, 2.8)),
        brow_colour=_mix(hair, (38, 28, 24), 0.5),
    )


def _nose_and_mouth(rng: np.random.Generator, feminine: bool, skin: Colour) -> dict:
    """Draw nose and mouth."""
    rosy = _mix((206, 100, 100), (176, 62, 78), rng.random()) if feminine else (178, 98, 88)
    return dict(
        nose_length=float(rng.uniform(23.0, 29.0)),
        nose_width=float(rng.uniform(6.8, 10.2)),
        mouth_width=float(rng.uniform(14.5, 18.5)),
        upper_lip=float(rng.uniform(2.6, 4.4)),
        lower_lip=float(rng.uniform(3.6, 6.2)),
        lip_colour=_mix(skin, rosy, rng.uniform(0.55, 0.9) if feminine else rng.uniform(0.4, 0.6)),
    )


def _hair_colour(rng: np.random.Generator, dark: bool, age: float) -> Colour:
    """Draw the colour of the hair."""
    if age > 0.72:
        return HAIR_COLOURS[str(rng.choice(["grey", "white", "grey"]))]
    names = ["black", "espresso", "black"] if dark else [n for n in HAIR_COLOURS if n not in ("grey", "white")]
    return HAIR_COLOURS[str(rng.choice(names))]


def _light(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw the direction towards the light."""
    direction = np.array([rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.6), rng.uniform(-0.6, -0.3), 1.0])
    x, y, z = (direction / np.linalg.norm(direction)).tolist()
    return x, y, z


def _pick(options: tuple, position: float):
    """Return the option at a position 0 to 1 in the list."""
    return options[int(position * len(options))]


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours. `share` is that of the second colour."""
    red, green, blue = (round(a + (b - a) * float(share)) for a, b in zip(first, second, strict=True))
    return red, green, blue
