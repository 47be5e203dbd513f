"""The videos of the demo: one model, or several in step, as MP4 and GIF."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from i2vkit.apis.animation import Animation
from i2vkit.apis.inputs import FramePreparer
from i2vkit.demo.limits import MOST_SAMPLES, Limits, checked_clip, checked_image, message_without_folders
from i2vkit.demo.models import DRIVING, LABEL, WALK, DemoModel, Shelf
from i2vkit.errors import ConfigError, I2VError
from i2vkit.media import iterate_video, write_video
from i2vkit.visualization import Grid

MP4_CELL, GIF_CELL = 160, 128  # heights of one video in a file, in pixels, or those of the model's videos if larger
MOST_WIDE = 3  # videos in a row, so that captions can be read on a phone
STEPS = 5  # of a walk, which with the image fill two rows
CHUNK = 8  # frames that are computed between two looks at the button that cancels
MODELS_COMPARED = (2, 4)

Pictures = dict[str, np.ndarray]


class CancelledError(Exception):
    """The end of a job that its visitor no longer wants."""


@dataclass(frozen=True)
class Wish:
    """The inputs of a visitor.

    Attributes:
        image: The file of the image.
        driving: The file of the driving clip, if one is given.
        way: One of the ways in ``models``.
        label: The label, for models that read it.
        samples: The number of random samples, at most ``MOST_SAMPLES``.
        seed: The seed of the first.
        show_motion: Show the motion on an image of zeros too (DTGAN, sec. 4.5).
        show_maps: Show maps, masks and coarse frames too, as far as the model has them (FRGAN).
    """

    image: Path | None
    driving: Path | None = None
    way: str = DRIVING
    label: str | None = None
    samples: int = 1
    seed: int = 0
    show_motion: bool = False
    show_maps: bool = False


@dataclass(frozen=True)
class Made:
    """The files of a job: an H.264 video, the same as a GIF, and a line about them."""

    mp4: Path
    gif: Path
    about: str


class Job:
    """One piece of work for one visitor: it can be cancelled, and says how far it is.

    Args:
        folder: The folder in which it makes one of its own, with a name that nobody guesses.
        on_progress: Called with a share in [0, 1] and a word about the work.
    """

    def __init__(self, folder: Path, on_progress: Callable[[float, str], Any] = lambda share, word: None) -> None:
        self.folder, self.on_progress = folder, on_progress
        self.cancelled = Event()

    def check(self) -> None:
        """Raise ``CancelledError`` if the visitor has cancelled it."""
        if self.cancelled.is_set():
            raise CancelledError

    def write(self, rows: list[list[str]], frames: list[Pictures], fps: float, about: str) -> Made:
        """Write the grid of frames as MP4 and GIF into a new folder."""
        self.on_progress(1.0, "writing")
        size = next(iter(frames[0].values())).shape[:2]
        own = self.folder / secrets.token_hex(16)
        made = Made(own / "animation.mp4", own / "animation.gif", about)
        for path, height in ((made.mp4, MP4_CELL), (made.gif, GIF_CELL)):
            self.check()
            grid = Grid(rows, size, max(height, size[0]))
            write_video(path, map(grid.compose, frames), fps)
        return made


def animate(shelf: Shelf, limits: Limits, name: str, wish: Wish, job: Job) -> Made:
    """Animate an image with one model, and write the result beside its inputs.

    Raises:
        I2VError: The inputs do not suffice, or are too large. The message is for the visitor.
        CancelledError: The visitor has cancelled the job.
    """
    model = shelf.facts(name)
    if wish.way not in model.ways:
        raise ConfigError(f"{name} does not move an image by a {wish.way}: choose {' or '.join(model.ways)}")
    frames, made = _run(shelf, limits, model, wish, job, 0.0, 1.0)
    extra = ["dynamics"] * wish.show_motion + ["maps", "mask", "coarse"] * wish.show_maps
    inputs = ["driving", "image", *extra]
    cells = [*[caption for caption in inputs if caption in frames[0]], *dict.fromkeys(made.captions)]
    return job.write(arrange(cells), frames, made.fps, f"{name}: {made.num_frames} frames, {made.fps:g} a second")


def compare(shelf: Shelf, limits: Limits, names: Sequence[str], wish: Wish, job: Job) -> Made:
    """Animate an image with two to four models, and write the results side by side, in step.

    Models that a clip can drive follow it if there is one. The others make the label, or the sample of the seed. Videos
    with other frame rates are played at that of the first one, and one that ends early keeps its last frame.

    Raises:
        I2VError: As of ``animate``.
        CancelledError: As of ``animate``.
    """
    least, most = MODELS_COMPARED
    if not least <= len(names) <= most:
        raise ConfigError(f"choose {least} to {most} models to compare, not {len(names)}")
    videos: dict[str, list[np.ndarray]] = {}
    rates: dict[str, float] = {}
    inputs: dict[str, list[np.ndarray]] = {}
    for number, name in enumerate(names):
        model = shelf.facts(name)
        by_clip = DRIVING in model.ways and (wish.driving is not None or len(model.ways) == 1)
        way = DRIVING if by_clip else model.ways[-1] if model.ways[-1] != WALK else model.ways[-2]
        own = Wish(wish.image, wish.driving if by_clip else None, way, wish.label, 1, wish.seed)
        frames, made = _run(shelf, limits, model, own, job, number / len(names), 1 / len(names))
        videos[name], rates[name] = [frame[made.captions[0]] for frame in frames], made.fps
        for caption in ("driving", "image"):
            if caption in frames[0] and (caption not in inputs or caption == "driving"):
                inputs[caption], rates[caption] = [frame[caption] for frame in frames], made.fps
    columns = {caption: inputs[caption] for caption in ("driving", "image") if caption in inputs} | videos
    fps = rates.get("driving", rates[names[0]])
    seconds = max(len(video) / rates[name] for name, video in columns.items())
    steps = range(max(1, round(seconds * fps)))
    in_step = [
        {name: video[min(int(step / fps * rates[name] + 1e-6), len(video) - 1)] for name, video in columns.items()}
        for step in steps
    ]
    return job.write(
        arrange(list(columns)), in_step, fps, f"{', '.join(names)}: {len(in_step)} frames, {fps:g} a second"
    )


def arrange(cells: list[str]) -> list[list[str]]:
    """Return captions in rows of at most three, which a phone can show.

    >>> arrange(["driving", "image", "dynamics", "generated"])
    [['driving', 'image'], ['dynamics', 'generated']]
    """
    columns = len(cells) if len(cells) <= MOST_WIDE else 2 if len(cells) == 4 else MOST_WIDE
    filled = [*cells, *[""] * (-len(cells) % columns)]
    return [filled[start : start + columns] for start in range(0, len(filled), columns)]


def _run(
    shelf: Shelf, limits: Limits, model: DemoModel, wish: Wish, job: Job, start: float, share: float
) -> tuple[list[Pictures], Animation]:
    """Animate with one model, and return all pictures of every frame.

    Args:
        shelf: The models.
        limits: The limits of the inputs.
        model: The model.
        wish: The inputs.
        job: The job, which may be cancelled after each frame.
        start: The share of the job that is done before.
        share: The share that this model is.
    """
    image = checked_image(wish.image, limits)
    by_clip = wish.way == DRIVING
    total = checked_clip(wish.driving, limits) if by_clip else 0
    if not 1 <= wish.samples <= MOST_SAMPLES:
        raise ConfigError(f"this page makes 1 to {MOST_SAMPLES} samples, not {wish.samples}")
    if "label" in model.motion and wish.label not in model.labels:
        raise ConfigError(f"choose a label for {model.name}: {', '.join(model.labels)}")
    job.on_progress(start, f"waiting for {model.name}")
    frames: list[Pictures] = []

    def collect(pictures: Pictures) -> None:
        job.check()
        frames.append(pictures)
        job.on_progress(start + share * min(1.0, len(frames) / expected), f"{model.name}, frame {len(frames)}")

    several = wish.samples > 1 or wish.way == WALK
    with shelf.using(model.name) as inferencer:
        job.check()
        expected = total or inferencer.trained_length or 16
        try:
            made = inferencer(
                image,
                str(wish.driving) if by_clip else None,
                label=wish.label if model.labels else None,
                samples=wish.samples if wish.way not in (DRIVING, LABEL, WALK) else 1,
                interpolate=2 if wish.way == WALK else None,
                steps=STEPS if wish.way == WALK else None,
                seed=wish.seed,
                show_dynamics=wish.show_motion and not several,
                show_maps=wish.show_maps and not several,
                chunk=CHUNK,
                keep_frames=False,
                on_frame=collect,
            )
        except I2VError as error:
            raise type(error)(message_without_folders(error, wish.image, wish.driving)) from error
        assert isinstance(made, Animation)  # one image makes one animation
        if by_clip and wish.driving is not None and "driving" not in frames[0]:
            # Condition maps of the clip drove the model, which has not seen its frames.
            prepare = FramePreparer(inferencer.model.image_size)
            for pictures, frame in zip(frames, iterate_video(wish.driving), strict=False):
                pictures["driving"] = prepare(frame, "driving video")
    return frames, made
