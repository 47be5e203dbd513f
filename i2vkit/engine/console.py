"""A short log on the screen: everything goes to the log file, and only what a reader needs to the console."""

from __future__ import annotations

import logging
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from mmengine.runner import Runner

MOST_LINES = 26  # on the screen before the first iteration
FILE_ONLY = {"file_only": True}  # the argument ``extra`` of a log call whose line is printed in another way
# Lines of mmengine about its own insides.
NOISE = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "Distributed training is not used",
    "Advance dataloader",
    "`resume_param_scheduler` is True but",
)


class ConsoleFilter(logging.Filter):
    """A filter that keeps the system environment, the config and the list of hooks off the screen.

    Before the first iteration at most ``MOST_LINES`` lines pass, and none that has several lines. Warnings come first:
    ``RESERVED`` of these lines are theirs.

    """

    RESERVED = 6

    def __init__(self) -> None:
        super().__init__()
        self._lines = 0
        self._running = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record goes to the screen."""
        text = record.getMessage()
        if getattr(record, "file_only", False) or text.startswith(NOISE):
            return False
        self._running = self._running or text.startswith(("Iter(", "Epoch("))
        if self._running or record.levelno >= logging.ERROR:
            return True
        lines, warns = text.count("\n") + 1, record.levelno >= logging.WARNING
        if lines > 1 and not warns:
            return False
        shown = self._lines + lines <= MOST_LINES - (0 if warns else self.RESERVED)
        self._lines += lines if shown else 0
        return shown


class ConsoleRunner(Runner):
    """A Runner whose log is short on the screen. The file in its work dir has all of it."""

    def build_logger(self, *args: Any, **kwargs: Any) -> Any:
        """Build mmengine's logger, and give the handler that prints a ``ConsoleFilter``."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler and not any(
                isinstance(one, ConsoleFilter) for one in handler.filters
            ):
                handler.addFilter(ConsoleFilter())
        return logger

    def load_checkpoint(self, *args: Any, **kwargs: Any) -> Any:
        """Load a checkpoint. mmengine would also print the name of its function, garbled."""
        with redirect_stdout(StringIO()):  # the logger keeps the stream that it was made with
            return super().load_checkpoint(*args, **kwargs)
