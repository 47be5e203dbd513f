"""Reports about registered parts as text: one line for each part, or everything about one."""

from __future__ import annotations

import inspect

from i2vkit.analysis.parts.partners import Partner, partners
from i2vkit.analysis.parts.registered import arguments_from_builder, find, kinds, plural, source_of, spec_of
from i2vkit.registry import arguments_of


def format_parts(kind: str) -> str:
    """Return one line for each part of ``kind``: name, source, inputs and outputs, and the number of its partners by
    kind.
    """
    lines = []
    for name, part in kinds()[kind].items():
        columns = [name, source_of(part) or "-", spec_of(part)]
        groups: dict[str, list[Partner]] = {}
        for partner in partners(kind, name):
            groups.setdefault(partner.kind, []).append(partner)
        counts = [
            f"{sum(not each.refusal for each in group)} of {len(group)} {plural(other)}"
            for other, group in groups.items()
        ]
        lines.append([*columns, f"goes with {', '.join(counts)}" if counts else ""])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([kind, *(f"  {row}" for row in rows)])


def format_spec(name: str) -> str:
    """Return everything about one part: docstring, arguments with defaults, and each partner with adapters or refusal.

    Raises:
        ConfigError: No part has this name. The message lists the nearest names.
    """
    kind, part = find(name)
    lines = [f"{name}: {kind}, in {part.__module__}", "", inspect.getdoc(part) or "", "", "arguments"]
    takes = arguments_of(part) or {}
    given = arguments_from_builder(part)
    for argument, parameter in takes.items():
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        lines.append(f"  {argument}{default}" + (" (handed over by the assembly)" if argument in given else ""))
    lines += [] if takes else ["  none"]
    lines += ["", spec_of(part), f"source: {source_of(part) or 'none is named'}"]
    before = ""
    for partner in partners(kind, name):
        lines += ["", plural(partner.kind)] if partner.kind != before else []
        before = partner.kind
        how = f"through {', '.join(partner.adapters)}" if partner.adapters else "as it is"
        lines.append(f"  {partner.name}: " + (f"refused: {partner.refusal}" if partner.refusal else how))
    return "\n".join(lines)
