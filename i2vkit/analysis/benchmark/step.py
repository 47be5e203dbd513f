"""Benchmark of a training step against the same step in reference form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapperDict

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
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS, build_part
from i2vkit.structures import VideoSample

CHECKED = 2  # steps whose losses are compared
# Allowed difference of losses from those of the reference step in fp32 with TF32 off, relative or absolute.
TOLERANCES = {"fp32": 0.01, "tf32": 0.05, "bf16": 0.1}


def benchmark_step(
    cfg: Config,
    seconds: float = 20.0,
    batch: int | None = None,
    precisions: Sequence[str] = ("fp32",),
    device: str = "cpu",
    compiled: bool = False,
) -> dict[str, Any]:
    """Time a whole training step, with the config's phases and optimisers, in turn with its reference form.

    The step "reference" computes in fp32 with TF32 off. It uses the reference form of all layers and discriminators
    that have one, so the inputs of a discriminator share no features. Adam is not fused. All discriminators compute
    gradients while the generator trains, and these are thrown away. Everything else is the same code. Before measuring,
    the losses of the first steps are checked to agree.

    Args:
        cfg: A config from ``load_config``. The data are random.
        seconds: The duration of the measurement, if five rounds do not take longer than 15 seconds. By default 20.
        batch: Clips in a batch. By default 4, or 8 if training takes single frames.
        precisions: "tf32" (GPUs only) and "bf16", to measure beside fp32. By default none.
        device: "cpu" or "cuda".
        compiled: Also measure the step with compiled parts, in the last of the precisions.

    Returns:
        ``step`` with the fields of ``timing.speed_report``, the ``precision`` of each candidate and the ``losses`` of
        the checked steps, and besides it the numbers of parameters and the environment.

    Raises:
        ConfigError: Nothing trains, the device is not there, or the losses do not agree.
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
    """A model with its optimisers and one batch, ready to take training steps."""

    def __init__(
        self,
        model: PhasedModel,
        optim_wrapper: dict,
        data: dict[str, Any],
        precision: str = "fp32",
        reference: bool = False,
        compiled: bool = False,
    ) -> None:
        self.model, self.data, self.reference = model, data, reference
        self.model.precision = precision
        if reference:
            # No phase freezes anything, so all parameters on the way to a loss get gradients.
            self.model.trainable_parameters = lambda part=None: []  # type: ignore[method-assign]  # of this model only
        self.optimizers = build_optimizers(model, optim_wrapper)
        if compiled:
            compile_parts(model, compile_options(True))

    def step(self) -> dict[str, float]:
        """Take one step and return every loss by name."""
        with using_reference_forms(self.model, self.reference):
            log = self.model.train_step(self.data, self.optimizers)
        if self.reference:
            self.model.zero_grad()  # drop the gradients that the generator's phase left in the discriminators
        return {name: float(value) for name, value in log.items()}

    def losses(self, steps: int) -> list[dict[str, float]]:
        """Take ``steps`` steps and return their losses. All trainers use the same noise."""
        taken = []
        for number in range(steps):
            with _seeded(number, next(self.model.parameters()).device):
                taken.append(self.step())
        return taken


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    # Fork the state of this GPU only. A CPU benchmark must not start CUDA, and several GPUs must not cause a warning.
    """Use ``seed`` inside the context and restore the random state afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def build_optimizers(model: PhasedModel, optim_wrapper: dict) -> OptimWrapperDict:
    """Build the optimisers that a training with ``optim_wrapper`` would use."""
    settings = deepcopy(dict(optim_wrapper))
    constructor = settings.pop("constructor", "PhaseOptimWrapperConstructor")
    return build_part(OPTIM_WRAPPER_CONSTRUCTORS, dict(type=constructor, optim_wrapper_cfg=settings))(model)


def reference_optimizers(optim_wrapper: dict) -> dict[str, Any]:
    """Return ``optim_wrapper`` with optimisers that are neither fused nor vectorised over parameters."""
    settings = deepcopy(dict(optim_wrapper))
    settings["optimizer"] = {**settings["optimizer"], "fused": False, "foreach": False}
    return settings


def random_batch(model: PhasedModel, length: int, batch: int) -> dict[str, Any]:
    """Return random clips in the form of a training loader's batch, with everything that the passes of ``model`` read.

    Each field is one tensor. There are no lengths, since no clip was padded.
    """
    size = model.image_size
    generator = torch.Generator().manual_seed(0)

    def clips() -> torch.Tensor:
        return torch.randint(256, (batch, 3, length, size, size), dtype=torch.uint8, generator=generator)

    inputs = {"driving": clips(), "label": torch.arange(batch) % max(1, len(model.labels))}
    if maps := getattr(model, "map_channels", 0):
        inputs["driving_maps"] = clips()[:, :1].repeat(1, maps, 1, 1, 1)  # (B, M, T, H, W)
        inputs["image_maps"] = inputs["driving_maps"][:, :, 0].contiguous()
    network: Any = getattr(model, "network", None)  # of a supervised model
    if hasattr(network, "frame_state"):
        inputs["states"] = (torch.arange(length) * network.frame_state.out_features // length).repeat(batch, 1)
    if hasattr(network, "num_joints"):
        shape = (length, network.num_joints, 2)
        inputs["joints"] = (torch.rand(shape, generator=generator) * (size - 1)).repeat(batch, 1, 1, 1)  # (B, T, J, 2)
    gan = getattr(model, "generator", None)
    if landmarks := getattr(network, "num_landmarks", 0) or (gan.landmarks_read if gan is not None else 0):
        inputs["landmarks"] = torch.rand(batch, length, landmarks, 2, generator=generator) * (size - 1)
        inputs["image_landmarks"] = inputs["landmarks"][:, 0].contiguous()
    if any(
        entry.content == "image" or entry.target == "image_video" for entry in getattr(model, "passes", {}).values()
    ):
        inputs["image_video"] = clips()
        inputs["image"] = inputs["image_video"][:, :, 0].contiguous()
    return dict(inputs=inputs, data_samples=[VideoSample() for _ in range(batch)])


def check_losses(losses: dict[str, list[dict[str, float]]], precisions: dict[str, str]) -> None:
    """Raise ``ConfigError`` if a loss differs from the reference step's, so that the two do not do the same work.

    >>> check_losses({"reference": [{"l1": 1.0}], "fast": [{"l1": 1.001}]}, {"reference": "fp32", "fast": "fp32"})
    """
    for name, steps in losses.items():
        tolerance = TOLERANCES[precisions[name]]
        for number, (found, expected) in enumerate(zip(steps, losses[REFERENCE], strict=True), start=1):
            for loss, value in expected.items():
                if not abs(found[loss] - value) <= tolerance * max(1.0, abs(value)):
                    raise ConfigError(
                        f"{name!r} trains differently from {REFERENCE!r}: loss {loss!r} of step {number} is "
                        f"{found[loss]:.6g}, not {value:.6g}"
                    )


def format_step(result: dict[str, Any]) -> str:
    """Return the result as text."""
    lines = [f"{result['config']}: a step of {result['batch_size']} clips of {result['frames']} frames"]
    lines += [f"{part}: {number:,} parameters" for part, number in result["parameters"].items()]
    where = f"{result['threads']} threads, {result['cores']} cores, {result['processor']}"
    return "\n".join([*lines, *table(result["step"]), where])
