"""The synthetic UvA-NEMO: videos in the real layout, smiles that differ as posed and felt ones do, and an exact ground
truth.
"""

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, UvaNemo
from i2vkit.datasets.point_files import points_of
from i2vkit.errors import ConfigError
from i2vkit.rendering.faces import draw_smile
from i2vkit.rendering.faces.expressions import ActionUnits
from i2vkit.rendering.faces.face_clips import renderer
from i2vkit.rendering.synthetic_uva_nemo import clip_motion, synthesize_uva_nemo

from .test_synthetic_oulu_casia import contents

SMALL = dict(people=2, seed=5, workers=1, size=(64, 36), truth="005:001/deliberate/smile_1")
PULL, CHEEKS, SKEW = (ActionUnits._fields.index(name) for name in ("lip_pull", "cheek_raise", "skew"))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    synthesize_uva_nemo(root, **SMALL)
    return root


def test_it_is_read_as_the_real_layout(rendered):
    index = UvaNemo(str(rendered)).index()
    assert index.people == ["001", "005"] and not index.skipped
    first_smiles = {record.name for record in index.records if record.name.endswith("smile_1")}
    kinds = ("deliberate", "spontaneous")
    assert first_smiles == {f"{person}/{kind}/smile_1" for person in index.people for kind in kinds}
    for record in index.records:
        assert record.fps == 50.0 and 90 < record.num_frames < 360
        assert record.num_frames == sum(1 for _ in record.frames)
        landmarks = points_of(record, "landmarks")
        assert landmarks.shape == (record.num_frames, 68, 2) and np.isfinite(landmarks).all()


def test_the_table_lists_the_videos_after_five_lines(rendered):
    folder = rendered / "UvA-NEMO_SMILE_DATABASE"
    rows = (folder / "UvA-NEMO_Smile_Database_File_Details.txt").read_text().splitlines()[5:]
    cells = [row.split("\t") for row in rows]
    assert sorted(row[0] for row in cells) == sorted(path.name for path in (folder / "videos").iterdir())
    assert all(row[0].startswith(row[1]) and row[-1] in row[0] and 8 <= int(row[-2]) <= 76 for row in cells)
    (folder / "videos" / cells[0][0]).rename(folder / "elsewhere.mp4")
    try:
        skipped = dict(UvaNemo(str(folder)).index().skipped)
        assert skipped[cells[0][0]] == "listed in the file of details, but not there"
    finally:
        (folder / "elsewhere.mp4").rename(folder / "videos" / cells[0][0])


def test_same_bytes_with_two_workers_and_after_an_interruption(rendered, tmp_path):
    synthesize_uva_nemo(tmp_path, **SMALL | dict(workers=2))
    assert contents(tmp_path) == contents(rendered)
    videos = tmp_path / "UvA-NEMO_SMILE_DATABASE/videos"
    untouched = (videos / "001_deliberate_smile_1.mp4").stat().st_mtime_ns
    (videos / "005_deliberate_smile_1.mp4").unlink()
    synthesize_uva_nemo(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(rendered)
    assert (videos / "001_deliberate_smile_1.mp4").stat().st_mtime_ns == untouched


def test_truth_is_the_person_with_the_motion_of_the_clip(rendered):
    (truth,) = ClipFolder(str(rendered / "truth")).index().records
    assert (truth.name, truth.metadata["driving"]) == ("005/deliberate/as_001_smile_1", "001/deliberate/smile_1")
    motion = clip_motion(5, 1, "deliberate", 1)
    chosen = [0, len(motion) // 2, len(motion) - 1]
    face = renderer(5, "005", 64, 36)
    np.testing.assert_array_equal(truth.frames.read(chosen), [face.render(*motion[number])[0] for number in chosen])
    assert truth.num_frames == len(motion)
    clip = next(r for r in UvaNemo(str(rendered)).index().records if r.name == "001/deliberate/smile_1")
    assert clip.num_frames == len(motion)


def test_felt_smiles_are_slower_and_reach_the_eyes():
    facts = {kind: np.array([_facts(kind, seed) for seed in range(60)]) for kind in ("deliberate", "spontaneous")}
    posed, felt = facts["deliberate"], facts["spontaneous"]
    length, speed, cheeks, skew = range(4)
    assert posed[:, length].min() > 63  # long enough for 32 frames, every second one
    assert posed[:, length].mean() < 0.75 * felt[:, length].mean()
    assert posed[:, speed].min() > felt[:, speed].max()  # of the onset
    assert posed[:, cheeks].max() < 0.5 < felt[:, cheeks].min()
    assert felt[:, skew].max() < 0.13 < posed[:, skew].max()


def _facts(kind, seed):
    """Frames, greatest speed of the corners of the mouth, cheeks as a share of them, unevenness; checks both ends."""
    motion = draw_smile(np.random.default_rng(seed), kind, 50.0)
    assert np.all(motion.actions[0] == 0.0) and abs(motion.actions[-1, PULL]) < 1e-9
    pull, cheeks = motion.actions[:, PULL], motion.actions[:, CHEEKS]
    return len(motion), np.diff(pull).max(), cheeks.max() / pull.max(), np.abs(motion.actions[:, SKEW]).max()


def test_a_smile_looks_the_same_at_any_frame_rate():
    fine, coarse = (draw_smile(np.random.default_rng(4), "spontaneous", fps) for fps in (50.0, 25.0))
    count = min(len(coarse), (len(fine) + 1) // 2)
    np.testing.assert_allclose(fine.actions[::2][:count, PULL], coarse.actions[:count, PULL], atol=0.05)


def test_requests_that_make_no_sense(tmp_path):
    with pytest.raises(ConfigError, match="people must be from 1 to 400, got 401"):
        synthesize_uva_nemo(tmp_path, people=401)
    with pytest.raises(ConfigError, match="005 does the clip 001/deliberate/smile_1"):
        synthesize_uva_nemo(tmp_path, people=2, truth="005:001/deliberate/smile_9")
