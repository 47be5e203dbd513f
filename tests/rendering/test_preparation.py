"""Raw to prepared: eyes in their places, gaps bridged or reported, nothing half done."""

import csv
import sys

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder
from i2vkit.datasets.point_files import fill_gaps, read_points
from i2vkit.errors import DataError, MediaError
from i2vkit.media import image_paths, read_image
from i2vkit.preparation import pipeline as prepare
from i2vkit.preparation import prepare_oulu_casia
from i2vkit.preparation.alignment import LEFT_EYE, RIGHT_EYE, eye_centres, eye_transform
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.preparation.warping import Warp
from i2vkit.rendering.synthetic_oulu_casia import synthesize_oulu_casia


@pytest.fixture
def raw(tmp_path):
    root = tmp_path / "wrapped" / "raw"
    synthesize_oulu_casia(root, people=1, workers=1, size=(96, 72), truth="P001:P001:Fear")
    return root


@pytest.mark.parametrize("size", [32, 64, 100])
def test_eyes_come_to_their_places(size):
    eyes = np.array([[101.3, 80.2], [140.9, 87.7]])
    transform = eye_transform(eyes, size)
    moved = eyes @ transform[:, :2].T + transform[:, 2]
    np.testing.assert_allclose((moved + 0.5) / size, [LEFT_EYE, RIGHT_EYE], atol=1e-9)


def test_the_picture_goes_where_the_landmarks_go():
    """Two bright blobs, drawn where the eyes are, come out centred on the places of the eyes, to a tenth of a pixel."""
    eyes = np.array([[100.3, 80.6], [140.7, 85.2]])
    y, x = np.mgrid[0:240, 0:320]
    blobs = sum(np.exp(-((x - ex) ** 2 + (y - ey) ** 2) / 18.0) for ex, ey in eyes)
    frame = np.repeat((255 * blobs).astype(np.uint8)[..., None], 3, axis=2)
    points = np.concatenate([eyes, np.zeros((3, 2))])[None]
    warp = Warp(eye_transform(eyes, 64)[None], 64)
    moved = warp.points(points)
    grey = warp.frame(frame, 0)[..., 0].astype(float)
    rows, columns = np.mgrid[0:64, 0:64]
    for half, place in ((columns < 32, LEFT_EYE), (columns >= 32, RIGHT_EYE)):
        weight = grey * half
        centre = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
        np.testing.assert_allclose(centre, np.array(place) * 64 - 0.5, atol=0.1)
    np.testing.assert_allclose(moved[0, :2], np.array([LEFT_EYE, RIGHT_EYE]) * 64 - 0.5, atol=1e-9)


def test_a_blink_does_not_move_the_eye_centres():
    landmarks = np.random.default_rng(0).normal(size=(68, 2)) * 10
    blinked = landmarks.copy()
    blinked[[37, 38, 43, 44]] += (0, 5)
    np.testing.assert_array_equal(eye_centres(landmarks), eye_centres(blinked))


def test_prepared_layout(raw, tmp_path):
    out = tmp_path / "prepared"
    report = prepare_oulu_casia(raw, out, size=48, workers=1)
    assert "6 clips of 1 people" in report
    index = ClipFolder(str(out)).index()
    assert index.records[0].name == "P001/Anger/VL_Strong" and len(index.records) == 6
    assert index.records[0].frames.read([0]).shape == (1, 48, 48, 3)
    truth = ClipFolder(str(out / "truth")).index().records
    assert [record.name for record in truth] == ["P001/Fear/as_P001"]
    for record in [*index.records, *truth]:
        eyes = eye_centres(read_points(record.metadata["landmarks"], range(record.num_frames)))
        np.testing.assert_allclose(
            eyes, np.broadcast_to(np.array([LEFT_EYE, RIGHT_EYE]) * 48 - 0.5, eyes.shape), atol=2e-3
        )
    # The clip and its ground truth differ by the JPEG only: they are aligned by the same rule.
    clip = index.records[2].frames.read(range(truth[0].num_frames)).astype(int)
    assert np.abs(clip - truth[0].frames.read(range(truth[0].num_frames))).mean() < 2.5


def test_five_points_gaps_and_reasons(raw, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)  # which would find what is missing
    tables = raw / "landmarks/VL/Strong/P001"
    count = len(image_paths(raw / "OriginalImg/VL/Strong/P001/Anger"))
    full = read_points(tables / "Anger.csv", range(count))
    five = np.concatenate([eye_centres(full), full[:, [30, 48, 54]]], axis=1)
    write_landmarks(tables / "Anger.csv", five)
    lines = (tables / "Fear.csv").read_text().splitlines()
    (tables / "Fear.csv").write_text("\n".join(lines[:3] + lines[6:]) + "\n")
    (tables / "Sadness.csv").write_text("\n".join(lines[:3]) + "\n")
    (tables / "Disgust.csv").unlink()
    (raw / "OriginalImg/VL/Strong/P001/Surprise/004.jpeg").write_bytes(b"no picture")
    (tables / "Happiness.csv").write_text("a,b\n1,2\n")
    report = prepare_oulu_casia(raw, tmp_path / "out", size=32, workers=1)
    assert "landmarks of 3 frames in 1 clips were interpolated" in report and "4 clips were skipped" in report
    with (tmp_path / "out/skipped.csv").open() as file:
        skipped = {row["what"].split("/")[1]: row["why"] for row in csv.DictReader(file)}
    assert "frames in a row have no landmarks" in skipped["Sadness"]
    assert skipped["Disgust"].startswith("no landmarks at")
    assert "004.jpeg" in skipped["Surprise"]
    assert "header must be" in skipped["Happiness"]
    assert [record.label for record in ClipFolder(str(tmp_path / "out")).index().records] == ["Anger", "Fear"]


def test_it_goes_on_where_it_stopped(raw, tmp_path, monkeypatch):
    out = tmp_path / "out"
    written = []

    def full_disk(path, image):
        if len(written) == 40:
            raise MediaError(f"{path} cannot be written: [Errno 28] No space left on device")
        written.append(path)
        write(path, image)

    write = prepare.write_image
    monkeypatch.setattr(prepare, "write_image", full_disk)
    with pytest.raises(DataError, match=r"No space left.*run the same command again: the 1 clips of 7"):
        prepare_oulu_casia(raw, out, size=32, workers=1)
    assert [path.name for path in (out / "P001").rglob("*") if path.is_dir()].count("VL_Strong") == 1
    assert not [path for path in out.rglob(".*") if path.is_file() or path.name.endswith(".part")]
    written[:] = [None] * 41
    prepare_oulu_casia(raw, out, size=32, workers=1)
    assert len(ClipFolder(str(out)).index().records) == 6
    again = len(written)
    prepare_oulu_casia(raw, out, size=32, workers=1)
    assert len(written) == again


def test_errors_say_what_to_do(raw, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(DataError, match="synthesize_data"):
        prepare_oulu_casia(tmp_path / "nowhere", tmp_path / "out")
    prepare_oulu_casia(raw, tmp_path / "out", size=32, workers=1)
    with pytest.raises(DataError, match="size=32, not 64"):
        prepare_oulu_casia(raw, tmp_path / "out", size=64, workers=1)
    for table in (raw / "landmarks/VL/Strong/P001").iterdir():
        table.unlink()
    with pytest.raises(DataError, match=r"no landmarks: looked for .* Give one CSV file a clip"):
        prepare_oulu_casia(raw, tmp_path / "other")


def test_any_folder_above_will_do(raw, tmp_path):
    above = prepare_oulu_casia(tmp_path / "wrapped", tmp_path / "above", size=32, workers=1)
    below = prepare_oulu_casia(raw / "OriginalImg", tmp_path / "below", size=32, workers=1)
    assert "6 clips" in above and "6 clips" in below
    assert len(ClipFolder(str(tmp_path / "below/truth")).index().records) == 1


def test_frames_and_landmarks_numbered_differently(raw):
    with pytest.raises(DataError, match="points of frame 0, which does not exist: the frames are 1 to 15"):
        read_points(raw / "landmarks/VL/Strong/P001/Anger.csv", range(1, 16))


def test_gaps_longer_than_five_frames_are_not_bridged():
    landmarks = np.zeros((12, 5, 2))
    landmarks[3:8] = np.nan
    assert fill_gaps(landmarks)[1] == 5
    landmarks[8] = np.nan
    with pytest.raises(DataError, match="6 frames in a row"):
        fill_gaps(landmarks)


def test_eyes_that_cannot_be():
    with pytest.raises(DataError, match="left of the second"):
        eye_transform(np.array([[40.0, 20.0], [10.0, 20.0]]), 64)


def test_the_frames_are_lossless_and_sharp(raw, tmp_path):
    prepare_oulu_casia(raw, tmp_path / "out", size=32, workers=1)
    frame = read_image(tmp_path / "out/P001/Anger/VL_Strong/000.png")
    assert frame.std() > 25
