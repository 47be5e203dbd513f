"""Several spans of one clip in one data set, as the protocols of initial frames take them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from i2vkit.datasets import ClipRecord, FrameFolder, FrameSpan, SampledClip
from i2vkit.datasets.map_files import write_maps
from i2vkit.datasets.transforms import ReadMaps, ReadPoints


@pytest.fixture
def clip(tmp_path):
    """A clip of ten frames whose joints and maps are the number of the frame."""
    header = ["frame", *(f"{axis}{point}" for point in range(13) for axis in "xy")]
    rows = [",".join([str(frame)] * 27) for frame in range(10)]
    (tmp_path / "joints.csv").write_text("\n".join([",".join(header), *rows]) + "\n")
    for name, first in (("maps.npz", 0), ("forecast.npz", 100)):
        write_maps(tmp_path / name, np.arange(first, first + 10, dtype=np.uint8).reshape(10, 1, 1, 1))
    frames = FrameFolder(tuple(Path(f"{number}.png") for number in range(10)))
    metadata = {"joints": tmp_path / "joints.csv", "maps": tmp_path / "maps.npz"}
    return ClipRecord("a", frames, "ann", None, 10, metadata=metadata)


def sampled(transform, record):
    clip = SampledClip(record, np.arange(record.num_frames))
    transform({"clips": {"driving": clip}})
    return clip


def span(clip, start, stop):
    return replace(clip, frames=FrameSpan(clip.frames, start, stop, clip.num_frames), num_frames=stop - start)


def test_each_span_has_its_own_points(clip):
    transform = ReadPoints()
    for start in (0, 5, 0, 3):
        assert sampled(transform, span(clip, start, start + 4)).joints[:, 0, 0].tolist() == [*range(start, start + 4)]
    assert sampled(transform, clip).joints[:, 0, 0].tolist() == [*range(10)]


def test_each_span_has_its_own_maps(clip):
    transform = ReadMaps()
    for start in (0, 5, 0, 3):
        assert sampled(transform, span(clip, start, start + 4)).maps.ravel().tolist() == [*range(start, start + 4)]
    forecast = replace(clip, metadata={"maps": clip.metadata["maps"].with_name("forecast.npz")})
    assert sampled(transform, span(forecast, 5, 7)).maps.ravel().tolist() == [105, 106]
