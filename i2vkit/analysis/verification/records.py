"""Records of a stage's results, written to a file after each result."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from i2vkit.media import atomic_path

PASSED, FAILED = "passed", "failed"


class Record:
    """The results of one stage by name. A check that raises an error is a result too, and the next check follows.

    Args:
        path: The path of the JSON file. It is replaced after every result, so it is never incomplete.
        clock: A function that returns seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self._clock = Path(path), clock
        self.results: dict[str, Any] = {}

    def measure(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do ``work`` and store its result under ``name`` with its ``seconds``, or with the ``error`` it raised."""
        begin = self._clock()
        try:
            found = work()
        except Exception as error:  # any error on a new machine belongs into the report
            found = {
                PASSED: False,
                "error": f"{type(error).__name__}: {error}"[:2000],
                "traceback": traceback.format_exc()[-4000:],
            }
        self.results[name] = found | {"seconds": round(self._clock() - begin, 2)}
        self.write()
        return self.results[name]

    def write(self) -> None:
        """Write the file."""
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(self.results, indent=1) + "\n", encoding="utf-8")
