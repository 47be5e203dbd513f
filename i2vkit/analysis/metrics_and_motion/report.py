"""Tables and a plot of metrics on known degradations, and the page that shows them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from i2vkit.analysis.metrics_and_motion.degradations import STILL
from i2vkit.analysis.metrics_and_motion.ranking import (
    Result,
    behind_still,
    preferred_to,
    right_pairs,
    rows_with,
    undecided,
)
from i2vkit.analysis.tables.docs import with_section
from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path
from i2vkit.rendering.i2v_truth.parts import PARTS

TITLES = {
    "ssim": "SSIM",
    "psnr": "PSNR",
    "mse": "MSE",
    "lpips": "LPIPS",
    "frame_fid": "frame FID",
    "video_fid": "video FID",
    "fvd": "FVD",
    "appearance": "nearest SSIM",
    "motion_error": "motion error",
    "both": "both",
}
BLURRED = "blurred"
PLOT = "shares.png"
SECTION, MAKER = "metrics_and_motion", "benchmark_truth.py metrics --page"


def format_shares(result: Result) -> str:
    """Return the shares as a Markdown table: degradations by metrics, in bold those that rank behind the still image.

    Only right motions are bold, since all of them should be better than a video that does not move.
    """
    metrics = list(result["metrics"])
    lines = [f"| motion | degradation | {' | '.join(TITLES[name] for name in metrics)} |"]
    lines.append(f"|---|---|{'---:|' * len(metrics)}")
    for motion in ("right", "wrong"):
        for row in rows_with(result, motion):
            cells = []
            for metric in metrics:
                text = f"{round(result['shares'][row][metric], 2) + 0.0:.2f}"  # + 0.0 turns -0.00 into 0.00
                behind = motion == "right" and row in behind_still(result, metric)
                cells.append(f"**{text}**" if behind else text)
            lines.append(f"| {motion} | {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def format_order(result: Result) -> str:
    """Return a Markdown table with a row for each metric: which motions it ranks in the wrong order."""
    lines = [
        "| metric | pairs in the right order | worse than the still image, though their motion is right "
        "| as good as the blurred truth or better, though their motion is wrong |",
        "|---|---|---|---|",
    ]
    for metric in result["metrics"]:
        right, pairs = right_pairs(result, metric)
        behind = ", ".join(behind_still(result, metric)) or "-"
        preferred = ", ".join(preferred_to(result, metric, BLURRED)) or "-"
        lines.append(f"| {TITLES[metric]} | {right} of {pairs} | {behind} | {preferred} |")
    return "\n".join(lines)


def format_result(result: Result) -> str:
    """Return both tables of a part as Markdown, with a title, and what was left out."""
    parts = [
        f"### {result['part'].capitalize()}: {result['videos']} videos, {result['people']} people",
        format_shares(result),
        format_order(result),
    ]
    if near := undecided(result):
        listed = ", ".join(f"{row} ({TITLES[metric]})" for row, metric in near)
        parts.append(f"The 95 % interval over people contains 1, so that the order is open: {listed}.")
    return "\n\n".join(parts)


def write_result(result: Result, out: Path) -> Path:
    """Write ``out/<part>.json`` and return its path."""
    path = out / f"{result['part']}.json"
    # One line for each row of a table keeps the file readable.
    text = ",\n".join(f" {json.dumps(key)}: {_lines(value)}" for key, value in result.items())
    with atomic_path(path) as temporary:
        temporary.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    return path


def _lines(value: object) -> str:
    """Return JSON, of a dict of dicts with one line for each entry."""
    if isinstance(value, dict) and value and all(isinstance(each, dict) for each in value.values()):
        return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(each)}" for key, each in value.items()) + "\n }"
    return json.dumps(value)


def read_results(out: Path) -> dict[str, Result]:
    """Return the results in a folder by part.

    Raises:
        ConfigError: There is none.
    """
    files = [out / f"{part}.json" for part in PARTS]
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()}
    if not found:
        raise ConfigError(f"there is no result in {out}: run the command without --page first")
    return found


def write_page(page: Path, out: Path) -> None:
    """Replace the section of a page that shows the results in ``out``, or add it at the end.

    Raises:
        ConfigError: There is no result, or the section is damaged.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else "# Metrics and motion\n"
    section = format_section(read_results(out), Path(os.path.relpath(out, page.parent)).as_posix(), out)
    with atomic_path(page) as temporary:
        temporary.write_text(with_section(text, SECTION, section, MAKER), encoding="utf-8")


def format_section(results: dict[str, Result], link: str, out: Path) -> str:
    """Return the section of the page: degradations, tables, pictures, and what could not be computed.

    Args:
        results: The results by part.
        link: The folder of the results, as the page links to it.
        out: The same folder, as it can be read here.
    """
    first = next(iter(results.values()))
    lines = ["| degradation | strength | motion |", "|---|---|---|"]
    lines += [f"| {name} | {facts['strength']} | {facts['motion']} |" for name, facts in first["degradations"].items()]
    parts = ["## Degradations", "\n".join(lines), "## Tables"]
    parts += [
        f"0 is the truth, and 1 the {STILL}. Bold: the motion is right, but the metric ranks it behind the {STILL}. "
        "All scores and 95 % intervals: "
        + ", ".join(f"[{part}]({link}/{part}.json)" for part in results)
        + f". Seed {first['seed']}, torch {first['versions']['torch']}, "
        f"{' and '.join(str(result['seconds']) for result in results.values())} seconds on a shared, busy core."
    ]
    parts += _shown(out, link, PLOT, "Share of the way from the truth to the still image, by metric and degradation")
    parts += [format_result(result) for result in results.values()]
    # Reasons name files, which are the same for all parts.
    skipped = [f"- {TITLES[name]}: {reason}" for name, reason in first["skipped"].items()]
    if skipped:
        parts += ["Not computed, since weights were not to be had:", "\n".join(skipped)]
    for part in results:
        parts += _shown(out, link, f"{part}.webp", f"A true video of the {part}, and its twelve degradations")
    return "\n\n".join(parts) + "\n"


def _shown(out: Path, link: str, name: str, text: str) -> list[str]:
    """Return the line that shows a picture of the results, or nothing if it is not there."""
    return [f"![{text}]({link}/{name})"] if (out / name).is_file() else []
