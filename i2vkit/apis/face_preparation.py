"""Preparation of pictures and driving videos of faces for a model, as its training data were prepared."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log

from i2vkit.apis.driving import Driving, driving_frames
from i2vkit.apis.face_crop import fit_square, is_crop
from i2vkit.apis.map_driving import find_landmarks, read_landmarks
from i2vkit.config.data_facts import data_facts
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import GivenFrames
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.dlib_detector import INSTALL, dlib_installed
from i2vkit.preparation.face_crops import FramingName, face_framing
from i2vkit.preparation.pipeline import Framing, RawClip
from i2vkit.preparation.warping import Warp


def framing_of(cfg: Config, size: int) -> Framing | None:
    """Return the framing of the faces that a config trains on, or None if its data are not cut out around faces.

    Args:
        cfg: The config. Its ``face_framing``, if there is one, replaces what its data set states.
        size: Side of the model's videos in pixels.

    Raises:
        ConfigError: There is no such framing.
    """
    text = cfg.get("face_framing") or data_facts(cfg)[0].get("framing")
    return None if text is None else named_framing(text, size)


def named_framing(text: str, size: int) -> Framing:
    """Return the framing that a data set states: "eyes", "box", or "box" and its margin.

    >>> named_framing("box 0.3", 64)
    FirstFrameBox(size=64, margin=0.3)

    Raises:
        ConfigError: It is another text.
    """
    name, *margin = text.split()
    try:
        if name not in ("eyes", "box") or len(margin) > 1:
            raise ValueError
        return face_framing(cast(FramingName, name), size, float(margin[0]) if margin else None)
    except ValueError as error:
        raise ConfigError(f'framing is "eyes", "box", or "box" and a margin such as "box 0.3", not {text!r}') from error


def prepare_face(frame: np.ndarray, framing: Framing, what: str, landmarks: np.ndarray | None = None) -> np.ndarray:
    """Return a picture of a face cut out as the training data were, uint8 (size, size, 3).

    A picture that is such a crop already is only resized. If no face is found, or nothing is installed that finds
    them, the picture is returned as it is, and the log says so.

    Args:
        frame: uint8 (H, W, 3).
        framing: The framing of the training data, at the model's size.
        what: Name of the picture in the log.
        landmarks: Landmarks (1, N, 2) of the face. By default they are detected.
    """
    return next(iter(prepare_faces([frame], framing, what, landmarks)))


def prepare_faces(
    driving: Driving, framing: Framing, what: str, landmarks: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield the frames of a video of a face, each cut out as by ``prepare_face``.

    Args:
        driving: The video, in any form that ``driving_frames`` takes.
        framing: The framing of the training data, at the model's size.
        what: Name of the video in the log.
        landmarks: Landmarks (T, N, 2). By default they are detected: on the first frame, or on all frames if the
            framing follows the face.

    Raises:
        DataError: There are more or fewer landmarks than frames.
    """
    if hasattr(driving, "__next__"):
        driving = list(cast(Iterator[Any], driving))  # landmarks and frames are read one after the other
    frames = driving_frames(driving)
    first = next(frames)
    if first.shape[:2] == (framing.size, framing.size):
        yield from chain([first], frames)
        return
    follows = not isinstance(framing, FirstFrameBox)
    points = landmarks if landmarks is not None else _detected(driving if follows else [first], what)
    if points is None:
        yield from chain([first], frames)
        return
    if is_crop(first.shape, points[0], framing):
        print_log(f"the {what} is taken for a crop of a face and used as a whole", "current")
        for frame in chain([first], frames):
            yield fit_square(frame, points[:1], framing.size)[0]
        return
    record = ClipRecord(what, GivenFrames([first]), what, None, len(points))
    warp = Warp(framing(RawClip(record, {"landmarks": points})), framing.size)
    side = framing.size / np.sqrt(abs(np.linalg.det(warp.transforms[0, :, :2])))
    height, width = first.shape[:2]
    print_log(f"the {what} is {width}x{height}: cut out are {side:.0f} pixels around the face", "current")
    count = 0
    for count, frame in enumerate(chain([first], frames), 1):
        if follows and count > len(points):
            raise DataError(f"the {what} has more frames than its landmarks, which are of {len(points)}")
        yield warp.frame(frame, count - 1)
    if follows and count < len(points):
        raise DataError(f"the {what} has {count} frames, its landmarks are of {len(points)}")


def given_landmarks(landmarks: Sequence[str | Path | np.ndarray] | None, number: int) -> np.ndarray | None:
    """Return the landmarks (T, N, 2) of the image (0) or of the driving video (1), or None if they are not given."""
    found = list(islice(landmarks or (), number, number + 1))
    if not found:
        return None
    return found[0] if isinstance(found[0], np.ndarray) else read_landmarks(found[0])


def _detected(driving: Driving, what: str) -> np.ndarray | None:
    """Return the landmarks (T, 68, 2) that are found in a video, or None, which the log explains."""
    if not dlib_installed():
        print_log(
            f"the face in the {what} is not looked for, its centre square is used. Give a picture that is cut out like "
            f"the training data, or --landmarks, or, {INSTALL}",
            "current",
            level=logging.WARNING,
        )
        return None
    try:
        return find_landmarks(cast(Any, _Frames(driving)), what)
    except DataError as error:
        print_log(f"{error}: the centre square of the {what} is used", "current", level=logging.WARNING)
        return None


class _Frames:
    """The frames of a video that are read anew by every loop over them."""

    def __init__(self, driving: Driving):
        self.driving = driving

    def __iter__(self) -> Iterator[np.ndarray]:
        return driving_frames(self.driving)

    def __len__(self) -> int:
        return 1  # only messages of records name the number
