import math

import numpy as np
import pytest

from i2vkit.conditions import JointHeatmaps, fit_to_body
from i2vkit.datasets import ClipRecord, FrameFolder, SampledClip
from i2vkit.datasets.map_files import read_maps
from i2vkit.datasets.transforms import RetargetJoints
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.preparation.pipeline import maps_path, points_path
from i2vkit.preparation.prepared_penn_action import JointMaps


def body(x: float, y: float, length: float, frames: int = 2) -> np.ndarray:
    """Joints (T, 13, 2) with the hips around (x, y), a trunk of that length, and a hand that rises."""
    joints = np.full((frames, 13, 2), np.nan)
    joints[:, 7], joints[:, 8] = (x - 1, y), (x + 1, y)
    joints[:, 1], joints[:, 2] = (x - 2, y - length), (x + 2, y - length)
    joints[:, 5, 0] = x + length
    joints[:, 5, 1] = y - length * np.arange(frames)
    return joints


def record(person: str) -> ClipRecord:
    return ClipRecord(f"{person}/run/a", FrameFolder(()), person, "run", 2)


def test_heatmaps_are_gaussians_around_the_joints():
    joints = np.full((1, 13, 2), np.nan)
    joints[0, 4] = (10, 20)
    maps = JointHeatmaps(size=32, sigma=1 / 16)(joints)
    for y, x in ((20, 10), (20, 12), (23, 10), (18, 7)):
        distance = (y - 20) ** 2 + (x - 10) ** 2
        assert maps[0, 4, y, x] == round(255 * math.exp(-distance / 8))
    assert not np.delete(maps[0], 4, axis=0).any()  # joints that are not known
    half = JointHeatmaps(size=32)(np.full((1, 13, 2), 10.5))[0, 0]
    assert half[10, 10] == half[11, 11] == round(255 * math.exp(-0.25)) and half.max() == half[10, 11]


def test_heatmaps_refuse_other_bodies():
    with pytest.raises(DataError, match=r"joints \(T, 13, 2\), got \(2, 5, 2\)"):
        JointHeatmaps(32)(np.zeros((2, 5, 2)))
    with pytest.raises(ConfigError, match="above 0"):
        JointHeatmaps(32, sigma=0)


def test_bodies_get_the_place_and_the_trunk_of_the_target():
    moved = fit_to_body(body(10, 20, 4), body(16, 30, 8))
    expected = body(16, 30, 8)
    assert np.allclose(moved[:, 5], expected[:, 5])
    assert np.allclose(moved[:, 7], (14, 30))  # hips keep the driving clip's proportions, twice as large
    assert np.isnan(moved[:, 0]).all()
    late = body(10, 20, 4)
    late[0, 1] = np.nan  # the trunk is known from the second frame on
    assert np.allclose(fit_to_body(late, body(16, 30, 8))[:, 5], expected[:, 5])


def retargeted(**changes) -> SampledClip:
    clips = dict(
        driving=SampledClip(record("ann"), np.arange(2), joints=body(10, 20, 4)),
        image_video=SampledClip(record("bob"), np.arange(2), joints=body(16, 30, 8)),
    )
    clips.update(changes)
    RetargetJoints(dict(type=JointHeatmaps, size=48))(dict(clips=clips))
    return clips["driving"]


def test_maps_of_two_people_show_the_source_on_the_target():
    sampled = retargeted()
    assert sampled.maps.shape == (2, 13, 48, 48)
    assert np.unravel_index(sampled.maps[1, 5].argmax(), (48, 48)) == (22, 24)
    own = retargeted(image_video=SampledClip(record("ann"), np.arange(2), joints=body(16, 30, 8)))
    assert own.maps is None and np.allclose(own.joints[:, 7], (9, 20))


def test_retargeting_says_what_is_missing():
    with pytest.raises(DataError, match="bob/run/a has no joints, or RetargetJoints comes before ReadPoints"):
        retargeted(image_video=SampledClip(record("bob"), np.arange(2)))
    with pytest.raises(DataError, match="ann/run/a cannot be moved onto bob/run/a: no frame has both hips"):
        retargeted(image_video=SampledClip(record("bob"), np.arange(2), joints=np.full((2, 13, 2), np.nan)))
    with pytest.raises(ConfigError, match="draws maps of 48x48, the frames are 8x6"):
        retargeted(
            driving=SampledClip(record("ann"), np.arange(2), np.zeros((2, 6, 8, 3), np.uint8), joints=body(9, 9, 4))
        )
    with pytest.raises(ConfigError, match="not by Silhouettes"):
        RetargetJoints(dict(type="Silhouettes"))


def test_preparation_draws_the_joints_that_it_moved(tmp_path):
    clip = record("0001")
    with pytest.raises(DataError, match="no joints in"):
        JointMaps(32)(tmp_path, clip)
    joints = body(10, 20, 4)
    write_landmarks(points_path(tmp_path, "joints", clip), joints)
    JointMaps(32)(tmp_path, clip)
    assert np.array_equal(read_maps(maps_path(tmp_path, clip)), JointHeatmaps(32)(joints))
