"""Draw one training step of DTGAN: `python docs/drawings/training_step.py` writes training_step.svg and .png beside it.

The page docs/how_it_works.md explains the drawing. The shapes are those of configs/dtgan_oulu.py.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 150, 112
DATA, NETWORK, FROZEN, LOSS, UPDATE = "#e8f1fa", "#fff3d6", "#e9e9ee", "#fde7e4", "#e4f3e4"

MOTION_TO_FRAMES = "motion vector to a channel,\nimage and channel to the U-Net:\n(256, 4, 64, 64), frame by frame"
DISCRIMINATOR_LOSSES = """DiscriminatorLoss: frame
all frames, (256, 3, 64, 64)

DiscriminatorLoss: dynamics
motion at the last frame, (16, 512)

the video is detached"""
GENERATOR_LOSSES = """1 x AdversarialLoss: frame
1 x AdversarialLoss: dynamics
100 x FrameL1Loss
10 x MotionCycleLoss

the discriminators are frozen"""
AFTERWARDS = "then mmengine: learning rate, checkpoint, validation, picture of samples"
# name: (left, bottom, width, height, colour, title, lines)
BOXES = {
    "disk": (4, 92.5, 22, 11, DATA, "clips on disk", "root/person/label/clip"),
    "dataset": (35, 92.5, 32, 11, DATA, "ClipDataset, its pipeline", "16 frames, 64x64 pixels\nuint8 (3, 16, 64, 64)"),
    "loader": (76, 92.5, 32, 11, DATA, "data loader", "16 clips, one tensor a field\nuint8 (16, 3, 16, 64, 64)"),
    "batch": (117, 92.5, 29, 11, DATA, "VideoBatch", "on the device, in [-1, 1]\n.driving, .label"),
    "image": (4, 61.5, 27, 11, DATA, "Content", ".image: the first frame\n(16, 3, 64, 64)"),
    "encoder": (4, 74, 27, 10, FROZEN, "CnnLstmEncoder", "frozen, reads all frames"),
    "motion": (40, 74, 25, 10, DATA, "Motion", ".trajectory\n(16, 16, 512)"),
    "decoder": (74, 62.5, 34, 20, NETWORK, "UNetDecoder", MOTION_TO_FRAMES),
    "head": (117, 75, 29, 9, NETWORK, "DirectHead", "hyperbolic tangent"),
    "video": (117, 62, 29, 10, DATA, "Generated", ".video\n(16, 3, 16, 64, 64)"),
    "d_losses": (4, 21, 36, 28, LOSS, "two losses (eq. 3)", DISCRIMINATOR_LOSSES),
    "d_update": (
        47,
        25,
        23,
        20,
        UPDATE,
        "backward, Adam",
        "changes the weights\nof both discriminators\nand no others",
    ),
    "g_losses": (80, 21, 36, 28, LOSS, "four losses (eq. 7)", GENERATOR_LOSSES),
    "g_update": (123, 25, 22, 20, UPDATE, "backward, Adam", "changes the weights\nof the U-Net decoder\nand no others"),
    "log": (35, 3, 80, 9, DATA, "the log: each loss by its name", AFTERWARDS),
}
# (left, bottom, width, height, title)
FRAMES = [
    (2, 91, 146, 18, "1  data"),
    (2, 60, 146, 28, "2  generate, once for both phases"),
    (2, 19, 70, 36, '3  phase "discriminators"'),
    (78, 19, 70, 36, '4  phase "generator"'),
]
# (from, side, to, side, bend)
ARROWS = [
    ("disk", "right", "dataset", "left", 0),
    ("dataset", "right", "loader", "left", 0),
    ("loader", "right", "batch", "left", 0),
    ("encoder", "right", "motion", "left", 0),
    ("motion", "right", "decoder", "left", 0),
    ("image", "right", "decoder", "left", 0),
    ("decoder", "right", "head", "left", 0),
    ("head", "bottom", "video", "top", 0),
    ("d_losses", "right", "d_update", "left", 0),
    ("g_losses", "right", "g_update", "left", 0),
    ("d_update", "bottom", "log", "top", 0),
    ("g_update", "bottom", "log", "right", -0.25),
]
# Lines with corners: the batch goes to encoder and content, real and generated videos to both phases.
PATHS = [
    [(131.5, 92.5), (131.5, 89.5), (1, 89.5), (1, 79), (4, 79)],
    [(1, 79.5), (1, 67), (4, 67)],
    [(131.5, 62), (131.5, 57), (36, 57), (36, 49)],
    [(112, 57), (112, 49)],
]


def main() -> None:
    """Write both files."""
    figure = plt.figure(figsize=(WIDTH / 10, HEIGHT / 10))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.axis("off")
    for frame in FRAMES:
        _frame(axes, *frame)
    for box in BOXES.values():
        _box(axes, *box)
    for start, out, end, into, bend in ARROWS:
        _arrow(axes, _side(start, out), _side(end, into), bend)
    for points in PATHS:
        _path(axes, points)
    axes.text(60, 58.4, "real and generated videos", fontsize=10, style="italic", color="#444444", va="center")
    figure.savefig(FOLDER / "training_step.svg", metadata={"Date": None})
    figure.savefig(FOLDER / "training_step.png", dpi=100)
    plt.close(figure)
    picture = Image.open(FOLDER / "training_step.png").convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(FOLDER / "training_step.png", optimize=True)


def _frame(axes, left: float, bottom: float, width: float, height: float, title: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1.5",
            facecolor="white",
            edgecolor="#9aa4b2",
            linestyle="--",
            linewidth=1.2,
        )
    )
    axes.text(left + 2, bottom + height - 1.9, title, fontsize=12, weight="bold", color="#334155", va="center")


def _box(axes, left: float, bottom: float, width: float, height: float, color: str, title: str, lines: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1",
            facecolor=color,
            edgecolor="#475569",
            linewidth=1.2,
        )
    )
    middle = left + width / 2
    axes.text(middle, bottom + height - 2.4, title, fontsize=11, weight="bold", ha="center", va="center")
    axes.text(middle, bottom + (height - 3.6) / 2, lines, fontsize=9.5, ha="center", va="center", linespacing=1.35)


def _side(name: str, side: str) -> tuple[float, float]:
    """The middle of one side of a box."""
    left, bottom, width, height = BOXES[name][:4]
    return {
        "left": (left, bottom + height / 2),
        "right": (left + width, bottom + height / 2),
        "top": (left + width / 2, bottom + height),
        "bottom": (left + width / 2, bottom),
    }[side]


def _arrow(axes, start: tuple[float, float], end: tuple[float, float], bend: float) -> None:
    style = dict(arrowstyle="-|>", mutation_scale=16, linewidth=1.6, color="#1f2937", shrinkA=0, shrinkB=0)
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", **style))


def _path(axes, points: list[tuple[float, float]]) -> None:
    """A line through ``points`` that ends in an arrow."""
    xs, ys = zip(*points[:-1], strict=True)
    axes.plot(xs, ys, color="#1f2937", linewidth=1.6, solid_joinstyle="round")
    _arrow(axes, points[-2], points[-1], 0)


if __name__ == "__main__":
    main()
