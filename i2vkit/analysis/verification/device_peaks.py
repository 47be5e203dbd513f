"""Peak performance of the device: products of matrices and copies of memory."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from i2vkit.analysis.benchmark.timing import environment_info
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.timing import median_seconds
from i2vkit.engine.precision import set_precision

_SIDES = {"cuda": 8192, "cpu": 512}  # rows and columns of the matrices
_COPIED = {"cuda": 2**30, "cpu": 2**26}  # bytes


def measure_device_peaks(device: str, record: Record, seconds: float) -> None:
    """Measure a large matrix product in each precision, and a copy within the device's memory."""
    place = torch.device(device)
    record.measure("machine", lambda: machine(place))
    for precision in ("fp32", "tf32", "bf16"):
        record.measure(f"product_{precision}", partial(product, place, precision, seconds / 4))
    record.measure("copy", lambda: copy(place, seconds / 4))


def machine(device: torch.device) -> dict[str, Any]:
    """Return the name of the device, its memory and the versions of the software."""
    found = environment_info() | {"passed": True, "device": str(device), "cuda": torch.version.cuda}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found |= {"card": properties.name, "memory_gib": round(properties.total_memory / 2**30, 1)}
        found |= {"cudnn": torch.backends.cudnn.version(), "capability": [properties.major, properties.minor]}
    return found


def product(device: torch.device, precision: str, seconds: float) -> dict[str, Any]:
    """Measure the product of two square matrices in TFLOP/s."""
    set_precision(precision)
    side = _SIDES[device.type]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    first, second = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    taken = median_seconds(lambda: first @ second, device, seconds)
    return {"passed": True, "side": side, "tflops": 2 * side**3 / taken / 1e12}


def copy(device: torch.device, seconds: float) -> dict[str, Any]:
    """Measure a copy in GB/s. Every byte is read once and written once."""
    source = torch.zeros(_COPIED[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    taken = median_seconds(lambda: target.copy_(source), device, seconds)
    return {"passed": True, "bytes": source.numel(), "gigabytes_per_second": 2 * source.numel() / taken / 1e9}
