"""The memory of a training step as the headers of configs and their variants state it: read, written and compared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from i2vkit.analysis.profile.config import profile_dry_run
from i2vkit.config.loading import find_experiment, load_config
from i2vkit.config.variants import VARIANTS
from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path

TOLERANCE = 0.05  # relative, beside the rounding to a tenth of a GiB
_ROUNDING = 0.05
_LINE = re.compile(r"^Memory of a training step: (?P<gib>[\d,.]+) GiB in (?P<precision>\w+)\.$", re.MULTILINE)
_DOCSTRING = re.compile(r'\A"""(?P<text>.*?)\s*"""', re.DOTALL)


@dataclass(frozen=True)
class StepMemory:
    """The memory of a training step: ``gib``, and the precision of the model.

    >>> print(StepMemory(6.15, "fp32"))
    Memory of a training step: 6.2 GiB in fp32.
    """

    gib: float
    precision: str

    def __str__(self) -> str:
        return f"Memory of a training step: {self.gib:,.1f} GiB in {self.precision}."

    def agrees(self, other: StepMemory) -> bool:
        """Whether the two are the same up to rounding and ``TOLERANCE``.

        >>> [StepMemory(6.0, "fp32").agrees(StepMemory(gib, "fp32")) for gib in (6.3, 6.5)]
        [True, False]
        """
        return self.precision == other.precision and abs(self.gib - other.gib) <= TOLERANCE * other.gib + _ROUNDING


def stated_memory(text: str) -> StepMemory | None:
    """Return what the docstring at the top of a config states; None if nothing.

    >>> stated_memory('\"\"\"A config.\\n\\nMemory of a training step: 0.5 GiB in bf16.\\n\"\"\"\\n')
    StepMemory(gib=0.5, precision='bf16')
    """
    header = _DOCSTRING.match(text)
    found = header and _LINE.search(header["text"])
    return StepMemory(float(found["gib"].replace(",", "")), found["precision"]) if found else None


def with_memory(text: str, memory: StepMemory) -> str:
    """Return the text of a config whose docstring states ``memory``, in place of what it stated or in a last paragraph.

    Raises:
        ConfigError: The file does not begin with a docstring.
    """
    header = _DOCSTRING.match(text)
    if header is None:
        raise ConfigError("a config begins with a docstring, to whose end the memory of a training step is written")
    if _LINE.search(header["text"]):
        return text[: header.start()] + _LINE.sub(str(memory), header[0]) + text[header.end() :]
    return f'"""{header["text"]}\n\n{memory}\n"""' + text[header.end() :]


def stated_for_variant(text: str, key: str) -> StepMemory | None:
    """Return the memory that the variant ``key`` in the text of a config states; None if it states none.

    >>> stated_for_variant('variants = {"narrow": dict(help="", memory="0.5 GiB in bf16")}', "narrow")
    StepMemory(gib=0.5, precision='bf16')
    """
    place = _memory_of_variant(text, key)
    if place is None:
        return None
    found = _LINE.fullmatch(f"Memory of a training step: {place.value}.")
    return StepMemory(float(found["gib"].replace(",", "")), found["precision"]) if found else None


def with_variant_memory(text: str, key: str, memory: StepMemory) -> str:
    """Return the text of a config whose variant ``key`` states ``memory`` in place of what it stated.

    Raises:
        ConfigError: The variant has no ``memory`` on one line.
    """
    place = _memory_of_variant(text, key)
    if place is None or place.lineno != place.end_lineno:
        raise ConfigError(f'variant {key} has no place for the memory of a training step: give it memory=""')
    lines = text.splitlines(keepends=True)
    line = lines[place.lineno - 1].encode()
    value = f'"{memory.gib:,.1f} GiB in {memory.precision}"'.encode()
    lines[place.lineno - 1] = (line[: place.col_offset] + value + line[place.end_col_offset :]).decode()
    return "".join(lines)


def _memory_of_variant(text: str, key: str) -> ast.Constant | None:
    """Where the text of a config has the value of ``memory`` of one of its variants."""
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != VARIANTS:
            continue
        for name, entry in zip(node.value.keys, node.value.values, strict=True):
            if name.value == key:
                found = [word.value for word in entry.keywords if word.arg == "memory"]
                return found[0] if found and isinstance(found[0], ast.Constant) else None
    return None


def stated_by(name: str) -> StepMemory | None:
    """Return what the header of a config states, or the entry of one of its variants, by the experiment's name."""
    path, variant = find_experiment(name)
    text = path.read_text()
    return stated_memory(text) if variant is None else stated_for_variant(text, variant)


def measured_memory(name: str) -> StepMemory | None:
    """Return the memory of a step of the config called ``name``; None if it trains nothing."""
    cfg = load_config(name)
    if not cfg.get("optim_wrapper"):
        return None
    profile = profile_dry_run(cfg, name)
    return StepMemory(profile.step_bytes / 2**30, cfg.model.get("precision", "fp32"))


def check_headers(names: Iterable[str], write: bool = False) -> None:
    """Compare the headers of the configs called ``names`` with what their steps take, and print what does not agree.

    Args:
        names: of configs, or their paths.
        write: write what a step takes into the headers that do not agree.

    Raises:
        ConfigError: Headers do not agree, and ``write`` is false.
    """
    wrong = []
    for name in names:
        if says := check_header(name, write):
            wrong.append(name)
            print(f"{says}{': written' if write else ''}", flush=True)
    if wrong and not write:
        raise ConfigError(f"{len(wrong)} headers do not agree: python tools/flops.py {' '.join(wrong)} --headers write")


def check_header(name: str, write: bool = False) -> str | None:
    """Compare what the header of a config states with what its step takes.

    Args:
        name: of the config, or its path.
        write: write what it takes into the header where it does not agree.

    Returns:
        What does not agree, or None.
    """
    path, variant = find_experiment(name)
    memory = measured_memory(name)
    stated = stated_by(name)
    if memory is None or (stated is not None and stated.agrees(memory)):
        return None
    if write:
        with atomic_path(path.resolve()) as temporary:
            text = path.read_text()
            written = with_memory(text, memory) if variant is None else with_variant_memory(text, variant, memory)
            Path(temporary).write_text(written)
    says = "states no memory of a training step" if stated is None else f"states {stated.gib} GiB in {stated.precision}"
    return f"the header of {name} {says}, and it takes {memory.gib:.1f} GiB in {memory.precision}"
