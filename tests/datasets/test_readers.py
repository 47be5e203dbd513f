import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, ConcatReader, FrameStrips, OuluCasia
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import write_image, write_video

from .conftest import write_clip


def names(index):
    return [record.name for record in index.records]


# ClipFolder


def test_clip_folder_reads_people_labels_and_clips(people_folder):
    index = ClipFolder(people_folder).index()
    assert names(index)[:3] == ["ann/run/a", "ann/wave/a", "bob/run/a"]
    assert index.labels == ["run", "wave"]
    record = index.records[3]
    assert (record.person, record.label, record.num_frames, record.fps) == ("bob", "wave", 13, 25.0)
    assert record.frames.read([2, 0, 2])[:, 0, 0, 0].tolist() == [122, 120, 122]


def test_clip_folder_reads_videos(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    write_video(tmp_path / "ann/run/first.mkv", frames, fps=10)
    (record,) = ClipFolder(tmp_path).index().records
    assert (record.name, record.num_frames, record.fps) == ("ann/run/first", 6, 10.0)
    assert np.array_equal(record.frames.read([4, 1]), frames[[4, 1]])
    with pytest.raises(MediaError, match="ends before frame 6"):
        record.frames.read([6])


def test_clip_folder_skips_what_is_no_clip_and_says_so(people_folder):
    (people_folder / "ann/run/empty").mkdir()
    write_image(people_folder / "bob/wave/photo.png", np.zeros((8, 8, 3), np.uint8))
    (people_folder / "bob/wave/.hidden.png").touch()
    index = ClipFolder(people_folder).index()
    assert len(index.records) == 6
    assert [what for what, _ in index.skipped] == ["ann/run/empty", "bob/wave/photo.png"]
    assert "skipped 2" in index.summary() and "an image outside the folder of a clip" in index.summary()


def test_clip_folder_follows_its_table(people_folder):
    (people_folder / "marks.csv").write_text("frame,x0\n")
    (people_folder / "index.csv").write_text(
        "\ufeffpath,person,label,num_frames,fps,landmarks,camera\n"
        "cem/wave/a,Cem,greet,15,12.5,marks.csv,left\n"
        "ann/run/a,,,,,,\n",
        encoding="utf-8",
    )
    index = ClipFolder(people_folder, labels=["run", "greet"]).index()
    first, second = index.records
    assert (first.person, first.label, first.fps) == ("Cem", "greet", 12.5)
    assert first.metadata == {"landmarks": people_folder / "marks.csv", "camera": "left"}
    assert (second.person, second.label, second.num_frames, second.metadata) == ("ann", "run", 10, {})
    assert index.labels == ["run", "greet"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("path\nann/run/a\nann/run/b\n", "lists 2 clips, 1 of which are not there, ann/run/b"),
        ("path,num_frames\nann/run/a,11\n", "holds 10 images, index.csv says 11"),
        ("path,num_frames\nann/run/a,ten\n", "index.csv, line 2: num_frames must be a whole number, got 'ten'"),
        ("clip\nann/run/a\n", "has no column path"),
        ("path\nann/run/a\nann/run/a\n", "1 clip names are used by two clips each, among them ann/run/a"),
    ],
)
def test_clip_folder_refuses_a_wrong_table(people_folder, table, message):
    (people_folder / "index.csv").write_text(table)
    with pytest.raises(DataError, match=message):
        ClipFolder(people_folder).index()


def test_clip_folder_refuses_unknown_labels(people_folder):
    with pytest.raises(DataError, match=r"ann/wave/a .* has label wave"):
        ClipFolder(people_folder, labels=["run"]).index()


def test_clip_folder_says_what_is_missing_and_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"(?s)person/label/clip.*absent.*no such folder.*ask Ann") as error:
        ClipFolder(tmp_path / "absent", help="ask Ann").index()
    assert str(tmp_path) in str(error.value)
    write_image(tmp_path / "ann/run/000.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"(?s)found there: ann/.*Skipped ann/run/000.png"):
        ClipFolder(tmp_path).index()


# FrameStrips


def write_strip(path, length, size=4):
    frames = np.arange(length, dtype=np.uint8) * 10
    write_image(path, np.repeat(np.tile(frames.repeat(size), (size, 1))[..., None], 3, axis=2))


def test_strips_without_a_table_follow_mocogan(tmp_path):
    write_strip(tmp_path / "actions/0/00000010.png", 5)
    write_strip(tmp_path / "actions/4/00000011.png", 6)
    index = FrameStrips(tmp_path).index()
    wave, bend = index.records
    assert (wave.name, wave.person, wave.num_frames, wave.metadata) == ("wave1/00000010", "1", 5, {"mirrored": False})
    assert (bend.name, bend.person, bend.metadata) == ("bend/00000011", "1", {"mirrored": True})
    assert index.labels == ["bend", "wave1"]
    assert wave.frames.read([3, 1])[:, 2, 2, 0].tolist() == [30, 10]


def test_strips_with_a_table(tmp_path):
    write_strip(tmp_path / "golf/0.png", 5)
    (tmp_path / "index.csv").write_text("file,action,num_frames\ngolf/0.png,golf_swing,5\n")
    (record,) = FrameStrips(tmp_path).index().records
    assert (record.name, record.person, record.label, record.metadata) == (
        "golf_swing/0",
        "golf_swing/0",
        "golf_swing",
        {},
    )
    (tmp_path / "index.csv").write_text("file,action,num_frames\ngolf/0.png,golf_swing,6\n")
    with pytest.raises(DataError, match=r"golf/0\.png holds 5 frames of 4x4, index\.csv says 6"):
        FrameStrips(tmp_path).index()


def test_strips_that_are_none_are_named(tmp_path):
    write_image(tmp_path / "golf/0.png", np.zeros((4, 9, 3), np.uint8))
    with pytest.raises(DataError, match=r"golf/0\.png is 9x4: not square frames"):
        FrameStrips(tmp_path).index()
    (tmp_path / "golf/0.png").write_text("no image")
    with pytest.raises(MediaError, match=r"golf/0\.png cannot be read"):
        FrameStrips(tmp_path).index()
    with pytest.raises(DataError, match=r"(?s)no such folder.*sergeytulyakov/mocogan"):
        FrameStrips(tmp_path / "absent").index()


def test_real_strips_are_the_same_with_and_without_the_table(shared_data, tmp_path):
    listed = FrameStrips(shared_data / "weizmann").index()
    found = FrameStrips(shared_data / "weizmann/actions").index()
    assert len(listed.records) == 48
    assert listed.labels == found.labels == ["bend", "jack", "wave1", "wave2"]
    assert listed.people == ["0", "1", "2", "3", "4", "5"]

    def facts(index):
        return {(r.name, r.person, r.label, r.num_frames, r.metadata["mirrored"]) for r in index.records}

    assert facts(listed) == facts(found)
    by_name = {record.name: record for record in listed.records}
    clip, mirrored = by_name["wave1/00000010"], by_name["wave1/00000011"]
    # JPEG or not, the mirror image is that of the same frame: far closer than the frame itself
    frame, other = clip.frames.read([7])[0].astype(int), mirrored.frames.read([7])[0].astype(int)
    assert np.abs(frame[:, ::-1] - other).mean() < 0.2 * np.abs(frame - other).mean()


# Oulu-CASIA


def write_oulu(root, wrapper="B_OriginalImg/OriginalImg", people=("P001", "P002")):
    for person in people:
        for number, label in enumerate(("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")):
            for index in range(3):
                path = root / wrapper / "VL/Strong" / person / label / f"{index:03d}.jpeg"
                write_image(path, np.full((6, 8, 3), 40 * number, np.uint8))


@pytest.mark.parametrize("wrapper", ["", "OriginalImg", "B_OriginalImg/OriginalImg"])
def test_oulu_is_found_below_any_wrapper(tmp_path, wrapper):
    write_oulu(tmp_path, wrapper)
    marks = tmp_path / "landmarks/VL/Strong/P002/Fear.csv"
    marks.parent.mkdir(parents=True)
    marks.write_text("frame,x0,y0\n")
    index = OuluCasia(tmp_path).index()
    assert len(index.records) == 12
    assert index.labels == ["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise"]
    record = index.records[8]
    assert (record.name, record.person, record.label, record.num_frames) == ("P002/Fear/VL_Strong", "P002", "Fear", 3)
    assert record.metadata == {"landmarks": marks}
    assert index.records[0].metadata == {}
    assert abs(int(record.frames.read([1])[0, 0, 0, 0]) - 80) <= 1  # JPEG


def test_oulu_lists_what_is_missing(tmp_path):
    write_oulu(tmp_path)
    folder = tmp_path / "B_OriginalImg/OriginalImg/VL/Strong/P002/Anger"
    for path in folder.iterdir():
        path.unlink()
    index = OuluCasia(tmp_path).index()
    assert len(index.records) == 11
    assert index.skipped == [("P002/Anger", f"no images in {folder}")]


def test_oulu_says_what_it_looked_for_whom_to_ask_and_what_to_run(tmp_path):
    (tmp_path / "oulu/NI").mkdir(parents=True)
    with pytest.raises(DataError) as error:
        OuluCasia(str(tmp_path / "oulu")).index()
    message = str(error.value)
    for part in (
        "folder VL",
        "Strong/P001/Anger",
        str(tmp_path / "oulu"),
        "found there: NI/",
        "University of Oulu",
        f"python tools/synthesize_data.py oulu_casia --out {tmp_path / 'oulu'}",
    ):
        assert part in message


def test_a_broken_frame_names_the_file(tmp_path):
    write_clip(tmp_path / "ann/run/a", 5, 0)
    (tmp_path / "ann/run/a/003.png").write_bytes(b"\x89PNG")
    (record,) = ClipFolder(tmp_path).index().records
    with pytest.raises(MediaError, match=r"003\.png"):
        record.frames.read(range(5))
    write_image(tmp_path / "ann/run/a/003.png", np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(MediaError, match=r"003\.png and .*000\.png are images of different sizes"):
        record.frames.read(range(5))


# ConcatReader


def test_joined_layouts_are_one_set(people_folder, tmp_path):
    write_clip(tmp_path / "more/dan/wave/a", 5, 7)
    more = dict(type=ClipFolder, root=tmp_path / "more", labels=["run", "wave"])
    index = ConcatReader([dict(type=ClipFolder, root=people_folder), more]).index()
    assert names(index)[-2:] == ["cem/wave/a", "dan/wave/a"] and index.people == ["ann", "bob", "cem", "dan"]
    assert index.labels == ["run", "wave"] and index.records[-1].frames.read([0])[0, 0, 0, 0] == 7


def test_joined_layouts_keep_what_was_skipped_and_refuse_what_does_not_fit(people_folder, tmp_path):
    own = dict(type=ClipFolder, root=people_folder)
    (people_folder / "ann/run/empty").mkdir()
    write_clip(tmp_path / "more/dan/walk/a", 5, 7)
    assert [what for what, _ in ConcatReader([own]).index().skipped] == ["ann/run/empty"]
    with pytest.raises(DataError, match=r"know \['run', 'wave'\] and \['walk'\]: give each reader labels"):
        ConcatReader([own, dict(type=ClipFolder, root=tmp_path / "more")]).index()
    with pytest.raises(DataError, match="are used by two clips each"):
        ConcatReader([own, own]).index()
    with pytest.raises(ConfigError, match="nothing to join"):
        ConcatReader([])
