"""Reports of a verification: the results of all stages as JSON and as a page to read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2vkit.analysis.verification.stages import Plan
from i2vkit.media import atomic_path
from i2vkit.utils.json_files import read_json

if TYPE_CHECKING:
    from i2vkit.analysis.verification.scheduling import StageOutcome


def collect(order: Plan, files: Path, outcomes: dict[str, StageOutcome], **settings: Any) -> dict[str, Any]:
    """Return the ``settings`` and, for each of the ``stages``, the outcome of its process and its results."""
    stages = {}
    for name in (stage.name for stage in order.stages):
        path = files / f"{name}.json"
        found = read_json(path) if path.exists() else {}
        outcome = outcomes.get(name)
        stages[name] = {"process": asdict(outcome) if outcome else None, "results": found}
    return {"settings": settings, "stages": stages}


def write_report(result: dict[str, Any], out: Path) -> Path:
    """Write ``results.json`` and ``report.md`` into ``out`` and return the path of the latter."""
    for name, text in (("results.json", json.dumps(result, indent=1)), ("report.md", format_verification(result))):
        with atomic_path(out / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    return out / "report.md"


def format_verification(result: dict[str, Any]) -> str:
    """Return the page: the machine, correctness, speed, trained recipes, and failures."""
    stages = result["stages"]
    sections = [_machine(result), _right(stages), _fast(stages), _loader(stages), _trained(stages), _failures(stages)]
    return "\n\n".join(section for section in sections if section)


def _machine(result: dict[str, Any]) -> str:
    """Return the section about the machine and its peaks."""
    settings = result["settings"]
    found = result["stages"].get("peaks", {}).get("results", {})
    machine = found.get("machine", {})
    card = machine.get("card") or machine.get("processor", "unknown machine")
    versions = ", ".join(f"{name} {version}" for name, version in (machine.get("versions") or {}).items() if version)
    lines = [
        f"# Verification on {card}",
        "",
        f"{settings['minutes']:g} minutes, device {settings['device']}; {versions}.",
    ]
    if settings["narrow"]:
        lines += ["", "A rehearsal: models with a sixteenth of their widths. Its times say nothing of a GPU."]
    products = {name.removeprefix("product_"): each for name, each in found.items() if name.startswith("product_")}
    limits = [f"{name} product {each['tflops']:.3g} TFLOP/s" for name, each in products.items() if "tflops" in each]
    if "gigabytes_per_second" in found.get("copy", {}):
        limits.append(f"copy {found['copy']['gigabytes_per_second']:.4g} GB/s")
    return "\n".join([*lines, "", f"Ceilings: {', '.join(limits)}."] if limits else lines)


def _right(stages: dict[str, Any]) -> str:
    """Return the section about correctness: one row for each model, one column for each check."""
    rows = [
        (name.removeprefix("right_"), each["results"]) for name, each in stages.items() if name.startswith("right_")
    ]
    if not rows:
        return ""
    checks = ("step", "validation", "animation", "synchronisations", "deterministic", "resume")
    lines = ["## Right", "", table_row("model", *checks), table_row(*["---"] * (1 + len(checks)))]
    for name, found in rows:
        lines.append(table_row(name, *(_verdict(check, found.get(check)) for check in checks)))
    lines += ["", "`step`: the largest relative error of the losses against float64 on the CPU, in fp32 / TF32 / bf16."]
    return "\n".join(lines)


def _verdict(check: str, found: dict[str, Any] | None) -> str:
    """Return the result of a check as a cell."""
    if found is None:
        return "not run"
    if "error" in found:
        return "**error**"
    if "skipped" in found:
        return "-"
    word = "yes" if found["passed"] else "**no**"
    if check == "step":
        errors = [max(found[precision]["losses"].values()) for precision in ("fp32", "tf32", "bf16")]
        return f"{word} ({' / '.join(f'{error:.0e}' for error in errors)})"
    if check in ("validation", "animation"):
        return f"{word} ({found['largest']} grey levels)"
    return f"{word} ({found['number']})" if "number" in found else word


def _fast(stages: dict[str, Any]) -> str:
    """Return the section about speed: one row for each model and form."""
    lines = [
        "## Fast",
        "",
        table_row("model", "form of a step", "ms", "times faster", "GiB", "TFLOP/s"),
        table_row(*["---"] * 6),
    ]
    rows = 0
    for name, each in stages.items():
        found = each["results"]
        if not name.startswith("fast_") or "milliseconds" not in found.get("times", {}):
            continue
        # Work and time of a step give its speed. The work is counted once and is the same in all forms.
        work = found.get("work", {}).get("tflop")
        for form, milliseconds in found["times"]["milliseconds"].items():
            faster = found["times"].get("times_faster", {}).get(form)
            gib = found.get(f"memory, {form}", {}).get("step_gib")
            cells = [name.removeprefix("fast_"), form, f"{milliseconds:.1f}"]
            cells.append("" if faster is None else f"{faster:.2f}")
            cells.append("" if gib is None else f"{gib:.1f}")
            cells.append("" if work is None else f"{work / (milliseconds / 1000):.3g}")
            lines.append(table_row(*cells))
            rows += 1
    return "\n".join(lines) if rows else ""


def _loader(stages: dict[str, Any]) -> str:
    """Return the section about the data loader."""
    found = stages.get("loader", {}).get("results", {}).get("faces", {})
    rates = found.get("clips_per_second")
    if not rates:
        return ""
    return "## Loader\n\n" + ", ".join(f"{name} {rate:.0f} clips/s" for name, rate in rates.items()) + "."


def _trained(stages: dict[str, Any]) -> str:
    """Return the section about the trained recipes."""
    lines = [
        "## Trained",
        "",
        table_row("recipe", "iterations", "it/s", "SSIM", "baseline", "PSNR", "baseline"),
        table_row(*["---"] * 7),
    ]
    rows = 0
    for name, each in stages.items():
        found = each["results"]
        if not name.startswith("train_") or not found.get("training", {}).get("passed"):
            continue
        scores = found.get("test", {}).get("scores", {})
        cells = [_score(scores, metric + end) for metric in ("ssim", "psnr") for end in ("", "_static_baseline")]
        training = found["training"]
        lines.append(
            table_row(
                name.removeprefix("train_"), training["iterations"], f"{training['iterations_per_second']:.1f}", *cells
            )
        )
        rows += 1
    return "\n".join(lines) if rows else ""


def _score(scores: dict[str, float], name: str) -> str:
    """Return a score by its name, which may have a prefix."""
    values = [value for key, value in scores.items() if key.rpartition("/")[2] == name]
    return f"{values[0]:.3f}" if values else ""


def _failures(stages: dict[str, Any]) -> str:
    """Return the section about stages that failed."""
    lines = []
    for name, each in stages.items():
        process = each["process"]
        if process is None:
            lines.append(f"- {name}: not started")
        elif process["code"] is None:
            lines.append(f"- {name}: out of time after {process['seconds']:.0f} s")
        elif process["code"]:
            lines.append(f"- {name}: exit code {process['code']}, see its log")
        lines += [
            f"- {name}, {check}: {found['error'].splitlines()[0]}"
            for check, found in each["results"].items()
            if "error" in found
        ]
    return "\n".join(["## What went wrong", "", *lines]) if lines else "Nothing went wrong."


def table_row(*cells: Any) -> str:
    """Return a row of a Markdown table.

    >>> table_row("a", 1)
    '| a | 1 |'
    """
    return f"| {' | '.join(str(cell) for cell in cells)} |"
