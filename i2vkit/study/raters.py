"""The part of a study that meets raters: it hands out questions, takes answers, and finds media by their tokens.

Each function is one transaction, so raters can come at the same time and the server can stop at any point.
"""

from __future__ import annotations

import random
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2vkit.errors import DataError
from i2vkit.study.store import ASPECTS, PREFERENCE, Store

RESERVED_SECONDS = 3600.0  # after which the open questions of a rater who went away are given to others
CHOICES = {PREFERENCE: ("left", "right")}
YES_OR_NO = ("yes", "no")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Progress:
    """The place of a rater in a study.

    Attributes:
        number: The number of the open question, from 1 on. It is ``total`` + 1 if there is none.
        total: The questions of this rater.
        question: The open question as the page gets it, or None.
        code: The code that proves the end, or None before it.
    """

    number: int
    total: int
    question: dict[str, Any] | None
    code: str | None


def join(store: Store, nonce: str, known_as: str | None = None) -> str | None:
    """Return the token of a rater, who gets questions at the first call.

    Args:
        store: The study.
        nonce: A random text of the page on which the rater began. A second click brings the same one, and the same
            rater.
        known_as: The name of the rater in another system. One name is one rater. By default there is none.

    Returns:
        The token, or None if no question is left that needs a rater.

    Raises:
        DataError: The name is too long.
    """
    if known_as is not None and not 0 < len(known_as) <= _LONGEST_NAME:
        raise DataError(f"the name of a rater has 1 to {_LONGEST_NAME} letters")
    with store.writing() as database:
        found = database.execute(
            "SELECT token FROM raters WHERE nonce = ? OR known_as = ?", (nonce, known_as)
        ).fetchone()
        if found:
            return found["token"]
        chosen = _choose_questions(database, store.settings)
        if not chosen:
            return None
        token, now = secrets.token_urlsafe(16), time.time()
        rater = database.execute(
            "INSERT INTO raters (token, nonce, known_as, code, joined, seen) VALUES (?, ?, ?, ?, ?, ?)",
            (token, nonce, known_as, secrets.token_hex(4), now, now),
        ).lastrowid
        for position, question in enumerate(chosen):
            _assign(database, int(rater or 0), position, question)
        return token


def _choose_questions(database: sqlite3.Connection, settings: dict[str, Any]) -> list[sqlite3.Row]:
    """Return the questions of a new rater in their order, those first that have the fewest raters."""
    order = random.SystemRandom()
    # A question counts as taken if it is answered, or open at a rater who was here within the last hour.
    rows = database.execute(
        """SELECT questions.*, COUNT(CASE WHEN raters.seen > ? OR answers.assignment IS NOT NULL
               THEN assignments.id END) AS taken
           FROM questions LEFT JOIN assignments ON assignments.question = questions.id
           LEFT JOIN raters ON raters.id = assignments.rater
           LEFT JOIN (SELECT DISTINCT assignment FROM answers) AS answers ON answers.assignment = assignments.id
           GROUP BY questions.id""",
        (time.time() - RESERVED_SECONDS,),
    ).fetchall()
    open_ones = [row for row in rows if not row["is_check"] and row["taken"] < settings["raters"]]
    order.shuffle(open_ones)
    chosen = sorted(open_ones, key=lambda row: row["taken"])[: settings["questions"]]
    if not chosen:
        return []
    order.shuffle(chosen)
    for check in (row for row in rows if row["is_check"]):
        chosen.insert(order.randint(min(1, len(chosen)), len(chosen)), check)  # never the first
    return chosen


def _assign(database: sqlite3.Connection, rater: int, position: int, question: sqlite3.Row) -> None:
    """Give a rater one question, with its sides and with tokens that nobody else has."""
    swapped = question["second"] is not None and secrets.randbelow(2) == 1
    assignment = database.execute(
        "INSERT INTO assignments (rater, position, question, swapped, token) VALUES (?, ?, ?, ?, ?)",
        (rater, position, question["id"], int(swapped), secrets.token_urlsafe(16)),
    ).lastrowid
    sides = [question["second"], question["first"]] if swapped else [question["first"], question["second"]]
    places = dict(zip(("left", "right"), sides, strict=True)) | {"reference": question["reference"]}
    database.executemany(
        "INSERT INTO showings VALUES (?, ?, ?, ?)",
        [(secrets.token_urlsafe(16), assignment, place, video) for place, video in places.items() if video is not None],
    )


def progress(store: Store, rater: str) -> Progress:
    """Return the place of a rater, and note that the open question is shown.

    Raises:
        DataError: There is no such rater.
    """
    with store.writing() as database:
        return _progress(database, rater)


def _progress(database: sqlite3.Connection, token: str) -> Progress:
    rater = database.execute("SELECT * FROM raters WHERE token = ?", (token,)).fetchone()
    if rater is None:
        raise DataError("there is no rater of this address")
    now = time.time()
    database.execute("UPDATE raters SET seen = ? WHERE id = ?", (now, rater["id"]))
    rows = database.execute(
        """SELECT assignments.*, kind, EXISTS (SELECT 1 FROM answers WHERE assignment = assignments.id) AS done
           FROM assignments JOIN questions ON questions.id = question WHERE rater = ? ORDER BY position""",
        (rater["id"],),
    ).fetchall()
    current = next((row for row in rows if not row["done"]), None)
    if current is None:
        return Progress(len(rows) + 1, len(rows), None, rater["code"])
    database.execute("UPDATE assignments SET shown = coalesce(shown, ?) WHERE id = ?", (now, current["id"]))
    media = database.execute("SELECT place, token FROM showings WHERE assignment = ?", (current["id"],))
    question = {
        "token": current["token"],
        "kind": current["kind"],
        "media": {row["place"]: row["token"] for row in media},
    }
    return Progress(sum(row["done"] for row in rows) + 1, len(rows), question, None)


def answer(store: Store, rater: str, question: str, given: dict[str, Any]) -> Progress:
    """Store the answer to a question, and return the place of the rater after it.

    The first answer holds. The same question again, as of a double click or after a broken connection, changes nothing.

    Args:
        store: The study.
        rater: The token of the rater.
        question: The token of the question.
        given: "left" or "right" under "preferred", or "yes" or "no" under each aspect of a rating.

    Raises:
        DataError: There is no such rater or question, or the answer is none to it.
    """
    with store.writing() as database:
        row = database.execute(
            """SELECT assignments.id, assignments.shown, kind FROM assignments JOIN questions ON questions.id = question
               JOIN raters ON raters.id = rater WHERE assignments.token = ? AND raters.token = ?""",
            (question, rater),
        ).fetchone()
        if row is None:
            raise DataError("there is no question of this address")
        aspects, choices = ASPECTS[row["kind"]], CHOICES.get(row["kind"], YES_OR_NO)
        if set(given) != set(aspects) or any(value not in choices for value in given.values()):
            raise DataError(f"the answer is {' or '.join(choices)} for each of: {', '.join(aspects)}")
        now = time.time()
        seconds = None if row["shown"] is None else now - row["shown"]
        database.executemany(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(row["id"], aspect, given[aspect], now, seconds) for aspect in aspects],
        )
        return _progress(database, rater)


def media_file(store: Store, token: str) -> Path | None:
    """Return the video of a token, or None if there is none."""
    with store.reading() as database:
        found = database.execute(
            "SELECT file FROM showings JOIN videos ON videos.id = video WHERE token = ?", (token,)
        ).fetchone()
    return None if found is None else store.media_file(found["file"])
