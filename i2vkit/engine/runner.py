"""A Runner for configs whose hooks, learning-rate schedulers and metrics have names."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapperDict

from i2vkit.engine.console import ConsoleRunner
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names
from i2vkit.utils.named import named_entries


class NamedRunner(ConsoleRunner):
    """A Runner that takes ``custom_hooks``, ``param_scheduler`` and evaluators as dicts by name.

    The Runner of mmengine needs lists, and only this class makes them. The config that the Runner keeps and writes into
    the work dir and into checkpoints still has the names, so that it can be loaded and changed again.

    A scheduler holds for the optimisers of all phases, or for those that its key ``phases`` names:
    ``param_scheduler=dict(decay=dict(type=LinearLR, phases=["generator"], ...))``.

    Args:
        custom_hooks: Hooks by name. An entry None is left out, here and in the others.
        param_scheduler: Learning-rate schedulers by name.
        val_evaluator: Metrics of the validation by name.
        test_evaluator: Metrics of the test by name.
        **others: Arguments of mmengine's Runner.

    Raises:
        ConfigError: One of them is a list, or a scheduler names a phase that does not exist.
    """

    def __init__(
        self,
        *,
        custom_hooks: dict[str, Any] | None = None,
        param_scheduler: dict[str, dict] | None = None,
        val_evaluator: dict[str, dict] | None = None,
        test_evaluator: dict[str, dict] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(
            custom_hooks=_as_list(custom_hooks, "custom_hooks"),
            param_scheduler=_as_list(param_scheduler, "param_scheduler") or None,
            val_evaluator=_as_list(val_evaluator, "val_evaluator") or None,
            test_evaluator=_as_list(test_evaluator, "test_evaluator") or None,
            **others,
        )

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the schedulers of each optimiser.

        A scheduler with a key ``phases`` goes to the optimisers of these phases only. When a training is resumed,
        mmengine calls this once more with the schedulers that are already built.
        """
        if isinstance(scheduler, list) and isinstance(self.optim_wrapper, OptimWrapperDict):
            names = list(self.optim_wrapper.keys())
            scheduler = {name: _schedulers_of(name, scheduler, names) for name in names}
        return super().build_param_scheduler(scheduler)


def _as_list(entries: Any, key: str) -> list:
    return list(named_entries(entries, key).values())


def _schedulers_of(phase: str, schedulers: list[dict], phases: list[str]) -> list[dict]:
    """Return the schedulers that hold for ``phase``, without their key ``phases``."""
    chosen = []
    for entry in schedulers:
        named = entry.get("phases")
        if unknown := [name for name in named or () if name not in phases]:
            raise ConfigError(f"param_scheduler: no phase '{unknown[0]}'; nearest: {closest_names(unknown[0], phases)}")
        if named is None or phase in named:
            chosen.append({key: value for key, value in entry.items() if key != "phases"})
    return chosen
