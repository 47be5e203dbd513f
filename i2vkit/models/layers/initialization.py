"""Initial weights."""

import math

from torch import nn


def init_dcgan_(module: nn.Module, std: float = 0.02) -> nn.Module:
    """Weights of convolutions and linear layers ~ N(0, std), batch norm scales ~ N(1, std), biases 0 (DCGAN)."""
    for layer in module.modules():
        if isinstance(layer, nn.modules.conv._ConvNd | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        else:
            _init_norm_(layer, std)
    return module


def init_batch_norm_(module: nn.Module, std: float = 0.02) -> nn.Module:
    """Batch norm scales ~ N(1, std), shifts 0 (DCGAN)."""
    for layer in module.modules():
        _init_norm_(layer, std)
    return module


def _init_norm_(layer: nn.Module, std: float) -> None:
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        nn.init.normal_(layer.weight, 1.0, std)
        nn.init.zeros_(layer.bias)


def init_he_(module: nn.Module) -> nn.Module:
    """Weights of linear layers and 2D transposed convolutions such that ReLU layers keep the size of their signal
    (He et al., 2015), biases 0.

    An output pixel of a transposed convolution sums over the taps that fall on it, kernel over stride on each axis.
    """
    for layer in module.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            taps = math.prod(k / s for k, s in zip(layer.kernel_size, layer.stride, strict=True))
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / (layer.in_channels * taps)))
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / layer.in_features))
        if isinstance(layer, nn.ConvTranspose2d | nn.Linear):
            nn.init.zeros_(layer.bias)
    return module
