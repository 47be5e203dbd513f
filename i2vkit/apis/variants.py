"""The videos that are made of one image: which labels, which seeds, how long; asked of the model, and refused if it
cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from i2vkit.engine.labels import find_label, list_labels
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import SeedInterpolation
from i2vkit.models.generator import Generator
from i2vkit.visualization import wrap_captions

DEFAULT_LENGTH = 16


@dataclass(frozen=True)
class Variant:
    """One video: class index of its label, None where none is read; seed of its noise; caption, one for each video."""

    label: int | None
    seed: int | SeedInterpolation
    caption: str


def plan_variants(
    model: Any, motion: str, label: str | int | None, all_labels: bool, samples: int, seed: int
) -> list[list[Variant]]:
    """The videos asked for: a row for every label, a column for every seed from ``seed`` on.

    Args:
        model: an ``ImageToVideoGan``.
        motion: "driving" or "prior".
        label: by name or class index.
        all_labels: all labels of the model instead.
        samples: how many seeds.
        seed: the first.

    Raises:
        ConfigError: for a label or a number of samples that the model has no use for, and for one that it lacks.
    """
    if samples < 1:
        raise ConfigError(f"samples (--samples) is a number of videos, 1 or more, not {samples}")
    _check_seed(seed)
    if samples > 1 and not model.generator.is_random(motion):
        raise ConfigError(
            f"{samples} samples were asked for, but this model is deterministic, so they would all be the same video: "
            f"leave samples (--samples) away"
        )
    seeds = range(seed, seed + samples)
    return [
        [Variant(index, own, caption(model.labels, index, own, all_labels, samples > 1)) for own in seeds]
        for index in _labels_of(model, label, all_labels)
    ]


def plan_interpolation(
    model: Any, motion: str, label: str | int | None, all_labels: bool, number: int, steps: int, seed: int
) -> list[list[Variant]]:
    """A walk along ``number`` sampled motions: a row from each to the next, of every label.

    A row has ``steps`` videos, the first and last of which are the samples of ``seed`` + k and ``seed`` + k + 1; those
    between are evenly spread on the sphere (``SeedInterpolation``). One row ends with the sample that the next begins
    with.

    Args:
        model, motion, label, all_labels, seed: as in ``plan_variants``.
        number: of sampled motions, 2 or more.
        steps: videos of a row, 2 or more.

    Raises:
        ConfigError: as ``plan_variants``, and for motion that is not sampled.
    """
    if number < 2:
        raise ConfigError(f"an interpolation (--interpolate) goes along 2 sampled motions or more, not {number}")
    if steps < 2:
        raise ConfigError(
            f"steps (--steps) is the number of videos of a walk, both ends included: 2 or more, not {steps}"
        )
    _check_seed(seed)
    if motion == "driving":
        raise ConfigError(
            "an interpolation (--interpolate) goes between sampled motions, and a driving video gives one motion: "
            "leave driving (--driving) away"
        )
    return [
        [_step(model.labels, index, start, step / (steps - 1), all_labels) for step in range(steps)]
        for index in _labels_of(model, label, all_labels)
        for start in range(seed, seed + number - 1)
    ]


def check_interpolation(model: Any, samples: int, interpolate: int | None, steps: int | None) -> None:
    """Raise ``ConfigError`` for a walk beside samples, steps without a walk, or a model that samples no motion."""
    if interpolate is None:
        if steps is not None:
            raise ConfigError("steps (--steps) are those of a walk: say along how many motions (--interpolate 2)")
        return
    if samples != 1:
        raise ConfigError("give samples (--samples) or a walk between them (--interpolate), not both")
    if not (model.generator.has_prior and model.generator.is_random("prior")):
        raise ConfigError(
            "a walk between sampled motions (--interpolate) was asked for, but this model is deterministic, it samples "
            "none: leave it away"
        )


def _step(labels: list[str], label: int | None, start: int, share: float, with_label: bool) -> Variant:
    """The video at a share of the way from the sample of seed ``start`` to that of the next."""
    if share in (0, 1):
        own = start + round(share)
        return Variant(label, own, caption(labels, label, own, with_label, with_seed=True))
    where = f"seed {start} to {start + 1}: {share:.3g}"
    text = f"{label} {labels[label]}, {where}" if with_label else where
    return Variant(label, SeedInterpolation(start, start + 1, share), text)


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ConfigError(f"a seed (--seed) is 0 or more, not {seed}")


def _labels_of(model: Any, label: str | int | None, all_labels: bool) -> list[int] | list[None]:
    """The class indices asked for; one None where the model reads none."""
    if label is not None and all_labels:
        raise ConfigError("give one label (--label) or all of them (--all-labels), not both")
    if not model.generator.reads_label:
        if label is not None or all_labels:
            raise ConfigError("the videos of this model do not depend on a label: leave --label and --all-labels away")
        return [None]
    if label is None and not all_labels:
        raise ConfigError(
            f"this model makes videos by label: give one (--label) by name or number, or all (--all-labels); "
            f"it knows {list_labels(model.labels)}"
        )
    return list(range(len(model.labels))) if all_labels else [find_label(model.labels, label)]


def caption(labels: list[str], label: int | None, seed: int, with_label: bool, with_seed: bool) -> str:
    """What tells a video from the others beside it.

    Examples:
        >>> from i2vkit.apis.variants import caption
        >>> caption(["anger", "fear"], 1, 7, with_label=True, with_seed=True)
        '1 fear, seed 7'
        >>> caption([], None, 7, with_label=False, with_seed=False)
        'generated'
    """
    parts = [f"{label} {labels[label]}"] if with_label else []
    return ", ".join([*parts, f"seed {seed}"] if with_seed else parts) or "generated"


def check_source(model: Any, source: Any, frames: int | None) -> str:
    """Return where the motion comes from: "driving", as something drives the video, or "prior", label and noise.

    Args:
        model: An ``ImageToVideoGan``.
        source: A ``MotionSource``.
        frames: The number of frames that was asked for.

    Raises:
        ConfigError: The model takes no driving video, or cannot do without; ``frames`` beside a driving video.
    """
    generator: Generator = model.generator
    if source.driven and generator.motion_encoder is None:
        sources = ["a label (--label or --all-labels)"] if generator.reads_label else []
        sources += ["noise (--samples and --seed)"] if generator.is_random("prior") else []
        instead = " and ".join(sources) or "the image alone"
        raise ConfigError(f"this model takes no driving video (--driving): its motion comes from {instead}")
    if not source.driven and not generator.has_prior:
        raise ConfigError("this model takes its motion from a video and from nothing else: give driving (--driving)")
    if source.shows_driving and frames is not None:
        raise ConfigError("the driving video says how many frames there are: leave frames (--frames) away")
    return "driving" if source.driven else "prior"


def length_of(generator: Generator, frames: int | None, trained: int | None) -> int:
    """How many frames are made where no video drives: ``frames``, or else the length trained on.

    Raises:
        ConfigError: a length that the decoder cannot make; lists those it can.
    """
    if frames is None:
        return generator.lengths.at_least(trained or DEFAULT_LENGTH)
    if frames not in generator.lengths:
        raise ConfigError(
            f"this model makes videos of {generator.lengths} frames, not of {frames}: "
            f"give one of these lengths (--frames)"
        )
    return frames


def arrange_rows(
    plan: list[list[Variant]], driven: bool, side_by_side: bool, show_dynamics: bool, keep_rows: bool = False
) -> list[list[str]]:
    """The captions of the grid, row by row.

    One video stands in a row with what it was made from. Samples or labels flow over the rows behind that; where there
    are several of both, or with ``keep_rows``, the rows are those of the plan.
    """
    captions = [[variant.caption for variant in row] for row in plan]
    lead = ["driving"] * driven * side_by_side
    if sum(map(len, captions)) == 1:
        return [lead + ["dynamics"] * show_dynamics + ["image"] * side_by_side + captions[0]]
    lead += ["image"] * side_by_side
    if min(len(captions), len(captions[0])) == 1 and not keep_rows:
        return wrap_captions(lead + [caption for row in captions for caption in row])
    return [[*(lead if i == 0 else [""] * len(lead)), *row] for i, row in enumerate(captions)]
