"""One optimiser per phase of a model."""

from __future__ import annotations

from collections.abc import Iterable
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

    ``update_params`` sends the gradients while its backward pass runs, if a step follows it. ``step`` waits for them,
    and sends what was not sent: with ``backward`` and ``step`` called one by one, all of it. Like its base,
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
        """Average, clip, step."""
        if get_world_size() > 1:
            self.averager.finish()
        super().step(**kwargs)

    @property
    def averager(self) -> GradientAverager:
        """The averager of the gradients, made when it is first needed: one process needs none."""
        if self._averager is None:
            self._averager = GradientAverager(p for group in self.optimizer.param_groups for p in group["params"])
        return self._averager


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PhaseOptimWrapperConstructor:
    """Builds an ``OptimWrapperDict`` with one wrapper for each of ``model.phases``, keyed by the phase's name.

    ``optimizer`` and the arguments of ``OptimWrapper`` (``accumulative_counts``, ``clip_grad``) hold for all phases;
    ``per_phase={name: {...}}`` changes them: arguments of the wrapper, ``optimizer=dict(...)``, or arguments of the
    optimiser (``lr=...``) directly. Frozen parameters take no slot.

    Raises:
        ConfigError: for phases and arguments that do not exist, and wrappers that do not average gradients.
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
        """The wrappers of ``model``, which may itself be wrapped for several processes."""
        model = unwrapped(model)
        names = [phase.name for phase in model.phases]
        if unknown := [name for name in self.per_phase if name not in names]:
            raise ConfigError(
                f"optim_wrapper.per_phase: no phase '{unknown[0]}'; nearest: {closest_names(unknown[0], names)}"
            )
        return OptimWrapperDict(**{name: self._wrapper(name, model.phase_modules(name)) for name in names})

    def _wrapper(self, name: str, modules: Iterable[nn.Module]) -> PhaseOptimWrapper:
        settings, optimizer = self._settings(name)
        parameters = list({id(p): p for module in modules for p in module.parameters() if p.requires_grad}.values())
        if not parameters:
            raise ConfigError(f"phase '{name}' has nothing to update: all that it names is frozen or has no parameters")
        factory = find_part(OPTIMIZERS, optimizer.pop("type"))
        _must_take(factory, optimizer, name)
        built = factory(parameters, **optimizer)
        built.register_load_state_dict_post_hook(match_memory_formats)
        return PhaseOptimWrapper(optimizer=built, **settings)

    def _settings(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments of the wrapper and of the optimiser for one phase."""
        own = dict(self.per_phase.get(name, {}))
        changed = dict(own.pop("optimizer", {}))
        optimizer = dict(self.shared["optimizer"])
        if changed.get("type", optimizer.get("type")) != optimizer.get("type"):
            optimizer = {}  # the arguments of another optimiser mean something else
        of_wrapper = arguments_of(OptimWrapper)
        optimizer |= changed | {key: value for key, value in own.items() if key not in of_wrapper}
        settings = {key: value for key, value in self.shared.items() if key != "optimizer"}
        settings |= {key: value for key, value in own.items() if key in of_wrapper}
        _must_take(OptimWrapper, settings, name)
        return settings, optimizer


@torch.no_grad()
def match_memory_formats(optimizer: Optimizer) -> None:
    """Lay the state of an optimiser out in memory as its parameters lie, after it was loaded.

    A checkpoint may come from a model whose channels lie elsewhere (``channels_last``). Fused steps walk through
    parameter and state side by side in memory: on a CPU they would mix up the places without a word.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _must_take(part: type, arguments: dict[str, Any], phase: str) -> None:
    known = arguments_of(part)
    if known is not None and (unknown := [name for name in arguments if name not in known]):
        raise ConfigError(
            f"optim_wrapper, phase '{phase}': {part.__name__} takes no '{unknown[0]}'; "
            f"nearest: {closest_names(unknown[0], known)}"
        )
