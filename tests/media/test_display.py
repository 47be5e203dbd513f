"""Frames and images are what a player shows: aspect, turning, alpha, colours, fields."""

import gc
import os
import signal
import sys
import time
from fractions import Fraction
from types import ModuleType

import av
import numpy as np
import pytest
from made_videos import bars, make_video
from PIL import Image, ImageCms

from i2vkit.errors import MediaError
from i2vkit.media import image_paths, notices, read_image, read_video, write_image, write_video
from i2vkit.media.display import _converted

CORNERS = np.full((2, 32, 48, 3), 60, np.uint8)
CORNERS[:, :16, :16] = 220  # bright at the upper left


@pytest.fixture(autouse=True)
def forget_warnings(monkeypatch):
    monkeypatch.setattr(notices, "_given", set())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(("aspect", "width"), [(Fraction(4, 3), 64), (Fraction(1, 2), 24)])
def test_pixels_of_videos_become_square(tmp_path, suffix, aspect, width):
    frames = read_video(make_video(tmp_path / f"wide{suffix}", CORNERS, aspect=aspect))
    assert frames.shape == (2, 32, width, 3)
    assert frames[0, 4, : width // 3 - 3].min() > 180 > 100 > frames[0, 4, width // 3 + 3 :].max()


def test_pixels_of_stills_become_square(tmp_path):
    image = Image.fromarray(CORNERS[0])
    image.save(tmp_path / "wide.png", dpi=(75, 100))
    image.save(tmp_path / "wide.tif", dpi=(75, 100))
    for name in ("wide.png", "wide.tif"):
        assert read_image(tmp_path / name).shape == (32, 64, 3), name
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    image.save(tmp_path / "turned.png", dpi=(75, 100), exif=exif)
    turned = read_image(tmp_path / "turned.png")
    assert turned.shape == (64, 32, 3) and turned[4, -4, 0] > 180 > turned[4, 4, 0]
    image.save(tmp_path / "square.png", dpi=(72, 72))
    assert np.array_equal(read_image(tmp_path / "square.png"), CORNERS[0])


def test_an_impossible_aspect_is_said_and_left_alone(tmp_path):
    path = make_video(tmp_path / "odd.mkv", CORNERS, aspect=Fraction(20, 1))
    with pytest.warns(UserWarning, match="states pixels 20 times as wide as high: they are taken to be square"):
        assert read_video(path).shape == (2, 32, 48, 3)


@pytest.mark.parametrize(("degrees", "corner"), [(90, (-4, 4)), (180, (-4, -4)), (270, (4, -4))])
def test_frames_are_turned_counterclockwise(tmp_path, degrees, corner):
    frames = read_video(make_video(tmp_path / "turned.mp4", CORNERS, rotation=degrees))
    assert frames.shape[1:3] == ((32, 48) if degrees == 180 else (48, 32))
    assert frames[0][corner].min() > 180


def test_mirrored_frames_are_mirrored_back(tmp_path):
    path = make_video(tmp_path / "mirrored.mp4", CORNERS)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    assert data[matrix : matrix + 4] == (1 << 16).to_bytes(4, "big")
    data[matrix : matrix + 4] = (-1 << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    frames = read_video(path)
    assert frames.shape == (2, 32, 48, 3) and frames[0, 4, -4, 0] > 180 > frames[0, 4, 4, 0]


TRANSPARENT = np.zeros((3, 32, 48, 4), np.uint8)
TRANSPARENT[..., 0] = 250  # a hidden red
TRANSPARENT[:, :16, :, 3] = 255


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "qtrle", "argb"),
        ("a.mkv", "ffv1", "yuva420p"),
    ],
)
def test_transparent_videos_are_laid_over_black_as_stills_are(tmp_path, name, codec, pixels):
    path = make_video(tmp_path / name, TRANSPARENT, codec=codec, pixels=pixels)
    with pytest.warns(UserWarning, match=f"{name} is transparent in part: such images are laid over black"):
        frames = read_video(path)
    assert len(frames) == 3 and frames[2, :12, :, 0].min() > 235 and frames[2, 20:].max() < 12


COLOURS = np.zeros((2, 32, 48, 3), np.uint8)
COLOURS[:, :16], COLOURS[:, 16:] = (187, 187, 0), (0, 187, 187)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("extent", [1, 2])
def test_colours_are_those_of_the_matrix_and_range_that_the_file_states(tmp_path, suffix, matrix, extent):
    path = make_video(tmp_path / f"colours{suffix}", COLOURS, colour=(matrix, extent), options={"crf": "1"})
    with av.open(str(path)) as container:
        # Our own arithmetic: the luma of yellow in that matrix and range.
        red, blue = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}[matrix]
        luma = 187 * (red + (1 - red - blue))
        stored = next(container.decode(video=0)).to_ndarray()[4, 8]
        assert abs(stored - (luma if extent == 2 else 16 + luma * 219 / 255)) < 2.5
    assert np.abs(read_video(path)[:, [6, 26], 8].astype(int) - [COLOURS[0, 0, 0], COLOURS[0, -1, 0]]).max() < 6


def test_what_we_write_states_its_matrix(tmp_path):
    write_video(tmp_path / "a.mp4", COLOURS)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (6, 1)
    assert np.abs(read_video(tmp_path / "a.mp4")[:, 6, 8].astype(int) - COLOURS[0, 0, 0]).max() < 6


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "libx264"), (".mpg", "mpeg2video"), (".mkv", "mpeg2video")])
def test_fields_become_pictures(tmp_path, suffix, codec):
    whole = bars(12)
    combed = whole.copy()
    combed[:-1, 1::2] = whole[1:, 1::2]  # the lower field is a frame later, so edges are combs
    options = {"x264-params": "tff=1"} if codec == "libx264" else {}
    path = make_video(tmp_path / f"fields{suffix}", combed, interlaced=True, codec=codec, options=options)
    frames = read_video(path).astype(int)
    assert len(frames) == 12
    assert np.abs(combed[4, 8:24:2].astype(int) - combed[4, 9:24:2]).max() == 160
    assert np.abs(frames[4, 8:24:2] - frames[4, 9:24:2]).max() < 30


def test_hdr_is_said(tmp_path):
    path = tmp_path / "hdr.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.pix_fmt, stream.height, stream.width = "yuv420p", 32, 48
        stream.codec_context.color_trc = 16
        container.mux(stream.encode(av.VideoFrame.from_ndarray(COLOURS[0], format="rgb24")))
        container.mux(stream.encode())
    with pytest.warns(UserWarning, match="is an HDR video: its colours are read without tone mapping"):
        assert len(read_video(path)) == 1


def test_a_colour_profile_is_converted_to_srgb(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(COLOURS[0]).save(tmp_path / "srgb.png", icc_profile=srgb)
    assert np.array_equal(read_image(tmp_path / "srgb.png"), COLOURS[0])
    # The same profile with red and blue exchanged.
    swapped = bytearray(srgb.replace("sRGB".encode("utf-16-be"), "tRGB".encode("utf-16-be")))
    places = {tag: swapped.index(tag, 128) for tag in (b"rXYZ", b"bXYZ")}
    red, blue = (bytes(swapped[place + 4 : place + 12]) for place in places.values())
    swapped[places[b"rXYZ"] + 4 : places[b"rXYZ"] + 12], swapped[places[b"bXYZ"] + 4 : places[b"bXYZ"] + 12] = blue, red
    Image.fromarray(COLOURS[0]).save(tmp_path / "swapped.png", icc_profile=bytes(swapped))
    assert np.abs(read_image(tmp_path / "swapped.png").astype(int) - COLOURS[0][..., ::-1]).max() < 4
    Image.fromarray(COLOURS[0]).save(tmp_path / "broken.png", icc_profile=b"no profile")
    with pytest.warns(UserWarning, match="its colour profile cannot be used"):
        assert np.array_equal(read_image(tmp_path / "broken.png"), COLOURS[0])


@pytest.mark.parametrize("suffix", [".avif", ".jfif", ".jpe", ".AVIF"])
def test_further_formats_of_images_are_read_written_and_found_in_folders(tmp_path, suffix):
    write_image(tmp_path / f"0{suffix}", COLOURS[0])
    assert image_paths(tmp_path) == [tmp_path / f"0{suffix}"]
    assert np.abs(read_image(tmp_path / f"0{suffix}")[[6, 26], 8].astype(int) - COLOURS[0, [6, 26], 8]).max() < 12


def test_heic_names_its_plugin_and_uses_it(tmp_path, monkeypatch):
    (tmp_path / "0.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "named.jpg").write_bytes((tmp_path / "0.heic").read_bytes())
    assert image_paths(tmp_path) == [tmp_path / "0.heic", tmp_path / "named.jpg"]
    for name in ("0.heic", "named.jpg"):
        with pytest.raises(MediaError, match=f"{name} is an HEIC image, which needs a plugin: pip install pillow-heif"):
            read_image(tmp_path / name)
    with pytest.raises(MediaError, match="an image is written as one of"):
        write_image(tmp_path / "1.heic", COLOURS[0])
    plugin, called = ModuleType("pillow_heif"), []
    plugin.register_heif_opener = lambda: called.append(True)
    plugin.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec("pillow_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    with pytest.raises(MediaError, match=r"0\.heic cannot be read"):
        read_image(tmp_path / "0.heic")
    assert called


def test_a_forked_process_can_discard_decoded_frames(tmp_path):
    """Workers of data loaders are forks. They do not have the threads of the process that decoded."""
    write_video(tmp_path / "a.mp4", np.random.default_rng(0).integers(256, size=(4, 256, 256, 3), dtype=np.uint8), 25)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frames: list = list(container.decode(video=0))
    for frame in frames:
        _converted(frame, "rgb24")
    frames.append(frames)  # a cycle, which the garbage collector finds at some later time, here in the child
    gc.collect()
    child = os.fork()
    if not child:
        del frame, frames
        gc.collect()
        os._exit(0)
    del frame
    end = time.monotonic() + 60
    while not (done := os.waitpid(child, os.WNOHANG)[0]) and time.monotonic() < end:
        time.sleep(0.02)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    frames.clear()
    assert done
