"""The preparation of a generator for inference, which computes everything once that does not depend on the input."""

from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from i2vkit.errors import ConfigError


def for_inference_(generator: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Fold the batch norms of all parts that support it, and convert convolutions and linear layers to ``dtype``.

    It works in place and cannot be undone: the generator can neither be trained nor load weights afterwards.

    Args:
        generator: A generator with trained weights.
        dtype: ``torch.float32`` (default), or ``torch.bfloat16``. With the latter, run the generator under autocast.
            Autocast alone would cast every weight at every call. For clips of a few frames this costs more than the
            matrix products.

    Returns:
        The generator, in eval mode.

    Raises:
        ConfigError: ``dtype`` is neither of the two.
    """
    if dtype not in (torch.float32, torch.bfloat16):
        raise ConfigError(f"inference runs in float32 or bfloat16, not in {dtype}")
    # Folding holds in eval mode only, where a batch norm is a fixed scale and shift.
    generator.eval().requires_grad_(False)
    # A list, since folding replaces modules.
    for part in list(generator.modules()):
        fold: Any = getattr(part, "fold_batch_norms_", None)
        if fold is not None:
            fold()
    # The layers whose weights autocast would otherwise cast at every call. Norms and recurrent layers stay as they are,
    # and so do parts that leave autocast.
    exact = {
        layer for part in generator.modules() if getattr(part, "full_precision", False) for layer in part.modules()
    }
    for layer in generator.modules():
        if isinstance(layer, _ConvNd | nn.Linear) and layer not in exact:
            layer.to(dtype)
    return generator
