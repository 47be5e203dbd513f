"""What the layouts share: listing folders, reading tables, and the message for data that are not there."""

import csv
from pathlib import Path

from i2vkit.errors import DataError


def subfolders(folder: Path) -> list[Path]:
    """List the folders in ``folder`` by name, without hidden ones; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV file with a header as one dictionary a row; spaces around values and empty values are dropped.

    Raises ``DataError`` if one of ``columns`` is missing, from the header or from a row.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets put a byte order mark first
        table = csv.DictReader(file, skipinitialspace=True)
        rows = [{key: value.strip() for key, value in row.items() if key and value and value.strip()} for row in table]
    missing = [name for name in columns if name not in (table.fieldnames or [])]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}; its header is {table.fieldnames}")
    for number, row in enumerate(rows, start=2):
        for name in columns:
            if name not in row:
                raise DataError(f"{path}, line {number}: {name} is empty")
    return rows


def whole_number(row: dict[str, str], name: str, path: Path) -> int | None:
    """Read column ``name`` of a row of ``path``; ``None`` if it is empty. Raises ``DataError`` if it is no number."""
    try:
        return int(row[name]) if name in row else None
    except ValueError as error:
        raise DataError(f"{path}: {name} must be a whole number, got {row[name]!r}") from error


def check_listed(table: Path, names: list[str], advice: str) -> None:
    """Raise ``DataError`` unless all ``names`` that ``table`` lists, relative to its folder, exist."""
    missing = [name for name in names if not (table.parent / name).exists()]
    if missing:
        raise DataError(
            f"{table} lists {len(names)} clips, {len(missing)} of which are not there, {missing[0]} for one.\n{advice}"
        )


def missing_data(looked_for: str, root: Path, advice: str) -> DataError:
    """Make the error for data that are not there: what was looked for, where, what is there instead, what to do."""
    if not root.exists():
        found = "there is no such folder"
    elif not root.is_dir():
        found = "that is a file"
    else:
        names = sorted(path.name + "/" * path.is_dir() for path in root.iterdir())
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        found = f"found there: {', '.join(names[:8])}{more}" if names else "the folder is empty"
    return DataError(f"no clips: looked for {looked_for} in {root.absolute()}, but {found}.\n{advice}".rstrip())
