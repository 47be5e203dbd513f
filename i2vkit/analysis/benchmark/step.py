"""How fast a training step is beside the same step done plainly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapperDict
from torch import nn

from i2vkit.analysis.benchmark.generators import (
    CLIPS,
    FAST,
    FRAMES,
    REFERENCE,
    count,
    cudnn_as_configured,
    named,
    precisions_of,
    step_length,
    using_reference_forms,
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
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.errors import ConfigError
from i2vkit.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS, build_part
from i2vkit.structures import VideoSample

CHECKED = 2  # steps
# How far losses may lie from those of the reference step in fp32 with TF32 off, relative or absolute.
TOLERANCES = {"fp32": 0.01, "tf32": 0.05, "bf16": 0.1}


def benchmark_step(
    cfg: Config,
    seconds: float = 20.0,
    batch: int | None = None,
    precisions: Sequence[str] = ("fp32",),
    device: str = "cpu",
    compiled: bool = False,
) -> dict[str, Any]:
    """A whole training step, through the config's phases and optimisers, beside the same done plainly, by turns.

    "reference" computes layers and discriminators that have one in their reference form, where inputs of a
    discriminator share nothing, takes Adam's unfused steps and leaves all discriminators asking for gradients while the
    generator trains (which are thrown away), in fp32 with TF32 off; everything else is the same code. Before that the
    losses of the first steps are checked to agree.

    Args:
        cfg: of ``load_config``; the data are random.
        seconds: how long to measure, where five rounds do not take longer than 15 seconds.
        batch: clips; by default 4, or 8 where they are single frames.
        precisions: to measure in beside fp32, "tf32" (of GPUs only) and "bf16".
        device: "cpu" or "cuda".
        compiled: measure the step with compiled parts too, in the last of the precisions.

    Returns:
        ``step``: the fields of ``timing.speed_report``, ``precision`` of each candidate, and ``losses`` of the checked
        steps; numbers of parameters; and where it was measured.

    Raises:
        ConfigError: there is nothing to train, no such device, or the losses do not agree.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("there is no GPU here: measure with --device cpu")
    if not cfg.get("optim_wrapper"):
        raise ConfigError(f"{config_name(cfg)} has no optim_wrapper: nothing trains")
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(device).train()
    length = step_length(cfg)
    batch = batch or (FRAMES if length == 1 else CLIPS)
    data = random_batch(model, length, batch)
    if device.startswith("cuda"):
        data["inputs"] = {name: values.pin_memory() for name, values in data["inputs"].items()}
    trainers = {REFERENCE: Trainer(deepcopy(model), reference_optimizers(cfg.optim_wrapper), data, reference=True)}
    for precision in precisions_of(device, precisions):
        trainers[named(FAST, precision)] = Trainer(deepcopy(model), cfg.optim_wrapper, data, precision)
    if compiled:
        name = named(FAST, precision, "compiled")
        trainers[name] = Trainer(deepcopy(model), cfg.optim_wrapper, data, precision, compiled=True)
    where = torch.device(device)
    with cudnn_as_configured(cfg):
        losses = {name: trainer.losses(CHECKED) for name, trainer in trainers.items()}
        used = {name: trainer.model.precision for name, trainer in trainers.items()}
        check_losses(losses, used)
        works = {name: synchronized(trainer.step, where) for name, trainer in trainers.items()}
        turns = time_interleaved(works, seconds, warm=True, most=max(seconds, LONG))
    return {
        "benchmark": "step",
        "config": config_name(cfg),
        "batch_size": batch,
        "frames": data["inputs"]["driving"].shape[2],
        "device": device,
        "parameters": {part: count(module) for part, module in model.named_children() if count(module)},
        "step": speed_report(turns, REFERENCE, list(trainers)) | {"precision": used, "losses": losses},
        **environment_info(),
    }


class Trainer:
    """A model with its optimisers and one batch."""

    def __init__(
        self,
        model: nn.Module,
        optim_wrapper: dict,
        data: dict[str, Any],
        precision: str = "fp32",
        reference: bool = False,
        compiled: bool = False,
    ) -> None:
        self.model, self.data, self.reference = model, data, reference
        self.model.precision = precision
        if reference:
            # No phase freezes anything: whatever lies on the way to a loss asks for gradients.
            self.model.trainable_parameters = lambda part=None: []
        self.optimizers = build_optimizers(model, optim_wrapper)
        if compiled:
            compile_parts(model, compile_options(True))

    def step(self) -> dict[str, float]:
        """One step; every loss by name."""
        with using_reference_forms(self.model, self.reference):
            log = self.model.train_step(self.data, self.optimizers)
        if self.reference:
            self.model.zero_grad()  # what the generator's phase left in the discriminators
        return {name: float(value) for name, value in log.items()}

    def losses(self, steps: int) -> list[dict[str, float]]:
        """Of the first steps, with the same noise whoever takes them."""
        taken = []
        for number in range(steps):
            with _seeded(number, next(self.model.parameters()).device):
                taken.append(self.step())
        return taken


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    # Of this GPU alone: a benchmark of the CPU is not to begin with one, nor to warn where there are several.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def build_optimizers(model: nn.Module, optim_wrapper: dict) -> OptimWrapperDict:
    """What a training would build."""
    settings = deepcopy(dict(optim_wrapper))
    constructor = settings.pop("constructor", "PhaseOptimWrapperConstructor")
    return build_part(OPTIM_WRAPPER_CONSTRUCTORS, dict(type=constructor, optim_wrapper_cfg=settings))(model)


def reference_optimizers(optim_wrapper: dict) -> dict[str, Any]:
    """The same with optimisers that are neither fused nor worked through in groups."""
    settings = deepcopy(dict(optim_wrapper))
    settings["optimizer"] = {**settings["optimizer"], "fused": False, "foreach": False}
    return settings


def random_batch(model: nn.Module, length: int, batch: int) -> dict[str, Any]:
    """Random clips as a training's loader hands them over, with what the passes of ``model`` read.

    One tensor a field, and no lengths, as no clip was padded.
    """
    size = model.image_size
    generator = torch.Generator().manual_seed(0)

    def clips() -> torch.Tensor:
        return torch.randint(256, (batch, 3, length, size, size), dtype=torch.uint8, generator=generator)

    inputs = {"driving": clips(), "label": torch.arange(batch) % max(1, len(model.labels))}
    if maps := getattr(model, "map_channels", 0):
        inputs["driving_maps"] = clips()[:, :1].repeat(1, maps, 1, 1, 1)
        inputs["image_maps"] = inputs["driving_maps"][:, :, 0].contiguous()
    network = getattr(model, "network", None)  # of a supervised model
    if hasattr(network, "frame_state"):
        inputs["states"] = (torch.arange(length) * network.frame_state.out_features // length).repeat(batch, 1)
    if hasattr(network, "num_joints"):
        shape = (length, network.num_joints, 2)
        inputs["joints"] = (torch.rand(shape, generator=generator) * (size - 1)).repeat(batch, 1, 1, 1)
    if landmarks := getattr(network, "num_landmarks", 0):
        inputs["landmarks"] = torch.rand(batch, length, landmarks, 2, generator=generator) * (size - 1)
    if any(
        entry.content == "image" or entry.target == "image_video" for entry in getattr(model, "passes", {}).values()
    ):
        inputs["image_video"] = clips()
        inputs["image"] = inputs["image_video"][:, :, 0].contiguous()
    return dict(inputs=inputs, data_samples=[VideoSample() for _ in range(batch)])


def check_losses(losses: dict[str, list[dict[str, float]]], precisions: dict[str, str]) -> None:
    """Raise ``ConfigError`` where a loss is not what the reference step has: other work is no measure.

    >>> check_losses({"reference": [{"l1": 1.0}], "fast": [{"l1": 1.001}]}, {"reference": "fp32", "fast": "fp32"})
    """
    for name, steps in losses.items():
        tolerance = TOLERANCES[precisions[name]]
        for number, (found, expected) in enumerate(zip(steps, losses[REFERENCE], strict=True), start=1):
            for loss, value in expected.items():
                if not abs(found[loss] - value) <= tolerance * max(1.0, abs(value)):
                    raise ConfigError(
                        f"{name!r} does not train as {REFERENCE!r} does: loss {loss!r} of step {number} is "
                        f"{found[loss]:.6g}, not {value:.6g}"
                    )


def format_step(result: dict[str, Any]) -> str:
    """The numbers to read."""
    lines = [f"{result['config']}: a step of {result['batch_size']} clips of {result['frames']} frames"]
    lines += [f"{part}: {number:,} parameters" for part, number in result["parameters"].items()]
    where = f"{result['threads']} threads, {result['cores']} cores, {result['processor']}"
    return "\n".join([*lines, *table(result["step"]), where])
