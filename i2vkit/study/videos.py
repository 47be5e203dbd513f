"""The videos that a study shows: found in folders and results of tests, and written alike for all models."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.named_clips import find_clips
from i2vkit.media import write_video
from i2vkit.utils.json_files import read_json

TILES = 8  # of a side of a spoiled video


def parse_models(words: Sequence[str]) -> dict[str, Path]:
    """Return the paths of models by name.

    Args:
        words: Each is ``NAME=PATH``.

    Raises:
        ConfigError: A word is something else, or a name comes twice.

    >>> sorted(parse_models(["ours=a/videos", "theirs=b/metrics.json"]))
    ['ours', 'theirs']
    """
    models: dict[str, Path] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not (name.strip() and equals and path):
            raise ConfigError(f"'{word}' is not NAME=PATH: write the name of a model, '=' and the path of its videos")
        if name in models:
            raise ConfigError(f"two models are named '{name}': give each a name of its own")
        models[name] = Path(path).expanduser()
    return models


def clips_of(path: Path) -> dict[str, ClipRecord]:
    """Return the videos of one model by the name of the clip.

    Args:
        path: A folder of videos or of folders of images, or a ``metrics.json`` of ``i2v test --save-videos`` or of
            ``i2v evaluate``.

    Raises:
        DataError: There are no videos.
    """
    return {record.name: record for record in find_clips(_video_folder(path) if path.is_file() else path)}


def _video_folder(result: Path) -> Path:
    """Return the folder of the videos that a result scored."""
    try:
        facts: Any = read_json(result)
        protocol, checkpoint = facts["protocol"], facts["checkpoint"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{result} is no metrics.json of i2v test or i2v evaluate ({error})") from error
    if protocol.get("type") == "evaluate":
        return Path(checkpoint["file"])
    folder = result.parent / "videos"
    if not folder.is_dir():
        raise DataError(f"{result} has no videos beside it: test again with i2v test --save-videos")
    return folder


def common_clips(models: dict[str, dict[str, ClipRecord]]) -> list[str]:
    """Return the names of the clips that every model has made, sorted.

    Raises:
        DataError: There is none.
    """
    first, *others = models.values()
    names = sorted(name for name in first if all(name in other for other in others))
    if not names:
        examples = ", ".join(f"{name}: {min(clips)}" for name, clips in models.items())
        raise DataError(f"no clip was made by all models. Videos of one clip have one name (first names: {examples})")
    return names


def write_clip(record: ClipRecord, folder: Path) -> str:
    """Write a clip as H.264 under a random name, and return the name.

    Files of all models have one codec, no metadata and one date, so that nothing but their pictures tells them apart.
    """
    return _write(record.frames, record.fps, folder)


def write_spoiled(record: ClipRecord, folder: Path, seed: int) -> str:
    """Write a clip whose tiles and frames are shuffled, which nobody takes for a real video. Return its name."""
    return _write(spoiled(np.stack(list(record.frames)), seed), record.fps, folder)


def spoiled(frames: np.ndarray, seed: int) -> np.ndarray:
    """Return frames uint8 (T, H, W, 3) with shuffled tiles, other ones in each frame, and in another order.

    Borders that are no whole tile are cut off.
    """
    rng = np.random.default_rng(seed)
    height, width = (max(1, side // TILES) for side in frames.shape[1:3])
    rows, columns = frames.shape[1] // height, frames.shape[2] // width
    cut = frames[:, : rows * height, : columns * width]
    tiles = rearrange(cut, "t (a h) (b w) c -> t (a b) h w c", h=height, w=width)
    tiles = np.stack([tiles[t][rng.permutation(rows * columns)] for t in rng.permutation(len(tiles))])
    return rearrange(tiles, "t (a b) h w c -> t (a h) (b w) c", a=rows)


def _write(frames: Iterable[np.ndarray], fps: float, folder: Path) -> str:
    name = f"{secrets.token_hex(16)}.mp4"
    write_video(folder / name, frames, fps)
    os.utime(folder / name, (0, 0))
    return name
