"""BAIR from the disk: records framed and checked by hand, two cameras, SVG's pictures, and what is said of damage."""

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import tfrecord
from mmengine.config import Config
from mmengine.runner import Runner
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tfrecord import example_pb2

from i2vkit.datasets import Bair
from i2vkit.datasets.formats.tfrecords import decode_example, encode_example, read_record, record_spans, write_records
from i2vkit.datasets.readers import bair as bair_module
from i2vkit.datasets.readers.bair import TfRecordFrames, read_actions
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import write_image

CONFIG = Path(__file__).resolve().parents[2] / "configs/_base_/datasets/bair.py"


def pixels(clip: int, camera: str) -> np.ndarray:
    return np.random.default_rng([clip, camera == "main"]).integers(0, 256, (30, 64, 64, 3), dtype=np.uint8)


def features(clip: int) -> dict:
    result = {}
    for index in range(30):
        for camera in ("main", "aux1"):
            result[f"{index}/image_{camera}/encoded"] = pixels(clip, camera)[index].tobytes()
        result[f"{index}/action"] = np.array([index, clip, 0.5, -1.0])
        result[f"{index}/endeffector_pos"] = np.array([index, 0.25, clip])
    return result


def write_split(root: Path, split: str, clips: range, file: str = "traj_0_to_255") -> Path:
    path = root / split / f"{file}.tfrecords"
    write_records(path, (encode_example(features(clip)) for clip in clips))
    return path


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("bair")
    write_split(root / "softmotion30_44k", "train", range(2))
    write_split(root / "softmotion30_44k", "train", range(2, 3), "traj_256_to_511")
    write_split(root / "softmotion30_44k", "test", range(3, 4))
    return root


def flip(path: Path, byte: int) -> None:
    data = bytearray(path.read_bytes())
    data[byte] ^= 4
    path.write_bytes(data)


# Records


def test_others_read_what_is_written(tmp_path):
    values = {"a": b"\x00\xff", "b": np.array([1.5, -2.0]), "c": np.array([3, -(2**40)])}
    written = [encode_example(values), encode_example({}), encode_example(features(0))]
    path = tmp_path / "some.tfrecords"
    write_records(path, written)
    reader = PyRecordReader_New(str(path))  # checks both CRCs
    for data in written:
        reader.GetNext()
        assert reader.record() == data
    assert [bytes(data) for data in tfrecord.reader.tfrecord_iterator(str(path))] == written
    feature = example_pb2.Example.FromString(written[0]).features.feature
    assert list(feature["a"].bytes_list.value) == [b"\x00\xff"]
    assert list(feature["b"].float_list.value) == [1.5, -2.0]
    assert list(feature["c"].int64_list.value) == [3, -(2**40)]


def test_what_others_write_is_read(tmp_path):
    path = tmp_path / "some.tfrecords"
    writer = tfrecord.TFRecordWriter(str(path))
    for number in range(3):
        writer.write({"a": (b"x" * number, "byte"), "b": ([0.5, number], "float"), "c": ([number], "int")})
    writer.close()
    spans = record_spans(path)
    assert [span.number for span in spans] == [0, 1, 2]
    assert spans[1].offset == 16 + spans[0].length
    decoded = decode_example(read_record(spans[2]))
    assert decoded["a"] == b"xx"
    np.testing.assert_array_equal(decoded["b"], np.float32([0.5, 2.0]))
    np.testing.assert_array_equal(decoded["c"], [2])
    assert (decoded["b"].dtype, decoded["c"].dtype) == (np.float32, np.int64)


@pytest.fixture
def three(tmp_path) -> Path:
    """Three records of 100 bytes: they begin at 0, 116 and 232."""
    write_records(tmp_path / "three.tfrecords", [bytes([number]) * 100 for number in range(3)])
    return tmp_path / "three.tfrecords"


@pytest.mark.parametrize("byte", [116, 123, 124, 127])
def test_a_damaged_length_is_named(three, byte):
    flip(three, byte)
    with pytest.raises(MediaError, match=r"the length of record 1 at byte 116 of .*three\.tfrecords is damaged"):
        record_spans(three)


@pytest.mark.parametrize("byte", [128, 200, 227, 228, 231])
def test_damaged_data_are_named_when_read(three, byte):
    flip(three, byte)
    first, second, third = record_spans(three)
    assert read_record(first) == bytes(100) and read_record(third) == b"\x02" * 100
    with pytest.raises(MediaError, match=r"record 1 at byte 116 of .*three\.tfrecords is damaged"):
        read_record(second)


@pytest.mark.parametrize(("size", "number", "offset"), [(347, 2, 232), (240, 2, 232), (230, 1, 116), (3, 0, 0)])
def test_a_cut_file_is_named(three, size, number, offset):
    three.write_bytes(three.read_bytes()[:size])
    with pytest.raises(
        MediaError, match=rf"three\.tfrecords is cut: .*byte {size}, within record {number} at byte {offset}"
    ):
        record_spans(three)


def test_a_file_that_shrank_or_went_after_it_was_listed(three):
    last = record_spans(three)[-1]
    three.write_bytes(three.read_bytes()[:300])
    with pytest.raises(MediaError, match=r"record 2 at byte 232 .* is cut: 56 bytes of 104"):
        read_record(last)
    three.unlink()
    with pytest.raises(MediaError, match=r"record 2 at byte 232 .* cannot be read: No such file"):
        read_record(last)


def test_an_interrupted_writer_leaves_nothing(tmp_path):
    def records():
        yield b"one"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_records(tmp_path / "x.tfrecords", records())
    assert not list(tmp_path.iterdir())


# The layout


def test_the_layout(raw):
    index = Bair(str(raw)).index()
    assert [record.name for record in index.records] == [
        "train/traj_0_to_255/1",
        "train/traj_0_to_255/2",
        "train/traj_256_to_511/1",
        "test/traj_0_to_255/1",
    ]
    record = index.records[1]
    assert (record.person, record.label, record.num_frames) == (record.name, None, 30)
    assert index.labels == [] and index.skipped == []
    np.testing.assert_array_equal(record.frames.read([29, 0, 29]), pixels(1, "aux1")[[29, 0, 29]])
    np.testing.assert_array_equal(np.stack(list(record.frames)), pixels(1, "aux1"))
    actions, positions = read_actions(index.records[2])
    np.testing.assert_array_equal(actions, np.float32([[index, 2, 0.5, -1.0] for index in range(30)]))
    np.testing.assert_array_equal(positions, np.float32([[index, 0.25, 2] for index in range(30)]))


def test_the_folder_of_the_archive_is_a_root_too(raw):
    inner = Bair(str(raw / "softmotion30_44k"), split="test").index().records
    assert inner == Bair(str(raw), split="test").index().records and len(inner) == 1


def test_cameras_and_splits(raw):
    (record,) = Bair(str(raw), camera="main", split="test").index().records
    np.testing.assert_array_equal(record.frames.read(range(30)), pixels(3, "main"))
    assert len(Bair(str(raw), split="train").index().records) == 3
    same = Bair(str(raw), camera="main").index().records[-1].frames
    assert same == record.frames and hash(same) == hash(record.frames)
    assert record.frames != Bair(str(raw)).index().records[-1].frames
    with pytest.raises(ConfigError, match=r"Bair\.camera is 'left', but takes 'aux1' or 'main'"):
        Bair(str(raw), camera="left")


def test_svgs_pictures_are_the_same_clips(raw, tmp_path):
    records = Bair(str(raw)).index().records
    for record in records:
        for index, frame in enumerate(record.frames):
            write_image(tmp_path / "processed_data" / record.name / f"{index}.png", frame)
    pictures = Bair(str(tmp_path)).index().records
    assert [record.name for record in pictures] == [record.name for record in records]
    for ours, svgs in zip(records, pictures, strict=True):
        assert ours.num_frames == svgs.num_frames
        np.testing.assert_array_equal(ours.frames.read([0, 9, 10, 29]), svgs.frames.read([0, 9, 10, 29]))
    with pytest.raises(DataError, match="actions are in the TFRecord files only"):
        read_actions(pictures[0])
    with pytest.raises(DataError, match="aux1 only: set camera='aux1'"):
        Bair(str(tmp_path), camera="main").index()


def test_svgs_clips_come_in_the_order_of_their_numbers(tmp_path):
    for number in (1, 2, 10):
        write_image(tmp_path / f"test/traj_0_to_255/{number}/0.png", np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "test/traj_0_to_255/3").mkdir()
    index = Bair(str(tmp_path), split="test").index()
    assert [record.name.split("/")[-1] for record in index.records] == ["1", "2", "10"]
    assert [what for what, _ in index.skipped] == ["test/traj_0_to_255/3"]


def test_the_log_says_what_was_met(raw, tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(bair_module, "print_log", lambda line, logger: lines.append(line))
    Bair(str(raw), camera="main", split="test").index()
    write_image(tmp_path / "train/traj_0_to_255/1/0.png", np.zeros((64, 64, 3), np.uint8))
    Bair(str(tmp_path)).index()
    assert lines == [
        f"{raw}: BAIR as TFRecord files, camera main, test",
        f"{tmp_path}: BAIR as SVG's PNG files, camera aux1, train and test",
    ]


def test_indexing_reads_lengths_and_one_record_only(tmp_path, monkeypatch):
    data = encode_example(features(0))
    write_records(tmp_path / "train/a.tfrecords", [data])
    write_records(tmp_path / "train/b.tfrecords", [b"no Example, and never parsed"] * 20_000)
    read = []
    monkeypatch.setattr(bair_module, "read_record", lambda span: read.append(span) or read_record(span))
    start = time.perf_counter()
    index = Bair(str(tmp_path)).index()
    assert time.perf_counter() - start < 5.0
    assert len(index.records) == 20_001 and read == [index.records[0].frames.span]
    with pytest.raises(MediaError, match=r"record 0 at byte 0 of .*b\.tfrecords holds no tf\.train\.Example"):
        index.records[1].frames.read([0])


def test_damage_stops_at_the_start_or_names_the_record(raw, tmp_path):
    path = tmp_path / "train/a.tfrecords"
    path.parent.mkdir()
    data = (raw / "softmotion30_44k/train/traj_0_to_255.tfrecords").read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(MediaError, match=r"a\.tfrecords is cut: .* within record 1 at byte \d+"):
        Bair(str(tmp_path)).index()
    path.write_bytes(data)
    second = struct.unpack("<Q", data[:8])[0] + 16
    flip(path, second + 5000)
    record = Bair(str(tmp_path)).index().records[1]
    for use in (lambda: record.frames.read([3]), lambda: list(record.frames), lambda: read_actions(record)):
        with pytest.raises(MediaError, match=rf"record 1 at byte {second} of .*a\.tfrecords is damaged"):
            use()


def test_records_of_another_kind(tmp_path):
    write_records(tmp_path / "test/a.tfrecords", [encode_example({"0/image_main/encoded": b"JPEG", "0/state": b""})])
    with pytest.raises(
        DataError, match=r"no BAIR record with camera aux1: record 0 .* no picture 0/image_aux1/encoded"
    ):
        Bair(str(tmp_path)).index()
    with pytest.raises(DataError, match="0/image_main/encoded is 4 bytes, not 64x64x3 raw RGB"):
        Bair(str(tmp_path), camera="main").index()


def test_an_empty_file_is_skipped(raw, tmp_path):
    write_split(tmp_path, "test", range(1))
    (tmp_path / "test/empty.tfrecords").touch()
    index = Bair(str(tmp_path)).index()
    assert len(index.records) == 1 and [what for what, _ in index.skipped] == ["test/empty"]


def test_missing_data_say_what_to_do(tmp_path):
    (tmp_path / "data/softmotion30_44k/train").mkdir(parents=True)
    with pytest.raises(DataError) as error:
        Bair(str(tmp_path / "data"), split="test").index()
    message = str(error.value)
    for part in (
        "[softmotion30_44k/]test/*.tfrecords or [processed_data/]test/<file>/<k>/<i>.png",
        str(tmp_path / "data"),
        "found there: softmotion30_44k/",
        "BAIR robot pushing dataset (small)",
        "Ebert et al. (2017)",
        f"python tools/synthesize_data.py bair --out {tmp_path / 'data'}",
    ):
        assert part in message


def test_the_config_loads_both_splits(raw):
    config = Config.fromfile(CONFIG)
    inputs = {}
    for name in ("train_dataloader", "val_dataloader"):
        config[name].dataset.reader.root = str(raw)
        config[name].update(num_workers=0, persistent_workers=False, batch_size=1)
        inputs[name] = next(iter(Runner.build_dataloader(config[name], seed=0)))["inputs"]["driving"][0]
    assert inputs["train_dataloader"].shape == (3, 30, 64, 64)
    np.testing.assert_array_equal(inputs["val_dataloader"].numpy().transpose(1, 2, 3, 0), pixels(3, "aux1"))


def test_a_dumped_config_says_the_same(tmp_path):
    config = Config.fromfile(CONFIG)
    config.dump(tmp_path / "bair.py")
    dumped = Config.fromfile(tmp_path / "bair.py")
    for loader, split in (("train_dataloader", "train"), ("val_dataloader", "test"), ("test_dataloader", "test")):
        assert dumped[loader].dataset.reader.split == config[loader].dataset.reader.split == split
        assert dumped[loader].dataset.reader.camera == "aux1"


def test_the_config_without_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"synthesize_data\.py bair --out data/bair"):
        Runner.build_dataloader(Config.fromfile(CONFIG).train_dataloader, seed=0)


def test_frames_of_a_shorter_clip(tmp_path):
    short = {f"{index}/image_aux1/encoded": bytes(64 * 64 * 3) for index in range(2)}
    write_records(tmp_path / "a.tfrecords", [encode_example(short)])
    (span,) = record_spans(tmp_path / "a.tfrecords")
    assert len(list(TfRecordFrames(span, "aux1", num_frames=2))) == 2
    with pytest.raises(MediaError, match="has no picture 2/image_aux1/encoded; of 2 features"):
        TfRecordFrames(span, "aux1").read(range(30))
