"""Tools of all benchmarks: interleaved timing with medians and ratios, peak memory, and environment info."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.config import Config

from i2vkit.utils.versions import package_versions

PACKAGES = ("i2vkit", "torch", "numpy", "onedl-mmengine", "pillow", "av", "opencv-python")
LEAST_ROUNDS = 5
LONG = 15.0  # seconds after which a long comparison begins no other round


@dataclass(frozen=True)
class InterleavedTimes:
    """The measurements of ``time_interleaved``.

    Attributes:
        seconds: The seconds of each candidate, one value a round.
        peak_bytes: The most memory that the process held during a candidate's turns. None if that is unknown.
    """

    seconds: dict[str, list[float]]
    peak_bytes: dict[str, int | None]

    def median(self, name: str) -> float:
        """Return the median of a candidate's seconds."""
        return median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """Return how many times faster ``name`` is than ``other``, as the median over the rounds."""
        return median(self._ratios(name, other))

    def ratio_range(self, name: str, other: str) -> tuple[float, float]:
        """Return the smallest and the largest of these ratios, which show how reliable the median is."""
        ratios = self._ratios(name, other)
        return min(ratios), max(ratios)

    def _ratios(self, name: str, other: str) -> list[float]:
        """Return the ratio of every round."""
        return [slow / fast for fast, slow in zip(self.seconds[name], self.seconds[other], strict=True)]


def time_interleaved(
    candidates: Mapping[str, Callable[[], object]],
    seconds: float,
    before: Mapping[str, Callable[[], object]] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    warm: bool = False,
    most: float = math.inf,
) -> InterleavedTimes:
    """Run the candidates one after the other, round after round, and time each turn.

    Slow changes (other programs, the clock rate) thus affect all alike. Every second round runs in the opposite order.
    A first round warms up and does not count, unless all candidates are ``warm``.

    Args:
        candidates: Functions by name. Each does the same amount of work in every call.
        seconds: Begin no round after this time, unless fewer than five rounds have counted.
        before: Functions that run before a candidate's turn, untimed.
        clock: A function that returns seconds. By default wall-clock time.
        warm: The candidates have run before, so the first round counts.
        most: Begin no round after this time, as soon as one has counted. By default unlimited.
    """
    before = before or {}
    names = list(candidates)
    times: dict[str, list[float]] = {name: [] for name in names}
    peaks: dict[str, int | None] = dict.fromkeys(names)
    start, rounds = clock(), int(warm)
    # Round 0 is the warm-up unless ``warm``, so at least round 1 always counts.
    while rounds <= 1 or (clock() - start < most and (rounds <= LEAST_ROUNDS or clock() - start < seconds)):
        # The opposite order in every second round cancels the advantage of coming first.
        for name in names if rounds % 2 else reversed(names):
            before.get(name, lambda: None)()
            with PeakMemory() as memory:
                begin = clock()
                candidates[name]()
                end = clock()
            if rounds:
                times[name].append(end - begin)
                peaks[name] = max(filter(None, (peaks[name], memory.bytes)), default=None)
        rounds += 1
    return InterleavedTimes(times, peaks)


def speed_report(turns: InterleavedTimes, reference: str, names: list[str]) -> dict[str, Any]:
    """Return the measurements of the candidates ``names`` as a dict that can be written as JSON.

    ``milliseconds`` are medians. ``ratio`` says how many times faster a candidate is than the ``reference``, and
    ``ratio_range`` gives the extremes over the ``rounds``. ``peak_bytes`` is the memory of the process.

    >>> speed_report(InterleavedTimes({"a": [2.0], "b": [0.5]}, {"a": None, "b": None}), "a", ["a", "b"])["ratio"]
    {'a': 1.0, 'b': 4.0}
    """
    return {
        "reference": reference,
        "rounds": len(turns.seconds[reference]),
        "milliseconds": {name: 1000 * turns.median(name) for name in names},
        "ratio": {name: turns.ratio(name, reference) for name in names},
        "ratio_range": {name: turns.ratio_range(name, reference) for name in names},
        "peak_bytes": {name: turns.peak_bytes[name] for name in names},
    }


def synchronized(work: Callable[[], object], device: torch.device) -> Callable[[], None]:
    """Return a function that does ``work`` and, on a GPU, waits until it is finished."""

    def run() -> None:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return run


class PeakMemory:
    """A context that measures in ``bytes`` the most memory that this process holds inside it.

    On a GPU in use it is the GPU's memory. On the CPU it is known on Linux only, elsewhere ``bytes`` is None. Other
    processes do not count.
    """

    bytes: int | None = None

    def __enter__(self) -> PeakMemory:
        self._cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            self._can_reset = _write("/proc/self/clear_refs", "5")  # the kernel's word for "forget the peak"
        return self

    def __exit__(self, *_: object) -> None:
        if self._cuda:
            self.bytes = torch.cuda.max_memory_allocated()
        elif self._can_reset:
            # VmHWM is the peak of the resident memory, in kB.
            lines = Path("/proc/self/status").read_text().splitlines()
            self.bytes = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _write(path: str, text: str) -> bool:
    """Write to a file of the kernel and return True, or False if that is not possible."""
    try:
        Path(path).write_text(text)
    except OSError:
        return False
    return True


def environment_info() -> dict[str, object]:
    """Return what a measurement depends on besides the code: versions, processor, cores, threads, GPU."""
    return {
        "versions": {"python": platform.python_version(), **package_versions(PACKAGES)},
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _processor() -> str:
    """Return the name of the processor. On Linux it is in a file that Python's ``platform`` does not read."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def config_name(cfg: Config) -> str:
    """Return the name of a config's file without its extension."""
    return Path(cfg.filename or "config").stem


def table(measured: dict[str, Any]) -> list[str]:
    """Return the lines of a table with one candidate per line, from the result of ``speed_report``."""
    width = max(len(name) for name in measured["milliseconds"])
    lines = []
    for name, milliseconds in measured["milliseconds"].items():
        low, high = measured["ratio_range"][name]
        line = f"  {name:<{width}} {milliseconds:9.1f} ms  {measured['ratio'][name]:5.2f}x ({low:.2f} to {high:.2f})"
        peak = measured["peak_bytes"][name]
        line += "" if peak is None else f"  {peak / 2**20:7,.0f} MiB"
        if name in measured.get("difference", {}):
            line += f"  differs by {measured['difference'][name]:.1e}"
        lines.append(line)
    return lines
