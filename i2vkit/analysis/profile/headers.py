"""Memory of a training step as stated in the headers of configs: read, written and compared with the profile."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from i2vkit.analysis.profile.config import profile_dry_run
from i2vkit.config.finding import find_experiment
from i2vkit.config.loading import load_config
from i2vkit.config.variants import VARIANTS
from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path

TOLERANCE = 0.05  # relative, beside the rounding to a tenth of a GiB
_ROUNDING = 0.05
_LINE = re.compile(r"^Memory of a training step: (?P<gib>[\d,.]+) GiB in (?P<precision>\w+)\.$", re.MULTILINE)
_DOCSTRING = re.compile(r'\A"""(?P<text>.*?)\s*"""', re.DOTALL)


@dataclass(frozen=True)
class StepMemory:
    """The memory of a training step: ``gib``, and the ``precision`` of the model.

    >>> print(StepMemory(6.15, "fp32"))
    Memory of a training step: 6.2 GiB in fp32.
    """

    gib: float
    precision: str

    def __str__(self) -> str:
        return f"Memory of a training step: {self.gib:,.1f} GiB in {self.precision}."

    def agrees(self, other: StepMemory) -> bool:
        """Return True if both are the same up to rounding and ``TOLERANCE``.

        >>> [StepMemory(6.0, "fp32").agrees(StepMemory(gib, "fp32")) for gib in (6.3, 6.5)]
        [True, False]
        """
        return self.precision == other.precision and abs(self.gib - other.gib) <= TOLERANCE * other.gib + _ROUNDING


def stated_memory(text: str) -> StepMemory | None:
    """Return the memory that the docstring at the top of a config states, or None.

    >>> stated_memory('\"\"\"A config.\\n\\nMemory of a training step: 0.5 GiB in bf16.\\n\"\"\"\\n')
    StepMemory(gib=0.5, precision='bf16')
    """
    header = _DOCSTRING.match(text)
    found = header and _LINE.search(header["text"])
    return StepMemory(float(found["gib"].replace(",", "")), found["precision"]) if found else None


def with_memory(text: str, memory: StepMemory) -> str:
    """Return the text of a config whose docstring states ``memory``, replacing an older statement or as a last
    paragraph.

    Raises:
        ConfigError: The file does not begin with a docstring.
    """
    header = _DOCSTRING.match(text)
    if header is None:
        raise ConfigError("the config does not begin with a docstring: add one, for the memory of a training step")
    if _LINE.search(header["text"]):
        return text[: header.start()] + _LINE.sub(str(memory), header[0]) + text[header.end() :]
    return f'"""{header["text"]}\n\n{memory}\n"""' + text[header.end() :]


def stated_for_variant(text: str, key: str) -> StepMemory | None:
    """Return the memory that the variant ``key`` in the text of a config states, or None.

    >>> stated_for_variant('variants = {"narrow": dict(help="", memory="0.5 GiB in bf16")}', "narrow")
    StepMemory(gib=0.5, precision='bf16')
    """
    place = _memory_of_variant(text, key)
    if place is None or not isinstance(place.value, str):
        return None
    found = _LINE.fullmatch(f"Memory of a training step: {place.value}.")
    return StepMemory(float(found["gib"].replace(",", "")), found["precision"]) if found else None


def with_variant_memory(text: str, key: str, memory: StepMemory) -> str:
    """Return the text of a config whose variant ``key`` states ``memory``, replacing an older statement.

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
    """Return the node of the value of ``memory`` of a variant in the text of a config, or None."""
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != VARIANTS:
            continue
        if not isinstance(node.value, ast.Dict):
            continue
        for name, entry in zip(node.value.keys, node.value.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key and isinstance(entry, ast.Call):
                found = [word.value for word in entry.keywords if word.arg == "memory"]
                return found[0] if found and isinstance(found[0], ast.Constant) else None
    return None


def stated_by(name: str) -> StepMemory | None:
    """Return the memory that an experiment states, in the header of its config or in the entry of its variant."""
    path, variant = find_experiment(name)
    text = path.read_text()
    return stated_memory(text) if variant is None else stated_for_variant(text, variant)


def measured_memory(name: str) -> StepMemory | None:
    """Return the memory of a step of the config called ``name``, or None if it trains nothing."""
    cfg = load_config(name)
    if not cfg.get("optim_wrapper"):
        return None
    profile = profile_dry_run(cfg, name)
    return StepMemory(profile.step_bytes / 2**30, cfg.model.get("precision", "fp32"))


def check_headers(names: Iterable[str], write: bool = False) -> None:
    """Compare the headers of configs with the memory of their steps, and print every disagreement.

    Args:
        names: Names of configs, or their paths.
        write: Write the memory of a step into the headers that do not agree. By default False.

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
    """Compare the header of one config with the memory of its step.

    Args:
        name: The name of the config, or its path.
        write: Write the memory of the step into the header if they do not agree. By default False.

    Returns:
        A sentence about the disagreement, or None.
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
