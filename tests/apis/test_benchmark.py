"""Benchmarks: turns, medians and ratios by a fake clock; and that the data benchmark counts what it says."""

import json
import mmap
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from PIL import Image

from i2vkit.apis.benchmark import timing
from i2vkit.apis.benchmark.data import Feed, as_text, benchmark_data, plain_frames
from i2vkit.apis.benchmark.timing import PeakMemory, Turns, by_turns, surroundings
from i2vkit.apis.benchmark.waiting import WARM_UP, WaitingHook, waiting_share
from i2vkit.apis.config import load_config
from i2vkit.apis.loading import build_loader
from i2vkit.datasets import FrameFolder, FrameSpan, FrameStrip, VideoFile
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_image, write_video

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import PackClip, RandomWindow, ReadFrames

train_dataloader = dict(
    batch_size=3,
    num_workers=0,
    dataset=dict(
        type=ClipDataset,
        layout=dict(type=ClipFolder, root={root!r}),
        pairing=dict(type="OtherPerson"),
        pipeline=[dict(type=RandomWindow, length=4), dict(type=ReadFrames), dict(type=PackClip)],
    ),
    sampler=dict(type=PositionSampler),
    collate_fn=dict(type="pseudo_collate"),
)
"""


class Clock:
    """Time that passes only when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, *seconds):
        """A contender that takes these times, one a call, the last for good."""
        left = list(seconds)

        def run():
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


# Timing


def test_contenders_take_turns_and_the_first_round_warms_up():
    clock, order = Clock(), []

    def contender(name, work):
        return lambda: (order.append(name), work())

    turns = by_turns(
        {"a": contender("a", clock.work(50.0, 1, 2, 9, 2, 2)), "b": contender("b", clock.work(50.0, 4.0))},
        0,
        clock=clock,
    )
    assert "".join(order) == "baabbaabbaab"
    assert turns.seconds == {"a": [1, 2, 9, 2, 2], "b": [4, 4, 4, 4, 4]}
    assert (turns.median("a"), turns.median("b")) == (2, 4)
    assert turns.ratio("a", "b") == 2 and turns.ratio("b", "a") == 0.5
    assert turns.ratio_range("a", "b") == (4 / 9, 4)


def test_a_ratio_is_the_median_of_the_rounds_own_ratios():
    """A machine that is three times slower in two of three rounds changes nothing."""
    turns = Turns({"a": [1.0, 3.0, 3.0], "b": [2.0, 6.0, 6.0]}, {"a": None, "b": None})
    assert turns.ratio("a", "b") == 2.0


def test_rounds_go_on_until_the_time_is_up_and_what_comes_before_is_not_timed():
    clock = Clock()
    turns = by_turns({"a": clock.work(1.0)}, 35.0, before={"a": clock.work(4.0)}, clock=clock)
    assert turns.seconds == {"a": [1.0] * 6}  # 7 rounds of 5 seconds, the first of which does not count
    assert len(by_turns({"a": clock.work(100.0)}, 1.0, clock=clock).seconds["a"]) == timing.LEAST_ROUNDS


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="known on Linux only")
def test_peak_memory_is_that_of_the_body():
    with PeakMemory() as before:
        pass
    # A mapping is given back when it is closed, which memory of the allocator need not be.
    with PeakMemory() as large, mmap.mmap(-1, 200 * 2**20) as held:
        for start in range(0, len(held), 2**20):
            held[start : start + 2**20] = b"1" * 2**20
    with PeakMemory() as after:
        pass
    assert 195 * 2**20 < large.bytes - before.bytes < 230 * 2**20
    assert after.bytes < before.bytes + 50 * 2**20


def test_peak_memory_that_cannot_be_told_is_none(monkeypatch):
    monkeypatch.setattr(timing, "_write", lambda path, text: False)
    with PeakMemory() as memory:
        pass
    assert memory.bytes is None
    assert by_turns({"a": lambda: None}, 0).peak_bytes == {"a": None}


def test_surroundings_can_be_written():
    around = json.loads(json.dumps(surroundings()))
    assert around["versions"]["torch"] == torch.__version__.partition("+")[0] and around["cores"] >= 1


# Data


@pytest.fixture
def config(tmp_path) -> Path:
    """Two people, two clips each, of 6 noisy frames."""
    rng = np.random.default_rng(0)
    for name in ("ann/run/a", "ann/run/b", "bob/run/a", "bob/run/b"):
        for t in range(6):
            write_image(tmp_path / "clips" / name / f"{t}.png", rng.integers(0, 255, (10, 12, 3), dtype=np.uint8))
    path = tmp_path / "config.py"
    path.write_text(CONFIG.format(root=str(tmp_path / "clips")))
    return path


def test_the_numbers_of_a_run(config):
    result = benchmark_data(load_config(config), seconds=0.2)
    assert (result["benchmark"], result["config"], result["batch_size"], result["workers"]) == ("data", "config", 3, 0)
    for name, clips in result["clips_per_second"].items():
        assert result["frames_per_second"][name] == pytest.approx(8 * clips)  # four frames of source and target each
    assert result["ratio_range"][0] <= result["ratio"] <= result["ratio_range"][1]
    assert result["rounds"] >= 5 and set(result["peak_bytes"]) == {"loader", "plain reader"}
    json.dumps(result)
    text = as_text(result)
    assert "clips a second" in text and "times as fast" in text and "batches of 3, 0 workers" in text


def test_workers_with_queues(config):
    options = {"train_dataloader.num_workers": 1, "train_dataloader.persistent_workers": True}
    result = benchmark_data(load_config(config, options), seconds=0.2)
    assert result["workers"] == 1 and result["ratio"] > 0


def test_a_reader_that_gives_other_frames_is_no_measure(config, monkeypatch):
    loader = build_loader(load_config(config), "train")
    Feed(loader).check()
    monkeypatch.setattr(Image.Image, "convert", lambda self, mode: self.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    with pytest.raises(DataError, match=r"clip \w+/run/\w: the plain reader gives other frames"):
        Feed(loader).check()


def test_plain_frames(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 3), dtype=np.uint8)
    for t, frame in enumerate(frames):
        write_image(tmp_path / f"{t}.png", frame)
    write_image(tmp_path / "strip.png", np.concatenate(list(frames), axis=1))
    folder = FrameFolder(tuple(tmp_path / f"{t}.png" for t in range(3)))
    assert np.array_equal(plain_frames(folder, [2, 0]), frames[[2, 0]])
    assert np.array_equal(plain_frames(FrameStrip(tmp_path / "strip.png", 8), [1, 2]), frames[[1, 2]])
    assert np.array_equal(plain_frames(FrameSpan(folder, 1, 3, 3), np.array([1])), frames[[2]])
    assert plain_frames(VideoFile(tmp_path / "clip.mp4"), [0]) is None


def test_videos_have_no_plain_reader(config, tmp_path):
    for person in ("ann", "bob"):
        for clip in "ab":
            write_video(tmp_path / f"videos/{person}/run/{clip}.mkv", np.zeros((6, 16, 16, 3), np.uint8))
    result = benchmark_data(
        load_config(config, {"train_dataloader.dataset.layout.root": str(tmp_path / "videos")}), seconds=0.1
    )
    assert "ratio" not in result and set(result["clips_per_second"]) == {"loader"}
    assert "no plain reader" in as_text(result)


# Waiting


def test_waiting_is_what_passes_between_steps():
    clock = Clock()
    hook = WaitingHook(clock)
    for step in range(WARM_UP + 2):
        clock.now += 50.0 if step < WARM_UP else 1.0
        hook.before_train_iter(None, step)
        clock.now += 3.0
        hook.after_train_iter(None, step)
    assert (hook.waited, hook.total) == (2.0, 8.0)


def test_a_training_waits_for_slow_data(tmp_path, monkeypatch):
    cfg = tiny.tiny_config(tmp_path, 100)
    fast = waiting_share(cfg, steps=3)
    assert 0 < fast < 1 and not list(tmp_path.iterdir())
    item = tiny.Numbers.__getitem__
    monkeypatch.setattr(tiny.Numbers, "__getitem__", lambda self, key: (time.sleep(0.1), item(self, key))[1])
    assert waiting_share(cfg, steps=3) > max(0.5, fast)


def test_data_alone_have_no_steps(config):
    with pytest.raises(ConfigError, match=r"config\.py describes no training: leave --steps out"):
        waiting_share(load_config(config), 3)


def test_the_tool_prints_and_writes(config, tmp_path):
    out = tmp_path / "result.json"
    command = [sys.executable, "tools/benchmark.py", "data", str(config), "--seconds", "0.1", "--out", str(out)]
    command += ["--cfg-options", "train_dataloader.batch_size=2"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "times as fast" in result.stdout and json.loads(out.read_text())["batch_size"] == 2
