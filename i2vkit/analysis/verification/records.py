"""What a stage found, written to a file as soon as it is known."""

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
    """The results of one stage, by name. A check that raises is a result too, and the next one goes on.

    Args:
        path: of the JSON file, which is written anew after every result, whole or not at all.
        clock: seconds, rising.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self._clock = Path(path), clock
        self.results: dict[str, Any] = {}

    def measure(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do ``work``, keep what it returns under ``name`` with its ``seconds``, or the ``error`` that it raised."""
        begin = self._clock()
        try:
            found = work()
        except Exception as error:  # whatever a new machine makes of it is what the report is for
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
