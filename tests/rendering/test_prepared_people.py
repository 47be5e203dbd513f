"""People cut out of Weizmann's and NATOPS' pictures: a drawn block stands for the person."""

import json

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from i2vkit.datasets import ClipFolder, ClipRecord, VideoFile
from i2vkit.datasets import frame_sources as index
from i2vkit.datasets.formats.matlab import write_mat
from i2vkit.datasets.point_files import points_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_video
from i2vkit.preparation.person_crops import FixedBox, PersonCrop, moving_boxes, silhouette_boxes, smooth_track
from i2vkit.preparation.pipeline import RawClip
from i2vkit.preparation.prepared_natops import prepare_natops
from i2vkit.preparation.prepared_weizmann import find_masks, prepare_weizmann, with_boxes

WIDTH, HEIGHT = 90, 72
COLOUR = (240, 60, 30)


def wall() -> np.ndarray:
    """A wall with bricks, so that it can be seen whether the camera moves."""
    picture = np.full((HEIGHT, WIDTH, 3), (90, 110, 120), np.uint8)
    picture[::9] = picture[:, ::15] = (70, 80, 90)
    return picture


def person_at(x: float, tall: int = 30, wide: int = 8, arm: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A frame with a block from the ground up whose middle is at `x`, and its silhouette; an arm to the right."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    left = round(x - wide / 2)
    mask[60 - tall : 60, max(0, left) : max(0, left + wide)] = 1
    mask[60 - tall : 64 - tall, max(0, left) : max(0, left + wide + arm)] = 1
    frame = wall()
    frame[mask > 0] = COLOUR
    return frame, mask


def arm(number: int) -> int:
    """Length of an arm that comes and goes."""
    return round(7 - 7 * np.cos(number / 3))


@pytest.fixture
def raw(tmp_path):
    """daria walks 60 pixels in 40 frames, denis stays and waves."""
    root = tmp_path / "weizmann"
    walk = [person_at(15 + 1.5 * number) for number in range(40)]
    wave = [person_at(45, arm=arm(number)) for number in range(30)]
    masks = {}
    for name, clip in {"daria_walk": walk, "denis_wave1": wave}.items():
        write_video(root / f"{name}.avi", [frame for frame, _ in clip], fps=25)
        masks[name] = np.stack([mask for _, mask in clip], axis=2)
    write_mat(root / "classification_masks.mat", {"original_masks": masks, "aligned_masks": masks}, compress=True)
    return root


def middle(frame: np.ndarray) -> np.ndarray:
    """Where the block's colour lies, x and y."""
    red = (frame[..., 0].astype(int) - frame[..., 2] > 60).astype(np.uint8)
    x, y, wide, high = cv2.boundingRect(red)
    return np.array([x + wide / 2, y + high / 2])


def read_clip(root, name) -> np.ndarray:
    (record,) = [record for record in ClipFolder(root).index().records if record.name == name]
    return record.frames.read(range(record.num_frames))


def test_the_walker_stays_in_the_middle_and_the_wall_passes_by(raw, tmp_path):
    report = prepare_weizmann(raw, tmp_path / "out", size=48, workers=1)
    assert "2 clips of 2 people, 70 frames" in report
    frames = read_clip(tmp_path / "out", "daria/walk/daria_walk")
    assert frames.shape == (40, 48, 48, 3)
    middles = np.array([middle(frame) for frame in frames])
    # The square, 37.5 pixels wide, may not leave the picture: in between it follows.
    following = slice(6, 34)
    assert np.abs(middles[following] - 24).max() < 1.5
    assert middles[0, 0] < 22 and middles[-1, 0] > 26
    assert np.abs(np.diff(middles[:, 1])).max() < 1.1
    wall_only = frames[:, :4].astype(int)
    assert np.abs(wall_only[10] - wall_only[15]).mean() > 3.0


def test_who_stays_is_seen_by_a_camera_that_stays(raw, tmp_path):
    prepare_weizmann(raw, tmp_path / "out", size=48, workers=1)
    frames = read_clip(tmp_path / "out", "denis/wave1/denis_wave1").astype(int)
    assert np.abs(np.diff(frames[:, -3:], axis=0)).max() < 25  # the ground: noise of Motion JPEG
    assert np.abs(frames[3] - frames[9]).max() > 100  # the arm


def test_without_silhouettes_what_moves_is_the_person(raw, tmp_path):
    (raw / "classification_masks.mat").unlink()
    prepare_weizmann(raw, tmp_path / "out", size=48, workers=1)
    assert json.loads((tmp_path / "out/prepared.json").read_text())["masks"] is False
    frames = read_clip(tmp_path / "out", "daria/walk/daria_walk")
    middles = np.array([middle(frame) for frame in frames])
    assert np.abs(middles[6:34] - 24).max() < 2.5
    # Of the one who waves only the arm is found: the largest square there is, so that nothing is cut off.
    waving = ClipRecord("denis_wave1", VideoFile(raw / "denis_wave1.avi"), "denis", "wave1", 30)
    maps = PersonCrop(48)(RawClip(waving, {}))
    np.testing.assert_allclose(maps[:, 0, 0], 48 / HEIGHT)


def test_what_moves_against_the_median(raw):
    clip = RawClip(ClipRecord("a", VideoFile(raw / "daria_walk.avi"), "daria", "walk", 40), {})
    boxes = moving_boxes(clip)
    expected = silhouette_boxes(np.stack([person_at(15 + 1.5 * number)[1] for number in range(40)]))
    assert np.abs(boxes - expected).max() <= 2


def test_a_path_is_smooth_and_does_not_lag_at_its_ends():
    steps = np.arange(50)
    gait = 4 * np.sin(2 * np.pi * steps / 6)
    boxes = np.stack(
        [20 + 2.0 * steps - 8 - gait, np.full(50, 30), 20 + 2.0 * steps + 8 + gait / 2, np.full(50, 90)], 1
    )
    boxes[[7, 8, 30]] = np.nan
    centres, side = smooth_track(boxes, 25, margin=0.25)
    assert side == pytest.approx(1.25 * 60)
    np.testing.assert_allclose(centres[:, 0], 20 + 2.0 * steps, atol=1.2)
    np.testing.assert_allclose(np.diff(centres[:, 0]), 2.0, atol=0.4)
    np.testing.assert_array_equal(centres[:, 1], 60)
    still, wide = smooth_track(boxes - [[2, 0, 2, 0]] * steps[:, None], 25, margin=0.0)
    assert np.ptp(still, axis=0).tolist() == [0, 0] and wide == 60
    with pytest.raises(DataError, match="nobody was found"):
        smooth_track(np.full((5, 4), np.nan), 25, 0.1)


def test_short_clips_have_a_path_too():
    for length in (1, 2, 3, 4):
        boxes = np.tile([10.0, 10, 20, 50], (length, 1)) + 30 * np.arange(length)[:, None] * [1, 0, 1, 0]
        assert smooth_track(boxes, 25, 0.0)[0].shape == (length, 2)


@pytest.mark.parametrize(("square", "left", "top", "side"), [("pad", 30, -5.5, 260), ("cut", 45.5, 10, 229)])
def test_the_crop_of_natops(tmp_path, square, left, top, side):
    """A dot at the corner of the square comes to the corner of the prepared picture."""
    write_video(tmp_path / "a.mkv", [np.zeros((240, 320, 3), np.uint8)])
    clip = RawClip(ClipRecord("a", VideoFile(tmp_path / "a.mkv"), "s01", "gesture01", 1), {})
    framing = FixedBox(65, (30, 10, 290, 239), (320, 240), square)
    maps = framing(clip)
    assert maps.shape == (1, 2, 3)
    inner = np.array([left, top]) + side / 65 / 2 - 0.5  # the centre of the first prepared pixel
    np.testing.assert_allclose(maps[0] @ [*inner, 1], [0, 0], atol=1e-9)
    np.testing.assert_allclose(maps[0] @ [*(inner + side * 64 / 65), 1], [64, 64], atol=1e-9)


def test_the_crop_follows_the_size_of_the_picture(tmp_path):
    write_video(tmp_path / "a.mkv", [np.zeros((120, 160, 3), np.uint8)])
    clip = RawClip(ClipRecord("a", VideoFile(tmp_path / "a.mkv"), "s01", "gesture01", 1), {})
    full = FixedBox(64, (30, 10, 290, 239), (320, 240))(clip)[0]
    np.testing.assert_allclose(full @ [79.5, 61.75, 1], [31.5, 31.5])  # centre of the box, halved
    whole = FixedBox(64)(clip)[0]
    np.testing.assert_allclose(whole @ [-0.5, 59.5, 1], [-0.5, 31.5], atol=1e-9)
    np.testing.assert_allclose(whole @ [159.5, 59.5, 1], [63.5, 31.5], atol=1e-9)


def test_the_whole_picture_is_an_option(raw, tmp_path):
    prepare_weizmann(raw, tmp_path / "out", size=45, workers=1, framing="whole")
    frames = read_clip(tmp_path / "out", "daria/walk/daria_walk")
    assert [round(middle(frame)[0]) for frame in frames[[4, 20, 36]]] == [10, 22, 34]
    settings = json.loads((tmp_path / "out/prepared.json").read_text())
    assert (settings["framing"], settings["size"], settings["second_takes"]) == ("FixedBox", 45, False)
    with pytest.raises(DataError, match="made with other settings"):
        prepare_weizmann(raw, tmp_path / "out", size=45)
    assert "2 clips" in prepare_weizmann(raw, tmp_path / "out", size=45, workers=1, framing="whole")


def test_silhouettes_that_do_not_fit_are_left_out(raw):
    video = VideoFile(raw / "denis_wave1.avi")
    clips = [("denis_wave1", 30), ("denis_wave1", 32), ("denis_wave1", 28), ("denis_wave1", 40), ("eli_run", 30)]
    records = [ClipRecord(f"denis/wave1/{name}", video, "denis", "wave1", length) for name, length in clips]
    fits, longer, shorter, much_longer, other = with_boxes(records, raw / "classification_masks.mat")
    boxes = points_of(fits, "boxes")
    assert boxes.shape == (30, 4) and boxes[0].tolist() == [41, 30, 49, 60]
    np.testing.assert_array_equal(points_of(longer, "boxes")[:30], boxes)
    assert np.isnan(points_of(longer, "boxes")[30:]).all()
    np.testing.assert_array_equal(points_of(shorter, "boxes"), boxes[:28])
    assert much_longer.metadata == other.metadata == {}


def test_silhouettes_that_cannot_be_read_are_named(raw, tmp_path):
    path = raw / "classification_masks.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))
    with pytest.raises(DataError, match=r"classification_masks\.mat is a MATLAB file of version 7\.3.*save"):
        prepare_weizmann(raw, tmp_path / "out")
    savemat(path, {"aligned_masks": {"daria_walk": np.zeros((4, 4, 2))}})
    with pytest.raises(DataError, match=r"no struct original_masks .*, but aligned_masks"):
        prepare_weizmann(raw, tmp_path / "out")
    path.unlink()
    with pytest.raises(DataError, match="there is no file"):
        prepare_weizmann(raw, tmp_path / "out", masks=path)
    with pytest.raises(ConfigError, match="--margin must not be negative"):
        prepare_weizmann(raw, tmp_path / "out", margin=-1)


def test_silhouettes_may_lie_above_the_videos(raw):
    (raw / "walk").mkdir()
    (raw / "daria_walk.avi").rename(raw / "walk/daria_walk.avi")
    assert find_masks(raw / "walk", raw / "walk/daria_walk.avi") == raw / "classification_masks.mat"
    assert find_masks(raw.parent, raw / "walk/daria_walk.avi") == raw / "classification_masks.mat"


def test_an_unreadable_video_is_skipped_with_its_name(raw, tmp_path):
    content = bytearray((raw / "daria_walk.avi").read_bytes())
    content = content.replace(b"MJPG", b"ZZZZ")  # a codec that nobody has
    (raw / "eli_walk.avi").write_bytes(content)
    report = prepare_weizmann(raw, tmp_path / "out", size=32, workers=1)
    assert "2 clips of 2 people" in report
    assert "eli_walk.avi" in (tmp_path / "out/skipped.csv").read_text()


def test_repeats_are_prepared_from_one_decoding(tmp_path, monkeypatch):
    """Frames carry their number; all repeats of a video are cut out of it exactly."""
    root = tmp_path / "natops/data"
    frames = (np.full((48, 64, 3), 5 * number, np.uint8) for number in range(1, 46))
    write_video(root / "gesture02/g02s01.avi", frames, fps=20)
    (root / "segmentation.txt").write_text("// Subject 1\n1,2,3\n1:2,6\n2:9,20\n3:30,45\n")
    decoded = []
    iterate = index.iterate_video

    def counting(path, **options):
        decoded.append(path)
        return iterate(path, **options)

    monkeypatch.setattr(index, "iterate_video", counting)
    report = prepare_natops(tmp_path / "natops", tmp_path / "out", size=16, workers=1, repeats=3)
    assert "3 clips of 1 people, 33 frames" in report and len(decoded) == 1
    for name, expected in (("r01", range(2, 7)), ("r02", range(9, 21)), ("r03", range(30, 46))):
        clip = read_clip(tmp_path / "out", f"s01/gesture02/g02s01{name}")
        assert [round(frame.mean() / 5) for frame in clip] == list(expected)
