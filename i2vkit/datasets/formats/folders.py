"""Helpers that the readers share: listing folders, and the error for missing data."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from i2vkit.errors import DataError

_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")


def subfolders(folder: Path) -> list[Path]:
    """List the folders in ``folder`` by name, without hidden ones. The list is empty if ``folder`` does not exist."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def files_below(root: Path, depth: int, *, skip: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield the files in ``root`` and in the folders down to ``depth`` below it, upper ones first, by name.

    Hidden files and folders are left out, and so are folders named in ``skip``.
    """
    level = [root] if root.is_dir() else []
    for _ in range(depth + 1):
        for folder in level:
            yield from sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
        level = [child for folder in level for child in subfolders(folder) if child.name not in skip]


def find_sidecar_folder(start: Path, root: Path, name: str) -> Path:
    """Find the folder ``name`` in ``root``, or else the nearest up to six levels above ``start``.

    Folders beside the raw data (landmarks, truth) are found this way from any level of the data that you give as
    ``root``.

    Returns:
        The folder, or ``root / name`` if there is none.
    """
    for folder in (root, *start.absolute().parents[:6]):
        if (folder / name).is_dir():
            return folder / name
    return root / name


def check_listed(table: Path, files: Iterable[Path], advice: str) -> None:
    """Raise ``DataError`` unless all ``files`` that ``table`` lists exist."""
    files = list(files)
    missing = [file for file in files if not file.exists()]
    if missing:
        raise DataError(
            f"{table} lists {len(files)} clips, {len(missing)} of which are not there, "
            f"{missing[0].relative_to(table.parent).as_posix()} for one.\n{advice}"
        )


def missing_data(looked_for: str, root: Path, advice: str) -> DataError:
    """Make the error for missing data: what was looked for and where, what is there instead, and what to do.

    If an archive is in ``root``, or up to two folders below, the message says that it seems not to be unpacked.
    """
    archives: list[Path] = []
    if not root.exists():
        found = "there is no such folder"
    elif not root.is_dir():
        found = "that is a file"
        archives = [root] if root.suffix.lower() in _ARCHIVES else []
    else:
        names = sorted(path.name + "/" * path.is_dir() for path in root.iterdir() if path.name[0] != ".")
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        found = f"found there: {', '.join(names[:8])}{more}" if names else "the folder is empty"
        archives = [path for path in files_below(root, 2) if path.suffix.lower() in _ARCHIVES]
    if archives:
        more = f" (and {len(archives) - 1} more)" if len(archives) > 1 else ""
        advice = f"The archive {archives[0].name}{more} seems not to be unpacked: unpack it and try again.\n{advice}"
    return DataError(f"no clips: looked for {looked_for} in {root.absolute()}, but {found}.\n{advice}".rstrip())
