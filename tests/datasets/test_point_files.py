"""Points beside the frames: read, taken with the frames, and following them to the pixel through every transform."""

import numpy as np
import pytest
import torch

from i2vkit.datasets import ClipDataset, ClipRecord, FrameFolder, Pair, SampledClip
from i2vkit.datasets import point_files as points
from i2vkit.datasets.point_files import mirror_order, points_of
from i2vkit.datasets.transforms import CenterCrop, RandomCrop, RandomFlip, ReadPoints, Resize
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.faces.expressions import ActionUnits
from i2vkit.rendering.faces.face_geometry import face_shape
from i2vkit.rendering.faces.face_identity import draw_identity

from .conftest import write_clip

DOT = (27.3, 18.8)


def sample_of(**clips):
    return dict(rng=np.random.default_rng(0), pair=Pair(clips["driving"].record), clips=clips)


def dotted_take(frame_height=60, frame_width=80):
    """One frame with a soft dot at DOT, and five landmarks on the dot."""
    y, x = np.mgrid[:frame_height, :frame_width]
    frame = 120 * np.exp(-((x - DOT[0]) ** 2 + (y - DOT[1]) ** 2) / 8)
    frames = np.repeat(frame.round().astype(np.uint8)[None, ..., None], 3, axis=-1)
    return SampledClip(ClipRecord("a", None, "a", None, 1), frames=frames, landmarks=np.tile(DOT, (1, 5, 1)))


def centre(picture):
    """Centre of gravity (x, y) of a picture's grey values."""
    weight = picture[..., 0].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@pytest.mark.parametrize(
    "transforms",
    [
        [Resize((30, 40))],
        [Resize((45, 32))],
        [Resize((180, 160))],
        [CenterCrop()],
        [CenterCrop(44)],
        [RandomCrop(0.8), Resize(64)],
        [RandomFlip(1.0)],
        [CenterCrop(), RandomFlip(1.0), Resize(24), RandomFlip(1.0)],
    ],
)
def test_points_stay_on_a_drawn_dot(transforms):
    sampled = dotted_take()
    for transform in transforms:
        transform(sample_of(driving=sampled))
    np.testing.assert_allclose(centre(sampled.frames[0]), sampled.landmarks[0, 0], atol=0.05)


@pytest.mark.parametrize(
    "transforms",
    [[Resize((30, 40))], [CenterCrop(56)], [RandomCrop(0.8)], [RandomFlip(1.0)], [Resize((120, 240))]],
)
def test_boxes_stay_around_a_drawn_block(transforms):
    frames = np.zeros((1, 60, 80, 3), np.uint8)
    frames[:, 12:36, 18:34] = 200
    sampled = SampledClip(
        ClipRecord("a", None, "a", None, 1), frames=frames, boxes=np.array([[18.0, 12.0, 34.0, 36.0]])
    )
    for transform in transforms:
        transform(sample_of(driving=sampled))
    rows, columns = np.nonzero(sampled.frames[0, ..., 0] > 100)
    assert sampled.boxes.tolist() == [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]


def test_the_mirror_of_68_landmarks_is_that_of_a_face():
    landmarks = face_shape(draw_identity(0, 3), ActionUnits(jaw_drop=1.0)).landmarks[:, :2]
    mirrored = landmarks * (-1, 1)
    nearest = [int(np.argmin(np.linalg.norm(mirrored - point, axis=1))) for point in landmarks]
    assert sorted(nearest) == list(range(68)) and nearest == mirror_order(68)


def test_the_mirror_of_13_joints_swaps_sides():
    names = ["head"] + [
        f"{metadata} {part}" for part in ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"] for metadata in "lr"
    ]
    swapped = [name.translate(str.maketrans("lr", "rl")) if name[1] == " " else name for name in names]
    assert [names[index][:1] for index in mirror_order(13)] == [name[:1] for name in swapped]
    assert [names[index][2:] for index in mirror_order(13)] == [name[2:] for name in names]


def test_a_flip_mirrors_places_and_swaps_names():
    joints = np.arange(26, dtype=float).reshape(1, 13, 2)
    joints[0, 12] = np.nan
    sampled = SampledClip(ClipRecord("a", None, "a", None, 1), frames=np.zeros((1, 30, 40, 3), np.uint8), joints=joints)
    RandomFlip(1.0)(sample_of(driving=sampled))
    assert sampled.joints[0, 0].tolist() == [39.0, 1.0]
    assert sampled.joints[0, 1].tolist() == [39.0 - 4.0, 5.0]  # the left shoulder was the right one
    assert np.isnan(sampled.joints[0, 11]).all() and not np.isnan(sampled.joints[0, 12]).any()


# Reading


@pytest.fixture
def pointed(tmp_path):
    """A clip of 6 frames whose CSV holds 68 landmarks, all at (frame, 2 * frame), without a row for frame 4."""
    write_clip(tmp_path / "ann/run/a", 6, 10)
    places = np.arange(6.0)[:, None, None] * np.array([1.0, 2.0]) * np.ones((6, 68, 1))
    write_landmarks(tmp_path / "marks.csv", places)
    lines = (tmp_path / "marks.csv").read_text().splitlines()
    (tmp_path / "marks.csv").write_text("\n".join(lines[:5] + lines[6:]) + "\n")
    (tmp_path / "index.csv").write_text("path,person,label,landmarks\nann/run/a,ann,run,marks.csv\n")
    return tmp_path


def dataset(root, *transforms):
    steps = (dict(type="FirstFrames", length=3, stride=2), dict(type="ReadFrames"), *transforms, dict(type="PackClip"))
    pipeline = {f"step_{number}": step for number, step in enumerate(steps)}
    return ClipDataset(dict(type="ClipFolder", root=str(root)), pipeline)


def test_landmarks_of_the_frames_taken_come_with_the_sample(pointed, monkeypatch):
    data = dataset(pointed, dict(type="ReadPoints", required=["landmarks"]), dict(type="Resize", size=16))
    item = data[0]
    landmarks = item["data_samples"].landmarks
    assert landmarks.shape == (3, 68, 2) and landmarks.dtype == torch.float32
    assert landmarks[1, 5].tolist() == [(2 + 0.5) * 2 - 0.5, (4 + 0.5) * 2 - 0.5]  # from 8x8 to 16x16
    assert landmarks[2].isnan().all()
    inputs = item["inputs"]
    assert "joints" not in inputs and torch.equal(inputs["landmarks"].nan_to_num(-1), landmarks.nan_to_num(-1))
    monkeypatch.setattr(points, "read_points", None)  # the file is read once
    assert torch.equal(data[0]["data_samples"].landmarks[:2], landmarks[:2])


def test_arrays_and_boxes_in_files(tmp_path):
    (tmp_path / "boxes.csv").write_text("frame,x0,y0,x1,y1\n0,1,2,3,4\n1,5,6,7,8\n")
    joints = np.arange(2 * 13 * 2.0).reshape(2, 13, 2)
    metadata = {"boxes": tmp_path / "boxes.csv", "joints": joints}
    record = ClipRecord(
        "a", FrameFolder(tuple(tmp_path / name for name in ("0.png", "1.png"))), "a", None, 2, metadata=metadata
    )
    sampled = SampledClip(record, indices=np.array([1, 1, 0]))
    ReadPoints()(sample_of(driving=sampled))
    assert sampled.boxes.tolist() == [[5, 6, 7, 8], [5, 6, 7, 8], [1, 2, 3, 4]]
    assert np.array_equal(sampled.joints, joints[[1, 1, 0]]) and sampled.landmarks is None


def test_what_is_missing_or_does_not_fit_is_named(pointed):
    (pointed / "index.csv").write_text("path,person,label,landmarks\nann/run/a,ann,run,gone.csv\n")
    with pytest.raises(DataError, match=r"clip ann/run/a: there is no file gone\.csv, which should hold its landmarks"):
        dataset(pointed, dict(type="ReadPoints"))[0]
    (pointed / "index.csv").write_text("path,person,label\nann/run/a,ann,run\n")
    with pytest.raises(DataError, match="clip ann/run/a has no joints, and ReadPoints requires them"):
        dataset(pointed, dict(type="ReadPoints", required=["joints"]))[0]
    with pytest.raises(ConfigError, match="'joint'"):
        ReadPoints(required=["joint"])
    record = ClipRecord(
        "a", None, "a", None, 3, metadata={"joints": np.zeros((2, 13, 2)), "boxes": np.zeros((3, 2, 2))}
    )
    with pytest.raises(DataError, match=r"clip a: joints \(2, 13, 2\) do not fit 3 frames"):
        points_of(record, "joints")
    with pytest.raises(DataError, match=r"clip a: boxes \(3, 2, 2\) do not fit"):
        points_of(record, "boxes")
