"""Results of profiling: rows, the table of several models, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from i2vkit.analysis.benchmark.timing import environment_info

NOTES = {
    "MMACs": "millions of multiply-adds; one counts as one, which fvcore calls a FLOP. ReLU, clamping, copies and "
    "reshapes are taken as free, and what the output does not depend on is left out",
    "Mact": "millions of values that convolutions, matrix products, recurrent layers and attention give",
    "ops": "operations of a training step that start a kernel; starting takes about 0.01 ms",
    "peak MB": "the most that tensors held at once while the part ran, beyond weights, optimiser states and inputs; "
    "what kernels take while they run is not in it, nor what CUDA itself and its allocator do",
    "ms": "median of the runs, on this machine as busy as it was",
}


@dataclass(frozen=True)
class PartProfile:
    """One row of the table. A value that was not measured is None.

    Attributes:
        name: The part, the phase or the whole.
        parameters: The number of parameters. For a phase, of those that it updates.
        macs: Multiply-adds for one video, or for one training step.
        uncounted: The operations that are not part of ``macs``, and how often each occurs.
        activations: The number of output values, for one video.
        peak_bytes: The most memory that tensors held at once, without weights and inputs.
        seconds: The median time.
        operations: The operations of a training step that start a kernel.
        held_bytes: The constant memory of model, optimiser states and batch.
    """

    name: str
    parameters: int
    macs: int
    uncounted: dict[str, int] = field(default_factory=dict)
    activations: int | None = None
    peak_bytes: int | None = None
    seconds: float | None = None
    operations: int | None = None
    held_bytes: int | None = None


@dataclass(frozen=True)
class ModelProfile:
    """The profile of one model.

    Attributes:
        config: The name of the config.
        frames: The length of the video.
        image_size: Height and width of the video in pixels.
        parts: The rows of a forward pass. The last row of each network is its whole.
        training: The rows of a training step: everything before the phases, each phase, and "training step". Empty if
            training was not profiled.
        training_frames: The length of the clips of a training step.
        clips: The number of clips in a training step.
        iteration: The iteration of the profiled step.
    """

    config: str
    frames: int
    image_size: int
    parts: list[PartProfile]
    training: list[PartProfile] = field(default_factory=list)
    training_frames: int = 0
    clips: int = 0
    iteration: int = 0

    @property
    def step_bytes(self) -> int:
        """The memory of a training step: the constant memory and the peak beyond it, in bytes."""
        step = self.training[-1]
        return (step.held_bytes or 0) + (step.peak_bytes or 0)

    def rows(self, by_part: bool) -> list[PartProfile]:
        """Return the rows of the table: whole networks and the training step, or all if ``by_part``."""
        if by_part:
            return [*self.parts, *self.training]
        wholes = [
            row for row in self.parts if row.name in ("generator", "network") or row.name.startswith("discriminators.")
        ]
        return wholes + self.training[-1:]


def profile_record(profiles: Sequence[ModelProfile]) -> dict:
    """Return everything that is written to a file, with the environment."""
    return {"notes": NOTES, "models": [asdict(profile) for profile in profiles], **environment_info()}


def format_profiles(profiles: Sequence[ModelProfile], by_part: bool = True) -> str:
    """Return one table of all models as text. Below it, the operations that were not counted are listed by name.

    Examples:
        >>> from i2vkit.analysis.profile import ModelProfile, PartProfile, format_profiles
        >>> row = PartProfile("generator", 12_500, 3_000_000, {"tanh": 2}, activations=40_000, peak_bytes=2_500_000)
        >>> lines = format_profiles([ModelProfile("small", 16, 64, [row])]).splitlines()
        >>> print(lines[0], lines[1], lines[-1], sep=chr(10))
        config  part       parameters  MMACs  Mact  ops  peak MB  ms
        small   generator      12,500   3.00  0.04    -      2.5   -
          small, generator: tanh x 2
    """
    rows = [(profile, row) for profile in profiles for row in profile.rows(by_part)]
    cells = [["config", "part", "parameters", *NOTES]]
    cells += [[profile.config, row.name, *_numbers(row)] for profile, row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for line in cells:
        # The two columns of names are aligned to the left, and numbers to the right.
        names = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        lines.append("  ".join(names + numbers).rstrip())
    lines += ["", *(f"{name}: {text}" for name, text in NOTES.items()), *map(_measured, profiles)]
    lines.append("Not counted in MMACs (operation x times):")
    listed = [
        f"  {profile.config}, {row.name}: " + ", ".join(f"{op} x {n}" for op, n in row.uncounted.items())
        for profile, row in rows
        if row.uncounted
    ]
    return "\n".join(lines + (listed or ["  nothing"]))


def _numbers(row: PartProfile) -> list[str]:
    """Return the columns of numbers of a row."""

    def scaled(value: float | None, unit: float, digits: int) -> str:
        return "-" if value is None else f"{value / unit:,.{digits}f}"

    return [
        f"{row.parameters:,}",
        scaled(row.macs, 1e6, 2),
        scaled(row.activations, 1e6, 2),
        scaled(row.operations, 1, 0),
        scaled(row.peak_bytes, 1e6, 1),
        scaled(row.seconds, 1e-3, 1),
    ]


def _measured(profile: ModelProfile) -> str:
    """Return the line that says for which videos and which step the numbers are."""
    size = f"{profile.image_size} x {profile.image_size} pixels"
    texts = []
    if profile.parts:
        texts.append(f"1 video of {profile.frames} frames of {size}, forward only, in eval mode")
    if profile.training:
        step = f"the training step: {profile.clips} clips of {profile.training_frames} frames of {size}"
        texts.append(step + (f", as in iteration {profile.iteration:,}" if profile.iteration else ""))
        held = format_gib(profile.training[-1].held_bytes or 0)
        texts.append(
            f"its memory: {format_gib(profile.step_bytes)}, {held} of it weights, optimiser states and the batch"
        )
    return f"{profile.config}: " + "; ".join(texts)


def format_gib(number: int) -> str:
    """Return a number of bytes in GiB, as text.

    >>> format_gib(7_000_000_000)
    '6.5 GiB'
    """
    return f"{number / 2**30:,.1f} GiB"
