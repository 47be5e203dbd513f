"""How weights of convolutions lie in memory."""

import torch
from torch import nn

_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


@torch.no_grad()
def to_channels_last_(module: nn.Module) -> nn.Module:
    """Lay the weights of all 2D and 3D convolutions in ``module`` out with the channels last, in place.

    A convolution with such a weight gives its output in the same layout, and so does what follows, so that nothing else
    has to be told. Values, shapes and names stay: a state dict fits either way.
    """
    for parameter in module.parameters():
        if parameter.dim() in _FORMATS:
            parameter.data = parameter.data.contiguous(memory_format=_FORMATS[parameter.dim()])
    return module
