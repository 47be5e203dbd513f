"""The facts that are kept beside clips: each clip is opened once, and again if it changes."""

import os
import pickle

import numpy as np
import pytest

from i2vkit.analysis.benchmark.indexing import benchmark_index, format_index
from i2vkit.datasets import ClipFolder, clip_facts
from i2vkit.datasets.clip_facts import FILE, LazyFrameFolder
from i2vkit.media import image_paths, write_image, write_video


@pytest.fixture
def opened(monkeypatch):
    """The names of the clips that were opened."""
    names, real = [], clip_facts.video_facts
    monkeypatch.setattr(clip_facts, "video_facts", lambda path: names.append(path.name) or real(path))
    return names


def frames(count: int) -> list[np.ndarray]:
    return [np.full((16, 16, 3), value, np.uint8) for value in range(count)]


@pytest.fixture
def folder(tmp_path):
    write_video(tmp_path / "ann/smile/0.mp4", frames(5), fps=10)
    for number, frame in enumerate(frames(3)):
        write_image(tmp_path / f"bob/smile/1/{number}.png", frame)
    return tmp_path


def lengths(folder) -> list[tuple[int, float]]:
    return [(record.num_frames, record.fps) for record in ClipFolder(str(folder)).index().records]


def test_each_clip_is_opened_once_and_again_when_it_changes(folder, opened):
    assert lengths(folder) == [(5, 10.0), (3, 25.0)] and opened == ["0.mp4", "1"]
    opened.clear()
    assert lengths(folder) == [(5, 10.0), (3, 25.0)] and opened == []
    write_video(folder / "ann/smile/0.mp4", frames(7), fps=20)
    write_image(folder / "bob/smile/1/3.png", frames(1)[0])
    assert lengths(folder) == [(7, 20.0), (4, 25.0)] and opened == ["0.mp4", "1"]
    opened.clear()
    os.utime(folder / "ann/smile/0.mp4", ns=(1, 1))  # the same size, another time
    assert lengths(folder)[0] == (7, 20.0) and opened == ["0.mp4"]


def test_clips_that_are_gone_are_forgotten_and_a_table_uses_the_facts_too(folder, opened):
    lengths(folder)
    (folder / "index.csv").write_text("path,num_frames\nann/smile/0.mp4,5\n")
    opened.clear()
    assert lengths(folder) == [(5, 10.0)] and opened == []
    (folder / "index.csv").unlink()
    (folder / "ann/smile/0.mp4").unlink()
    write_video(folder / "cem/smile/2.mp4", frames(2), fps=10)
    lengths(folder)
    assert "ann" not in (folder / FILE).read_text() and "cem/smile/2.mp4" in (folder / FILE).read_text()


def test_a_folder_that_cannot_be_written_to_is_indexed_each_time(folder, opened, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(clip_facts, "atomic_path", refuse)
    assert lengths(folder) == lengths(folder) and len(opened) == 4 and not (folder / FILE).exists()


def test_a_folder_of_images_is_listed_when_it_is_read(folder):
    lazy = LazyFrameFolder(folder / "bob/smile/1")
    assert "paths" not in vars(lazy)
    again = pickle.loads(pickle.dumps(lazy))
    assert again == lazy and hash(again) == hash(lazy)
    assert lazy.read([2, 0]).tolist() == [frames(3)[2].tolist(), frames(3)[0].tolist()]
    assert lazy.paths == tuple(image_paths(folder / "bob/smile/1"))


@pytest.mark.parametrize("kind", ["videos", "images"])
def test_the_benchmark_of_a_made_up_folder(kind, tmp_path):
    result = benchmark_index(30, kind, tmp_path)
    assert result["clips"] == 30 and result["cached_seconds"] > 0 and result["cache_bytes"] > 30 * 20
    assert format_index(result).startswith(f"30 clips ({kind}): indexed in ")
    assert not list(tmp_path.iterdir())


def test_progress_is_logged(folder, monkeypatch, capsys):
    monkeypatch.setattr(clip_facts, "_SECONDS", -1.0)
    lines = []
    monkeypatch.setattr(clip_facts, "print_log", lambda text, logger: lines.append(text))
    lengths(folder)
    assert lines == [f"indexing {folder}: 1 clips", f"indexing {folder}: 2 clips"]
