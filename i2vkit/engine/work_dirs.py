"""Work dirs: the folders of trainings. A training touches its own, and names in it are resolved inside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os.path import isfile
from pathlib import Path

from i2vkit.errors import CheckpointError, ConfigError, I2VError, TrainingError


def inside(folder: str | Path, path: str | Path) -> Path:
    """Return the file of ``folder`` with the name of ``path``.

    Checkpoints and notes may hold the path of another folder, for instance from before the work dir was copied.

    >>> inside("work_dirs/copy", "/home/ann/work_dirs/original/iter_4.pth").as_posix()
    'work_dirs/copy/iter_4.pth'
    """
    return Path(folder) / str(path).replace("\\", "/").rpartition("/")[2]


def iteration_of(path: str | Path) -> int | None:
    """Return the iteration of a checkpoint ``iter_N.pth``, or None for other names.

    >>> iteration_of("work/iter_40.pth"), iteration_of("work/iter_last.pth")
    (40, None)
    """
    number = Path(path).stem.removeprefix("iter_")
    return int(number) if Path(path).name == f"iter_{number}.pth" and number.isdigit() else None


def checkpoints_in(folder: str | Path) -> list[Path]:
    """Return the checkpoints that a training left in ``folder``: the regular ones by iteration, then the best ones."""
    regular = [path for path in Path(folder).glob("iter_*.pth") if iteration_of(path) is not None]
    return sorted(regular, key=lambda path: iteration_of(path) or 0) + sorted(Path(folder).glob("best_*.pth"))


def latest_checkpoint(work_dir: str | Path) -> Path:
    """Return the checkpoint that a training in ``work_dir`` wrote last.

    ``last_checkpoint`` names it. The file is always one of ``work_dir``, even if the note has a path of another
    folder. If it is gone, or the note is cut, it is the highest ``iter_N.pth``.

    Raises:
        CheckpointError: There is none.
    """
    folder = Path(work_dir)
    note = folder / "last_checkpoint"
    if note.is_file() and (named := note.read_text(encoding="utf-8", errors="replace").strip()):
        path = inside(folder, named)
        if isfile(path):  # noqa: PTH113  unlike ``Path.is_file`` it is false for names that are too long
            return path
    saved = [path for path in checkpoints_in(folder) if iteration_of(path) is not None]
    if not saved:
        raise CheckpointError(f"nothing to resume: there is no checkpoint in {folder.absolute()}")
    return saved[-1]


def check_work_dir(work_dir: str | Path, resumed: str | Path | None = None) -> None:
    """Raise ``ConfigError`` if a training in ``work_dir`` would mix its files with those of another training.

    Args:
        work_dir: The folder of the training. It need not exist.
        resumed: The checkpoint from which the training goes on, if it does.
    """
    folder = Path(work_dir)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"the work dir {folder} is a file: give another --work-dir")
    if not (found := checkpoints_in(folder)):
        return
    if resumed is None:
        raise ConfigError(
            f"{folder} has checkpoints of an earlier training ({_few(found)}): go on with it (--resume), give another "
            f"--work-dir, or move or delete the folder"
        )
    if Path(resumed).resolve().parent != folder.resolve():
        raise ConfigError(
            f"{folder} has checkpoints of its own ({_few(found)}), and {resumed} is of another folder: give a new "
            f"--work-dir, or go on with those of the folder (--resume without a file)"
        )


@contextmanager
def disk_errors(work_dir: str | Path) -> Iterator[None]:
    """Turn an error of the disk in the body, for instance a full one, into a ``TrainingError`` that says what to do."""
    advice = f"The checkpoints in {work_dir} are whole: make room, and go on with --resume"
    with _named_disk_errors(TrainingError, work_dir, advice):
        yield


@contextmanager
def result_errors(out: str | Path) -> Iterator[None]:
    """Turn an error of the disk in the body into an ``I2VError`` about the results of a test in ``out``."""
    with _named_disk_errors(I2VError, out, "The results are not written: make room, and test again"):
        yield


@contextmanager
def _named_disk_errors(kind: type[I2VError], folder: str | Path, advice: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Not about the disk: raised by a library, or a worker that died (``engine/workers.py``).
        if error.errno is None or isinstance(error, ConnectionError):
            raise
        raise kind(
            f"{error.filename or f'a file in {folder}'} cannot be written or read: {error.strerror}. {advice}"
        ) from error


def _few(paths: list[Path]) -> str:
    """Return the names of at most three files, the last ones."""
    return ", ".join(["..."] * (len(paths) > 3) + [path.name for path in paths[-3:]])
