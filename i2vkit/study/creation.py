"""The folder of a new study: its videos, and the questions that are asked about them."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.errors import ConfigError, DataError
from i2vkit.study.store import FILE, MEDIA, PREFERENCE, RATING, make_database
from i2vkit.study.videos import clips_of, common_clips, write_clip, write_spoiled


@dataclass(frozen=True)
class StudyPlan:
    """The choices of a study.

    Args:
        kinds: "preference" (which of two videos is more realistic), "rating" (one video, three questions answered by
            yes or no), or both.
        against: Compare this model with each of the others, and no others with each other. By default all pairs.
        clips: The number of clips, drawn at random. By default all that every model has made.
        questions: The most questions for one rater, without attention checks. Default 20.
        raters: The raters that each question is to get. Default 3.
        checks: Attention checks for one rater: a spoiled video that nobody can prefer. Default 2.
        title: The heading of the pages. Raters see it, so it should not tell what is compared.
        seed: The seed of the clips and of the attention checks. Default 0.
    """

    kinds: tuple[str, ...] = (PREFERENCE,)
    against: str | None = None
    clips: int | None = None
    questions: int = 20
    raters: int = 3
    checks: int = 2
    title: str = "Which video looks more real?"
    seed: int = 0


def create_study(
    models: Mapping[str, Path], out: str | Path, plan: StudyPlan | None = None, references: Path | None = None
) -> dict[str, int]:
    """Make the folder of a study, completely or not at all.

    Args:
        models: The videos of each model by its name, see ``clips_of``.
        out: The folder, which must not exist or be empty.
        plan: The choices. By default those of ``StudyPlan``.
        references: A folder of videos with the names of the clips, shown above each question, for instance the
            driving videos (DTGAN, sec. 4.3). By default nothing is shown there.

    Returns:
        The numbers of "clips", of clips "left_out" because a model has not made them, and of "questions".

    Raises:
        ConfigError: Too few models, or an unknown one to compare with.
        DataError: No clip was made by all models, a reference is missing, or the folder is not empty.
        MediaError: A video cannot be read.
    """
    plan, out = plan or StudyPlan(), Path(out)
    _check_plan(models, plan, out)
    found = {name: clips_of(path) for name, path in models.items()}
    common = common_clips(found)
    rng = random.Random(plan.seed)
    shown = common if plan.clips is None else sorted(rng.sample(common, min(plan.clips, len(common))))
    given = {} if references is None else clips_of(references)
    if missing := [name for name in shown if references is not None and name not in given]:
        raise DataError(f"{references} has no video named {missing[0]} ({len(missing)} are missing)")
    out.parent.mkdir(parents=True, exist_ok=True)
    building = out.with_name(f".{out.name}.{random.SystemRandom().getrandbits(32):08x}")
    try:
        (building / MEDIA).mkdir(parents=True)
        settings = {
            "id": f"{random.SystemRandom().getrandbits(64):016x}",
            "title": plan.title,
            "questions": plan.questions,
            "raters": plan.raters,
            "checks": plan.checks,
            "models": list(models),
        }
        make_database(building / FILE, settings)
        with closing(sqlite3.connect(building / FILE)) as database:
            count = _Writer(database, building / MEDIA, found, given).write(shown, plan, rng)
            fewer = "UPDATE settings SET value = ? WHERE name = 'questions'"
            database.execute(fewer, (str(min(plan.questions, count)),))
            database.commit()
        if out.is_dir():
            out.rmdir()  # it is empty, as was checked
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    left_out = len(set().union(*found.values())) - len(common)
    return {"clips": len(shown), "left_out": left_out, "questions": count}


def _check_plan(models: Mapping[str, Path], plan: StudyPlan, out: Path) -> None:
    """Check everything that needs no video."""
    if len(models) < (2 if PREFERENCE in plan.kinds else 1):
        raise ConfigError("a preference is one between two models or more: give NAME=PATH for each")
    if plan.against is not None and plan.against not in models:
        raise ConfigError(f"--against {plan.against} is none of the models: {', '.join(models)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} exists and is not empty: choose another folder, or delete this one")


class _Writer:
    """A writer of videos and questions into a new study."""

    def __init__(
        self,
        database: sqlite3.Connection,
        media: Path,
        models: Mapping[str, Mapping[str, ClipRecord]],
        references: Mapping[str, ClipRecord],
    ) -> None:
        self.database, self.media, self.models, self.references = database, media, models, references

    def write(self, clips: Sequence[str], plan: StudyPlan, rng: random.Random) -> int:
        """Write everything, and return the number of questions without attention checks."""
        pairs = list(combinations(self.models, 2))
        if plan.against is not None:
            pairs = [(plan.against, name) for name in self.models if name != plan.against]
        count = 0
        for clip in clips:
            made = {
                name: self._video(clip, name, write_clip(own[clip], self.media)) for name, own in self.models.items()
            }
            reference = self._reference(clip)
            asked: list[tuple[str, int, int | None]] = []
            if PREFERENCE in plan.kinds:
                asked += [(PREFERENCE, made[first], made[second]) for first, second in pairs]
            if RATING in plan.kinds:
                asked += [(RATING, video, None) for video in made.values()]
            for kind, first, second in asked:
                self._question(kind, first, second, reference, is_check=False)
            count += len(asked)
        for number in range(plan.checks):
            self._check(rng.choice(clips), plan.kinds[number % len(plan.kinds)], rng)
        return count

    def _check(self, clip: str, kind: str, rng: random.Random) -> None:
        """Write one attention check about a spoiled video of a clip."""
        record = self.models[rng.choice(list(self.models))][clip]
        bad = self._video(clip, None, write_spoiled(record, self.media, rng.getrandbits(32)))
        # A check gets files of its own, since a rater would recognise a file that is in two questions.
        reference = self._reference(clip)
        if kind == RATING:
            self._question(kind, bad, None, reference, is_check=True)
        else:
            good = self._video(clip, None, write_clip(record, self.media))
            self._question(kind, good, bad, reference, is_check=True)

    def _reference(self, clip: str) -> int | None:
        if clip not in self.references:
            return None
        return self._video(clip, None, write_clip(self.references[clip], self.media))

    def _video(self, clip: str, model: str | None, file: str) -> int:
        insert = "INSERT INTO videos (clip, model, file) VALUES (?, ?, ?)"
        return int(self.database.execute(insert, (clip, model, file)).lastrowid or 0)

    def _question(self, kind: str, first: int, second: int | None, reference: int | None, is_check: bool) -> None:
        self.database.execute(
            "INSERT INTO questions (kind, first, second, reference, is_check) VALUES (?, ?, ?, ?, ?)",
            (kind, first, second, reference, int(is_check)),
        )
