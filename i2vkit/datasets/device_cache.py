"""The clips of a small set on the device, from which batches are made without moving a video."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.datasets.caches import read_whole
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.deferred import FrameTable
from i2vkit.datasets.frame_operations import DeferredFrames, FrameLocation, Operation
from i2vkit.datasets.map_files import has_maps, maps_of
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.transforms import ReadFrames, ReadMaps
from i2vkit.errors import ConfigError

SHARE = 0.5  # of the device's free memory that clips may take: the model needs the rest
ADVICE = 'take cache="file" or "memory"'


class DeviceCache:
    """All frames of ``records`` on the GPU, or where there is none in the CPU's memory, as uint8.

    In place of a cache that reads pixels, it gives a sample ``DeferredFrames``. What a pipeline does with every sample
    alike (``Resize`` and ``CenterCrop`` before anything that is drawn) is done once, when clips are put there.

    Args:
        records: The clips, each with a name of its own.
        pipeline: The transforms that frames will go through. Each says by ``frame_changes`` whether it leaves frames as
            they are ("none"), does the same with every sample ("fixed"), or not ("random").
        device: By default the GPU of this process, or the CPU.

    Raises:
        ConfigError: A transform looks at pixels, frames or maps differ in size, or they take more than ``SHARE`` of the
            free memory.
        MediaError: A clip is broken; named are the clip and the file.
    """

    def __init__(
        self, records: Sequence[ClipRecord], pipeline: Sequence[Callable], device: torch.device | str | None = None
    ) -> None:
        check_pipeline(pipeline)
        self.device = torch.device(device) if device is not None else _own_device()
        self._fixed = _fixed(pipeline)
        reads_maps = any(isinstance(transform, ReadMaps) for transform in pipeline)
        with_maps = [record for record in records if reads_maps and has_maps(record)]
        self._check_room(records, with_maps)
        self._tables: list[FrameTable] = []
        self._frames = self._fill(records, self._prepared)
        self._maps = self._fill(with_maps, _stored_maps) if with_maps else {}
        held = sum(table.frames.nbytes for table in self._tables)
        print_log(f"{len(records)} clips ({held / 2**20:,.0f} MiB) are on {self.device}", logger="current")

    def __getstate__(self) -> dict:
        # Another process knows where frames lie, and has none.
        return self.__dict__ | {"_tables": []}

    def read(self, record: ClipRecord, indices: np.ndarray) -> DeferredFrames:
        """Name frames of ``record``, as they are on the disk; no pixels."""
        return DeferredFrames.whole(self._frames[record.name])[indices]

    def maps(self, record: ClipRecord) -> DeferredFrames | None:
        """Name the condition maps of all frames of ``record``; None where it has none."""
        place = self._maps.get(record.name)
        return None if place is None else DeferredFrames.whole(place)

    def _check_room(self, records: Sequence[ClipRecord], with_maps: Sequence[ClipRecord]) -> None:
        """Raise ``ConfigError`` if all that would take too much, by what the first clip takes a frame."""
        first = next(iter(records[0].frames))
        height, width = self._recorded(records[0], first.shape[:2]).size
        number = sum(record.num_frames for record in records)
        needed = number * 3 * height * width
        if with_maps:
            needed += maps_of(with_maps[0])[0].nbytes * sum(record.num_frames for record in with_maps)
        free = free_bytes(self.device)
        if needed > SHARE * free:
            raise ConfigError(
                f'cache="device": {len(records)} clips, {number} frames of {width}x{height}, take '
                f"{needed / 2**20:,.0f} MiB{' with their maps' if with_maps else ''}, and of the "
                f"{free / 2**20:,.0f} MiB that are free on {self.device} clips may have {SHARE:.0%}: {ADVICE}, a "
                f"smaller Resize, or fewer clips"
            )

    def _recorded(self, record: ClipRecord, size: tuple[int, int], operations: tuple = ()) -> DeferredFrames:
        """Frames of ``size`` after the fixed transforms, which are only written down."""
        place = FrameLocation("", 0, record.num_frames, 3, size, size)
        sampled = SampledClip(record, np.arange(record.num_frames), DeferredFrames.whole(place))
        for transform in self._fixed:
            transform({"clips": {"driving": sampled}})
        return sampled.frames

    def _prepared(self, record: ClipRecord) -> tuple[Tensor, tuple[int, int], tuple[Operation, ...]]:
        """The frames (T, 3, H, W) of a clip as they are to be stored, their size before, and what was done."""
        kept, size, operations = [], None, ()
        for frame in read_whole(record):
            if size is None:
                size = frame.shape[:2]
                operations = self._recorded(record, size).operations
            frames = frame[None]
            for operation in operations:
                frames = operation(frames)
            kept.append(frames[0])
        return torch.from_numpy(np.stack(kept)).permute(0, 3, 1, 2), size, operations

    def _fill(self, records: Sequence[ClipRecord], content: Callable[[ClipRecord], tuple]) -> dict[str, FrameLocation]:
        """Put what ``content`` gives of every clip into a table of its own; where each lies, by the clip's name."""
        table, places, start = None, {}, 0
        for record in records:
            frames, raw_size, operations = content(record)
            if table is None:
                number = sum(each.num_frames for each in records)
                table = FrameTable(torch.empty(number, *frames.shape[1:], dtype=torch.uint8, device=self.device))
                self._tables.append(table)
            if frames.shape[1:] != table.frames.shape[1:]:
                raise ConfigError(
                    f'cache="device" holds what has one shape: clip {record.name} is {tuple(frames.shape[1:])}, those '
                    f"before it {tuple(table.frames.shape[1:])} (channels, height, width): put Resize right after "
                    f"ReadFrames, or {ADVICE}"
                )
            table.frames[start : start + len(frames)] = frames.to(self.device)
            size = tuple(frames.shape[2:])
            place = FrameLocation(table.token, start, len(frames), frames.shape[1], size, raw_size, operations)
            places[record.name] = place
            start += len(frames)
        return places


def check_pipeline(pipeline: Sequence[Callable]) -> None:
    """Raise ``ConfigError`` for the first transform that cannot do without pixels, and where none reads frames."""
    for transform in pipeline:
        if getattr(transform, "frame_changes", None) not in ("none", "fixed", "random"):
            told = ", ".join(f"{name}={value!r}" for name, value in vars(transform).items() if isinstance(value, str))
            raise ConfigError(
                f'cache="device" cannot do {type(transform).__name__}({told}), which works on pixels, and there are '
                f"none when a sample is made: leave it out, or {ADVICE}"
            )
    if not any(isinstance(transform, ReadFrames) for transform in pipeline):
        raise ConfigError('cache="device" keeps what ReadFrames reads, and this pipeline has none')


def _fixed(pipeline: Sequence[Callable]) -> list[Callable]:
    """The transforms that do the same with every sample, up to the first that draws."""
    found = []
    for transform in pipeline:
        if transform.frame_changes == "random":
            break
        found += [transform] if transform.frame_changes == "fixed" else []
    return found


def _stored_maps(record: ClipRecord) -> tuple[Tensor, tuple[int, int], tuple[Operation, ...]]:
    maps = torch.from_numpy(maps_of(record))
    return maps, tuple(maps.shape[2:]), ()


def _own_device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def free_bytes(device: torch.device) -> int:
    """Memory of ``device`` that is free; of the CPU what can be had without swapping."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return next(_available(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _available() -> Iterator[int]:
    """What Linux says is available, in bytes; nothing on other systems."""
    path = Path("/proc/meminfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024
