"""Publication of a table in the docs: results as committed JSON, pictures, and the section that is made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from i2vkit.analysis.comparison.comparable import samples_digest
from i2vkit.analysis.tables.description import folder_of, read_description, seeds_of
from i2vkit.analysis.tables.row import read_json
from i2vkit.analysis.tables.scheduling import changed, default_out, tasks_of
from i2vkit.analysis.tables.table_report import NOT_RUN, check_scored, format_table, format_table_csv, write_report
from i2vkit.errors import ConfigError
from i2vkit.media import atomic_path

PICTURES = {
    "strips.webp": "The same clip by every row",
    "improvements.png": "Improvements over the static baseline, with 95 % intervals",
    "curves.png": "Losses in training",
}
COLORS = 256  # colours of a plot, enough for anti-aliased lines
COMPACT = (",", ":")
KEPT_SHORT = ("per_video", "per_image")  # lists that are written with one line for each video


def publish(
    description: str | Path,
    docs: Path = Path("docs"),
    out: str | Path | None = None,
    budget: dict[str, float] | None = None,
) -> Path:
    """Write ``docs/results/<table>/`` and the table's section of a page of the docs.

    The page is ``smoke_tests.md`` if it has that section already, and else ``results.md``.

    Finished rows of ``out`` are first copied to ``docs/results/<table>``, as a ``.json`` file each, with the pictures.
    The section is then made from that folder alone. Other rows in that folder stay as they are, and rows that the
    description no longer contains are removed.

    Args:
        description: The description of the table, see ``read_description``.
        docs: The folder of the docs. By default ``docs``.
        out: The folder of the results. By default that of ``run_table``.
        budget: A budget for every row, in place of the description's.

    Returns:
        The path of the page.

    Raises:
        ConfigError: Neither ``out`` nor the docs contain a finished row, results cannot be compared, or the section in
            the page is damaged.
    """
    table = changed(read_description(description), budget, None)
    folder = docs / "results" / Path(description).stem
    out = Path(out or default_out(description))
    copy_results(table, out, folder)
    results = committed(table, folder)
    if not any("failure" not in result for result in results):
        raise ConfigError(f"neither {out} nor {folder} holds a finished row: run the table first")
    check_scored(results)
    _write(folder / "table.csv", format_table_csv(results))
    pictures = [
        f"![{text}](results/{folder.name}/{name})\n" for name, text in PICTURES.items() if (folder / name).is_file()
    ]
    command = f"```\npython tools/run_table.py {Path(description).as_posix()}\n```\n"
    text = "\n".join([format_table(table, results, heading="##"), command, *pictures])
    page, old = _page(docs, folder.name)
    _write(page, with_section(old, folder.name, text))
    return page


def _page(docs: Path, name: str) -> tuple[Path, str]:
    """Return the page that has, or gets, the section of a table, and its text."""
    for page in (docs / "smoke_tests.md", docs / "results.md"):
        text = page.read_text(encoding="utf-8") if page.is_file() else "# Results\n"
        if _first_line(name) in text:
            break
    return page, text


def copy_results(table: dict, out: Path, folder: Path) -> None:
    """Copy the finished rows of ``out`` to ``folder``, shortened, with the pictures. Remove rows that are gone."""
    names = {folder_of(row["name"], seed) for row in table["rows"] for seed in seeds_of(table)}
    # Rows that the description no longer has would stay in the docs forever.
    for path in folder.glob("*.json"):
        if path.stem not in names:
            path.unlink()
    for task in tasks_of(table, out):
        if result := read_json(task.folder / "row.json"):
            named = {"name": task.row["name"], "training_seed": task.seed} | result
            _write(folder / f"{task.folder.name}.json", format_result(compact_result(named)))
    results = committed(table, folder)
    if out.is_dir() and any("failure" not in result for result in results):
        write_report(table, results, out)
        for name in PICTURES:
            picture = (out / name).with_suffix(".png")
            if picture.is_file():
                write_small(picture, folder / name)


def write_small(picture: Path, path: Path) -> None:
    """Write ``picture`` to ``path`` in a smaller format: frames as WebP, a plot as a PNG with a palette."""
    image = Image.open(picture).convert("RGB")
    with atomic_path(path) as temporary:
        if path.suffix == ".webp":
            image.save(temporary, "WEBP", quality=92, method=6)
        else:
            image.quantize(COLORS, dither=Image.Dither.NONE).save(temporary, "PNG", optimize=True)


def committed(table: dict, folder: Path) -> list[dict[str, Any]]:
    """Return the results in ``folder``, in the table's order. A missing one becomes a ``failure``."""
    results = []
    for task in tasks_of(table, folder):
        lacking = {"name": task.row["name"], "training_seed": task.seed, "failure": NOT_RUN}
        results.append(read_json(folder / f"{task.folder.name}.json") or lacking)
    return results


def compact_result(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without the parts that the docs do not need.

    The list of samples is replaced by its SHA-256, paths of this machine are removed, and values of videos are rounded.

    >>> compact_result({"checkpoint": {"file": "/home/me/iter_4.pth", "sha256": "0"}})
    {'checkpoint': {'file': 'iter_4.pth', 'sha256': '0'}}
    >>> short = compact_result({"samples": [], "per_video": [{"name": "a", "ssim": 0.123456789123}]})
    >>> short["per_video"], sorted(short)
    ([{'name': 'a', 'ssim': 0.12345679}], ['per_video', 'samples_sha256'])
    """
    short = {key: value for key, value in result.items() if key != "samples"}
    if "samples" in result:
        short["samples_sha256"] = samples_digest(result)
    if "checkpoint" in result:
        short["checkpoint"] = result["checkpoint"] | {"file": Path(result["checkpoint"]["file"]).name}
    for key in KEPT_SHORT:
        if key in short:
            short[key] = [{k: round(v, 8) if isinstance(v, float) else v for k, v in row.items()} for row in short[key]]
    return short


def format_result(result: dict[str, Any]) -> str:
    """Return a result as JSON with one line for each key and each video.

    >>> json.loads(format_result({"a": [1, 2], "per_video": [{"name": "x"}, {"name": "y"}]}))
    {'a': [1, 2], 'per_video': [{'name': 'x'}, {'name': 'y'}]}
    """
    parts = []
    for key, value in result.items():
        if key in KEPT_SHORT:
            text = "[\n" + ",\n".join(f"  {json.dumps(row, separators=COMPACT)}" for row in value) + "\n ]"
        else:
            text = json.dumps(value, separators=COMPACT)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def with_section(page: str, name: str, text: str, maker: str = "run_table.py --docs") -> str:
    r"""Return the page with the section ``name`` replaced, or added at its end.

    Args:
        page: The text of the page.
        name: The name of the section, in the lines that begin and end it.
        text: The new text of the section.
        maker: The command that makes the section, in its first line. By default that of tables.

    Raises:
        ConfigError: The section has a beginning but no end.

    >>> page = with_section("# Results\\n", "t", "old\\n")
    >>> with_section(page, "t", "new\\n") == page.replace("old", "new")
    True
    """
    first, last = _first_line(name, maker), f"<!-- end of table {name} -->"
    section = f"{first}\n{text.strip()}\n{last}\n"
    if first not in page:
        return f"{page.rstrip()}\n\n{section}"
    before, _, rest = page.partition(first)
    _, end, after = rest.partition(f"{last}\n")
    if not end:
        raise ConfigError(f"the docs have a line '{first}' without '{last}' below it: add the end or remove the line")
    return before + section + after


def _first_line(name: str, maker: str = "run_table.py --docs") -> str:
    """Return the line with which the section of a table begins."""
    return f"<!-- table {name}, made by {maker} -->"


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
