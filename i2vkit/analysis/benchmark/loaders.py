"""Benchmark of data loaders in clips per second: workers, pinned memory, and clips cached on the device."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Sized
from copy import deepcopy
from math import ceil
from typing import Any, cast

import torch
from mmengine.config import Config
from torch import Tensor
from torch.utils.data import DataLoader

from i2vkit.analysis.benchmark.timing import config_name, environment_info
from i2vkit.datasets.collation import stack_inputs
from i2vkit.datasets.loaders import build_loader, default_workers
from i2vkit.errors import ConfigError


def benchmark_loaders(cfg: Config, seconds: float = 10.0, device: str = "cpu") -> dict[str, Any]:
    """Measure how many uint8 clips per second arrive on the device, by number of workers, pinned memory and cache.

    Each loader is measured by itself after a warm-up, while the device is otherwise idle. A training that needs fewer
    clips per second does not wait for data.

    Args:
        cfg: A config from ``load_config``. It may describe data only.
        seconds: The duration of each measurement. A warm-up takes two passes over the data, but no longer than this.
        device: "cpu" or "cuda".

    Returns:
        ``loaders``, with an entry for each combination of ``cache``, ``workers`` and ``pinned``, and the environment.
        An entry has ``clips_per_second``, ``seconds_to_build`` (including what a cache decodes first),
        ``first_batch_seconds`` (including the start of workers), ``bytes_sent`` by a worker for a batch and
        ``copies_to_the_device`` for a batch. If a combination does not work, it has the reason as ``impossible``.

    Raises:
        I2VError: The config or its data are wrong.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("there is no GPU here: measure with --device cpu")
    rows = []
    for variant in variants(cfg, device):
        try:
            begin = time.perf_counter()
            loader = _loader(cfg, **variant)
            built = time.perf_counter() - begin
            measured = _measured(loader, seconds, torch.device(device))
            rows.append(variant | {"seconds_to_build": built} | measured)
        except ConfigError as error:
            rows.append(variant | {"impossible": str(error)})
    return {
        "benchmark": "loaders",
        "config": config_name(cfg),
        "batch_size": cfg.train_dataloader.batch_size,
        "device": device,
        "loaders": rows,
        **environment_info(),
    }


def variants(cfg: Config, device: str) -> list[dict[str, Any]]:
    """Return the settings of the loaders to measure.

    The config's cache is combined with 0, 2 and the default number of workers, on a GPU with and without pinned memory.
    After these comes the cache on the device.
    """
    cache = cfg.train_dataloader.dataset.get("cache", "memory")
    cache = "memory" if cache == "device" else cache
    workers = sorted({0, 2, default_workers("train")})
    pinned = (False, True) if device.startswith("cuda") else (False,)
    found = [dict(cache=cache, workers=number, pinned=pin) for number in workers for pin in pinned]
    return found + [dict(cache="device", workers=number, pinned=pinned[-1]) for number in (0, 2)]


def _loader(cfg: Config, cache: str | None, workers: int, pinned: bool) -> DataLoader:
    """Build the training loader of ``cfg`` with other settings."""
    cfg = deepcopy(cfg)
    cfg.train_dataloader.update(pin_memory=pinned, persistent_workers=workers > 0)
    cfg.train_dataloader.dataset.cache = cache
    return build_loader(cfg, "train", workers=workers)


def _measured(loader: DataLoader, seconds: float, device: torch.device) -> dict[str, Any]:
    """Return the measurements of one loader."""
    dataset, batch_size = cast(Sized, loader.dataset), loader.batch_size
    assert batch_size is not None  # a config has no batch sampler
    begin = time.perf_counter()
    batches = iter(loader)
    batch = next(batches)
    arrive(batch, device)
    first = time.perf_counter() - begin
    end = time.perf_counter() + seconds
    for _ in range(2 * ceil(len(dataset) / batch_size)):
        arrive(next(batches), device)
        if time.perf_counter() > end:
            break
    # Batches that were ready before the clock started must not count, so empty the workers' queues once.
    for _ in range(loader.num_workers * (loader.prefetch_factor or 0)):
        arrive(next(batches), device)
    begin, number = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds or number == 0:
        arrive(next(batches), device)
        number += 1
    return {
        "clips_per_second": number * batch_size / (time.perf_counter() - begin),
        "first_batch_seconds": first,
        "bytes_sent": sent_bytes(batch),
        "copies_to_the_device": 0 if device.type == "cpu" else len(_Counter.of(batch["inputs"]).storages),
    }


def arrive(batch: dict, device: torch.device) -> dict[str, Tensor]:
    """Move the inputs of a batch to the device as uint8 and wait until they are there."""
    inputs = stack_inputs(batch["inputs"])
    moved = {name: values.to(device, non_blocking=True) for name, values in inputs.items()}
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return moved


def sent_bytes(batch: dict) -> int:
    """Return the bytes that a worker sends for a batch: each tensor storage once, and everything else as pickled."""
    counter = _Counter.of(batch)
    return sum(counter.storages.values()) + counter.rest


class _Counter(pickle.Pickler):
    """A pickler that leaves out tensors and notes the size of each of their storages by its address."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        super().__init__(self._file)
        self.storages: dict[int, int] = {}

    @classmethod
    def of(cls, value: Any) -> _Counter:
        """Return the counter of ``value``."""
        counter = cls()
        counter.dump(value)
        return counter

    @property
    def rest(self) -> int:
        """The bytes of everything that is not a tensor."""
        return self._file.tell()

    def reducer_override(self, value: Any) -> Any:
        """Note the storage of a tensor and pickle nothing for it. Pickle everything else as usual."""
        if not isinstance(value, Tensor):
            return NotImplemented
        storage = value.untyped_storage()
        self.storages[storage.data_ptr()] = storage.nbytes()
        return int, ()


def format_loaders(result: dict[str, Any]) -> str:
    """Return the result as text."""
    lines = [f"{result['config']}: batches of {result['batch_size']}, uint8, on {result['device']}"]
    for row in result["loaders"]:
        pinned = " pinned" if row["pinned"] else ""
        name = f"cache={row['cache']!r}, {row['workers']} workers{pinned}"
        if "impossible" in row:
            lines.append(f"{name:<40} {row['impossible']}")
            continue
        lines.append(
            f"{name:<40} {row['clips_per_second']:>10,.0f} clips a second {row['bytes_sent'] / 1e6:>8.2f} MB a batch, "
            f"the first after {row['seconds_to_build'] + row['first_batch_seconds']:.1f} s"
        )
    return "\n".join([*lines, f"{result['cores']} cores, {result['processor']}"])
