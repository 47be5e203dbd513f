"""What drives models that read condition maps: poses of a body, or landmarks of faces, made into maps on the way."""

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
from i2vkit.datasets.point_files import fill_gaps, read_points
from i2vkit.errors import DataError
from i2vkit.models import PoseLstm
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.dlib_detector import INSTALL, dlib_installed
from i2vkit.preparation.face_crops import FaceFinder
from i2vkit.preparation.pipeline import RawClip


@dataclass(frozen=True)
class DrivingMaps:
    """Condition maps uint8: ``maps`` (T, M, H, W) of the frames to make, ``image_maps`` (M, H, W) of the image.

    ``image`` is the image as they show it, uint8 (H, W, 3); None where they show its centre square.
    """

    maps: np.ndarray
    image_maps: np.ndarray
    image: np.ndarray | None = None


def read_poses(path: str | Path) -> np.ndarray:
    """Joints (T, 13, 2) of a CSV file, header ``frame,x0,y0,...``, in the order of its frames; NaN where empty.

    Raises:
        DataError: no such file, or other columns.
    """
    return _numbered(Path(path), (13,))


def read_landmarks(path: str | Path) -> np.ndarray:
    """Landmarks (T, 68 or 5, 2), likewise; gaps of a few frames are filled in. Raises ``DataError``, also for more."""
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
    """Heatmaps of poses (T, 13, 2), in pixels of the image (H, W, 3).

    The first pose is that of the image, and of the first frame. With a ``network`` the poses are those that it sees,
    the last of them that of the image, and ``length`` forecast ones follow.

    Raises:
        DataError: fewer poses than the network sees, no pose for the image, or a network of another size.
    """
    poses = fit_square(image, poses, size)[1]
    if network is not None:
        if network.image_size != size:
            raise DataError(f"the pose LSTM was trained on {network.image_size} pixels, the model on {size}")
        poses = np.concatenate([poses[-1:], forecast_joints(network, poses, length)])
    if np.isnan(poses[0]).all():
        raise DataError("the first pose, that of the image, is empty: maps would not show where the person is")
    maps = JointHeatmaps(size)(poses)
    return DrivingMaps(maps, maps[0])


def face_maps(
    image: np.ndarray,
    driving: Driving,
    size: int,
    landmarks: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    generator: FaceMaps | None = None,
    framing: FirstFrameBox | None = None,
) -> DrivingMaps:
    """Normal maps of the image's face that does what the driving one does.

    Both are cut out around the face first, unless they are such crops already: see ``crop_face``.

    Args:
        image: (H, W, 3) uint8.
        driving: a video in any form, see ``driving_frames``.
        size: of the model.
        landmarks: (1, N, 2) of the image and (T, N, 2) of the driving video, in their pixels; where there are none
            they are found in the pictures (extra ``faces``).
        generator: what fits and draws; ``FaceMaps`` of that size by default.
        framing: how the model's data were cut out, at its size; by default as MUG is.

    Raises:
        DataError: a picture without a face, nothing that finds faces, or landmarks that do not fit the frames.
    """
    generator, framing = generator or FaceMaps(size), framing or FirstFrameBox(size)
    of_image, of_driving = landmarks
    of_image = find_landmarks([image], "image") if of_image is None else of_image[:1]
    frames = list(driving_frames(driving))
    of_driving = find_landmarks(frames, "driving video") if of_driving is None else of_driving
    if len(of_driving) != len(frames):
        raise DataError(f"the driving video has {len(frames)} frames, its landmarks are of {len(of_driving)}")
    image, of_image = crop_face(image, of_image, framing, "image")
    _, of_driving = crop_face(frames[0], of_driving, framing, "driving video")
    image_face, driving_face = generator.fit(of_image), generator.fit(of_driving)
    return DrivingMaps(generator(retarget(driving_face, image_face)), generator(image_face)[0], image)


def find_landmarks(frames: Sequence[np.ndarray], what: str) -> np.ndarray:
    """Landmarks (T, 68, 2) of the largest face in frames (H, W, 3), found by dlib as preparation finds them.

    Gaps of a few frames are filled in.

    Raises:
        DataError: dlib is not installed, or no face is found in too many frames in a row.
    """
    if not dlib_installed():
        raise DataError(f"there are no landmarks of the {what}: give --landmarks IMAGE DRIVING, or, {INSTALL}")
    clip = RawClip(ClipRecord(what, list(frames), what, None, len(frames)), {})
    try:
        points, filled = fill_gaps(FaceFinder("largest")(clip)["landmarks"])
    except DataError as error:
        raise DataError(f"the {what}: {error}. Take a picture from the front, or give --landmarks") from error
    if filled:
        print_log(f"{what}: landmarks of {filled} frames were interpolated", "current", level=logging.WARNING)
    return points
