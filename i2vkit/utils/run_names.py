"""Unique names for mmengine's runs."""

from itertools import count

_NUMBERS = count()


def run_name(stem: str) -> str:
    """Return ``stem`` with the number of the run in this process.

    mmengine only adds the second in which a run starts, so two runs of one name could share a logger.
    """
    return f"{stem}_{next(_NUMBERS)}"
