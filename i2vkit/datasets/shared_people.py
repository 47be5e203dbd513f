"""People who are both in the data of a training and in those that judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.splits import people_of


def shared_people(index: ClipIndex, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return everyone whose clips two data sets use, sorted.

    People of different readers are not compared, since equal names need not mean the same person. Nobody is shared if
    the two use different spans of every clip (``temporal_split``).

    Args:
        index: All clips of the reader.
        one: Config of a ``ClipDataset``.
        other: Config of another one.
    """
    if _reader(one) is None or _reader(one) != _reader(other):
        return []
    (begin, end), (other_begin, other_end) = (config.get("temporal_split") or (0, 1) for config in (one, other))
    if end <= other_begin or other_end <= begin:
        return []
    return sorted(_people(index, one) & _people(index, other))


def describe_shared(people: list[str], splits: Sequence[str]) -> str | None:
    """Return a warning about people who are in the training data and in ``splits``, or None if there are none.

    >>> describe_shared(["ann", "bob"], ["val", "test"])[:73]
    '2 people are both in the training and in the val and test data (ann, bob)'
    """
    if not people:
        return None
    named = ", ".join(people[:5]) + ", ..." * (len(people) > 5)
    options = ["train_dataloader.dataset.exclude_people", *(f"{split}_dataloader.dataset.people" for split in splits)]
    return (
        f"{len(people)} {'person is' if len(people) == 1 else 'people are'} both in the training and in the "
        f"{' and '.join(splits)} data ({named}), so that scores measure memory too. To hold people out, set "
        f"{', '.join(options)}"
    )


def _reader(config: Mapping[str, Any]) -> str | None:
    """Return the config of a reader as text, classes as their names, or None if there is none."""
    reader = config.get("reader")
    if not isinstance(reader, Mapping):
        return None
    values = {key: reader[key] for key in reader}  # through __getitem__, which resolves lazy classes
    kind = values.pop("type", "")
    name = kind.rpartition(".")[2] if isinstance(kind, str) else kind.__name__
    return f"{name} {sorted(values.items(), key=str)}"


def _people(index: ClipIndex, config: Mapping[str, Any]) -> set[str]:
    chosen, excluded = (people_of(config.get(key), index) for key in ("people", "exclude_people"))
    labels = None if config.get("labels") is None else set(map(str, config["labels"]))
    least = config.get("min_frames") or 1
    found = {
        record.person
        for record in index.records
        if (labels is None or record.label in labels) and record.num_frames >= least
    }
    return (found if chosen is None else found & set(chosen)) - set(excluded or ())
