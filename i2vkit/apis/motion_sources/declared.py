"""The condition maps that the data set of a config declares, and the words for the motion of a model's videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from torch import nn

from i2vkit.conditions import FaceMaps, JointHeatmaps, Silhouettes
from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.datasets.loaders import SPLITS, pipeline_steps
from i2vkit.errors import ConfigError
from i2vkit.registry import CONDITION_GENERATORS, build_part

_KEYS = ("condition_generator", "generator")
_WORDS: dict[type, str] = {FaceMaps: "face video", JointHeatmaps: "poses", Silhouettes: "silhouettes"}


def declared_generator(cfg: Config) -> ConditionGenerator | None:
    """Return the condition generator that the data set of a config declares, or None.

    The transforms that read or draw condition maps name it: ``ReadMaps(condition_generator=...)``,
    ``RetargetMaps(generator=...)``, ``RetargetLandmarks(generator=...)`` and ``RetargetJoints(generator=...)``.

    Raises:
        ConfigError: It draws another number of maps than the model reads.
    """
    found = next(_declarations(cfg), None)
    if found is None:
        return None
    size = cfg.model.image_size  # the model's, whatever size the data set declares
    own = dict(found) | ({"size": size} if "size" in found else {})
    generator = build_part(CONDITION_GENERATORS, own, size=size)
    channels = cfg.model.get("map_channels", 0)
    if channels and generator.channels != channels:
        raise ConfigError(
            f"the data declare {type(generator).__name__}, which draws {generator.channels} condition maps a frame, "
            f"and the model reads {channels}: set model.map_channels or the condition generator of the data"
        )
    return generator


def _declarations(cfg: Config) -> Iterator[dict]:
    for split in reversed(SPLITS):  # test before train
        for step in pipeline_steps(cfg.get(f"{split}_dataloader") or {}):
            for key in _KEYS:
                if isinstance(step, dict) and isinstance(step.get(key), dict):
                    yield step[key]


def motion_words(cfg: Config, model: nn.Module) -> list[str]:
    """Return the kinds of motion that a model takes, in words for tables.

    Args:
        cfg: The config.
        model: An ``ImageToVideoGan`` of that config.
    """
    generator: Any = model.generator
    if generator.reads_maps:
        condition = declared_generator(cfg)
        return [_WORDS.get(type(condition), "condition maps")]
    if generator.landmarks_read:
        return ["landmarks"]
    words = [] if generator.motion_encoder is None else ["driving video"]
    words += ["label"] if generator.reads_label else []
    return words + (["noise"] if generator.has_prior and generator.is_random("prior") else [])
