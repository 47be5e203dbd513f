"""One training step, as the stages take it: a model in some precision and form, its optimisers and a batch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from i2vkit.analysis.benchmark.step import build_optimizers
from i2vkit.analysis.verification.shared_randomness import SharedRandomness, in_double
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.engine.precision import check_precision
from i2vkit.models.layers.forms import choose_form
from i2vkit.models.layers.memory_format import to_channels_last_

# One step of plain gradient descent: Adam's first step is little more than the sign of the gradient, which turns the
# smallest difference of a small gradient into a large one.
_DESCENT = dict(type="SGD", lr=1e-4)


def descent_settings(optim_wrapper: dict) -> dict[str, Any]:
    """Return the settings of a config's optimisers with plain gradient descent in the place of every optimiser."""
    kept = {key: value for key, value in optim_wrapper.items() if key in ("type", "constructor")}
    return kept | {"optimizer": dict(_DESCENT)}


class StepRunner:
    """A copy of a model that takes training steps.

    Args:
        model: is copied, and the copy moved.
        optim_wrapper: of the config.
        data: a batch as the data loader hands it over.
        device: where to train.
        precision: "fp32", "tf32" or "bf16".
        form: "reference" or "fast" form of the layers; by default what the toolkit takes on that device.
        compiled: compile what ``compile_parts`` compiles.
        channels_last: lay the weights of convolutions out with the channels last.
    """

    def __init__(
        self,
        model: nn.Module,
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
        """Train one step; every loss by name."""
        return self.model.train_step(self.data, self.optimizers)


def descend(
    model: nn.Module, optim_wrapper: dict, data: dict[str, Any], device: torch.device, precision: str, seed: int = 0
) -> dict[str, Any]:
    """SampledClip one step of gradient descent with shared draws.

    Args:
        precision: as for ``StepRunner``, or "fp64" for the reference.

    Returns:
        ``losses`` by name, and ``updates``: for each phase the change of its parameters as one float64 vector on the
        CPU.
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


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """The parameters that each phase updates, as one float64 vector on the CPU."""
    result = {}
    for phase in model.phases:
        parameters = [p for module in model.phase_modules(phase.name) for p in module.parameters() if p.requires_grad]
        result[phase.name] = torch.cat([p.detach().double().flatten().cpu() for p in parameters])
    return result
