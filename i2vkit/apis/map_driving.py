"""Condition maps of the poses of a body or of the landmarks of faces, and these landmarks for models that read them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from i2vkit.apis.driving import Driving, driving_frames
from i2vkit.apis.face_crop import crop_face, fit_square
from i2vkit.apis.forecasting import forecast_joints
from i2vkit.conditions import FaceMaps, JointHeatmaps, retarget
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import GivenFrames
from i2vkit.datasets.point_files import fill_gaps, read_points
from i2vkit.errors import DataError
from i2vkit.models import PoseLstm
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.dlib_detector import INSTALL, dlib_installed
from i2vkit.preparation.face_crops import FaceFinder
from i2vkit.preparation.pipeline import Framing, RawClip


@dataclass(frozen=True)
class DrivingMaps:
    """Condition maps uint8: ``maps`` (T, M, H, W) of the frames to make, and ``image_maps`` (M, H, W) of the image.

    ``image`` is the image as the maps show it, uint8 (H, W, 3), or None if they show its centre square.
    """

    maps: np.ndarray
    image_maps: np.ndarray
    image: np.ndarray | None = None


def read_poses(path: str | Path) -> np.ndarray:
    """Read joints (T, 13, 2) from a CSV file with the header ``frame,x0,y0,...``, in the order of its frames.

    Returns:
        The joints, NaN where the file has no values.

    Raises:
        DataError: There is no such file, or it has other columns.
    """
    return _numbered(Path(path), (13,))


def read_landmarks(path: str | Path) -> np.ndarray:
    """Read landmarks (T, 68 or 5, 2) from a CSV file like that of ``read_poses``. Gaps of a few frames are filled in.

    Raises:
        DataError: There is no such file, it has other columns, or a gap is too long.
    """
    return fill_gaps(_numbered(Path(path), (68, 5)))[0]


def _numbered(path: Path, counts: Sequence[int]) -> np.ndarray:
    if not path.is_file():
        raise DataError(f"there is no {path.absolute()}: a CSV file with the header frame,x0,y0,x1,y1,... is wanted")
    lines = path.read_text(encoding="utf-8-sig").split("\n")[1:]
    numbers = [int(first) for line in lines if (first := line.partition(",")[0].strip()).isdecimal()]
    if not numbers:
        raise DataError(f"{path} has no rows of points: each begins with the number of its frame")
    return read_points(path, range(min(numbers), max(numbers) + 1), counts)


def body_maps(
    image: np.ndarray, poses: np.ndarray, size: int, network: PoseLstm | None = None, length: int = 32
) -> DrivingMaps:
    """Draw heatmaps of poses.

    Args:
        image: The image, uint8 (H, W, 3).
        poses: (T, 13, 2) in pixels of the image. The first pose is that of the image and of the first frame.
        size: Side of the model's videos in pixels.
        network: A pose LSTM. If it is given, ``poses`` are those that it sees, the last of them is that of the image,
            and forecast ones follow.
        length: Number of poses to forecast. Default 32.

    Raises:
        DataError: There are fewer poses than the network needs, no pose for the image, or the network is of another
            size.
    """
    poses = fit_square(image, poses, size)[1]
    if network is not None:
        if network.image_size != size:
            raise DataError(f"the pose LSTM was trained on {network.image_size} pixels, the model on {size}")
        # (1, 13, 2) and (length, 13, 2) -> (1 + length, 13, 2)
        poses = np.concatenate([poses[-1:], forecast_joints(network, poses, length)])
    if np.isnan(poses[0]).all():
        raise DataError("the first pose, that of the image, is empty: maps would not show where the person is")
    maps = JointHeatmaps(size)(poses)
    return DrivingMaps(maps, maps[0])


@dataclass(frozen=True)
class FacePoints:
    """Landmarks of two faces as a model of crops sees them, in pixels of its videos.

    Attributes:
        image: The image, cut out around its face, uint8 (size, size, 3).
        image_landmarks: (1, N, 2) of its face.
        landmarks: (T, N, 2) of the driving face.
    """

    image: np.ndarray
    image_landmarks: np.ndarray
    landmarks: np.ndarray


def face_points(
    image: np.ndarray,
    driving: Driving,
    framing: Framing,
    landmarks: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> FacePoints:
    """Return the landmarks of the image's face and of the driving face, and the image cut out around its face.

    Image and driving video are cut out around the face, unless they are such crops already, see ``crop_face``.

    Args:
        image: uint8 (H, W, 3).
        driving: A video in any form, see ``driving_frames``.
        framing: The framing of the model's data, at its size.
        landmarks: (1, N, 2) of the image and (T, N, 2) of the driving video, in their pixels. A None is replaced by
            landmarks that are detected in the pictures (extra ``faces``). Default both None.

    Raises:
        DataError: A picture has no face, no detector is installed, or landmarks do not fit the frames.
    """
    of_image, of_driving = landmarks
    of_image = find_landmarks([image], "image") if of_image is None else of_image[:1]
    frames = list(driving_frames(driving))
    of_driving = find_landmarks(frames, "driving video") if of_driving is None else of_driving
    if len(of_driving) != len(frames):
        raise DataError(f"the driving video has {len(frames)} frames, its landmarks are of {len(of_driving)}")
    image, of_image = crop_face(image, of_image, framing, "image")
    _, of_driving = crop_face(frames[0], of_driving, framing, "driving video")
    return FacePoints(image, of_image, of_driving)


def face_maps(
    image: np.ndarray,
    driving: Driving,
    size: int,
    landmarks: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    generator: FaceMaps | None = None,
    framing: FirstFrameBox | None = None,
) -> DrivingMaps:
    """Draw normal maps of the image's face with the motion of the driving face.

    Args:
        image: As for ``face_points``.
        driving: As for ``face_points``.
        size: Side of the model's videos in pixels.
        landmarks: As for ``face_points``.
        generator: The condition generator that fits and draws faces. By default ``FaceMaps`` of that size.
        framing: The framing of the model's data, at its size. By default that of MUG.

    Raises:
        DataError: As for ``face_points``.
    """
    generator, framing = generator or FaceMaps(size), framing or FirstFrameBox(size)
    seen = face_points(image, driving, framing, landmarks)
    image_face, driving_face = generator.fit(seen.image_landmarks), generator.fit(seen.landmarks)
    return DrivingMaps(generator(retarget(driving_face, image_face)), generator(image_face)[0], seen.image)


def find_landmarks(frames: Sequence[np.ndarray], what: str) -> np.ndarray:
    """Detect the landmarks (T, 68, 2) of the largest face in frames (H, W, 3) with dlib, as preparation does.

    Gaps of a few frames are filled in.

    Args:
        frames: The frames, uint8.
        what: Name of the frames in messages.

    Raises:
        DataError: dlib is not installed, or no face is found in too many frames in a row.
    """
    if not dlib_installed():
        raise DataError(f"there are no landmarks of the {what}: give --landmarks IMAGE DRIVING, or, {INSTALL}")
    clip = RawClip(ClipRecord(what, GivenFrames(frames), what, None, len(frames)), {})
    try:
        points, filled = fill_gaps(FaceFinder("largest")(clip)["landmarks"])
    except DataError as error:
        raise DataError(f"the {what}: {error}. Take a picture from the front, or give --landmarks") from error
    if filled:
        print_log(f"{what}: landmarks of {filled} frames were interpolated", "current", level=logging.WARNING)
    return points
