"""Archives of the results that leave a machine: at most eight files, none larger than 16 MiB."""

from __future__ import annotations

import tarfile
from pathlib import Path

MOST_FILES, MOST_BYTES = 8, 16 * 2**20
_ROOM = MOST_BYTES - 10_240  # a tar file is filled up to a multiple of this
_WRITTEN = 2  # results.json and report.md are among the eight files


def pack(files: Path, out: Path) -> list[Path]:
    """Write strips, traces, records and weights into ``out`` as archives. If not all fit, the smallest come first.

    Returns:
        The paths of the new files.
    """
    groups = {
        "strips.tar.gz": sorted(files.glob("strip_*.png")),
        "traces.tar.gz": sorted(files.glob("trace_*.json.gz")),
        "records.tar.gz": [*sorted(files.glob("*.json")), *sorted(files.parent.glob("*.log"))],
    }
    written = [path for name, members in groups.items() if members and (path := _archive(out / name, members))]
    weights = sorted(files.glob("*.safetensors"), key=lambda path: path.stat().st_size)
    bins = _bins(weights, MOST_FILES - _WRITTEN - len(written))
    return written + [_stored(out / f"weights_{number}.tar", members) for number, members in enumerate(bins, 1)]


def _bins(files: list[Path], number: int) -> list[list[Path]]:
    """Return at most ``number`` groups of files that fit into ``MOST_BYTES`` each. A file goes where there is room."""
    bins: list[list[Path]] = []
    for path in files:
        size = _in_tar(path)
        room = next((each for each in bins if sum(map(_in_tar, each)) + size <= _ROOM), None)
        if room is not None:
            room.append(path)
        elif len(bins) < number and size <= _ROOM:
            bins.append([path])
    return bins


def _in_tar(path: Path) -> int:
    """Return the bytes that a file takes in an archive: blocks of 512, and a header of up to three."""
    return (path.stat().st_size + 511) // 512 * 512 + 3 * 512


def _stored(path: Path, members: list[Path]) -> Path:
    """Write an archive without compression, which gains nothing on weights."""
    with tarfile.open(path, "w") as archive:
        for member in members:
            archive.add(member, member.name)
    return path


def _archive(path: Path, members: list[Path]) -> Path | None:
    """Write an archive of as many of ``members``, smallest first, as fit into ``MOST_BYTES``, or return None."""
    # Drop the largest member until the compressed archive is small enough.
    for number in range(len(members), 0, -1):
        chosen = sorted(members, key=lambda member: member.stat().st_size)[:number]
        with tarfile.open(path, "w:gz") as archive:
            for member in chosen:
                archive.add(member, member.name)
        if path.stat().st_size <= MOST_BYTES:
            return path
    path.unlink()
    return None
