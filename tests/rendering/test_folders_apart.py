"""Prepared and rendered clips never lie between other files."""

import numpy as np
import pytest

from i2vkit.errors import DataError
from i2vkit.media import write_image, write_video
from i2vkit.preparation import prepare_oulu_casia, prepare_weizmann
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering import SYNTHESIZERS

FRAMES = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)


def files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_raw_data_are_not_prepared_into_their_own_folder(tmp_path):
    raw = tmp_path / "raw"
    for number in range(6):
        write_image(raw / f"OriginalImg/VL/Strong/P001/Anger/{number:03d}.jpeg", FRAMES[number])
    points = np.array([[[10.0, 12], [22, 12], [16, 18], [12, 24], [20, 24]]] * 6)
    write_landmarks(raw / "landmarks/VL/Strong/P001/Anger.csv", points)
    before = files(raw)
    for out in (raw, raw / "OriginalImg", raw / "OriginalImg/VL/.."):
        with pytest.raises(DataError, match=r"is not empty .*choose another --out"):
            prepare_oulu_casia(raw, out, size=16, workers=1)
        assert files(raw) == before
    out = tmp_path / "out"
    out.mkdir()
    (out / ".hidden").touch()
    assert "1 clips" in prepare_oulu_casia(raw, out, size=16, workers=1)
    assert "1 clips" in prepare_oulu_casia(raw, out, size=16, workers=1)  # goes on where it was


def test_videos_are_not_prepared_beside_themselves(tmp_path):
    write_video(tmp_path / "raw/daria_walk.avi", FRAMES)
    with pytest.raises(DataError, match=r"is not empty \(daria_walk.avi\)"):
        prepare_weizmann(tmp_path / "raw", tmp_path / "raw", size=16, workers=1, framing="whole")
    assert files(tmp_path / "raw") == ["daria_walk.avi"]


@pytest.mark.parametrize("name", sorted(SYNTHESIZERS))
def test_clips_are_not_rendered_between_other_files(tmp_path, name):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(DataError, match=r"is not empty \(mine.txt\)"):
        SYNTHESIZERS[name](tmp_path)
    assert files(tmp_path) == ["mine.txt"]
