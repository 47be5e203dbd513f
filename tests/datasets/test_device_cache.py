"""Clips on the device (here the CPU): the very batches of the ordinary loader, and clear words where that cannot be."""

import pickle
from dataclasses import dataclass
from itertools import islice

import narrow
import numpy as np
import pytest
import torch
from emulated_cuda import emulated_cuda
from torch.utils.data import DataLoader

from i2vkit.config.finding import CONFIG_FOLDER
from i2vkit.config.loading import load_config
from i2vkit.datasets import ClipDataset, ClipIndex, ClipRecord, PositionSampler, collate_clips, device_cache
from i2vkit.datasets.deferred import DeferredBatch
from i2vkit.datasets.pipelines import steps_of
from i2vkit.errors import ConfigError, MediaError
from i2vkit.models import ClipPreprocessor
from i2vkit.models.data_preprocessor import from_uint8


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames in memory."""

    frames: np.ndarray

    def read(self, indices):
        return self.frames[np.asarray(indices)]

    def __iter__(self):
        return iter(self.frames)


@dataclass
class Noise:
    """A layout of five clips of noise, of two people, with condition maps and joints; one more frame each."""

    size: tuple[int, int]
    maps: int = 2
    length: int = 66

    def index(self):
        rng, records = np.random.default_rng(0), []
        for number, (person, label) in enumerate((p, n) for p in ("ann", "bob") for n in ("run", "wave", "jump")):
            count = self.length + number
            frames, maps = (rng.integers(0, 256, (count, *shape), dtype=np.uint8) for shape in self._shapes())
            metadata = {"maps": maps, "joints": rng.uniform(0, min(self.size), (count, 13, 2))}
            records.append(ClipRecord(f"{person}/{label}/a", Frames(frames), person, label, count, metadata=metadata))
        return ClipIndex(records, ["jump", "run", "wave"])

    def _shapes(self):
        return (*self.size, 3), (self.maps, *self.size)


def without_samples(items):
    return collate_clips(items, samples=False)


def batches(reader, pipeline, cache, number=3, workers=0, **arguments):
    """The first batches of four as a model gets them, uint8, on the CPU."""
    data = ClipDataset(reader, pipeline, cache=cache, seed=3, **arguments)
    loader = DataLoader(
        data,
        4,
        sampler=PositionSampler(data),
        num_workers=workers,
        collate_fn=without_samples,
    )
    return [{name: values.to("cpu") for name, values in b["inputs"].items()} for b in islice(loader, number)]


def differences(reader, pipeline, **arguments):
    """The largest difference in each field between both kinds of batches, in grey levels or pixels."""
    largest = {}
    ordinary, device = (batches(reader, pipeline, cache, **arguments) for cache in ("memory", "device"))
    for one, other in zip(ordinary, device, strict=True):
        assert list(one) == list(other)
        for name, values in one.items():
            assert values.dtype == other[name].dtype and values.shape == other[name].shape
            assert other[name].is_contiguous()
            apart = (values.double() - other[name].double()).abs().max().item()
            largest[name] = max(apart, largest.get(name, 0))
    return largest


# One config for each kind of pipeline that the configs have, and the size of the frames on the disk.
CONFIGS = {
    "imaginator_mug": (64, 64),
    "imaginator_weizmann_crops": (64, 64),
    "dtgan_oulu": (80, 96),
    "dtgan_oulu_128": (100, 90),
    "cnn_lstm_oulu": (64, 64),
    "dual_mtgan_weizmann": (64, 64),
    "dual_mtgan_penn_strips": (64, 64),
    "dual_mtgan_faces_1p2d": (64, 64),
    "dtgan_figures": (64, 64),
    "frgan_forecast_mug": (96, 96),
    "frgan_refine_penn": (64, 64),
    "pose_lstm_penn": (70, 80),
    "_base_/datasets/clip_folder": (70, 85),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_batches_of_the_configs_are_those_of_the_ordinary_loader(name):
    settings = load_config(CONFIG_FOLDER / f"{name}.py" if "_base_" in name else name).train_dataloader.dataset
    steps = steps_of(settings)
    found = differences(
        Noise(CONFIGS[name], settings.get("maps") or 2), steps, pair_sampler=settings.get("pair_sampler")
    )
    drawn_sizes = {"RandomCrop"} & {step["type"].__name__ for step in steps.values()}
    assert max(found.values()) <= (1 if drawn_sizes else 0)
    assert {"driving", "label"} <= set(found)


@pytest.mark.parametrize("name", ["cnn_lstm_weizmann", "cnn_lstm_faces"])
def test_states_by_displacement_look_at_pixels(name):
    settings = load_config(name).train_dataloader.dataset
    with pytest.raises(ConfigError, match=r"cannot do LabelStates\(by='displacement'\).*leave it out, or take cache="):
        ClipDataset(Noise((64, 64)), steps_of(settings), cache="device")


def named(*transforms):
    """A pipeline of these transforms, named by their numbers."""
    return {f"step_{number}": transform for number, transform in enumerate(transforms)}


CROP, FLIP, COLOURS = dict(type="RandomCrop", smallest=0.6), dict(type="RandomFlip"), dict(type="RandomColors")
READ = [dict(type="RandomWindow", length=5, stride=2), dict(type="ReadFrames")]


def resize(*size):
    return dict(type="Resize", size=size)


@pytest.mark.parametrize(
    "middle, most",
    [
        ([], 0),
        ([FLIP], 0),
        ([COLOURS], 0),
        ([resize(20, 24), FLIP, COLOURS, FLIP], 0),
        ([FLIP, dict(type="CenterCrop", size=16), FLIP], 0),
        ([CROP, dict(type="CenterCrop", size=16)], 0),
        ([CROP, FLIP, dict(type="CenterCrop", size=16), FLIP, COLOURS], 0),
        ([CROP, resize(32, 32)], 1),  # smaller and larger
        ([CROP, resize(16, 12)], 1),  # smaller
        ([CROP, resize(50, 60), FLIP], 1),  # larger
        ([FLIP, CROP, resize(33, 40)], 1),
        ([resize(36, 40), CROP, resize(24, 24)], 1),
        ([CROP, resize(40, 40), dict(type="CenterCrop", size=30), FLIP], 1),
        ([CROP, resize(40, 40), dict(type="CenterCrop", size=30), resize(20, 20), FLIP], 2),  # rounded twice
        ([CROP, resize(24, 24), FLIP, COLOURS], 3),  # colours multiply what scaling rounded differently
    ],
)
def test_random_changes_are_those_of_the_ordinary_loader(middle, most):
    found = differences(Noise((40, 44), length=12), named(*READ, *middle, dict(type="PackClip")), number=4)
    assert found["driving"] <= most and found["label"] == 0


def test_scaling_is_about_what_opencv_does_not_only_within_a_level():
    """Half of the values that are rounded the other way would still be within one level."""
    pipeline = named(*READ, CROP, resize(24, 24), dict(type="PackClip"))
    one, other = (batches(Noise((40, 44), length=12), pipeline, cache)[0]["driving"] for cache in ("memory", "device"))
    assert (one != other).float().mean() < 0.02


def test_clips_of_many_lengths_are_padded():
    pipeline = named(*(dict(type=kind) for kind in ("WholeClip", "ReadFrames", "LabelStates", "PackClip")))
    assert max(differences(Noise((8, 8), length=5), pipeline).values()) == 0
    inputs = batches(Noise((8, 8), length=5), pipeline, "device", number=1)[0]
    assert inputs["driving"].shape[2] == inputs["num_frames"].max() and len(inputs["num_frames"].unique()) > 1


def test_workers_choose_frames_and_send_no_pixels():
    pipeline, pair_sampler = named(*READ, CROP, resize(64, 64), FLIP, dict(type="PackClip")), dict(type="OtherPerson")
    reader = Noise((48, 48), length=20)
    alone, shared = (
        batches(reader, pipeline, "device", workers=workers, pair_sampler=pair_sampler) for workers in (0, 2)
    )
    for one, other in zip(alone, shared, strict=True):
        assert set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)
    data = ClipDataset(reader, pipeline, cache="device", pair_sampler=pair_sampler)
    travelled = pickle.loads(pickle.dumps(data))  # to a process that was not forked
    assert len(pickle.dumps(data._device_cache)) < 1e4 < sum(t.frames.nbytes for t in data._device_cache._tables)
    sent = pickle.dumps(collate_clips(travelled.__getitems__([(0, 7), (4, 8)]), samples=False))
    assert len(sent) < 6000
    here = pickle.loads(sent)["inputs"]
    expected = collate_clips([data[0, 7], data[4, 8]], samples=False)["inputs"]
    assert all((here[name].to("cpu").int() - expected[name]).abs().max() <= 1 for name in expected)


def test_what_is_alike_for_all_samples_is_done_once():
    pipeline = named(*READ, dict(type="CenterCrop"), resize(16, 16), FLIP, resize(8, 8), dict(type="PackClip"))
    data = ClipDataset(Noise((40, 44), length=12), pipeline, cache="device")
    (table,) = data._device_cache._tables
    assert table.frames.shape == (6 * 12 + 15, 3, 16, 16) and table.frames.dtype == torch.uint8
    everything = ClipDataset(Noise((40, 44), length=12), named(*READ, dict(type="PackClip")), cache="device")
    assert everything._device_cache._tables[0].frames.shape == (87, 3, 40, 44)


def test_a_sample_of_its_own_is_read_from_the_disk():
    data = ClipDataset(Noise((40, 44), length=12), named(*READ, dict(type="PackClip")), cache="device")
    item = data[2, 9]
    assert item["inputs"]["driving"].shape == (3, 5, 40, 44) and item["data_samples"].name == "ann/jump/a"


def test_a_model_trains_on_them_as_on_others():
    size = narrow.SIZE
    pipeline = dict(
        window=dict(type="RandomWindow", length=6),
        read=dict(type="ReadFrames"),
        maps=dict(type="ReadMaps"),
        pack=dict(type="PackClip"),
    )
    logs = []
    for cache in ("memory", "device"):
        data = ClipDataset(Noise((size, size), length=12), pipeline, cache=cache)
        loader = DataLoader(data, 3, sampler=PositionSampler(data), collate_fn=without_samples)
        model = narrow.build()
        optimizers = narrow.optimizers(model)
        torch.manual_seed(1)
        logs.append([model.train_step(batch, optimizers) for batch in islice(loader, 2)])
    assert logs[0] == logs[1]


def test_mmengines_own_collate_function_will_do():
    from mmengine.dataset import pseudo_collate

    data = ClipDataset(Noise((8, 8), length=12), named(*READ, dict(type="PackClip")), cache="device")
    clip = ClipPreprocessor()(pseudo_collate(data.__getitems__([(0, 7), (4, 8)])))["clip"]
    expected = ClipPreprocessor()(collate_clips([data[0, 7], data[4, 8]]))["clip"]
    assert torch.equal(clip.driving, expected.driving) and clip.num_frames is None


# What cannot be


class Blur:
    """A user's transform that says nothing of itself."""

    def __call__(self, sample):
        return sample


class Shift:
    """A user's transform that claims to do the same with every sample."""

    frame_changes = "fixed"

    def __call__(self, sample):
        from i2vkit.datasets.frame_operations import Crop, change

        for sampled in sample["clips"].values():
            sampled.frames = change(sampled.frames, Crop(len(sampled.frames), 0, 8, 8))
        return sample


def device_set(pipeline, reader=None):
    return ClipDataset(reader or Noise((40, 44), length=12), pipeline, cache="device")


def test_transforms_that_need_pixels_are_named():
    with pytest.raises(ConfigError, match=r'cannot do Blur\(\), which works on pixels.*take cache="file" or "memory"'):
        device_set(named(*READ, Blur(), dict(type="PackClip")))
    with pytest.raises(ConfigError, match="stores the frames that ReadFrames reads"):
        device_set(named(READ[0], dict(type="PackClip")))
    with pytest.raises(ConfigError, match="declares its frame_changes fixed did not do"):
        collate_clips(device_set(named(*READ, Shift(), dict(type="PackClip"))).__getitems__([0, 1]), samples=False)


def test_a_set_that_does_not_fit_says_the_numbers(monkeypatch):
    monkeypatch.setattr(device_cache, "free_bytes", lambda device: 3 * 2**20)
    fits = named(*READ, resize(64, 64), dict(type="PackClip"))  # 1.02 MiB
    device_set(fits)
    message = (
        r"6 clips, 87 frames of 128x64, take 2 MiB, and of the 3 MiB that are free on cpu clips may have 50%: "
        r'take cache="file" or "memory", a smaller Resize, or fewer clips'
    )
    with pytest.raises(ConfigError, match=message):
        device_set(named(*READ, resize(64, 128), dict(type="PackClip")))
    maps = named(*READ, dict(type="ReadMaps"), dict(type="PackClip"))
    with pytest.raises(ConfigError, match="take 2 MiB with their maps"):
        device_set(maps, Noise((64, 64), length=12))


def test_free_memory_is_told():
    assert 2**20 < device_cache.free_bytes(torch.device("cpu")) < 2**50


def test_frames_of_several_sizes_want_a_resize_first():
    reader = Noise((40, 44), length=12)
    index = reader.index()
    index.records[3].frames.frames.resize((15, 44, 40, 3))
    reader.index = lambda: index
    with pytest.raises(ConfigError, match=r"clip bob/run/a is \(3, 44, 40\), those before it \(3, 40, 44\).*Resize"):
        device_set(named(*READ, CROP, resize(16, 16), dict(type="PackClip")), reader)
    assert max(differences(reader, named(*READ, resize(16, 16), dict(type="PackClip"))).values()) == 0


def test_frames_of_one_batch_that_differ_in_size_are_refused():
    data = device_set(named(*READ, CROP, dict(type="PackClip")))
    with pytest.raises(ConfigError, match=r"frames of a batch differ in size: .*give the pipeline a Resize"):
        collate_clips(data.__getitems__([0, 1, 2]), samples=False)


def test_a_broken_clip_is_named(people_folder):
    (people_folder / "bob/run/a/005.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(MediaError, match=r"clip bob/run/a: .*005\.png"):
        ClipDataset(
            dict(type="ClipFolder", root=str(people_folder)), named(*READ, dict(type="PackClip")), cache="device"
        )


def test_batches_outlive_no_data_set():
    data = device_set(named(*READ, dict(type="PackClip")))
    batch = collate_clips(data.__getitems__([0, 1]), samples=False)["inputs"]["driving"]
    assert isinstance(batch, DeferredBatch) and (len(batch), batch.shape) == (2, (2, 3, 5, 40, 44))
    del data
    with pytest.raises(ConfigError, match='data set with cache="device" that this batch is of is gone'):
        batch.to("cpu")


def test_scoring_wants_other_caches():
    with pytest.raises(ConfigError, match=r"have no VideoSample.*is for training"):
        collate_clips(device_set(named(*READ, dict(type="PackClip"))).__getitems__([0, 1]))
    with pytest.raises(ConfigError, match=r'val_dataloader.dataset.cache="device" is for training'):
        load_config("imaginator_mug", {"val_dataloader.dataset.cache": "device"})


# On an emulated GPU


@pytest.mark.parametrize(
    "middle, copies",
    [([], 1), ([dict(type="ReadMaps")], 1), ([FLIP], 2), ([CROP, resize(24, 24), FLIP, COLOURS], 3)],
)
def test_a_batch_on_a_gpu_costs_small_copies_and_no_waiting(monkeypatch, middle, copies):
    """One copy for the chosen frames of a video, and one for each kind of change that is drawn."""
    monkeypatch.setattr(device_cache, "free_bytes", lambda device: 2**30)
    pipeline = named(*READ, *middle, dict(type="PackClip"))
    reader = Noise((40, 44), length=12)
    expected = batches(reader, pipeline, "device", number=1)[0]
    with emulated_cuda() as cuda:
        monkeypatch.setattr(device_cache, "_own_device", lambda: torch.device("cuda:0"))
        data = ClipDataset(reader, pipeline, cache="device", seed=3)
        loader = DataLoader(data, 4, sampler=PositionSampler(data), collate_fn=without_samples)
        batch = next(iter(loader))
        cuda.counts.clear()
        clip = ClipPreprocessor().to("cuda:0")(batch)["clip"]
        fields = 1 + 2 * ("driving_maps" in expected)  # driving clip, and maps of it and of the image
        assert cuda.counts.synchronisations.total() == 0, cuda.counts
        assert cuda.counts.copies.total() == copies * fields + 1, cuda.counts  # labels
        assert clip.driving.device == torch.device("cuda:0")
        assert torch.equal(clip.driving.cpu(), from_uint8(expected["driving"]))
        assert torch.equal(clip.label.cpu(), expected["label"])
