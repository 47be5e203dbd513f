"""Profile of a model's forward pass, part by part, for one video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from i2vkit.analysis.profile.counting import analyse, analyse_activations
from i2vkit.analysis.profile.measuring import Stopwatch, TensorMemory, watching
from i2vkit.analysis.profile.profile_report import PartProfile
from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.discriminators.discriminator import Discriminator, DiscriminatorInput
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator import Generator
from i2vkit.models.training.passes import Pass
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.structures import VideoBatch

RUNS = 3
BETWEEN = "between the parts"


@torch.no_grad()
def profile_parts(module: nn.Module, inputs: tuple[Tensor, ...], root: str) -> list[PartProfile]:
    """Return a row for every child of the submodule ``root`` of ``module``, one for the rest, and one for the whole.

    Children without parameters and operations have no row. Multiply-adds, activations and seconds of the rows add up to
    those of the whole, unless parts share modules.
    """
    parts = {name: _called(child) for name, child in module.get_submodule(root).named_children()}
    rows = _counted(module, inputs, root)
    with TensorMemory([*module.parameters(), *module.buffers(), *inputs]) as memory, watching(parts, memory):
        module(*inputs)
    runs = []
    for _ in range(RUNS):
        watch = Stopwatch()
        with watching(parts, watch):
            module(*inputs)
        runs.append(watch.seconds)
    section = {row.name: "" if row.name == BETWEEN else row.name for row in rows}
    measured = [
        replace(
            row,
            peak_bytes=memory.peaks[section[row.name]],
            seconds=median(run[section[row.name]] for run in runs),
        )
        for row in rows[:-1]
    ]
    # The whole includes everything, so its peak is the largest of all sections.
    whole = replace(rows[-1], peak_bytes=max(memory.peaks.values()), seconds=median(run.total() for run in runs))
    return [*measured, whole]


def _called(child: nn.Module) -> list[nn.Module]:
    """Return the modules that are called with ``child``. A list or dict of modules is never called itself."""
    return list(child.children()) if isinstance(child, nn.ModuleList | nn.ModuleDict) else [child]


def _counted(module: nn.Module, inputs: tuple[Tensor, ...], root: str) -> list[PartProfile]:
    """Return the rows with parameters, multiply-adds and activations only."""
    analysis = analyse(module, inputs)
    macs, activations = analysis.by_module(), analyse_activations(module, inputs).by_module()
    names = {part: name for name, part in module.named_modules()}
    whole = module.get_submodule(root)

    def row(name: str, part: nn.Module, paths: Iterable[str]) -> PartProfile:
        paths = list(paths)
        return PartProfile(
            name=name,
            parameters=_count(part),
            macs=int(sum(macs[path] for path in paths)),
            uncounted=_short(sum((analysis.unsupported_ops(path) for path in paths), Counter())),
            activations=int(sum(activations[path] for path in paths)),
        )

    rows = [row(name, child, (names[part] for part in _called(child))) for name, child in whole.named_children()]
    rows = [each for each in rows if each.parameters or each.macs or each.uncounted]
    total = row(root, whole, [root])
    # Everything that no child has done is the work between the parts.
    between = Counter(total.uncounted)
    between.subtract(sum((Counter(each.uncounted) for each in rows), Counter()))
    rest = replace(
        total,
        name=BETWEEN,
        parameters=sum(p.numel() for p in whole.parameters(recurse=False)),
        macs=total.macs - sum(each.macs for each in rows),
        uncounted=dict(+between),
        activations=(total.activations or 0) - sum(each.activations or 0 for each in rows),
    )
    return [*rows, rest, total] if rest.parameters or rest.macs or rest.uncounted else [*rows, total]


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _short(operations: Counter) -> dict[str, int]:
    """Return operation names without namespace, most frequent first. In-place operations count with the others."""
    short: Counter = Counter()
    for name, times in operations.items():
        short[name.rpartition("::")[2].removeprefix("PythonOp.").rstrip("_")] += times
    return dict(short.most_common())


class GeneratorProbe(nn.Module):
    """A wrapper of a generator for tracing, with tensors as input and output: video (B, 3, T, H, W) -> video."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, driving: Tensor) -> Tensor:
        """Animate the first frame of ``driving`` by its own motion."""
        label = torch.zeros(len(driving), dtype=torch.long) if self.generator.num_labels else None
        seeds = list(range(len(driving)))
        clip = self.generator.with_conditions(VideoBatch(driving, label=label))
        return self.generator(clip, {"profile": Pass()}, GenerationState(seeds))["profile"].video


class NetworkProbe(nn.Module):
    """A wrapper of a supervised model's network for tracing: video (B, 3, T, H, W) -> prediction at test."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, driving: Tensor) -> Tensor:
        """Return the network's prediction for ``driving``, or for the same number of poses."""
        batch, _, length = driving.shape[:3]
        poses = getattr(self.network, "num_joints", 0)
        clip = VideoBatch(driving, joints=torch.zeros(batch, length, poses, 2) if poses else None)
        return self.network(clip, [self.network.predicts])[self.network.predicts]


class DiscriminatorProbe(nn.Module):
    """A wrapper of a discriminator for tracing. Its input is the view's samples, and its condition is fixed."""

    def __init__(self, discriminator: Discriminator, disc_input: DiscriminatorInput) -> None:
        super().__init__()
        self.discriminator, self._disc_input = discriminator, disc_input

    def forward(self, sample: Tensor) -> Tensor:
        """Return the logits of samples of the discriminator's sample type."""
        return self.discriminator(sample, self._disc_input.label, self._disc_input.maps)


def discriminator_input(discriminator: Discriminator, video: Tensor, generator: Generator) -> DiscriminatorInput:
    """Return the input of a discriminator for a video (B, 3, T, H, W).

    If it needs a motion, that is encoded here, so that it does not count as the discriminator's work.
    """
    label = torch.zeros(len(video), dtype=torch.long)
    clip = generator.with_conditions(VideoBatch(video, label=label))
    motion = partial(generator.encode_motion, clip, GenerationState([0] * len(video)))
    conditioned = ConditionedVideo(video, None, motion, image=video[:, :, 0], label=label, maps=clip.driving_maps)
    return discriminator.prepare_input(conditioned, discriminator.view, discriminator.view.sample_indices(conditioned))


@torch.no_grad()
def profile_model(model: PhasedModel, num_frames: int = 16) -> list[PartProfile]:
    """Profile every part of the generator, the generator, and every discriminator for one video.

    For a ``SupervisedModel`` these are the parts of its network, with its prediction at test.

    Args:
        model: A model on the CPU. It is set to eval mode.
        num_frames: The length of the video. By default 16. A discriminator is counted for the samples that it takes
            from one video of this length.

    Raises:
        ConfigError: The generator cannot make this length. The message lists those that it can.
    """
    model.eval()
    if num_frames not in lengths_of(model):
        raise ConfigError(
            f"this model makes videos of {lengths_of(model)} frames, not of {num_frames}: give one of these (--frames)"
        )
    video = torch.zeros(1, 3, num_frames, model.image_size, model.image_size)
    if not hasattr(model, "generator"):
        return profile_parts(NetworkProbe(model.network), (video,), "network")
    rows = profile_parts(GeneratorProbe(model.generator), (video,), "generator")
    for name, discriminator in model.discriminators.items():
        disc_input = discriminator_input(discriminator, video, model.generator)
        whole = profile_parts(DiscriminatorProbe(discriminator, disc_input), (disc_input.sample,), "discriminator")[-1]
        rows.append(replace(whole, name=f"discriminators.{name}"))
    return rows


def lengths_of(model: PhasedModel) -> ClipLengths:
    """Return the lengths of the videos that a model makes or takes."""
    return model.generator.lengths if hasattr(model, "generator") else ClipLengths()
