"""Videos and images in folders of any layout, matched by their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder, FrameSource, VideoFile
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, image_paths, video_fps, video_length


def find_clips(root: Path) -> list[ClipRecord]:
    """Return the clips below a folder, sorted by name: videos, and folders that hold images.

    The folder may also be a prepared data set, whose ``index.csv`` names people and labels.

    Raises:
        DataError: There is no such folder, or no clip in it.
    """
    if (root / "index.csv").exists():
        return ClipFolder(str(root)).index().records
    if not root.is_dir():
        raise DataError(f"there is no folder {root.absolute()}")
    found = []
    for path in sorted([root, *root.rglob("*")]):
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            continue
        if path.is_dir() and path != root and image_paths(path):
            found.append(_record(path.relative_to(root).as_posix(), path, FrameFolder(tuple(image_paths(path)))))
        elif path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES:
            found.append(_record(path.relative_to(root).with_suffix("").as_posix(), path, VideoFile(path)))
    if not found:
        raise DataError(f"{root} holds no videos: expected files ({', '.join(VIDEO_SUFFIXES)}) or folders of images")
    if twice := [name for name, count in Counter(record.name for record in found).items() if count > 1]:
        raise DataError(f"{root} holds two videos named {twice[0]}: leave one of them out")
    return found


def _record(name: str, path: Path, frames: FrameSource) -> ClipRecord:
    """Return a clip, whose person and label are the folders of its name: person/label/clip."""
    folders = name.split("/")[:-1]
    person, label = (*folders, None, None)[:2]
    return ClipRecord(name, frames, person or "", label, video_length(path), video_fps(path) or 25.0)


def with_person(record: ClipRecord, pattern: str | None) -> ClipRecord:
    """Return the clip with the person that ``pattern`` finds in its name.

    Raises:
        ConfigError: The pattern is no regular expression, or finds nothing.
    """
    if pattern is None:
        return record
    try:
        found = re.search(pattern, record.name)
    except re.error as error:
        raise ConfigError(f"--person {pattern!r} is no regular expression: {error}") from error
    if not found:
        raise ConfigError(f"--person {pattern!r} finds no person in the name {record.name!r}")
    return replace(record, person=found[1] if found.re.groups else found[0])


def match(truths: Sequence[ClipRecord], made: Sequence[ClipRecord], videos: Path, truth: Path) -> list[ClipRecord]:
    """Return for every true video the video of the same name.

    Raises:
        DataError: A video has no truth or the other way round, or two truths have one name.
    """
    by_name: dict[str, ClipRecord] = {}
    for record in truths:
        for key in {record.name, record.name.replace("/", "_")}:
            if by_name.setdefault(key, record) is not record:
                raise DataError(f"{by_name[key].name} and {record.name} of {truth} are one name with '_' for '/'")
    if strange := [record.name for record in made if record.name not in by_name]:
        raise DataError(
            f"{len(strange)} of {len(made)} videos in {videos} have no true video of that name in {truth} "
            f"(first: {strange[0]}); a true video is named {truths[0].name}"
        )
    found = {by_name[record.name].name: record for record in made}
    if missing := [record.name for record in truths if record.name not in found]:
        raise DataError(
            f"{len(missing)} of {len(truths)} true videos in {truth} have no video of that name in {videos} (first: "
            f"{missing[0]}): scores of a part of a test are not comparable, so make them, or move their truths away"
        )
    return [found[record.name] for record in truths]


def find_images(folder: Path, truths: Sequence[ClipRecord]) -> dict[str, Path]:
    """Return the path of the image of every true video, by name.

    Raises:
        DataError: An image is missing.
    """
    found: dict[str, Path] = {}
    for record in truths:
        stems = dict.fromkeys([record.name, record.name.replace("/", "_")])
        places = [folder / f"{stem}{suffix}" for stem in stems for suffix in IMAGE_SUFFIXES]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise DataError(f"{folder} holds no image named {record.name} ({', '.join(IMAGE_SUFFIXES)})")
        found[record.name] = path
    return found
