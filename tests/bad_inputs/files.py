"""Files of JSON, points, maps, pictures, videos and weights that hold something else than they should."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bad_inputs.case import Case
from i2vkit.analysis.comparison.comparable import read_results
from i2vkit.analysis.tables.description import read_description
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import GivenFrames
from i2vkit.datasets.map_files import read_maps
from i2vkit.datasets.point_files import read_points
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.evaluation.protocols import SampleList
from i2vkit.media import read_image, read_video
from i2vkit.zoo.index import read_index
from i2vkit.zoo.metadata import read_header

_DEEP = "[" * 100_000
_ROW = {"name": "a", "config": "dtgan_weizmann"}
_TABLE = {"title": "t", "iterations": 3, "rows": [_ROW]}
_RESULT = {"config": "a", "checkpoint": {"sha256": "x"}, "protocol": {"name": "r"}, "scores": {}, "samples": []}
_SAMPLE = {"driving": "a/b/c", "image_video": None, "motion": "driving", "seed": 0}
_BROKEN = [
    ("an empty file", b""),
    ("a text", b"title: t"),
    ("cut", b'{"title": "t", "rows": ['),
    ("nested without end", _DEEP.encode()),
    ("Latin-1", b'{"title": "d\xf3wn"}'),
    ("UTF-16", json.dumps(_TABLE).encode("utf-16")),
    ("a number with 10,000 digits", b"1" * 10_000),
]


def _pack(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def _cases(kind: str, name: str, read: Callable[[Path], object], entries: list[tuple[str, Any, str]]) -> list[Case]:
    def case(what: str, content: Any, message: str) -> Case:
        def run(folder: Path) -> None:
            path = folder / name
            path.write_bytes(_pack(content))
            read(path)

        return Case(kind, what, run, message)

    return [case(*entry) for entry in entries]


def _index() -> ClipIndex:
    frames = GivenFrames([np.zeros((4, 4, 3), np.uint8)] * 3)
    return ClipIndex([ClipRecord("a/b/c", frames, "a", "b", 3)], ["b"])


_TABLES = [(name, content, "is no description of a table") for name, content in _BROKEN] + [
    ("a list", [], "a table needs title, rows"),
    ("no rows", {"title": "t", "iterations": 3}, "a table needs title, rows"),
    ("no budget", {"title": "t", "rows": [_ROW]}, "either iterations or minutes"),
    ("both budgets", {**_TABLE, "minutes": 3}, "either iterations or minutes"),
    *(
        (f"iterations {value!r}", {**_TABLE, "iterations": value}, "takes a whole number from 1")
        for value in (0, -1, 2.5, "x", None, True)
    ),
    *(
        (f"minutes {value!r}", {"title": "t", "rows": [_ROW], "minutes": value}, "takes a number above 0")
        for value in (0, -1, "x")
    ),
    *((f"jobs {value!r}", {**_TABLE, "jobs": value}, "takes a whole number from 1") for value in (0, -1, "x")),
    *((f"seed {value!r}", {**_TABLE, "seed": value}, "takes a whole number from 0") for value in (-1, "x", 1.5)),
    *((f"seeds {value!r}", {**_TABLE, "seeds": value}, "seeds") for value in (3, "x", [-1], ["a"])),
    *((f"rows {value!r}", {**_TABLE, "rows": value}, "rows") for value in (3, "x", {}, ["a"], [3], [None])),
    *((f"title {value!r}", {**_TABLE, "title": value}, "takes a text") for value in (3, None, [])),
    ("options of a list", {**_TABLE, "options": ["a=1"]}, "takes dict("),
    ("narrow as a text", {**_TABLE, "narrow": "yes"}, "true or false"),
    ("a row's budget", {**_TABLE, "rows": [{**_ROW, "iterations": -1}]}, "rows.0.iterations is -1"),
    ("a row's sets as a text", {**_TABLE, "rows": [{**_ROW, "use": "a"}]}, "rows.0.use is 'a'"),
    ("a row's name as a number", {**_TABLE, "rows": [{**_ROW, "name": 3}]}, "rows.0.name is 3"),
    ("a row without a config", {**_TABLE, "rows": [{"name": "a"}]}, "each row needs a config"),
    ("rows of none", {**_TABLE, "rows": []}, "rows is empty"),
    ("no seeds", {**_TABLE, "seeds": []}, "one or more numbers, each once"),
    ("a seed twice", {**_TABLE, "seeds": [1, 1]}, "one or more numbers, each once"),
    ("a key twice", b'{"title": "t", "title": "u", "iterations": 3, "rows": []}', "has the key 'title' twice"),
    *(
        (f"a row named {name[:9]!r}", {**_TABLE, "rows": [{**_ROW, "name": name}]}, "a unique name")
        for name in ("../x", "a/b", ".", "", "a\0b", "a\nb", "a" * 300)
    ),
    ("an unknown key", {**_TABLE, "rowz": 3}, "unknown key 'rowz'"),
]
_RESULTS = [(name, content, "cannot be read") for name, content in _BROKEN] + [
    ("a list", [], "is no result of tools/test.py"),
    ("no scores", {key: value for key, value in _RESULT.items() if key != "scores"}, "it has no scores"),
    *(
        (f"{key} {value!r}", {**_RESULT, key: value}, f".{key} is {value!r}")
        for key, value in [
            ("config", 3),
            ("checkpoint", "ck.pth"),
            ("checkpoint", 3),
            ("protocol", "transfer"),
            ("scores", [1]),
            ("samples", 3),
            ("samples", ["a"]),
            ("options", "a=1"),
            ("per_video", {"a": 1}),
            ("per_image", 3),
        ]
    ),
]
_SAMPLES = [(name, content, "cannot be read") for name, content in _BROKEN if not name.startswith("a number")] + [
    ("an empty list", [], "holds no list of samples"),
    ("samples as a text", {"samples": "x"}, "holds no list of samples"),
    ("a sample as a number", [3], "sample 0 is not an object"),
    *(
        (f"{key} {value!r}", [{**_SAMPLE, key: value}], "sample 0 has")
        for key, value in [
            ("driving", 3),
            ("seed", "x"),
            ("seed", 1.5),
            ("motion", "noise"),
            ("frames", "x"),
            ("frames", [0.5, 2]),
            ("label", 3),
            ("color", "red"),
        ]
    ),
    ("a clip that is not there", [{**_SAMPLE, "driving": "x/y/z"}], "names 1 clips that the data lack"),
]
_POINTS = [
    ("an empty file", b"", "the header must be frame,x0,y0"),
    ("another header", b"a,b,c\n1,2,3\n", "the header must be frame,x0,y0"),
    ("a text", b"frame,x0,y0\n0,a,2\n", "line 2: could not convert"),
    ("a frame that is no number", b"frame,x0,y0\nx,1,2\n", "line 2"),
    ("too few values", b"frame,x0,y0\n0,1\n", "line 2"),
    ("a frame that is not there", b"frame,x0,y0\n7,1,2\n", "has points of frame 7, which does not exist"),
    ("Latin-1", b"frame,x0,y0\n0,1,2\xe9\n", "line 2"),
    ("infinite", b"frame,x0,y0\n0,inf,2\n", "line 2"),
]
_MAPS = [
    ("an empty file", b"", "holds no condition maps"),
    ("a text", b"maps", "holds no condition maps"),
    ("a cut archive", b"PK\x03\x04" + bytes(20), "holds no condition maps"),
]
_PICTURES = [
    ("an empty file", b""),
    ("a text", b"<html>404</html>"),
    ("a cut PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ("a cut JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    ("random bytes", bytes(range(256)) * 4),
]
_VIDEOS = [*_PICTURES, ("a cut MP4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42"), ("a Matroska header", b"\x1aE\xdf\xa3")]
_WEIGHTS = [
    ("an empty file", b""),
    ("a text", b"not a checkpoint"),
    ("a cut archive", b"PK\x03\x04" + bytes(40)),
    ("a pickle of a list", b"\x80\x02]q\0."),
    ("a cut pickle", b"\x80\x02}q\0("),
]
_TENSORS = [
    ("an empty file", b""),
    ("a header longer than the file", (2**40).to_bytes(8, "little") + b"{}"),
    ("a header that is no JSON", (4).to_bytes(8, "little") + b"abcd"),
    ("a header that is a list", (2).to_bytes(8, "little") + b"[]"),
    ("a header nested without end", len(_DEEP).to_bytes(8, "little") + _DEEP.encode()),
    ("offsets behind the end", b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'),
    ("negative offsets", b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}'),
    ("a shape without end", b'{"a":{"dtype":"F32","shape":[9999999999999],"data_offsets":[0,4]}}'),
    ("an unknown type", b'{"a":{"dtype":"F999","shape":[1],"data_offsets":[0,4]}}'),
]
_HEADERS = list(_TENSORS[:5])


def _with_length(content: bytes) -> bytes:
    return len(content).to_bytes(8, "little") + content if content.startswith(b'{"a"') else content


FILES: list[Case] = [
    *_cases("table description", "table.json", read_description, _TABLES),
    *_cases("result", "metrics.json", lambda path: read_results([path, path]), _RESULTS),
    *_cases("sample list", "samples.json", lambda path: SampleList(str(path)).pairs(_index()), _SAMPLES),
    *_cases("index of models", "index.json", read_index, [(n, c, "is not an index of models") for n, c in _BROKEN]),
    *_cases("points", "points.csv", lambda path: read_points(path, [0, 1], (1,)), _POINTS),
    *_cases("maps", "maps.npz", read_maps, _MAPS),
    *_cases("picture", "a.png", read_image, [(n, c, "cannot be read as an image") for n, c in _PICTURES]),
    *_cases("video", "a.mp4", read_video, [(n, c, "a.mp4") for n, c in _VIDEOS]),
    *_cases("video", "a.gif", read_video, [(f"{n} (GIF)", c, "a.gif") for n, c in _PICTURES]),
    *_cases("checkpoint", "a.pth", load_checkpoint_file, [(n, c, "checkpoint") for n, c in _WEIGHTS]),
    *_cases(
        "safetensors", "a.safetensors", load_checkpoint_file, [(n, _with_length(c), "is not a") for n, c in _TENSORS]
    ),
    *_cases("header", "a.safetensors", read_header, [(n, c, "is not a .safetensors file") for n, c in _HEADERS]),
]
