"""Mixed precision as a context, on every device."""

from contextlib import AbstractContextManager, nullcontext

import torch


def autocast(device: torch.device, enabled: bool) -> AbstractContextManager:
    """Return a context in which products on ``device`` are computed in bf16 if ``enabled``, and in fp32 if not.

    PyTorch has no autocast for the meta device, where nothing is computed: there the context changes nothing.
    """
    if device.type == "meta":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
