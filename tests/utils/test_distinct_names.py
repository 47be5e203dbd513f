"""Files of different samples never share a name."""

import numpy as np
import torch

from i2vkit.datasets import ClipRecord, FrameFolder, Pair
from i2vkit.evaluation.run import SaveVideosHook
from i2vkit.structures import VideoSample
from i2vkit.utils.distinct_names import distinct_names, file_names


def test_no_two_names_are_equal_in_capitals_or_not():
    names = distinct_names(["a", "A", "a_2", "a", "b"])
    assert len({name.casefold() for name in names}) == 5 and names[0] == "a" and names[-1] == "b"
    wanted = {"x/y": "x_y", "x_y": "x_y", "X/y": "X_y", "long": "l" * 300, "z": "z"}
    found = file_names(wanted)
    assert len({name.casefold() for name in found.values()}) == 5 and found["z"] == "z"
    assert max(map(len, found.values())) < 220
    assert file_names(dict(reversed(wanted.items()))) == found


def test_saved_videos_of_different_samples_are_different_files(tmp_path):
    records = [ClipRecord(name, FrameFolder(()), "p", None, 2) for name in ("a/b_c", "a_b/c", "d")]
    pairs = [Pair(record) for record in records] + [Pair(records[2], motion="prior", seed=seed) for seed in (0, 1)]
    hook = SaveVideosHook(tmp_path, pairs)
    for number, pair in enumerate(pairs):
        info = dict(name=pair.name, motion=pair.motion, seed=pair.seed)
        video = torch.full((3, 2, 16, 16), 40 * number, dtype=torch.uint8)
        sample = VideoSample(metainfo=info)
        sample.generated = sample.truth = sample.driving = video
        sample.image = video[:, 0]
        hook.after_test_iter(None, 0, None, [sample])
    files = sorted(path.name for path in (tmp_path / "videos").iterdir())
    assert len(files) == 5 and files[2:] == ["d.mp4", "d_seed0.mp4", "d_seed1.mp4"]
    assert all(name.startswith("a_b_c-") for name in files[:2])
    assert len(list((tmp_path / "strips").iterdir())) == 5
    assert np.unique([path.stat().st_size for path in (tmp_path / "videos").iterdir()]).size > 1
