"""Phases: what is updated when, by which losses. One function runs them for every model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES, build_part, closest_names
from i2vkit.utils.named import named_entries


@dataclass(frozen=True)
class Phase:
    """A part of a training step.

    ``updates`` names the modules whose parameters change, by path ("generator", "discriminators.frame"); all others are
    frozen while the phase runs. It runs every ``every``-th iteration from ``begin`` on and before ``end``, ``repeat``
    times. Modules named in ``eval_modules`` are in eval mode while it runs (batch norm statistics stay).
    """

    name: str
    updates: tuple[str, ...]
    losses: tuple[Loss, ...]
    every: int = 1
    repeat: int = 1
    begin: int = 0
    end: int | None = None
    eval_modules: tuple[str, ...] = ()

    def runs_at(self, iteration: int) -> bool:
        """Whether the phase takes part in an iteration, with one of its losses at least."""
        turn = self.begin <= iteration < (self.end or iteration + 1) and (iteration - self.begin) % self.every == 0
        return turn and bool(self.losses_at(iteration))

    def losses_at(self, iteration: int) -> list[Loss]:
        """The losses that are computed at an iteration, in the config's order."""
        return [loss for loss in self.losses if loss.runs_at(iteration)]


# What a config gives of a phase; its name is its key.
PHASE_KEYS = tuple(key for key in Phase.__dataclass_fields__ if key != "name")


def build_phases(configs: Mapping[str, Mapping | None]) -> tuple[Phase, ...]:
    """Build the phases of a model config, in the order of their names there.

    Args:
        configs: Phases by name, each with ``updates``, ``losses``, themselves by name, and further fields of ``Phase``.
            The name of a loss is its name in the log. A phase or loss that is None is left out.

    Raises:
        ConfigError: Phases or losses are a list; a key is unknown or missing; two losses have one name.
    """
    phases = tuple(_build_phase(name, config) for name, config in named_entries(configs, "phases").items())
    names = [loss.name for phase in phases for loss in phase.losses]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"two losses are called '{doubled[0]}', in two phases: give each its own name in the log")
    return phases


def _build_phase(name: str, config: Mapping) -> Phase:
    if unknown := sorted(set(config) - set(PHASE_KEYS)):
        raise ConfigError(
            f"phase '{name}' has an unknown key '{unknown[0]}'; nearest: {closest_names(unknown[0], PHASE_KEYS)}"
        )
    if missing := [key for key in ("updates", "losses") if key not in config]:
        raise ConfigError(f"phase '{name}' lacks '{missing[0]}'")
    lists = {key: tuple(config[key]) for key in ("updates", "eval_modules") if key in config}
    losses = named_entries(config["losses"], "losses", f"phases.{name}.losses")
    built = tuple(_build_loss(key, loss, f"phases.{name}.losses.{key}") for key, loss in losses.items())
    return Phase(**{**config, **lists, "name": name, "losses": built})


def _build_loss(name: str, config: Mapping, path: str) -> Loss:
    if isinstance(config, Mapping) and "name" in config:
        raise ConfigError(f"{path} has a key 'name': leave it out, a loss is called what its key says, '{name}'")
    loss = build_part(LOSSES, config)
    loss.name = name
    return loss


def current_iteration() -> int:
    """The runner's iteration, the one clock of every schedule; 0 outside a runner."""
    hub = MessageHub.get_current_instance()
    return int(hub.runtime_info.get("iter", 0))


@contextmanager
def requiring_gradients(
    parameters: Sequence[nn.Parameter], requested: Callable[[nn.Parameter], bool]
) -> Iterator[None]:
    """Inside, those of ``parameters`` that are ``requested`` ask for gradients and the others do not."""
    before = [parameter.requires_grad for parameter in parameters]
    for parameter in parameters:
        parameter.requires_grad_(requested(parameter))
    try:
        yield
    finally:
        for parameter, value in zip(parameters, before, strict=True):
            parameter.requires_grad_(value)


@contextmanager
def eval_mode(modules: Sequence[nn.Module]) -> Iterator[None]:
    """The modules that are in training mode are in eval mode inside."""
    training = [m for module in modules for m in module.modules() if m.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def run_phase(phase: Phase, context, model, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
    """Run one phase on one batch; returns each loss by its own name, unweighted, and the phase's weighted sum.

    The values are numbers on the CPU: one copy brings all of them to the host, and for nothing else does a phase wait
    for a GPU.

    Raises:
        TrainingError: if a loss is not finite, or a value that it refuses, before anything is updated by it.
    """
    log: dict[str, Tensor] = {}
    losses = phase.losses_at(context.iteration)
    updated = {id(p) for module in model.phase_modules(phase.name) for p in module.parameters()}
    evaluated = eval_mode([model.get_part(path) for path in phase.eval_modules])
    with requiring_gradients(model.trainable_parameters(), lambda parameter: id(parameter) in updated), evaluated:
        for _ in range(phase.repeat):
            with context.autocast():
                values = {loss.name: loss(context) for loss in losses}
                total = sum(loss.weight_at(context.iteration) * values[loss.name] for loss in losses)
            log = _finite_on_host(values | {f"{phase.name}_total": total}, phase, context.iteration)
            optim_wrapper.update_params(total)
            context.after_update(phase.updates)
    return log


def _finite_on_host(losses: dict[str, Tensor], phase: Phase, iteration: int) -> dict[str, Tensor]:
    """``losses`` on the CPU, without their graph; raises ``TrainingError`` where one is not finite."""
    numbers = torch.stack([loss.detach() for loss in losses.values()]).cpu()
    for name, number in zip(losses, numbers, strict=True):
        if not torch.isfinite(number):
            raise TrainingError(
                f"loss '{name}' of phase '{phase.name}' is {number.item()} at iteration {iteration}: lower the "
                f"learning rate or the loss's weight, or look at the samples of the last iterations"
            )
    log = dict(zip(losses, numbers.unbind(), strict=True))
    for loss in phase.losses_at(iteration):
        loss.check_value(log[loss.name].item(), iteration)
    return log


def run_phases(context, model, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
    """All phases of ``model`` that run at the context's iteration, in the config's order."""
    log: dict[str, Tensor] = {}
    for phase in model.phases:
        if phase.runs_at(context.iteration):
            log |= run_phase(phase, context, model, optim_wrapper[phase.name])
    return log
