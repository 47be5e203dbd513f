"""A cache that keeps the clips of a small set on the device, so that no video is moved to make a batch."""

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

SHARE = 0.5  # of the device's free memory that clips may take, because the model needs the rest
ADVICE = 'take cache="file" or "memory"'


class DeviceCache:
    """A cache of all frames of ``records`` as uint8, on the GPU, or in the CPU's memory if there is none.

    Other caches read pixels, this one gives a sample ``DeferredFrames``. Transforms that do the same with every sample
    (``Resize`` and ``CenterCrop`` before anything random) are applied once, when the clips are stored.

    Args:
        records: The clips, each with a name of its own.
        pipeline: The transforms of the frames. The attribute ``frame_changes`` of each says that it leaves frames as
            they are ("none"), does the same with every sample ("fixed"), or draws ("random").
        device: The device to use. By default the GPU of this process, or the CPU.

    Raises:
        ConfigError: A transform needs pixels, frames or maps differ in size, or they take more than ``SHARE`` of the
            free memory.
        MediaError: A clip is broken. The message names the clip and the file.
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
        # Another process gets the locations of the frames and no frames.
        return self.__dict__ | {"_tables": []}

    def read(self, record: ClipRecord, indices: np.ndarray) -> DeferredFrames:
        """Return ``DeferredFrames`` that name frames of ``record`` by their indices (T,). No pixels are read."""
        return DeferredFrames.whole(self._frames[record.name])[indices]

    def maps(self, record: ClipRecord) -> DeferredFrames | None:
        """Return ``DeferredFrames`` that name the condition maps of all frames of ``record``, or None without maps."""
        place = self._maps.get(record.name)
        return None if place is None else DeferredFrames.whole(place)

    def _check_room(self, records: Sequence[ClipRecord], with_maps: Sequence[ClipRecord]) -> None:
        """Raise ``ConfigError`` if all clips would take too much memory, judged by the first clip's frames."""
        first = next(iter(records[0].frames))
        height, width = self._recorded(records[0], first.shape[:2]).size
        number = sum(record.num_frames for record in records)
        needed = number * 3 * height * width
        if with_maps:
            maps, _, _ = _stored_maps(with_maps[0])
            needed += maps[0].nbytes * sum(record.num_frames for record in with_maps)
        free = free_bytes(self.device)
        if needed > SHARE * free:
            raise ConfigError(
                f'cache="device": {len(records)} clips, {number} frames of {width}x{height}, take '
                f"{needed / 2**20:,.0f} MiB{' with their maps' if with_maps else ''}, and of the "
                f"{free / 2**20:,.0f} MiB that are free on {self.device} clips may have {SHARE:.0%}: {ADVICE}, a "
                f"smaller Resize, or fewer clips"
            )

    def _recorded(self, record: ClipRecord, size: tuple[int, int], operations: tuple = ()) -> DeferredFrames:
        """Return frames of ``size`` after the fixed transforms, which are only recorded."""
        place = FrameLocation("", 0, record.num_frames, 3, size, size)
        sampled = SampledClip(record, np.arange(record.num_frames), DeferredFrames.whole(place))
        for transform in self._fixed:
            transform({"clips": {"driving": sampled}})
        assert isinstance(sampled.frames, DeferredFrames)  # fixed transforms only append operations
        return sampled.frames

    def _prepared(self, record: ClipRecord) -> tuple[Tensor, tuple[int, int], tuple[Operation, ...]]:
        """Return the frames (T, 3, H, W) of a clip as they are stored, their size before, and the operations done."""
        kept: list[np.ndarray] = []
        size: tuple[int, int] | None = None
        operations: tuple[Operation, ...] = ()
        for frame in read_whole(record):
            if size is None:
                size = frame.shape[0], frame.shape[1]
                operations = self._recorded(record, size).operations
            frames = frame[None]  # (H, W, 3) -> (1, H, W, 3), as operations take clips
            for operation in operations:
                frames = operation(frames)
            kept.append(frames[0])
        stored = torch.from_numpy(np.stack(kept)).permute(0, 3, 1, 2)  # (T, H, W, 3) -> (T, 3, H, W)
        assert size is not None  # np.stack refuses a clip without frames
        return stored, size, operations

    def _fill(self, records: Sequence[ClipRecord], content: Callable[[ClipRecord], tuple]) -> dict[str, FrameLocation]:
        """Store the output of ``content`` for every clip in one table. Return the locations by the clips' names."""
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
    """Raise ``ConfigError`` for the first transform that needs pixels, or if no transform reads frames."""
    for transform in pipeline:
        if getattr(transform, "frame_changes", None) not in ("none", "fixed", "random"):
            options = ", ".join(
                f"{name}={value!r}" for name, value in vars(transform).items() if isinstance(value, str)
            )
            raise ConfigError(
                f'cache="device" cannot do {type(transform).__name__}({options}), which works on pixels, and there are '
                f"none when a sample is made: leave it out, or {ADVICE}"
            )
    if not any(isinstance(transform, ReadFrames) for transform in pipeline):
        raise ConfigError('cache="device" stores the frames that ReadFrames reads, and this pipeline has no ReadFrames')


def _fixed(pipeline: Sequence[Callable]) -> list[Callable]:
    """Return the transforms that do the same with every sample, up to the first that draws."""
    found: list[Callable] = []
    for transform in pipeline:
        changes = getattr(transform, "frame_changes", None)
        if changes == "random":
            break
        found += [transform] if changes == "fixed" else []
    return found


def _stored_maps(record: ClipRecord) -> tuple[Tensor, tuple[int, int], tuple[Operation, ...]]:
    maps = maps_of(record)
    assert maps is not None  # asked for clips with ``has_maps`` only
    return torch.from_numpy(maps), (maps.shape[2], maps.shape[3]), ()  # (T, M, H, W)


def _own_device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def free_bytes(device: torch.device) -> int:
    """Return the free memory of ``device`` in bytes. For the CPU it is the memory that can be had without swapping."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return next(_available(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _available() -> Iterator[int]:
    """Yield the bytes that Linux says are available. Yield nothing on other systems."""
    path = Path("/proc/meminfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024
