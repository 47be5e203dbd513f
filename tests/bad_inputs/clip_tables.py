"""Tables ``index.csv`` of a folder of clips, as people, pandas and spreadsheets write them wrongly."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bad_inputs.case import Case
from i2vkit.datasets import ClipFolder
from i2vkit.media import write_image

_HEAD = b"path,person,label,num_frames,fps\n"
_LINE = "index.csv, line 2: "


def _row(values: str) -> bytes:
    return _HEAD + values.encode() + b"\n"


# The name, the bytes of the table, and the message. The folder has one clip of three frames, ann/smile/0.
_TABLES: list[tuple[str, bytes, str]] = [
    ("an empty file", b"", "index.csv is empty; its first line must name the columns, path among them"),
    ("blank lines alone", b"\n\n  \n", "index.csv is empty"),
    ("a byte order mark alone", b"\xef\xbb\xbf", "index.csv is empty"),
    ("Latin-1", _HEAD + b"ann/smile/0,zo\xe9,smile,3,25\n", "line 2: it is not written in UTF-8 (byte 0xe9)"),
    ("Latin-1 far below", _HEAD + b"ann/smile/0,,,,\n" * 8 + b"\xff\n", "line 10: it is not written in UTF-8"),
    ("UTF-16", "path\nann/smile/0\n".encode("utf-16"), "is written in UTF-16: save it as CSV in UTF-8"),
    ("no column path", b"clip,person\nann/smile/0,ann\n", "has no column path; its header is ['clip', 'person']"),
    ("semicolons", b"path;person\nann/smile/0;ann\n", "Separate the columns by commas, not by ';'"),
    ("tabs", b"path\tperson\nann/smile/0\tann\n", "Separate the columns by commas, not by '\\t'"),
    ("no header", b"ann/smile/0,ann,smile,3,25\n", "has no column path"),
    ("a column twice", b"path,label,label\nann/smile/0,a,b\n", "has two columns label"),
    ("a row too short", _row("ann/smile/0,ann"), f"{_LINE}it has 2 values, and the header names 5 columns"),
    ("a row too long", _row("ann/smile/0,ann,smile,3,25,x"), f"{_LINE}it has 6 values"),
    ("a comma in a name", _row("ann, the first/smile/0,ann,smile,3,25"), f"{_LINE}it has 6 values"),
    ("an open quote", _row('"ann/smile/0,ann,smile,3,25'), "index.csv, line 2: unexpected end of data"),
    ("a zero byte", _row("ann/smile/0\0,ann,smile,3,25"), "index.csv, line 2"),
    ("no path", _row(",ann,smile,3,25"), f"{_LINE}path is empty"),
    ("no path in the last row", _row("ann/smile/0,,,,\n,b,,,"), "index.csv, line 3: path is empty"),
    ("an absolute path", _row("/data/0,ann,smile,3,25"), f"{_LINE}path is relative to"),
    ("a Windows path", _row("C:\\data\\0,ann,smile,3,25"), f"{_LINE}path is relative to"),
    ("a home folder", _row("~/0,ann,smile,3,25"), f"{_LINE}path is relative to"),
    ("backslashes", _row("ann\\smile\\0,ann,smile,3,25"), f"{_LINE}path is written with /"),
    ("a path that leads out", _row("../other/0,ann,smile,3,25"), f"{_LINE}path leads out of"),
    ("a path that leads out and in", _row("ann/../../x/0,ann,smile,3,25"), f"{_LINE}path leads out of"),
    ("the folder itself", _row(".,ann,smile,3,25"), f"{_LINE}path leads out of"),
    ("a clip that is not there", _row("ann/smile/1,ann,smile,3,25"), "1 of which are not there, ann/smile/1"),
    ("a clip twice", _row("ann/smile/0,,,,\nann/smile/0,,,,"), "are used by two clips each"),
    *(
        (f"num_frames {value}", _row(f"ann/smile/0,ann,smile,{value},25"), f"{_LINE}num_frames must be a whole number")
        for value in ("ten", "0", "-3", "2.5", "nan", "inf", "1e99", "3 frames", "0x3", "3/1", "True")
    ),
    ("more frames than there are", _row("ann/smile/0,ann,smile,9999,25"), "holds 3 images, index.csv says 9999"),
    ("fewer frames than there are", _row("ann/smile/0,ann,smile,2,25"), "holds 3 images, index.csv says 2"),
    *(
        (f"fps {value}", _row(f"ann/smile/0,ann,smile,3,{value}"), f"{_LINE}fps must be a number")
        for value in ("zero", "0", "-25", "nan", "inf", "25fps", "30000/1001", "100000", "25;0", "None")
    ),
    (
        "a column nearly right",
        b"path,persn\nann/smile/0,ann\n",
        "has a column 'persn', which nothing reads; nearest: person",
    ),
    ("a column in the singular", b"path,num_frame\nann/smile/0,3\n", "nearest: num_frames"),
    ("a line break in a name", b'path,person\nann/smile/0,"a\nb"\n', "person has a line break"),
    ("a folder without images", b"path\nann\n", "ann holds no images"),
    (
        "mistakes in several rows",
        _row("ann/smile/0,a,b,x,25\nann/smile/0,a,b,3,y\n/z,a,b,3,25"),
        "index.csv, line 4: path is relative to",
    ),
]


def _case(name: str, table: bytes, message: str) -> Case:
    def index(folder: Path) -> None:
        for number in range(3):
            write_image(folder / f"ann/smile/0/{number}.png", np.full((8, 8, 3), number, np.uint8))
        (folder / "index.csv").write_bytes(table)
        ClipFolder(str(folder)).index()

    return Case("index.csv", name, index, message)


def _instead(name: str, make: Callable[[Path], object], message: str) -> Case:
    def index(folder: Path) -> None:
        make(folder / "index.csv")
        ClipFolder(str(folder)).index()

    return Case("index.csv", name, index, message)


CLIP_TABLES = [
    *(_case(*entry) for entry in _TABLES),
    _instead("a folder of that name", Path.mkdir, "index.csv is no file"),
    _instead("a pipe of that name", os.mkfifo, "index.csv is no file"),
    _instead(
        "a link to nothing", lambda path: path.symlink_to(path.with_name("no")), "is a link to a file that is not"
    ),
]
