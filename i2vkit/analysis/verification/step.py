"""A training step for the stages: a model in some precision and form, with its optimisers and a batch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from mmengine.registry import OPTIMIZERS
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
_RATE = 1e-4


@OPTIMIZERS.register_module()
class RecordedDescent(torch.optim.SGD):
    """Gradient descent that records the sum of its steps in float64.

    A step of 1e-4 times a small gradient is of the size of the rounding of a weight in fp32, so the difference of the
    weights before and after a step does not tell the step.
    """

    def step(self, closure: Any = None) -> Any:
        """Record the step of each parameter under "change" in its state, and take it."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    change = -group["lr"] * parameter.grad.detach().double()
                    self.state[parameter]["change"] = self.state[parameter].get("change", 0) + change
        return super().step(closure)


def descent_settings(optim_wrapper: dict) -> dict[str, Any]:
    """Return the settings of a config's optimisers, with every optimiser replaced by plain gradient descent."""
    kept = {key: value for key, value in optim_wrapper.items() if key in ("type", "constructor")}
    return kept | {"optimizer": dict(type=RecordedDescent, lr=_RATE)}


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
    with SharedRandomness(seed):
        if double:
            with in_double():
                losses = runner.step()
        else:
            losses = runner.step()
    return {
        "losses": {name: float(value) for name, value in losses.items()},
        "updates": _updates(runner),
    }


def _updates(runner: StepRunner) -> dict[str, Tensor]:
    """Return what each phase added to its parameters, as one float64 vector on the CPU."""
    result = {}
    for phase in runner.model.phases:
        changes = runner.optimizers[phase.name].optimizer.state
        parameters = [
            p for module in runner.model.phase_modules(phase.name) for p in module.parameters() if p.requires_grad
        ]
        result[phase.name] = torch.cat(
            [
                changes[p]["change"].flatten().cpu() if "change" in changes[p] else torch.zeros(p.numel()).double()
                for p in parameters
            ]
        )
    return result
