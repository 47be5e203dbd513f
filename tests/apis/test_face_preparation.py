"""A single picture, and a driving video, are prepared for a model of faces as its training data were."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import SIZE, gan_config

from i2vkit.apis import face_preparation
from i2vkit.apis.face_preparation import framing_of, named_framing, prepare_face, prepare_faces
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.datasets import ClipFolder, ClipRecord
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import read_image, read_video, video_fps, write_image, write_video
from i2vkit.preparation import prepare_picture
from i2vkit.preparation.alignment import EyeAlignment
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.preparation.pipeline import PreparationJob, prepare_clip
from i2vkit.registry import MODELS
from i2vkit.rendering.faces.expressions import ActionUnits, HeadPose
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer
from i2vkit.zoo.index import read_index
from i2vkit.zoo.pretrained import find_pretrained


@pytest.fixture(scope="module")
def raw():
    """Frames (4, H, W, 3) of somebody beside the middle who moves, and landmarks (4, 68, 2)."""
    renderer = FaceRenderer(draw_identity(0, 1), 128, 96)
    made = [renderer.render(ActionUnits(jaw_drop=t / 3), HeadPose(dx=-12 + 2 * t)) for t in range(4)]
    return np.stack([frame for frame, _ in made]), np.stack([points for _, points in made])


@pytest.fixture(scope="module")
def animators(tmp_path_factory):
    """One inferencer for each framing. Their weights are the same."""
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.manual_seed(0)
    model = MODELS.build(gan_config())
    with torch.no_grad():  # away from small initial values, so that something is seen
        for value in model.generator.parameters():
            value.add_(0.3 * torch.randn_like(value))
    torch.save({"state_dict": model.state_dict()}, path)
    return {
        framing: I2VInferencer(Config(dict(model=gan_config(), face_framing=framing)), path, device="cpu")
        for framing in ("eyes", "box 0.3", None)
    }


def assert_close(made, expected):
    """Files of landmarks have a thousandth of a pixel, and OpenCV 4 interpolates in steps of a 32nd."""
    most = 1 if int(cv2.__version__[0]) > 4 else 2
    assert made.shape == expected.shape and np.abs(made.astype(int) - expected).max() <= most


def prepared(raw, framing, folder):
    """The frames that ``prepare_data.py`` would make."""
    frames, landmarks = raw
    record = ClipRecord("a/b/c", list(frames), "a", "b", len(frames), metadata={"landmarks": landmarks})
    assert not prepare_clip(PreparationJob(record, folder, framing)).skipped
    return read_video(folder / "a/b/c")


@pytest.mark.parametrize("text", ["eyes", "box", "box 0.3"])
def test_pictures_and_videos_are_cut_out_as_the_data_set_is(raw, tmp_path, text):
    framing = named_framing(text, SIZE)
    expected = prepared(raw, framing, tmp_path)
    frames, landmarks = raw
    np.testing.assert_array_equal(np.stack(list(prepare_faces(iter(frames), framing, "video", landmarks))), expected)
    picture = prepare_face(frames[0], framing, "image", landmarks[:1])
    np.testing.assert_array_equal(picture, expected[0])
    np.testing.assert_array_equal(prepare_face(picture, framing, "image"), picture)  # no face is looked for in it


@pytest.mark.parametrize("framing", ["eyes", "box 0.3"])
def test_models_of_faces_animate_raw_pictures_as_prepared_ones(animators, raw, tmp_path, framing):
    frames, landmarks = raw
    expected = prepared(raw, named_framing(framing, SIZE), tmp_path)
    animate, centred = animators[framing], animators[None]
    source = animate.choose_source(driving=frames, landmarks=[landmarks[:1], landmarks])
    made = animate(frames[0], source).frames
    np.testing.assert_array_equal(made, animate(expected[0], expected).frames)
    np.testing.assert_array_equal(made, centred(expected[0], expected).frames)
    assert np.abs(made.astype(int) - centred(frames[0], frames).frames).max() > 3
    with pytest.raises(ConfigError, match="--landmarks"):
        centred.choose_source(driving=frames, landmarks=[landmarks[:1]])


def test_faces_are_found_or_else_the_centre_is_used_and_that_is_said(animators, raw, monkeypatch):
    frames, landmarks = raw
    said, asked = [], []
    monkeypatch.setattr(face_preparation, "print_log", lambda text, *_, **__: said.append(text))
    monkeypatch.setattr(face_preparation, "dlib_installed", lambda: False)
    centre = animators[None](frames[0], frames).frames
    np.testing.assert_array_equal(animators["eyes"](frames[0], frames).frames, centre)
    assert "the face in the image is not looked for, its centre square is used" in said[0]

    def find(found, what):
        asked.append((what, sum(1 for _ in found)))
        return landmarks[: asked[-1][1]]

    monkeypatch.setattr(face_preparation, "dlib_installed", lambda: True)
    monkeypatch.setattr(face_preparation, "find_landmarks", find)
    assert not np.array_equal(animators["eyes"](frames[0], frames).frames, centre)
    assert asked == [("image", 1), ("driving video", 4)]
    asked.clear()
    animators["box 0.3"](frames[0], iter(frames))
    assert asked == [("image", 1), ("driving video", 1)]  # that framing needs the first frame only

    def nobody(found, what):
        raise DataError(f"the {what}: no face was found")

    monkeypatch.setattr(face_preparation, "find_landmarks", nobody)
    np.testing.assert_array_equal(animators["eyes"](frames[0], frames).frames, centre)
    assert said[-1] == "the driving video: no face was found: the centre square of the driving video is used"


def test_the_framing_comes_with_the_data_or_the_model(tmp_path):
    (tmp_path / "prepared.json").write_text('{"set": "mug", "framing": "FirstFrameBox", "size": 64, "margin": 0.2}')
    assert ClipFolder(tmp_path).facts().framing == "box 0.2"
    assert ClipFolder(tmp_path, framing="eyes").facts().framing == "eyes"
    assert ClipFolder(tmp_path / "other").facts().framing is None
    from i2vkit.config.loading import load_config

    assert framing_of(load_config("dtgan_oulu"), 64) == EyeAlignment(64)
    assert framing_of(load_config("imaginator_mug"), 64) == FirstFrameBox(64)
    assert framing_of(load_config("dtgan_weizmann"), 64) is None
    for name, entry in read_index().items():
        cfg = find_pretrained(name).cfg
        assert framing_of(cfg, 64) == (FirstFrameBox(64, 0.3) if "faces" in name else None)
        assert entry.fps is None or cfg.model.fps == 7.0  # so videos of a label do not play at 25
    for text in ("ears", "box x", "box 1 2", "eyes 0.1"):
        with pytest.raises(ConfigError):
            named_framing(text, 64)


def test_one_picture_is_prepared_by_a_command(raw, tmp_path):
    frames, landmarks = raw
    write_image(tmp_path / "face.png", frames[0])
    write_video(tmp_path / "clip.mkv", frames, 7)
    write_landmarks(tmp_path / "face.csv", landmarks)
    prepare_picture(tmp_path / "face.png", tmp_path / "out.png", SIZE, framing="eyes", landmarks=tmp_path / "face.csv")
    expected = prepared(raw, EyeAlignment(SIZE), tmp_path / "eyes")
    assert_close(read_image(tmp_path / "out.png"), expected[0])
    said = prepare_picture(
        tmp_path / "clip.mkv", tmp_path / "out.mkv", landmarks=tmp_path / "face.csv", model="dtgan-faces"
    )
    assert said.endswith("out.mkv: 4 frames of 64x64") and video_fps(tmp_path / "out.mkv") == 7
    assert_close(read_video(tmp_path / "out.mkv"), prepared(raw, FirstFrameBox(64, 0.3), tmp_path / "box"))
    for options, message in (
        (dict(model="dtgan-weizmann"), "was not trained on crops of faces"),
        (dict(model="dtgan-faces", size=64), "--model sets size, framing and margin"),
        (dict(size=8), "at least 16 pixels"),
        (dict(framing="eyes", margin=0.1), "has no margin"),
    ):
        with pytest.raises(ConfigError, match=message):
            prepare_picture(tmp_path / "face.png", tmp_path / "no.png", **options)
    with pytest.raises(ConfigError, match="is the picture itself"):
        prepare_picture(tmp_path / "face.png", tmp_path / "face.png")
    assert not (tmp_path / "no.png").exists()
