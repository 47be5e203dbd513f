"""The generators that are measured: built with random weights and clips, and run as they are or plainly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

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
from i2vkit.models.training.passes import Pass
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

REFERENCE, FAST = "reference", "fast"
CLIPS, FRAMES = 4, 8  # of a batch: of clips, and of single frames


def build(cfg: Config, batch: int, device: str, frames: int | None = None) -> tuple[nn.Module, VideoBatch]:
    """The generator of a config with its initial weights, and random clips as it trains on, without moving parts.

    Raises:
        ConfigError: a config without a generator, or a GPU that is not there.
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
        raise ConfigError(f"{config_name(cfg)} makes clips of {generator.lengths} frames, not of {length}: --frames")
    return generator.to(device), random_clip(generator, batch, length).to(device)


def step_length(cfg: Config) -> int:
    """Frames of the clips of a training step: what RandomJump jumps to, or what the pipelines say, or 16."""
    steps = pipeline_steps(cfg.get("train_dataloader") or {})
    jumps = [transform["frames"] for transform in steps if isinstance(transform, dict) and "frames" in transform]
    return jumps[0] if jumps else trained_length(cfg) or 16


def random_clip(generator: nn.Module, batch: int, length: int) -> VideoBatch:
    """Random clips with what a generator reads; the first frame is the image."""
    driving = torch.rand(batch, 3, length, generator.image_size, generator.image_size) * 2 - 1
    label = torch.arange(batch) % generator.num_labels if generator.num_labels else None
    clip = VideoBatch(driving, driving[:, :, 0], label=label)
    if generator.map_channels:
        maps = torch.rand(batch, generator.map_channels, *driving.shape[2:]) * 2 - 1
        clip = replace(clip, driving_maps=maps, image_maps=maps[:, :, 0])
    return clip


def precisions_of(device: str, asked: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the precisions to measure in, fp32 first, since it is what the others are compared with.

    Args:
        device: "cpu" or "cuda".
        asked: Of ``PRECISIONS``; by default all that differ on the device.

    Raises:
        ConfigError: For another name.

    >>> precisions_of("cpu"), precisions_of("cuda"), precisions_of("cuda", ["bf16"])
    (('fp32', 'bf16'), ('fp32', 'tf32', 'bf16'), ('fp32', 'bf16'))
    """
    asked = PRECISIONS if asked is None else [check_precision(name) for name in asked]
    differ = [name for name in PRECISIONS if name in asked and name != "fp32"]
    return ("fp32", *(name for name in differ if device.startswith("cuda") or name != "tf32"))


def named(form: str, precision: str, *more: str) -> str:
    """Return what a candidate is called; the precision is left out where it is fp32.

    >>> named("fast", "fp32"), named("fast", "tf32", "folded")
    ('fast', 'fast, tf32, folded')
    """
    return ", ".join([form, *([] if precision == "fp32" else [precision]), *more])


@contextmanager
def cudnn_as_configured(cfg: Config) -> Iterator[None]:
    """Inside, cuDNN tries its algorithms or not, as a training with ``cfg`` would have it."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = bool((cfg.get("env_cfg") or {}).get("cudnn_benchmark", False))
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def run(generator: nn.Module, clip: VideoBatch, reference: bool = False, precision: str = "fp32") -> Tensor:
    """The videos (B, 3, T, H, W) of a batch; the noise is the same at every call."""
    batch, frames = len(clip), reference and generator.reads_maps and generator.refiner is None
    clip = _one_frame_a_clip(clip) if frames else clip
    state = GenerationState(list(range(len(clip))))
    half = torch.autocast(clip.driving.device.type, torch.bfloat16, enabled=precision == "bf16")
    with using_reference_forms(generator, reference), computing_in(precision), half:
        entry = Pass(content="driving" if clip.image is None else "image")
        video = generator(clip, {"benchmark": entry}, state)["benchmark"].video
    return rearrange(video, "(b t) c 1 h w -> b c t h w", b=batch) if frames else video


def _one_frame_a_clip(clip: VideoBatch) -> VideoBatch:
    length = clip.driving.shape[2]
    videos = {
        name: rearrange(getattr(clip, name), "b c t h w -> (b t) c 1 h w") for name in ("driving", "driving_maps")
    }
    still = {name: getattr(clip, name).repeat_interleave(length, dim=0) for name in ("image", "image_maps")}
    label = None if clip.label is None else clip.label.repeat_interleave(length)
    return VideoBatch(**videos, **still, label=label)


def layers_with_two_forms(module: nn.Module) -> list[nn.Module]:
    """The layers that know a reference form of their mathematics."""
    return [layer for layer in module.modules() if hasattr(layer, "reference")]


@contextmanager
def using_reference_forms(module: nn.Module, reference: bool = True):
    """Inside, the layers of ``module`` compute in their reference form, or in their fast one, whatever the device."""
    before = [(layer, layer.reference) for layer in layers_with_two_forms(module)]
    for layer, _ in before:
        layer.reference = reference
    try:
        yield
    finally:
        for layer, value in before:
            layer.reference = value


@torch.no_grad()
def calibrate_batch_norm(generator: nn.Module, clip: VideoBatch) -> None:
    """Make the running statistics of all batch norms those of this batch, as training would have done."""
    norms = [m for m in generator.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    run(generator.train(), clip)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def count(module: nn.Module) -> int:
    """Its parameters."""
    return sum(parameter.numel() for parameter in module.parameters())
