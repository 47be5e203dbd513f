"""Animations play at the right speed, with the sound of the driving video if wanted, and overwrite no input."""

import io

import numpy as np
import pytest
import torch
from made_videos import bars, cut, make_video
from mmengine.config import Config
from narrow import NARROW, SIZE, gan_config
from PIL import Image

from i2vkit.apis import inferencer as module
from i2vkit.apis.driving import driving_fps, driving_frames
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.errors import ConfigError, I2VError, MediaError
from i2vkit.media import Sound, VideoWriter, read_sound, video_facts, video_fps, video_length, write_image, write_video
from i2vkit.models.motion_generators import PointMaps
from i2vkit.registry import MODELS

CLIP = np.random.default_rng(1).integers(0, 256, (8, SIZE, SIZE, 3), np.uint8)
TONE = Sound((0.5 * np.sin(np.arange(48_000)[:, None] * np.array([0.05, 0.1]))).astype(np.float32), 48_000)


@pytest.fixture(scope="module")
def animate(tmp_path_factory):
    cfg, path = Config(dict(model=gan_config() | dict(fps=5.0))), tmp_path_factory.mktemp("weights") / "model.pth"
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, path)
    return I2VInferencer(cfg, path, device="cpu")


@pytest.fixture
def said(monkeypatch):
    lines = []
    for place in ("i2vkit.apis.inferencer.print_log", "i2vkit.apis.driving.print_log"):
        monkeypatch.setattr(place, lambda text, *_, **__: lines.append(text))
    return lines


def test_a_driving_video_of_varying_rate_plays_by_its_times(animate, tmp_path, said):
    times = [*(np.arange(10) / 25), *(0.4 + np.arange(4) / 5)]
    path = make_video(tmp_path / "vfr.mkv", bars(14, SIZE, SIZE), times=times)
    made = animate(CLIP[0], path)
    assert made.num_frames / made.fps == pytest.approx(1.04, abs=0.03) and made.fps == 25
    assert f"the frame rate of {path} varies: its 14 frames are shown as 26 at 25 a second" in said


def test_several_driving_videos_keep_their_own_speed(animate, tmp_path, said):
    write_video(tmp_path / "fast.mkv", CLIP, 25)
    write_video(tmp_path / "slow.mkv", CLIP[:2], 5)
    files = [tmp_path / "fast.mkv", tmp_path / "slow.mkv"]
    assert driving_fps(files) == 25
    np.testing.assert_array_equal(np.stack(list(driving_frames(files))), [*CLIP, *[CLIP[0]] * 5, *[CLIP[1]] * 5])
    made = animate(CLIP[0], files)
    assert (made.num_frames, made.fps) == (18, 25)
    assert f"{files[1]} has 5 frames a second: they are repeated for 25" in said
    assert animate(CLIP[0], files, fps=10).fps == 10


def test_videos_without_a_rate_of_their_own_play_at_that_of_training(animate, tmp_path):
    for number, frame in enumerate(CLIP):
        write_image(tmp_path / f"folder/{number}.png", frame)
    assert animate(CLIP[0], tmp_path / "folder").fps == animate(CLIP[0], CLIP).fps == 5
    made = animate(CLIP[0], tmp_path / "folder", tmp_path / "out.mp4", fps=12.5)
    assert made.fps == video_fps(tmp_path / "out.mp4") == 12.5


def test_another_rate_than_that_of_training_is_said(animate, tmp_path, said):
    write_video(tmp_path / "clip.mkv", CLIP, 25)
    animate(CLIP[0], tmp_path / "clip.mkv")
    assert any("has 25 frames a second, and the model was trained on 5:" in line for line in said)
    write_video(tmp_path / "clip.mkv", CLIP, 5)
    said.clear()
    animate(CLIP[0], tmp_path / "clip.mkv")
    assert not said


def test_a_model_that_works_frame_by_frame_takes_any_rate(tmp_path, said):
    """As landmark-unet-faces of the zoo. Its motion is drawn of points, and no part reads the frames between."""
    generator = dict(
        content_encoder=None,
        motion_encoder=NARROW["LandmarkEncoder"],
        motion_generator=dict(type=PointMaps),
        decoder=NARROW["UNetDecoder"],
    )
    cfg = Config(dict(model=gan_config(generator=generator, discriminators={}, phases={}, frozen=[]) | dict(fps=5.0)))
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, tmp_path / "model.pth")
    write_video(tmp_path / "clip.mkv", CLIP, 25)
    made = I2VInferencer(cfg, tmp_path / "model.pth", device="cpu")(CLIP[0], tmp_path / "clip.mkv")
    assert (made.num_frames, made.fps) == (8, 25) and not said


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif", ".mkv"])
def test_the_rate_of_bytes_and_of_animations_is_known(animate, tmp_path, suffix):
    if suffix == ".mkv":
        write_video(tmp_path / "a.mkv", CLIP, 10)
    else:
        pictures = [Image.fromarray(frame) for frame in CLIP]
        pictures[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=pictures[1:], duration=100)
        with Image.open(tmp_path / f"a{suffix}") as opened:
            assert (driving_fps(opened), len(list(driving_frames(opened)))) == (10, 8)
    data = (tmp_path / f"a{suffix}").read_bytes()
    for driving in (tmp_path / f"a{suffix}", data, io.BytesIO(data)):
        made = animate(CLIP[0], driving)
        assert (made.num_frames, made.fps) == (8, 10)
    two = animate([CLIP[0], CLIP[1]], io.BytesIO(data))  # an open file is read once, for both
    assert [one.num_frames for one in two] == [8, 8]


def sounding(path, fps=25.0, frames=CLIP, sound=TONE):
    with VideoWriter(path, fps, sound) as writer:
        for frame in frames:
            writer.write(frame)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_the_sound_of_the_driving_video_is_kept(animate, tmp_path, suffix, said):
    driving, out = sounding(tmp_path / "driving.mkv"), tmp_path / f"out{suffix}"
    assert not video_facts(animate(CLIP[0], driving, out).path).sound
    assert "the sound of the driving video is left out: audio (--audio) keeps it" in said
    made = animate(CLIP[0], driving, out, audio=True)
    kept, wanted = read_sound(out), TONE.lasting(8 / 25)
    assert kept.rate == 48_000 and abs(len(kept.samples) - len(wanted.samples)) <= 1024  # a block of AAC
    difference = np.abs(kept.samples[2048:14_000] - wanted.samples[2048:14_000]).mean()
    assert difference < (0.02 if suffix == ".mp4" else 1e-4)
    assert video_length(out) == 8
    again = animate(CLIP[0], driving, audio=True)
    assert video_facts(again.save(tmp_path / "saved.mp4")).sound and video_facts(again.save(tmp_path / "a.gif")).fps
    assert made.sound is not None


def test_the_sounds_of_several_videos_follow_each_other(animate, tmp_path):
    first, second = sounding(tmp_path / "a.mkv", 20, CLIP[:4]), tmp_path / "silent.mkv"
    write_video(second, CLIP[:2], 10)
    animate(CLIP[0], [first, second, first], tmp_path / "out.mkv", audio=True)
    kept = read_sound(tmp_path / "out.mkv").samples
    assert len(kept) == round(0.6 * 48_000)
    tone = TONE.samples[: round(0.2 * 48_000)]
    for start, expected in ((0, tone), (0.2, 0 * tone), (0.4, tone)):
        np.testing.assert_allclose(kept[round(start * 48_000) :][: len(tone)], expected, atol=1e-3)


def test_sound_that_begins_before_or_after_the_picture_stays_in_time(tmp_path):
    path = sounding(tmp_path / "a.mkv")
    assert np.abs(read_sound(path).samples[:14_000] - TONE.samples[:14_000]).max() < 1e-3


def test_sound_that_cannot_be_kept_is_said_before_any_work(animate, tmp_path, monkeypatch):
    driving = sounding(tmp_path / "driving.mkv")
    monkeypatch.setattr(module, "generate_frames", None)
    with pytest.raises(ConfigError, match=r"there is no driving video with sound that could be kept"):
        animate(CLIP[0], CLIP, audio=True)
    with pytest.raises(ConfigError, match=r"audio \(--audio\) goes into .mp4, .mkv, .avi, not into out.gif"):
        animate(CLIP[0], driving, tmp_path / "out.gif", audio=True)
    with pytest.raises(ConfigError, match=r"keeps the speed of the driving video: leave fps \(--fps\) away"):
        animate(CLIP[0], driving, tmp_path / "out.mp4", audio=True, fps=5)


def test_no_input_is_overwritten(animate, tmp_path):
    write_video(tmp_path / "clip.mkv", CLIP)
    write_image(tmp_path / "face.png", CLIP[0])
    for out in ("clip.mkv", "face.png"):
        before = (tmp_path / out).read_bytes()
        with pytest.raises(ConfigError, match=f"{out} is an input, and would be overwritten"):
            animate(tmp_path / "face.png", tmp_path / "clip.mkv", tmp_path / "sub/.." / out)
        assert (tmp_path / out).read_bytes() == before


def test_paths_of_the_home_folder_and_addresses(animate, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_image(tmp_path / "face.png", CLIP[0])
    write_video(tmp_path / "clip.mkv", CLIP)
    assert animate("~/face.png", "~/clip.mkv").num_frames == 8
    for image, driving in (("https://example.org/face.jpg", CLIP), (CLIP[0], "https://example.org/clip.mp4")):
        with pytest.raises(MediaError, match=r"https://example.org/\w+.\w+ is an address: download it"):
            animate(image, driving)


def test_whatever_is_given_the_error_is_one_of_ours(animate, tmp_path):
    (tmp_path / "notes.txt").write_text("no video")
    with VideoWriter(tmp_path / "a.mkv", 25, TONE) as writer:
        writer.write(CLIP[0])
    write_video(tmp_path / "cut.mkv", np.repeat(CLIP, 4, 0))
    cut(tmp_path / "cut.mkv", 0.5)
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(MediaError, match=r"cut\.mkv is cut: it ends after \d+ frames"):
        animate(CLIP[0], tmp_path / "cut.mkv")
    opened = Image.new("RGB", (4, 4))
    opened.close()
    for image in (None, 3, "", b"", tmp_path, tmp_path / "cut.png", object(), {}, np.zeros((0, 0)), "a\0b", opened):
        with pytest.raises(I2VError):
            animate(image, CLIP)
    for driving in (
        3,
        b"",
        "",
        tmp_path / "notes.txt",
        tmp_path / "none.mp4",
        [],
        [None],
        np.zeros(3),
        [b"x"],
        object(),
    ):
        with pytest.raises(I2VError):
            animate(CLIP[0], driving)
