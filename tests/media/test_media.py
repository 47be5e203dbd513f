import os
import resource
import stat
import struct
from contextlib import contextmanager

import av
import numpy as np
import pytest
from PIL import Image

from i2vkit.errors import MediaError
from i2vkit.media import (
    VideoWriter,
    atomic_path,
    image_paths,
    iterate_video,
    notices,
    read_image,
    read_video,
    video_fps,
    video_length,
    write_image,
    write_video,
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def moving_square(length: int, height: int, width: int) -> np.ndarray:
    frames = np.full((length, height, width, 3), (40, 90, 160), np.uint8)
    for index in range(length):
        frames[index, 8:24, index : index + 16] = (220, 180, 60)
    return frames


# Images


def test_png_gives_back_what_was_written(tmp_path):
    image = noise(5, 7, 3)
    write_image(tmp_path / "new" / "image.png", image)
    assert np.array_equal(read_image(tmp_path / "new" / "image.png"), image)


def test_grey_is_repeated_over_the_channels(tmp_path):
    grey = noise(5, 7)
    write_image(tmp_path / "grey.png", grey)
    assert np.array_equal(read_image(tmp_path / "grey.png"), np.stack([grey] * 3, axis=-1))


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, suffix):
    values = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"deep{suffix}")
    assert read_image(tmp_path / f"deep{suffix}")[0, :, 1].tolist() == [0, 1, 128, 255]


def test_floating_point_is_refused(tmp_path):
    Image.fromarray(np.zeros((2, 2), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(MediaError, match=r"float\.tif holds floating-point"):
        read_image(tmp_path / "float.tif")


def test_alpha_is_laid_over_black_with_one_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(notices, "_given", set())
    Image.new("RGBA", (2, 2), (200, 100, 50, 128)).save(tmp_path / "half.png")
    with pytest.warns(UserWarning, match=r"half\.png is transparent"):
        image = read_image(tmp_path / "half.png")
    assert image[0, 0].tolist() == [100, 50, 25]
    assert np.array_equal(read_image(tmp_path / "half.png"), image)  # a second warning would be an error


def test_opaque_alpha_is_dropped_in_silence(tmp_path):
    Image.new("RGBA", (2, 2), (200, 100, 50, 255)).save(tmp_path / "opaque.png")
    assert read_image(tmp_path / "opaque.png")[0, 0].tolist() == [200, 100, 50]


def test_palette_images_are_expanded(tmp_path):
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[:2] = (255, 0, 7)
    Image.fromarray(colours).quantize(4).save(tmp_path / "palette.png")
    assert np.array_equal(read_image(tmp_path / "palette.png"), colours)


def test_exif_orientation_is_respected(tmp_path):
    lying = noise(4, 6, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    Image.fromarray(lying).save(tmp_path / "phone.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "phone.png"), np.rot90(lying, -1))


def test_a_cut_image_is_named(tmp_path):
    write_image(tmp_path / "whole.jpg", noise(64, 64, 3))
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match=r"cut\.jpg cannot be read"):
        read_image(tmp_path / "cut.jpg")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(MediaError, match=r"text\.png cannot be read"):
        read_image(tmp_path / "text.png")
    with pytest.raises(MediaError, match=r"there is no file .*absent\.png"):
        read_image(tmp_path / "absent.png")


def test_write_image_refuses_what_is_no_image(tmp_path):
    with pytest.raises(ValueError, match="uint8"):
        write_image(tmp_path / "x.png", np.zeros((2, 2, 3)))
    with pytest.raises(MediaError, match="written as one of"):
        write_image(tmp_path / "x.npy", noise(2, 2, 3))


def test_images_are_sorted_by_number_without_hidden_files(tmp_path):
    for name in ("10.png", "9.png", "b1.png", "._9.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in image_paths(tmp_path)] == ["9.png", "10.png", "b1.png"]


# Videos


def test_avi_is_nearly_exact_at_odd_sizes_and_the_same_on_every_machine(tmp_path):
    frames = moving_square(6, 33, 45)
    write_video(tmp_path / "clip.avi", frames, fps=20)
    assert np.abs(read_video(tmp_path / "clip.avi").astype(int) - frames).mean() < 2.0
    assert (video_fps(tmp_path / "clip.avi"), video_length(tmp_path / "clip.avi")) == (20.0, 6)
    content = (tmp_path / "clip.avi").read_bytes()
    assert b"Lavf" not in content
    with av.open(str(tmp_path / "one.avi"), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mjpeg", rate=20, options={"qmin": "2", "qmax": "2"})
        stream.pix_fmt, stream.width, stream.height, stream.codec_context.thread_count = "yuvj444p", 45, 33, 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    assert (tmp_path / "one.avi").read_bytes() == content  # of one thread: FFmpeg's slices depend on their number


def test_mkv_is_exact_at_odd_sizes(tmp_path):
    frames = noise(5, 9, 11, 3)
    write_video(tmp_path / "truth.mkv", frames, fps=12.5)
    assert np.array_equal(read_video(tmp_path / "truth.mkv"), frames)
    assert video_fps(tmp_path / "truth.mkv") == 12.5
    assert video_length(tmp_path / "truth.mkv") == 5


def test_mp4_pads_odd_sizes_and_stays_close(tmp_path):
    frames = moving_square(12, 33, 47)
    write_video(tmp_path / "clip.mp4", iter(frames), fps=29.97)
    read = read_video(tmp_path / "clip.mp4")
    assert read.shape == (12, 34, 48, 3)
    assert np.abs(read[:, :33, :47].astype(int) - frames).mean() < 4
    assert np.abs(read[:, 33].astype(int) - read[:, 32]).mean() < 4  # the edge is repeated
    assert video_fps(tmp_path / "clip.mp4") == pytest.approx(29.97)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_gif_has_a_palette_a_frame_and_the_right_rate(tmp_path):
    rows, columns = np.mgrid[:64, :64] * 4
    frames = np.stack([np.stack([columns, rows, np.full_like(rows, 20 * step)], -1) for step in range(7)])
    write_video(tmp_path / "clip.gif", frames.astype(np.uint8), fps=30)
    read = read_video(tmp_path / "clip.gif")
    assert read.shape == frames.shape
    assert np.mean((read - frames) ** 2.0) < 255**2 / 10**3  # 30 dB
    assert video_fps(tmp_path / "clip.gif") == pytest.approx(30, rel=0.02)
    assert video_length(tmp_path / "clip.gif") == 7


def test_strip_holds_the_frames_side_by_side(tmp_path):
    frames = noise(3, 4, 5, 3)
    write_video(tmp_path / "strip.png", frames)
    strip = read_image(tmp_path / "strip.png")
    assert strip.shape == (4, 15, 3)
    assert np.array_equal(strip[:, 5:10], frames[1])


def test_a_folder_and_one_image_are_videos_too(tmp_path):
    frames = noise(11, 4, 4, 3)
    for index, frame in enumerate(frames):
        write_image(tmp_path / f"{index}.png", frame)
    assert np.array_equal(read_video(tmp_path), frames)
    assert np.array_equal(read_video(tmp_path / "3.png"), frames[3:4])
    assert video_length(tmp_path) == 11
    assert video_fps(tmp_path) is None
    write_image(tmp_path / "7.png", noise(4, 6, 3))
    with pytest.raises(MediaError, match=r"7\.png is 6x4, but the frames before it are 4x4"):
        read_video(tmp_path)


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_cut_video_gives_its_readable_frames_then_an_error(tmp_path, name):
    write_video(tmp_path / name, noise(40, 64, 64, 3))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(0.7 * len(data))])
    frames = []
    with pytest.raises(MediaError, match=name) as error:
        for frame in iterate_video(tmp_path / name):
            frames.append(frame)
    assert 5 < len(frames) < 40
    assert f"after {len(frames)} frames" in str(error.value)


def test_videos_filmed_upright_are_turned(tmp_path):
    write_video(tmp_path / "clip.mp4", moving_square(3, 32, 48))
    lying = read_video(tmp_path / "clip.mp4")
    matrices = [struct.pack(">9i", *values) for values in (_IDENTITY, _QUARTER_CLOCKWISE)]
    data = bytearray((tmp_path / "clip.mp4").read_bytes())
    track = data.index(b"tkhd")  # the header of the track; the one of the film holds a matrix too
    data[track:] = data[track:].replace(*matrices, 1)
    (tmp_path / "phone.mp4").write_bytes(data)
    assert np.array_equal(read_video(tmp_path / "phone.mp4"), np.rot90(lying, -1, axes=(1, 2)))


_IDENTITY = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_QUARTER_CLOCKWISE = (0, 1 << 16, 0, -1 << 16, 0, 0, 32 << 16, 0, 1 << 30)


def test_what_holds_no_video_is_named(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(MediaError, match=r"empty\.mp4"):
        read_video(tmp_path / "empty.mp4")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MediaError, match="folder holds no frames"):
        read_video(tmp_path / "folder")
    with pytest.raises(MediaError, match=r"there is no file .*absent\.mp4"):
        read_video(tmp_path / "absent.mp4")


# Writing whole or not at all


def test_atomic_path_keeps_the_old_file_when_the_body_fails(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with atomic_path(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def full_disk():
    """Inside, no file may grow beyond 20,000 bytes. No longer than that: pytest's own output may go to a file."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.gif", "strip.png"])
def test_a_full_disk_leaves_no_half_video(tmp_path, name):
    with full_disk(), pytest.raises(MediaError, match=f"{name} cannot be written"):
        write_video(tmp_path / name, noise(20, 64, 64, 3))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_image(tmp_path):
    with full_disk(), pytest.raises(MediaError, match="cannot be written"):
        write_image(tmp_path / "image.png", noise(200, 200, 3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.gif"])
def test_a_failing_body_leaves_no_video_and_keeps_its_error(tmp_path, name):
    with pytest.raises(KeyError), VideoWriter(tmp_path / name) as writer:
        writer.write(noise(16, 16, 3))
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_the_writer_refuses_what_is_no_video(tmp_path):
    with pytest.raises(MediaError, match="there are no frames"):
        write_video(tmp_path / "clip.mp4", [])
    with pytest.raises(MediaError, match="a frame of 18x16 after frames of 16x16"):
        write_video(tmp_path / "clip.mp4", [noise(16, 16, 3), noise(16, 18, 3)])
    with pytest.raises(MediaError, match="written as"):
        VideoWriter(tmp_path / "clip.webm")
    with pytest.raises(ValueError, match="uint8"):
        write_video(tmp_path / "clip.mp4", [np.zeros((4, 4, 3))])
    assert list(tmp_path.iterdir()) == []
