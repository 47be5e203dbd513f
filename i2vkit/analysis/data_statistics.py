"""Statistics of the data of a config: counts, lengths, sizes, colours, and the clips that were left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, cast

import torch
from mmengine.config import Config
from torch import Tensor

from i2vkit.analysis.browse import pick
from i2vkit.datasets import ClipDataset
from i2vkit.datasets.loaders import build_loader, splits_of
from i2vkit.media import atomic_path

SAMPLES = 64  # of which sizes and brightness are measured
LISTED = 20  # people and skipped clips that the text names


def statistics(cfg: Config, seed: int | None = None, samples: int = SAMPLES) -> dict[str, Any]:
    """Return the statistics of every split of a config.

    Args:
        cfg: A config from ``load_config``. It may describe data only.
        seed: The seed of the order of the samples. By default the config's.
        samples: The number of samples whose size and colour are measured, after all transforms. By default 64.

    Returns:
        A dict with ``splits`` (for each split the result of ``split_statistics``) and ``people_in_both`` (for each pair
        of splits the people that both contain).

    Raises:
        I2VError: The config or its data are wrong.
    """
    people, splits = {}, {}
    for split in splits_of(cfg):
        loader = build_loader(cfg, split, seed, workers=0)
        dataset = cast(ClipDataset, loader.dataset)
        people[split] = set(dataset.index.people)
        splits[split] = split_statistics(dataset, pick(loader, min(samples, len(dataset))))
    both = {f"{a} and {b}": sorted(people[a] & people[b]) for a, b in combinations(people, 2)}
    if cfg.get("val_dataloader") == cfg.get("test_dataloader"):
        both.pop("val and test", None)  # one and the same set
    return {"config": Path(cfg.filename or "config").stem, "splits": splits, "people_in_both": both}


def split_statistics(dataset: ClipDataset, samples: Iterable[dict]) -> dict[str, Any]:
    """Return the statistics of one data set.

    Args:
        dataset: The data set to count.
        samples: The samples whose size and colour are measured.

    Returns:
        A dict with ``clips``, ``samples`` (pairs), ``labels`` and ``people`` (with the number of their clips),
        ``frames``, ``fps``, ``raw_sizes`` and ``sizes`` (before and after the transforms), ``mean`` and ``std`` of red,
        green and blue in [0, 1] over the driving videos, and ``skipped`` clips with the reason.
    """
    records = dataset.records
    lengths = [record.num_frames for record in records]
    by_name = {record.name: record for record in records}
    sizes: Counter[str] = Counter()
    raw_sizes: Counter[str] = Counter()
    measured = 0
    totals = torch.zeros(3, 3, dtype=torch.float64)  # (number, sum, sum of squares) x (red, green, blue)
    for item in samples:
        video: Tensor = item["inputs"]["driving"]
        sizes[_size(video.shape[2:])] += 1
        source = by_name[item["data_samples"].driving_name]
        raw_sizes[_size(source.frames.read([0]).shape[1:3])] += 1
        values = video.flatten(1).double() / 255  # (3, T, H, W) -> (3, T * H * W)
        totals += torch.stack([torch.full((3,), float(values.shape[1])), values.sum(1), values.square().sum(1)])
        measured += 1
    mean = totals[1] / totals[0]
    # Rounding may leave a tiny negative variance when all pixels are equal.
    std = (totals[2] / totals[0] - mean**2).clamp(min=0).sqrt()
    return {
        "clips": len(records),
        "samples": len(dataset),
        "labels": dict(Counter(record.label or "none" for record in records)),
        "people": dict(Counter(record.person for record in records)),
        "frames": {"min": min(lengths), "median": median(lengths), "max": max(lengths), "total": sum(lengths)},
        "fps": {f"{fps:g}": count for fps, count in Counter(record.fps for record in records).items()},
        "measured_samples": measured,
        "raw_sizes": dict(raw_sizes),
        "sizes": dict(sizes),
        "mean": [round(value, 4) for value in mean.tolist()],
        "std": [round(value, 4) for value in std.tolist()],
        "skipped": [{"what": what, "why": why} for what, why in dataset.index.skipped],
    }


def _size(height_and_width: tuple[int, ...]) -> str:
    """Return a size as WIDTHxHEIGHT."""
    return "{1}x{0}".format(*height_and_width)


def write_statistics(numbers: dict[str, Any], path: Path) -> None:
    """Write the statistics as JSON. An interrupted call leaves no partial file."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def format_statistics(numbers: dict[str, Any]) -> str:
    """Return the statistics as text, some lines for each split. Long lists are cut. ``stats.json`` has all entries."""
    lines = []
    for name, split in numbers["splits"].items():
        lengths, spread = split["frames"], f"{_triple(split['mean'])}, standard deviation {_triple(split['std'])}"
        lines += [
            f"{name}: {split['clips']} clips, {split['samples']} samples, {len(split['people'])} people",
            f"  labels   {_counts(split['labels'])}",
            f"  people   {_counts(split['people'])}",
            f"  frames   {lengths['min']} to {lengths['max']}, median {lengths['median']:g}, {lengths['total']} in all",
            f"  a second {', '.join(split['fps'])}",
            f"  sizes    {', '.join(split['raw_sizes'])}, after the transforms {', '.join(split['sizes'])}",
            f"  colour   mean {spread} (red, green, blue in [0, 1]; {split['measured_samples']} samples)",
            f"  skipped  {len(split['skipped'])}",
            *(f"    {clip['what']}: {clip['why']}" for clip in split["skipped"][:LISTED]),
        ]
    lines += [f"people in both {pair}: {', '.join(who)}" for pair, who in numbers["people_in_both"].items() if who]
    return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    """Return counts as text, at most ``LISTED`` of them."""
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:LISTED])
    return shown + (f" and {len(counts) - LISTED} more" if len(counts) > LISTED else "")


def _triple(values: list[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)
