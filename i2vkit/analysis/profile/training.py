"""Profile of a training step, phase by phase: forward and backward passes of all losses, and the optimisers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from statistics import median
from typing import Any

from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from i2vkit.analysis.benchmark.step import build_optimizers, random_batch, reference_optimizers
from i2vkit.analysis.profile.dry_run import META, DryRun
from i2vkit.analysis.profile.forward import RUNS
from i2vkit.analysis.profile.measuring import Stopwatch, storage_bytes
from i2vkit.analysis.profile.profile_report import PartProfile
from i2vkit.analysis.profile.step_meter import PhaseReportingOptimizers, StepMeter
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.models.training.phases import Phase

CLIPS = 2
BEFORE = "videos of all passes"


def profile_training(model: PhasedModel, optim_wrapper: dict, num_frames: int, clips: int = CLIPS) -> list[PartProfile]:
    """Return a row for everything before the phases of a training step, one for each phase, and "training step".

    The clips are random. Matrix products, convolutions, recurrent layers and attention are counted, forward and
    backward, as they reach torch's kernels. Other operations are listed by name. ``parameters`` of a phase are those
    that it updates. The step is one of the first iterations, so a phase that begins later has zeros.

    Args:
        model: A model on the CPU. A copy of it is trained.
        optim_wrapper: The config's ``optim_wrapper``.
        num_frames: The length of the clips.
        clips: The number of clips in a step. By default 2.
    """
    model = deepcopy(model).train()
    data, optimizers = random_batch(model, num_frames, clips), build_optimizers(model, optim_wrapper)
    model.train_step(data, optimizers)  # the first step creates optimiser states and the networks of losses
    known = _all_that_stays(model, optimizers, data)
    meter = _metered(model, optimizers, data, known)
    runs = []
    for _ in range(RUNS):
        watch = Stopwatch()
        model.train_step(data, PhaseReportingOptimizers(optimizers, watch))
        watch.enter("")
        runs.append(watch.seconds)
    return _rows(model, meter, known, runs)


def dry_training(
    model: PhasedModel, optim_wrapper: dict, num_frames: int, clips: int = CLIPS
) -> tuple[list[PartProfile], int]:
    """Return the same rows for the step that holds most memory, and the iteration of that step, without computing it.

    Phases and losses may begin, pause and end. Of all iterations that differ in what runs, the one that holds most
    memory is taken. There are no seconds. The work of the optimisers is left out, since fused it is one operation in
    each phase.

    Args:
        model: A model on the meta device. It is set to training mode.
        optim_wrapper: The config's ``optim_wrapper``.
        num_frames: The length of the clips.
        clips: The number of clips in a step. By default 2.
    """
    model.to(META).train()  # also tells the preprocessor to send the batch there
    data = random_batch(model, num_frames, clips)
    # There are no fused kernels on the meta device.
    optimizers = build_optimizers(model, reference_optimizers(optim_wrapper))
    iterations = distinct_iterations(model.phases)
    with DryRun() as values:
        data["inputs"] = tree_map_only(Tensor, values.to_meta, data["inputs"])
        # A first pass creates all optimiser states, so that the second pass measures only steps.
        for iteration in iterations:
            with at_iteration(iteration):
                model.train_step(data, optimizers)
        known = _all_that_stays(model, optimizers, data)
        meters = {}
        for iteration in iterations:
            with at_iteration(iteration):
                meters[iteration] = _metered(model, optimizers, data, known, with_optimizers=False)
    heaviest = max(iterations, key=lambda iteration: max(meters[iteration].peaks.values()))
    return _rows(model, meters[heaviest], known, []), heaviest


def distinct_iterations(phases: tuple[Phase, ...]) -> list[int]:
    """Return the first iteration of each kind. Iterations of one kind run the same phases and losses."""
    turning = {0}
    for phase in phases:
        turning |= {phase.begin, phase.end or 0}
        turning |= {time for loss in phase.losses for time, _ in loss.schedule}
    # Between two such points the pattern of phases repeats after the product of all intervals. A schedule whose weight
    # leaves 0 does so one iteration after its point, hence the 1 that is added.
    around = 1
    for every in {phase.every for phase in phases}:
        around *= every
    kinds: dict[tuple, int] = {}
    for iteration in sorted(start + later for start in turning for later in range(around + 1)):
        running = [(phase.name, loss.name) for phase in phases for loss in phase.losses_at(iteration)]
        kinds.setdefault(tuple(pair for pair in running if _runs(phases, pair[0], iteration)), iteration)
    return [iteration for running, iteration in kinds.items() if running]


def _runs(phases: tuple[Phase, ...], name: str, iteration: int) -> bool:
    """Return True if the phase called ``name`` runs at ``iteration``."""
    return next(phase for phase in phases if phase.name == name).runs_at(iteration)


@contextmanager
def at_iteration(iteration: int) -> Iterator[None]:
    """Set the clock of the schedules to ``iteration`` inside the context."""
    hub = MessageHub.get_current_instance()
    before = hub.runtime_info.get("iter", 0)
    hub.update_info("iter", iteration)
    try:
        yield
    finally:
        hub.update_info("iter", before)


def _all_that_stays(model: PhasedModel, optimizers: OptimWrapperDict, data: dict) -> list[Tensor]:
    """Return the tensors that exist before and after a step: weights, optimiser states, the batch."""
    networks = nn.ModuleList(
        [model, *(network for phase in model.phases for loss in phase.losses for network in loss.networks())]
    )
    return [*networks.parameters(), *networks.buffers(), *_tensors(optimizers), *_tensors(data["inputs"])]


def _metered(
    model: PhasedModel, optimizers: OptimWrapperDict, data: dict, known: list[Tensor], with_optimizers: bool = True
) -> StepMeter:
    """Take one step and return the meter, which leaves out the memory of ``known``."""
    meter = StepMeter(known)
    with meter if with_optimizers else meter.leaving_out(optimizers):
        model.train_step(data, PhaseReportingOptimizers(optimizers, meter))
    return meter


def _rows(model: PhasedModel, meter: StepMeter, known: list[Tensor], runs: list[Counter]) -> list[PartProfile]:
    """Return the rows of all sections and the total."""

    def row(section: str, parameters: int) -> PartProfile:
        return PartProfile(
            f"phase {section}" if section else BEFORE,
            parameters,
            meter.macs[section],
            dict(meter.uncounted.get(section, Counter()).most_common()),
            peak_bytes=meter.peaks[section],
            seconds=median(run[section] for run in runs) if runs else None,
            operations=meter.operations[section],
        )

    rows = [row("", 0)]
    for phase in model.phases:
        modules = nn.ModuleList(model.phase_modules(phase.name))
        # A phase may contain frozen parts, which it does not update.
        frozen = {id(p) for path in model.frozen for p in model.get_part(path).parameters()}
        rows.append(row(phase.name, sum(p.numel() for p in modules.parameters() if id(p) not in frozen)))
    uncounted = sum((Counter(each.uncounted) for each in rows), Counter())
    total = PartProfile(
        "training step",
        sum(p.numel() for p in model.trainable_parameters()),
        meter.macs.total(),
        dict(uncounted.most_common()),
        peak_bytes=max(meter.peaks.values()),
        seconds=median(run.total() for run in runs) if runs else None,
        operations=meter.operations.total(),
        held_bytes=storage_bytes(known),
    )
    return [*rows, total]


def _tensors(values: Any) -> list[Tensor]:
    """Return all tensors inside dicts, lists and the states of optimisers."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, OptimWrapperDict):
        return [tensor for _, wrapper in values.items() for tensor in _tensors(wrapper.optimizer.state)]
    if isinstance(values, Mapping):
        return [tensor for value in values.values() for tensor in _tensors(value)]
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    return []
