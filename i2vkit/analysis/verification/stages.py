"""What a verification does: its stages, what each may take, and which of them share the device."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from i2vkit.analysis.verification.ceilings import measure_ceilings
from i2vkit.analysis.verification.correctness import check_subject
from i2vkit.analysis.verification.loading import measure_loader
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.speed import compile_subject, measure_subject
from i2vkit.analysis.verification.subjects import SUBJECTS, find_subject
from i2vkit.analysis.verification.training import RECIPES, find_recipe, prepare_faces, train_recipe


@dataclass(frozen=True)
class Stage:
    """One process of a verification.

    Args:
        kind: what it does: "prepare", "ceilings", "right", "compile", "fast", "loader" or "train".
        subject: of which model or recipe; empty where there is no choice.
        seconds: after which it is ended; what it wrote until then stays.
    """

    kind: str
    subject: str
    seconds: float

    @property
    def name(self) -> str:
        """Its name in the report and of its files."""
        return f"{self.kind}_{self.subject}" if self.subject else self.kind


@dataclass(frozen=True)
class Plan:
    """The order of a verification.

    Args:
        background: stages that begin at once and need no device; the last group waits for them.
        groups: one group after the other; the stages of a group run side by side, ``width`` at a time.
    """

    background: tuple[Stage, ...]
    groups: tuple[tuple[int, tuple[Stage, ...]], ...]


_MEASURED = 6.0  # seconds for the ceilings, which need no more
# Shares of the whole time.
_PREPARE, _CEILINGS, _RIGHT, _FAST, _LOADER, _TRAIN = 0.5, 0.05, 0.2, 0.35, 0.05, 0.35


def plan(minutes: float, only: tuple[str, ...] = ()) -> Plan:
    """Lay out the stages for so many minutes; ``only`` names the kinds that are wanted, by default all."""
    whole = 60 * minutes
    subjects = [subject.name for subject in SUBJECTS]

    def wanted(*stages: Stage) -> tuple[Stage, ...]:
        return tuple(stage for stage in stages if not only or stage.kind in only)

    right = [Stage("right", name, _RIGHT * whole) for name in subjects]
    compiling = [Stage("compile", name, _RIGHT * whole) for name in subjects]
    fast = [Stage("fast", name, _FAST * whole / len(subjects)) for name in subjects]
    train = [Stage("train", recipe.name, _TRAIN * whole) for recipe in RECIPES]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    groups = (
        (1, wanted(Stage("ceilings", "", _CEILINGS * whole))),
        (max(1, min(8, cores // 2)), wanted(*right, *compiling)),
        (1, wanted(*fast)),
        (1, wanted(Stage("loader", "", _LOADER * whole))),
        (max(1, min(4, cores // 2)), wanted(*train)),
    )
    return Plan(wanted(Stage("prepare", "", _PREPARE * whole)), groups)


def run_stage(kind: str, subject: str, out: Path, device: str, narrow: bool, seconds: float) -> None:
    """Do the work of one stage, in this process; ``out`` gets what is to be kept beside its record."""
    name = f"{kind}_{subject}" if subject else kind
    record = Record(out / f"{name}.json")
    if kind == "prepare":
        prepare_faces(None, record, small=narrow)
    elif kind == "ceilings":
        measure_ceilings(device, record, min(seconds / 2, _MEASURED))
    elif kind == "right":
        check_subject(find_subject(subject), device, narrow, record)
    elif kind == "compile":
        compile_subject(find_subject(subject), device, narrow, record)
    elif kind == "fast":
        measure_subject(find_subject(subject), device, narrow, record, seconds / 3, out)
    elif kind == "loader":
        measure_loader(narrow, record, seconds / 2)
    elif kind == "train":
        train_recipe(find_recipe(subject), device, narrow, record, seconds, out)
    else:
        raise ValueError(f"there is no stage {kind!r}")
    if torch.cuda.is_available():
        torch.cuda.synchronize()
