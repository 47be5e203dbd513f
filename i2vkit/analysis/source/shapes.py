"""Shapes of the inputs and outputs of modules, as text."""

from __future__ import annotations

from typing import Any

from torch import nn


class Shapes:
    """The shapes of the first input and the first output of every module, as text by the identity of the module.

    Args:
        model: The model, whose modules it watches.
    """

    def __init__(self, model: nn.Module):
        self.by_module: dict[int, str] = {}
        self._handles = [module.register_forward_hook(self._note, with_kwargs=True) for module in model.modules()]

    def _note(self, module: nn.Module, inputs: tuple, named: dict, output: Any) -> None:
        if id(module) not in self.by_module:
            given = next((text for value in (*inputs, *named.values()) if (text := shapes_in(value))), "")
            made = shapes_in(output)
            ours = type(module).__module__.startswith("i2vkit")
            # Layers of torch show their output, and nothing if it has the shape of the input.
            self.by_module[id(module)] = (
                f"{given} -> {made}" if ours and given != made else "" if given == made else made
            )

    def remove(self) -> None:
        """Stop watching."""
        for handle in self._handles:
            handle.remove()


def shapes_in(value: Any, most: int = 4) -> str:
    """Return the shapes of the tensors in a value as text, "" if there are none.

    >>> import torch
    >>> shapes_in([torch.zeros(2, 3), None, torch.zeros(1)])
    '(2, 3), (1)'
    """
    if hasattr(value, "shape"):
        return f"({', '.join(map(str, value.shape))})"
    if isinstance(value, dict):
        texts = [f"{name} {text}" for name, each in value.items() if (text := shapes_in(each))]
    elif isinstance(value, tuple | list):
        texts = [text for each in value if (text := shapes_in(each))]
    elif hasattr(value, "__dataclass_fields__"):
        return shapes_in({name: getattr(value, name) for name in value.__dataclass_fields__})
    else:
        return ""
    return ", ".join(texts[:most]) + (", ..." if len(texts) > most else "")
