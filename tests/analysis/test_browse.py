"""What is browsed is what the pipeline gives, drawn where it belongs; and the numbers are those of the data."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from i2vkit.analysis.browse import Sample, browse, moving_sheet, pick, sheet
from i2vkit.analysis.data_statistics import format_statistics, statistics
from i2vkit.config.loading import load_config
from i2vkit.datasets import ClipDataset
from i2vkit.datasets.loaders import build_loader
from i2vkit.errors import ConfigError
from i2vkit.media import read_image, read_video, video_fps, write_image
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.visualization.overlays import BONES, IMAGE, LEFT, RIGHT

ROOT = Path(__file__).resolve().parents[2]
SIZE = 48  # of the puppet's frames
CONFIG = """
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames, ReadPoints, Resize

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    prefetch_factor=3,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root={root!r}),
        people=["ann", "bob"],
        min_frames=8,
        pair_sampler=dict(type="OtherPerson"),
        pipeline=dict(
            window=dict(type=FirstFrames, length=8),
            read=dict(type=ReadFrames),
            points=dict(type=ReadPoints),
            resize=dict(type=Resize, size=64),
            pack=dict(type=PackClip),
        ),
    ),
    sampler=dict(type=PositionSampler),
    collate_fn=dict(type="pseudo_collate"),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root={root!r}),
        pipeline=dict(window=dict(type="WholeClip"), read=dict(type="ReadFrames"), pack=dict(type="PackClip")),
    ),
    sampler=dict(type=PositionSampler, ordered=True),
    collate_fn=dict(type="pseudo_collate"),
)
"""


def puppet(t: float, shirt: int) -> tuple[np.ndarray, np.ndarray]:
    """A stick figure that waves its left arm, seen from the front, and its 13 joints."""
    wrist = (35 + 7 * np.cos(4 * t), 17 - 7 * np.sin(4 * t))
    joints = np.array(
        [
            (24, 7), (29, 14), (19, 14), (35, 17), (14, 20), wrist, (13, 27),
            (27, 27), (21, 27), (28, 35), (20, 35), (29, 41), (19, 41),
        ]
    )  # fmt: skip
    frame = np.full((SIZE, SIZE, 3), (205, 200, 190), np.uint8)
    for a, b, _ in BONES:
        ends = [tuple(np.round(joints[end] * 16).astype(int).tolist()) for end in (a, b)]
        cv2.line(frame, *ends, (40, shirt, 90), 4, cv2.LINE_AA, 4)
    cv2.circle(frame, (24, 7), 5, (190, 150, 120), cv2.FILLED, cv2.LINE_AA)
    return frame, joints


@pytest.fixture(scope="module")
def puppets(tmp_path_factory) -> Path:
    """Two clips of ann, one of bob, one of cem and one that is too short, with joints, landmarks and boxes."""
    root = tmp_path_factory.mktemp("puppets")
    rows = ["path,person,label,fps,joints,landmarks,boxes"]
    clips = [("ann/wave/a", 8), ("ann/wave/b", 10), ("bob/wave/a", 8), ("cem/rest/a", 14), ("bob/wave/short", 5)]
    for number, (name, length) in enumerate(clips):
        frames, joints = zip(*(puppet(t / 8, 40 + 45 * number) for t in range(length)), strict=True)
        joints = np.stack(joints)
        for t, frame in enumerate(frames):
            write_image(root / name / f"{t:03d}.png", frame)
        face = joints[:, :1] + np.array([(-2, -1), (2, -1), (0, 0), (-2, 2), (2, 2)])
        box = np.stack([joints.min(axis=1) - 4.5, joints.max(axis=1) + 5.5], axis=1)
        side = {"joints": joints, "landmarks": face, "boxes": box}
        for kind, points in side.items():
            write_landmarks(root / kind / f"{name}.csv", points)
        rows.append(",".join([name, *name.split("/")[:2], "20", *(f"{kind}/{name}.csv" for kind in side)]))
    (root / "index.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture
def config(puppets, tmp_path) -> Path:
    path = tmp_path / "puppets.py"
    path.write_text(CONFIG.format(root=str(puppets)))
    return path


def maps_of_clips(sample):
    """Two condition maps: the left half of the picture, and the dark."""
    for sampled in sample["clips"].values():
        dark = sampled.frames.mean(axis=-1) < 120
        left = np.broadcast_to(np.arange(dark.shape[2]) < 5, dark.shape)
        sampled.maps = np.stack([left, dark], axis=1).astype(np.uint8) * 255
    return sample


def packed(puppets, *transforms, **arguments):
    steps = (dict(type="FirstFrames", length=8), dict(type="ReadFrames"), *transforms, dict(type="PackClip"))
    pipeline = {f"step_{number}": step for number, step in enumerate(steps)}
    return ClipDataset(dict(type="ClipFolder", root=str(puppets)), pipeline, min_frames=8, **arguments)


def test_frames_show_the_pixels_of_the_sample(puppets):
    item = packed(puppets)[0]
    sample = Sample(item)
    expected = item["inputs"]["driving"].permute(1, 2, 3, 0).numpy()
    assert sample.factor == 3 and sample.frames.shape == (8, 144, 144, 3)
    assert np.array_equal(sample.frames[:, 1::3, 1::3], expected)
    assert np.array_equal(sample.image[4:-3:3, 4:-3:3], expected[0])
    assert (sample.image[0] == IMAGE).all() and sample.others == {}
    assert sample.caption == "wave, person ann"


def test_points_are_drawn_where_they_are(puppets):
    plain, drawn = (Sample(packed(puppets, *steps)[0]) for steps in ([], [dict(type="ReadPoints")]))
    changed = (plain.frames[0] != drawn.frames[0]).any(axis=-1)
    joints = puppet(0, 0)[1]
    for a, b, colour in BONES:
        x, y = np.round(((joints[a] + joints[b]) / 2 + 0.5) * 3 - 0.5).astype(int)
        assert np.abs(drawn.frames[0][y - 1 : y + 2, x - 1 : x + 2].astype(int) - colour).sum(axis=-1).min() < 90
    x0, y0 = np.round((joints.min(axis=0) - 4.5) * 3).astype(int)
    x1, y1 = np.round((joints.max(axis=0) + 5.5) * 3).astype(int)
    assert changed[y0, x0:x1].all() and changed[y1 - 1, x0:x1].all() and changed[y0:y1, x0].all()
    assert not changed[:y0].any() and not changed[:, :x0].any() and not changed[:, x1:].any()


def test_a_mirrored_sample_keeps_left_orange(puppets):
    steps = [dict(type="ReadPoints"), dict(type="RandomFlip", probability=1.0)]
    frame = Sample(packed(puppets, *steps)[0]).frames[0].astype(int)
    orange, blue = (np.nonzero(np.abs(frame - colour).sum(axis=-1) < 40)[1].mean() for colour in (LEFT, RIGHT))
    unflipped = Sample(packed(puppets, steps[0])[0]).frames[0].astype(int)
    before = np.nonzero(np.abs(unflipped - LEFT).sum(axis=-1) < 40)[1].mean()
    assert orange > blue and before > 72  # on the right of the picture, before and after


def test_the_sheet_shows_target_truth_and_maps(puppets):
    pair_sampler, steps = dict(type="OtherPerson"), [dict(type="ReadPoints"), maps_of_clips]
    samples = [Sample(packed(puppets, *steps, pair_sampler=pair_sampler)[index]) for index in range(2)]
    assert samples[0].caption.startswith("wave, person ann onto ") and list(samples[0].others) == ["image_video"]
    page = sheet(samples, "puppets")
    assert page.dtype == np.uint8 and page.shape[1] < 1400
    both = (page == (230, 60, 60)).all(axis=-1).sum(), (page == (60, 180, 75)).all(axis=-1).sum()
    assert min(both) > 100  # the maps, in their colours
    bare = sheet([Sample(packed(puppets, steps[0])[0])], "puppets")
    assert len(page) > 2 * len(bare)


def test_the_video_shows_all_samples_over_time(puppets):
    long, short = (Sample(packed(puppets)[index]) for index in (0, 2))
    short.frames = short.frames[:3]
    pages = list(moving_sheet([long, short]))
    assert len(pages) == 64  # 3 seconds at 20 frames a second, in whole rounds of 8
    assert (pages[9] == pages[1]).all() and not (pages[2] == pages[1]).all()
    top = pages[0].shape[0] - 2 - 144
    for t in (0, 5):
        assert np.array_equal(pages[t][top : top + 144, :144], long.frames[t])
        assert np.array_equal(pages[t][top : top + 144, 146:290], short.frames[min(t, 2)])


# The tool, on a config of data alone


def test_the_first_samples_of_a_training_are_browsed(config, tmp_path):
    cfg = load_config(config)
    loader = build_loader(cfg, "train", workers=0)
    (first,) = pick(loader, 1)
    batch = next(iter(loader))
    assert torch.equal(first["inputs"]["driving"], batch["inputs"]["driving"][0])
    assert first["data_samples"].image_name == batch["data_samples"][0].image_name
    other = [item["data_samples"].driving_name for item in pick(build_loader(cfg, "train", 3, 0), 6)]
    assert other != [item["data_samples"].driving_name for item in pick(loader, 6)]
    picture, video = browse(cfg, "train", 4, tmp_path / "out")
    assert read_image(picture).shape[0] > 4 * 2 * 128
    assert video_fps(video) == 20 and len(read_video(video)) == 64


def test_ordered_splits_are_spread_over_the_whole(config):
    loader = build_loader(load_config(config), "val", workers=0)
    assert [item["data_samples"].driving_person for item in pick(loader, 3)] == ["ann", "bob", "bob"]
    assert len(list(pick(loader, 99))) == 5
    with pytest.raises(ConfigError, match=r"puppets\.py has no test data, only train, val"):
        build_loader(load_config(config), "test")


def test_statistics(config, puppets):
    numbers = statistics(load_config(config))
    train, val = numbers["splits"]["train"], numbers["splits"]["val"]
    assert (train["clips"], train["samples"]) == (3, 3)
    assert train["labels"] == {"wave": 3} and val["labels"] == {"wave": 4, "rest": 1}
    assert train["people"] == {"ann": 2, "bob": 1}
    assert train["frames"] == {"min": 8, "median": 8, "max": 10, "total": 26}
    assert train["fps"] == {"20": 3}
    assert train["raw_sizes"] == {"48x48": 3} and train["sizes"] == {"64x64": 3}
    assert train["skipped"] == [{"what": "bob/wave/short", "why": "5 frames, fewer than min_frames=8"}]
    assert numbers["people_in_both"] == {"train and val": ["ann", "bob"]}
    pixels = np.concatenate([read_image(path).reshape(-1, 3) for path in puppets.glob("*/*/*/*.png")]) / 255
    np.testing.assert_allclose(val["mean"], pixels.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(val["std"], pixels.std(axis=0), atol=1e-4)
    text = format_statistics(numbers)
    for part in ("train: 3 clips, 3 samples, 2 people", "8 to 10, median 8", "bob/wave/short: 5 frames", "ann, bob"):
        assert part in text


def test_the_tool_writes_all_three(config, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "tools/browse_dataset.py", str(config), "--number", "2", "--out", str(out), "--stats"]
    command += ["--split", "val", "--cfg-options", "val_dataloader.dataset.labels=[rest]"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["stats.json", "val.mp4", "val.png"]
    assert json.loads((out / "stats.json").read_text())["splits"]["val"]["people"] == {"cem": 1}
