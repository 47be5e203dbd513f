"""The inputs of an inferencer: configs without training, frames at the model's size, and names of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log

from i2vkit.apis.driving import driving_files
from i2vkit.apis.motion_sources import DrivingVideo, MotionSource
from i2vkit.apis.pictures import Picture
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import GivenFrames
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.transforms import CenterCrop, Resize
from i2vkit.errors import ConfigError
from i2vkit.media import SOUND_SUFFIXES
from i2vkit.registry import MODELS, arguments_of, find_part
from i2vkit.utils.distinct_names import distinct_names
from i2vkit.values import check_output_file, check_output_folder

# Arguments of a model that only training reads, with values that leave them out. Discriminators and losses may use
# networks whose weights are not on a machine that only animates.
_TRAINING: dict[str, Any] = {
    "discriminators": {},
    "phases": {},
    "pretrained": None,
    "frozen": (),
    "decoded_frames": None,
}


def inference_config(cfg: Config) -> dict[str, Any]:
    """Return the ``model`` of a config without discriminators, losses and pre-trained parts.

    A model without a generator is left as it is, so that the message about it can name it.
    """
    model = dict(cfg.model)
    if "generator" not in model:
        return model
    takes = arguments_of(find_part(MODELS, model["type"])) or ()
    return model | {name: value for name, value in _TRAINING.items() if name in takes}


class FramePreparer:
    """A preparer of frames for a model. It cuts their centre square out and resizes it, as the model's data sets do.

    Args:
        size: Side of the model's videos in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size, self._crop, self._resize = size, CenterCrop(), Resize(size)
        self._logged: set[str] = set()

    def __call__(self, frame: np.ndarray, what: str) -> np.ndarray:
        """Return a frame uint8 (size, size, 3), and log the first time that this changes something.

        Args:
            frame: uint8 (H, W, 3).
            what: Name of the frame in the log.
        """
        height, width = frame.shape[:2]
        size, side = self.size, min(height, width)
        if (height, width) != (size, size) and what not in self._logged:
            self._logged.add(what)
            cut = "" if height == width else f"only its centre square of {side} pixels is used"
            scaled = "" if side == size else f"resized to {size}x{size}"
            print_log(f"the {what} is {width}x{height}: {', '.join(filter(None, (cut, scaled)))}", "current")
        # The data sets' own transforms, so that a picture comes to the model as it did in training.
        record = ClipRecord(what, GivenFrames([frame]), "", None, 1)  # transforms name it in messages
        sample = {"clips": {what: SampledClip(record, frames=frame[None])}}
        return self._resize(self._crop(sample))["clips"][what].frames[0]


def animated_names(
    images: Sequence[Picture], out: str | Path | None, driving: MotionSource
) -> Sequence[Path] | Sequence[None]:
    """Return a file below the folder ``out`` for each of several images. No two images share one.

    Args:
        images: The images.
        out: The folder, or None for no files.
        driving: The source of motion.

    >>> from i2vkit.apis.motion_sources import SampledMotion
    >>> [path.as_posix() for path in animated_names(["a/x.png", "b/x.png"], "out", SampledMotion())]
    ['out/x.mp4', 'out/x_2.mp4']

    Raises:
        ConfigError: There are no images, ``out`` is a file, or the driving video can be read only once.
    """
    if not images:
        raise ConfigError("there is no image to animate in an empty list")
    if isinstance(driving, DrivingVideo) and hasattr(driving.driving, "__next__") and len(images) > 1:
        raise ConfigError("a driving video that is an iterator can be read once: give a list of frames, or a file")
    if out is None:
        return [None] * len(images)
    if Path(out).suffix:
        raise ConfigError(f"several images are written to a folder, a file each: {out} is a name of a file")
    stems = [
        Path(image).stem if isinstance(image, str | Path) else f"image_{number}"
        for number, image in enumerate(images, 1)
    ]
    return [Path(out) / f"{name}.mp4" for name in distinct_names(stems)]


def check_output(out: str | Path | None, image: Any, driving: MotionSource, sound: bool) -> None:
    """Check the file of an animation before any work.

    Args:
        out: The file, or None.
        image: The image, or the images.
        driving: The source of motion.
        sound: True if it gets the sound of the driving video.

    Raises:
        ConfigError: It is one of the inputs, it holds no sound, or nothing can be written there.
    """
    if out is None:
        return
    several = isinstance(image, list | tuple)
    out = check_output_folder(out) if several else check_output_file(out)
    images = image if several else [image]
    inputs = [Path(one).expanduser() for one in images if isinstance(one, str | Path)]
    inputs += driving_files(getattr(driving, "driving", None))
    if out.resolve() in [path.resolve() for path in inputs]:
        raise ConfigError(f"{out} is an input, and would be overwritten: choose another file to write (--out)")
    if sound and not several and out.suffix.lower() not in SOUND_SUFFIXES:
        raise ConfigError(f"audio (--audio) goes into {', '.join(SOUND_SUFFIXES)}, not into {out.name}")
