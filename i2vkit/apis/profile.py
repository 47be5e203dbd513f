"""Parameters and multiply-adds of a model, part by part."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from math import prod

import torch
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.critic import Look
from i2vkit.models.discriminators.views import Footage
from i2vkit.models.layers.lengths import Lengths
from i2vkit.models.layers.stream import Stream
from i2vkit.models.passes import Pass
from i2vkit.structures import Clip

with warnings.catch_warnings():
    # On import fvcore compiles a loss with torch.jit.script, which torch has deprecated.
    warnings.simplefilter("ignore", FutureWarning)
    from fvcore.nn import FlopCountAnalysis
    from fvcore.nn.jit_handles import get_shape

NOTE = (
    "MACs: one multiply-add counts as one, which fvcore calls a FLOP; 1 video of {frames} frames of {size} x {size} "
    "pixels, forward only. ReLU, clamping, copies and reshapes are taken as free."
)


@dataclass(frozen=True)
class PartProfile:
    """One row of the table.

    ``macs`` are for one video; ``uncounted`` names the operations that are not in them, and how often each occurs.
    """

    name: str
    parameters: int
    macs: int
    uncounted: dict[str, int] = field(default_factory=dict)


def recurrent_macs(inputs: list, outputs: list) -> int:
    """Multiply-adds of ``aten::lstm`` and ``aten::gru``: steps x the sum of the sizes of the weight matrices.

    Every weight matrix (input to gates, state to gates, projection; all layers and directions) is multiplied once with
    a vector a step. Gates and biases are not counted, as fvcore does not count them elsewhere.
    """
    # The last list of tensors among the inputs is that of the parameters; the one before it, if any, the state.
    lists = [value for value in inputs if value.node().kind() == "prim::ListConstruct"]
    shapes = [get_shape(parameter) for parameter in lists[-1].node().inputs()]
    steps = prod(get_shape(inputs[0])[:-1])
    return steps * sum(prod(shape) for shape in shapes if len(shape) == 2)


def analyse(module: nn.Module, inputs: tuple[Tensor, ...]) -> FlopCountAnalysis:
    """fvcore's analysis of ``module(*inputs)`` (tensors in, tensors out), with LSTM and GRU, and quiet."""
    analysis = FlopCountAnalysis(module, inputs)
    analysis.set_op_handle("aten::lstm", recurrent_macs, "aten::gru", recurrent_macs)
    # What is not counted is reported by name with the result; fvcore would only log it.
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")


def profile_parts(module: nn.Module, inputs: tuple[Tensor, ...], root: str) -> list[PartProfile]:
    """A row for every child of the submodule ``root`` of ``module``, one for what lies between, and one for the whole.

    Children without parameters and operations have no row. The rows' MACs add up to those of the whole, unless parts
    share modules.
    """
    analysis = analyse(module, inputs)
    macs, uncounted = analysis.by_module(), {name: analysis.unsupported_ops(name) for name in analysis.by_module()}
    part = module.get_submodule(root)
    rows = []
    for name, child in part.named_children():
        names = [f"{root}.{name}"]
        if isinstance(child, nn.ModuleList | nn.ModuleDict):
            # Such a container is never called itself.
            names = [f"{root}.{name}.{inner}" for inner, _ in child.named_children()]
        rows.append(_row(name, child, (macs[n] for n in names), (uncounted[n] for n in names)))
    rows = [row for row in rows if row.parameters or row.macs or row.uncounted]

    between = Counter(_short(uncounted[root]))
    between.subtract(sum((Counter(row.uncounted) for row in rows), Counter()))
    rest = macs[root] - sum(row.macs for row in rows)
    if rest or +between:
        own = sum(p.numel() for p in part.parameters(recurse=False))
        rows.append(PartProfile("between the parts", own, rest, dict(+between)))
    return [*rows, _row(root, part, [macs[root]], [uncounted[root]])]


def _row(name: str, module: nn.Module, macs: Iterable[int], uncounted: Iterable[Counter]) -> PartProfile:
    parameters = sum(p.numel() for p in module.parameters())
    return PartProfile(name, parameters, int(sum(macs)), _short(sum(uncounted, Counter())))


def _short(operations: Counter) -> dict[str, int]:
    """Operation names without their namespace, most frequent first; in-place ones with the others."""
    short: Counter = Counter()
    for name, times in operations.items():
        short[name.rpartition("::")[2].removeprefix("PythonOp.").rstrip("_")] += times
    return dict(short.most_common())


class GeneratorProbe(nn.Module):
    """A generator that takes and gives tensors, as tracing needs it: video (B, 3, T, H, W) -> video."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, source: Tensor) -> Tensor:
        """Animate the first frame of ``source`` by its own motion."""
        label = torch.zeros(len(source), dtype=torch.long) if self.generator.num_labels else None
        seeds = list(range(len(source)))
        clip = self.generator.with_maps(Clip(source, label=label))
        return self.generator(clip, {"profile": Pass()}, Stream(seeds))["profile"].video


class NetworkProbe(nn.Module):
    """The network of a supervised model, as tracing needs it: video (B, 3, T, H, W) -> what it predicts at test."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor) -> Tensor:
        """Classify ``source``."""
        return self.network(Clip(source), [self.network.predicts])[self.network.predicts]


class CriticProbe(nn.Module):
    """A critic that takes one tensor, the samples that its view picked, its condition being fixed."""

    def __init__(self, critic: nn.Module, look: Look) -> None:
        super().__init__()
        self.critic, self._look = critic, look

    def forward(self, sample: Tensor) -> Tensor:
        """Samples of the critic's kind -> logits."""
        return self.critic(sample, self._look.label, self._look.maps)


def look_at(critic: nn.Module, video: Tensor, generator: nn.Module) -> Look:
    """What a critic sees of a video (B, 3, T, H, W); a motion encoded anew is not the critic's own work."""
    label = torch.zeros(len(video), dtype=torch.long)
    clip = generator.with_maps(Clip(video, label=label))
    motion = partial(generator.encode_motion, clip, Stream([0] * len(video)))
    footage = Footage(video, None, motion, image=video[:, :, 0], label=label, maps=clip.source_maps)
    return critic.look(footage, critic.view, critic.view.draw(footage))


@torch.no_grad()
def profile_model(model: nn.Module, num_frames: int = 16) -> list[PartProfile]:
    """Parameters and multiply-adds of every part of the generator, and of every critic, for one video.

    Of a ``SupervisedModel`` it is the parts of its network, for what it predicts at test.

    Args:
        model: on the CPU; it is put into eval mode.
        num_frames: length of the video. A critic is counted for the samples it takes from one video of that length.

    Raises:
        ConfigError: a length that the generator cannot make; lists those it can.
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
    for name, critic in model.critics.items():
        look = look_at(critic, video, model.generator)
        whole = profile_parts(CriticProbe(critic, look), (look.sample,), "critic")[-1]
        rows.append(replace(whole, name=f"critics.{name}"))
    return rows


def lengths_of(model: nn.Module) -> Lengths:
    """The lengths of the videos that a model makes or takes."""
    return model.generator.lengths if hasattr(model, "generator") else Lengths()


def as_json(rows: list[PartProfile], num_frames: int, image_size: int) -> dict:
    """The rows as they are written to a file."""
    return {
        "frames": num_frames,
        "image_size": image_size,
        "note": NOTE.format(frames=num_frames, size=image_size),
        "parts": [asdict(row) for row in rows],
    }


def as_table(rows: list[PartProfile], num_frames: int, image_size: int) -> str:
    """The rows as text, with what was not counted by name below.

    Examples:
        >>> from i2vkit.apis.profile import PartProfile, as_table
        >>> print(as_table([PartProfile("decoder", 12_500, 3_000_000, {"tanh": 2})], 16, 64).splitlines()[1])
        decoder      12,500       3.00
    """
    width = max(len(row.name) for row in rows)
    lines = [f"{'part':<{width}}  parameters      MMACs"]
    lines += [f"{row.name:<{width}}  {row.parameters:>10,} {row.macs / 1e6:>10,.2f}" for row in rows]
    lines += ["", NOTE.format(frames=num_frames, size=image_size), "Not counted (operation x times):"]
    listed = [
        f"  {row.name}: " + ", ".join(f"{op} x {n}" for op, n in row.uncounted.items()) for row in rows if row.uncounted
    ]
    return "\n".join(lines + (listed or ["  nothing"]))
