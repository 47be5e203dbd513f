"""Measurements of speed: a training step of each paper with its own batch size, in every precision and form."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch

from i2vkit.analysis.benchmark.step import random_batch
from i2vkit.analysis.profile.step_meter import StepMeter
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.step import StepRunner
from i2vkit.analysis.verification.subjects import Subject, frames_of, subject_config
from i2vkit.analysis.verification.timing import in_turn
from i2vkit.models.layers.forms import FAST, REFERENCE
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.registry import MODELS

BUILDING, MEASURING = 0.5, 0.15  # shares of a stage's time
NARROW_CLIPS = 2  # batch size of a rehearsal on a CPU


@dataclass(frozen=True)
class Form:
    """A way to compute the same training step, see ``StepRunner``."""

    precision: str
    reference: bool = False
    channels_last: bool = False
    compiled: bool = False

    @property
    def layers(self) -> str:
        """The form of the layers, as ``choose_form`` takes it."""
        return REFERENCE if self.reference else FAST

    def __str__(self) -> str:
        words = [self.layers, self.precision]
        words += ["channels last"] * self.channels_last + ["compiled"] * self.compiled
        return " ".join(words)


FORMS = (
    Form("fp32", reference=True),
    Form("fp32"),
    Form("tf32", reference=True),
    Form("tf32"),
    Form("bf16", reference=True),
    Form("bf16"),
    Form("bf16", reference=True, compiled=True),
    Form("bf16", compiled=True),
    Form("bf16", channels_last=True),
    Form("bf16", reference=True, channels_last=True),
)
SLOW = FORMS[0]  # the form of the authors' code, with TF32 off


def forms_of(device: torch.device) -> tuple[Form, ...]:
    """Return the forms to time on a device. A CPU has no TF32, and would compile for minutes."""
    if device.type == "cuda":
        return FORMS
    return tuple(form for form in FORMS if form.precision != "tf32" and not form.compiled)


def measure_subject(subject: Subject, device: str, narrow: bool, record: Record, seconds: float, folder: Path) -> None:
    """Time the steps of one model in all forms, interleaved, and trace one step of the fastest form.

    Forms are built in their order while less than half of ``seconds`` has passed, so that a slow machine measures some.
    The times of all forms are measured together, once without and once with those that are compiled.
    """
    begin = time.monotonic()
    place = torch.device(device)
    cfg = subject_config(subject, narrow)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True  # worth it since all shapes are fixed
    model = MODELS.build(cfg.model)
    clips = NARROW_CLIPS if narrow else cfg.train_dataloader.batch_size
    batch = {"clips": clips, "frames": frames_of(cfg, model, narrow), "passed": True}
    record.measure("batch", lambda: batch)
    data = random_batch(model, batch["frames"], clips)
    runners: dict[Form, StepRunner] = {}

    def add(forms: Iterable[Form]) -> None:
        for form in forms:
            if runners and time.monotonic() - begin > BUILDING * seconds:
                record.measure(f"memory, {form}", lambda: {"passed": True, "skipped": "no time was left"})
                continue
            built = record.measure(f"memory, {form}", partial(_build, form, model, cfg, data, place, runners))
            if not built["passed"]:
                runners.pop(form, None)
                _release(place)

    # Compiling may outlast this stage, so all else is measured before.
    forms = forms_of(place)
    add(form for form in forms if not form.compiled)
    if not runners:
        return
    times = record.measure("times", lambda: _times(runners, place, MEASURING * seconds))
    if not times["passed"]:
        return
    fastest = min(runners, key=lambda form: times["milliseconds"][str(form)])
    record.measure("work", lambda: _work(runners[fastest]))
    record.measure("trace", lambda: _trace(runners[fastest], place, folder / f"trace_{subject.name}.json.gz"))
    add(form for form in forms if form.compiled)
    if any(form.compiled for form in runners):
        record.measure("times", lambda: _times(runners, place, MEASURING * seconds))


def _build(
    form: Form,
    model: PhasedModel,
    cfg: Any,
    data: dict[str, Any],
    device: torch.device,
    runners: dict[Form, StepRunner],
) -> dict[str, Any]:
    """Take the first step of a form, which compiles and tunes, and a second, whose peak memory is measured."""
    runners[form] = runner = StepRunner(
        model,
        cfg.optim_wrapper,
        data,
        device,
        form.precision,
        form.layers,
        form.compiled,
        form.channels_last,
    )
    losses = {name: float(value) for name, value in runner.step().items()}
    peak = None
    if device.type == "cuda":
        _release(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        runner.step()
        torch.cuda.synchronize(device)
        # Subtract everything that was there before, which includes the weights of other forms, and add the own weights.
        own = sum(t.numel() * t.element_size() for t in (*runner.model.parameters(), *runner.model.buffers()))
        peak = (torch.cuda.max_memory_allocated(device) - before + own) / 2**30
    return {"passed": True, "losses": losses, "step_gib": peak}


def _release(device: torch.device) -> None:
    """Free the memory that the allocator caches."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _times(runners: dict[Form, StepRunner], device: torch.device, seconds: float) -> dict[str, Any]:
    """Return the median times of all forms, and the ratio of the reference's time in fp32 to each."""
    times = in_turn({str(form): runner.step for form, runner in runners.items()}, device, seconds)
    medians = {name: median(own) for name, own in times.items()}
    result: dict[str, Any] = {"passed": True, "rounds": len(next(iter(times.values())))}
    result["milliseconds"] = {name: 1000 * value for name, value in medians.items()}
    if str(SLOW) in medians:
        result["times_faster"] = {name: medians[str(SLOW)] / value for name, value in medians.items()}
    return result


def _work(runner: StepRunner) -> dict[str, Any]:
    """Count the products of a step, forward and backward, including those of gradient penalties."""
    with StepMeter([]) as meter:
        runner.step()
    return {"passed": True, "tflop": 2 * meter.macs.total() / 1e12}


def _trace(runner: StepRunner, device: torch.device, path: Path) -> dict[str, Any]:
    """Profile one step: return the kernels that take most time, and write a trace for a viewer."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if device.type == "cuda" else []
    with torch.profiler.profile(activities=activities) as profiler:
        runner.step()
        with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
            if device.type == "cuda":
                torch.cuda.synchronize()
    order = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    events = sorted(profiler.key_averages(), key=lambda event: getattr(event, order), reverse=True)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(plain))
        with plain.open("rb") as source, gzip.open(path, "wb") as target:
            shutil.copyfileobj(source, target)
    most = [{"name": event.key, "calls": event.count, "ms": getattr(event, order) / 1000} for event in events[:15]]
    return {"passed": True, "most_time": most, "operations": sum(event.count for event in events)}


def compile_subject(subject: Subject, device: str, narrow: bool, record: Record) -> None:
    """Compile the parts of a model once, so that the timed stage finds the kernels in torch's cache on the disk."""
    place = torch.device(device)
    cfg = subject_config(subject, narrow)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    clips = NARROW_CLIPS if narrow else cfg.train_dataloader.batch_size
    data = random_batch(model, frames_of(cfg, model, narrow), clips)
    for form in (form for form in FORMS if form.compiled):
        record.measure(str(form), partial(_build, form, model, cfg, data, place, {}))
