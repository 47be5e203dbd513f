"""The cache in a file: decoded once, shared, never half there, and never in the way."""

import itertools
import pickle
import resource
import threading
import time

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from i2vkit.datasets import ClipDataset, FileCache, FrameFolder, PositionSampler, caches
from i2vkit.errors import ConfigError, DataError, MediaError

PIPELINE = dict(window=dict(type="RandomWindow", length=4), read=dict(type="ReadFrames"), pack=dict(type="PackClip"))


@pytest.fixture(autouse=True)
def cache_root(tmp_path, monkeypatch):
    """Caches go below the test's own folder."""
    monkeypatch.setenv("I2VKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def decoded(monkeypatch):
    """The names of the frames that were decoded, in order."""
    names = []

    def count(self):
        for path, frame in zip(self.paths, whole(self), strict=True):
            names.append(path.name)
            yield frame

    whole = FrameFolder.__iter__
    monkeypatch.setattr(FrameFolder, "__iter__", count)
    return names


def dataset(root, **arguments):
    arguments = {"cache": "file"} | arguments
    return ClipDataset(dict(type="ClipFolder", root=str(root)), PIPELINE, **arguments)


def sources(data):
    return [data[index, position]["inputs"]["driving"] for index in range(len(data)) for position in (0, 1)]


def files(root):
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_frames_are_the_same_and_decoded_once(people_folder, cache_root, decoded, monkeypatch):
    expected = sources(dataset(people_folder, cache=None))
    data = dataset(people_folder)
    assert len(decoded) == sum(range(10, 16)) and files(cache_root) == ["frames", "index.json"]
    again = dataset(people_folder)
    assert len(decoded) == 75
    monkeypatch.setattr(FrameFolder, "read", None)  # nothing but the file is read from now on
    for cached in (data, again):
        assert all(torch.equal(a, b) for a, b in zip(sources(cached), expected, strict=True))
    assert (cache_root / data._cache.folder.name / "frames").stat().st_size == 75 * 8 * 8 * 3


def test_a_sample_is_memory_of_its_own(people_folder):
    data = dataset(people_folder)
    before = data[0, 3]["inputs"]["driving"].clone()
    data[0, 3]["inputs"]["driving"].zero_()
    assert torch.equal(data[0, 3]["inputs"]["driving"], before)


def test_clips_of_different_sizes_and_a_changed_file(people_folder, decoded):
    from .conftest import write_clip

    write_clip(people_folder / "ann/run/b", 5, 200, size=(12, 6))
    data = dataset(people_folder)
    assert data[1, 0]["inputs"]["driving"].shape == (3, 4, 12, 6)
    assert data[1, 0]["inputs"]["driving"][0, 0, 0, 0] >= 200
    number = len(decoded)
    write_clip(people_folder / "ann/run/b", 5, 100, size=(12, 6))
    assert dataset(people_folder)[1, 0]["inputs"]["driving"].max() < 110
    assert len(decoded) == 2 * number


def test_workers_share_the_file(people_folder):
    data = dataset(people_folder)
    alone = [data[key]["inputs"]["driving"] for key in itertools.islice(PositionSampler(data), 12)]
    loader = DataLoader(data, 3, sampler=PositionSampler(data), num_workers=2, collate_fn=pseudo_collate)
    shared = [clip for batch in itertools.islice(loader, 4) for clip in batch["inputs"]["driving"]]
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))
    travelled = pickle.loads(pickle.dumps(data._cache))
    assert travelled._frames is None
    record = data.records[2]
    assert np.array_equal(travelled.read(record, np.array([3, 1])), record.frames.read([3, 1]))


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MediaError("broken")])
def test_what_was_interrupted_leaves_nothing(people_folder, cache_root, monkeypatch, fault):
    def cut(self):
        yield from itertools.islice(whole(self), 7)
        raise fault

    whole = FrameFolder.__iter__
    with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, MediaError)) as error:
        patch.setattr(FrameFolder, "__iter__", cut)
        dataset(people_folder)
    assert files(cache_root) == []
    assert fault is KeyboardInterrupt or str(error.value).startswith(
        "6 clips cannot be read:\n  clip ann/run/a: broken\n  clip ann/wave/a: broken\n"
    )
    assert torch.equal(sources(dataset(people_folder))[0], sources(dataset(people_folder, cache=None))[0])


@pytest.mark.parametrize("damage", ["no index", "short", "index"])
def test_what_a_killed_run_left_is_made_anew(people_folder, cache_root, decoded, damage):
    folder = dataset(people_folder)._cache.folder
    if damage == "no index":
        (folder / "index.json").unlink()
        (folder / ".frames.abcd").write_bytes(b"half")
    elif damage == "short":
        (folder / "frames").write_bytes(b"short")
    else:
        (folder / "index.json").write_text('{"bytes": 14400, "cl')
    data = dataset(people_folder)
    assert len(decoded) == 150 and files(cache_root) == ["frames", "index.json"]
    assert torch.equal(sources(data)[0], sources(dataset(people_folder, cache=None))[0])


def test_of_two_at_once_one_waits(people_folder, decoded, monkeypatch):
    decode = caches._decode_all

    def slow(records, folder):
        time.sleep(0.2)
        return decode(records, folder)

    monkeypatch.setattr(caches, "_decode_all", slow)
    records, made = dataset(people_folder, cache=None).records, []
    threads = [threading.Thread(target=lambda: made.append(FileCache(records))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decoded) == 75 and len(made) == 2
    assert all((cache.read(records[0], [9])[0] == 9).all() for cache in made)


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr(caches, "print_log", lambda line, **_: lines.append(line))
    return lines


def test_a_full_disk_falls_back_to_reading_with_one_warning(people_folder, cache_root, logged):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))  # of the 14,400 bytes that are needed
    try:
        data = dataset(people_folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(cache_root) == []
    (warning,) = [line for line in logged if line.startswith("no cache below")]
    assert "File too large" in warning and "I2VKIT_CACHE" in warning
    assert all(
        torch.equal(a, b) for a, b in zip(sources(data), sources(dataset(people_folder, cache=None)), strict=True)
    )


def test_a_folder_that_cannot_be_made_falls_back_too(people_folder, tmp_path, logged, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("I2VKIT_CACHE", str(tmp_path / "file/cache"))
    assert len(sources(dataset(people_folder))) == 12 and "no cache below" in logged[-1]


def test_what_cache_may_be(people_folder):
    kinds = {True: 2**30, "memory": 2**30, False: 0, None: 0}
    assert {kind: dataset(people_folder, cache=kind)._cache.budget for kind in kinds} == kinds
    with pytest.raises(ConfigError, match="cache is 'disk', but takes 'memory'"):
        dataset(people_folder, cache="disk")


def test_frames_that_come_from_no_file_are_refused(people_folder):
    class Drawn:
        def __repr__(self):
            return "drawn"

    record = dataset(people_folder, cache=None).records[0]
    with pytest.raises(DataError, match='Drawn does not read files: cache="file" is not for it'):
        FileCache([type(record)("a", Drawn(), "a", None, 3)])
