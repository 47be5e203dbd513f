"""Models that a verification checks, one for each kind of training step of the four papers."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from i2vkit.analysis.benchmark.generators import step_length
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names

# Arguments of parts that are numbers of channels or units.
_WIDTHS = frozenset(
    {
        "embedder_width",
        "features",
        "hidden",
        "max_width",
        "same_size_as",
        "squeezed",
        "temporal_widths",
        "width",
        "widths",
    }
)
_LEAST_WIDTH = 4
NARROWER = 16  # the factor by which a rehearsal divides all widths
REHEARSED = 16  # frames of a clip in a rehearsal, the fewest that every discriminator takes


@dataclass(frozen=True)
class Subject:
    """A config that is verified.

    Args:
        name: The name in the report.
        config: The name of the config.
        clips: The batch size of the comparison with float64 on the CPU, which takes minutes with the config's own.
        frames: The length of the clips in that comparison. By default that of the config's training.
    """

    name: str
    config: str
    clips: int = 2
    frames: int | None = None


SUBJECTS = (
    Subject("cnn_lstm", "cnn_lstm_oulu"),
    Subject("dtgan", "dtgan_oulu"),
    Subject("dual_mtgan", "dual_mtgan_uva_nemo"),
    Subject("imaginator", "imaginator_mug"),
    Subject("frgan_forecast", "frgan_forecast_mug"),
    Subject("frgan_refine", "frgan_refine_mug", clips=1, frames=16),
)


def find_subject(name: str) -> Subject:
    """Return the subject called ``name``.

    Raises:
        ConfigError: There is no such subject.
    """
    by_name = {subject.name: subject for subject in SUBJECTS}
    if name not in by_name:
        raise ConfigError(f"there is nothing called {name!r} to verify; nearest: {closest_names(name, by_name)}")
    return by_name[name]


def subject_config(subject: Subject, narrow: bool) -> Config:
    """Return the config of a subject without pre-trained parts. With ``narrow`` it has a sixteenth of the widths."""
    cfg = load_config(subject.config)
    if "pretrained" in cfg.model:
        cfg.model.pretrained = {}
    return narrowed(cfg, NARROWER) if narrow else cfg


def frames_of(cfg: Config, model: Any, narrow: bool, wanted: int | None = None) -> int:
    """Return the length of the clips of a step: ``wanted``, or that of the config's training, or less if ``narrow``."""
    frames = wanted or step_length(cfg)
    if not narrow:
        return frames
    lengths = getattr(getattr(model, "generator", None), "lengths", None)
    few = min(frames, REHEARSED)
    return few if lengths is None or few in lengths else lengths.at_least(few)


def narrowed(cfg: Config, factor: int) -> Config:
    """Return a copy of ``cfg`` in which the channels and units of all parts are divided by ``factor``, to at least
    four.
    """
    cfg = deepcopy(cfg)  # Config.copy is shallow
    cfg.model = _narrow(cfg.model, factor)
    return cfg


def _narrow(value: Any, factor: int, key: str | None = None) -> Any:
    """Return a part of a config with all numbers under ``_WIDTHS`` divided by ``factor``."""
    if isinstance(value, dict):
        return type(value)({name: _narrow(item, factor, name) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return type(value)(_narrow(item, factor, key) for item in value)
    # Booleans are integers in Python.
    if key in _WIDTHS and isinstance(value, int) and not isinstance(value, bool):
        return max(_LEAST_WIDTH, value // factor)
    return value
