"""Times of work on a device: by CUDA events on a GPU, by the clock elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

_WARM_UP = 2  # calls that do not count


def median_seconds(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the median time of a call of ``work``: after a warm-up, of as many calls as fit into ``seconds``."""
    for _ in range(_WARM_UP):
        work()
    return median(in_turn({"work": work}, device, seconds)["work"])


def in_turn(
    candidates: Mapping[str, Callable[[], object]],
    device: torch.device,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Call the candidates one after the other, round after round, and time each call in seconds.

    What changes slowly, such as the clock rate of the card, so falls on all alike.

    Args:
        candidates: by name; each has been called before, so that nothing is compiled or tuned any more.
        device: on which they work.
        seconds: no round but the first begins later.
        clock: seconds, rising.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    begin, rounds = clock(), 0
    while rounds == 0 or clock() - begin < seconds:
        for name, work in candidates.items():
            times[name].append(timed(work, device, clock))
        rounds += 1
    return times


def timed(work: Callable[[], object], device: torch.device, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how many seconds one call takes."""
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
