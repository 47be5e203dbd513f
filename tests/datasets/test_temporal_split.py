"""Segments of a video and parts of clips: exactly the frames they should be."""

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, ClipRecord, FrameSpan, FrameStrips, VideoFile, VideoSegment
from i2vkit.datasets import frame_sources as index
from i2vkit.datasets.point_files import points_of
from i2vkit.errors import ConfigError, MediaError
from i2vkit.media import write_image, write_video

from .test_clip_dataset import dataset, values

ALL = dict(window=dict(type="WholeClip"), read=dict(type="ReadFrames"), pack=dict(type="PackClip"))


def grey(number: int) -> np.ndarray:
    return np.full((16, 16, 3), 4 * number, np.uint8)


@pytest.fixture
def film(tmp_path):
    """A video of 40 frames, of which number n has the value 4 n, without loss."""
    write_video(tmp_path / "film.mkv", map(grey, range(40)))
    return tmp_path / "film.mkv"


def numbers(frames) -> list[int]:
    return [int(frame[0, 0, 0]) // 4 for frame in frames]


def test_a_segment_is_what_lies_between(film):
    segment = VideoSegment(film, 10, 14)
    assert numbers(segment) == [10, 11, 12, 13]
    assert numbers(segment.read([3, 0, 3])) == [13, 10, 13]
    for indices in ([4], [-1]):
        with pytest.raises(MediaError, match="frames 10 to 13"):
            segment.read(indices)


def test_a_segment_beyond_the_end_says_how_far_the_video_goes(film):
    late = VideoSegment(film, 37, 42)
    with pytest.raises(MediaError, match=r"film\.mkv ends after 40 frames, before frame 40"):
        list(late)
    with pytest.raises(MediaError, match="before frame 41"):
        late.read([0, 4])
    assert numbers(VideoSegment(film, 0, 2)) == [0, 1]


def test_segments_in_order_are_decoded_once_and_any_order_is_right(film, monkeypatch):
    decoded = []

    def counting(path, **options):
        for frame in iterate(path, **options):
            decoded.append(frame)
            yield frame

    iterate = index.iterate_video
    monkeypatch.setattr(index, "iterate_video", counting)
    index._forward_video.cache_clear()
    segments = [VideoSegment(film, start, start + 5) for start in (2, 10, 20)]
    assert [numbers(segment) for segment in segments] == [list(range(s.start, s.stop)) for s in segments]
    assert len(decoded) == 25
    one, other = iter(VideoSegment(film, 3, 6)), iter(VideoSegment(film, 1, 4))
    assert numbers(frame for pair in zip(one, other, strict=True) for frame in pair) == [3, 1, 4, 2, 5, 3]


def test_a_video_that_was_replaced_is_read_anew(film):
    assert numbers(VideoSegment(film, 5, 6)) == [5]
    write_video(film, (grey(number + 1) for number in range(41)))
    assert numbers(VideoSegment(film, 6, 7)) == [7]


def test_parts_of_prepared_clips_share_no_frame(people_folder):
    """Clips of 10 to 15 frames whose frames count up: both parts together are the clip, in order."""
    first = dataset(people_folder, pipeline=ALL, temporal_split=(0, 2 / 3))
    last = dataset(people_folder, pipeline=ALL, temporal_split=(2 / 3, 1))
    assert [len(values(sample)) for sample in first] == [7, 7, 8, 9, 9, 10]
    for number in range(6):
        expected = list(range(40 * number, 40 * number + 10 + number))
        assert values(first[number]) + values(last[number]) == expected
    assert values(dataset(people_folder, pipeline=ALL, temporal_split=(0.5, 0.75), cache=False)[0]) == [5, 6, 7]


def test_windows_and_the_shortest_length_count_what_is_left(people_folder):
    data = dataset(people_folder, temporal_split=(2 / 3, 1), min_frames=4)
    assert [record.num_frames for record in data.records] == [4, 4, 4, 5, 5]
    assert {value for position in range(40) for value in values(data[4, position])} == {210, 211, 212, 213, 214}
    assert "3 frames, fewer than min_frames=4" in data.index.summary()


def test_parts_of_strips(tmp_path):
    strip = np.repeat(np.arange(9, dtype=np.uint8), 4)[None, :, None].repeat(4, axis=0).repeat(3, axis=2)
    write_image(tmp_path / "bend/a.png", strip)
    (record,) = FrameStrips(tmp_path).index().temporal_split(1 / 3, 1).records
    assert record.frames.read(range(record.num_frames))[:, 0, 0, 0].tolist() == [3, 4, 5, 6, 7, 8]
    assert [frame[0, 0, 0] for frame in record.frames] == [3, 4, 5, 6, 7, 8]
    with pytest.raises(MediaError, match="frame 6 of a span of 6 frames"):
        record.frames.read([6])


def test_points_of_a_part_are_those_of_its_frames(people_folder, tmp_path):
    table = "frame," + ",".join(f"x{n},y{n}" for n in range(5)) + "\n"
    table += "".join(f"{frame}" + f",{frame},0" * 5 + "\n" for frame in range(10))
    (tmp_path / "points.csv").write_text(table)
    (people_folder / "index.csv").write_text(f"path,landmarks,boxes\nann/run/a,{tmp_path / 'points.csv'},\n")
    (record,) = ClipFolder(people_folder).index().temporal_split(0.7, 1).records
    assert points_of(record, "landmarks")[:, 0, 0].tolist() == [7, 8, 9]
    assert points_of(record, "joints") is None
    boxes = np.arange(40.0).reshape(10, 4)
    span = ClipRecord(
        "a", FrameSpan(VideoFile(tmp_path / "a.mkv"), 2, 4, 10), "ann", None, 2, metadata={"boxes": boxes}
    )
    np.testing.assert_array_equal(points_of(span, "boxes"), boxes[2:4])


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 1), (0, 1.5), (1, 0)])
def test_shares_that_make_no_sense(people_folder, shares):
    with pytest.raises(ConfigError, match=r"0 <= start < stop <= 1|takes a number from 0 to 1"):
        dataset(people_folder, temporal_split=shares)


def test_clips_of_which_nothing_is_left_are_listed(tmp_path):
    write_image(tmp_path / "bend/a.png", np.zeros((4, 4, 3), np.uint8))
    part = FrameStrips(tmp_path).index().temporal_split(0, 1 / 3)
    assert part.records == [] and part.skipped == [("bend/a", "none of its 1 frames is left")]
    assert FrameStrips(tmp_path).index().temporal_split(0, 1).records[0].num_frames == 1
