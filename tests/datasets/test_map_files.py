from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from i2vkit.datasets import ClipDataset, ClipRecord, FrameFolder, FrameSpan, Pair, SampledClip
from i2vkit.datasets.map_files import maps_of, read_maps, write_maps
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.datasets.transforms import PackClip, RandomJump, ReadFrames, ReadMaps, Resize
from i2vkit.errors import ConfigError, DataError
from i2vkit.models import ClipPreprocessor

from .conftest import write_clip


def numbered(length: int, channels: int = 2, size: int = 8) -> np.ndarray:
    """Maps (T, M, H, W) whose values tell frame and channel."""
    values = 10 * np.arange(length)[:, None] + np.arange(channels)
    return np.broadcast_to(values[:, :, None, None], (length, channels, size, size)).astype(np.uint8)


def record(num_frames: int = 9, **metadata) -> ClipRecord:
    return ClipRecord("ann/run/a", FrameFolder((Path("x"),)), "ann", "run", num_frames, metadata=metadata)


def sample(seed: int = 0, **clips) -> dict:
    return dict(
        rng=np.random.default_rng(seed),
        pair=Pair(*(clips.get(n) and clips[n].record for n in ("driving", "image_video", "truth"))),
        clips=clips,
    )


def test_maps_go_to_the_disk_and_back(tmp_path):
    path = tmp_path / "maps/ann/run/a.npz"
    write_maps(path, numbered(4))
    assert [file.name for file in path.parent.iterdir()] == ["a.npz"]
    assert np.array_equal(read_maps(path), numbered(4)) and read_maps(path).dtype == np.uint8
    with pytest.raises(DataError, match=r"uint8 \(T, M, H, W\), not float64"):
        write_maps(path, numbered(4) / 255)
    with pytest.raises(DataError, match="prepare the set again with --maps"):
        read_maps(tmp_path / "b.npz")
    (tmp_path / "c.npz").write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"c.npz holds no condition maps"):
        read_maps(tmp_path / "c.npz")


def test_maps_of_a_part_of_a_clip_are_that_part(tmp_path):
    write_maps(tmp_path / "a.npz", numbered(9))
    whole = record(maps=tmp_path / "a.npz")
    part = replace(whole, frames=FrameSpan(whole.frames, 3, 6, 9), num_frames=3)
    assert maps_of(part)[:, 1, 0, 0].tolist() == [31, 41, 51]
    assert maps_of(record()) is None
    with pytest.raises(DataError, match="ann/run/a has 8 frames and condition maps of 9"):
        maps_of(record(8, maps=tmp_path / "a.npz"))


def test_read_maps_takes_the_frames_that_were_taken():
    sampled = SampledClip(record(maps=numbered(9)), indices=np.array([7, 2, 2]))
    ReadMaps()(sample(driving=sampled))
    assert sampled.maps[:, 1, 3, 3].tolist() == [71, 21, 21]


def test_read_maps_refuses_what_does_not_fit():
    with pytest.raises(DataError, match=r"ann/run/a has no condition maps: prepare the set with --maps"):
        ReadMaps()(sample(driving=SampledClip(record(), indices=np.arange(2))))
    bare = SampledClip(record(), indices=np.arange(2))
    ReadMaps(required=False)(sample(driving=bare))
    assert bare.maps is None
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    small = SampledClip(record(maps=numbered(9, size=4)), np.arange(2), frames)
    with pytest.raises(DataError, match="are 4x4, its frames 8x8"):
        ReadMaps()(sample(driving=small))
    scaled = SampledClip(record(maps=numbered(9, size=4)), np.arange(2), frames)
    Resize(4)(sample(driving=scaled))
    with pytest.raises(ConfigError, match="a transform before ReadMaps"):
        ReadMaps()(sample(driving=scaled))


def jumps(frames: int, from_first: bool, length: int = 5, draws: int = 300) -> list[tuple]:
    found = []
    for seed in range(draws):
        clips = RandomJump(frames, from_first)(sample(seed, driving=SampledClip(record(length))))["clips"]
        assert clips["image_video"].record is clips["driving"].record
        found.append((*clips["image_video"].indices.tolist(), *clips["driving"].indices.tolist()))
    return found


def test_random_jumps_reach_every_pair_of_frames_alike():
    found = jumps(1, False, draws=1000)
    counts = {pair: found.count(pair) for pair in set(found)}
    assert set(counts) == {(t, u) for u in range(5) for t in range(u)}
    assert 60 < min(counts.values()) <= max(counts.values()) < 140  # 100 each, 4 sigma
    assert set(jumps(1, True)) == {(0, u) for u in range(1, 5)}
    assert set(jumps(3, False)) == {(0, 1, 2, 3), (1, 2, 3, 4)}
    assert set(jumps(4, True)) == {(0, 1, 2, 3, 4)}


def test_a_share_of_the_jumps_goes_back_and_none_by_default():
    clip = record(9)
    forward, back, both = (RandomJump(backwards=share) for share in (0.0, 1.0, 0.5))
    for seed in range(20):
        once, again = (jump.pick(clip, np.random.default_rng(seed)) for jump in (forward, back))
        assert once[0] < once[1] and again.tolist() == once[::-1].tolist()
    rng = np.random.default_rng(0)
    share = np.mean([np.diff(both.pick(clip, rng))[0] < 0 for _ in range(400)])
    assert 0.4 < share < 0.6
    from_first = RandomJump(from_first=True, backwards=1.0).pick(clip, np.random.default_rng(0))
    assert from_first[1] == 0 < from_first[0]
    with pytest.raises(ConfigError, match="goes back in time with one driving frame only"):
        RandomJump(frames=2, backwards=0.5)


def test_random_jumps_need_frames_and_one_clip():
    with pytest.raises(DataError, match=r"has 3 frames, RandomJump\(frames=3\) needs 4.*min_frames=4"):
        RandomJump(3).check(record(3))
    other = replace(record(), name="bob/run/b")
    with pytest.raises(ConfigError, match=r"RandomJump jumps within clip ann/run/a, .*image video bob/run/b"):
        RandomJump()(sample(driving=SampledClip(record()), image_video=SampledClip(other)))


def test_maps_come_from_the_disk_into_the_clip(tmp_path):
    write_clip(tmp_path / "ann/run/a", 6, 50)
    write_clip(tmp_path / "bob/run/a", 4, 150)
    for person, length in (("ann", 6), ("bob", 4)):
        write_maps(tmp_path / f"maps/{person}/run/a.npz", numbered(length))
    rows = ["path,person,label,num_frames,fps,maps"]
    rows += [f"{p}/run/a,{p},run,{n},25,maps/{p}/run/a.npz" for p, n in (("ann", 6), ("bob", 4))]
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n")

    pipeline = dict(window=RandomJump(3, from_first=True), read=ReadFrames(), maps=ReadMaps(), pack=PackClip())
    data = ClipDataset(ClipFolder(str(tmp_path)), pipeline)
    samples = [data[0], data[1]]
    inputs = {name: [s["inputs"][name] for s in samples] for name in samples[0]["inputs"]}
    inputs["driving_maps"][1] = inputs["driving_maps"][1][:, :2]  # a shorter clip, to be padded
    clip = ClipPreprocessor()(dict(inputs=inputs))["clip"]
    assert clip.driving_maps.shape == (2, 2, 3, 8, 8) and clip.image_maps.shape == (2, 2, 8, 8)

    def scaled(*values):
        return torch.tensor(values, dtype=torch.float32) / 127.5 - 1

    assert torch.equal(clip.driving_maps[0, 1, :, 0, 0], scaled(11, 21, 31))
    assert torch.equal(clip.driving_maps[1, 1, :, 0, 0], scaled(11, 21, 21))
    assert torch.equal(clip.image_maps[:, :, 0, 0], scaled(0, 1).expand(2, 2))
    assert torch.equal(clip.driving[0, 0, :, 0, 0], scaled(51, 52, 53))
    assert torch.equal(clip.image[:, 0, 0, 0], scaled(50, 150))


def test_the_number_of_maps_that_a_data_set_states_is_the_clips_own():
    sampled = SampledClip(record(maps=numbered(9)), indices=np.arange(2))
    ReadMaps(channels=2)(sample(driving=sampled))
    assert sampled.maps.shape == (2, 2, 8, 8)
    with pytest.raises(DataError, match=r"has 2 condition maps a frame, and the data set says maps=3 .*set it to 2"):
        ReadMaps(channels=3)(sample(driving=SampledClip(record(maps=numbered(9)), indices=np.arange(2))))
