"""Assembly of a flat file: order, imports, and everything that nothing uses left out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

import i2vkit
from i2vkit.analysis.source.classes import ClassWriter
from i2vkit.analysis.source.text import HELPERS, IMPORTS, format_number

_KEPT = ("__init__", "forward", "train", "train_step", "backward")  # methods that torch or the user calls


def assemble(
    cfg: Config, name: str, writer: ClassWriter, helpers: set[str], data: dict[str, Tensor], clips: int
) -> str:
    """Return the whole file, in reading order.

    Args:
        cfg: The config, whose docstring becomes a part of the file's.
        name: Its name.
        writer: Has written all classes.
        helpers: Names of the functions of ``HELPERS`` that they use.
        data: A batch, for the random clips at the end of the file.
        clips: Number of clips of the batch whose shapes stand in comments.
    """
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
        *(key for key in pieces if key not in {*data_classes, *HELPERS, "Generator", "Model"}),
        *(key for key in ("Generator", "Model") if key in pieces),
    ]
    body = "\n\n\n".join("\n".join(pieces[key]) for key in ordered)
    body = _with_used_fields(body)
    header = _header(cfg, name, clips)
    main = _main(data, body)
    imports = _imports(writer.imports, body + main)
    text = f"{header}\n\n{imports}\n\n\n{body}\n\n\n{main}\n"
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
                called = re.search(rf"\.{method}\b(?! = )", _without_strings(text))
                if method not in _KEPT and not called:
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

i2vkit {i2vkit.__version__} wrote it: i2v source {name}.

It has the networks of the config and its training step, with the same initial weights, losses and gradients. Shapes in
comments are those of a batch of {clips}. Weights have the names of a checkpoint of i2vkit, those of a discriminator
without "network.". Not in it: reading of data, lengths of padded clips, learning-rate schedules, mixed precision, and
generation in chunks.

The config says:

{doc}
"""'''


def _main(data: dict[str, Tensor], body: str) -> str:
    """Return the end of the file, which takes a step on random clips."""
    of_batch = re.search(r"class VideoBatch:[\s\S]*?\n\n\n", body)
    assert of_batch is not None, "every model reads a batch"
    used = set(re.findall(r"^    (\w+): ", of_batch[0], re.MULTILINE))
    lines = [
        "def random_clips(batch=2):",
        '    """Return random clips, with the sizes of the data set."""',
        "    return VideoBatch(",
    ]
    for name, value in data.items():
        if name not in used:
            continue
        shape = ", ".join(["batch", *map(str, value.shape[1:])])
        if value.dtype == torch.uint8:
            lines.append(f"        {name}=torch.rand({shape}) * 2 - 1,")
        elif value.is_floating_point():
            lines.append(f"        {name}=torch.rand({shape}) * {format_number(max(1.0, float(value.max().ceil())))},")
        else:
            sizes = f"({shape},)" if value.dim() == 1 else f"({shape})"
            lines.append(f"        {name}=torch.randint({int(value.max()) + 1}, {sizes}),")
    lines += ["    )", "", "", 'if __name__ == "__main__":', "    model = Model()"]
    lines += ["    for iteration in range(2):"]
    lines += ["        losses = model.train_step(random_clips(), iteration)"]
    lines += ["        print({name: round(value.item(), 4) for name, value in losses.items()})"]
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
