"""Morphable models, fitted and carried over: known coefficients are found again, and bad files are told."""

from functools import cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from i2vkit.conditions import Coefficients, FaceMaps, fit_clip, procedural_model, read_coefficients, retarget
from i2vkit.conditions.basel import read_basel
from i2vkit.conditions.camera import rotations, to_image_space
from i2vkit.conditions.coefficients import write_coefficients
from i2vkit.conditions.fitting import _Problem
from i2vkit.conditions.rasterizer import face_normals
from i2vkit.datasets.formats.matlab import write_mat
from i2vkit.datasets.point_files import mirror_order
from i2vkit.errors import ConfigError, DataError

FRAMES = 24
SUMS = [8910.96, 623.57, 635.12]  # of the built-in model at its landmarks


@cache
def clip() -> Coefficients:
    """Somebody, neutral at first, whose expressions come and go while the head turns, in pictures of 96x96."""
    model, rng, time = procedural_model(), np.random.default_rng(1), np.linspace(0, 4, FRAMES)[:, None]
    level = np.sin(np.linspace(0, np.pi, FRAMES))[:, None] ** 2
    camera = np.column_stack(
        [0.15 * np.sin(time + rng.uniform(0, 6, 3)), 0.5 + 0.02 * np.sin(time), 48 + np.sin(time), 40 + np.cos(time)]
    )
    return Coefficients(rng.normal(size=model.num_identity), level * rng.normal(size=model.num_expression), camera)


def landmarks_of(face: Coefficients, count: int = 68) -> np.ndarray:
    mean, identity, expression = procedural_model().at_landmarks(count)
    shapes = mean + identity @ face.identity + np.einsum("nce,te->tnc", expression, face.expression)
    return to_image_space(shapes, face.camera)


def rms(difference: np.ndarray) -> float:
    return float(np.sqrt((difference**2).mean()))


def test_the_built_in_model_is_a_face():
    model = procedural_model()
    assert 4000 < len(model.triangles) < 7000
    assert len(set(model.landmarks.tolist())) == 68
    normals = face_normals(model.mean, model.triangles.T)
    assert (normals[:, 2] > 0).all()  # a mesh without folds
    mirrored = model.mean[model.landmarks][mirror_order(68)] * (-1, 1, 1)
    assert np.abs(mirrored - model.mean[model.landmarks])[:, :2].max() < 1e-4
    used = np.unique(model.triangles)
    assert len(used) == len(model.mean)


def test_a_change_of_the_built_in_model_is_a_new_version():
    model = procedural_model()
    sums = [float(np.abs(part).sum()) for part in model.at_landmarks()]
    assert (model.hash, sums) == ("1", pytest.approx(SUMS, rel=1e-4)), "raise procedural._VERSION, then change this"


def test_its_ways_can_be_told_apart_at_the_landmarks():
    _, identity, expression = procedural_model().at_landmarks()
    ways = np.concatenate([identity, expression], axis=2).reshape(3 * 68, -1)
    assert np.linalg.svd(ways, compute_uv=False).min() > 0.3  # millimetres


def test_the_mesh_stays_whole_in_strong_expressions():
    model = procedural_model()
    for way in range(model.num_expression):
        for strength in (-1.5, 2.5):
            expression = np.zeros((1, model.num_expression))
            expression[0, way] = strength
            shape = model.shapes(np.zeros(model.num_identity), expression)[0]
            folded = face_normals(shape, model.triangles.T)[:, 2] < 0
            assert folded.mean() < 0.03, way


def test_rotations_are_those_of_scipy():
    vectors = np.concatenate([np.random.default_rng(0).normal(scale=0.5, size=(6, 3)), np.zeros((1, 3))])
    assert np.allclose(rotations(vectors), Rotation.from_rotvec(vectors).as_matrix())


def test_the_derivatives_are_those_of_the_residuals():
    problem = _Problem(procedural_model(), landmarks_of(clip())[:3], neutral_start=True, noise=0.02)
    unknowns = problem.start() + np.random.default_rng(0).normal(scale=0.1, size=problem.start().shape)
    step = 1e-6 * np.eye(len(unknowns))
    numeric = [(problem.residuals(unknowns + s) - problem.residuals(unknowns - s)) / 2e-6 for s in step]
    assert np.abs(problem.jacobian(unknowns).toarray() - np.stack(numeric, axis=1)).max() < 1e-6


def test_exact_landmarks_give_the_coefficients_back():
    face = fit_clip(procedural_model(), landmarks_of(clip()), noise=0.001)
    assert np.abs(face.identity - clip().identity).max() < 0.1
    assert np.abs(face.expression - clip().expression).max() < 0.05
    assert np.abs(face.camera[:, :3] - clip().camera[:, :3]).max() < 0.005
    assert np.abs(landmarks_of(face) - landmarks_of(clip())).max() < 0.02


def test_noisy_landmarks_give_them_to_a_fifth_of_a_standard_deviation():
    noisy = landmarks_of(clip()) + np.random.default_rng(2).normal(scale=0.3, size=(FRAMES, 68, 2))
    face = fit_clip(procedural_model(), noisy, neutral_start=True)
    assert rms(face.identity - clip().identity) < 0.3
    assert rms(face.expression - clip().expression) < 0.2
    assert rms(landmarks_of(face) - landmarks_of(clip())) < 0.2  # less than the noise


def test_five_landmarks_place_the_face_and_leave_expressions_open():
    face = fit_clip(procedural_model(), landmarks_of(clip(), 5), neutral_start=True)
    assert rms(landmarks_of(face, 5) - landmarks_of(clip(), 5)) < 0.2
    assert np.abs(face.camera[:, 3] / clip().camera[:, 3] - 1).max() < 0.1
    assert np.abs(np.degrees(face.camera[:, :3] - clip().camera[:, :3])).max() < 8
    assert rms(face.expression) < 0.7 * rms(clip().expression)


def test_a_neutral_start_puts_a_lasting_smile_into_the_expression():
    smile = np.zeros((FRAMES, procedural_model().num_expression))
    smile[1:, 1] = 2.0
    truth = Coefficients(np.zeros(procedural_model().num_identity), smile, clip().camera)
    known = fit_clip(procedural_model(), landmarks_of(truth), neutral_start=True)
    unknown = fit_clip(procedural_model(), landmarks_of(truth))
    assert np.abs(known.expression[1:, 1] - 2.0).max() < 0.25
    assert rms(known.identity) < 0.5 * rms(unknown.identity)


def test_short_gaps_are_filled_in_and_long_ones_refused():
    gappy = landmarks_of(clip())
    gappy[5:8] = np.nan
    whole = fit_clip(procedural_model(), landmarks_of(clip()))
    face = fit_clip(procedural_model(), gappy)
    assert np.allclose(face.camera[6], (face.camera[4] + face.camera[8]) / 2)
    assert np.abs(landmarks_of(face)[5:8] - landmarks_of(whole)[5:8]).max() < 1.0
    gappy[5:12] = np.nan
    with pytest.raises(DataError, match="7 frames in a row have no landmarks; up to 5"):
        fit_clip(procedural_model(), gappy)


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        (np.zeros((2, 13, 2)), "68 or 5 landmarks, not to 13"),
        (np.ones((2, 68, 2)), "all at one place"),
        (np.random.default_rng(0).uniform(0, 96, (2, 68, 2)), "do not form a face"),
    ],
)
def test_what_is_no_face_is_refused(landmarks, message):
    with pytest.raises(DataError, match=message):
        fit_clip(procedural_model(), landmarks)


def test_retargeting_keeps_the_person_and_takes_the_rest():
    driving = clip()
    person = Coefficients(-driving.identity, driving.expression[:2], np.tile([0.0, 0.1, 0.0, 1.0, 20.0, 30.0], (2, 1)))
    face = retarget(driving, person, frame=1)
    assert (face.identity == person.identity).all()
    assert (face.expression == driving.expression).all()
    assert np.allclose(face.camera[0, 3:], person.camera[1, 3:])
    assert (face.camera[:, :3] == driving.camera[:, :3]).all()
    own = retarget(driving, driving)
    assert np.allclose(own.camera, driving.camera)
    # The head goes twice as many pixels where it is twice as large.
    larger = retarget(driving, Coefficients(driving.identity, driving.expression, driving.camera * [1, 1, 1, 2, 1, 1]))
    assert np.allclose(larger.camera[:, 4:] - larger.camera[0, 4:], 2 * (driving.camera[:, 4:] - driving.camera[0, 4:]))


def test_coefficients_of_another_model_are_refused(tmp_path):
    path, model = tmp_path / "a" / "clip.npz", procedural_model()
    write_coefficients(path, clip(), model)
    found = read_coefficients(path, model)
    assert np.allclose(found.expression, clip().expression, atol=1e-6)
    assert np.allclose(found.camera, clip().camera, atol=1e-5)
    other = small_basel(tmp_path)
    with pytest.raises(DataError, match="belongs to the morphable model 'built-in'"):
        read_coefficients(path, other)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="holds no coefficients"):
        read_coefficients(path, model)
    with pytest.raises(DataError, match="there is no file"):
        read_coefficients(tmp_path / "none.npz", model)


def test_maps_show_the_face_where_its_landmarks_are():
    generator = FaceMaps(96)
    maps = generator(clip()[:2])
    assert maps.shape == (2, 3, 96, 96)
    assert maps.dtype == np.uint8
    inside = np.abs(maps.astype(float) - 128).max(axis=1) > 8
    for mask, landmarks in zip(inside, landmarks_of(clip())[:2], strict=True):
        x, y = landmarks[27:].round().astype(int).T
        assert mask[y, x].all()
        rows, columns = np.nonzero(mask)
        assert abs(columns.min() - landmarks[:17, 0].min()) < 2
        assert abs(columns.max() - landmarks[:17, 0].max()) < 2
        assert abs(rows.max() - landmarks[:17, 1].max()) < 2
    unit = np.linalg.norm(maps.transpose(0, 2, 3, 1)[inside] / 127.5 - 1, axis=-1)
    assert np.abs(unit - 1).max() < 0.02
    assert (maps[:, :, 0, 0] == 128).all()


def test_a_basel_model_needs_its_expressions():
    with pytest.raises(ConfigError, match="--expressions"):
        FaceMaps(96, model="01_MorphableModel.mat")


# A Basel model as the owners hand it out, small: the built-in one, in micrometres and counted from 1.


def basel_files() -> tuple[dict, dict]:
    model = procedural_model()
    flat = [1e3 * ways.reshape(-1, ways.shape[2]) for ways in (model.identity, model.expression)]
    shape = dict(
        shapeMU=1e3 * model.mean.reshape(-1, 1), shapePC=flat[0] / 4, shapeEV=np.full((flat[0].shape[1], 1), 4.0)
    )
    shape["tl"] = model.triangles[:, ::-1] + 1.0  # the other way around: that is found out
    moves = dict(
        w_exp=flat[1] / 2, sigma_exp=np.full((flat[1].shape[1], 1), 2.0), keypoints=model.landmarks[None] + 1.0
    )
    return shape, moves


def small_basel(folder, change=lambda shape, moves: None):
    shape, moves = basel_files()
    change(shape, moves)
    write_mat(folder / "shape.mat", shape)
    write_mat(folder / "moves.mat", moves)
    return read_basel(folder / "shape.mat", folder / "moves.mat")


def test_a_basel_model_is_read(tmp_path):
    model, own = small_basel(tmp_path), procedural_model()
    assert model.name == "shape.mat"
    assert np.allclose(model.mean, own.mean, atol=1e-3)
    assert np.allclose(model.identity, own.identity, atol=1e-5)
    assert np.allclose(model.expression, own.expression, atol=1e-5)
    assert (model.landmarks == own.landmarks).all()
    assert (face_normals(model.mean, model.triangles.T)[:, 2] > 0).all()
    maps = FaceMaps(48, str(tmp_path / "shape.mat"), str(tmp_path / "moves.mat"))
    half = Coefficients(clip().identity, clip().expression[:1], clip().camera[:1] * [1, 1, 1, 0.5, 0.5, 0.5])
    difference = maps(half).astype(int) - FaceMaps(48)(half)
    assert (np.abs(difference) > 2).mean() < 0.01  # but for pixels on the rim


def test_expressions_may_be_of_a_part_of_the_vertices(tmp_path):
    kept = np.flatnonzero(procedural_model().mean[:, 1] < 60)

    def trim(shape, moves):
        moves["w_exp"] = moves["w_exp"].reshape(-1, 3, moves["w_exp"].shape[1])[kept].reshape(3 * len(kept), -1)
        moves["keypoints"] = np.searchsorted(kept, moves["keypoints"] - 1) + 1.0
        moves["trimIndex"] = kept[:, None] + 1.0
        moves["mu_exp"] = np.full(3 * len(kept), 1e3)

    model, own = small_basel(tmp_path, trim), procedural_model()
    assert np.allclose(model.mean, own.mean[kept] + 1.0, atol=1e-3)
    assert np.allclose(model.mean[model.landmarks], own.mean[own.landmarks] + 1.0, atol=1e-3)
    assert 0 < len(model.triangles) < len(own.triangles)
    assert model.triangles.max() < len(kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s, m: s.pop("shapeEV"),
            "shape.mat has no shapeEV: a Basel model has shapeMU, shapePC, shapeEV, tl; found",
        ),
        (
            lambda s, m: m.pop("sigma_exp"),
            "moves.mat has no expressions: accepted are expPC and expEV or w_exp and sigma_exp",
        ),
        (lambda s, m: m.pop("keypoints"), "no vertex numbers of the 68 landmarks, keypoints or landmarks"),
        (lambda s, m: m.update(keypoints=np.arange(67) + 1.0), "moves.mat: keypoints has 67 numbers"),
        (lambda s, m: m.update(keypoints=np.arange(68.0)), "moves.mat: keypoints should be whole numbers from 1"),
        (lambda s, m: m.update(w_exp=m["w_exp"][:-3]), "moves.mat: w_exp .* should be .*trimIndex"),
        (lambda s, m: s.update(shapeMU=s["shapeMU"][:-1]), "shape.mat: shapeMU .* three numbers a vertex"),
        (lambda s, m: s.update(shapeEV=s["shapeEV"][:-1]), "shape.mat: shapePC .* the 12 values of shapeEV"),
        (lambda s, m: s.update(tl=s["tl"] + 9.0), "shape.mat: tl should be whole numbers"),
        (lambda s, m: s.update(tl=s["tl"][:, :2]), "shape.mat: tl .* three vertex numbers a row"),
    ],
)
def test_files_that_are_wrong_or_do_not_fit_are_told(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        small_basel(tmp_path, change)


def test_a_mat_file_of_version_7_3_is_told(tmp_path):
    path = tmp_path / "shape.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\0" * 512)
    with pytest.raises(DataError, match=r"version 7\.3"):
        read_basel(path, path)
