"""Clips that are broken are listed together, or left out and counted; clips play at the speed of their files."""

import numpy as np
import pytest
from made_videos import bars, cut, make_video
from PIL import Image

from i2vkit.datasets import ClipDataset, ClipFolder, ConcatReader
from i2vkit.datasets.transforms import FirstFrames, RandomWindow, Resample
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import notices, read_image, video_facts, write_video

from .conftest import write_clip

NOISE = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def cache_root(tmp_path, monkeypatch):
    monkeypatch.setenv("I2VKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def broken_folder(tmp_path):
    """Two whole clips, and one each that is cut, empty, a dangling link and text."""
    root = tmp_path / "clips"
    for name in ("ann/run/a.mkv", "ann/run/cut.mkv", "bob/run/a.mp4", "bob/run/text.mp4"):
        write_video(root / name, NOISE)
    cut(root / "ann/run/cut.mkv", 0.5)
    (root / "bob/run/text.mp4").write_text("no video")
    (root / "bob/run/empty.avi").touch()
    (root / "bob/run/gone.mp4").symlink_to("nowhere.mp4")
    return root


def dataset(root, **more):
    reader = dict(type=ClipFolder, root=str(root))
    return ClipDataset(**{"reader": reader, "window": dict(type=RandomWindow, length=4), "size": 32} | more)


@pytest.mark.parametrize("table", [False, True])
def test_all_broken_clips_are_listed_or_left_out(broken_folder, table):
    names = ["ann/run/cut.mkv", "bob/run/empty.avi", "bob/run/gone.mp4", "bob/run/text.mp4"]
    if table:
        names[2:3] = []
        (broken_folder / "index.csv").write_text("\n".join(["path", "ann/run/a.mkv", "bob/run/a.mp4", *names]) + "\n")
    with pytest.raises(DataError, match=f"{len(names)} clips cannot be read:") as error:
        dataset(broken_folder)
    lines = str(error.value).splitlines()[1:-1]
    assert [line.split(":")[0].strip() for line in lines] == names
    assert "is cut: it ends after" in lines[0] and str(error.value).endswith('with on_error="skip" of the data set')
    kept = dataset(broken_folder, on_error="skip")
    assert [record.name for record in kept.records] == ["ann/run/a", "bob/run/a"]
    assert f"skipped {len(names)}:" in kept.index.summary()
    with pytest.raises(ConfigError, match="on_error is 'ignore', but takes 'raise' or 'skip'"):
        dataset(broken_folder, on_error="ignore")


def test_a_clip_that_a_table_lists_and_that_is_gone_is_left_out_too(broken_folder):
    (broken_folder / "index.csv").write_text("path,num_frames,fps\nann/run/a.mkv,40,25\nann/run/none.mkv,40,25\n")
    with pytest.raises(DataError, match=r"1 of which are not there, ann/run/none\.mkv"):
        dataset(broken_folder)
    kept = dataset(broken_folder, on_error="skip")
    assert len(kept.records) == 1 and kept.index.skipped[0][0] == "ann/run/none.mkv"


def test_clips_that_only_decoding_shows_to_be_broken_are_left_out_and_remembered(tmp_path, monkeypatch):
    root = tmp_path / "clips"
    for name in ("ann/run/a", "ann/run/b", "bob/run/a"):
        write_clip(root / name, 10, 40)
    (root / "ann/run/b/005.png").write_bytes(b"\x89PNG broken")
    Image.new("RGB", (9, 9)).save(root / "bob/run/a/007.png")
    assert len(dataset(root).records) == 3
    kept = dataset(root, on_error="skip")
    assert [record.name for record in kept.records] == ["ann/run/a"]
    assert [name for name, _ in kept.index.skipped] == ["ann/run/b", "bob/run/a"]
    assert "005.png cannot be read" in kept.index.skipped[0][1] and "another size" in kept.index.skipped[1][1]
    monkeypatch.setattr("i2vkit.datasets.readable_clips.read_whole", None)
    assert [record.name for record in dataset(root, on_error="skip").records] == ["ann/run/a"]
    joined = dict(type=ConcatReader, readers=[dict(type=ClipFolder, root=str(root))])
    assert len(dataset(root, reader=joined, on_error="skip").records) == 1
    monkeypatch.undo()
    monkeypatch.setenv("I2VKIT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MediaError, match="2 clips cannot be read:"):
        dataset(root, cache="file")
    (root / "ann/run/a/003.png").write_bytes(b"")
    with pytest.raises(DataError, match="none of the 3 clips can be read, ann/run/a for instance"):
        dataset(root, on_error="skip")


@pytest.mark.parametrize("cache", ["memory", "file"])
def test_a_cut_file_is_refused_in_training_although_a_table_counts_what_is_left(tmp_path, cache):
    root = tmp_path / "clips"
    write_video(root / "ann/run/a.mkv", NOISE)
    cut(root / "ann/run/a.mkv", 0.5)
    left = video_facts(root / "ann/run/a.mkv").num_stored
    (root / "index.csv").write_text(f"path,num_frames,fps\nann/run/a.mkv,{left},25\n")
    with pytest.raises(DataError, match=r"ann/run/a.mkv: .*a\.mkv is cut: it ends after"):
        dataset(root, cache=cache)


def test_clips_of_varying_rate_are_sampled_by_time_and_annotated_ones_by_frame(tmp_path, monkeypatch):
    times = [*(np.arange(25) / 25), *(1 + np.arange(10) / 5)]
    (tmp_path / "ann/run").mkdir(parents=True)
    make_video(tmp_path / "ann/run/a.mkv", bars(35, 32, 32), times=times)
    (record,) = ClipFolder(tmp_path).index().records
    assert (record.num_frames, record.fps) == (71, 25.0) and len(list(record.frames)) == 71
    monkeypatch.setattr(notices, "_given", {"varying"})
    (tmp_path / "index.csv").write_text("path,num_frames\nann/run/a.mkv,35\n")
    (record,) = ClipFolder(tmp_path).index().records
    assert (record.num_frames, len(list(record.frames))) == (35, 35)
    assert record.fps == pytest.approx(35 / 2.84, rel=0.01)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif", "a.apng"])
def test_animations_are_clips(tmp_path, name):
    (tmp_path / "ann/run").mkdir(parents=True)
    pictures = [Image.fromarray(frame) for frame in bars(6, 16, 16)]
    pictures[0].save(tmp_path / "ann/run" / name, save_all=True, append_images=pictures[1:], duration=100)
    Image.new("RGB", (8, 8)).save(tmp_path / "ann/run/photo.png")
    index = ClipFolder(tmp_path).index()
    assert [(record.name, record.num_frames, record.fps) for record in index.records] == [("ann/run/a", 6, 10.0)]
    assert index.skipped == [("ann/run/photo.png", "an image outside the folder of a clip")]


@pytest.mark.parametrize("suffix", [".avif", ".jfif"])
def test_folders_of_further_formats_are_clips(tmp_path, suffix):
    write_clip(tmp_path / "png", 3, 100, size=(16, 16))
    (tmp_path / "ann/run/a").mkdir(parents=True)
    for number in range(3):
        picture = Image.fromarray(read_image(tmp_path / f"png/{number:03d}.png"))
        picture.save(tmp_path / f"ann/run/a/{number}{suffix}", format="AVIF" if suffix == ".avif" else "JPEG")
    (record,) = ClipFolder(tmp_path).index().records
    assert record.num_frames == 3 and record.frames.read([2])[0, 0, 0, 0] == pytest.approx(102, abs=3)


def test_the_stride_is_divided_out(tmp_path):
    write_video(tmp_path / "ann/run/a.mkv", NOISE[:21], fps=10)
    for window, rate in (
        (dict(type=FirstFrames, length=4, stride=2), 5.0),
        (dict(type=FirstFrames, length=4), 10.0),
        (dict(type=Resample, length=5), 2.0),
        (dict(type=Resample, length=41), 20.0),
    ):
        assert dataset(tmp_path, window=window)[0]["data_samples"].fps == rate
