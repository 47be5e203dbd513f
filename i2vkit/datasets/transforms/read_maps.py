"""The transform that reads the condition maps of the sampled frames."""

from dataclasses import replace

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_operations import DeferredFrames
from i2vkit.datasets.frame_sources import FrameSpan
from i2vkit.datasets.map_files import maps_of
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import TRANSFORMS

# Bytes of maps that a worker keeps. The first ones read stay, because every clip comes as often as the others.
CACHE_BUDGET = 2**28


@TRANSFORMS.register_module()
class ReadMaps:
    """Fill in ``maps`` uint8 (T, M, H, W) of every clip that has them. Put it after ``ReadFrames``.

    They come from ``record.metadata["maps"]``, which preparation writes.

    Args:
        required: Refuse a clip without maps. Default True.
        channels: Maps a frame. Clips with another number are refused, and the model's config need not repeat it.
        condition_generator: Config of the condition generator with which preparation drew the maps. It is not used
            here. An animation looks it up to draw the maps of a driving video.
    """

    frame_changes = "none"

    def __init__(self, required: bool = True, channels: int | None = None, condition_generator: dict | None = None):
        self.required, self.channels = required, channels
        self.condition_generator = condition_generator
        self._kept: dict[tuple[str, str], np.ndarray] = {}
        self._room = CACHE_BUDGET

    def __call__(self, sample: dict) -> dict:
        """Read the maps of all clips.

        Raises:
            DataError: A clip has no maps although they are required, or its maps have another size than its frames or
                another number than ``channels``.
            ConfigError: The frames were cropped, scaled or mirrored before, and the maps were not.
        """
        for sampled in sample["clips"].values():
            stored = isinstance(sampled.frames, DeferredFrames)
            maps = sample["cache"].maps(sampled.record) if stored else self._maps(sampled.record)
            if maps is None and self.required:
                raise DataError(
                    f"clip {sampled.record.name} has no condition maps: prepare the set with --maps "
                    f"(tools/prepare_data.py), or give ReadMaps required=False"
                )
            if maps is not None:
                _check(sampled, maps)
                self._check_channels(sampled, maps)
                sampled.maps = maps[sampled.indices]
        return sample

    def _check_channels(self, sampled: SampledClip, maps: np.ndarray | DeferredFrames) -> None:
        found = maps.shape[-1] if isinstance(maps, DeferredFrames) else maps.shape[1]
        if self.channels is not None and found != self.channels:
            raise DataError(
                f"clip {sampled.record.name} has {found} condition maps a frame, and the data set says maps="
                f"{self.channels} (ReadMaps has channels={self.channels}): set it to {found}, or prepare the set again"
            )

    def _maps(self, record: ClipRecord) -> np.ndarray | None:
        if isinstance(span := record.frames, FrameSpan):  # a protocol may take several spans of one clip
            maps = self._maps(replace(record, frames=span.source, num_frames=span.length))
            return None if maps is None else maps[span.start : span.stop]
        given = record.metadata.get("maps")
        if given is None or isinstance(given, np.ndarray):
            return maps_of(record)
        key = record.name, str(given)  # a protocol may also take the maps of another file
        if key not in self._kept:
            maps = maps_of(record)
            if maps is None or maps.nbytes > self._room:
                return maps
            self._kept[key] = maps
            self._room -= maps.nbytes
        return self._kept[key]


def _check(sampled: SampledClip, maps: np.ndarray | DeferredFrames) -> None:
    if sampled.moved:
        raise ConfigError(
            f"clip {sampled.record.name} has condition maps, drawn for its prepared frames, and a transform before "
            f"ReadMaps crops, scales or mirrors these: take it out, and prepare the set at the size the model sees"
        )
    size = maps.size if isinstance(maps, DeferredFrames) else maps.shape[2:]
    if sampled.frames is not None and sampled.frames.shape[1:3] != size:
        sizes = ["{1}x{0}".format(*shape) for shape in (size, sampled.frames.shape[1:3])]
        raise DataError(
            f"the condition maps of clip {sampled.record.name} are {sizes[0]}, its frames {sizes[1]}: prepare the set "
            f"again"
        )
