"""Names under which mmengine keeps what belongs to a run."""

from itertools import count

_NUMBERS = count()


def run_name(stem: str) -> str:
    """``stem`` with the number of the run in this process.

    mmengine adds the second in which a run starts and nothing else, and two runs of one name would share a logger.
    """
    return f"{stem}_{next(_NUMBERS)}"
