"""The device on which a model computes."""

from __future__ import annotations

import torch

from i2vkit.errors import ConfigError


def find_device(name: str | torch.device | None = None) -> torch.device:
    """Return the device of that name, after checking that this machine has it.

    Args:
        name: "cpu", "cuda", "cuda:1" or a device. By default a GPU if there is one.

    Raises:
        ConfigError: There is no such device, or the name is none.

    >>> find_device("cpu")
    device(type='cpu')
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(f"{name!r} is no device: write cpu, cuda or the number of a GPU, cuda:1") from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise ConfigError(f"device {name} is not there: this machine has no GPU that PyTorch can use. Take cpu")
        if (device.index or 0) >= count:
            raise ConfigError(f"device {name} is not there: this machine has {count} GPUs, cuda:0 to cuda:{count - 1}")
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(f"device {name} is not there: this machine has no Metal. Take cpu")
    elif device.type not in ("cpu", "mps"):
        raise ConfigError(f"device {name} is not supported: take cpu or cuda")
    return device
