"""The SQLite file of a study. Each transaction is complete on the disk before a rater hears of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from i2vkit.errors import DataError

FILE, MEDIA = "study.sqlite", "media"
FORMAT = 1
PREFERENCE, RATING = "preference", "rating"
ASPECTS = {PREFERENCE: ("preferred",), RATING: ("realistic", "spatially_consistent", "temporally_consistent")}

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- The model of a reference, and that of a spoiled video, is NULL.
CREATE TABLE videos (id INTEGER PRIMARY KEY, clip TEXT NOT NULL, model TEXT, file TEXT NOT NULL UNIQUE);
-- A rating has no second video. The right answer of an attention check is the first video, or "no".
CREATE TABLE questions (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, first INTEGER NOT NULL REFERENCES videos,
    second INTEGER REFERENCES videos, reference INTEGER REFERENCES videos, is_check INTEGER NOT NULL
);
CREATE TABLE raters (
    id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, nonce TEXT NOT NULL UNIQUE, known_as TEXT UNIQUE,
    code TEXT NOT NULL, joined REAL NOT NULL, seen REAL NOT NULL
);
-- "swapped" shows the first video on the right. Media have a token for each showing, so none can be recognised.
CREATE TABLE assignments (
    id INTEGER PRIMARY KEY, rater INTEGER NOT NULL REFERENCES raters, position INTEGER NOT NULL,
    question INTEGER NOT NULL REFERENCES questions, swapped INTEGER NOT NULL, token TEXT NOT NULL UNIQUE,
    shown REAL, UNIQUE (rater, position), UNIQUE (rater, question)
);
CREATE TABLE showings (
    token TEXT PRIMARY KEY, assignment INTEGER NOT NULL REFERENCES assignments, place TEXT NOT NULL,
    video INTEGER NOT NULL REFERENCES videos, UNIQUE (assignment, place)
) WITHOUT ROWID;
CREATE TABLE answers (
    assignment INTEGER NOT NULL REFERENCES assignments, aspect TEXT NOT NULL, value TEXT NOT NULL,
    answered REAL NOT NULL, seconds REAL, PRIMARY KEY (assignment, aspect)
) WITHOUT ROWID;
CREATE INDEX assignments_by_question ON assignments (question);
"""


class Store:
    """The database of one study. Threads and processes may use it at the same time.

    Args:
        folder: The folder of the study.

    Raises:
        DataError: There is no study, or one of another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / FILE).is_file():
            raise DataError(f"there is no study in {self.folder.absolute()}: make one with `i2v study create`")
        try:
            self.settings = self._settings()
        except (sqlite3.DatabaseError, ValueError) as error:
            raise DataError(f"{self.folder / FILE} is no study that this version reads: {error}") from error
        if self.settings.get("format") != FORMAT:
            raise DataError(f"{self.folder / FILE} is of another version of i2vkit: use that one")

    def _settings(self) -> dict[str, Any]:
        with self.reading() as database:
            return {row["name"]: json.loads(row["value"]) for row in database.execute("SELECT * FROM settings")}

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for questions that change nothing."""
        with closing(_connect(self.folder / FILE)) as database:
            yield database

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction, which is stored when the body ends well and undone otherwise."""
        with closing(_connect(self.folder / FILE)) as database:
            # Taken at once: a transaction that begins as a reader fails if another writes in between.
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.rollback()
                raise
            database.commit()

    def media_file(self, name: str) -> Path:
        """Return the path of a video of the study."""
        return self.folder / MEDIA / name


def make_database(path: Path, settings: dict[str, Any]) -> None:
    """Write an empty database with its settings."""
    with closing(_connect(path)) as database:
        database.executescript(_SCHEMA)
        rows = [(name, json.dumps(value)) for name, value in (settings | {"format": FORMAT}).items()]
        database.executemany("INSERT INTO settings VALUES (?, ?)", rows)
        database.commit()


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection that waits for other writers, and survives a cut of power after each commit."""
    database = sqlite3.connect(path, timeout=60)
    database.row_factory = sqlite3.Row
    try:
        database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
    except sqlite3.DatabaseError:  # a file of another kind
        database.close()
        raise
    database.isolation_level = None  # transactions begin where this module says so
    return database
