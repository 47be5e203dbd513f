"""A config as one flat file of plain PyTorch."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor
from torch.utils._pytree import tree_map_only

import i2vkit
from i2vkit.analysis.benchmark.generators import step_length
from i2vkit.analysis.benchmark.step import build_optimizers, random_batch, reference_optimizers
from i2vkit.analysis.profile.dry_run import META, DryRun
from i2vkit.analysis.profile.training import at_iteration, distinct_iterations
from i2vkit.analysis.source.classes import ClassWriter
from i2vkit.analysis.source.constructors import Call
from i2vkit.analysis.source.gan_step import GanText
from i2vkit.analysis.source.recording import Record, Shapes, recording
from i2vkit.analysis.source.supervised_step import CONTEXT, step_lines
from i2vkit.analysis.source.text import HELPERS, IMPORTS, format_number
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
        construction = record.forget()
        optimizers = build_optimizers(model, reference_optimizers(cfg.optim_wrapper))
        data, shapes = _dry_steps(model, optimizers, step_length(cfg), clips)
    plain = {phase: wrapper.optimizer for phase, wrapper in optimizers.items()}
    writer = ClassWriter(record, construction, shapes)
    if isinstance(model, ImageToVideoGan):
        lines, helpers = _gan(model, plain, writer)
    else:
        lines, helpers = _supervised(model, plain, optimizers, writer), set()
    return _file(cfg, name, writer, lines, helpers, data, clips)


def _dry_steps(model: Any, optimizers: Any, frames: int, clips: int) -> tuple[dict[str, Any], dict[int, str]]:
    """Take one dry step of each kind; return the inputs, and the shapes by the identity of the module."""
    model.to(META).train()
    choose_form(model, "reference")
    for discriminator in getattr(model, "discriminators", {}).values():
        discriminator.reference = True
        discriminator.micro_batch, discriminator.checkpointing = None, False
    decoder = getattr(getattr(model, "generator", None), "decoder", None)
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


def _gan(model: ImageToVideoGan, optimizers: dict, writer: ClassWriter) -> tuple[list[str], set[str]]:
    """Return the classes of the generator and of the whole model."""
    text = GanText(model, optimizers)
    order = list(GENERATOR_SLOTS)
    slots = [(name, part) for name, part in model.generator.named_children() if not _is_empty(part)]
    slots.sort(key=lambda slot: order.index(slot[0]) if slot[0] in order else -1)
    networks = [(name, each.network) for name, each in model.discriminators.items()]
    writer.add([*(part for _, part in slots), *(network for _, network in networks)])
    generator = ["class Generator(nn.Module):", f'    """{_sentence(slots)}"""', "", "    def __init__(self):"]
    generator.append("        super().__init__()")
    for name, part in slots:
        generator += writer.call(part).lines(8, f"self.{name} = ")
    generator += ["", *text.generator_lines()]
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
    whole += ["", *text.step_lines()]
    writer.pieces["Generated"] = _GENERATED.split("\n")
    writer.need("Content", "i2vkit.structures")
    writer.need("Motion", "i2vkit.structures")
    writer.need("VideoBatch", "i2vkit.structures")
    writer.pieces["Generator"], writer.pieces["Model"] = generator, whole
    return [], text.helpers | {"RandomState"}


def _supervised(model: Any, optimizers: dict, wrappers: Any, writer: ClassWriter) -> list[str]:
    """Write the network and the model of a supervised training."""
    writer.add([model.network])
    clipping = {name: wrapper.clip_grad_kwargs["max_norm"] for name, wrapper in wrappers.items() if wrapper.clip_grad_kwargs}
    writer.need("VideoBatch", "i2vkit.structures")
    step = step_lines(model, optimizers, clipping, writer)
    whole = ["class Model(nn.Module):", '    """The network and its optimisers."""', "", "    def __init__(self):"]
    whole += ["        super().__init__()", *writer.call(model.network).lines(8, "self.network = ")]
    whole += [*_frozen_lines(model), *_optimizer_lines(model, optimizers), "", *step]
    writer.pieces["Context"] = CONTEXT.split("\n")
    writer.imports |= {"from dataclasses import dataclass", "from torch import Tensor, nn", "import torch"}
    writer.pieces["Model"] = whole
    return []


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


def _file(
    cfg: Config, name: str, writer: ClassWriter, lines: list[str], helpers: set[str], data: dict[str, Any], clips: int
) -> str:
    """Put the file together, in reading order."""
    pieces = dict(writer.pieces)
    if "gradient_penalty" in helpers:
        writer.imports.add("import torch")
    for helper in HELPERS:
        if helper in helpers:
            pieces[helper] = HELPERS[helper].split("\n")
    writer.imports |= {IMPORTS[helper] for helper in helpers if helper in IMPORTS}
    writer.imports |= {"import torch", "from torch import Tensor, nn", "from dataclasses import dataclass, field"}
    if helpers & {"all_frames", "rearrange"}:
        writer.imports.add(IMPORTS["rearrange"])
    pieces = _without_unused(pieces)
    data_classes = [key for key, piece in pieces.items() if piece[0] == "@dataclass"]
    ordered = [
        *_ordered_data(data_classes),
        *(key for key in pieces if key in HELPERS),
        *(key for key in pieces if key not in data_classes and key not in HELPERS and key not in ("Generator", "Model")),
        *(key for key in ("Generator", "Model") if key in pieces),
    ]
    body = "\n\n\n".join("\n".join(pieces[key]) for key in ordered)
    body = _with_used_fields(body)
    header = _header(cfg, name, clips)
    main = _main(data, body)
    imports = _imports(writer.imports, body + main)
    text = f'{header}\n\n{imports}\n\n\n{body}\n\n\n{main}\n'
    ast.parse(text)  # it is Python
    return text


def _ordered_data(names: list[str]) -> list[str]:
    """Return the names of data classes so that each comes behind those in its fields."""
    first = ["VideoBatch", "Content", "Points", "Motion", "Generated"]
    return [*(name for name in first if name in names), *(name for name in names if name not in first)]


def _without_unused(pieces: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out methods, functions and classes that nothing in the file calls."""
    pieces = {key: list(value) for key, value in pieces.items()}
    while True:
        text = "\n".join(line for piece in pieces.values() for line in piece)
        before = sum(map(len, pieces.values()))
        for key in list(pieces):
            if key != "Model" and len(re.findall(rf"\b{key}\b", _without_strings(text))) < 2:
                del pieces[key]
                continue
            if pieces[key][0] == "@dataclass":
                continue
            for method in re.findall(r"^    def (\w+)\(", "\n".join(pieces[key]), re.MULTILINE):
                called = rf"\.{method}\b(?! = )"
                if method not in ("__init__", "forward", "train", "train_step", "backward") and not re.search(called, _without_strings(text)):
                    pieces[key] = _without_method(pieces[key], method)
        if sum(map(len, pieces.values())) == before:
            return pieces


def _without_strings(text: str) -> str:
    """Return source without docstrings and comments."""
    text = re.sub(r'"""[\s\S]*?"""', '""', text)
    return re.sub(r"#.*", "", text)


def _without_method(lines: list[str], name: str) -> list[str]:
    start = next(number for number, line in enumerate(lines) if line.startswith(f"    def {name}("))
    stop = start + 1
    while stop < len(lines) and (not lines[stop].strip() or lines[stop].startswith("     ")):
        stop += 1
    while start > 0 and lines[start - 1].strip().startswith("@"):
        start -= 1
    left = lines[:start] + lines[stop:]
    while left and not left[-1].strip():
        left.pop()
    return left


def _with_used_fields(body: str) -> str:
    """Leave out the fields of data classes that nothing in the file names."""
    code = _without_strings(body)

    def keep(match: re.Match) -> str:
        kept = [
            line
            for line in match[2].split("\n")
            if not (field := re.match(r"    (\w+): ", line))
            or len(re.findall(rf"\.{field[1]}\b|\b{field[1]}=", code)) > 0
            or " = " not in line
        ]
        return match[1] + "\n".join(kept)

    return re.sub(r'(@dataclass\nclass \w+:\n    """[\s\S]*?"""\n\n)((?:    \w+: .*\n?)+)', keep, body)


def _header(cfg: Config, name: str, clips: int) -> str:
    """Return the docstring of the file."""
    doc = ""
    path = Path(cfg.filename or "")
    if path.is_file():
        doc = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    return f'''"""{name}, as one file of plain PyTorch.

i2vkit {i2vkit.__version__} wrote it: i2v source {name}. It has the networks of the config and its training step, with the
same initial weights, losses and gradients. Shapes in comments are those of a batch of {clips}. A discriminator's weights
are those of a checkpoint of i2vkit without "network." in their names. Not in it: reading of data, lengths of padded
clips, learning-rate schedules, mixed precision and generation in chunks.

The config says:

{doc}
"""'''


def _main(data: dict[str, Any], body: str) -> str:
    """Return the end of the file, which takes a step on random clips."""
    used = set(re.findall(r"^    (\w+): ", re.search(r"class VideoBatch:[\s\S]*?\n\n\n", body + "\n\n\n")[0], re.MULTILINE))  # type: ignore[index]
    lines = ["def random_clips(batch=2):", '    """Return random clips, with the sizes of the data set."""', "    return VideoBatch("]
    for name, value in data.items():
        if name not in used:
            continue
        shape = ", ".join(["batch", *map(str, value.shape[1:])])
        if value.dtype == torch.uint8:
            lines.append(f"        {name}=torch.rand({shape}) * 2 - 1,")
        elif value.is_floating_point():
            lines.append(f"        {name}=torch.rand({shape}) * {format_number(max(1.0, float(value.max().ceil())))},")
        else:
            lines.append(f"        {name}=torch.randint({int(value.max()) + 1}, ({shape}{',' if value.dim() == 1 else ''})),")
    lines += ["    )", "", "", 'if __name__ == "__main__":', "    model = Model()"]
    lines += ["    for iteration in range(2):"]
    lines += ["        losses = model.train_step(random_clips(), iteration)"]
    lines += ['        print({name: round(value.item(), 4) for name, value in losses.items()})']
    return "\n".join(lines)


def _imports(found: set[str], text: str) -> str:
    """Return the imports that the file uses, sorted, with the names of one module on one line."""
    plain, by_module = set(), {}  # type: ignore[var-annotated]
    code = _without_strings(text)
    for line in found:
        if line.startswith("import "):
            if re.search(rf"\b{line.split()[-1]}\.", code):
                plain.add(line)
            continue
        module, _, names = line.removeprefix("from ").partition(" import ")
        kept = [each for each in names.split(", ") if re.search(rf"\b{each.split(' as ')[-1]}\b", code)]
        by_module.setdefault(module, set()).update(kept)
    lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in by_module.items() if names]
    own = [line for line in lines if line.split()[1].split(".")[0] not in ("torch", "einops", "timm")]
    builtin = [line for line in plain if line != "import torch"]
    others = [line for line in lines if line not in own]
    groups = [sorted(builtin) + sorted(own), sorted(plain - set(builtin)) + sorted(others)]
    return "from __future__ import annotations\n\n" + "\n\n".join("\n".join(group) for group in groups if group)


__all__ = ["Record", "source_of_config", "write_source"]
