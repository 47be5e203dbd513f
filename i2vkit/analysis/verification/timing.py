"""Times of work on a device, measured by CUDA events on a GPU and by a clock elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

_WARM_UP = 2  # calls that do not count


def median_seconds(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the median time of a call of ``work``, over as many calls as fit into ``seconds`` after a warm-up."""
    for _ in range(_WARM_UP):
        work()
    return median(in_turn({"work": work}, device, seconds)["work"])


def in_turn(
    candidates: Mapping[str, Callable[[], object]],
    device: torch.device,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Call the candidates one after the other, round after round, and return the seconds of each call.

    Slow changes, such as the clock rate of the card, thus affect all alike.

    Args:
        candidates: Functions by name. Each has been called before, so it no longer compiles or tunes anything.
        device: The device on which they work.
        seconds: Begin no other round after this time.
        clock: A function that returns seconds.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    begin, rounds = clock(), 0
    while rounds == 0 or clock() - begin < seconds:
        for name, work in candidates.items():
            times[name].append(timed(work, device, clock))
        rounds += 1
    return times


def timed(work: Callable[[], object], device: torch.device, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that one call takes."""
    if device.type != "cuda":
        begin = clock()
        work()
        return clock() - begin
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    work()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000
