"""A training step for the stages: a model in some precision and form, with its optimisers and a batch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor

from i2vkit.analysis.benchmark.step import build_optimizers
from i2vkit.analysis.verification.shared_randomness import SharedRandomness, in_double
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.engine.precision import check_precision
from i2vkit.models.layers.forms import choose_form
from i2vkit.models.layers.memory_format import to_channels_last_
from i2vkit.models.training.phased_model import PhasedModel

# Steps are compared with plain gradient descent. Adam's first step is almost the sign of the gradient, which makes a
# large difference of the smallest one if a gradient is near zero.
_DESCENT = dict(type="SGD", lr=1e-4)


def descent_settings(optim_wrapper: dict) -> dict[str, Any]:
    """Return the settings of a config's optimisers, with every optimiser replaced by plain gradient descent."""
    kept = {key: value for key, value in optim_wrapper.items() if key in ("type", "constructor")}
    return kept | {"optimizer": dict(_DESCENT)}


class StepRunner:
    """A copy of a model that takes training steps.

    Args:
        model: The model, which is copied. The copy is moved to the device.
        optim_wrapper: The config's ``optim_wrapper``.
        data: A batch in the form of the data loader's.
        device: The device to train on.
        precision: "fp32", "tf32" or "bf16". By default "fp32".
        form: "reference" or "fast" form of the layers. By default the toolkit's choice for this device.
        compiled: Compile the parts that ``compile_parts`` compiles.
        channels_last: Store the weights of convolutions in channels-last memory format.
    """

    def __init__(
        self,
        model: PhasedModel,
        optim_wrapper: dict,
        data: dict[str, Any],
        device: torch.device,
        precision: str = "fp32",
        form: str | None = None,
        compiled: bool = False,
        channels_last: bool = False,
    ) -> None:
        self.model = deepcopy(model).to(device).train()
        self.model.precision = check_precision(precision)
        self.data = data
        choose_form(self.model, form)
        if channels_last:
            to_channels_last_(self.model)
        if compiled:
            compile_parts(self.model, compile_options(True))
        self.optimizers: OptimWrapperDict = build_optimizers(self.model, optim_wrapper)

    def step(self) -> dict[str, Tensor]:
        """Take one training step and return every loss by name."""
        return self.model.train_step(self.data, self.optimizers)


def descend(
    model: PhasedModel, optim_wrapper: dict, data: dict[str, Any], device: torch.device, precision: str, seed: int = 0
) -> dict[str, Any]:
    """Take one step of gradient descent with shared random numbers.

    Args:
        model: As for ``StepRunner``.
        optim_wrapper: As for ``StepRunner``, but every optimiser is replaced.
        data: As for ``StepRunner``.
        device: As for ``StepRunner``.
        precision: As for ``StepRunner``, or "fp64" for the reference.
        seed: The seed of the random numbers. By default 0.

    Returns:
        ``losses`` by name, and ``updates``: the change of each phase's parameters as one float64 vector on the CPU.
    """
    double = precision == "fp64"
    runner = StepRunner(model, descent_settings(optim_wrapper), data, device, "fp32" if double else precision)
    if double:
        runner.model.double()
    before = _weights(runner.model)
    with SharedRandomness(seed):
        if double:
            with in_double():
                losses = runner.step()
        else:
            losses = runner.step()
    after = _weights(runner.model)
    return {
        "losses": {name: float(value) for name, value in losses.items()},
        "updates": {name: after[name] - before[name] for name in after},
    }


def _weights(model: PhasedModel) -> dict[str, Tensor]:
    """Return the parameters that each phase updates, as one float64 vector on the CPU."""
    result = {}
    for phase in model.phases:
        parameters = [p for module in model.phase_modules(phase.name) for p in module.parameters() if p.requires_grad]
        result[phase.name] = torch.cat([p.detach().double().flatten().cpu() for p in parameters])
    return result
