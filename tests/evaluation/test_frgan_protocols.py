"""FRGAN's protocols: a reference clip a label; forecasts from a frame on."""

import numpy as np
import pytest

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder, FrameSpan
from i2vkit.datasets.map_files import maps_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols import Forecast, ReferenceTransfer

EXPRESSIONS = ["anger", "fear", "joy"]


def clip(person: str, label: str, frames: int = 40, **metadata) -> ClipRecord:
    return ClipRecord(f"{person}/{label}/a", FrameFolder(()), person, label, num_frames=frames, metadata=metadata)


@pytest.fixture
def index() -> ClipIndex:
    return ClipIndex([clip(p, label) for p in ("ann", "bob", "cem", "dan") for label in EXPRESSIONS], EXPRESSIONS)


def test_one_clip_a_label_drives_every_target(index):
    pairs = ReferenceTransfer().pairs(index)
    assert len(pairs) == 3 * 4
    assert [pair.driving.label for pair in pairs[::4]] == EXPRESSIONS
    assert all(len({pair.driving.name for pair in pairs[i : i + 4]}) == 1 for i in (0, 4, 8))
    assert [pair.image_video.person for pair in pairs[:4]] == ["ann", "bob", "cem", "dan"]
    assert [pair.seed for pair in pairs] == list(range(12))


def test_the_draw_is_the_same_each_time_and_another_by_its_seed(index):
    def sources(draw: int, seed: int = 0) -> list[str]:
        return [pair.driving.name for pair in ReferenceTransfer(draw=draw, seed=seed).pairs(index)]

    assert sources(1) == sources(1) == sources(1, seed=9)
    assert len({tuple(sources(draw)) for draw in range(20)}) > 5
    few = ReferenceTransfer(driving_people=["ann"], image_people=["bob"]).pairs(index)
    assert {pair.driving.person for pair in few} == {"ann"} and {pair.image_video.person for pair in few} == {"bob"}


def test_a_data_set_draws_nothing_anew(index):
    """Pairings that do have a method of that name."""
    assert not hasattr(ReferenceTransfer(draw=3), "draw")


def test_forecasts_start_where_they_are_told_with_the_maps_they_are_told():
    true, forecast = (np.full((45, 1, 2, 2), value, np.uint8) for value in (1, 2))
    true[9], forecast[9] = 7, 8
    index = ClipIndex([clip("ann", "run", 45, maps=true, forecast=forecast), clip("bob", "run", 40)], ["run"])
    [pair] = Forecast("forecast", start=9, length=36).pairs(index)
    assert pair.image_video is None and pair.driving.num_frames == 36
    assert pair.driving.frames == FrameSpan(FrameFolder(()), 9, 45, 45)
    assert maps_of(pair.driving)[:2, 0, 0, 0].tolist() == [8, 2]
    [pair] = Forecast("true", start=9, length=36).pairs(index)
    assert maps_of(pair.driving)[:2, 0, 0, 0].tolist() == [7, 1]
    assert len(Forecast(length=32).pairs(index)) == 2


def test_forecasts_say_what_is_missing():
    index = ClipIndex([clip("ann", "run", 45)], ["run"])
    with pytest.raises(DataError, match=r"ann/run/a has no forecast poses: python tools/forecast_poses.py"):
        Forecast("forecast", start=9).pairs(index)
    with pytest.raises(DataError, match="no clip has the 51 frames"):
        Forecast(start=9, length=42).pairs(index)
    with pytest.raises(ConfigError, match="poses"):
        Forecast("real")
