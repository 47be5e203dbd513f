"""Images and driving videos in every common form, lists of images, and the result that a notebook shows."""

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import SIZE, gan_config
from PIL import Image

from i2vkit.apis.animation import Animation
from i2vkit.apis.driving import driving_frames
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.apis.pictures import as_image
from i2vkit.errors import ConfigError, MediaError
from i2vkit.media import read_video, write_image, write_video
from i2vkit.registry import MODELS

RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
GREY = RGB[..., 0]
CLIP = np.random.default_rng(1).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def animate(tmp_path_factory):
    cfg, path = Config(dict(model=gan_config())), tmp_path_factory.mktemp("weights") / "model.pth"
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, path)
    return I2VInferencer(cfg, path, device="cpu")


def encoded(image, kind="PNG"):
    """The bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (RGB, RGB),
        (encoded(RGB), RGB),
        (io.BytesIO(encoded(RGB)), RGB),
        (Image.fromarray(RGB), RGB),
        (torch.from_numpy(RGB), RGB),
        (torch.from_numpy(RGB).permute(2, 0, 1), RGB),
        (torch.from_numpy(RGB).permute(2, 0, 1) / 255, RGB),
        (RGB.transpose(2, 0, 1), RGB),
        ((torch.from_numpy(RGB) > 127).to(torch.bfloat16), (RGB > 127) * np.uint8(255)),
        (RGB / 255, RGB),
        (RGB.astype(np.uint16) * 257, RGB),
        (GREY, np.stack([GREY] * 3, 2)),
        (GREY[..., None], np.stack([GREY] * 3, 2)),
        (torch.from_numpy(GREY)[None], np.stack([GREY] * 3, 2)),
        (GREY > 100, np.stack([(GREY > 100) * np.uint8(255)] * 3, 2)),
        (np.dstack([RGB, np.full_like(GREY, 255)]), RGB),
        (np.dstack([RGB, np.zeros_like(GREY)]), np.zeros_like(RGB)),
    ],
)
def test_an_image_comes_in_many_forms(given, expected):
    found = as_image(given)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (RGB.astype(float), r"of floats has values in \[0, 1\], and these are between"),
        (RGB / 127.5 - 1, r"map \[-1, 1\] to \[0, 1\]"),
        (np.full((4, 4), np.nan), "between nan and nan"),
        (RGB.astype(np.int64), "uint8, uint16, bool or float in"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"grey or with alpha, got uint8 \(2, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"got uint8 \(0, 4, 3\)"),
        (b"no image", "the image that was given as bytes cannot be read as an image"),
        (7, "a path, bytes, a Pillow image, an array or a tensor, not a int"),
    ],
)
def test_what_is_no_image_is_said(given, message):
    with pytest.raises(MediaError, match=message):
        as_image(given)


def test_a_driving_video_comes_as_bytes_tensors_and_pillow_images(tmp_path):
    write_video(tmp_path / "clip.avi", CLIP, 10)
    expected = read_video(tmp_path / "clip.avi")
    data = (tmp_path / "clip.avi").read_bytes()
    with (tmp_path / "clip.avi").open("rb") as file:
        for given in (data, file):
            np.testing.assert_array_equal(np.stack(list(driving_frames(given))), expected)
    tensor = torch.from_numpy(CLIP).permute(0, 3, 1, 2)
    for given in (tensor, tensor / 255, [Image.fromarray(frame) for frame in CLIP]):
        np.testing.assert_array_equal(np.stack(list(driving_frames(given))), CLIP)
    gif = io.BytesIO()
    Image.fromarray(CLIP[0]).save(gif, "GIF", save_all=True, append_images=[Image.fromarray(CLIP[1])])
    assert len(list(driving_frames(gif.getvalue()))) == 2
    with pytest.raises(MediaError, match="a driving video is a file, bytes or frames, not a int"):
        list(driving_frames(7))


def test_several_images_give_several_videos_and_no_two_share_a_file(animate, tmp_path):
    for folder in ("a", "b"):
        write_image(tmp_path / folder / "face.png", CLIP[0])
    images = [tmp_path / "a/face.png", tmp_path / "b/face.png", CLIP[1]]
    made = animate(images, CLIP, tmp_path / "out", keep_frames=True)
    assert [one.path.name for one in made] == ["face.mp4", "face_2.mp4", "image_3.mp4"]
    assert all(one.path.stat().st_size > 0 for one in made)
    for image, one in zip(images, made, strict=True):
        np.testing.assert_array_equal(one.videos, animate(image, CLIP).videos)
    with pytest.raises(ConfigError, match="several images are written to a folder"):
        animate(images, CLIP, tmp_path / "out.mp4")
    with pytest.raises(ConfigError, match="an iterator can be read once"):
        animate(images, iter(CLIP))
    with pytest.raises(ConfigError, match="no image to animate in an empty list"):
        animate([], CLIP)


def test_the_rate_is_that_of_the_video_or_the_one_asked_for(animate, tmp_path):
    write_video(tmp_path / "clip.mkv", CLIP, 12.5)
    assert animate(CLIP[0], tmp_path / "clip.mkv").fps == 12.5
    assert animate(CLIP[0], tmp_path / "clip.mkv", fps=5).fps == 5
    for fps in (0, -1, float("nan"), 1e6):
        with pytest.raises(ConfigError, match=r"fps \(--fps\) is a number of frames a second"):
            animate(CLIP[0], CLIP, fps=fps)


def test_the_result_prints_in_a_line_shows_itself_and_saves(animate, tmp_path):
    made = animate(CLIP[0], CLIP)
    assert repr(made) == f"Animation(4 frames of {SIZE}x{SIZE}, 25 a second)"
    assert made.video.shape == (4, 3, SIZE, SIZE) and made.video.dtype == torch.uint8
    np.testing.assert_array_equal(made.video[2].permute(1, 2, 0).numpy(), made.frames[2])
    np.testing.assert_array_equal(read_video(made.save(tmp_path / "saved.mkv")), made.frames)
    shown = made._repr_mimebundle_()
    assert shown["text/plain"] == repr(made) and shown["text/html"].startswith('<video src="data:video/mp4;base64,')
    (tmp_path / "shown.mp4").write_bytes(b64decode(shown["text/html"].split("base64,")[1].split('"')[0]))
    assert read_video(tmp_path / "shown.mp4").shape == made.frames.shape


def test_a_result_whose_frames_were_not_kept_is_its_file(animate, tmp_path):
    made = animate(CLIP[0], CLIP, tmp_path / "out.gif")
    assert made.videos is None and repr(made) == f"Animation(4 frames, 25 a second, {tmp_path / 'out.gif'})"
    assert made._repr_html_().startswith('<img src="data:image/gif;base64,')
    assert made.save(tmp_path / "copy/again.gif").read_bytes() == (tmp_path / "out.gif").read_bytes()
    assert made.save(made.path) == made.path
    for use in (lambda: made.video, lambda: made.save(tmp_path / "out.mp4")):
        with pytest.raises(MediaError, match="and not kept: animate with keep_frames=True"):
            use()
    assert (
        Animation(3, 5.0, ("a", "b"), None, Path("x.mkv"))._repr_html_()
        == "Animation(2 videos of 3 frames, 5 a second, x.mkv)"
    )
