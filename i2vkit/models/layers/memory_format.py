"""The memory layout of the weights of convolutions."""

import torch
from torch import nn

# By the number of axes of a weight: (O, I, H, W) and (O, I, T, H, W).
_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


@torch.no_grad()
def to_channels_last_(module: nn.Module) -> nn.Module:
    """Lay the weights of all 2D and 3D convolutions out with the channels last, in place, and return ``module``.

    A convolution with such a weight gives its output in the same layout, and so do the layers after it; nothing else
    has to change. Values, shapes and names stay: a state dict fits either way.
    """
    for parameter in module.parameters():
        if parameter.dim() in _FORMATS:
            # The same parameter, as optimisers hold it.
            parameter.data = parameter.data.contiguous(memory_format=_FORMATS[parameter.dim()])
    return module
