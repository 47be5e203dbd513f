"""The usual pipeline of a clip data set, made from a few arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from i2vkit.datasets.transforms import PackClip, ReadFrames, ReadMaps, ReadPoints, Resize
from i2vkit.errors import ConfigError
from i2vkit.utils.named import named_entries

# The arguments of a data set from which the usual pipeline is made.
SHORT_FORM = ("window", "points", "crop", "size", "augmentation", "maps", "extra_steps")


def usual_pipeline(
    window: Any = None,
    size: int | tuple[int, int] | None = None,
    augmentation: Mapping[str, Any] | None = None,
    crop: Any = None,
    points: Sequence[str] | None = None,
    maps: int | Mapping[str, Any] | None = None,
    extra_steps: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the steps that most data sets need, by name, in the order of work.

    They are ``window``, ``read``, ``points``, ``crop``, ``resize``, the augmentations, ``maps``, the extra steps and
    ``pack``. A step without its argument is left out.

    Args:
        window: Chooses the frames: ``dict(type=RandomWindow, length=16, stride=2)`` to train, ``dict(type=FirstFrames,
            ...)`` to test.
        size: Side of the frames in pixels, or (height, width). By default they keep their size.
        augmentation: Transforms by name after resizing, ``dict(flip=dict(type=RandomFlip))``.
        crop: A transform before resizing, ``dict(type=CenterCrop)``.
        points: Landmarks, joints or boxes that each clip must have. An empty list reads those that exist.
        maps: Number of condition maps a frame, or the arguments of ``ReadMaps``: ``dict(channels=1,
            condition_generator=dict(type=Silhouettes))``. By default none are read.
        extra_steps: Further transforms by name, before packing.

    Raises:
        ConfigError: There is no window, or two steps have one name.

    Examples:
        >>> list(usual_pipeline(window=dict(type="FirstFrames", length=16), size=64))
        ['window', 'read', 'resize', 'pack']
    """
    if window is None:
        raise ConfigError(
            "the data set needs a window, which chooses the frames of a clip: window=dict(type=RandomWindow, "
            "length=16), or a pipeline=dict(...) of all steps"
        )
    steps: dict[str, Any] = {"window": window, "read": dict(type=ReadFrames)}
    if points is not None:
        steps["points"] = dict(type=ReadPoints, required=list(points)) if points else dict(type=ReadPoints)
    if crop is not None:
        steps["crop"] = crop
    if size is not None:
        steps["resize"] = dict(type=Resize, size=size)
    for name, step in named_entries(augmentation, "augmentation").items():
        _add(steps, name, step)
    if maps:
        steps["maps"] = {"type": ReadMaps, **(dict(channels=maps) if isinstance(maps, int) else maps)}
    for name, step in named_entries(extra_steps, "extra_steps").items():
        _add(steps, name, step)
    _add(steps, "pack", dict(type=PackClip))
    return steps


def _add(steps: dict[str, Any], name: str, step: Any) -> None:
    if name in steps:
        raise ConfigError(f"two steps of the pipeline are called {name!r}; give the one of yours another name")
    steps[name] = step


def steps_of(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the steps of the pipeline that the config of a data set describes, by name.

    Raises:
        ConfigError: The pipeline is written out and there are arguments of the usual one too, or neither is there, or
            one of them is a list in place of a part.
    """
    short = {name: dataset[name] for name in SHORT_FORM if dataset.get(name) is not None}
    written_out = dataset.get("pipeline") is not None
    if short and written_out:
        raise ConfigError(
            f"the data set writes out its pipeline, beside which {', '.join(short)} would not be read: leave pipeline"
            " out and change these (dataset.window.length=8), or leave these out"
        )
    steps = named_entries(dataset["pipeline"], "pipeline") if written_out else usual_pipeline(**short)
    for name, step in steps.items():
        if isinstance(step, list | tuple):
            raise ConfigError(f"{name} is {step!r}, but takes a part, written dict(type=..., ...)")
    return steps
