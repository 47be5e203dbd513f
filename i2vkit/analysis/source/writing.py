"""A config as one flat file of plain PyTorch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor
from torch.utils._pytree import tree_map_only

from i2vkit.analysis.benchmark.generators import step_length
from i2vkit.analysis.benchmark.step import build_optimizers, random_batch, reference_optimizers
from i2vkit.analysis.profile.dry_run import META, DryRun
from i2vkit.analysis.profile.training import at_iteration, distinct_iterations
from i2vkit.analysis.source.assembling import assemble
from i2vkit.analysis.source.classes import ClassWriter
from i2vkit.analysis.source.constructors import Call
from i2vkit.analysis.source.gan_step import StepText
from i2vkit.analysis.source.generator_text import GeneratorText
from i2vkit.analysis.source.recording import recording
from i2vkit.analysis.source.shapes import Shapes
from i2vkit.analysis.source.supervised_step import CONTEXT, step_lines
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.media import atomic_path
from i2vkit.models.layers.forms import choose_form
from i2vkit.models.training.image_to_video_gan import ImageToVideoGan
from i2vkit.registry import MODELS, build_part

_GENERATED = '''@dataclass
class Generated:
    """The video (B, 3, T, H, W) of a pass, with its content, its motion as it was encoded or drawn, and its mask."""

    video: Tensor
    content: Content
    encoded: Motion
    mask: Tensor | None = None'''


def write_source(cfg: Config, name: str, out: str | Path) -> str:
    """Write a config as one flat file of plain PyTorch, and return its text.

    The file has the networks that the config uses, with the layers that it builds and without the branches that its
    training step does not take. Comments give the shapes of a batch of the config's size. ``Model.train_step`` has the
    phases and losses in their order. The file needs torch and einops alone.

    Args:
        cfg: A config from ``load_config``.
        name: The name of the config.
        out: The file.

    Raises:
        ConfigError: A part of the training is not written as source, for instance a network of timm.
    """
    text = source_of_config(cfg, name)
    with atomic_path(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def source_of_config(cfg: Config, name: str) -> str:
    """Return the text of ``write_source``."""
    if not cfg.get("optim_wrapper"):
        raise ConfigError(f"{name} has no optim_wrapper: nothing trains")
    clips = int((cfg.get("train_dataloader") or {}).get("batch_size", 2))
    with recording() as record:
        with torch.device(META):
            model: Any = build_part(MODELS, cfg.model)
        if isinstance(model, ImageToVideoGan) and model.generator.feeds_back:
            # Before any class is read: parts of a rollout may hold what is not written either.
            raise ConfigError(f"{name} works step by step, and such a model is not written as source")
        construction = record.forget()
        optimizers = build_optimizers(model, reference_optimizers(cfg.optim_wrapper))
        data, shapes = _dry_steps(model, optimizers, step_length(cfg), clips)
    plain = {phase: wrapper.optimizer for phase, wrapper in optimizers.items()}
    writer = ClassWriter(record, construction, shapes)
    if isinstance(model, ImageToVideoGan):
        helpers = _gan(model, plain, writer)
    else:
        _supervised(model, plain, optimizers, writer)
        helpers = set()
    return assemble(cfg, name, writer, helpers, data, clips)


def _dry_steps(model: Any, optimizers: Any, frames: int, clips: int) -> tuple[dict[str, Any], dict[int, str]]:
    """Take one dry step of each kind; return the inputs, and the shapes by the identity of the module."""
    model.to(META).train()
    choose_form(model, "reference")
    for discriminator in getattr(model, "discriminators", {}).values():
        discriminator.reference = True
        discriminator.micro_batch, discriminator.checkpointing = None, False
    decoder: Any = getattr(getattr(model, "generator", None), "decoder", None)
    if hasattr(decoder, "_frame_bytes"):
        decoder._frame_bytes = 1  # so that all frames fit into a piece
    data = random_batch(model, frames, clips)
    shapes = Shapes(model)
    with DryRun() as values:
        inputs = tree_map_only(Tensor, values.to_meta, data["inputs"])
        for iteration in distinct_iterations(model.phases):
            with at_iteration(iteration):
                model.train_step(data | {"inputs": inputs}, optimizers)
    shapes.remove()
    return data["inputs"], shapes.by_module


def _gan(model: ImageToVideoGan, optimizers: dict, writer: ClassWriter) -> set[str]:
    """Write the classes of the generator and of the whole model, and return the names of helpers that they use."""
    text, step = GeneratorText(model), StepText(model)
    order = [name for name in GENERATOR_SLOTS if name not in ("head", "refiner")] + ["head", "refiner"]
    children = dict(model.generator.named_children())
    slots = [(name, part) for name, part in children.items() if not _is_empty(part)]
    slots.sort(key=lambda slot: order.index(slot[0]) if slot[0] in order else -1)
    networks: list[tuple[str, Any]] = [(name, each.network) for name, each in model.discriminators.items()]
    writer.add([part for _, part in slots])
    writer.add([network for _, network in networks])
    generator = ["class Generator(nn.Module):", f'    """{_sentence(slots)}"""', "", "    def __init__(self):"]
    generator.append("        super().__init__()")
    for name, part in slots:
        generator += writer.call(part).lines(8, f"self.{name} = ")
    generator += ["", *text.lines()]
    whole = ["class Model(nn.Module):", '    """The generator, its discriminators and their optimisers."""', ""]
    whole += ["    def __init__(self):", "        super().__init__()", "        self.generator = Generator()"]
    if networks:
        whole.append("        self.discriminators = nn.ModuleDict({")
        for name, network in networks:
            call = writer.call(network)
            whole += Call(call.name, call.arguments, call.named, call.comment).lines(12, f'"{name}": ', ",")
        whole.append("        })")
    whole += _frozen_lines(model)
    whole += _optimizer_lines(model, optimizers)
    whole += ["", *step.lines()]
    writer.pieces["Generated"] = _GENERATED.split("\n")
    writer.need("Content", "i2vkit.structures")
    writer.need("Motion", "i2vkit.structures")
    writer.need("VideoBatch", "i2vkit.structures")
    writer.pieces["Generator"], writer.pieces["Model"] = generator, whole
    return text.helpers | step.helpers | {"RandomState"}


def _supervised(model: Any, optimizers: dict, wrappers: Any, writer: ClassWriter) -> None:
    """Write the network and the model of a supervised training."""
    writer.add([model.network])
    clips = {name: wrapper.clip_grad_kwargs for name, wrapper in wrappers.items()}
    clipping = {name: float(settings["max_norm"]) for name, settings in clips.items() if settings}
    writer.need("VideoBatch", "i2vkit.structures")
    step = step_lines(model, clipping, writer)
    whole = ["class Model(nn.Module):", '    """The network and its optimisers."""', "", "    def __init__(self):"]
    whole += ["        super().__init__()", *writer.call(model.network).lines(8, "self.network = ")]
    whole += [*_frozen_lines(model), *_optimizer_lines(model, optimizers), "", *step]
    writer.pieces["Context"] = CONTEXT.split("\n")
    writer.imports |= {"from dataclasses import dataclass", "from torch import Tensor, nn", "import torch"}
    writer.pieces["Model"] = whole


def _is_empty(part: Any) -> bool:
    return isinstance(part, torch.nn.ModuleList) and not len(part)


def _sentence(slots: Sequence[tuple[str, Any]]) -> str:
    return f"The generator: {', '.join(name.replace('_', ' ') for name, _ in slots)}."


def _frozen_lines(model: Any) -> list[str]:
    """Return the lines that freeze parts."""
    if not model.frozen:
        return []
    lines = [f"        self.frozen = [{', '.join(f'self.{path}' for path in model.frozen)}]"]
    lines.append("        for part in self.frozen:  # they never train, and stay in eval mode")
    return [*lines, "            part.requires_grad_(False)"]


def _optimizer_lines(model: Any, optimizers: dict) -> list[str]:
    """Return the lines that make an optimiser for each phase."""
    lines = ["        self.optimizers = {"]
    for phase in model.phases:
        optimizer = optimizers[phase.name]
        fresh = type(optimizer)([torch.nn.Parameter(torch.zeros(1))]).defaults
        known = {key: value for key, value in optimizer.defaults.items() if key == "lr" or fresh.get(key) != value}
        known = {key: value for key, value in known.items() if key not in ("fused", "foreach")}
        settings = ", ".join(f"{key}={value!r}" for key, value in known.items())
        parts = [f"self.{path}" for path in _flat_paths(phase.updates)]
        every = f"{parts[0]}.parameters()" if len(parts) == 1 else f"nn.ModuleList([{', '.join(parts)}]).parameters()"
        frozen = any(path.startswith(f"{update}.") for path in model.frozen for update in phase.updates)
        parameters = f"[p for p in {every} if p.requires_grad]" if frozen else every
        lines.append(f'            "{phase.name}": torch.optim.{type(optimizer).__name__}(')
        lines += [f"                {parameters},", f"                {settings},", "            ),"]
    lines.append("        }")
    if model.frozen:
        lines += ["        self.train()", "", "    def train(self, mode: bool = True):"]
        lines += ['        """Set the mode of all parts but the frozen ones."""', "        super().train(mode)"]
        lines += ["        for part in self.frozen:", "            part.eval()", "        return self"]
    return lines


def _flat_paths(paths: Sequence[str]) -> list[str]:
    """Return paths with discriminators as items of their dict."""
    return [re.sub(r"^discriminators\.(\w+)", r'discriminators["\1"]', path) for path in paths]
