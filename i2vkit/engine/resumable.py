"""Checks that a checkpoint holds what a resumed training reads, in the types in which it was saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from i2vkit.errors import CheckpointError

_LATEST = 10**12  # an iteration that no training comes to
_OF_HUB = ("log_scalars", "runtime_info", "resumed_keys")


def check_resumable(checkpoint: Mapping[str, Any], source: str) -> None:
    """Check the entries of a checkpoint that the Runner reads, before it reads the first.

    Raises:
        CheckpointError: One is missing or of another type. The message names it.
    """
    meta, hub = checkpoint["meta"], checkpoint.get("message_hub")
    if not isinstance(meta, Mapping):
        raise damaged(source, "meta is no dict")
    for key in ("iter", "epoch"):
        value = meta.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
            raise damaged(source, f"meta.{key} is {value!r}, and no whole number from 0")
    if not isinstance(meta.get("seed"), int | None):
        raise damaged(source, f"meta.seed is {meta['seed']!r}, and no whole number")
    if not isinstance(hub, Mapping) or not all(isinstance(hub.get(key), Mapping) for key in _OF_HUB):
        raise damaged(source, f"message_hub is no dict of {', '.join(_OF_HUB)}")
    if not isinstance(checkpoint["optimizer"], Mapping):
        raise damaged(source, "optimizer is no dict")


def check_state(saved: Any, optimizer: Optimizer, phase: str | None, source: str) -> None:
    """Check the state of one optimiser in a checkpoint: a fused step would write behind the end of a smaller tensor.

    Raises:
        CheckpointError: It is no state of an optimiser, or a tensor has another shape than its parameter.
    """
    where = f"optimizer.{phase}" if phase else "optimizer"
    groups, state = (saved.get(key) if isinstance(saved, Mapping) else None for key in ("param_groups", "state"))
    if not isinstance(groups, list) or not isinstance(state, Mapping):
        raise damaged(source, f"{where} has no param_groups or state")
    numbers = [number for group in groups for number in group["params"]] if all(map(_has_params, groups)) else []
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, parameter in zip(numbers, parameters, strict=False):
        entries = state.get(number, {})
        for name, value in entries.items() if isinstance(entries, Mapping) else [("", None)]:
            fits = not isinstance(value, Tensor) or value.ndim == 0 or value.shape == parameter.shape
            if value is None or not fits:
                raise damaged(source, f"{where}.state.{number}.{name} does not fit a tensor {tuple(parameter.shape)}")


def _has_params(group: Any) -> bool:
    return isinstance(group, Mapping) and isinstance(group.get("params"), list)


def damaged(source: str, what: str) -> CheckpointError:
    """Return the error for a checkpoint in which something is missing or wrong."""
    return CheckpointError(
        f"{source} is damaged: {what}. Resume another checkpoint of the training, or start a new one from its weights "
        f"(--cfg-options load_from={source}, another --work-dir, and no --resume)"
    )
