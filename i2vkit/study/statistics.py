"""Statistics of a study: shares with 95 % intervals over raters, and the agreement of raters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy.stats import binomtest

from i2vkit.evaluation.statistics import LEVEL, bootstrap_interval
from i2vkit.study.answers import Answer


@dataclass(frozen=True)
class Share:
    """The share of one answer, over raters and clips.

    Attributes:
        kind: "preference" or "rating".
        aspect: The question, as in ``Answer``.
        model: The preferred, or the rated, model.
        other: The model that it is compared with. Empty for a rating.
        share: The share of the answers in which ``model`` was preferred, or that say yes, in [0, 1].
        low: The lower bound of its 95 % interval.
        high: The upper bound. Both are None with a single rater.
        answers: The number of answers.
        raters: The number of raters.
        clips: The number of clips.
        agreement: The share of pairs of raters of one question who answered alike, or None without such pairs.
        alpha: Krippendorff's alpha, or None if it is not defined: no question has two raters, or all answers are alike.
    """

    kind: str
    aspect: str
    model: str
    other: str
    share: float
    low: float | None
    high: float | None
    answers: int
    raters: int
    clips: int
    agreement: float | None
    alpha: float | None


def attentive(answers: Sequence[Answer], missed: int = 0) -> tuple[list[Answer], list[int]]:
    """Return the answers of attentive raters without those to attention checks, and the raters that are left out.

    Args:
        answers: All answers.
        missed: The attention checks that a rater may answer wrongly. Default 0.
    """
    wrong: dict[int, int] = defaultdict(int)
    for answer in answers:
        wrong[answer.rater] += answer.passed is False
    left_out = sorted(rater for rater, count in wrong.items() if count > missed)
    return [a for a in answers if not a.is_check and a.rater not in left_out], left_out


def shares(answers: Sequence[Answer]) -> list[Share]:
    """Return the share of each pair of models, then that of each model and aspect of a rating.

    Args:
        answers: Answers without attention checks, see ``attentive``.
    """

    def key(answer: Answer) -> tuple[str, str, str, str]:
        return answer.kind, answer.aspect, answer.first, answer.second

    return [
        _share(*group, list(members))
        for group, members in groupby(sorted(answers, key=key), key)  # "preference" comes before "rating"
    ]


def _share(kind: str, aspect: str, model: str, other: str, answers: list[Answer]) -> Share:
    votes = [float(answer.value in ("first", "yes")) for answer in answers]
    raters = [answer.rater for answer in answers]
    low, high = clustered_interval(votes, raters)
    questions = [answer.question for answer in answers]
    return Share(
        kind=kind,
        aspect=aspect,
        model=model,
        other=other,
        share=sum(votes) / len(votes),
        low=low,
        high=high,
        answers=len(votes),
        raters=len(set(raters)),
        clips=len({answer.clip for answer in answers}),
        agreement=agreement(votes, questions),
        alpha=krippendorff_alpha(votes, raters, questions),
    )


def clustered_interval(votes: Sequence[float], raters: Sequence[int]) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a share, with raters drawn as a whole (bootstrap).

    If all votes are alike, every draw is alike too and says nothing. The interval is then the exact one of
    Clopper and Pearson in which each rater counts once.

    Args:
        votes: 0 or 1, one for each answer.
        raters: The rater of each answer.

    >>> low, high = clustered_interval([1, 1, 1, 1], [1, 1, 2, 2])
    >>> round(low, 4), high
    (0.1581, 1.0)
    """
    number = len(set(raters))
    if number < 2:
        return None, None
    if len(set(votes)) == 1:
        exact = binomtest(number if votes[0] else 0, number).proportion_ci(LEVEL, method="exact")
        return float(exact.low), float(exact.high)
    return bootstrap_interval(votes, raters)


def agreement(votes: Sequence[float], questions: Sequence[int]) -> float | None:
    """Return the share of pairs of answers to one question that are alike, or None if no question has two answers.

    >>> agreement([1, 1, 0, 1, 1], [7, 7, 7, 8, 8])
    0.5
    """
    alike = pairs = 0.0
    for question in set(questions):
        own = [vote for vote, of in zip(votes, questions, strict=True) if of == question]
        ones, zeros = sum(own), len(own) - sum(own)
        alike += (ones * (ones - 1) + zeros * (zeros - 1)) / 2
        pairs += len(own) * (len(own) - 1) / 2
    return alike / pairs if pairs else None


def krippendorff_alpha(votes: Sequence[float], raters: Sequence[int], questions: Sequence[int]) -> float | None:
    """Return Krippendorff's alpha of yes-or-no votes. It is 1 for full agreement and about 0 for chance.

    Questions may have different raters, and different numbers of them.

    Args:
        votes: 0 or 1, one for each answer.
        raters: The rater of each answer.
        questions: The question of each answer.

    Returns:
        Alpha, or None where it is not defined: no question has two raters, or these votes are all alike.
    """
    import krippendorff

    rows = {rater: row for row, rater in enumerate(sorted(set(raters)))}
    columns = {question: column for column, question in enumerate(sorted(set(questions)))}
    table = np.full((len(rows), len(columns)), np.nan)
    for vote, rater, question in zip(votes, raters, questions, strict=True):
        table[rows[rater], columns[question]] = vote
    table = table[:, (~np.isnan(table)).sum(axis=0) >= 2]  # a single answer agrees with nothing
    if len(np.unique(table[~np.isnan(table)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))
