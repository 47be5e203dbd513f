"""The time in which a large folder of clips is indexed: the first time, and from the facts that are kept beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from i2vkit.datasets import ClipFolder
from i2vkit.datasets.clip_facts import FILE
from i2vkit.media import write_image, write_video

_FRAMES, _SIDE = 16, 32
_PEOPLE_CLIPS = 100  # clips of one person


def benchmark_index(clips: int = 100_000, kind: str = "videos", folder: str | Path | None = None) -> dict[str, Any]:
    """Make a folder of clips, index it twice, and measure the time of both.

    All clips are links to one small file, or to the images of one clip, so that 100,000 of them take little space.

    Args:
        clips: Number of clips.
        kind: "videos" (MP4) or "images" (a folder of 16 images a clip).
        folder: The place in which a temporary folder is made. By default that of the system.

    Returns:
        ``clips``, ``kind``, ``first_seconds``, ``cached_seconds``, ``cached_clips_per_second`` and ``cache_bytes``.
    """
    with TemporaryDirectory(dir=folder) as temporary:
        root = Path(temporary) / "clips"
        make_clips(root, clips, kind)
        seconds = []
        for _ in range(2):
            begin = time.perf_counter()
            found = len(ClipFolder(str(root)).index().records)
            seconds.append(time.perf_counter() - begin)
            assert found == clips
        return {
            "clips": clips,
            "kind": kind,
            "first_seconds": seconds[0],
            "cached_seconds": seconds[1],
            "cached_clips_per_second": clips / seconds[1],
            "cache_bytes": (root / FILE).stat().st_size,
        }


def make_clips(root: Path, clips: int, kind: str = "videos") -> None:
    """Fill a folder with links to one clip, as ``root/person/label/clip``."""
    frames = np.random.default_rng(0).integers(0, 256, (_FRAMES, _SIDE, _SIDE, 3), dtype=np.uint8)
    base = root.parent / "one"
    if kind == "videos":
        write_video(base / "clip.mp4", frames, fps=25)
    else:
        for number, frame in enumerate(frames):
            write_image(base / f"{number:03d}.png", frame)
    files = sorted(base.iterdir())
    for number in range(clips):
        place = root / f"p{number // _PEOPLE_CLIPS:05d}" / f"label{number % 2}" / f"{number:07d}"
        target = place.parent if kind == "videos" else place
        if kind == "images" or number % _PEOPLE_CLIPS < 2:
            target.mkdir(parents=True, exist_ok=True)
        for file in files:
            # A file system allows some ten thousand links to one file.
            copy = file.with_name(f"{file.stem}_{number // 20_000}{file.suffix}")
            if not copy.exists():
                copy.write_bytes(file.read_bytes())
            os.link(copy, place.with_suffix(".mp4") if kind == "videos" else place / file.name)


def format_index(result: dict[str, Any]) -> str:
    """Return the result as text."""
    return (
        f"{result['clips']:,} clips ({result['kind']}): indexed in {result['first_seconds']:.1f} s, and in "
        f"{result['cached_seconds']:.1f} s from the facts kept beside them ({result['cache_bytes'] / 1e6:.1f} MB), "
        f"{result['cached_clips_per_second']:,.0f} clips a second"
    )
