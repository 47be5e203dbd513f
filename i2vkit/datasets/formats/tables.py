"""Tables of clips in CSV files, which users write by hand, with pandas or with a spreadsheet.

Every message names the file and the line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path, PureWindowsPath

from i2vkit.errors import DataError
from i2vkit.values import range_of

_SHOWN = 10  # mistakes in one message
# Columns that readers know. Others may be there, but a name that is nearly one of these is a slip.
KNOWN_COLUMNS = ("path", "person", "label", "num_frames", "fps", "landmarks", "joints", "boxes", "maps")


class Row(dict[str, str]):
    """The values of one row by column, without those that are empty.

    Attributes:
        place: The file and the line, for messages.
    """

    def __init__(self, values: dict[str, str], place: str = "") -> None:
        super().__init__(values)
        self.place = place

    def error(self, text: str) -> DataError:
        """Return the error for a mistake in this row."""
        return DataError(f"{self.place}: {text}" if self.place else text)

    def whole_number(self, name: str) -> int | None:
        """Return column ``name`` as a whole number in the range of that name, or None if it is empty.

        "25.0", as pandas writes beside empty cells, is 25.

        Raises:
            DataError: It is no whole number, or out of range.
        """
        numbers = range_of(name)
        if (value := self._number(name, "a whole number")) is None:
            return None
        if value != int(value) or (numbers is not None and not numbers.holds(int(value))):
            raise self.error(f"{name} must be {numbers.text if numbers else 'a whole number'}, got {self[name]!r}")
        return int(value)

    def rate(self, name: str) -> float | None:
        """Return column ``name`` as a number in the range of that name, or None if it is empty.

        Raises:
            DataError: It is no number, or out of range.
        """
        numbers, value = range_of(name), self._number(name, "a number")
        if value is not None and numbers is not None and not numbers.holds(value):
            raise self.error(f"{name} must be {numbers.text}, got {self[name]!r}")
        return value

    def _number(self, name: str, kind: str) -> float | None:
        if name not in self:
            return None
        try:
            value = float(self[name])
        except ValueError:
            raise self.error(f"{name} must be {kind}, got {self[name]!r}") from None
        if value - value != 0:  # infinite, or NaN
            raise self.error(f"{name} must be {kind}, got {self[name]!r}")
        return value

    def file_below(self, name: str, root: Path) -> Path:
        """Return column ``name`` as a path below ``root``.

        Raises:
            DataError: It is absolute, leads out of ``root``, or is written with backslashes.
        """
        text = self[name]
        path = Path(text)
        if path.is_absolute() or PureWindowsPath(text).drive or text.startswith("~"):
            raise self.error(f"{name} is relative to {root}, not the absolute path {text!r}")
        if "\\" in text and not (root / path).exists():
            raise self.error(f"{name} is written with /, not with \\: {text.replace(chr(92), '/')!r} for {text!r}")
        if "\0" in text:
            raise self.error(f"{name} holds a zero byte: {text!r}")
        depth = 0 if path.parts else -1
        for part in path.parts:
            depth += -1 if part == ".." else 1
            if depth < 1:
                break
        if depth < 1:
            raise self.error(f"{name} leads out of {root}: {text!r}")
        return root / path


def read_rows(path: Path, columns: Iterable[str]) -> list[Row]:
    """Read a CSV file with a header. Spaces around values, empty values and empty lines are dropped.

    Args:
        path: The file, in UTF-8, with or without a byte order mark.
        columns: Columns that the header and every row must have.

    Raises:
        DataError: The file is empty, in another encoding or no CSV, a column is missing, misspelt or there twice, or a
            row has more or fewer values than the header.
    """
    columns = tuple(columns)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines += ((reader.line_num, [value.strip() for value in row]) for row in reader if any(map(str.strip, row)))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    if not lines:
        raise DataError(f"{path} is empty; its first line must name the columns, {', '.join(columns)} among them")
    (_, header), *rest = lines
    if missing := [name for name in columns if name not in header]:
        other = next((mark for mark in (";", "\t") if mark in header[0]), None)
        advice = f". Separate the columns by commas, not by {other!r}" if other and len(header) == 1 else ""
        raise DataError(f"{path} has no column {', '.join(missing)}; its header is {header}{advice}")
    for name in header:
        near = get_close_matches(name, KNOWN_COLUMNS, n=1, cutoff=0.8)
        if near and name not in (*KNOWN_COLUMNS, *columns) and near[0] not in header:
            raise DataError(f"{path} has a column {name!r}, which nothing reads; nearest: {near[0]}")
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise DataError(f"{path} has two columns {twice[0]}")
    return check_rows([_row(path, line, values, header, columns) for line, values in rest])


def _row(path: Path, line: int, values: list[str], header: list[str], columns: tuple[str, ...]) -> Row | DataError:
    """Return one row, or the mistake in it."""
    row = Row(
        {name: value for name, value in zip(header, values, strict=False) if name and value}, f"{path}, line {line}"
    )
    if len(values) != len(header) and (len(values) < len(header) or any(values[len(header) :])):
        return row.error(f"it has {len(values)} values, and the header names {len(header)} columns")
    if control := [name for name, value in row.items() if any(character in value for character in "\n\r\t\0")]:
        return row.error(f"{control[0]} has a line break, a tab or a zero byte in it: {row[control[0]]!r}")
    empty = [name for name in columns if name not in row]
    return row.error(f"{empty[0]} is empty") if empty else row


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, without a byte order mark.

    Raises:
        DataError: It has another encoding, or is no file.
    """
    if path.is_symlink() and not path.exists():
        raise DataError(f"{path} is a link to a file that is not there: mend or remove it")
    if not path.is_file():
        raise DataError(f"{path} is no file: a folder or pipe of that name must go")
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is written in UTF-16: save it as CSV in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: it is not written in UTF-8 (byte {data[error.start]:#04x}): save it as CSV in UTF-8"
        ) from error


def check_rows(found: list[Row | DataError]) -> list[Row]:
    """Return the rows if none of them is a mistake.

    Raises:
        DataError: With all mistakes, at most ten of them in words.
    """
    faults = [str(entry) for entry in found if isinstance(entry, DataError)]
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise DataError("\n".join([*faults[:_SHOWN], *more]))
    return [entry for entry in found if isinstance(entry, Row)]


def check_each(rows: list[Row], check: Callable[[Row], object]) -> None:
    """Call ``check`` with every row.

    Raises:
        DataError: It has raised for some of the rows. The message lists their mistakes.
    """
    found: list[Row | DataError] = []
    for row in rows:
        try:
            check(row)
        except DataError as error:
            found.append(error)
    check_rows(found)
