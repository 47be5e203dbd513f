"""i2v-truth-v1: who is in it and who follows whom, that it is made as it says, and that another set is noticed."""

import csv
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from i2vkit.datasets import ClipDataset, ClipFolder, SamePerson
from i2vkit.datasets import splits as all_splits
from i2vkit.datasets.map_files import maps_of
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols import SampleList
from i2vkit.media import read_image, write_image
from i2vkit.preparation import i2v_truth as preparation
from i2vkit.preparation.i2v_truth import make_extra_people, make_part
from i2vkit.rendering.i2v_truth import checksums as sums
from i2vkit.rendering.i2v_truth.checksums import COLUMNS, colours, compare_part, difference, write_checksums
from i2vkit.rendering.i2v_truth.parts import FACES, FIGURES, PARTS, SPLITS, Performance
from i2vkit.rendering.i2v_truth.rendering import face_motion, figure_motion

TINY = dict(people=(1, 1, 2), takes=(2, 1, 1), actors=(0, 0, 1))
# The first label alone, so that the clips are those of the whole set; who is in which split differs.
TINY_FACES = replace(FACES, labels=FACES.labels[:1], **TINY)
TINY_FIGURES = replace(FIGURES, labels=FIGURES.labels[:1], **TINY)


@pytest.fixture(scope="module", params=(TINY_FACES, TINY_FIGURES), ids=lambda part: part.name)
def made(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param.name)
    make_part(request.param, root, workers=1)
    return request.param, root


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_no_person_and_no_performance_is_in_two_splits(part):
    people = {split: set(part.people_of(split)) for split in SPLITS}
    assert sum(map(len, people.values())) == len(set.union(*people.values())) == sum(part.people)
    for split in SPLITS:
        assert set(all_splits.SPLITS[f"i2v_truth/{part.name}_{split}"]) == people[split]
        assert {clip.person for clip in part.performances(split)} == people[split]
        assert {actor for actor, _ in part.transfers(split)} <= people[split]
        # The truth is of other people only, each pair once.
        transfers = part.transfers(split)
        assert len(set(transfers)) == len(transfers)
        assert all(actor != clip.person for actor, clip in transfers)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_everybody_acts_and_drives_equally_often(part):
    transfers = part.transfers("test")
    drives = Counter(clip.person for _, clip in transfers)
    acts = Counter(actor for actor, _ in transfers)
    assert set(drives.values()) == {2 * len(part.labels)} and set(acts.values()) == set(drives.values())
    # Everybody follows everybody else.
    assert len({(actor, clip.person) for actor, clip in transfers}) == part.people[2] * (part.people[2] - 1)


def test_the_sizes_that_the_documentation_gives():
    assert [len(FACES.performances(split)) for split in SPLITS] == [288, 24, 48]
    assert [len(FIGURES.performances(split)) for split in SPLITS] == [216, 18, 36]
    assert [len(part.transfers(split)) for part in PARTS.values() for split in SPLITS] == [0, 24, 96, 0, 18, 72]


def test_performances_differ_by_performer_label_and_take():
    def actions(*what):
        return face_motion(FACES, Performance(*what)).actions[:20]

    first = actions("face29", "anger", 1)
    np.testing.assert_array_equal(first, actions("face29", "anger", 1))
    for other in (("face30", "anger", 1), ("face29", "anger", 2), ("face29", "fear", 1)):
        assert not np.allclose(first, actions(*other))


def test_who_is_seen_from_the_side_looks_right():
    for person in FIGURES.people_of("test"):
        motion = figure_motion(FIGURES, Performance(person, "walk", 1))
        assert motion.heading == 90 and 22 <= len(motion) <= 28
        # Leg lengths from the middle: the whole person is seen from the first frame on.
        assert -1.6 < motion["z"][0] < -1.0


def test_a_part_is_a_data_set_with_maps_truth_and_samples(made):
    part, root = made
    index = ClipFolder(str(root), list(part.labels)).index()
    assert [record.name for record in index.records] == [c.name for split in SPLITS for c in part.performances(split)]
    for record in index.records:
        assert maps_of(record).shape == (record.num_frames, 3 if part.name == "faces" else 13, 64, 64)
        assert read_image(root / record.name / "000.png").shape == (64, 64, 3)
    assert not (root / "rendered").exists()
    assert make_part(part, root, workers=1).endswith("made before")


def test_the_samples_have_a_truth_that_moves_as_the_source_does(made):
    part, root = made
    data = ClipDataset(
        reader=dict(type=ClipFolder, root=str(root), labels=list(part.labels)),
        truth=dict(type=ClipFolder, root=str(root / "truth")),
        pair_sampler=dict(type=SampleList, path=str(root / "test.json")),
        pipeline=dict(window=dict(type=FirstFrames, length=16), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    )
    assert len(data) == 2
    points = "landmarks" if part.name == "faces" else "joints"
    for pair in data.pairs:
        assert pair.truth.person == pair.image_video.person != pair.driving.person
        assert pair.image_video.label == pair.driving.label
        moved, own = (np.diff(points_of(clip, points), axis=0) for clip in (pair.truth, pair.driving))
        assert np.corrcoef(moved.ravel(), own.ravel())[0, 1] > 0.9
    sample = data[0]
    # The picture is another clip's: it gives away nothing of the ground truth.
    first, truth = sample["data_samples"].image, sample["data_samples"].truth
    assert not first.equal(truth[:, 0]) and (first.float() - truth[:, 0].float()).abs().mean() < 25


def test_training_takes_another_clip_of_the_same_person(made):
    part, root = made
    data = ClipDataset(
        reader=dict(type=ClipFolder, root=str(root), labels=list(part.labels)),
        people=part.people_of("train"),
        pair_sampler=dict(type=SamePerson),
        pipeline=dict(window=dict(type=FirstFrames, length=16), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    )
    assert data[0]["inputs"]["image_video"].shape == data[0]["inputs"]["driving"].shape == (3, 16, 64, 64)


def test_checksums_notice_another_motion_and_another_picture_but_not_rounding(made, tmp_path, monkeypatch):
    part, root = made
    monkeypatch.setattr(sums, "FOLDER", tmp_path)
    write_checksums(part, root)
    assert compare_part(part, root) == []
    picture = next((root / "truth" / part.person(4)).rglob("000.png"))
    before = read_image(picture)
    write_image(picture, np.clip(before.astype(int) + 1, 0, 255).astype(np.uint8))
    assert compare_part(part, root) == []
    write_image(picture, before // 2)
    [line] = compare_part(part, root)
    assert line.startswith(f"{part.name}: clip truth/{part.person(4)}/") and "mean colours are off" in line
    write_image(picture, before)
    points = root / ("landmarks" if part.name == "faces" else "joints") / f"{part.performances('train')[0].name}.csv"
    rows = points.read_text()
    points.write_text(rows.replace(rows.splitlines()[3], rows.splitlines()[4].replace("3,", "2,", 1)))
    [line] = compare_part(part, root)
    assert "the motion differs" in line
    points.write_text(rows)


def test_differences_in_words():
    clip = ("20", "abc", "00" * 24)
    assert difference(clip, clip) == difference(clip, ("20", "abc", "02" * 24)) == ""
    assert difference(clip, ("20", "abc", "03" * 24)) == "mean colours are off by up to 3 of 256"
    assert difference(clip, ("21", "abc", "00" * 24)) == "it has 21 frames, not 20"
    assert difference(clip, None) == "it is missing" and difference(None, clip) == "it is not part of the set"


def test_colours_are_means_of_quarters():
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    frames[0, :2, 2:] = 200  # the upper right quarter of the first frame
    values = np.frombuffer(bytes.fromhex(colours(frames)), np.uint8).reshape(2, 2, 2, 3)
    assert values[0, 0, 1].tolist() == [200] * 3 and values[1, 0, 1].tolist() == [100] * 3
    assert values.sum() == 900


def test_a_set_that_is_not_the_one_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(preparation, "make_part", lambda part, out, workers: f"{out}: made")
    monkeypatch.setattr(preparation, "compare_part", lambda part, out: [f"{part.name}: clip x: it is missing"])
    with pytest.raises(DataError, match=r"is not i2v-truth-v1: 2 clips differ .*\nfaces: clip x: it is missing"):
        preparation.make_i2v_truth(tmp_path)
    monkeypatch.setattr(preparation, "compare_part", lambda part, out: [])
    assert preparation.make_i2v_truth(tmp_path).endswith("all checksums agree")


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_extra_people_are_nobody_of_the_set(part):
    extra = part.extra(80)
    people = {person for split in SPLITS for person in part.people_of(split)}
    assert len(extra.people_of("train")) == 80 and not people & set(extra.people_of("train"))
    assert extra.people_of("train")[-1] == f"{part.name[:-1]}{sum(part.people) + 80}"  # three digits
    assert len(extra.performances("train")) == 80 * len(part.labels) * part.takes[0]
    assert extra.samples("val") == extra.samples("test") == []
    held_out = set(all_splits.SPLITS[f"i2v_truth/{part.name}_held_out"])
    assert held_out == people - set(part.people_of("train"))


def test_extra_people_are_made_apart_from_the_set(made, tmp_path, monkeypatch):
    part = made[0]
    monkeypatch.setattr(preparation, "PARTS", {part.name: part})
    summary = make_extra_people(tmp_path, 2, workers=1)
    index = ClipFolder(str(tmp_path / f"{part.name}_extra"), list(part.labels)).index()
    assert index.people == [part.person(number) for number in (5, 6)]  # after the four of the tiny set
    assert [record.name for record in index.records] == [c.name for c in part.extra(2).performances("train")]
    assert {path.name for path in tmp_path.iterdir()} == {f"{part.name}_extra"} and "4 clips" in summary
    assert not list(tmp_path.rglob("test.json")) and maps_of(index.records[0]).shape[2:] == (64, 64)
    assert make_extra_people(tmp_path, 2, workers=1).endswith("made before")
    # The tiny set's next person is one of the whole set's, whose clips are known.
    first = index.records[0]
    assert difference(committed(part)[first.name], sums.clip_sums(first)) == ""
    with pytest.raises(DataError, match="made with other settings"):
        make_extra_people(tmp_path, 3, workers=1)
    with pytest.raises(ConfigError, match="1 or more, not 0"):
        make_extra_people(tmp_path, 0, workers=1)


def committed(part):
    with (sums.FOLDER / f"{part.name}.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    return {name: tuple(values) for name, *values in rows}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_the_committed_checksums_are_of_these_clips(part):
    rows = committed(part)
    own = {clip.name for split in SPLITS for clip in part.performances(split)}
    exact = {
        f"truth/{actor}/{clip.label}/as_{clip.person}_{clip.take}"
        for split in SPLITS
        for actor, clip in part.transfers(split)
    }
    assert rows.keys() == own | exact
    assert {int(frames) for frames, *_ in rows.values()} <= set(range(part.frames[0], part.frames[1] + 1))
    for actor, clip in part.transfers("test"):
        assert rows[f"truth/{actor}/{clip.label}/as_{clip.person}_{clip.take}"][0] == rows[clip.name][0]


def test_what_is_drawn_now_has_the_committed_checksums(made):
    part, root = made
    expected, found = committed(part), sums.checksums(root)
    own = [name for name in found if not name.startswith("truth/")]
    assert len(own) == 5
    assert [difference(expected[name], found[name]) for name in own] == [""] * 5
