import cv2
import numpy as np
import pytest

from i2vkit.conditions import Silhouettes
from i2vkit.datasets.map_files import maps_of
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.errors import DataError
from i2vkit.media import write_image
from i2vkit.preparation import prepare_weizmann_strips
from i2vkit.preparation.backgrounds import Spectra, estimate_backgrounds, register, register_backgrounds

PLACES = ((0, 0), (6, 14), (3, 28))  # row, column of each clip's frames on the wall


def textured_wall() -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(80, 110, 3)).astype(np.float32)
    return 170 + 60 * (cv2.GaussianBlur(noise, (0, 0), 2))


def people(frames: int = 9) -> np.ndarray:
    """Masks (T, 64, 64) of somebody who stands in the middle and waves one arm."""
    masks = np.zeros((frames, 64, 64), bool)
    masks[:, 16:64, 27:37] = True
    for t in range(frames):
        masks[t, 22 + 2 * t : 27 + 2 * t, 37:52] = True
    return masks


def clips(gains=(1.0, 0.8, 1.1)) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A clip from each place, in other light each, and the true wall behind it."""
    wall, mask, made, behind = textured_wall(), people(), [], []
    for (row, column), gain in zip(PLACES, gains, strict=True):
        behind.append(gain * wall[row : row + 64, column : column + 64] + 5)
        frames = np.where(mask[..., None], 30.0, behind[-1])
        made.append(frames.clip(0, 255).round().astype(np.uint8))
    return made, behind


def find(clip: np.ndarray, wall: np.ndarray) -> np.ndarray:
    return Silhouettes()(clip, wall)[:, 0] > 0


def test_pictures_of_one_wall_are_put_beside_each_other():
    wall = textured_wall()
    one, other = wall[:64, :64].copy(), 0.7 * wall[6:70, 14:78] + 40
    one[20:, 25:40] = np.nan
    other[20:, 25:40] = np.nan
    alike, place = register(Spectra(one), Spectra(other))
    assert place == (6, 14) and alike > 0.95
    stranger = textured_wall()[::-1][:64, :64]
    number, places = register_backgrounds([one, stranger, other])
    assert number[0] == number[2] != number[1]
    assert (places[2] - places[0]).tolist() == [6, 14]


def test_the_wall_behind_somebody_who_stays_is_seen_in_other_clips():
    made, behind = clips()
    walls = estimate_backgrounds(made, find)
    for wall, truth in zip(walls, behind, strict=True):
        assert np.isfinite(wall).all(axis=2).mean() > 0.97 and np.nanmax(np.abs(wall - truth)) < 3
    median = np.median(made[0], axis=0)
    assert np.abs(median - behind[0]).max() > 100  # what the clip alone would say
    for clip, wall in zip(made, walls, strict=True):
        found, true = find(clip, wall), people()
        assert (found & true).sum() / (found | true).sum() > 0.9


def test_silhouettes_are_what_differs_less_specks_and_pinholes():
    background = np.full((32, 32, 3), 150, np.uint8)
    frames = np.repeat(background[None], 2, axis=0)
    frames[0, 8:24, 10:20] = 40
    frames[0, 14, 14] = 150  # a pinhole
    frames[0, 4, 28] = 40  # a speck
    frames[0, 25:30, 0:6] = 120  # differs, but nowhere clearly
    frames[0, 2:7, 2:6] = 40  # clear, but far from the largest part
    maps = Silhouettes()(frames, background.astype(float))
    assert maps.shape == (2, 1, 32, 32) and maps.dtype == np.uint8 and not maps[1].any()
    expected = np.zeros((32, 32), bool)
    expected[8:24, 10:20] = True
    wrong = (maps[0, 0] == 255) != expected
    assert set(np.unique(maps)) == {0, 255}
    assert wrong.sum() <= 8 and maps[0, 0, 14, 14]  # corners are rounded


def test_large_holes_stay():
    background = np.full((32, 32, 3), 150.0)
    frames = np.full((1, 32, 32, 3), 150, np.uint8)
    frames[0, 4:28, 4:28] = 40
    frames[0, 10:22, 10:22] = 150
    assert not Silhouettes()(frames, background)[0, 0, 12:20, 12:20].any()


def test_silhouettes_refuse_what_they_cannot_use():
    with pytest.raises(DataError, match=r"uint8 \(T, H, W, 3\), got float64 \(2, 8, 8, 3\)"):
        Silhouettes()(np.zeros((2, 8, 8, 3)))
    with pytest.raises(DataError, match=r"a background \(4, 4, 3\) does not fit"):
        Silhouettes()(np.zeros((2, 8, 8, 3), np.uint8), np.zeros((4, 4, 3)))


def test_strips_are_prepared_with_maps_that_mirror_as_they_do(tmp_path):
    made, _ = clips()
    rows = ["file,action,subject,mirrored,num_frames"]
    for number, clip in enumerate(made):
        for mirrored in (0, 1):
            name = f"{2 * number + mirrored:08d}.jpg"
            frames = clip[:, :, ::-1] if mirrored else clip
            write_image((tmp_path / "strips" / name).with_suffix(".png"), np.concatenate(list(frames), axis=1))
            rows.append(f"{name[:-4]}.png,wave1,{number},{mirrored},9")
    (tmp_path / "strips/index.csv").write_text("\n".join(rows) + "\n")
    summary = prepare_weizmann_strips(tmp_path / "strips", tmp_path / "out", workers=1, maps=True)
    assert "6 clips of 3 people, 54 frames" in summary
    index = ClipFolder(str(tmp_path / "out")).index()
    assert index.records[0].name == "0/wave1/00000000" and index.people == ["0", "1", "2"]
    straight, mirrored = (maps_of(record)[:, 0] for record in index.records[:2])
    assert straight.shape == (9, 64, 64) and np.array_equal(straight, mirrored[:, :, ::-1])
    true = people()
    assert ((straight > 0) & true).sum() / ((straight > 0) | true).sum() > 0.9
    again = prepare_weizmann_strips(tmp_path / "strips", tmp_path / "out", workers=1, maps=True)
    assert again == summary
