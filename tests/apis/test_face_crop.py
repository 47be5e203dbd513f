"""Raw pictures of faces are cut out as preparation does, and crops are left as they are."""

from dataclasses import replace

import numpy as np
import pytest
from narrow import SIZE

from i2vkit.apis import face_crop
from i2vkit.apis.face_crop import crop_face, fit_square, is_crop
from i2vkit.apis.map_driving import face_maps, find_landmarks
from i2vkit.datasets import ClipRecord
from i2vkit.datasets.point_files import read_points
from i2vkit.errors import DataError
from i2vkit.media import read_image
from i2vkit.preparation.boxes import FirstFrameBox, face_square
from i2vkit.preparation.dlib_detector import dlib_installed
from i2vkit.preparation.face_crops import FaceFinder
from i2vkit.preparation.pipeline import PreparationJob, RawClip, prepare_clip
from i2vkit.rendering.faces.expressions import ActionUnits, HeadPose
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer

FRAMING = FirstFrameBox(SIZE)


def face(person: int, width: int = 128, height: int = 96, frames: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, H, W, 3) of somebody left of the middle whose jaw drops, and landmarks (T, 68, 2)."""
    renderer, head = FaceRenderer(draw_identity(0, person), width, height), HeadPose(dx=-8)
    made = [renderer.render(ActionUnits(jaw_drop=step), head) for step in np.linspace(0, 1, frames)]
    return np.stack([frame for frame, _ in made]), np.stack([points for _, points in made])


def test_a_raw_face_is_cut_out_as_preparation_cuts_it_out(tmp_path):
    frames, landmarks = face(1)
    record = ClipRecord("a/b/c", list(frames), "a", "b", 3, metadata={"landmarks": landmarks})
    assert not prepare_clip(PreparationJob(record, tmp_path, FRAMING)).skipped
    picture, points = crop_face(frames[0], landmarks, FRAMING, "image")
    assert np.array_equal(picture, read_image(tmp_path / "a/b/c/000.png"))
    prepared = read_points(tmp_path / "landmarks/a/b/c.csv", range(3), (68,))
    assert np.allclose(points, prepared, atol=0.01)
    centre, side = face_square(points[0])
    assert centre == pytest.approx([(SIZE - 1) / 2] * 2) and side == pytest.approx(SIZE / 1.2)
    wide = crop_face(frames[0], landmarks, replace(FRAMING, margin=0.3), "image")[1]
    assert face_square(wide[0])[1] == pytest.approx(SIZE / 1.6)


@pytest.mark.parametrize("size", [SIZE, 80])
def test_a_crop_is_not_cut_again(size, monkeypatch):
    said = []
    monkeypatch.setattr(face_crop, "print_log", lambda text, *_: said.append(text))
    frames, landmarks = face(2)
    crop, points = crop_face(frames[0], landmarks, FirstFrameBox(size), "image")
    again, moved = crop_face(crop, points, FRAMING, "image")
    assert np.allclose(moved, (points + 0.5) * SIZE / size - 0.5)
    assert np.array_equal(again, fit_square(crop, points, SIZE)[0])
    if size == SIZE:
        assert np.array_equal(again, crop)
    assert said[0].startswith("the image is 128x96: cut out are ")
    assert said[1] == f"the image, {size}x{size}, is taken for a crop of a face and used as a whole"


def test_what_is_a_crop():
    _, landmarks = face(1)
    share = face_square(landmarks[0])[1] / 96
    assert share < 0.6 and not is_crop((96, 96), landmarks[0], FRAMING)  # head and shoulders, square
    wide = replace(FRAMING, margin=0.3)
    for framing, own in ((FRAMING, 1 / 1.2), (wide, 1 / 1.6)):
        for filled, expected in ((own, True), (0.9 * own, True), (0.8 * own, False), (1.2, True)):
            points = landmarks[0] * filled / share
            assert is_crop((96, 96), points, framing) == expected, (framing.margin, filled)
            assert not is_crop((96, 97), points, framing)
    assert is_crop((SIZE, SIZE), landmarks[0] * 0.1, FRAMING)  # nothing would be left to cut from


def test_the_maps_of_a_raw_face_are_those_of_its_crop():
    (image, of_image), (driving, of_driving) = face(1, frames=1), face(2)
    crop, moved = crop_face(image[0], of_image, FRAMING, "image")
    maps = face_maps(image[0], driving, SIZE, (of_image, of_driving))
    same = face_maps(crop, driving, SIZE, (moved, of_driving))
    assert np.array_equal(maps.maps, same.maps) and np.array_equal(maps.image, crop)
    rows, columns = np.nonzero((maps.image_maps != 128).any(axis=0))
    assert abs(columns.mean() - (SIZE - 1) / 2) < 2 and np.ptp(rows) > 0.6 * SIZE  # not the small face in the middle


@pytest.mark.skipif(not dlib_installed(), reason="the extra 'faces' is not installed")
def test_landmarks_that_were_found_cut_out_nearly_the_same():
    frames, landmarks = face(5, 320, 240)
    found = find_landmarks(frames, "image")
    finder = FaceFinder("largest")(RawClip(ClipRecord("a/b/c", list(frames), "a", "b", 3), {}))
    assert np.array_equal(found, finder["landmarks"])  # as preparation
    of_found, of_true = (face_square(points[0]) for points in (found, landmarks))
    assert np.abs(of_found[0] - of_true[0]).max() < 0.1 * of_true[1]
    assert of_found[1] == pytest.approx(of_true[1], rel=0.1)
    assert not is_crop(frames[0].shape, found[0], FRAMING)
    crop, _ = crop_face(frames[0], landmarks, FirstFrameBox(240), "image")
    assert is_crop(crop.shape, find_landmarks([crop], "image")[0], FRAMING)
    with pytest.raises(DataError, match=r"the image: no face was found in any of its 1 frames. Take a picture from"):
        find_landmarks([np.zeros((240, 320, 3), np.uint8)], "image")


def test_points_go_along_when_a_picture_is_cut_and_scaled():
    corners = np.array([[[16.0, 0.0], [79.0, 63.0]]])  # of the centre square of 96x64
    moved = fit_square(np.zeros((64, 96, 3), np.uint8), corners, 32)[1]
    assert np.allclose(moved, [[[-0.25, -0.25], [31.25, 31.25]]])
