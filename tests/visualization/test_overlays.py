"""Overlays: which pixels change, and to what."""

import numpy as np
import pytest

from i2vkit.visualization.overlays import (
    BOX,
    LEFT,
    MAP_COLOURS,
    MIDDLE,
    RIGHT,
    colour_maps,
    draw_box,
    draw_points,
    draw_skeleton,
    enlarge,
    framed,
)


def page(size=20, factor=4):
    return np.full((size * factor, size * factor, 3), 90, np.uint8)


def changed(picture):
    return np.argwhere((picture != 90).any(axis=-1))


def test_enlarge_repeats_pixels():
    frame = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = enlarge(frame, 3)
    assert large.shape == (6, 6, 3)
    assert all(np.array_equal(large[dy::3, dx::3], frame) for dy in range(3) for dx in range(3))


@pytest.mark.parametrize("place", [(5.0, 9.0), (5.25, 9.5), (0.0, 19.0)])
def test_a_point_is_centred_on_its_place(place):
    picture = page()
    draw_points(picture, np.array([place]), 4)
    expected = (np.array(place) + 0.5) * 4 - 0.5
    weight = np.abs(picture.astype(float) - 90).sum(axis=-1)
    y, x = np.mgrid[:80, :80]
    np.testing.assert_allclose(
        [(x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()], expected, atol=0.3
    )


def test_points_have_the_colours_of_their_sides_and_nan_is_left_out():
    picture = page()
    draw_points(picture, np.array([[3.0, 3], [9, 3], [6, 9], [np.nan, 2]]), 4, mirror=[1, 0, 2, 3])
    assert [tuple(picture[14, x].tolist()) for x in (14, 38)] == [LEFT, RIGHT]
    assert tuple(picture[38, 26].tolist()) == MIDDLE
    assert changed(picture)[:, 1].max() < 45
    draw_points(picture, np.array([[1e9, -1e9]]), 4)  # far outside is nowhere


def test_a_skeleton_lacks_the_bones_of_unknown_joints():
    joints = np.full((13, 2), np.nan)
    picture = page()
    draw_skeleton(picture, joints, 4)
    assert len(changed(picture)) == 0
    joints[[1, 3]] = (4, 4), (4, 14)  # left shoulder and elbow
    draw_skeleton(picture, joints, 4)
    assert tuple(picture[40, 17].tolist()) == LEFT
    assert changed(picture)[:, 1].min() >= 14 and changed(picture)[:, 1].max() <= 22
    draw_skeleton(picture := page(), np.array([[2.0, 2], [10, 10]]), 4)  # of two joints no bones are known
    assert len(changed(picture)) < 80


def test_a_box_lies_on_its_outermost_pixels():
    picture = page()
    draw_box(picture, np.array([2.0, 3.0, 10.0, 8.0]), 4)
    rows, columns = changed(picture).T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 31, 8, 39)
    assert len(rows) == 2 * 32 + 2 * 18 and tuple(picture[12, 8].tolist()) == BOX
    draw_box(picture, np.array([np.nan, 0, 1, 1]), 4)
    assert len(changed(picture)) == len(rows)


def test_a_frame_goes_around_and_hides_nothing():
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    result = framed(picture, (1, 2, 3), width=2)
    assert result.shape == (9, 11, 3) and np.array_equal(result[2:-2, 2:-2], picture)
    assert (result[:2] == (1, 2, 3)).all() and (result[:, -2:] == (1, 2, 3)).all()


def test_maps_shine_in_their_colours():
    maps = np.zeros((13, 1, 3), np.uint8)
    maps[0, 0, 0], maps[2, 0, 1], maps[12, 0, 2] = 255, 51, 255  # the colours begin anew after twelve
    picture = colour_maps(maps)
    assert picture[0].tolist() == [
        list(MAP_COLOURS[0]),
        [round(value / 5) for value in MAP_COLOURS[2]],
        list(MAP_COLOURS[0]),
    ]
    assert colour_maps(np.array([[[0, 255]]], np.uint8))[0].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert colour_maps(np.arange(3, dtype=np.uint8)[:, None, None]).tolist() == [[[0, 1, 2]]]  # a normal map
