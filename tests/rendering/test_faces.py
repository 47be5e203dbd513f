"""The renderer: what is drawn lies where the landmarks say, moves as it was told, and is the same every time."""

import numpy as np
import pytest

from i2vkit.rendering.faces import EXPRESSIONS, ActionUnits, FaceRenderer, HeadPose, draw_identity, draw_motion
from i2vkit.rendering.faces.expressions import APEX
from i2vkit.rendering.faces.face_geometry import FaceView

# A man with a beard and glasses, a woman with long hair, a bald man.
PEOPLE = (3, 6, 17)


@pytest.fixture(scope="module", params=PEOPLE)
def face(request) -> FaceRenderer:
    return FaceRenderer(draw_identity(0, request.param))


def test_same_seed_same_picture(face):
    again = FaceRenderer(draw_identity(0, int(face.identity.name[1:])))
    actions, head = APEX["Fear"], HeadPose(yaw=3, roll=1, dx=1)
    np.testing.assert_array_equal(face.render(actions, head)[0], again.render(actions, head)[0])
    assert draw_identity(1, 3) != draw_identity(0, 3)


def test_pupils_are_dark_and_whites_are_light_where_the_landmarks_say(face):
    frame, landmarks = face.render(ActionUnits(eye_wide=1.0), HeadPose(yaw=4, pitch=-2, roll=3, dx=5, dy=-3))
    for first, side in ((36, -1), (42, 1)):
        eye = landmarks[first : first + 6]
        centre = eye.mean(axis=0) - (side * 0.3, 0.9)  # pupils sit a little up and in
        x, y = np.rint(centre).astype(int)
        assert frame[y - 1 : y + 2, x - 1 : x + 2].min() < 40
        white = np.rint(0.85 * eye[0] + 0.15 * eye[3]).astype(int)
        assert frame[white[1], white[0]].min() > 150


def test_an_open_mouth_is_dark_between_the_lip_landmarks(face):
    frame, landmarks = face.render(ActionUnits(jaw_drop=1.0))
    x, y = np.rint(0.35 * landmarks[62] + 0.65 * landmarks[66]).astype(int)
    assert frame[y, x].max() < 110
    closed = face.render()[1]
    assert landmarks[66, 1] - landmarks[62, 1] > 10 > 1 > closed[66, 1] - closed[62, 1]


def test_landmarks_are_68_in_ibug_order(face):
    _, landmarks = face.render()
    assert landmarks.shape == (68, 2)
    assert np.all(np.diff(landmarks[:17, 0]) > 0)  # jaw, left to right
    assert np.argmax(landmarks[:, 1]) == 8  # the chin is lowest
    assert np.all(np.diff(landmarks[17:27, 0]) > 0)
    assert np.all(np.diff(landmarks[27:31, 1]) > 0)
    assert np.all(np.diff(landmarks[48:55, 0]) > 0) and np.all(np.diff(landmarks[54:60, 0]) < 0)


@pytest.mark.parametrize(
    ("label", "points", "axis", "sign"),
    [
        ("Happiness", [48, 54], 1, -1),  # corners of the mouth up
        ("Sadness", [48, 54], 1, 1),
        ("Surprise", [8], 1, 1),  # chin down
        ("Surprise", [19, 24], 1, -1),  # brows up
        ("Anger", [21, 22], 1, 1),
        ("Disgust", [31, 35], 1, -1),  # wings of the nose up
        ("Fear", [41, 40, 46, 47], 1, 1),  # eyes wide
    ],
)
def test_apex_moves_what_it_should(face, label, points, axis, sign):
    moved = face.render(APEX[label])[1] - face.render()[1]
    assert np.all(sign * moved[points, axis] > 0.2)


@pytest.mark.parametrize("label", EXPRESSIONS)
def test_a_motion_starts_neutral_and_ends_at_its_apex(label):
    for seed in range(20):
        motion = draw_motion(np.random.default_rng(seed), label)
        assert 14 <= len(motion) <= 28
        assert np.all(motion.actions[0] == 0.0)
        apex = np.array(APEX[label])
        ratio = motion.actions[-1][apex > 0] / apex[apex > 0]
        assert np.all((ratio > 0.6) & (ratio < 1.4))
        assert np.abs(motion.head[0]).max() < 6.0


def test_motion_knows_nothing_of_the_person():
    """The same motion gives two people the same head pose: landmarks differ by the shape of the face alone."""
    motion = draw_motion(np.random.default_rng(7), "Happiness")
    first, second = (FaceRenderer(draw_identity(0, person)) for person in (1, 2))
    for frame in (0, len(motion) - 1):
        actions, head = motion[frame]
        turned = [face.render(actions, head)[1] - face.render(actions)[1] for face in (first, second)]
        view, rest = FaceView(320, 240, head), FaceView(320, 240)
        shift = view(np.zeros((1, 3))) - rest(np.zeros((1, 3)))
        for moved in turned:
            assert np.linalg.norm(np.median(moved, axis=0) - shift) < 6.0


def test_people_look_different():
    """No two of the first twelve are as alike as two expressions of one person."""
    pictures = [FaceRenderer(draw_identity(0, person)).render()[0].astype(float) for person in range(1, 13)]
    face = FaceRenderer(draw_identity(0, 1))
    own = np.abs(face.render(APEX["Surprise"])[0].astype(float) - pictures[0]).mean()
    closest = min(np.abs(a - b).mean() for i, a in enumerate(pictures) for b in pictures[:i])
    assert closest > own


def test_other_sizes_show_the_same_face():
    small, large = (FaceRenderer(draw_identity(0, 2), width, height) for width, height in ((160, 120), (321, 240)))
    scaled = (small.render()[1] + 0.5) * 2
    np.testing.assert_allclose(scaled, large.render()[1] + (0.0, 0.5), atol=0.75)
