"""Show what the shipped models do: the example face, animated by each of them, in one video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2vkit.apis.animation import Animation
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.apis.motion_sources import DrivingVideo, FaceVideo, MotionSource
from i2vkit.errors import ConfigError
from i2vkit.media import read_image, read_video, video_fps
from i2vkit.visualization import AnimationWriter
from i2vkit.zoo.index import INDEX, ZooEntry, read_index

EXAMPLES = INDEX.parent / "examples"
FIGURE, FIGURE_DRIVING = EXAMPLES / "figure.png", EXAMPLES / "figure_driving.mkv"
FACE, DRIVING, LABEL = EXAMPLES / "face.png", EXAMPLES / "driving.mkv", "surprise"
_ROW = 6  # videos side by side
LANDMARKS = EXAMPLES / "face.csv", EXAMPLES / "driving.csv"  # known, so that nothing need be installed to find them


def face_models() -> list[ZooEntry]:
    """Return the shipped models of faces that a driving video, the video of another face, or a label moves."""
    return [
        entry
        for entry in read_index().values()
        if entry.name.endswith("-faces") and {"driving video", "face video", "landmarks", "label"} & set(entry.motion)
    ]


def show_models(out: str | Path, entries: Sequence[ZooEntry], device: str = "cpu") -> int:
    """Animate the example face with each model, and write all videos side by side.

    Models that a video drives follow the example clip, a surprise. Some read the landmarks of image and clip too, and
    FRGAN the condition maps that are made of these. Models that a label moves get that label. A video that ends before
    the longest one keeps its last frame.

    Args:
        out: ``.mp4``, ``.mkv``, ``.avi``, ``.gif``, or ``.png`` for a strip of frames.
        entries: The models, as ``face_models`` lists them.
        device: Where to compute.

    Returns:
        The number of frames.

    Raises:
        ConfigError: There is no model.
        CheckpointError: The weights of a model are missing or damaged.
    """
    if not entries:
        raise ConfigError("no shipped model of faces is there to show")
    image, driving = read_image(FACE), read_video(DRIVING)
    videos = {"driving": np.stack(list(driving))}
    for entry in entries:
        animate = I2VInferencer.from_pretrained(entry.name, device=device)
        animation = animate(image, _motion(entry), label=LABEL if "label" in entry.motion else None)
        assert isinstance(animation, Animation)  # one image makes one animation
        assert animation.frames is not None  # without a file to write, the frames are kept
        videos[entry.name] = animation.frames
    length = max(map(len, videos.values()))
    with AnimationWriter(out, video_fps(DRIVING) or 7.0, image, _rows(["image", *videos])) as writer:
        for t in range(length):
            writer.write({name: video[min(t, len(video) - 1)] for name, video in videos.items()})
    return length


def _rows(captions: list[str]) -> list[list[str]]:
    """Return captions in rows of at most ``_ROW``, which are about equally long. The last row may have empty cells.

    >>> _rows(list("abcdefg"))
    [['a', 'b', 'c', 'd'], ['e', 'f', 'g', '']]
    """
    rows = -(-len(captions) // _ROW)
    length = -(-len(captions) // rows)
    padded = captions + [""] * (rows * length - len(captions))
    return [padded[start : start + length] for start in range(0, len(padded), length)]


def _motion(entry: ZooEntry) -> MotionSource | None:
    """Return the video that moves the example face by a model, or None."""
    if "driving video" in entry.motion:
        return DrivingVideo(DRIVING)
    if {"face video", "landmarks"} & set(entry.motion):
        return FaceVideo(DRIVING, landmarks=LANDMARKS)
    return None
