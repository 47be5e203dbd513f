"""Optimisers: one for each phase of a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS
from torch import Tensor, nn
from torch.optim import Optimizer

from i2vkit.engine.averaging import GradientAverager
from i2vkit.engine.checkpoints import unwrapped
from i2vkit.errors import ConfigError
from i2vkit.registry import OPTIM_WRAPPER_CONSTRUCTORS, arguments_of, closest_names, find_part


@OPTIM_WRAPPERS.register_module()
class PhaseOptimWrapper(OptimWrapper):
    """An ``OptimWrapper`` that steps with the mean of all processes' gradients.

    ``update_params`` sends the gradients while its backward pass runs, if a step follows it. ``step`` waits for them
    and sends the rest, which is all if you call ``backward`` and ``step`` one by one. Like its base class,
    ``update_params`` clears the gradients of its own parameters after the step.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._averager: GradientAverager | None = None

    def update_params(self, loss: Tensor, step_kwargs: dict | None = None, zero_kwargs: dict | None = None) -> None:
        """Run the backward pass, and step if this call is the last of ``accumulative_counts``."""
        if get_world_size() == 1:
            super().update_params(loss, step_kwargs, zero_kwargs)
            return
        with self.averager.overlapping(self.should_sync()):
            super().update_params(loss, step_kwargs, zero_kwargs)

    def step(self, **kwargs: Any) -> None:
        """Average the gradients, clip them, and step."""
        if get_world_size() > 1:
            self.averager.finish()
        super().step(**kwargs)

    @property
    def averager(self) -> GradientAverager:
        """Return the averager of the gradients. It is made on first use, because one process needs none."""
        if self._averager is None:
            self._averager = GradientAverager(p for group in self.optimizer.param_groups for p in group["params"])
        return self._averager


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PhaseOptimWrapperConstructor:
    """A constructor of an ``OptimWrapperDict`` with one wrapper for each phase of a model, by the phase's name.

    Frozen parameters take no slot in an optimiser.

    Args:
        optim_wrapper_cfg: Config with ``optimizer`` and arguments of ``OptimWrapper`` (``accumulative_counts``,
            ``clip_grad``) for all phases. ``per_phase={name: {...}}`` changes them for a phase: arguments of the
            wrapper, ``optimizer=dict(...)``, or arguments of the optimiser (``lr=...``) directly.
        paramwise_cfg: Not supported, give ``per_phase`` instead.

    Raises:
        ConfigError: A phase or an argument does not exist, or the wrapper does not average gradients.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None):
        self.shared = {key: value for key, value in optim_wrapper_cfg.items() if key not in ("type", "per_phase")}
        per_phase = optim_wrapper_cfg.get("per_phase") or {}
        self.per_phase = {name: changes for name, changes in per_phase.items() if changes is not None}
        kind = optim_wrapper_cfg.get("type", PhaseOptimWrapper)
        if kind not in (PhaseOptimWrapper, OptimWrapper, "PhaseOptimWrapper", "OptimWrapper"):
            raise ConfigError(
                f"optim_wrapper: {kind!r} does not know of phases; for mixed precision use --precision bf16"
            )
        if paramwise_cfg:
            raise ConfigError("optim_wrapper: paramwise_cfg is not read; give phases their own arguments in per_phase")
        if "optimizer" not in self.shared:
            raise ConfigError("optim_wrapper needs optimizer=dict(type=..., lr=...)")

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the wrappers of ``model``, which may itself be wrapped for several processes."""
        own = unwrapped(model)
        names = [phase.name for phase in own.phases]
        if unknown := [name for name in self.per_phase if name not in names]:
            raise ConfigError(
                f"optim_wrapper.per_phase: no phase '{unknown[0]}'; nearest: {closest_names(unknown[0], names)}"
            )
        return OptimWrapperDict(**{name: self._wrapper(name, own.phase_modules(name)) for name in names})

    def _wrapper(self, name: str, modules: Iterable[nn.Module]) -> PhaseOptimWrapper:
        settings, optimizer = self._settings(name)
        parameters = list({id(p): p for module in modules for p in module.parameters() if p.requires_grad}.values())
        if not parameters:
            raise ConfigError(f"phase '{name}' has nothing to update: all that it names is frozen or has no parameters")
        factory = find_part(OPTIMIZERS, optimizer.pop("type"))
        _must_take(factory, optimizer, name)
        if _needs_closure(factory):
            raise ConfigError(
                f"optim_wrapper, phase '{name}': {factory.__name__} computes the loss several times a step, which no "
                f"phase does: take another optimizer, such as Adam"
            )
        built = factory(parameters, **optimizer)
        built.register_load_state_dict_post_hook(match_memory_formats)
        return PhaseOptimWrapper(optimizer=built, **settings)

    def _settings(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of the wrapper and of the optimiser for one phase."""
        own = dict(self.per_phase.get(name, {}))
        changed = dict(own.pop("optimizer", {}))
        optimizer = dict(self.shared["optimizer"])
        if changed.get("type", optimizer.get("type")) != optimizer.get("type"):
            optimizer = {}  # the arguments of another optimiser mean something else
        of_wrapper = arguments_of(OptimWrapper) or {}
        optimizer |= changed | {key: value for key, value in own.items() if key not in of_wrapper}
        settings = {key: value for key, value in self.shared.items() if key != "optimizer"}
        settings |= {key: value for key, value in own.items() if key in of_wrapper}
        _must_take(OptimWrapper, settings, name)
        return settings, optimizer


@torch.no_grad()
def match_memory_formats(optimizer: Optimizer) -> None:
    """Give the state of an optimiser the memory layout of its parameters, after it was loaded.

    A checkpoint may come from a model with another layout (``channels_last``). Fused steps go through parameter and
    state side by side in memory, and on a CPU they would silently mix up the places.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _needs_closure(factory: Callable[..., Any]) -> bool:
    """Return True for an optimiser whose step needs a function that computes the loss anew, such as LBFGS."""
    closure = inspect.signature(factory.step).parameters.get("closure") if hasattr(factory, "step") else None
    return closure is not None and closure.default is closure.empty


def _must_take(part: Callable[..., Any], arguments: dict[str, Any], phase: str) -> None:
    """Raise ``ConfigError`` for the first of ``arguments`` that ``part`` does not take."""
    known = arguments_of(part)
    if known is not None and (unknown := [name for name in arguments if name not in known]):
        raise ConfigError(
            f"optim_wrapper, phase '{phase}': {part.__name__} takes no '{unknown[0]}'; "
            f"nearest: {closest_names(unknown[0], known)}"
        )
