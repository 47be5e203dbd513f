"""Phases: which modules are updated when, and by which losses. One function runs them for every model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.losses.base import Loss, sum_terms
from i2vkit.registry import LOSSES, build_part, closest_names
from i2vkit.utils.named import named_entries

if TYPE_CHECKING:  # the models import their phases
    from i2vkit.models.training.phased_model import PhasedModel


class TrainingContext(Protocol):
    """The part of a context that ``run_phase`` itself reads; ``GanContext`` and ``SupervisedContext`` have it."""

    iteration: int

    def autocast(self) -> AbstractContextManager:
        """Return a context in which forward passes run in the model's precision."""

    def after_update(self, parts: Sequence[str]) -> None:
        """Note that these parts have been updated."""


@dataclass(frozen=True)
class Phase:
    """A part of a training step that updates some modules and freezes all others.

    Args:
        name: The name, its key in a config.
        updates: Paths of the modules whose parameters change, for instance "generator" or "discriminators.frame".
        losses: The losses whose weighted sum it minimises.
        every: The phase runs at every ``every``-th iteration from ``begin`` on.
        repeat: Number of updates at such an iteration.
        begin: The first iteration of the phase.
        end: The iteration before which the phase ends; None runs it to the end of the training.
        eval_modules: Paths of the modules that are in eval mode while the phase runs, so that their batch norm
            statistics stay.

    Examples:
        >>> phase = Phase("generator", updates=("generator",), losses=(Loss(),), every=2, begin=10)
        >>> [iteration for iteration in range(15) if phase.runs_at(iteration)]
        [10, 12, 14]
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
        """Return true if the phase runs at an iteration, with at least one of its losses."""
        within = self.begin <= iteration < (self.end or iteration + 1)
        its_turn = within and (iteration - self.begin) % self.every == 0
        return its_turn and bool(self.losses_at(iteration))  # a phase without losses has nothing to minimise

    def losses_at(self, iteration: int) -> list[Loss]:
        """Return the losses that are computed at an iteration, in the config's order."""
        return [loss for loss in self.losses if loss.runs_at(iteration)]


# The keys of a phase in a config; its name is the key under which it is found.
PHASE_KEYS = tuple(key for key in Phase.__dataclass_fields__ if key != "name")


def build_phases(configs: Mapping[str, Mapping | None]) -> tuple[Phase, ...]:
    """Build the phases of a model config, in the order of their names there.

    Args:
        configs: Phases by name, each with ``updates``, ``losses`` (by name too) and further fields of ``Phase``. The
            name of a loss is its name in the log. A phase or loss that is None is left out.

    Raises:
        ConfigError: If phases or losses are a list, a key is unknown or missing, or two losses have one name.

    Examples:
        >>> l1 = dict(type="FrameL1Loss", weight=10.0)
        >>> [phase] = build_phases(dict(generator=dict(updates=["generator"], losses=dict(frame_l1=l1))))
        >>> phase.name, phase.losses[0].name, phase.losses[0].weight_at(0)
        ('generator', 'frame_l1', 10.0)
    """
    phases = tuple(_build_phase(name, config) for name, config in named_entries(configs, "phases").items())
    names = [loss.name for phase in phases for loss in phase.losses]  # the log has one namespace for all phases
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
    # A config has lists, a frozen dataclass holds tuples.
    lists = {key: tuple(config[key]) for key in ("updates", "eval_modules") if key in config}
    losses = named_entries(config["losses"], "losses", f"phases.{name}.losses")
    built = tuple(_build_loss(key, loss, f"phases.{name}.losses.{key}") for key, loss in losses.items())
    return Phase(**{**config, **lists, "name": name, "losses": built})


def _build_loss(name: str, config: dict, path: str) -> Loss:
    if isinstance(config, Mapping) and "name" in config:
        raise ConfigError(f"{path} has a key 'name': leave it out, the key of a loss is its name, '{name}'")
    loss: Loss = build_part(LOSSES, config)
    loss.name = name
    return loss


def current_iteration() -> int:
    """Return the runner's iteration, the one clock of every schedule; 0 outside a runner."""
    hub = MessageHub.get_current_instance()  # mmengine's own store of the state of a run
    return int(hub.runtime_info.get("iter", 0))


@contextmanager
def requiring_gradients(
    parameters: Sequence[nn.Parameter], requested: Callable[[nn.Parameter], bool]
) -> Iterator[None]:
    """Let those of ``parameters`` that are ``requested`` require gradients inside, and no others.

    Args:
        parameters: They have their former setting again afterwards.
        requested: Returns true of a parameter that requires gradients.
    """
    before = [parameter.requires_grad for parameter in parameters]  # restored afterwards, also after an error
    for parameter in parameters:
        parameter.requires_grad_(requested(parameter))
    try:
        yield
    finally:
        for parameter, value in zip(parameters, before, strict=True):
            parameter.requires_grad_(value)


@contextmanager
def eval_mode(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Put those of the modules that are in training mode into eval mode inside."""
    # Only those that train, so that frozen modules stay in eval mode afterwards.
    training = [m for module in modules for m in module.modules() if m.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def run_phase(
    phase: Phase, context: TrainingContext, model: "PhasedModel", optim_wrapper: OptimWrapper
) -> dict[str, Tensor]:
    """Run one phase on one batch.

    A phase waits for a GPU once for each update: one copy brings all values to the host.

    Args:
        phase: The phase.
        context: The batch; its losses are called with it.
        model: The model that the phase updates.
        optim_wrapper: The optimiser of the phase.

    Returns:
        Each loss by its own name, without its weight, and the weighted sum as "<phase>_total": numbers on the CPU.

    Raises:
        TrainingError: If a loss is not finite, or refuses its value, before anything is updated by it.
    """
    log: dict[str, Tensor] = {}
    losses = phase.losses_at(context.iteration)
    # By identity, as comparing two parameters compares their values.
    updated = {id(p) for module in model.phase_modules(phase.name) for p in module.parameters()}
    evaluated = eval_mode([model.get_part(path) for path in phase.eval_modules])
    with requiring_gradients(model.trainable_parameters(), lambda parameter: id(parameter) in updated), evaluated:
        for _ in range(phase.repeat):
            with context.autocast():  # forward passes and losses; the backward pass runs outside of it
                values = {loss.name: loss(context) for loss in losses}
                total = sum_terms(loss.weight_at(context.iteration) * values[loss.name] for loss in losses)
            # Before the update, so that a loss that is not finite never reaches the weights.
            log = _finite_on_host(values | {f"{phase.name}_total": total}, phase, context.iteration)
            optim_wrapper.update_params(total)  # backward pass, step and zero_grad
            context.after_update(phase.updates)  # the videos of these parts are old now
    return log


def _finite_on_host(losses: dict[str, Tensor], phase: Phase, iteration: int) -> dict[str, Tensor]:
    """Return ``losses`` on the CPU, without their graph; raise ``TrainingError`` where one is not finite."""
    # Scalars -> (L,): the one copy to the host.
    numbers = torch.stack([loss.detach() for loss in losses.values()]).cpu()
    for name, number in zip(losses, numbers, strict=True):
        if not torch.isfinite(number):
            raise TrainingError(
                f"loss '{name}' of phase '{phase.name}' is {number.item()} at iteration {iteration}: lower the "
                f"learning rate or the loss's weight, or look at the samples of the last iterations"
            )
    log = dict(zip(losses, numbers.unbind(), strict=True))  # (L,) -> scalars by name
    for loss in phase.losses_at(iteration):
        loss.check_value(log[loss.name].item(), iteration)  # on the CPU: no wait for a GPU
    return log


def run_phases(context: TrainingContext, model: "PhasedModel", optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
    """Run all phases of ``model`` that run at the context's iteration, in the config's order; return their losses."""
    log: dict[str, Tensor] = {}
    for phase in model.phases:
        if phase.runs_at(context.iteration):
            # Each phase has an optimiser of its own, under its name.
            log |= run_phase(phase, context, model, optim_wrapper[phase.name])
    return log
