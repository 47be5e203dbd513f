import numpy as np
import pytest

from i2vkit.analysis.truth_benchmark.bounds import truth_bounds
from i2vkit.errors import DataError
from i2vkit.media import write_image


def write_clip(folder, levels):
    for number, level in enumerate(levels):
        write_image(folder / f"{number:03d}.png", np.full((32, 32, 3), level, np.uint8))


def test_the_floor_is_that_of_the_first_frame(tmp_path):
    write_clip(tmp_path / "ann/run/as_bob", (100, 110, 120))
    write_clip(tmp_path / "ann/run/as_cem", (100, 100, 100))
    scores = truth_bounds(tmp_path)
    assert scores["clips"] == 2
    # Grey levels 10 and 20 off, and none: 20 log10(255 / 10), 20 log10(255 / 20), and the cap of 100 dB.
    assert scores["psnr_static_baseline"] == pytest.approx(((28.131 + 22.110) / 2 + 100) / 2, abs=1e-3)
    assert scores["psnr_static_baseline"] < scores["psnr_upper_bound"] and 0.99 < scores["ssim_upper_bound"] <= 1
    assert truth_bounds(tmp_path, number=1)["clips"] == 1


def test_one_frame_has_no_motion(tmp_path):
    write_clip(tmp_path / "ann/run/as_bob", (100,))
    with pytest.raises(DataError, match=r"ann/run/as_bob .* has one frame"):
        truth_bounds(tmp_path)
