"""Faces found, followed, boxed and aligned: MUG, UvA-NEMO and Oulu-CASIA from raw to prepared."""

import csv
import sys
from functools import cache

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, ClipRecord
from i2vkit.datasets.point_files import read_points
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import VideoFacts, write_image, write_video
from i2vkit.preparation import prepare_mug, prepare_oulu_casia, prepare_uva_nemo
from i2vkit.preparation.alignment import LEFT_EYE, RIGHT_EYE, eye_centres
from i2vkit.preparation.boxes import BoxPerFrame, FirstFrameBox, face_square
from i2vkit.preparation.dlib_detector import DlibFaceDetector, dlib_installed
from i2vkit.preparation.face_crops import FaceFinder, choose_face, face_framing, nearest_face
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.preparation.pipeline import RawClip
from i2vkit.rendering.faces.expressions import ActionUnits
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer

needs_dlib = pytest.mark.skipif(not dlib_installed(), reason="the extra 'faces' is not installed")


@pytest.fixture
def without_dlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)


@cache
def smile(person: int = 1, size: tuple[int, int] = (128, 96), frames: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, H, W, 3) of a person whose jaw drops, and landmarks (T, 68, 2)."""
    face = FaceRenderer(draw_identity(0, person), *size)
    frames = [face.render(ActionUnits(jaw_drop=step)) for step in np.linspace(0, 1, frames)]
    return np.stack([frame for frame, _ in frames]), np.stack([points for _, points in frames])


def five_of(landmarks: np.ndarray) -> np.ndarray:
    return np.concatenate([eye_centres(landmarks), landmarks[:, [30, 48, 54]]], axis=1)


def write_take(root, name: str, frames: np.ndarray, landmarks: np.ndarray | None = None) -> None:
    for number, frame in enumerate(frames, start=1):
        write_image(root / "subjects3" / name / f"img_{number:04d}.jpg", frame)
    if landmarks is not None:
        write_landmarks(root / "landmarks" / f"{name}.csv", landmarks, first=1)


def write_smile(root, name: str, frames: np.ndarray, landmarks: np.ndarray | None = None) -> None:
    write_video(root / "UvA-NEMO_SMILE_DATABASE/videos" / f"{name}.mp4", frames, fps=50)
    if landmarks is not None:
        write_landmarks(root / "landmarks" / f"{name}.csv", landmarks)


def skipped_in(out) -> dict[str, str]:
    with (out / "skipped.csv").open() as file:
        return {row["what"]: row["why"] for row in csv.DictReader(file)}


def clip_of(frames, **points) -> RawClip:
    return RawClip(ClipRecord("a/b/c", list(frames), "a", "b", len(frames)), points)


class Lamps:
    """A detector that takes every row of bright pixels for a face, in whose corners and centre the landmarks lie."""

    def __init__(self):
        self.whole = 0

    def faces(self, frame, near=None):
        self.whole += near is None
        boxes = [[x - 10.0, 10.0, x + 10.0, 30.0] for x in np.flatnonzero(frame[20, :, 0])]
        if near is not None:
            boxes = [box for box in boxes if abs(box[0] - near[0]) <= 10]
        return np.array(boxes).reshape(-1, 4)

    def landmarks(self, frame, box):
        return np.tile((box[:2] + box[2:]) / 2, (68, 1))


def lamps_at(*places: tuple[int, ...]) -> np.ndarray:
    """Frames 40x200 with a face at each of these x."""
    frames = np.zeros((len(places), 40, 200, 3), np.uint8)
    for frame, here in zip(frames, places, strict=True):
        frame[20, list(here)] = 255
    return frames


def followed(finder: FaceFinder, *places: tuple[int, ...]) -> list[float]:
    return finder(clip_of(lamps_at(*places)))["landmarks"][:, 0, 0].tolist()


def test_a_face_is_followed_past_another():
    finder = FaceFinder("left", Lamps())
    # Half of the last box is kept, so a step of 4 is half made at first.
    assert followed(finder, (50, 120), (50, 120), (54, 70), (54, 58)) == [50, 50, 52, 53]
    assert finder.detector.whole == 1  # afterwards only the surroundings are searched


def test_a_face_that_jumps_is_found_again_but_no_other_is_taken_for_it():
    finder = FaceFinder("only", Lamps())
    assert followed(finder, (50,), (68,)) == [50, 59]  # out of the surroundings, within a face's width
    assert np.isnan(followed(finder, (50,), (90,), (50,))).tolist() == [False, True, False]


def test_gaps_of_up_to_five_frames():
    gone = [()] * 5
    assert np.isnan(followed(FaceFinder("only", Lamps()), *gone, (50,), *gone, (50,), *gone)).sum() == 15
    with pytest.raises(DataError, match="no face was found in frames 1 to 6; up to 5 frames in a row are bridged"):
        followed(FaceFinder("only", Lamps()), (50,), *gone, (), (50,))
    with pytest.raises(DataError, match="no face was found in any of its 3 frames"):
        followed(FaceFinder("only", Lamps()), (), (), ())


def test_which_of_several_faces():
    boxes = np.array([[10.0, 0, 50, 40], [90, 0, 140, 50], [60, 0, 70, 10], [150, 0, 190, 40]])
    assert [choose_face(boxes, which)[0] for which in ("left", "largest", "right")] == [10, 90, 150]
    with pytest.raises(DataError, match="3 faces on frame 4: choose one with --face largest, left or right"):
        choose_face(boxes, "only", 4)
    np.testing.assert_array_equal(choose_face(boxes[1:3], "only"), boxes[1])  # a face in the background
    np.testing.assert_array_equal(nearest_face(boxes, np.array([80.0, 0, 130, 50])), boxes[1])
    assert nearest_face(boxes, np.array([300.0, 0, 340, 40])) is None


def test_the_square_around_a_face():
    landmarks = np.tile([20.0, 30.0], (68, 1))
    landmarks[0], landmarks[1] = (10.0, 30.0), (40.0, 50.0)
    centre, side = face_square(landmarks)
    assert centre.tolist() == [25.0, 40.0] and side == 30.0


@pytest.mark.parametrize("person", [1, 5, 9, 17])
def test_five_points_give_about_the_same_square(person):
    landmarks = smile(person, frames=1)[1]
    (centre, side), (centre5, side5) = face_square(landmarks[0]), face_square(five_of(landmarks)[0])
    assert np.linalg.norm(centre - centre5) < 0.05 * side and abs(side5 / side - 1) < 0.1


def test_one_box_serves_the_whole_clip():
    first = np.array([[[100.0, 50.0]] * 66 + [[120.0, 90.0], [80.0, 60.0]]])
    transforms = FirstFrameBox(60, margin=0.25)(clip_of([], landmarks=np.concatenate([first, first + 30])))
    # The square is 40 wide with its centre at (100, 70); it is 10 more on every side, so 60 in the picture are 60 here.
    np.testing.assert_allclose(transforms, [[[1.0, 0.0, 29.5 - 100], [0.0, 1.0, 29.5 - 70]]])
    with pytest.raises(DataError, match="no landmarks at hand"):
        FirstFrameBox(60)(clip_of([]))
    with pytest.raises(DataError, match="first frame are all at"):
        FirstFrameBox(60)(clip_of([], landmarks=np.zeros((1, 68, 2))))


def test_a_box_for_each_frame_keeps_the_face_in_place():
    first = np.random.default_rng(0).uniform(20, 60, (1, 68, 2))
    clip = clip_of([], landmarks=np.concatenate([first, 2 * first + 30, first[:, ::-1] - 5]))
    transforms = BoxPerFrame(60, margin=0.25)(clip)
    assert transforms.shape == (3, 2, 3)
    frames = zip(clip.points["landmarks"], transforms, strict=True)
    moved = [points @ matrix[:, :2].T + matrix[:, 2] for points, matrix in frames]
    for points in moved:  # in the middle, with a margin of a quarter of the face on each side: 10 of 60 pixels
        low, high = points.min(axis=0), points.max(axis=0)
        assert np.allclose((low + high) / 2, 29.5) and np.isclose((high - low).max(), 40)
    assert np.allclose(transforms[:1], FirstFrameBox(60, margin=0.25)(clip))
    assert isinstance(face_framing("box_per_frame", 60, 0.1), BoxPerFrame)
    clip.points["landmarks"][1] = 7
    with pytest.raises(DataError, match="landmarks of frame 1 are all at"):
        BoxPerFrame(60)(clip)


def test_mug_with_landmarks_of_its_user(tmp_path, without_dlib):
    frames, landmarks = smile()
    write_take(tmp_path / "raw", "001/surprise/take000", frames, landmarks)
    write_take(tmp_path / "raw", "002/session0/fear/take001", frames, five_of(landmarks))
    write_take(tmp_path / "raw", "003/fear/take000", frames)
    report = prepare_mug(tmp_path / "raw", tmp_path / "out", size=48, workers=1)
    assert "2 clips of 2 people, 14 frames" in report
    assert "no landmarks at hand; to have them found" in skipped_in(tmp_path / "out")["003/fear/take000"]
    index = ClipFolder(str(tmp_path / "out")).index()
    assert [record.name for record in index.records] == ["001/surprise/take000", "002/fear/session0_take001"]
    moved = read_points(index.records[0].metadata["landmarks"], range(7))
    centre, side = face_square(moved[0])
    np.testing.assert_allclose([*centre, side], [23.5, 23.5, 48 / 1.2], atol=2e-3)
    # One map for all frames: the jaw goes down in the picture as it did before.
    _, raw_side = face_square(landmarks[0])
    np.testing.assert_allclose(moved - moved[0], (landmarks - landmarks[0]) * side / raw_side, atol=3e-3)
    assert read_points(index.records[1].metadata["landmarks"], range(7)).shape == (7, 5, 2)
    assert index.records[0].frames.read(range(7)).shape == (7, 48, 48, 3)


def test_uva_nemo_by_the_eyes(tmp_path, without_dlib):
    frames, landmarks = smile()
    write_smile(tmp_path / "raw", "001_deliberate_smile_1", frames, landmarks)
    write_smile(tmp_path / "raw", "002_spontaneous_smile_3", frames[:4], landmarks[:4])
    prepare_uva_nemo(tmp_path / "raw", tmp_path / "out", size=32, workers=1, framing="eyes")
    index = ClipFolder(str(tmp_path / "out")).index()
    assert [(record.name, record.num_frames, record.fps) for record in index.records] == [
        ("001/deliberate/smile_1", 7, 50.0),
        ("002/spontaneous/smile_3", 4, 50.0),
    ]
    eyes = eye_centres(read_points(index.records[0].metadata["landmarks"], range(7)))
    places = np.array([LEFT_EYE, RIGHT_EYE]) * 32 - 0.5
    np.testing.assert_allclose(eyes, np.broadcast_to(places, eyes.shape), atol=2e-3)
    with pytest.raises(DataError, match=r"framing='EyeAlignment', not 'FirstFrameBox'.*choose another --out"):
        prepare_uva_nemo(tmp_path / "raw", tmp_path / "out", size=32, workers=1)
    report = prepare_uva_nemo(tmp_path / "raw", tmp_path / "posed", size=32, workers=1, kind="deliberate")
    assert "1 clips of 1 people" in report


def test_what_cannot_be_read_is_skipped_with_the_reason(tmp_path, without_dlib):
    frames, landmarks = smile()
    videos = tmp_path / "UvA-NEMO_SMILE_DATABASE/videos"
    write_smile(tmp_path, "001_deliberate_smile_1", frames, landmarks)
    write_smile(tmp_path, "002_deliberate_smile_1", frames, landmarks)
    write_smile(tmp_path, "003_deliberate_smile_1", frames, np.full_like(landmarks, np.nan))
    (videos / "002_deliberate_smile_1.mp4").write_bytes(b"no codec knows this")
    report = prepare_uva_nemo(tmp_path, tmp_path / "out", size=32, workers=1)
    assert "1 clips of 1 people" in report
    skipped = skipped_in(tmp_path / "out")
    assert "002_deliberate_smile_1.mp4 cannot be read" in next(why for what, why in skipped.items() if "002" in what)
    assert "7 frames in a row have no landmarks" in skipped["003/deliberate/smile_1"]


def test_pictures_and_points_of_different_numbers(tmp_path, monkeypatch, without_dlib):
    """A video whose header states another number of frames than it holds."""
    frames, landmarks = smile()
    write_smile(tmp_path, "001_deliberate_smile_1", frames, landmarks)
    write_smile(tmp_path, "002_deliberate_smile_1", frames, landmarks[:5])
    write_smile(tmp_path, "003_deliberate_smile_1", frames, np.concatenate([landmarks, landmarks[:1]]))
    stated = {"001": 7, "002": 5, "003": 8}
    monkeypatch.setattr(
        "i2vkit.datasets.readers.uva_nemo.whole_facts",
        lambda path: VideoFacts(7, 25.0, num_stored=stated[path.name[:3]]),
    )
    assert "1 clips" in prepare_uva_nemo(tmp_path, tmp_path / "out", size=32, workers=1)
    skipped = skipped_in(tmp_path / "out")
    assert skipped["002/deliberate/smile_1"] == "it has 6 frames or more, but points of 5"
    assert skipped["003/deliberate/smile_1"] == "it has 7 frames, but points of 8"


@pytest.mark.parametrize("prepare, write", [(prepare_mug, write_take), (prepare_uva_nemo, write_smile)])
def test_errors_say_what_to_do(prepare, write, tmp_path, without_dlib):
    with pytest.raises(DataError, match="there is no such folder"):
        prepare(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError, match="the folder is empty"):
        prepare(tmp_path / "raw", tmp_path / "out")
    (tmp_path / "raw/download").mkdir()
    (tmp_path / "raw/download/set.part1.rar").write_bytes(b"")
    (tmp_path / "raw/download/set.part2.rar").write_bytes(b"")
    with pytest.raises(DataError, match=r"archive set.part1.rar \(and 1 more\) seems not to be unpacked"):
        prepare(tmp_path / "raw", tmp_path / "out")
    with pytest.raises(DataError, match=r"that is a file.\nThe archive set.part1.rar seems not to be unpacked"):
        prepare(tmp_path / "raw/download/set.part1.rar", tmp_path / "out")
    name = "001/anger/take000" if prepare is prepare_mug else "001_deliberate_smile_1"
    write(tmp_path / "raw", name, smile()[0])
    with pytest.raises(
        DataError, match=rf"no landmarks: looked for .*landmarks/{name}.csv .*pip install 'i2vkit\[faces"
    ):
        prepare(tmp_path / "raw", tmp_path / "out")
    with pytest.raises(ConfigError, match="--margin belongs to --framing box"):
        prepare(tmp_path / "raw", tmp_path / "out", framing="eyes", margin=0.1)
    with pytest.raises(ConfigError, match="--margin -1"):
        prepare(tmp_path / "raw", tmp_path / "out", margin=-1)
    assert not (tmp_path / "out").exists()


@needs_dlib
@pytest.mark.parametrize("size", [(96, 72), (320, 240), (960, 720)])
def test_dlib_finds_the_landmarks_of_a_rendered_face(size):
    frames, landmarks = smile(person=3, size=size, frames=1)
    (box,) = DlibFaceDetector().faces(frames[0])
    (again,) = DlibFaceDetector().faces(frames[0], near=box)
    assert np.linalg.norm(again - box) < 0.15 * (box[2] - box[0])
    found = DlibFaceDetector().landmarks(frames[0], box)
    between = np.linalg.norm(np.diff(eye_centres(landmarks[0]), axis=0))
    assert np.linalg.norm(found - landmarks[0], axis=1).mean() < 0.1 * between


@needs_dlib
def test_sets_without_landmarks(tmp_path):
    frames, landmarks = smile(person=5, size=(160, 120))
    other = smile(person=9, size=(160, 120))[0]
    raw, out = tmp_path / "raw", tmp_path / "out"
    write_take(raw, "001/anger/take000", frames)
    write_take(raw, "001/anger/take001", np.concatenate([frames, other], axis=2))
    write_take(raw, "001/anger/take002", np.zeros_like(frames))
    report = prepare_mug(raw, out, size=64, workers=1)
    assert "1 clips of 1 people" in report and "landmarks of 1 clips were found in the pictures" in report
    skipped = skipped_in(out)
    assert "2 faces on frame 0: choose one with --face largest, left or right" in skipped["001/anger/take001"]
    assert "no face was found in frames 0 to 5" in skipped["001/anger/take002"]
    moved = read_points(ClipFolder(str(out)).index().records[0].metadata["landmarks"], range(7))
    # What is cut out is the square around the true landmarks, to a tenth: the eyes are as far apart as they would be.
    apart, side = np.linalg.norm(landmarks[0, 45] - landmarks[0, 36]), face_square(landmarks[0])[1]
    assert np.linalg.norm(moved[0, 45] - moved[0, 36]) == pytest.approx(64 / 1.2 * apart / side, rel=0.1)
    # Those that were skipped are added, the others stay.
    assert "2 clips" in prepare_mug(raw, out, size=64, workers=1, face="right")


@needs_dlib
def test_oulu_casia_without_landmarks(tmp_path):
    frames, _ = smile(size=(160, 120))
    for number, frame in enumerate(frames):
        write_image(tmp_path / f"raw/VL/Strong/P001/Fear/{number:03d}.jpeg", frame)
    prepare_oulu_casia(tmp_path / "raw", tmp_path / "out", size=64, workers=1)
    (record,) = ClipFolder(str(tmp_path / "out")).index().records
    eyes = eye_centres(read_points(record.metadata["landmarks"], range(7)))
    places = np.array([LEFT_EYE, RIGHT_EYE]) * 64 - 0.5
    np.testing.assert_allclose(eyes, np.broadcast_to(places, eyes.shape), atol=2e-3)
