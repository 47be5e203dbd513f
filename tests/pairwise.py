"""Rows of levels that hold every pair of two factors' levels: far fewer than all combinations."""

import random
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

FeatureSpec = tuple[str, object]
Pair = frozenset[FeatureSpec]


def pairs_of(levels: Iterable[FeatureSpec]) -> set[Pair]:
    """All pairs of levels."""
    return {frozenset(pair) for pair in combinations(levels, 2)}


def possible_pairs(factors: dict[str, list], bad: Collection[Pair]) -> list[Pair]:
    """Pairs of levels that are not ``bad`` and leave every other factor something to be.

    >>> factors = dict(discriminator=["picture", "clip"], view=["frame", "window"], maps=["with", "without"])
    >>> bad =
    {frozenset([("discriminator", "clip"), ("view", "frame")]), frozenset([("view", "window"), ("maps", "with")])}
    >>> sorted(level for _, level in set.union(*map(set, possible_pairs(factors, bad))) if level == "with")
    ['with']
    >>> frozenset([("discriminator", "clip"), ("maps", "with")]) in possible_pairs(factors, bad)
    False
    """
    levels = [[(factor, level) for level in values] for factor, values in factors.items()]
    every = [level for values in levels for level in values]
    goes = {a: {b for b in every if b[0] != a[0] and frozenset([a, b]) not in bad} for a in every}
    changed = True
    while changed:
        changed = False
        for a, b in combinations(every, 2):
            others = [values for values in levels if values[0][0] not in (a[0], b[0])]
            if b in goes[a] and not all((goes[a] & goes[b]).intersection(values) for values in others):
                goes[a].discard(b)
                goes[b].discard(a)
                changed = True
    return [frozenset([a, b]) for a, b in combinations(every, 2) if b in goes[a]]


def complete(
    start: Iterable[FeatureSpec],
    factors: dict[str, list],
    bad: Collection[Pair],
    wanted: Collection[Pair],
    rng: random.Random,
) -> dict | None:
    """A row: ``start`` and a level of every other factor, of those that fit one with many ``wanted`` pairs.

    None in a dead end.
    """
    row = dict(start)
    for factor in rng.sample(sorted(factors), len(factors)):
        if factor in row:
            continue
        new = {level: pairs_of([(factor, level), *row.items()]) - pairs_of(row.items()) for level in factors[factor]}
        fitting = [level for level, pairs in new.items() if not any(pair in bad for pair in pairs)]
        if not fitting:
            return None
        rng.shuffle(fitting)
        row[factor] = max(fitting, key=lambda level: sum(pair in wanted for pair in new[level]))
    return {factor: row[factor] for factor in factors}


def cover(factors: dict[str, list], bad: Collection[Pair], seed: int = 0, tries: int = 6) -> Iterator[dict]:
    """Rows without a ``bad`` pair in which every possible pair stands at least once.

    Raises:
        AssertionError: a pair that looks possible was in no row after many tries.
    """
    rng, possible = random.Random(seed), possible_pairs(factors, bad)
    bad, left, failures = pairs_of(_levels(factors)) - set(possible), set(possible), 0
    while left:
        start = next(pair for pair in possible if pair in left)
        rows = [row for _ in range(tries) if (row := complete(start, factors, bad, left, rng))]
        failures = 0 if rows else failures + 1
        assert failures < 100, f"no row has {dict(start)}"
        if rows:
            best = max(rows, key=lambda row: len(pairs_of(row.items()) & left))
            left -= pairs_of(best.items())
            yield best


def _levels(factors: dict[str, list]) -> list[FeatureSpec]:
    return [(factor, level) for factor, values in factors.items() for level in values]
