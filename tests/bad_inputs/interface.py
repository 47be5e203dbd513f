"""Arguments of the inferencer, of readers and writers of media, and of scores, that are of another kind than theirs."""

import io
import math
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bad_inputs.case import Case
from i2vkit.apis import I2VInferencer
from i2vkit.evaluation.frechet import frechet_distance_of
from i2vkit.evaluation.metrics import psnr, ssim
from i2vkit.media import read_image, read_video, write_image, write_video
from i2vkit.zoo.pretrained import find_pretrained

_IMAGE = np.zeros((64, 64, 3), np.uint8)
_VIDEO = torch.zeros(1, 3, 2, 16, 16, dtype=torch.uint8)
_PATH, _FRAME, _NUMBER = "the path of a file is a text or a Path", "a frame is", "a number above 0"


@cache
def _model() -> I2VInferencer:
    return I2VInferencer.from_pretrained("imaginator-faces")


@cache
def _driven() -> I2VInferencer:
    return I2VInferencer.from_pretrained("dtgan-faces")


# The argument of a call, values that it must refuse, and the message.
_CALL: list[tuple[str, tuple[Any, ...], str]] = [
    ("fps", ("x", [25], True, math.nan, "25"), "fps (--fps) is a number of frames a second"),
    ("side_by_side", ("yes", None), "side_by_side is"),
    ("show_maps", ("x",), "show_maps is"),
    ("keep_frames", ("x",), "keep_frames is"),
    ("audio", ("x", 1), "audio is"),
    ("all_labels", ("x",), "all_labels is"),
    ("out", (3, True, b"o.mp4", ["o.mp4"]), "but takes a text or a path or None"),
    ("out", ("a\0b.mp4", " "), "is no path of an output"),
    ("out", ("x" * 300 + ".mp4",), "File name too long"),
    ("out", ("/proc/o.mp4",), "cannot be written"),
    ("samples", (None, "x", 0, True, 2.5), "samples"),
    ("chunk", (0, "x", None), "chunk"),
]
_IMAGES: list[tuple[str, Any, str]] = [
    ("None", None, "not a NoneType"),
    ("a dict", {}, "not a dict"),
    ("a tensor without values", torch.zeros(3, 8, 8, device="meta"), "a dense tensor with values"),
    ("a sparse tensor", torch.zeros(8, 8).to_sparse(), "a dense tensor with values"),
    ("complex numbers", np.zeros((8, 8, 3), complex), "complex128"),
    ("two channels", np.zeros((8, 8, 2), np.uint8), "(8, 8, 2)"),
    ("no pixels", np.zeros((0, 0, 3), np.uint8), "(0, 0, 3)"),
    ("NaN", torch.full((3, 8, 8), math.nan), "between nan and nan"),
    ("an empty text", "", _PATH),
    ("a zero byte", "a\0b.png", _PATH),
    ("an empty list", [], "empty list"),
]
_DRIVING: list[tuple[str, Callable[[Path], Any], str]] = [
    ("one image", lambda folder: _IMAGE, "is one image"),
    ("one image, channels first", lambda folder: torch.zeros(3, 8, 8), "is one image"),
    ("frames of two sizes", lambda folder: [_IMAGE, _IMAGE[:32]], "frame 1 of the driving video is 64x32"),
    ("no frames", lambda folder: np.zeros((0, 8, 8, 3), np.uint8), "has no frames"),
    ("a number", lambda folder: 3, "not a int"),
    ("a closed file", lambda folder: _closed(folder / "a.mp4"), "cannot be read"),
    ("a file of text", lambda folder: io.StringIO("a"), "open for text"),
    ("a pipe", lambda folder: _pipe(folder / "a.mp4"), "is a pipe or a device"),
]
_CALLS: list[tuple[str, Callable[[Path], object], str]] = [
    ("checkpoint=None", lambda folder: I2VInferencer("dtgan_oulu", None), "checkpoint is None, but takes"),
    ("checkpoint=3", lambda folder: I2VInferencer("dtgan_oulu", 3), "checkpoint is 3, but takes"),
    ("checkpoint=''", lambda folder: I2VInferencer("dtgan_oulu", ""), "checkpoint is empty"),
    ("from_pretrained(None)", lambda folder: I2VInferencer.from_pretrained(None), "name_or_path is None"),
    ("compile='x'", lambda folder: I2VInferencer("dtgan_oulu", "a.pth", compile="x"), "compile is 'x'"),
    (
        "options that nothing reads",
        lambda folder: I2VInferencer.from_pretrained("dtgan-faces", options={"model.image_size": 32}),
        "options change a config that is given by name",
    ),
    ("save_pretrained('')", lambda folder: _driven().save_pretrained(""), "folder is empty"),
    ("save_pretrained(3)", lambda folder: _driven().save_pretrained(3), "folder is 3"),
    ("find_pretrained of a typo", lambda folder: find_pretrained("dtgan-face"), "dtgan-faces"),
    *(
        (f"read_image({path!r})", lambda folder, path=path: read_image(path), _PATH)
        for path in (None, 3, "", "a\0b.png", b"a.png")
    ),
    *((f"read_video({path!r})", lambda folder, path=path: read_video(path), _PATH) for path in (None, 3, " ")),
    ("read_image of a pipe", lambda folder: read_image(_pipe(folder / "a.png")), "is a pipe or a device"),
    ("read_video of a pipe", lambda folder: read_video(_pipe(folder / "a.mp4")), "is a pipe or a device"),
    ("read_image of a device", lambda folder: read_image("/dev/zero"), "is a pipe or a device"),
    ("read_image of a folder", lambda folder: read_image(folder), "is a folder"),
    *(
        (f"write_video of {name}", lambda folder, frames=frames: write_video(folder / "a.mp4", frames), message)
        for name, frames, message in [
            ("floats", [np.zeros((8, 8, 3))], "got float64 (8, 8, 3)"),
            ("texts", ["a"], "not str"),
            ("tensors", [torch.zeros(8, 8, 3)], "not Tensor"),
            ("grey frames", [np.zeros((8, 8), np.uint8)], "got uint8 (8, 8)"),
            ("frames without pixels", [np.zeros((0, 8, 3), np.uint8)], "got uint8 (0, 8, 3)"),
            ("None", None, "the frames of a video are a list"),
            ("a number", 3, "the frames of a video are a list"),
        ]
    ),
    *(
        (f"write_image of {name}", lambda folder, image=image: write_image(folder / "a.png", image), "an image is")
        for name, image in [("floats", np.zeros((8, 8, 3))), ("None", None), ("a list", [[0]]), ("a text", "x")]
    ),
    ("write_image to None", lambda folder: write_image(None, _IMAGE), _PATH),
]
for _score in (ssim, psnr):
    _CALLS += [
        (f"{_score.__name__} of {name}", lambda folder, score=_score, given=given: score(*given), message)
        for name, given, message in [
            ("two shapes", (_VIDEO, _VIDEO[..., :8]), "of one shape"),
            ("lists", ([1], [2]), "got list and list"),
            ("arrays", (_VIDEO.numpy(), _VIDEO.numpy()), "torch.from_numpy converts arrays"),
            ("nothing", (_VIDEO[:0], _VIDEO[:0]), "of one shape"),
            ("a range of 0", (_VIDEO, _VIDEO, 0), _NUMBER),
            ("a range of text", (_VIDEO, _VIDEO, "x"), _NUMBER),
        ]
    ]
_CALLS += [
    ("frechet_distance_of texts", lambda folder: frechet_distance_of(["a"], ["b"]), "expected numbers"),
    ("frechet_distance_of one vector", lambda folder: frechet_distance_of([[1.0]], [[1.0], [2.0]]), "two or more"),
]


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _closed(path: Path) -> Any:
    with path.open("wb") as file:
        return file


def _animate(image: Any = _IMAGE, **given: Any) -> None:
    _model()(image, **{"label": 0, **given})


INTERFACE = [
    *(
        Case("inferencer", f"{name}={value!r}"[:60], lambda folder, n=name, v=value: _animate(**{n: v}), message)
        for name, values, message in _CALL
        for value in values
    ),
    *(Case("image", name, lambda folder, v=value: _animate(v), message) for name, value, message in _IMAGES),
    *(
        Case("driving", name, lambda folder, m=make: _driven()(_IMAGE, m(folder)), text)
        for name, make, text in _DRIVING
    ),
    *(Case("call", *call) for call in _CALLS),
]
