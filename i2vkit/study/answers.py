"""The answers of a study as rows, with the names of models, and their export as CSV and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path
from i2vkit.study.store import PREFERENCE, Store


@dataclass(frozen=True)
class Answer:
    """One answer of one rater.

    Attributes:
        rater: The number of the rater, from 1 on. It says nothing about the person.
        known_as: The name of the rater in another system, if one was given.
        question: The number of the question, the same for all raters.
        position: Its place in the order of this rater, from 1 on.
        kind: "preference" or "rating".
        aspect: "preferred", "realistic", "spatially_consistent" or "temporally_consistent".
        clip: The name of the clip.
        first: The model of the first video. Empty in an attention check.
        second: The model of the second video. Empty for a rating and in an attention check.
        left: The model that was shown on the left. Empty as ``second``.
        value: "first" or "second", the preferred one, or "yes" or "no".
        is_check: True for an attention check.
        passed: True if an attention check was answered rightly. None for other questions.
        answered: The time in UTC.
        seconds: From the moment at which the question was first sent to the answer.
    """

    rater: int
    known_as: str
    question: int
    position: int
    kind: str
    aspect: str
    clip: str
    first: str
    second: str
    left: str
    value: str
    is_check: bool
    passed: bool | None
    answered: str
    seconds: float | None


def answers_of(store: Store) -> list[Answer]:
    """Return all answers of a study, rater by rater in the order of their questions."""
    with store.reading() as database:
        rows = database.execute(
            """SELECT raters.id AS rater, known_as, question, position, kind, aspect, value, swapped, is_check,
               answered, seconds, a.clip AS clip, a.model AS first, b.model AS second
               FROM answers JOIN assignments ON assignments.id = assignment JOIN raters ON raters.id = rater
               JOIN questions ON questions.id = question JOIN videos AS a ON a.id = questions.first
               LEFT JOIN videos AS b ON b.id = questions.second ORDER BY raters.id, position, aspect"""
        ).fetchall()
    made = []
    for row in rows:
        value, is_pair = row["value"], row["kind"] == PREFERENCE
        first, second = ("", "") if row["is_check"] else (row["first"] or "", row["second"] or "")
        if is_pair:
            value = "first" if (value == "left") != bool(row["swapped"]) else "second"
        right = "first" if is_pair else "no"  # nobody prefers a spoiled video, or takes it for real
        checked = row["is_check"] and row["aspect"] in ("preferred", "realistic")
        made.append(
            Answer(
                rater=row["rater"],
                known_as=row["known_as"] or "",
                question=row["question"],
                position=row["position"] + 1,
                kind=row["kind"],
                aspect=row["aspect"],
                clip=row["clip"],
                first=first,
                second=second,
                left=(second if row["swapped"] else first) if is_pair else "",
                value=value,
                is_check=bool(row["is_check"]),
                passed=value == right if checked else None,
                answered=datetime.fromtimestamp(row["answered"], UTC).isoformat(timespec="milliseconds"),
                seconds=None if row["seconds"] is None else round(row["seconds"], 3),
            )
        )
    return made


def export_answers(answers: Sequence[Answer], out: str | Path) -> Path:
    """Write answers to a ``.csv`` or ``.json`` file, completely or not at all, and return its path.

    Raises:
        ConfigError: The file has another suffix.
    """
    out = Path(out)
    rows = [asdict(answer) for answer in answers]
    if out.suffix.lower() not in (".csv", ".json"):
        raise ConfigError(f"{out}: answers are exported as .csv or .json")
    with atomic_path(out) as temporary:
        if out.suffix.lower() == ".json":
            temporary.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        else:
            with temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, [field.name for field in fields(Answer)])
                writer.writeheader()
                writer.writerows(rows)
    return out
