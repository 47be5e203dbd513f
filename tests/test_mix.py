"""Every combination of what is registered builds, steps and makes videos, or is refused with the reason.

The parts are collected from the registries, so a new part is in from its first day; ``mixing`` has the factors and the
list of what is refused. In full: discriminators with what they look at. All the rest meets by pairs; ``make test-all``
crosses the parts of a generator, refiners, and discriminators with every kind of motion in full too.
"""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import product

import mixing
import narrow
import pytest
import torch
from mixing import FACTORS, GENERATOR
from pairwise import complete, cover, pairs_of

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.registry import DISCRIMINATORS, VIEWS

REFUSED, UNREAD = mixing.refused_pairs(), mixing.unread_pairs()
ENCODERS = dict(content_encoder="ConvPyramidEncoder", motion=("MapDifferenceEncoder", None))
PLAIN = dict(
    ENCODERS,
    decoder="FrameDecoder",
    head="DirectHead",
    refiner=None,
    network="FrameDiscriminator",
    view="AllFrames",
    adversarial="NonSaturatingLoss",
    augment=None,
    condition=None,
    classify=False,
    negative="generated",
    loss="FrameL1Loss",
) | {"pass": "driving"}
GREY_LEVEL = 2 / 255  # of a video in [-1, 1]: what one sees between two frames is more
counts: Counter = Counter()


def rows(*factors: str, **fixed) -> list[dict]:
    """All combinations of the levels of ``factors``."""
    return [dict(zip(factors, levels, strict=True)) | fixed for levels in product(*map(FACTORS.get, factors))]


def without(pairs, combinations: list[dict]) -> list[dict]:
    return [row for row in combinations if not pairs_of(row.items()) & set(pairs)]


def name(row: dict) -> str:
    return "-".join(str(level) for level in row.values()).replace("'", "").replace(", ", "+")


def generators(**fixed) -> list[dict]:
    """Different generators that make sense."""
    made = without(REFUSED.keys() | UNREAD, rows(*(factor for factor in GENERATOR if factor not in fixed), **fixed))
    return [row for row in made if row == as_read(row)]


def as_read(row: dict) -> dict:
    """The same generator with None for every part that nobody reads."""
    content, motion = mixing.read_slots(row["content_encoder"], row["motion"], row["decoder"])
    return row | dict(content_encoder=content, motion=motion)


PRODUCT = rows(*GENERATOR[:-1], refiner=None)
ALONE = generators(refiner=None)
# A refiner sees nothing but the video and the maps.
REFINED = [row for row in generators() if row["refiner"]]
REFINED_SOON = [
    row
    for row in REFINED
    if row["motion"] == ENCODERS["motion"] and row["content_encoder"] in (None, ENCODERS["content_encoder"])
]
REFINED_LATE = [row for row in REFINED if row not in REFINED_SOON]


def parts_of(row: dict) -> set[tuple[str, str]]:
    """The parts of a generator, each with its slot."""
    config = mixing.generator_config(row)
    return {(slot, part["type"].__name__) for slot, part in config.items() if part is not None}


def few(combinations: list[dict]) -> list[dict]:
    """Few of the generators, in which every part of all of them has its place at least once."""
    parts = [parts_of(row) for row in combinations]
    left, chosen = set().union(*parts), []
    while left:
        best = max(range(len(parts)), key=lambda number: len(parts[number] & left))
        chosen.append(combinations[best])
        left -= parts[best]
    return chosen


# Every part at once, in full with the slow tests. (``test_pairs`` steps all pairs at once.)
SOON = few(ALONE + REFINED_SOON)


def video(model, length: int) -> torch.Tensor:
    clip = model.data_preprocessor(narrow.batch(lengths=(length,)))["clip"]
    # Without the lengths, which would make it a padded batch.
    return next(model.generate_chunks([replace(clip, num_frames=None)], [5])).video


def moving_frames(model, length: int) -> torch.Tensor:
    """Whether each frame is more than a grey level away from the one before: (T - 1,)."""
    made = video(model, length)
    return (made[:, :, 1:] - made[:, :, :-1]).abs().amax(dim=(0, 1, 3, 4)) > GREY_LEVEL


def enlarged(model, factors: tuple[int, ...]):
    """Goes through ``factors``, by which the weights behind the encoders are multiplied."""
    behind = [parameter for key, parameter in model.generator.named_parameters() if "encoder" not in key]
    for parameter in behind:
        if parameter.dim() > 1 and parameter.abs().max() < 1e-3:  # a layer that begins without any effect
            torch.nn.init.normal_(parameter)
    last = 1
    for factor in factors:
        with torch.no_grad():
            for parameter in behind:
                parameter.mul_(factor / last)
        last = factor
        yield factor


GENERATOR_CASES = [
    pytest.param(row, id=name(row), marks=() if row in SOON else pytest.mark.slow)
    for row in ALONE + REFINED_SOON + REFINED_LATE
]


@pytest.mark.parametrize("row", GENERATOR_CASES)
def test_generator(row):
    changes = mixing.model_config(PLAIN | row)
    model = narrow.build(**changes)
    slots = ("content_encoder", "motion_encoder", "motion_generator", "refiner")
    assert [getattr(model.generator, slot) is None for slot in slots] == [
        changes["generator"][slot] is None for slot in slots
    ]
    mixing.step_and_check_gradients(model)
    lengths = [model.generator.lengths.at_least(length) for length in (3, 6)]
    assert all(video(model, length).shape == (1, 3, length, narrow.SIZE, narrow.SIZE) for length in lengths)
    # Initial weights are small, and so is all they do; much larger ones saturate heads and recurrent parts, some only
    # late frames. So each frame has to move at one of several sizes.
    moved = {length: torch.zeros(length - 1, dtype=torch.bool) for length in lengths}
    for _ in enlarged(model, (6, 4, 5, 2, 9, 15, 1)):
        moved = {length: before | moving_frames(model, length) for length, before in moved.items()}
        if all(frames.all() for frames in moved.values()):
            break
    assert all(frames.all() for frames in moved.values()), f"frames stand still, whatever the weights' size: {moved}"
    length, made = lengths[-1], video(model, lengths[-1])
    if row["head"] == FACTORS["head"][0]:  # heads have no weights
        twin = narrow.build(seed=1, **changes)
        twin.load_state_dict(model.state_dict(), strict=True)
        assert torch.equal(video(twin, length), made)
    counts["generators built and stepped"] += 1


def test_every_other_generator_is_refused_or_the_same_as_one_of_these():
    different = [tuple(row.values()) for row in ALONE]
    for given in PRODUCT:
        row = given
        with suppress(ConfigError):  # those that are refused whatever the content is
            # A motion as it is read, where there is a content.
            row = row | dict(motion=as_read(row | dict(content_encoder=PLAIN["content_encoder"]))["motion"])
        refused = pairs_of(row.items()) & REFUSED.keys()
        if refused and row["head"] != FACTORS["head"][0]:  # no head refuses anything
            counts["generators refused"] += 1
        elif refused:
            with pytest.raises(ConfigError, match="|".join(map(str, (row["decoder"], *row["motion"])))):
                narrow.build(generator=mixing.generator_config(row))
            counts["generators refused"] += 1
        elif given not in ALONE:
            assert as_read(row) in ALONE
            counts["generators the same as another"] += 1
    assert len(different) == len(set(different))


DISCRIMINATOR = ("network", "view", "adversarial", "condition")
JUDGES = dict(network=DISCRIMINATORS, view=VIEWS)
MOTION_KINDS = [
    row["motion"]
    for row in generators(content_encoder="ConvPyramidEncoder", decoder="FrameDecoder", head="DirectHead", refiner=None)
]
EVERY_DISCRIMINATOR = [
    PLAIN | row | dict(motion=motion)
    for row in without(REFUSED, rows(*DISCRIMINATOR))
    for motion in MOTION_KINDS
    if not pairs_of((row | dict(motion=motion)).items()) & REFUSED.keys()
]


def soon(row: dict) -> bool:
    """Whether a discriminator differs from the plain one by its network and view alone, or looks at the motion."""
    plain = (row["adversarial"], row["condition"]) == (PLAIN["adversarial"], PLAIN["condition"])
    return plain and (row["view"] == "LastDynamics" or row["motion"] == PLAIN["motion"])


DISCRIMINATOR_CASES = [
    pytest.param(
        row,
        id=name({key: row[key] for key in (*DISCRIMINATOR, "motion")}),
        marks=() if soon(row) else pytest.mark.slow,
    )
    for row in EVERY_DISCRIMINATOR
]


@pytest.mark.parametrize("row", DISCRIMINATOR_CASES)
def test_discriminator(row):
    mixing.step_and_check_gradients(narrow.build(**mixing.model_config(row)))
    counts["discriminators stepped"] += 1


def at_once(cases: list) -> list[dict]:
    """The rows of those cases that ``make test`` runs."""
    return [case.values[0] for case in cases if not any(mark.name == "slow" for mark in case.marks)]


def test_every_part_has_a_case_that_is_not_slow():
    """By the registries, whatever chose the cases: in each slot of a generator, as a discriminator and as its view."""
    registered = {(slot.name, part) for slot in GENERATOR_SLOTS.values() for part in mixing.names(slot.registry)}
    assert len(registered) > 30
    assert registered == set().union(*map(parts_of, at_once(GENERATOR_CASES)))
    judges = {(role, part) for role in JUDGES for part in mixing.names(JUDGES[role])}
    assert judges == {(role, row[role]) for row in at_once(DISCRIMINATOR_CASES) for role in JUDGES}


COVER = list(cover(FACTORS, REFUSED.keys() | UNREAD))


@pytest.mark.parametrize("row", COVER, ids=name)
def test_pairs(row):
    mixing.step_and_check_gradients(narrow.build(**mixing.model_config(row)))
    counts["mixes of pairs stepped"] += 1


def test_refused_pairs():
    """Each by itself, in a model that would be sound without."""
    rng = random.Random(0)
    for pair, message in REFUSED.items():
        others = (REFUSED.keys() | UNREAD) - {pair}
        row = next(filter(None, (complete(pair, FACTORS, others, (), rng) for _ in range(100))), None)
        assert row is not None, f"nothing goes with {dict(pair)}"
        with pytest.raises(ConfigError, match=message):
            narrow.build(**mixing.model_config(row))
        counts["pairs refused"] += 1


def test_how_many(capsys):
    """Prints what the tests above did, where all of them ran."""
    if counts["generators built and stepped"] < len(ALONE) or counts["pairs refused"] < len(REFUSED):
        pytest.skip("not all combinations ran")
    with capsys.disabled():
        print("\nmix: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    assert len(ALONE) + counts["generators refused"] + counts["generators the same as another"] == len(PRODUCT)
