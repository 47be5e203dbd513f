"""The inferencer: the same video in chunks and at once, from every form of input; its files; weights in and out."""

import os
import stat

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import SIZE, gan_config
from PIL import Image
from safetensors.torch import load_file, save_file

from i2vkit.apis import inferencer as module
from i2vkit.apis.generation import generate_chunks
from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.apis.motion_sources import DrivingVideo
from i2vkit.apis.variants import Variant
from i2vkit.errors import CheckpointError, ConfigError, MediaError, TrainingError
from i2vkit.media import read_image, read_video, write_image, write_video
from i2vkit.models.generator_weights import DTYPES, check_export, export_generator, load_generator
from i2vkit.registry import MODELS


def moving_square(num_frames=10, height=SIZE, width=SIZE):
    """A bright square that moves down, (T, H, W, 3) uint8."""
    frames = np.full((num_frames, height, width, 3), 40, dtype=np.uint8)
    for t in range(num_frames):
        frames[t, 4 + t : 12 + t, width // 2 - 4 : width // 2 + 4] = (220, 120, 60)
    return frames


@pytest.fixture(scope="module")
def config():
    return Config(dict(model=gan_config()))


@pytest.fixture(scope="module")
def model(config):
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    # Away from their small initial values, so that the motion is seen.
    with torch.no_grad():
        for value in model.generator.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return model


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 3}}, path)
    return path


@pytest.fixture(scope="module")
def animate(config, checkpoint):
    return I2VInferencer(config, checkpoint, device="cpu")


IMAGE = moving_square(1)[0][:, ::-1].copy()


def test_a_video_made_in_chunks_is_the_video_made_at_once(animate):
    driving = moving_square(10)
    whole = animate(IMAGE, driving, chunk=100)
    assert whole.frames.shape == (10, SIZE, SIZE, 3) and whole.frames.dtype == np.uint8
    assert whole.num_frames == 10 and whole.fps == 25 and whole.path is None
    assert np.ptp(whole.frames, axis=0).max() > 2  # it moves
    for chunk in (1, 3, 5):
        difference = animate(IMAGE, driving, chunk=chunk).frames.astype(int) - whole.frames
        assert np.abs(difference).max() <= 1  # rounding of sums over batches of other sizes


def test_the_seed_is_the_noise(config, checkpoint, animate):
    driving = moving_square(4)
    again = I2VInferencer(config, checkpoint, device="cpu", seed=0)(IMAGE, driving).frames
    other = I2VInferencer(config, checkpoint, device="cpu", seed=1)(IMAGE, driving).frames
    np.testing.assert_array_equal(again, animate(IMAGE, driving).frames)
    assert not np.array_equal(other, again)


def test_driving_video_comes_in_many_forms(animate, tmp_path):
    driving = moving_square(6)
    write_video(tmp_path / "video.mkv", driving, fps=10)
    for t, frame in enumerate(driving):
        write_image(tmp_path / "folder" / f"{t:03d}.png", frame)
    expected = animate(IMAGE, driving).frames
    for form in (tmp_path / "video.mkv", str(tmp_path / "folder"), iter(driving), list(driving)):
        np.testing.assert_array_equal(animate(IMAGE, form).frames, expected)
    assert animate(IMAGE, tmp_path / "video.mkv").fps == 10
    two = animate(IMAGE, [tmp_path / "video.mkv", tmp_path / "folder"])
    np.testing.assert_array_equal(two.frames, animate(IMAGE, np.concatenate([driving, driving])).frames)


def test_memory_does_not_grow_with_the_driving_video(animate, tmp_path):
    """No frame is asked for before those of the chunk before it are written, but for one chunk."""
    given, written = [], []

    def driving():
        for t, frame in enumerate(moving_square(12)):
            given.append(t - len(written))
            yield frame

    class Writer(module.AnimationWriter):
        def write(self, frames):
            written.append(True)
            super().write(frames)

    original, module.AnimationWriter = module.AnimationWriter, Writer
    try:
        animation = animate(IMAGE, driving(), tmp_path / "out.mp4", chunk=3)
    finally:
        module.AnimationWriter = original
    assert animation.frames is None and animation.num_frames == len(written) == 12
    assert max(given) <= 6


def test_pictures_of_other_sizes_are_cut_and_scaled(animate, tmp_path):
    """A wide picture, lying on its side by its EXIF tag, is its upright centre square."""
    big = np.kron(IMAGE, np.ones((2, 2, 1), dtype=np.uint8))
    wide = np.pad(big, ((0, 0), (20, 20), (0, 0)), constant_values=255)
    driving = moving_square(3)
    expected = animate(IMAGE, driving).frames
    np.testing.assert_array_equal(animate(wide, driving).frames, expected)
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees clockwise when shown
    Image.fromarray(np.rot90(wide)).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(animate(tmp_path / "turned.png", driving).frames, expected)
    tall = np.pad(np.kron(driving, np.ones((1, 3, 3, 1), dtype=np.uint8)), ((0, 0), (9, 9), (0, 0), (0, 0)))
    np.testing.assert_array_equal(animate(IMAGE, tall).frames, expected)


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_files_show_the_columns_asked_for(animate, tmp_path, columns):
    options = dict(side_by_side=columns > 2, show_dynamics=columns in (2, 4))
    animation = animate(IMAGE, moving_square(5), tmp_path / "out.mp4", keep_frames=True, **options)
    assert animation.path == tmp_path / "out.mp4" and animation.frames.shape == (5, SIZE, SIZE, 3)
    width = SIZE if columns == 1 else columns * 256 + (columns - 1) * 4
    assert read_video(tmp_path / "out.mp4").shape == (5, SIZE if columns == 1 else 256 + 24, width, 3)


def test_gif_and_strip(animate, tmp_path):
    animate(IMAGE, moving_square(5), tmp_path / "out.gif")
    assert read_video(tmp_path / "out.gif").shape == (5, 280, 3 * 256 + 8, 3)
    animate(IMAGE, moving_square(20), tmp_path / "out.png", show_dynamics=True)
    height, width, _ = read_image(tmp_path / "out.png").shape
    assert 3 * 96 < height < 3 * 96 + 60 and 12 * 96 < width < 12 * 96 + 230


def test_dynamics_are_those_of_a_black_image(animate, tmp_path):
    driving = moving_square(4)
    motion = animate.prepare(IMAGE, DrivingVideo(driving))
    images, variant = [IMAGE, np.zeros_like(IMAGE)], Variant(None, 0, "generated")
    videos = next(generate_chunks(animate.model, motion.chunks(None), images, motion, variant))
    alone = animate(np.zeros_like(IMAGE), driving).frames
    assert np.abs(videos["dynamics"].astype(int) - alone).max() <= 1
    assert np.abs(videos["generated"].astype(int) - animate(IMAGE, driving).frames).max() <= 1


def test_unusable_input_is_refused_and_leaves_no_file(animate, tmp_path):
    for empty in (np.zeros((0, 8, 8, 3), dtype=np.uint8), [], iter(())):
        with pytest.raises(MediaError, match="no frames"):
            animate(IMAGE, empty, tmp_path / "out.mp4")
    with pytest.raises(MediaError, match=r"of floats has values in \[0, 1\], and these are between 40 and 220"):
        animate(IMAGE.astype(float), moving_square(3))
    with pytest.raises(MediaError, match=r"uint8 \(height, width, 3\), grey or with alpha, got uint8 \(32, 32, 2\)"):
        animate(IMAGE, moving_square(3)[..., :2])
    with pytest.raises(MediaError, match=r"out\.mov"):
        animate(IMAGE, moving_square(3), tmp_path / "out.mov")
    with pytest.raises(MediaError, match="nowhere"):
        animate(IMAGE, tmp_path / "nowhere.mp4", tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


def test_broken_weights_are_told_apart(config, model, checkpoint, tmp_path):
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    name = next(name for name in weights if name.startswith("generator.decoder"))
    weights[name].flatten()[0] = float("nan")
    torch.save({"state_dict": weights}, tmp_path / "diverged.pth")
    with pytest.raises(CheckpointError, match="not finite"):
        I2VInferencer(config, tmp_path / "diverged.pth")


def test_frames_that_are_not_finite_are_refused(config, checkpoint):
    broken = I2VInferencer(config, checkpoint, device="cpu")
    with torch.no_grad():
        next(broken.model.generator.decoder.parameters()).fill_(float("inf"))
    with pytest.raises(TrainingError, match="not finite"):
        broken(IMAGE, moving_square(3))


def test_an_exported_generator_makes_the_same_video(config, model, animate, tmp_path):
    header = export_generator(model, config, tmp_path / "generator.safetensors")
    assert all(name.startswith("generator.") for name in load_file(tmp_path / "generator.safetensors"))
    assert check_export(tmp_path / "generator.safetensors") == header
    exported = I2VInferencer(config, tmp_path / "generator.safetensors", device="cpu")
    np.testing.assert_array_equal(exported(IMAGE, moving_square(4)).frames, animate(IMAGE, moving_square(4)).frames)


@pytest.mark.parametrize("mask", [0o022, 0o007])
def test_an_export_is_read_by_whom_the_umask_lets_read(config, model, tmp_path, mask):
    path, before = tmp_path / "generator.safetensors", os.umask(mask)
    try:
        export_generator(model, config, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_an_export_in_bfloat16_has_half_the_size_and_loads_in_fp32(config, model, animate, tmp_path):
    paths = {dtype: tmp_path / f"{dtype}.safetensors" for dtype in DTYPES}
    headers = {dtype: export_generator(model, config, path, dtype) for dtype, path in paths.items()}
    assert [headers[dtype]["dtype"] for dtype in DTYPES] == list(DTYPES)
    assert check_export(paths["bfloat16"]) == headers["bfloat16"] and headers["bfloat16"] != headers["float32"]
    bits = {dtype: sum(v.numel() * v.element_size() for v in load_file(path).values()) for dtype, path in paths.items()}
    assert bits["bfloat16"] < 0.55 * bits["float32"]
    torch.manual_seed(1)
    loaded = MODELS.build(config.model)
    load_generator(loaded, paths["bfloat16"])
    for name, value in model.generator.state_dict().items():
        found = loaded.generator.state_dict()[name]
        assert found.dtype == value.dtype != torch.bfloat16
        if value.dim() < 2:
            assert torch.equal(found, value)  # biases, and what batch norms have counted
        else:
            assert torch.equal(found, value.bfloat16().float()) and not torch.equal(found, value)
    video = I2VInferencer(config, paths["bfloat16"], device="cpu")(IMAGE, moving_square(4)).frames.astype(int)
    assert 0 < np.abs(video - animate(IMAGE, moving_square(4)).frames.astype(int)).mean() < 2
    with pytest.raises(ConfigError, match="exported as float32 or bfloat16, not as 'float16'"):
        export_generator(model, config, tmp_path / "half.safetensors", "float16")


def test_a_compiled_generator_makes_the_same_video(config, checkpoint, animate, monkeypatch):
    monkeypatch.setattr(module, "compile_options", lambda value: dict(backend="eager", dynamic=False))
    torch._dynamo.reset()
    compiled = I2VInferencer(config, checkpoint, device="cpu", compile=True)
    assert compiled.model.generator.decoder._compiled_call_impl is not None
    video = compiled(IMAGE, moving_square(4)).frames.astype(int)
    assert np.abs(video - animate(IMAGE, moving_square(4)).frames.astype(int)).max() <= 1
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    torch._dynamo.reset()


def test_a_generator_loads_whatever_its_discriminators_are(model, checkpoint):
    torch.manual_seed(1)
    other = MODELS.build(gan_config(discriminators={}, phases={}))
    load_generator(other, checkpoint)
    own, loaded = model.generator.state_dict(), other.generator.state_dict()
    assert all(torch.equal(own[name], loaded[name]) for name in own)


def test_an_export_is_checked_against_its_hash(config, model, tmp_path):
    path = tmp_path / "generator.safetensors"
    header = export_generator(model, config, path)
    weights = load_file(path)
    name = sorted(weights)[0]
    weights[name] = weights[name] + 1
    save_file(weights, path, header)
    with pytest.raises(CheckpointError, match="damaged"):
        load_generator(model, path)
    save_file(weights, path)
    with pytest.raises(CheckpointError, match="no hash"):
        load_generator(model, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut"):
        load_generator(model, path)
    with pytest.raises(CheckpointError, match=r"\.safetensors"):
        export_generator(model, config, tmp_path / "generator.pth")
