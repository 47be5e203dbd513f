"""Profiles of the model of a config."""

from __future__ import annotations

from mmengine.config import Config

from i2vkit.analysis.benchmark.step import step_length
from i2vkit.analysis.profile.dry_run import META
from i2vkit.analysis.profile.forward import lengths_of, profile_model
from i2vkit.analysis.profile.profile_report import ModelProfile
from i2vkit.analysis.profile.training import CLIPS, dry_training, profile_training
from i2vkit.errors import ConfigError
from i2vkit.registry import MODELS
from i2vkit.values import refuse_beyond_memory, refuse_values


def profile_config(cfg: Config, name: str, frames: int | None = None, training: bool = False) -> ModelProfile:
    """Profile the model of ``cfg`` with initial weights on the CPU.

    Args:
        cfg: A config from ``load_config``.
        name: The name of the config in the profile.
        frames: The length of the video and of the training clips. By default the video has 16 frames, or the next
            number that the model can make, and the clips have the config's length.
        training: Also profile a training step.

    Raises:
        ConfigError: The model cannot make videos of this length, or there is nothing to train.
    """
    if training:
        _check_trains(cfg, name)
    refuse_values(frames=(frames, int | None))
    side = cfg.model.get("image_size") or 1
    refuse_beyond_memory(
        f"a video of {frames or 16} frames of {side}x{side}", (frames or 16) * side * side * 24, "Lower --frames"
    )  # a video that is read and one that is made, 3 channels of 4 bytes each
    model = MODELS.build(cfg.model)
    length = lengths_of(model).at_least(16) if frames is None else frames
    profile = dict(config=name, frames=length, image_size=model.image_size, parts=profile_model(model, length))
    if training:
        length = step_length(cfg) if frames is None else frames
        profile |= dict(training=profile_training(model, cfg.optim_wrapper, length), training_frames=length)
        profile |= dict(clips=CLIPS)
    return ModelProfile(**profile)


def profile_dry_run(cfg: Config, name: str, frames: int | None = None, clips: int | None = None) -> ModelProfile:
    """Profile a training step of the model of ``cfg`` without computing it: multiply-adds, operations, memory.

    The model is built on the meta device, so a step of any size takes seconds. Layers take the form that they have on a
    GPU.

    Args:
        cfg: A config from ``load_config``.
        name: The name of the config in the profile.
        frames: The length of the clips. By default the config's.
        clips: The number of clips in a step. By default the config's batch size.

    Raises:
        ConfigError: There is nothing to train.
    """
    _check_trains(cfg, name)
    refuse_values(frames=(frames, int | None), clips=(clips, int | None))
    with META:
        model = MODELS.build(cfg.model)
    length = step_length(cfg) if frames is None else frames
    clips = cfg.train_dataloader.batch_size if clips is None else clips
    rows, iteration = dry_training(model, cfg.optim_wrapper, length, clips)
    return ModelProfile(name, 0, model.image_size, [], rows, length, clips, iteration)


def _check_trains(cfg: Config, name: str) -> None:
    """Raise ``ConfigError`` if the config trains nothing."""
    if not cfg.get("optim_wrapper"):
        raise ConfigError(f"{name} has no optim_wrapper: nothing trains, so leave --training out")
