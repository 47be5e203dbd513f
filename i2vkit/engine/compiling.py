"""torch.compile for the parts of a model for which it pays.

mmengine's key ``compile`` would compile the whole training step, which breaks into dozens of graphs at its phases,
checks and optimisers. Decoder, discriminators, encoders and refiner do most of the work in few graphs. Each is compiled
in place, so that the names of weights in a checkpoint stay.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, overload

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from i2vkit.errors import ConfigError

# The slots of a generator that are compiled. Motion generators are recurrent layers or draws of noise.
SLOTS = ("content_encoder", "motion_encoder", "decoder", "refiner")
OPTIONS = tuple(name for name in inspect.signature(torch.compile).parameters if name != "model")


@overload
def compile_options(value: Literal[True]) -> dict[str, Any]: ...
@overload
def compile_options(value: bool | Mapping[str, Any] | None) -> dict[str, Any] | None: ...
def compile_options(value: bool | Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the arguments of ``torch.compile`` that a config's key ``compile`` means, or None for no compilation.

    Args:
        value: True, or a dict of arguments of ``torch.compile`` (``mode``, ``backend``, ``dynamic``, ...). False or
            None do not compile. Unless ``dynamic`` is given, a graph is compiled for each shape, because shapes are few
            and kernels for any shape are slower.

    Raises:
        ConfigError: Another value or an unknown argument.

    Examples:
        >>> compile_options(True), compile_options({"mode": "reduce-overhead"}), compile_options(False)
        ({'dynamic': False}, {'dynamic': False, 'mode': 'reduce-overhead'}, None)
    """
    if value is None or value is False:
        return None
    if value is not True and not isinstance(value, Mapping):
        raise ConfigError(f"compile is True, False or a dict of arguments of torch.compile, not {value!r}")
    given = {} if value is True else dict(value)
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise ConfigError(f"compile: torch.compile takes no '{unknown[0]}'; it takes {', '.join(OPTIONS)}")
    return {"dynamic": False, **given}


def compile_parts(model: nn.Module, options: Mapping[str, Any]) -> list[str]:
    """Compile in place the parts of ``model`` for which it pays.

    These are the encoders, decoder and refiner of a generator, the networks of a supervised model, and all
    discriminators. If a part has a recurrent layer, its convolutional modules are compiled and that layer is not. Each
    graph is made when a part first runs, which takes a minute or so. Random draws inside a compiled part (dropout)
    differ from those without compilation.

    Args:
        model: A model with ``generator`` and ``discriminators``, or with ``network``. Weights, names and precision
            stay.
        options: Arguments as ``compile_options`` returns them.

    Returns:
        The paths of the modules that were compiled.

    Raises:
        ConfigError: torch does not know the mode or the backend.
    """
    generator = getattr(model, "generator", None)
    parts = {f"generator.{slot}": getattr(generator, slot, None) for slot in SLOTS}
    parts["network"] = getattr(model, "network", None)
    found = [pair for path, part in parts.items() if part is not None for pair in _convolutional(path, part)]
    found += [
        (f"discriminators.{name}", discriminator)
        for name, discriminator in getattr(model, "discriminators", {}).items()
    ]
    for path, module in found:
        try:
            module.compile(**options)
        except (RuntimeError, TypeError) as error:  # torch checks modes and backends here, and compiles later
            raise ConfigError(f"compile: torch cannot compile {path} so: {error}") from error
    return [path for path, _ in found]


def uncompiled() -> AbstractContextManager:
    """Return a context in which compiled parts run as they are written.

    A gradient penalty needs it, because a compiled graph has no second derivative.
    """
    return torch.compiler.set_stance("force_eager")


def _convolutional(path: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the outermost modules with a convolution and without a recurrent layer, with their paths."""
    inside = list(module.modules())
    if not any(isinstance(each, _ConvNd) for each in inside):
        return
    recurrent = any(isinstance(each, nn.RNNBase) for each in inside)
    # A list of modules is never called itself.
    if not recurrent and not isinstance(module, nn.ModuleList | nn.ModuleDict):
        yield path, module
        return
    for name, child in module.named_children():
        yield from _convolutional(f"{path}.{name}", child)
