"""Stages of a verification, with their shares of the time and of the device."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from i2vkit.analysis.verification.correctness import check_subject
from i2vkit.analysis.verification.device_peaks import measure_device_peaks
from i2vkit.analysis.verification.loading import measure_loader
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.speed import compile_subject, measure_subject
from i2vkit.analysis.verification.subjects import SUBJECTS, find_subject
from i2vkit.analysis.verification.training import RECIPES, find_recipe, prepare_recipe_data, train_recipe


@dataclass(frozen=True)
class Stage:
    """One process of a verification.

    Args:
        kind: The task: "prepare", "peaks", "right", "compile", "fast", "loader" or "train".
        subject: The model or recipe. Empty if the task has no choice.
    """

    kind: str
    subject: str = ""

    @property
    def name(self) -> str:
        """The name in the report and of the stage's files."""
        return f"{self.kind}_{self.subject}" if self.subject else self.kind


@dataclass(frozen=True)
class Group:
    """Stages that run side by side.

    Args:
        stages: The stages in the order in which they begin.
        width: The number of stages that run at a time.
        share: The share of the total time that the whole group may take, in [0, 1].
    """

    stages: tuple[Stage, ...]
    width: int
    share: float


@dataclass(frozen=True)
class Plan:
    """The order of a verification.

    Args:
        background: Stages that begin at once and need no device.
        first: Groups that run one after the other while the background stages run.
        then: Groups that need the results of the background stages.
    """

    background: tuple[Stage, ...]
    first: tuple[Group, ...]
    then: tuple[Group, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups in their order."""
        return (*self.first, *self.then)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages in their order."""
        return (*self.background, *(stage for group in self.groups for stage in group.stages))


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# The model whose forms differ most in speed. Only this one is compiled before the measurement.
MOST_FORMS = "imaginator"
_MEASURED = 6.0  # seconds that are enough for the peaks


def plan(device: str, only: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> Plan:
    """Return the stages for a device, or only those whose kinds are in ``only`` and whose subjects are in ``names``.

    Stages that measure time have the device to themselves. Nothing is compiled for a CPU, since that takes minutes and
    says nothing about a GPU.
    """
    subjects = [subject.name for subject in SUBJECTS]

    def wanted(stage: Stage) -> bool:
        named = not names or not stage.subject or stage.subject in names
        return named and (not only or stage.kind in only)

    def group(share: float, width: int, **kinds: Iterable[str]) -> Group:
        stages = (Stage(kind, name) for kind, subjects in kinds.items() for name in subjects)
        return Group(tuple(filter(wanted, stages)), width, share)

    # Compiling shares the time of the checks, since both leave the device idle now and then.
    compiled = [MOST_FORMS] if device != "cpu" else ()
    others = [name for name in subjects if name != MOST_FORMS]
    first = (
        group(0.05, 1, peaks=[""]),
        group(0.25, min(8, cores()), compile=compiled, right=subjects),
        group(0.15, 1, fast=others),
        group(0.10, 1, fast=[MOST_FORMS]),
    )
    then = (
        group(0.05, 1, loader=[""]),
        group(0.4, min(len(RECIPES), cores()), train=[recipe.name for recipe in RECIPES]),
    )
    background = tuple(filter(wanted, (Stage("prepare"),)))
    # Groups without stages have no share of the time.
    return Plan(background, *(tuple(group for group in groups if group.stages) for groups in (first, then)))


def run_stage(kind: str, subject: str, out: Path, device: str, narrow: bool, seconds: float) -> None:
    """Do the work of one stage in this process. ``out`` gets its record and its other results."""
    name = f"{kind}_{subject}" if subject else kind
    record = Record(out / f"{name}.json")
    if kind == "prepare":
        prepare_recipe_data(None, record, small=narrow)
    elif kind == "peaks":
        measure_device_peaks(device, record, min(seconds / 2, _MEASURED))
    elif kind == "right":
        check_subject(find_subject(subject), device, narrow, record)
    elif kind == "compile":
        compile_subject(find_subject(subject), device, narrow, record)
    elif kind == "fast":
        measure_subject(find_subject(subject), device, narrow, record, seconds, out)
    elif kind == "loader":
        measure_loader(narrow, record, seconds / 2)
    elif kind == "train":
        train_recipe(find_recipe(subject), device, narrow, record, seconds, out)
    else:
        raise ValueError(f"there is no stage {kind!r}")
    if torch.cuda.is_available():
        torch.cuda.synchronize()
