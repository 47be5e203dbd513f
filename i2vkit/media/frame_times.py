"""Times of the frames of a video, and the steady rate at which its frames are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

# A video is steady if its frames last about equally long: each between these shares of the median, which allows for
# cameras that waver and for films of 24 frames a second that alternate between two and three fields.
_SHORTEST, _LONGEST = 0.65, 1.55
# GIFs count hundredths of a second, so 60 frames a second last 10 or 20 milliseconds.
_ROUNDING = 0.011
# Few frames of a steady video may differ from that: a camera drops one, and a cut between key frames leaves a gap.
_ODD_FRAMES, _ODD_TIME, _DRIFT = 0.1, 0.1, 4.0
# No display shows more. A burst of frames within a few milliseconds would otherwise set the rate of a whole video.
_FASTEST = 60.0


def regular_rate(starts: np.ndarray, end: float, stated: float | None = None) -> float | None:
    """Return the frames a second of a video whose frames last about equally long, or None if they do not.

    Args:
        starts: The times in seconds at which frames appear, ascending, (T,).
        end: The time at which the last one ends.
        stated: The rate that the file states. It is returned if the times agree with it.

    Examples:
        >>> regular_rate(np.arange(4) / 25, 4 / 25)
        25.0
        >>> regular_rate(np.array([0.0, 0.04, 0.08, 0.5]), 1.0) is None
        True
    """
    lasting = np.diff(np.append(starts, end))
    if not len(lasting) or lasting.sum() <= 0:
        return stated
    median = float(np.median(lasting[lasting > 0]))
    close = (lasting >= _SHORTEST * median) & (lasting <= _LONGEST * median) | (np.abs(lasting - median) <= _ROUNDING)
    typical = float(lasting[close].mean()) if close.any() else median
    count, total = len(lasting), float(lasting.sum())
    drift = np.abs(starts - starts[0] - np.arange(count) * total / count).max() / typical
    odd_time = abs(total - count * typical) / total
    if (~close).mean() > _ODD_FRAMES or odd_time > _ODD_TIME or drift > _DRIFT:
        return None
    return stated if stated and abs(stated * typical - 1) < 0.03 else _round_rate(1 / typical)


def steady_rate(starts: np.ndarray, end: float) -> float:
    """Return the rate at which a video of varying rate is read: that of its fastest frames, up to 60 a second.

    A tenth of the frames may be faster.

    Args:
        starts: The times in seconds at which frames appear, ascending, (T,).
        end: The time at which the last one ends.

    Examples:
        >>> steady_rate(np.array([0.0, 0.04, 0.08, 0.5]), 1.0)
        25.0
    """
    lasting = np.diff(np.append(starts, end))
    lasting = lasting[lasting > 0]
    fast = float(np.quantile(lasting, 0.1, method="lower"))
    in_hundredths = np.allclose(lasting * 100, np.round(lasting * 100), atol=1e-6)
    slowest = fast + _ROUNDING if in_hundredths else 1.15 * fast
    return min(_round_rate(1 / float(lasting[lasting <= slowest].mean())), _FASTEST)


def frames_at_rate(frames: Iterable[tuple[float, Item]], rate: float, end: float) -> Iterator[Item]:
    """Yield the frame that is shown at each of the times 0, 1 / rate, 2 / rate, ... until ``end``.

    A frame that is shown for long is repeated, and one that is shown between two of these times is left out.

    Args:
        frames: Pairs of the time in seconds at which a frame appears, ascending, and the frame.
        rate: Frames a second.
        end: The time in seconds at which the last frame ends, counted from the first.

    Examples:
        >>> list(frames_at_rate([(0.0, "a"), (0.1, "b"), (0.4, "c")], 10, 0.5))
        ['a', 'b', 'b', 'b', 'c']
    """
    count, position, shown, first = num_frames_at_rate(rate, end), 0, None, None
    for start, frame in frames:
        first = start if first is None else first
        # A frame counts as shown at a time if it appears at most a hundredth of a frame later.
        while position < count and shown is not None and position / rate < start - first - 0.01 / rate:
            yield shown[0]
            position += 1
        shown = (frame,)
    while position < count and shown is not None:
        yield shown[0]
        position += 1


def num_frames_at_rate(rate: float, end: float) -> int:
    """Return the number of frames, at least 1, that ``frames_at_rate`` yields."""
    return max(1, round(rate * end))


def _round_rate(rate: float) -> float:
    """Round a rate that was measured, by half a percent at most, to a whole number or to an NTSC rate."""
    whole = max(1, round(rate))
    candidates = [whole, whole * 1000 / 1001, round(2 * rate) / 2]
    nearest = min(candidates, key=lambda candidate: abs(candidate - rate))
    return float(nearest) if abs(nearest - rate) <= 0.005 * rate else rate
