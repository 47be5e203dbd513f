"""Condition maps of faces: made in preparation, read with the clips, carried over to other people."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from i2vkit.conditions import (
    FaceMaps,
    coefficients_of,
    fit_clip,
    fitted_landmarks,
    procedural_model,
    retarget,
    retarget_landmarks,
)
from i2vkit.datasets import AllPairs, ClipDataset, ClipFolder
from i2vkit.datasets.map_files import maps_of
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.transforms import (
    PackClip,
    ReadFrames,
    ReadMaps,
    ReadPoints,
    RetargetLandmarks,
    RetargetMaps,
    WholeClip,
)
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_image
from i2vkit.preparation import prepare_mug
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.faces.expressions import ActionUnits, HeadPose
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer

PEOPLE = {"001": 1, "002": 4}
FRAMES = 7


def rendered(person: int, label: str, yaw: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, 96, 128, 3) and landmarks (T, 68, 2) of somebody who smiles or drops the jaw.

    The head turns by six degrees, from ``yaw`` on.
    """
    face = FaceRenderer(draw_identity(0, person), 128, 96)
    action = "lip_pull" if label == "happiness" else "jaw_drop"
    steps = np.linspace(0, 1, FRAMES)
    drawn = [face.render(ActionUnits(**{action: step}), HeadPose(yaw=yaw + 6 * step, dx=2 * step)) for step in steps]
    return np.stack([frame for frame, _ in drawn]), np.stack([points for _, points in drawn])


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Two people's smiles, and 002 with the jaw dropped, in MUG's raw layout."""
    root = tmp_path_factory.mktemp("raw")
    for person, label in (("001", "happiness"), ("002", "happiness"), ("002", "surprise")):
        frames, landmarks = rendered(PEOPLE[person], label)
        for number, frame in enumerate(frames):
            write_image(root / f"subjects3/{person}/{label}/take000/img_{number:04d}.jpg", frame)
        write_landmarks(root / f"landmarks/{person}/{label}/take000.csv", landmarks)
    return root


@pytest.fixture(scope="module")
def prepared(raw, tmp_path_factory) -> Path:
    """These, prepared with maps."""
    out = tmp_path_factory.mktemp("prepared")
    prepare_mug(raw, out, size=48, workers=1, maps=True)
    return out


def off(face, landmarks: np.ndarray) -> float:
    """Mean distance of the landmarks, as a share of that between the outer corners of the eyes."""
    eyes = np.linalg.norm(landmarks[0, 36] - landmarks[0, 45])
    return np.linalg.norm(fitted_landmarks(procedural_model(), face) - landmarks, axis=2).mean() / eyes


def test_maps_lie_over_the_faces(prepared):
    records = ClipFolder(str(prepared)).index().records
    assert len(records) == 3
    for record in records:
        maps = maps_of(record)
        assert maps.shape == (FRAMES, 3, 48, 48)
        face = coefficients_of(record, procedural_model())
        assert off(face, points_of(record, "landmarks")) < 0.03
        again = FaceMaps(48)(face).astype(int)
        assert (np.abs(again - maps) > 1).mean() < 1e-3  # coefficients are kept in float32
        assert np.abs(face.expression[0]).max() < 1.0  # neutral
    yaw = coefficients_of(records[0], procedural_model()).camera[:, 1]
    assert 3 < np.degrees(yaw[-1] - yaw[0]) < 9


def test_maps_can_be_added_and_stay(raw, tmp_path):
    out = tmp_path / "out"
    prepare_mug(raw, out, size=48, workers=1)
    assert "maps" not in ClipFolder(str(out)).index().records[0].metadata
    frame = out / "001/happiness/take000/000.png"
    before = frame.stat().st_mtime_ns
    prepare_mug(raw, out, size=48, workers=1, maps=True)
    assert frame.stat().st_mtime_ns == before
    path = out / "maps/001/happiness/take000.npz"
    written = path.stat().st_mtime_ns
    (out / "maps/002/surprise/take000.npz").unlink()  # as of an interrupted run
    prepare_mug(raw, out, size=48, workers=1, maps=True)
    prepare_mug(raw, out, size=48, workers=1)
    assert path.stat().st_mtime_ns == written
    for record in ClipFolder(str(out)).index().records:
        assert record.metadata["maps"] == out / f"maps/{record.name}.npz"
        assert record.metadata["coefficients"].exists()


def test_what_cannot_be_fitted_is_skipped_with_the_reason(raw, tmp_path):
    shutil.copytree(raw, tmp_path / "raw")
    nonsense = np.random.default_rng(0).uniform(20, 80, (FRAMES, 68, 2))
    write_landmarks(tmp_path / "raw/landmarks/001/happiness/take000.csv", nonsense)
    report = prepare_mug(tmp_path / "raw", tmp_path / "out", size=48, workers=1, maps=True)
    assert "1 clips were skipped" in report
    with (tmp_path / "out/skipped.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["what"] == "001/happiness/take000"
    assert row["why"].startswith("no condition maps: the landmarks do not form a face")
    names = [record.name for record in ClipFolder(str(tmp_path / "out")).index().records]
    assert names == ["002/happiness/take000", "002/surprise/take000"]


def test_maps_of_two_models_are_not_mixed(raw, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "out")
    settings = tmp_path / "out/maps.json"
    settings.write_text(settings.read_text().replace("built-in", "01_MorphableModel.mat"))
    with pytest.raises(DataError, match=r"made with other settings .*model='01_MorphableModel.mat"):
        prepare_mug(raw, tmp_path / "out", size=48, workers=1, maps=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(morphable=Path("basel.mat"), expressions=Path("moves.mat")), "need --maps"),
        (dict(maps=True, morphable=Path("basel.mat")), "a Basel model needs two files"),
        (dict(maps=True, landmark_vertices=Path("points.mat")), "a Basel model needs two files"),
    ],
)
def test_files_of_a_model_go_together(raw, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        prepare_mug(raw, tmp_path / "out", size=48, workers=1, **options)
    assert not (tmp_path / "out").exists()


def dataset(root: Path, **retargeting) -> ClipDataset:
    retarget = RetargetMaps(dict(type=FaceMaps, size=48) | retargeting)
    pipeline = dict(window=WholeClip(), read=ReadFrames(), maps=ReadMaps(), retarget=retarget, pack=PackClip())
    reader, pair_sampler = dict(type=ClipFolder, root=str(root)), AllPairs()
    return ClipDataset(reader, pipeline, pair_sampler=pair_sampler)


def test_the_target_does_what_the_source_does(prepared):
    data = dataset(prepared)
    faces = {record.name: coefficients_of(record, procedural_model()) for record in data.records}
    stored = {record.name: maps_of(record) for record in data.records}
    kinds = set()
    for number, pair in enumerate(data.pairs):
        inputs = data[number]["inputs"]
        maps = inputs["driving_maps"].numpy().transpose(1, 0, 2, 3)
        kinds.add(pair.driving.person == pair.image_video.person)
        if pair.driving.person == pair.image_video.person:
            assert (maps == stored[pair.driving.name]).all()
        else:
            face = retarget(faces[pair.driving.name], faces[pair.image_video.name])
            assert (maps == FaceMaps(48)(face)).all()
        assert (inputs["image_maps"].numpy() == stored[pair.image_video.name][0]).all()
    assert kinds == {True, False}


def test_retargeting_comes_near_the_exact_truth():
    model = procedural_model()
    (_, smile), (_, other) = rendered(1, "happiness"), rendered(4, "surprise")
    _, truth = rendered(4, "happiness")
    driving, person = (fit_clip(model, landmarks, neutral_start=True) for landmarks in (smile, other))
    face = retarget(driving, person)
    assert off(face, truth) < 0.03
    assert off(face, truth) < 0.6 * off(driving, truth)
    still = np.linalg.norm(other[:1] - truth, axis=2).mean() / np.linalg.norm(truth[0, 36] - truth[0, 45])
    assert off(face, truth) < 0.6 * still


def test_landmarks_become_those_of_the_person_in_the_image():
    """The driving head looks aside from the first frame on, which displacements alone cannot tell."""
    model = procedural_model()
    (_, smile), (_, other) = rendered(1, "happiness", yaw=10), rendered(4, "surprise")
    _, truth = rendered(4, "happiness", yaw=10)
    faces = [fit_clip(model, landmarks, neutral_start=True) for landmarks in (smile, other)]
    places = retarget_landmarks(model, smile, faces[0], other[0], faces[1][:1])
    middles = [(points.min(axis=0) + points.max(axis=0)) / 2 for points in (places[0], other[0], truth[0])]
    np.testing.assert_allclose(middles[0], middles[1])
    # The truth is cut out around the face, as the image is.
    truth = truth - middles[2] + middles[1]
    error, of_displacements = (
        np.linalg.norm(moved - truth, axis=2).mean() for moved in (places, other[0] + smile - smile[:1])
    )
    assert error < 0.5 * of_displacements
    # Landmark by landmark the motion is that of the driving face, in proportion.
    size = faces[1].camera[0, 3] / faces[0].camera[0, 3]
    np.testing.assert_allclose(places - places[:1], size * (smile - smile[:1]), atol=1e-9)
    # 5 landmarks are moved alike.
    five = retarget_landmarks(
        model, smile[:, [36, 45, 30, 48, 54]], faces[0], other[0, [36, 45, 30, 48, 54]], faces[1][:1]
    )
    assert five.shape == (FRAMES, 5, 2)
    with pytest.raises(DataError, match="of 7 fitted frames cannot move landmarks"):
        retarget_landmarks(model, smile, faces[0], other[0], faces[1])


def test_landmarks_of_a_data_set_are_retargeted(prepared):
    points = ReadPoints(["landmarks"])
    retarget_step = RetargetLandmarks(dict(type=FaceMaps, size=48))
    pipeline = dict(window=WholeClip(), read=ReadFrames(), points=points, retarget=retarget_step, pack=PackClip())
    data = ClipDataset(dict(type=ClipFolder, root=str(prepared)), pipeline, pair_sampler=AllPairs())
    model = procedural_model()
    faces = {record.name: coefficients_of(record, model) for record in data.records}
    read = {record.name: points_of(record, "landmarks") for record in data.records}
    moved = 0
    for number, pair in enumerate(data.pairs):
        driving, image = pair.driving.name, pair.image_video.name
        expected = read[driving]
        if pair.driving.person != pair.image_video.person:
            expected = retarget_landmarks(model, expected, faces[driving], read[image][0], faces[image][:1])
            moved += 1
            assert np.abs(expected - read[driving]).max() > 1
        inputs = data[number]["inputs"]
        np.testing.assert_allclose(inputs["landmarks"].numpy(), expected, rtol=1e-5)
        np.testing.assert_allclose(inputs["image_landmarks"].numpy(), read[image][0], rtol=1e-5)
    assert moved == 3
    without = ClipDataset(
        dict(type=ClipFolder, root=str(prepared)),
        {name: step for name, step in pipeline.items() if name != "points"},
        pair_sampler=AllPairs(),
    )
    with pytest.raises(DataError, match="has no landmarks, or RetargetLandmarks comes before ReadPoints"):
        for number in range(len(without)):
            without[number]


def test_maps_of_another_size_or_without_coefficients_are_refused(prepared, tmp_path):
    data = dataset(prepared, size=64)
    number = next(k for k, pair in enumerate(data.pairs) if pair.driving.person != pair.image_video.person)
    with pytest.raises(ConfigError, match="RetargetMaps works at 64x64, the frames are 48x48"):
        data[number]
    shutil.copytree(prepared, tmp_path / "out")
    index = tmp_path / "out/index.csv"
    lines = [line.rpartition(",")[0] for line in index.read_text().splitlines()]
    assert "coefficients" not in lines[0]
    index.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"has no coefficients .* --maps"):
        dataset(tmp_path / "out")[number]
