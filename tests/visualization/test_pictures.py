"""Strips, grids and their text: which pixels of which frames stand where."""

from itertools import groupby

import numpy as np
import pytest
import torch

from i2vkit.structures import VideoSample
from i2vkit.visualization import (
    Grid,
    comparison_strip,
    evenly_spaced,
    labelled_strips,
    to_frames,
    video_strip,
    wrap_captions,
)
from i2vkit.visualization.strips import title


def flat(levels, size=16):
    """A video (3, T, size, size) whose frames are grey of the given levels."""
    return torch.tensor(levels, dtype=torch.uint8).view(1, -1, 1, 1).expand(3, -1, size, size).contiguous()


def sample(**fields):
    result = VideoSample(metainfo={"name": "P001/Anger", "driving_name": "P001/Anger"})
    for name, value in fields.items():
        setattr(result, name, value)
    return result


def levels(picture, row):
    """The grey levels that occur in one pixel row, in order, white left out."""
    line = picture[row, :, 0]
    line = line[line < 250]
    return [int(value) for value, _ in groupby(line)]


@pytest.mark.parametrize(("num_frames", "num"), [(1, 8), (2, 2), (7, 8), (16, 8), (100, 5), (5, 1)])
def test_spread_is_rising_and_keeps_both_ends(num_frames, num):
    indices = evenly_spaced(num_frames, num)
    assert len(indices) == min(num, num_frames)
    assert indices == sorted(set(indices)) and indices[0] == 0
    if num > 1:
        assert indices[-1] == num_frames - 1


def test_video_strip_shows_the_frames_themselves():
    video = to_frames(flat([10, 20, 30, 40, 50]))
    strip = video_strip(video, num=3)
    assert strip.dtype == np.uint8 and strip.shape == (16, 3 * 16 + 2 * 2, 3)
    assert levels(strip, 8) == [10, 30, 50]
    assert levels(video_strip(video, num=None), 8) == [10, 20, 30, 40, 50]


def test_video_strip_resizes_and_keeps_the_shape_of_the_frames():
    video = np.zeros((2, 10, 20, 3), dtype=np.uint8)
    assert video_strip(video, height=30).shape == (30, 60 + 2 + 60, 3)


def test_video_without_frames_is_refused():
    with pytest.raises(ValueError, match=r"\(0, 16, 16, 3\)"):
        video_strip(np.zeros((0, 16, 16, 3), dtype=np.uint8))


def test_comparison_strip_has_a_row_for_each_video_and_the_image_beside_the_generated():
    driving, truth, generated = flat([10, 20, 30]), flat([60, 70, 80]), flat([110, 120, 130])
    picture = comparison_strip(
        [sample(driving=driving, truth=truth, generated=generated, image=truth[:, 0])], num=3, height=16
    )
    rows = [levels(picture[:, 86:], row) for row in range(len(picture))]  # to the right of the labels
    assert [10, 20, 30] in rows and [60, 70, 80] in rows and [60, 110, 120, 130] in rows
    assert rows.index([10, 20, 30]) < rows.index([60, 70, 80]) < rows.index([60, 110, 120, 130])
    assert (picture[0] == 255).all() and (picture[:, -1] == 255).all()


def test_comparison_strip_shows_a_driving_clip_that_is_the_truth_once():
    truth, generated = flat([60, 70]), flat([110, 120])
    one = comparison_strip([sample(driving=truth, truth=truth, generated=generated)])
    other = comparison_strip([sample(truth=truth, generated=generated)])
    np.testing.assert_array_equal(one, other)


def test_comparison_strip_takes_videos_of_different_lengths_and_no_truth():
    picture = comparison_strip([sample(generated=flat([10])), sample(generated=flat([20, 30, 40]), truth=flat([1, 2]))])
    assert picture.shape[1] > 3 * 96
    with pytest.raises(ValueError, match="no samples"):
        comparison_strip([])


def test_title_says_who_moves_whom():
    assert title(sample()) == "P001/Anger"
    two = VideoSample(metainfo={"name": "x", "driving_name": "P001/Anger", "image_name": "P071/Fear"})
    assert title(two) == "P001/Anger onto P071/Fear"


def test_a_grid_puts_frames_under_their_captions():
    grid = Grid([["driving", "image", "generated"]], size=(16, 16), height=32)
    frames = dict(zip(("generated", "image", "driving"), to_frames(flat([110, 60, 10])), strict=True))
    picture = grid.compose(frames)
    assert picture.shape == (32 + 24, 3 * 32 + 2 * 4, 3)
    assert levels(picture, -1) == [10, 60, 110]
    assert picture[:20].min() < 128  # there is text
    np.testing.assert_array_equal(picture[:20], grid.compose(dict.fromkeys(frames, frames["image"]))[:20])
    with pytest.raises(KeyError, match="generated"):
        grid.compose({"driving": frames["driving"], "image": frames["image"]})


def test_a_grid_has_rows_and_empty_cells():
    grid = Grid([["a", "b"], ["", "c"]], size=(16, 16), height=32)
    picture = grid.compose(dict(zip("abc", to_frames(flat([10, 60, 110])), strict=True)))
    assert picture.shape == (2 * (32 + 24), 2 * 32 + 4, 3)
    assert levels(picture, 24 + 16) == [10, 60] and levels(picture, -1) == [110]
    assert (picture[32 + 24 :, :32] == 255).all()


@pytest.mark.parametrize(("number", "shape"), [(1, (1, 1)), (2, (1, 2)), (5, (1, 5)), (8, (2, 4)), (9, (3, 3))])
def test_cells_flow_into_a_grid_that_is_full_or_nearly_so(number, shape):
    captions = [str(index) for index in range(number)]
    rows = wrap_captions(captions)
    assert np.shape(rows) == shape
    assert [caption for row in rows for caption in row] == captions


def test_cells_are_smaller_where_there_are_many_and_never_smaller_than_the_frames():
    assert [Grid([["x"] * n], size=(64, 64)).height for n in (1, 4, 8, 100)] == [256, 256, 192, 64]
    assert [Grid([["x"]] * n, size=(64, 64)).height for n in (1, 4, 8, 100)] == [256, 256, 140, 64]


def test_labels_of_strips_have_the_room_they_need_up_to_a_limit():
    frames = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    widths = [labelled_strips({label: frames}, height=96).shape[1] for label in ("a", "11 surprise, seed 7", "x" * 99)]
    assert widths[0] == 2 * 10 + 76 + 96 and widths[0] < widths[1] < widths[2] == 2 * 10 + 160 + 96
