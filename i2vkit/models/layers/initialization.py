"""Initial weights."""

from torch import nn


def init_dcgan_(module: nn.Module, std: float = 0.02) -> nn.Module:
    """Weights of convolutions and linear layers ~ N(0, std), batch norm scales ~ N(1, std), biases 0 (DCGAN)."""
    for layer in module.modules():
        if isinstance(layer, nn.modules.conv._ConvNd | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)
    return module
