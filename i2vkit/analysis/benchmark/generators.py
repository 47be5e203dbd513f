"""Generators for benchmarks, with random weights and clips, in their fast and in their reference form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from einops import rearrange
from mmengine.config import Config
from torch import Tensor, nn

from i2vkit.analysis.benchmark.timing import config_name
from i2vkit.datasets.loaders import pipeline_steps, trained_length
from i2vkit.engine.precision import PRECISIONS, check_precision
from i2vkit.engine.precision import precision as computing_in
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator import Generator
from i2vkit.models.training.passes import Pass
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

REFERENCE, FAST = "reference", "fast"
CLIPS, FRAMES = 4, 8  # batch sizes, if training takes clips, and if it takes single frames


def build(cfg: Config, batch: int, device: str, frames: int | None = None) -> tuple[Generator, VideoBatch]:
    """Build the generator of a config with its initial weights, and random clips such as it trains on.

    Raises:
        ConfigError: The config has no generator, cannot make ``frames`` frames, or asks for a GPU that is not there.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("there is no GPU here: measure with --device cpu")
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    if not hasattr(model, "generator"):
        raise ConfigError(f"{config_name(cfg)}: a {type(model).__name__} has no generator")
    generator = model.generator
    length = frames or trained_length(cfg) or generator.lengths.at_least(16)
    if length not in generator.lengths:
        raise ConfigError(
            f"{config_name(cfg)} makes clips of {generator.lengths} frames, not of {length}: choose --frames"
        )
    return generator.to(device), random_clip(generator, batch, length).to(device)


def step_length(cfg: Config) -> int:
    """Return the number of frames of the clips of a training step.

    It is the jump of ``RandomJump`` if the pipeline has one, else the length that the pipeline samples, else 16.
    """
    steps = pipeline_steps(cfg.get("train_dataloader") or {})
    jumps = [transform["frames"] for transform in steps if isinstance(transform, dict) and "frames" in transform]
    return jumps[0] if jumps else trained_length(cfg) or 16


def random_clip(generator: Generator, batch: int, length: int) -> VideoBatch:
    """Return random clips with everything that ``generator`` reads. The first frame is the image."""
    driving = torch.rand(batch, 3, length, generator.image_size, generator.image_size) * 2 - 1
    # All labels occur in turn.
    label = torch.arange(batch) % generator.num_labels if generator.num_labels else None
    clip = VideoBatch(driving, driving[:, :, 0], label=label)
    if generator.map_channels:
        maps = torch.rand(batch, generator.map_channels, *driving.shape[2:]) * 2 - 1
        clip = replace(clip, driving_maps=maps, image_maps=maps[:, :, 0])
    if generator.landmarks_read:
        points = torch.rand(batch, length, generator.landmarks_read, 2) * generator.image_size
        clip = replace(clip, landmarks=points, image_landmarks=points[:, 0])
    return clip


def precisions_of(device: str, asked: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the precisions to measure in. The first is fp32, with which the others are compared.

    Args:
        device: "cpu" or "cuda".
        asked: Names from ``PRECISIONS``. By default all that differ on the device.

    Raises:
        ConfigError: A name is unknown.

    >>> precisions_of("cpu"), precisions_of("cuda"), precisions_of("cuda", ["bf16"])
    (('fp32', 'bf16'), ('fp32', 'tf32', 'bf16'), ('fp32', 'bf16'))
    """
    asked = PRECISIONS if asked is None else [check_precision(name) for name in asked]
    differ = [name for name in PRECISIONS if name in asked and name != "fp32"]
    return ("fp32", *(name for name in differ if device.startswith("cuda") or name != "tf32"))


def named(form: str, precision: str, *more: str) -> str:
    """Return the name of a candidate. It leaves out the precision fp32.

    >>> named("fast", "fp32"), named("fast", "tf32", "folded")
    ('fast', 'fast, tf32, folded')
    """
    return ", ".join([form, *([] if precision == "fp32" else [precision]), *more])


@contextmanager
def cudnn_as_configured(cfg: Config) -> Iterator[None]:
    """Set cuDNN's search for fast algorithms inside the context as a training with ``cfg`` would."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = bool((cfg.get("env_cfg") or {}).get("cudnn_benchmark", False))
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def run(generator: Generator, clip: VideoBatch, reference: bool = False, precision: str = "fp32") -> Tensor:
    """Return the videos (B, 3, T, H, W) of a batch. Every call uses the same noise."""
    batch, frames = len(clip), reference and generator.reads_maps and generator.refiner is None
    clip = _one_frame_a_clip(clip) if frames else clip
    state = GenerationState(list(range(len(clip))))
    half = torch.autocast(clip.driving.device.type, torch.bfloat16, enabled=precision == "bf16")
    with using_reference_forms(generator, reference), computing_in(precision), half:
        entry = Pass(content="driving" if clip.image is None else "image")
        video = generator(clip, {"benchmark": entry}, state)["benchmark"].video
    return rearrange(video, "(b t) c 1 h w -> b c t h w", b=batch) if frames else video


def _one_frame_a_clip(clip: VideoBatch) -> VideoBatch:
    """Return the batch with every frame as a clip of its own, so B * T clips of one frame."""
    length = clip.driving.shape[2]
    videos = {
        name: rearrange(getattr(clip, name), "b c t h w -> (b t) c 1 h w") for name in ("driving", "driving_maps")
    }
    still = {name: getattr(clip, name).repeat_interleave(length, dim=0) for name in ("image", "image_maps")}
    label = None if clip.label is None else clip.label.repeat_interleave(length)
    return VideoBatch(**videos, **still, label=label)


def layers_with_two_forms(module: nn.Module) -> list[Any]:
    """Return the layers and discriminators in ``module`` that also have a reference form: those with ``reference``."""
    return [layer for layer in module.modules() if hasattr(layer, "reference")]


@contextmanager
def using_reference_forms(module: nn.Module, reference: bool = True) -> Iterator[None]:
    """Switch the layers of ``module`` to their reference form, or to their fast one, inside the context."""
    before = [(layer, layer.reference) for layer in layers_with_two_forms(module)]
    for layer, _ in before:
        layer.reference = reference
    try:
        yield
    finally:
        for layer, value in before:
            layer.reference = value


@torch.no_grad()
def calibrate_batch_norm(generator: Generator, clip: VideoBatch) -> None:
    """Set the running statistics of all batch norms to those of this batch, as a training would."""
    norms = [m for m in generator.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        # The running statistics forget their old value at once.
        norm.momentum = 1.0
    run(generator.train(), clip)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def count(module: nn.Module) -> int:
    """Return the number of parameters of ``module``."""
    return sum(parameter.numel() for parameter in module.parameters())
