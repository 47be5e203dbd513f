"""Measurement of the data loader in clips per second, on a data set that the recipes read."""

from __future__ import annotations

from typing import Any

from i2vkit.analysis.benchmark.data import benchmark_data
from i2vkit.analysis.verification.records import Record
from i2vkit.config.loading import load_config

_CONFIG = "imaginator_faces"


def measure_loader(narrow: bool, record: Record, seconds: float) -> None:
    """Measure the loader of the prepared faces as ``tools/benchmark.py data`` does."""
    cfg = load_config(_CONFIG, {"train_dataloader.num_workers": 0} if narrow else {})

    def measured() -> dict[str, Any]:
        return benchmark_data(cfg, seconds) | {"passed": True}

    record.measure("faces", measured)
