"""Initial weights."""

import math
from typing import Literal

from torch import nn

from i2vkit.errors import ConfigError

# The standard deviation of N(0, std), "xavier" for Xavier's uniform weights, or "torch" for torch's own.
InitialWeights = float | Literal["torch", "xavier"]


def init_weights_(module: nn.Module, initial_weights: InitialWeights) -> nn.Module:
    """Draw the weights of a network as ``init_dcgan_`` or ``init_xavier_`` does, or leave them, for "torch".

    Raises:
        ConfigError: ``initial_weights`` is neither a positive number nor "xavier" or "torch".
    """
    if initial_weights == "torch":
        return module
    if initial_weights == "xavier":
        return init_xavier_(module)
    if isinstance(initial_weights, str) or not initial_weights > 0:
        raise ConfigError(
            f'initial_weights is "torch", "xavier" or a standard deviation above 0, for instance 0.02, not '
            f"{initial_weights!r}"
        )
    return init_dcgan_(module, initial_weights)


def init_dcgan_(module: nn.Module, std: float = 0.02) -> nn.Module:
    """Initialise a network as DCGAN does, in place, and return it.

    Weights of convolutions and linear layers are drawn from N(0, std), batch norm scales from N(1, std). Biases are 0.
    """
    for layer in module.modules():
        if isinstance(layer, nn.modules.conv._ConvNd | nn.Linear):  # transposed convolutions included
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        else:
            _init_norm_(layer, std)
    return module


def init_xavier_(module: nn.Module) -> nn.Module:
    """Draw weights of convolutions and linear layers from Xavier's uniform distribution, set biases to 0, in place.

    Source: Glorot and Bengio, 2010.
    """
    for layer in module.modules():
        if isinstance(layer, nn.modules.conv._ConvNd | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def init_batch_norm_(module: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw batch norm scales from N(1, std), set shifts to 0 (DCGAN), and return ``module``."""
    for layer in module.modules():
        _init_norm_(layer, std)
    return module


def _init_norm_(layer: nn.Module, std: float) -> None:
    """Initialise ``layer`` if it is a batch norm."""
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        nn.init.normal_(layer.weight, 1.0, std)
        nn.init.zeros_(layer.bias)


def init_he_(module: nn.Module) -> nn.Module:
    """Draw weights of linear layers and 2D transposed convolutions for ReLU, set biases to 0, and return ``module``.

    With these weights ReLU layers keep the size of their signal. An output pixel of a transposed convolution sums over
    the taps that fall on it, kernel over stride on each axis.

    Source: He et al., 2015.
    """
    for layer in module.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            # The taps that fall on one output pixel: its fan-in is their number times the input channels.
            taps = math.prod(k / s for k, s in zip(layer.kernel_size, layer.stride, strict=True))
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / (layer.in_channels * taps)))
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / layer.in_features))
        if isinstance(layer, nn.ConvTranspose2d | nn.Linear):
            assert layer.bias is not None, "decoders build these layers with a bias"
            nn.init.zeros_(layer.bias)
    return module
