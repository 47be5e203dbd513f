"""Workers that load data and die, most often because memory ran out: one error in place of torch's many."""

from __future__ import annotations

import signal
import threading
from typing import Any

from i2vkit.errors import TrainingError

# torch raises the first, at any place, when it hears of the death; the others come from a half-sent batch.
WORKER_ERRORS = (RuntimeError, ConnectionError, EOFError)


def dead_worker(error: BaseException, loaders: list[Any]) -> TrainingError | None:
    """Return the error to raise if ``error`` is due to the death of a worker, else None.

    From then on torch no longer raises errors of its own about dead workers in the midst of other code. A later loader
    of this process notices them a few seconds later.

    Args:
        error: An error of ``WORKER_ERRORS``.
        loaders: The data loaders in use.
    """
    workers = any(getattr(loader, "num_workers", 0) for loader in loaders)
    if not workers or (isinstance(error, RuntimeError) and "DataLoader worker" not in str(error)):
        return None
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return TrainingError(
        f"a process that loads data ended before its time ({str(error).strip()}), perhaps for lack of memory: try a "
        f"smaller train_dataloader.num_workers or batch_size, and go on with --resume"
    )
