"""The clips of an index that can be read to their end, for data sets that leave broken ones out."""

from __future__ import annotations

import json
from dataclasses import replace

from mmengine.utils import ProgressBar

from i2vkit.datasets.caches import cache_folder, file_state, locked_folder, read_whole
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.errors import DataError, MediaError
from i2vkit.media import atomic_path


def readable_clips(index: ClipIndex) -> ClipIndex:
    """Return an index without the clips that cannot be decoded to their end, which it lists in ``skipped``.

    Each clip is decoded once. The result is kept in ``read.json`` below ``cache_folder()``, by the files of the clip,
    their sizes and times of change.

    Args:
        index: The clips.

    Raises:
        DataError: No clip is left.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with locked_folder(folder):
        known = _known()
        states = {record.name: file_state(record) for record in index.records}
        new = [record for record in index.records if states[record.name] not in known]
        progress = ProgressBar(len(new)) if new else None
        for record in new:
            known[states[record.name]] = _fault(record)
            if progress is not None:
                progress.update()
        if progress is not None:
            progress.file.write("\n")
            with atomic_path(folder / "read.json") as temporary:
                temporary.write_text(json.dumps(known), encoding="utf-8")
    faults = {record.name: known[states[record.name]] for record in index.records}
    records = [record for record in index.records if not faults[record.name]]
    if not records:
        name, reason = next(iter(faults.items()))
        raise DataError(f"none of the {len(faults)} clips can be read, {name} for instance: {reason}")
    return replace(index, records=records, skipped=index.skipped + [(name, why) for name, why in faults.items() if why])


def _known() -> dict[str, str]:
    """Return the reasons why clips cannot be read, or "", by the state of their files."""
    try:
        known = json.loads((cache_folder() / "read.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _fault(record: ClipRecord) -> str:
    """Return the reason why a clip cannot be read, or ""."""
    try:
        for _ in read_whole(record):
            pass
    except MediaError as error:
        return str(error).removeprefix(f"clip {record.name}: ")
    return ""
