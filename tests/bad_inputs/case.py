"""One bad input, and the ways in which it can end."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from i2vkit.errors import I2VError


@dataclass(frozen=True)
class Case:
    """A bad input.

    Args:
        kind: Its group in the table.
        name: The input, for the name of the test.
        run: Gives it to i2vkit, in an empty folder.
        message: A text that the message must hold.
    """

    kind: str
    name: str
    run: Callable[[Path], object]
    message: str


def ending(case: Case, folder: Path) -> tuple[str, str]:
    """Return how a case ends, and the message: "clear", "other" (clear, but another one), "traceback" or "silent"."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(io.StringIO()):
            case.run(folder)
    except I2VError as error:
        text = str(error)
    except SystemExit as stop:
        if stop.code not in (1, 2):
            return "silent", printed.getvalue()
        text = " ".join(printed.getvalue().split())
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    else:
        return "silent", ""
    return ("clear" if case.message in text else "other"), text
