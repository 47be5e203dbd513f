"""The synthetic data set on the disk: the real layout, the same bytes every time, the ground truth exact, resumable."""

import json
from pathlib import Path

import numpy as np
import pytest

from i2vkit.datasets import OuluCasia
from i2vkit.datasets.clip_facts import FILE as FACTS
from i2vkit.datasets.point_files import read_points
from i2vkit.datasets.splits import OULU_TEST, OULU_TRAIN, people_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import image_paths, read_image
from i2vkit.rendering.faces.expressions import EXPRESSIONS
from i2vkit.rendering.faces.face_clips import renderer
from i2vkit.rendering.subjects import assign_transfers, choose_subjects
from i2vkit.rendering.synthetic_oulu_casia import clip_motion, raw_clip, synthesize_oulu_casia

SMALL = dict(people=2, seed=5, workers=1, size=(96, 72), truth="P071:P001:Fear,P001:P001:Fear")


def contents(root) -> dict[str, bytes]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != FACTS]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    synthesize_oulu_casia(root, **SMALL)
    return root


def test_it_is_read_as_the_real_layout(rendered):
    index = OuluCasia(str(rendered)).index()
    assert [record.name for record in index.records[:2]] == ["P001/Anger/VL_Strong", "P001/Disgust/VL_Strong"]
    assert len(index.records) == 12 and not index.skipped
    record = index.records[0]
    assert record.frames.read([0]).shape == (1, 72, 96, 3)
    landmarks = read_points(record.metadata["landmarks"], range(record.num_frames))
    assert landmarks.shape == (record.num_frames, 68, 2) and np.isfinite(landmarks).all()
    assert (rendered / "OriginalImg/VL/Strong/P071/Surprise/000.jpeg").exists()


def test_same_bytes_with_two_workers(rendered, tmp_path):
    synthesize_oulu_casia(tmp_path, **SMALL | dict(workers=2))
    assert contents(tmp_path) == contents(rendered)


def test_truth_is_the_person_with_the_motion_of_the_clip(rendered):
    motion = clip_motion(5, 1, "Fear")
    for actor in (1, 71):
        paths = image_paths(rendered / f"truth/P{actor:03d}/Fear/as_P001")
        assert len(paths) == len(motion)
        for path, (frame, _) in zip(paths, renderer(5, f"P{actor:03d}", 96, 72).render_motion(motion), strict=True):
            np.testing.assert_array_equal(read_image(path), frame)
    clip = OuluCasia(str(rendered)).index().records[2]
    own = np.stack([read_image(path) for path in image_paths(rendered / "truth/P001/Fear/as_P001")])
    assert np.abs(clip.frames.read(range(clip.num_frames)).astype(int) - own).mean() < 2.0  # JPEG against PNG


def test_an_interrupted_run_goes_on(rendered, tmp_path):
    synthesize_oulu_casia(tmp_path, **SMALL)
    clip = tmp_path / "OriginalImg/VL/Strong/P001/Fear"
    untouched = clip.with_name("Anger") / "000.jpeg"
    before = untouched.stat().st_mtime_ns
    clip.rename(clip.with_name(".Fear.part"))  # what is left when a run dies within a clip
    (clip.with_name(".Fear.part") / "003.jpeg").write_bytes(b"half")
    synthesize_oulu_casia(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(rendered)
    assert untouched.stat().st_mtime_ns == before


def test_a_folder_with_another_rendering_is_refused(tmp_path):
    (tmp_path / "synthetic.json").write_text(json.dumps({"set": "oulu_casia", "seed": 1}))
    with pytest.raises(DataError, match=r"seed=1, not 5.*choose another --out"):
        synthesize_oulu_casia(tmp_path, **SMALL)


def test_the_truth_of_dtgans_test():
    people, tested = choose_subjects(80, OULU_TRAIN, OULU_TEST)
    assert people == [f"P{number:03d}" for number in range(1, 81)] and tested == people[70:]
    clips = {
        f"{person}:{label}": raw_clip(Path(), 0, person, label, "VL", "Strong")
        for person in people
        for label in EXPRESSIONS
    }
    pairs = assign_transfers("transfer", clips, people, tested)
    assert len(pairs) == 240 and {actor for actor, _ in pairs} == set(tested)
    assert {clip.person for _, clip in pairs} == {"P071", "P072", "P073", "P074"}
    assert assign_transfers("none", clips, people, tested) == []


def test_few_people_are_on_both_sides_of_the_split(rendered):
    """Every config of Oulu-CASIA names those who train and those who test."""
    people = {record.person for record in OuluCasia(str(rendered)).index().records}
    assert people & set(people_of("oulu_casia/train")) == {"P001"}
    assert people & set(people_of("oulu_casia/test")) == {"P071"}


@pytest.mark.parametrize("people", [0, 81])
def test_numbers_of_people_that_the_set_has_not(people, tmp_path):
    with pytest.raises(ConfigError, match=f"people must be from 1 to 80, got {people}"):
        synthesize_oulu_casia(tmp_path / "set", people=people)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("truth", ["P001", "P001:P002:Joy", "P001:P099:Fear", "Px:P001:Fear", "P001:P001:Fear:x"])
def test_a_truth_that_makes_no_sense(truth, tmp_path):
    with pytest.raises(ConfigError, match="expected 'transfer', 'none' or pairs"):
        synthesize_oulu_casia(tmp_path, people=2, truth=truth)


def test_other_cameras_and_lights(tmp_path):
    synthesize_oulu_casia(tmp_path, people=1, size=(64, 48), camera="NI", light="Dark", truth="none", workers=1)
    frame = read_image(tmp_path / "OriginalImg/NI/Dark/P001/Anger/000.jpeg")
    assert frame.max() < 100 and np.abs(np.diff(frame.astype(int), axis=2)).max() <= 2
