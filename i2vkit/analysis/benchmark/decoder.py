"""Benchmark of a generator against its reference form, and of (1+2)D against 3D convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from i2vkit.analysis.benchmark.generators import (
    CLIPS,
    FAST,
    FRAMES,
    REFERENCE,
    build,
    calibrate_batch_norm,
    count,
    cudnn_as_configured,
    layers_with_two_forms,
    named,
    precisions_of,
    random_clip,
    run,
    step_length,
)
from i2vkit.analysis.benchmark.timing import (
    LONG,
    config_name,
    environment_info,
    speed_report,
    synchronized,
    table,
    time_interleaved,
)
from i2vkit.engine.compiling import compile_options
from i2vkit.engine.precision import precision as computing_in
from i2vkit.errors import ConfigError
from i2vkit.models.generator import Generator
from i2vkit.models.inference import for_inference_
from i2vkit.structures import VideoBatch

OTHER = "other decoder"
# Allowed differences of videos in [-1, 1]. FULL (an eighth of a grey level) holds for every pixel in fp32 with TF32
# off. ROUNDED holds for the mean over all pixels in the other precisions.
FULL, ROUNDED = 1e-3, {"tf32": 0.01, "bf16": 0.05}


def benchmark_decoder(
    cfg: Config,
    seconds: float = 10.0,
    batch: int | None = None,
    against: Config | None = None,
    device: str = "cpu",
    compiled: bool = False,
    frames: int | None = None,
    precisions: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Time a generator in turn with the reference form of its layers, with the same weights.

    If the generator reads condition maps and its frames do not depend on each other, the reference form takes every
    frame as a clip of its own. It then encodes the image, the maps of the image and the maps of the frame each time.

    ``inference`` is the forward pass without gradients in eval mode, in each precision, and also with folded batch
    norm. ``training`` is forward and backward in training mode, in each precision, on clips as long as those of a
    training step. The reference form in fp32 with TF32 off is the standard for all. Before measuring, the outputs are
    checked to agree, which also warms up. No round begins after 15 seconds, so slow comparisons have fewer rounds.

    Args:
        cfg: A config from ``load_config``. The data are random.
        seconds: The duration of each comparison. By default 10.
        batch: Clips in a batch. By default 4. If training takes single frames, 8 frames for training and 1 clip for
            inference.
        against: A config whose decoder has about as many parameters. It is compared too, as the reference of
            ``decoders``.
        device: "cpu" or "cuda".
        compiled: Also measure ``torch.compile`` of the fast decoder, in the last of the precisions.
        frames: Frames of a clip. By default as many as the config says.
        precisions: "tf32" (GPUs only) and "bf16", to measure beside fp32. By default all.

    Returns:
        For every comparison the fields of ``timing.speed_report``, the ``precision`` of each candidate and its largest
        ``difference`` from the reference output, and besides them the numbers of parameters and the environment.

    Raises:
        ConfigError: No layer of the generator has a reference form, or two outputs do not agree.
    """
    # A training step that takes single frames is measured with other shapes than inference.
    trained, precisions = step_length(cfg), precisions_of(device, precisions)
    generator, clip = build(cfg, batch or (1 if trained == 1 else CLIPS), device, frames)
    layers = layers_with_two_forms(generator)
    if not layers:
        raise ConfigError(f"{config_name(cfg)}: no layer of its generator has a reference form to be compared with")
    learnt = random_clip(generator, batch or FRAMES, 1).to(device) if trained == 1 else clip
    # Initial statistics would let values grow through the layers, and with them the differences.
    calibrate_batch_norm(generator, learnt)
    result: dict[str, Any] = {
        "benchmark": "decoder",
        "config": config_name(cfg),
        "batch_size": len(clip),
        "frames": clip.driving.shape[2],
        "device": device,
        "precisions": list(precisions),
        "parameters": {FAST: count(generator)},
    }
    with cudnn_as_configured(cfg):
        result["inference"] = _inference(generator, clip, seconds, precisions, compiled)
        result["training"] = _training(generator, learnt, seconds, precisions, compiled)
        result["trained_on"] = {"batch_size": len(learnt), "frames": learnt.driving.shape[2]}
        if against is not None:
            other, _ = build(against, len(clip), device)
            calibrate_batch_norm(other, clip)
            others = {FAST: generator, OTHER: other}
            result["against"] = config_name(against)
            result["parameters"] = {name: count(each) for name, each in others.items()}
            result["decoders"] = _decoders(others, clip, seconds, precisions)
    return result | environment_info()


def _inference(
    generator: Generator, clip: VideoBatch, seconds: float, precisions: Sequence[str], compiled: bool
) -> dict[str, Any]:
    """Compare forward passes without gradients in eval mode."""
    generator.eval()
    candidates: dict[str, Callable[[], Tensor]] = {}
    used: dict[str, str] = {}

    def add(name: str, model: Generator, precision: str, reference: bool = False) -> None:
        candidates[name], used[name] = partial(run, model, clip, reference, precision), precision

    def folded_copy(dtype: torch.dtype) -> Generator:
        copy = deepcopy(generator)
        for_inference_(copy, dtype)
        return copy

    full = folded_copy(torch.float32)
    for precision in precisions:
        folded = folded_copy(torch.bfloat16) if precision == "bf16" else full
        add(named(REFERENCE, precision), generator, precision, reference=True)
        add(named(FAST, precision), generator, precision)
        add(named(FAST, precision, "folded"), folded, precision)
    if compiled:
        faster = deepcopy(folded)
        faster.decoder.compile(**compile_options(True))
        add(named(FAST, precision, "folded", "compiled"), faster, precision)
    with torch.no_grad():
        return _measure(candidates, used, REFERENCE, seconds, clip.driving.device)


def _training(
    generator: Generator, clip: VideoBatch, seconds: float, precisions: Sequence[str], compiled: bool
) -> dict[str, Any]:
    """Compare forward and backward passes in training mode."""
    generator.train()
    # A random weighted sum as loss: its gradient is equally large in every frame.
    weight = torch.randn(clip.driving.shape, generator=torch.Generator().manual_seed(0)).to(clip.driving.device)

    def step(model: Generator, reference: bool, precision: str) -> Tensor:
        model.zero_grad()
        with computing_in(precision):
            video = run(model, clip, reference, precision)
            (video * weight).sum().backward()
        return video.detach()

    candidates: dict[str, Callable[[], Tensor]] = {}
    used: dict[str, str] = {}
    for precision in precisions:
        for form in (REFERENCE, FAST):
            name = named(form, precision)
            candidates[name], used[name] = partial(step, generator, form == REFERENCE, precision), precision
    if compiled:
        faster, name = deepcopy(generator), named(FAST, precision, "compiled")
        faster.decoder.compile(**compile_options(True))
        candidates[name], used[name] = partial(step, faster, False, precision), precision
    measured = _measure(candidates, used, REFERENCE, seconds, clip.driving.device)
    generator.zero_grad()
    return measured


def _decoders(
    generators: dict[str, Generator], clip: VideoBatch, seconds: float, precisions: Sequence[str]
) -> dict[str, Any]:
    """Time two decoders, forward in eval mode, and forward and backward in training mode.

    They are different networks, so their outputs are not compared.
    """
    measured = {}
    for precision in precisions:
        candidates: dict[str, Callable[[], None]] = {}
        for name, generator in generators.items():
            candidates[f"{name}, inference"] = partial(_no_grad, generator, clip, precision)
            candidates[f"{name}, training"] = partial(_both, generator, clip, precision)
        candidates = {name: synchronized(work, clip.driving.device) for name, work in candidates.items()}
        turns = time_interleaved(candidates, seconds)
        measured[precision] = {
            kind: speed_report(turns, f"{OTHER}, {kind}", [f"{name}, {kind}" for name in generators])
            for kind in ("inference", "training")
        }
    return measured


@torch.no_grad()
def _no_grad(generator: Generator, clip: VideoBatch, precision: str) -> None:
    """Run a generator forward in eval mode."""
    run(generator.eval(), clip, precision=precision)


def _both(generator: Generator, clip: VideoBatch, precision: str) -> None:
    """Run a generator forward and backward in training mode."""
    with computing_in(precision):
        run(generator.train(), clip, precision=precision).sum().backward()
    generator.zero_grad()


def _measure(
    candidates: dict[str, Callable[[], Tensor]],
    precisions: dict[str, str],
    reference: str,
    seconds: float,
    device: torch.device,
) -> dict[str, Any]:
    """Check that all outputs agree with the reference's, then time all candidates."""
    differences = check_agreement({name: work() for name, work in candidates.items()}, reference)
    works = {name: synchronized(work, device) for name, work in candidates.items()}
    turns = time_interleaved(works, seconds, warm=True, most=max(seconds, LONG))
    return speed_report(turns, reference, list(candidates)) | {"precision": precisions, "difference": differences}


def check_agreement(outputs: dict[str, Tensor], reference: str) -> dict[str, float]:
    """Return the largest difference of every output from the reference output.

    Outputs are videos in [-1, 1]. Those with "tf32" or "bf16" in their names may differ by ``ROUNDED`` on average, the
    others by ``FULL`` at any pixel.

    Raises:
        ConfigError: Two outputs differ by more, so their times cannot be compared.

    >>> check_agreement({"reference": torch.zeros(2), "fast": torch.tensor([0.0, 2**-12])}, "reference")
    {'reference': 0.0, 'fast': 0.000244140625}
    """
    largest = {}
    for name, output in outputs.items():
        difference = (output.float() - outputs[reference].float()).abs()
        largest[name] = float(difference.max())
        rounded = [allowed for precision, allowed in ROUNDED.items() if precision in name.split(", ")]
        allowed, found = (rounded[0], float(difference.mean())) if rounded else (FULL, largest[name])
        if not found <= allowed:  # NaN too
            raise ConfigError(f"the output of {name!r} differs from that of {reference!r} by {found:.3g}")
    return largest


def format_decoder(result: dict[str, Any]) -> str:
    """Return the result as text."""
    lines = [f"{result['config']}: {result['batch_size']} clips of {result['frames']} frames on {result['device']}"]
    lines += [f"{name}: {number:,} parameters" for name, number in result["parameters"].items()]
    trained = "training, {batch_size} clips of {frames} frames".format(**result["trained_on"])
    lines += ["inference:", *table(result["inference"]), f"{trained}:", *table(result["training"])]
    for precision, kinds in result.get("decoders", {}).items():
        lines += [f"decoders, {precision}:", *(line for measured in kinds.values() for line in table(measured))]
    return "\n".join([*lines, f"{result['threads']} threads, {result['cores']} cores, {result['processor']}"])
