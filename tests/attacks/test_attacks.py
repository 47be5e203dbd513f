"""Files made to harm: code in checkpoints, archives that lead out or swell, headers that lie, JSON without end.

Each is refused by one error of i2vkit. No code runs, nothing is written outside, and little memory is taken.
"""

import io
import json
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from i2vkit.apis import I2VInferencer
from i2vkit.datasets import ClipFolder
from i2vkit.datasets.clip_facts import FILE
from i2vkit.datasets.map_files import read_maps
from i2vkit.engine.checkpoints import load_checkpoint_file, stored_facts
from i2vkit.errors import CheckpointError, DataError, I2VError, MediaError
from i2vkit.media import read_image, read_video, write_image, write_video
from i2vkit.utils.json_files import read_json
from i2vkit.zoo.metadata import config_of, read_header


class Planted:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path, how: str = "touch"):
        self.path, self.how = str(path), how

    def __reduce__(self):
        code = f"open({self.path!r}, 'w').close()"
        return {"touch": (open, (self.path, "w")), "exec": (exec, (code,)), "eval": (eval, (code,))}[self.how]


@pytest.fixture
def witness(tmp_path):
    """A file that no code may make."""
    path = tmp_path / "outside" / "ran"
    path.parent.mkdir()
    yield path
    assert not list(path.parent.iterdir())


# Checkpoints.


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("how", ["touch", "exec", "eval"])
def test_code_in_a_pickle_does_not_run(tmp_path, witness, how, protocol):
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps({"state_dict": Planted(witness, how)}, protocol))
    with pytest.raises(CheckpointError):
        load_checkpoint_file(path)


@pytest.mark.parametrize("place", ["state_dict", "meta", "message_hub", "optimizer"])
def test_code_in_a_torch_archive_does_not_run(tmp_path, witness, place):
    path = tmp_path / "a.pth"
    torch.save({"state_dict": {}, "meta": {}} | {place: {"x": Planted(witness)}}, path)
    with pytest.raises(CheckpointError, match="could run any code when loaded: refused, nothing was run"):
        load_checkpoint_file(path)


def test_names_in_a_torch_archive_lead_nowhere(tmp_path, witness):
    path = tmp_path / "a.pth"
    torch.save({"state_dict": {"x": torch.ones(3)}}, path)
    changed = tmp_path / "b.pth"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.namelist():
            new.writestr(f"../outside/{entry}", old.read(entry))
        new.writestr(f"{witness}", b"x")
    with pytest.raises(CheckpointError):
        load_checkpoint_file(changed)


def test_an_archive_in_place_of_a_checkpoint(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:  # 64 MiB of zeros in 64 KiB
        archive.writestr("archive/data.pkl", bytes(2**26))
    with pytest.raises(CheckpointError):
        load_checkpoint_file(path)


@pytest.mark.parametrize("facts", ['{"labels": 3}', "[" * 50_000, "not json", "[]", '{"image_size": 1e999}'])
def test_facts_that_lie_in_a_file_of_weights(tmp_path, facts):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"x": torch.ones(2)}, {"data_facts": facts, "format": "pt"}))
    try:
        found = stored_facts(path)
    except CheckpointError:
        return
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}',
        b'{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,16]}}',
        b'{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}',
        b'{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,16]}}',
        b'{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,20]}}',
        b'{"__metadata__":{"config":3}}',
        b'{"a":{}}',
        b"{" * 50_000,
        b"null",
    ],
)
def test_headers_that_lie_about_tensors(tmp_path, header):
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(CheckpointError):
        load_checkpoint_file(path)


@pytest.mark.parametrize("length", [2**63 - 1, 2**64 - 1, 10**12, 100_000_001])
def test_a_header_of_any_length_takes_no_memory(tmp_path, length):
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}" * 100)
    for read in (load_checkpoint_file, read_header, stored_facts):
        with pytest.raises(CheckpointError):
            read(path)


@pytest.mark.parametrize(
    "kind", ["os.system", "builtins.eval", "subprocess.run", "shutil.rmtree", "i2vkit.errors.I2VError"]
)
def test_a_config_in_weights_calls_nothing_of_others(kind):
    config = {"model": {"type": "ImageToVideoGan", "generator": {"decoder": {"type": kind, "command": "touch ran"}}}}
    with pytest.raises(CheckpointError):
        config_of({"resolved_config": json.dumps(config)}, "a.safetensors")


@pytest.mark.parametrize("config", ["[" * 50_000, "{}", "3", '{"model": 3}', '{"model": {"type": 3}}', '{"model": []}'])
def test_a_config_in_weights_that_is_none(config):
    with pytest.raises(CheckpointError):
        config_of({"resolved_config": config}, "a.safetensors")


def test_weights_that_are_not_finite_are_no_model(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"generator.x": torch.full((2,), torch.nan)}))
    with pytest.raises(I2VError):
        I2VInferencer("dtgan_weizmann", path, device="cpu")


# Archives of condition maps.


@pytest.mark.parametrize("kind", ["object", "path", "truncated"])
def test_archives_of_maps(tmp_path, witness, kind):
    path = tmp_path / "maps.npz"
    if kind == "object":  # pickled inside
        np.savez(path, maps=np.array([Planted(witness)], dtype=object))
    elif kind == "path":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"../outside/{witness.name}", b"x")
            archive.writestr(str(witness), b"x")
    else:
        np.savez_compressed(path, maps=np.zeros((4, 2, 8, 8), np.uint8))
        path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError):
        read_maps(path)


def test_maps_that_unpack_to_more_than_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("i2vkit.datasets.map_files.LARGEST", 2**20)
    np.savez_compressed(tmp_path / "maps.npz", maps=np.zeros((16, 2, 256, 256), np.uint8))
    assert (tmp_path / "maps.npz").stat().st_size < 2**14
    with pytest.raises(DataError, match="they unpack to 2097"):
        read_maps(tmp_path / "maps.npz")


@pytest.mark.parametrize("shape", [(10**6, 10**4, 10**4, 100), (2**40, 2, 8, 8), (-1, 2, 8, 8)])
def test_maps_whose_header_lies_take_no_memory(tmp_path, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape!r}, }}".ljust(117) + "\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64)
    path = tmp_path / "maps.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("maps.npy", array)
    with pytest.raises(DataError):
        read_maps(path)


# Pictures and videos.


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *more: bytes, rows: int = 1) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + 3 * min(width, 8)) * rows))
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(more) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [50_000, 2**30, 2**31 - 1])
@pytest.mark.filterwarnings("ignore:.*decompression bomb.*")
def test_pictures_that_would_fill_the_memory(tmp_path, side):
    path = tmp_path / "a.png"
    path.write_bytes(_png(side, side))
    with pytest.raises(MediaError, match=r"a\.png"):
        read_image(path)


def test_a_text_in_a_picture_that_swells(tmp_path):
    path = tmp_path / "a.png"
    swollen = _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**27), 9))
    path.write_bytes(_png(8, 8, swollen, rows=8))
    with pytest.raises(MediaError, match=r"a\.png"):
        read_image(path)


@pytest.mark.parametrize("size", [(0, 0), (0, 8), (8, 0)])
def test_pictures_without_pixels(tmp_path, size):
    path = tmp_path / "a.png"
    path.write_bytes(_png(*size))
    with pytest.raises(MediaError, match=r"a\.png"):
        read_image(path)


def test_a_gif_that_is_larger_than_the_memory(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"\x2c" + bytes(40) + b"\x3b")
    with pytest.raises(MediaError, match=r"a\.gif"):
        read_video(path)


@pytest.mark.parametrize("place", [b"stsz", b"stco", b"mdhd", b"tkhd", b"stts"])
def test_boxes_of_a_video_that_lie(tmp_path, place):
    """Numbers of frames, offsets and durations are overwritten by the largest ones."""
    path = tmp_path / "a.mp4"
    write_video(path, [np.full((16, 16, 3), value, np.uint8) for value in (0, 90, 180, 250)])
    data = bytearray(path.read_bytes())
    at = data.find(place)
    data[at + 8 : at + 24] = b"\xff" * 16
    path.write_bytes(data)
    try:
        frames = read_video(path)
    except I2VError as error:
        assert "a.mp4" in str(error)
    else:  # FFmpeg mends some of them
        assert frames.shape[1:] == (16, 16, 3) and len(frames) <= 4


def test_playlists_and_addresses_are_not_followed(tmp_path):
    """A video must not make FFmpeg open other files, or addresses on the net."""
    secret = tmp_path / "secret.mp4"
    write_video(secret, [np.zeros((16, 16, 3), np.uint8)] * 2)
    for name, text in {
        "a.mp4": f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "b.mp4": f"ffconcat version 1.0\nfile {secret}\n",
        "c.mkv": "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    }.items():
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(MediaError, match=name.replace(".", r"\.")):
            read_video(path)


# Tables and JSON.


@pytest.mark.parametrize("name", ["../../etc", "/etc", "ann/../../..", "..", "~root", "ann/smile/0/../../../.."])
def test_tables_do_not_lead_out_of_their_folder(tmp_path, name):
    root = tmp_path / "clips"
    write_image(root / "ann/smile/0/0.png", np.zeros((8, 8, 3), np.uint8))
    (root / "index.csv").write_text(f"path\n{name}\n")
    with pytest.raises(DataError, match=r"index\.csv, line 2: path "):
        ClipFolder(str(root)).index()


@pytest.mark.parametrize("field", ["x" * 200_000, "9" * 5000, "\0", '"'])
def test_tables_with_fields_that_no_one_writes(tmp_path, field):
    write_image(tmp_path / "ann/smile/0/0.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "index.csv").write_text(f"path,num_frames\nann/smile/0,{field}\n")
    with pytest.raises(DataError, match=r"index\.csv, line 2"):
        ClipFolder(str(tmp_path)).index()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "\ud800".encode("utf-8", "surrogatepass")]
)
def test_json_without_end(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError):
        read_json(path)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"format": 1, "clips": 3}',
        '{"format": 1, "clips": {"ann/smile/0": "x"}}',
        '{"format": 1, "clips": {"ann/smile/0": [1, 2, 3]}}',
        '{"format": 1, "clips": {"ann/smile/0": [SIZE, TIME, "x", null, 1, null, false, false]}}',
        '{"format": 1, "clips": {"ann/smile/0": [SIZE, TIME, true, null, 1, null, false, false]}}',
        '{"format": 9, "clips": {}}',
        "",
    ],
)
def test_facts_beside_clips_that_lie_are_not_believed(tmp_path, content):
    clip = tmp_path / "ann/smile/0"
    write_image(clip / "0.png", np.zeros((8, 8, 3), np.uint8))
    state = clip.stat()
    content = content.replace("SIZE", str(state.st_size)).replace("TIME", str(state.st_mtime_ns))
    (tmp_path / FILE).write_text(content)
    [record] = ClipFolder(str(tmp_path)).index().records
    assert record.num_frames == 1


def test_a_picture_in_memory_that_would_fill_it():
    with pytest.raises(MediaError):
        from i2vkit.apis.pictures import as_image

        as_image(io.BytesIO(_png(2**30, 2**30)))
