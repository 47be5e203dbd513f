"""Arguments of functions and classes that make no sense."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bad_inputs.case import Case
from i2vkit.apis.train import train
from i2vkit.config.loading import load_config
from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomCrop, RandomFlip, RandomWindow, Resize
from i2vkit.evaluation.protocols import Forecast, InitialFrames, Stochastic
from i2vkit.media import read_image, read_video, write_image, write_video
from i2vkit.models.decoders import FrameDecoder, UNetDecoder
from i2vkit.models.losses import FrameL1Loss, KlLoss
from i2vkit.registry import DECODERS, LOSSES, TRANSFORMS, build_part

_COUNT, _SIDE = "a whole number from 1", "a whole number from 1 to 16,384"
_FRAMES = [np.zeros((8, 8, 3), np.uint8)] * 2


def _train(options: dict[str, Any], **own: Any) -> None:
    train(load_config("dtgan_weizmann", options), **own)


# The class, its arguments, those that it must refuse, and the message.
_PARTS: list[tuple[Callable, dict[str, Any], str, tuple[Any, ...], str]] = [
    (Resize, {}, "size", (0, -1, "x", None, 10**6, [64]), _SIDE),
    (FirstFrames, {}, "length", (0, -1, 2.5, "x", None), _COUNT),
    (RandomWindow, {"length": 4}, "stride", (0, -1, "x"), _COUNT),
    (RandomWindow, {"length": 4}, "latest", (-1, "x"), "a whole number from 0"),
    (RandomFlip, {}, "probability", (1.5, -0.5, math.nan, "x"), "a number from 0 to 1"),
    (RandomCrop, {}, "smallest", (0, 1.1, "x"), "a number above 0 and at most 1"),
    (ClipFolder, {}, "root", (3, None, ""), "root"),
    (ClipFolder, {"root": "x"}, "fps", (0, -25, math.nan, "x"), "a number above 0"),
    (ClipFolder, {"root": "x"}, "labels", ("smile", 3), "a list of texts"),
    (ClipDataset, {"reader": {"type": "ClipFolder", "root": "x"}}, "min_frames", (0, -1, "x"), _COUNT),
    (Stochastic, {}, "num_samples", (0, -1, "x", 2.5), _COUNT),
    (Stochastic, {}, "seed", (-1, "x", 2**40), "a whole number from 0"),
    (InitialFrames, {}, "number", (0, -1, "x"), _COUNT),
    (Forecast, {}, "length", (0, -1, "x"), _COUNT),
    (FrameL1Loss, {}, "weight", (-1, math.inf, math.nan, "x", None, True), "a number from 0 on"),
    (KlLoss, {}, "free_nats", (-1, "x", math.nan), "a number from 0 on"),
]
_BUILT: list[tuple[Any, dict[str, Any], str, tuple[Any, ...], str]] = [
    (DECODERS, {"type": UNetDecoder}, "widths", ([], -8, "x", [0]), "widths"),
    (DECODERS, {"type": UNetDecoder}, "dropout", (2, -1, math.nan, "x"), "a number from 0 to 1"),
    (DECODERS, {"type": FrameDecoder}, "widths", ([8, 0], 8), "widths"),
    (LOSSES, {"type": FrameL1Loss}, "weight", (-3, "x"), "a number from 0 on"),
    (TRANSFORMS, {"type": Resize}, "size", (0, "x"), _SIDE),
]
_CALLS: list[tuple[str, Callable[[Path], object], str]] = [
    ("a batch of 10^8 clips", lambda folder: _train({"train_dataloader.batch_size": 10**8}), "takes at least"),
    (
        "a batch of 10^7 clips to validate",
        lambda folder: _train({"val_dataloader.batch_size": 10**7}),
        "takes at least",
    ),
    (
        "clips of 10^6 frames",
        lambda folder: _train({"train_dataloader.dataset.window.length": 10**6}),
        "takes at least",
    ),
    ("training without an optimiser", lambda folder: _train({"optim_wrapper": None}), "it has no optim_wrapper"),
    ("training without data", lambda folder: _train({"train_dataloader": None}), "it has no train_dataloader"),
    ("training without a loop", lambda folder: _train({"train_cfg": None}), "it has no train_cfg"),
    ("training without a model", lambda folder: _train({"model": None}), "it has no model"),
    ("training with seed -1", lambda folder: _train({}, seed=-1), "seed is -1, but takes a whole number from 0"),
    ("training with seed x", lambda folder: _train({}, seed="x"), "seed is 'x', but takes a whole number from 0"),
    ("an image that is not there", lambda folder: read_image(folder / "a.png"), "there is no file"),
    ("a video that is not there", lambda folder: read_video(folder / "a.mp4"), "there is no file"),
    ("a folder without frames", lambda folder: read_video(folder), "holds no frames"),
    *(
        (
            f"a video at {fps} frames a second",
            lambda folder, fps=fps: write_video(folder / "a.mp4", _FRAMES, fps),
            "fps is",
        )
        for fps in (0, -1, math.nan, math.inf, "x", None)
    ),
    ("a video without frames", lambda folder: write_video(folder / "a.mp4", []), "a.mp4"),
    ("a video of unknown format", lambda folder: write_video(folder / "a.xyz", _FRAMES), "a video is written as"),
    ("an image of unknown format", lambda folder: write_image(folder / "a.xyz", _FRAMES[0]), "an image is written as"),
]


def _of_part(part: Callable, given: dict[str, Any], name: str, value: Any, message: str) -> Case:
    title = f"{part.__name__}({name}={value!r})"
    return Case("Python", title, lambda folder: part(**given, **{name: value}), message)


def _of_build(registry: Any, cfg: dict[str, Any], name: str, value: Any, message: str) -> Case:
    title = f"dict(type={cfg['type'].__name__}, {name}={value!r})"
    return Case("build_part", title, lambda folder: build_part(registry, {**cfg, name: value}), message)


PYTHON_API = [
    *(_of_part(part, given, name, value, text) for part, given, name, values, text in _PARTS for value in values),
    *(_of_build(part, cfg, name, value, text) for part, cfg, name, values, text in _BUILT for value in values),
    *(Case("Python", *call) for call in _CALLS),
]
