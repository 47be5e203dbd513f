"""The hair styles, as outlines."""

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class HairStyle:
    """A hair style.

    Lengths are in head units. The x of the hairline is in half face widths, and the parting is on the left.
    """

    top: float  # height of the hair above the skull
    side: float  # width of the hair beside the skull
    end: float  # y of the end of the sides, in front of the ears
    hairline: Points
    back: float | None = None  # y of the lower end of the hair behind the head; None: none below the head
    lock: float = 0.93  # inner edge of the sides at their end
    rough: float = 0.0  # waves of the outline
    waves: int = 9
    parted: bool = False  # strands start at a parting, not at the crown


def _symmetric(*half: tuple[float, float]) -> Points:
    """Return a hairline from its left half, whose last point is in the middle."""
    return half + tuple((-x, y) for x, y in half[-2::-1])


HIGH = _symmetric((-0.94, -20), (-0.88, -37), (-0.55, -48), (0, -51))
LOW = _symmetric((-0.94, -18), (-0.87, -34), (-0.6, -42), (0, -45))
CURLY = _symmetric((-0.96, -12), (-0.84, -32), (-0.5, -40), (0, -44))
SPIKY = _symmetric((-0.94, -18), (-0.86, -36), (-0.5, -40), (-0.3, -46), (0, -41))
FRINGE = _symmetric((-0.96, 0), (-0.92, -18), (-0.6, -22), (-0.2, -24))
PARTED = ((-0.95, -18), (-0.86, -36), (-0.62, -50), (-0.4, -56), (0.1, -45), (0.6, -37), (0.9, -25), (0.95, -16))
LONG = ((-1, -4), (-0.88, -26), (-0.6, -44), (-0.35, -58), (0.1, -46), (0.6, -36), (0.92, -20), (1, -2))
OPEN = ((-0.97, 0), (-0.84, -28), (-0.5, -46), (-0.2, -57), (0.3, -47), (0.8, -30), (0.97, 0))

STYLES: dict[str, HairStyle] = {
    "short": HairStyle(9, 3, -2, LOW, rough=0.8, waves=15),
    "side_part": HairStyle(12, 4, 0, PARTED, rough=0.5, parted=True),
    "swept": HairStyle(20, 3, -2, HIGH, rough=0.8, waves=7),
    "buzz": HairStyle(2, 1, -6, HIGH),
    "spiky": HairStyle(15, 3, -4, SPIKY, rough=4.5, waves=13),
    "curly": HairStyle(20, 13, 8, CURLY, back=26, rough=2.2, waves=15),
    "bald": HairStyle(-6, 1.5, -2, HIGH),
    "long": HairStyle(9, 7, 66, LONG, back=106, lock=0.97, parted=True),
    "bob": HairStyle(10, 8, 50, OPEN, back=56, lock=0.82, parted=True),
    "fringe": HairStyle(9, 8, 44, FRINGE, back=60, lock=0.9),
    "wavy": HairStyle(13, 13, 70, OPEN, back=106, lock=0.95, rough=3.0, waves=11, parted=True),
    "bun": HairStyle(6, 2, -6, HIGH),
    "ponytail": HairStyle(7, 2.5, -2, PARTED, parted=True),
}
