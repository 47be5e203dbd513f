"""Archives of the results that leave a machine: at most eight files, none larger than 16 MiB."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

MOST_FILES, MOST_BYTES = 8, 16 * 2**20
_WRITTEN = 2  # results.json and report.md are among the eight files


def pack(files: Path, out: Path) -> list[Path]:
    """Copy weights into ``out``, and strips, traces and records as archives. If not all fit, the smallest come first.

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
    fitting = [path for path in weights if path.stat().st_size <= MOST_BYTES]
    for path in fitting[: MOST_FILES - _WRITTEN - len(written)]:
        written.append(Path(shutil.copy(path, out / path.name)))
    return written


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
