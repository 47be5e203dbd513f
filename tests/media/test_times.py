"""Times of frames: rates, varying rates, edit lists, cut files and appended recordings."""

import av
import numpy as np
import pytest
from made_videos import bars, cut, make_video, trim_without_encoding
from PIL import Image

from i2vkit.errors import MediaError
from i2vkit.media import iterate_video, notices, read_video, video_facts, video_fps, video_length, write_video
from i2vkit.media.frame_times import frames_at_rate, regular_rate, steady_rate

VARYING = [*(np.arange(25) / 25), *(1 + np.arange(10) / 5)]  # one second at 25, then two at 5 frames a second


def moments(lasting):
    """Starts and end of frames that last for so long."""
    ends = np.cumsum(lasting)
    return np.append(0, ends[:-1]), ends[-1]


@pytest.mark.parametrize(
    ("lasting", "rate"),
    [
        ([0.04] * 50, 25),
        ([0.04] * 20 + [0.08] + [0.04] * 20, 25),  # a camera dropped one
        ([0.033, 0.033, 0.034] * 20, 30),  # whole milliseconds of a WebM
        ([0.01, 0.02, 0.02] * 20, 60),  # hundredths of a second of a GIF
        ([0.01, 0.01, 0.01, 0.01, 0.01, 0.0] * 20, 120),
        ([1 / 30, 0.05] * 30, 24),  # film in fields
        ([0.026, 0.04, 0.034, 0.0333] * 20, 30),  # a camera that wavers
        ([10.0] * 5, 0.1),
    ],
)
def test_what_is_about_steady_is_read_frame_by_frame(lasting, rate):
    assert regular_rate(*moments(lasting)) == pytest.approx(rate, rel=0.005)


@pytest.mark.parametrize(
    ("lasting", "rate"),
    [
        ([0.04] * 25 + [0.2] * 10, 25),
        ([0.1] * 10 + [3.0], 10),  # an animation that rests at its end
        ([0.3, 0.1], 10),
        ([0.03, 0.03, 0.04] * 8 + [2.0], 30),  # a GIF that rests at its end
        ([1 / 30] * 150 + [1 / 24] * 120, 30),
        ([0.001, 0.001] * 10 + [0.5] * 10, 60),  # no display shows more
    ],
)
def test_the_rate_of_others_is_that_of_their_fastest_frames(lasting, rate):
    starts, end = moments(lasting)
    assert regular_rate(starts, end) is None
    assert steady_rate(starts, end) == pytest.approx(rate, rel=0.01)


def test_a_frame_is_shown_at_its_time():
    shown = list(frames_at_rate(zip([5.0, 5.1, 5.11, 5.4], "abcd", strict=True), 10, 0.6))
    assert shown == ["a", "b", "c", "c", "d", "d"]  # at 0.0, 0.1, 0.2, ...
    assert list(frames_at_rate(iter([]), 10, 1.0)) == []


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_video_of_varying_rate_lasts_as_long_as_in_a_player(tmp_path, suffix, monkeypatch):
    path = make_video(tmp_path / f"vfr{suffix}", bars(35), times=VARYING)
    assert (video_fps(path), video_length(path), video_facts(path).num_stored) == (25.0, 71, 35)
    frames = read_video(path)
    # Frame 25 is shown from 1.0 to 1.2 seconds.
    assert len(frames) == 71 and np.array_equal(frames[25], frames[29]) and not np.array_equal(frames[24], frames[25])
    monkeypatch.setattr(notices, "_given", set())
    with pytest.warns(UserWarning, match="its frame rate varies. It is read frame by frame"):
        stored = list(iterate_video(path, as_stored=True))
    assert len(stored) == 35 and np.array_equal(stored[26], frames[30])


def test_what_an_edit_list_hides_is_not_missing(tmp_path):
    whole = make_video(tmp_path / "whole.mp4", bars(40))
    trimmed = trim_without_encoding(whole, tmp_path / "trimmed.mp4", 0.6)
    assert (video_length(trimmed), video_fps(trimmed)) == (25, 25.0)
    assert np.array_equal(read_video(trimmed), read_video(whole)[15:])


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".mp4", ".flv"])
def test_a_cut_file_is_known_before_it_is_decoded(tmp_path, suffix):
    path, frames = tmp_path / f"cut{suffix}", np.random.default_rng(0).integers(0, 256, (40, 32, 48, 3), np.uint8)
    if suffix in (".avi", ".mp4"):
        write_video(path, frames)
    else:
        make_video(path, frames, options={"bf": "0"})
    assert video_length(path) == len(read_video(path)) == 40
    with pytest.raises(MediaError, match=r"is cut: it ends after 2\d frames, before the end that its header states"):
        video_length(cut(path, 0.65))
    with pytest.raises(MediaError, match=r"cut\.\w+ (is cut: it ends|cannot be read|is damaged) after 2\d frames"):
        read_video(path)


def test_recordings_that_are_appended_to_each_other_are_read_one_after_the_other(tmp_path):
    first, second = (make_video(tmp_path / f"{size}.ts", bars(8, 32, size)).read_bytes() for size in (48, 64))
    (tmp_path / "twice.ts").write_bytes(first + first)
    assert video_length(tmp_path / "twice.ts") == len(read_video(tmp_path / "twice.ts")) == 16
    (tmp_path / "mixed.ts").write_bytes(first + second)
    with pytest.raises(MediaError, match="frame 8 is 64x32, but the frames before it are 48x32"):
        read_video(tmp_path / "mixed.ts")


def animation(path, lasting, **options):
    """Write an animation of that many different pictures, shown for so many milliseconds each."""
    pictures = [Image.fromarray(frame) for frame in bars(len(lasting))]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=lasting, loop=0, **options)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.apng", "a.avif"])
def test_animations_keep_their_rate_whatever_they_are_called(tmp_path, name):
    path = animation(tmp_path / name, [100] * 10)
    assert (video_fps(path), video_length(path)) == (10.0, 10)
    path = animation(tmp_path / name, [40] * 5 + [400])
    assert (video_fps(path), video_length(path)) == (25.0, 15)
    frames = read_video(path)
    assert len(frames) == 15 and np.array_equal(frames[5], frames[14]) and not np.array_equal(frames[4], frames[5])


def test_the_picture_of_an_animation_for_programs_of_stills_is_no_frame(tmp_path):
    path = animation(tmp_path / "a.png", [100] * 3, default_image=True)
    assert (video_fps(path), video_length(path), len(read_video(path))) == (10.0, 2, 2)


def test_stills_have_no_rate(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp")
    assert (video_fps(tmp_path / "a.webp"), video_length(tmp_path / "a.webp")) == (None, 1)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_a_cut_animation_is_refused(tmp_path, name):
    frames = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=100)
    for share in (0.3, 0.7):
        with pytest.raises(MediaError, match=name):
            video_length(cut(tmp_path / name, share))


def test_a_header_that_counts_more_than_the_frames_is_no_cut(tmp_path):
    path = make_video(
        tmp_path / "copied.avi", bars(40)
    )  # its ticks are finer than its frames, and the header counts them
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames > 2 * 40
    assert video_length(path) == len(read_video(path)) == 40
