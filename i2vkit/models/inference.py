"""A generator made ready for nothing but inference: what can be computed once is computed once."""

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from i2vkit.errors import ConfigError


def for_inference_(generator: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Fold the batch norms of every part that can, and keep the weights of convolutions and linear layers in ``dtype``.

    With ``torch.bfloat16`` the generator must run under autocast, which would else cast every weight at every call: for
    clips of a few frames that costs more than the products. In place, for good: such a generator neither trains nor
    loads weights any more.

    Raises:
        ConfigError: for other types than float32 and bfloat16.
    """
    if dtype not in (torch.float32, torch.bfloat16):
        raise ConfigError(f"inference runs in float32 or bfloat16, not in {dtype}")
    generator.eval().requires_grad_(False)
    for part in list(generator.modules()):
        if hasattr(part, "fold_batch_norms_"):
            part.fold_batch_norms_()
    for layer in generator.modules():
        if isinstance(layer, _ConvNd | nn.Linear):
            layer.to(dtype)
    return generator
