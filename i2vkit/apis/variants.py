"""The videos that are made of one image: their labels, seeds and lengths, with checks that the model can make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from i2vkit.engine.labels import find_label, list_labels
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import SeedInterpolation
from i2vkit.models.generator import Generator
from i2vkit.values import refuse_beyond_memory, refuse_values
from i2vkit.visualization import wrap_captions

DEFAULT_LENGTH = 16


@dataclass(frozen=True)
class Variant:
    """One video: the class index of its label (None if none is read), the seed of its noise, and its own caption."""

    label: int | None
    seed: int | SeedInterpolation
    caption: str


def plan_variants(
    model: Any, motion: str, label: str | int | None, all_labels: bool, samples: int, seed: int
) -> list[list[Variant]]:
    """Plan videos: a row for every label, a column for every seed from ``seed`` on.

    Args:
        model: An ``ImageToVideoGan``.
        motion: "driving" or "prior".
        label: A label by name or class index.
        all_labels: Plan all labels of the model instead.
        samples: Number of seeds, 1 or more.
        seed: The first seed, 0 or more.

    Raises:
        ConfigError: The model cannot use the label or several samples, or it needs a label.
    """
    refuse_values(samples=(samples, int), seed=(seed, int))
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
    """Plan an interpolation along ``number`` sampled motions: a row from each to the next, for every label.

    A row has ``steps`` videos. The first and last are the samples of ``seed`` + k and ``seed`` + k + 1, and the others
    are evenly spread on the sphere between them (``SeedInterpolation``). A row ends with the sample with which the next
    one begins.

    Args:
        model: As in ``plan_variants``.
        motion: As in ``plan_variants``.
        label: As in ``plan_variants``.
        all_labels: As in ``plan_variants``.
        number: Number of sampled motions, 2 or more.
        steps: Videos of a row, 2 or more.
        seed: Seed of the first motion, 0 or more.

    Raises:
        ConfigError: As ``plan_variants``, and for motion that is not sampled.
    """
    if number < 2:
        raise ConfigError(f"an interpolation (--interpolate) goes along 2 sampled motions or more, not {number}")
    if steps < 2:
        raise ConfigError(
            f"steps (--steps) is the number of videos of a walk, both ends included: 2 or more, not {steps}"
        )
    refuse_values(seed=(seed, int))
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
    """Check the arguments of an interpolation.

    Raises:
        ConfigError: It is combined with samples, steps are given without it, or the model samples no motion.
    """
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
    """Return the video at a share of the way from the sample of seed ``start`` to that of the next."""
    if share in (0, 1):
        own = start + round(share)
        return Variant(label, own, caption(labels, label, own, with_label, with_seed=True))
    where = f"seed {start} to {start + 1}: {share:.3g}"
    text = f"{label} {labels[label]}, {where}" if with_label and label is not None else where
    return Variant(label, SeedInterpolation(start, start + 1, share), text)


def _labels_of(model: Any, label: str | int | None, all_labels: bool) -> list[int] | list[None]:
    """Return the class indices asked for, or one None if the model reads none."""
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
    return list(range(len(model.labels))) if label is None else [find_label(model.labels, label)]


def caption(labels: list[str], label: int | None, seed: int, with_label: bool, with_seed: bool) -> str:
    """Return the words that tell a video from the others beside it.

    Examples:
        >>> from i2vkit.apis.variants import caption
        >>> caption(["anger", "fear"], 1, 7, with_label=True, with_seed=True)
        '1 fear, seed 7'
        >>> caption([], None, 7, with_label=False, with_seed=False)
        'generated'
    """
    parts = [f"{label} {labels[label]}"] if with_label and label is not None else []
    return ", ".join([*parts, f"seed {seed}"] if with_seed else parts) or "generated"


def check_source(model: Any, source: Any, frames: int | None) -> str:
    """Return the origin of the motion: "driving" if something drives the video, or "prior" for label and noise.

    Args:
        model: An ``ImageToVideoGan``.
        source: A ``MotionSource``.
        frames: The number of frames that was asked for.

    Raises:
        ConfigError: The model takes no driving video, or needs one, or ``frames`` is given beside a driving video.
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
    """Return the number of frames of a video that nothing drives.

    Args:
        generator: The generator.
        frames: The number asked for. By default it is ``trained``, or the next length that the decoder can make.
        trained: Frames of the clips that the model was trained on, or None for 16.

    Raises:
        ConfigError: The decoder cannot make this length. The message lists those it can make.
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
    """Return the captions of the grid, row by row.

    One video is in a row with the videos it was made from. Several samples or several labels follow them and wrap over
    rows. If there are several of both, or with ``keep_rows``, the rows are those of the plan.
    """
    captions = [[variant.caption for variant in row] for row in plan]
    lead = ["driving"] * driven * side_by_side
    if sum(map(len, captions)) == 1:
        return [lead + ["dynamics"] * show_dynamics + ["image"] * side_by_side + captions[0]]
    lead += ["image"] * side_by_side
    if min(len(captions), len(captions[0])) == 1 and not keep_rows:
        return wrap_captions(lead + [caption for row in captions for caption in row])
    return [[*(lead if i == 0 else [""] * len(lead)), *row] for i, row in enumerate(captions)]


def check_call(
    samples: int, interpolate: int | None, steps: int | None, seed: int | None, frames: int | None, chunk: int
) -> None:
    """Raise ``ConfigError`` for a number of an inferencer's call that makes no sense."""
    refuse_values(
        samples=(samples, int),
        interpolate=(interpolate, int | None),
        steps=(steps, int | None),
        seed=(seed, int | None),
        frames=(frames, int | None),
        chunk=(chunk, int),
    )


def check_size(plan: list[list[Variant]], frames: int | None, side: int) -> None:
    """Raise ``ConfigError`` if the videos of a plan, uint8 RGB, take more memory than there is.

    Args:
        plan: The videos in rows.
        frames: The frames of a video, if they are known.
        side: The side of the frames in pixels.
    """
    count = sum(map(len, plan))
    refuse_beyond_memory(
        f"a grid of {count} videos of {frames or 1} frames of {side}x{side}",
        count * (frames or 1) * side * side * 3,
        "Ask for fewer samples, or for shorter videos",
    )
