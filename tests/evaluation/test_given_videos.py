"""Scores of videos that somebody else has made."""

import json
import shutil

import numpy as np
import pytest
import torch
from torch.nn import functional

from i2vkit.analysis.comparison.comparable import read_results
from i2vkit.cli.main import main
from i2vkit.errors import ConfigError, DataError, I2VError
from i2vkit.evaluation.given_videos import evaluate
from i2vkit.evaluation.metrics import psnr, ssim
from i2vkit.evaluation.named_clips import find_clips
from i2vkit.evaluation.statistics import bootstrap_interval
from i2vkit.media import read_video, write_image, write_video

NAMES = [f"P{person}/{label}/clip" for person in (1, 2, 3) for label in ("a", "b")]
SIZE, FRAMES = 16, 4


def write_frames(folder, frames):
    for t, frame in enumerate(frames):
        write_image(folder / f"{t:02d}.png", frame)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Clips of three people, and for each a video with noise over it; two of the videos have "_" for "/"."""
    root, rng = tmp_path_factory.mktemp("given"), np.random.default_rng(0)
    for i, name in enumerate(NAMES):
        truth = rng.integers(0, 256, (FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
        noise = rng.integers(-20, 21, truth.shape) * (i + 1) // 3
        write_frames(root / "truth" / name, truth)
        made = name if i > 1 else name.replace("/", "_")
        write_frames(root / "videos" / made, (truth + noise).clip(0, 255).astype(np.uint8))
        write_image(root / "images" / f"{name}.png", 255 - truth[0])
    return root


def videos_of(root, name):
    """The video and its truth, uint8 (1, C, T, H, W)."""
    made = root / "videos" / name
    folders = made if made.exists() else root / "videos" / name.replace("/", "_"), root / "truth" / name
    return [torch.from_numpy(read_video(folder)).permute(3, 0, 1, 2)[None] for folder in folders]


def test_scores_are_those_of_the_frames_behind_the_first(root, tmp_path):
    result = evaluate(root / "videos", root / "truth", out=tmp_path)
    assert [row["name"] for row in result["per_video"]] == NAMES
    for row, name in zip(result["per_video"], NAMES, strict=True):
        video, truth = videos_of(root, name)
        assert row["psnr"] == pytest.approx(psnr(video, truth)[0, 1:].mean().item(), rel=1e-6)
        assert row["ssim"] == pytest.approx(ssim(video, truth)[0, 1:].mean().item(), rel=1e-6)
        still = truth[:, :, :1].expand_as(truth)
        assert row["psnr_static_baseline"] == pytest.approx(psnr(still, truth)[0, 1:].mean().item(), rel=1e-6)
    values = [row["mse"] for row in result["per_video"]]
    assert result["scores"]["mse"] == pytest.approx(np.mean(values))
    assert result["intervals"]["mse"] == list(bootstrap_interval(values, [name[:2] for name in NAMES]))
    assert result["bootstrap"]["over"] == "people" and result["people"] == 3
    assert result["by_label"]["mse"].keys() == {"a", "b"}
    assert result["frames"] == {"by": "WholeClip", "length": None, "stride": None}
    assert json.loads((tmp_path / "metrics.json").read_text()) == result
    listed = json.loads((tmp_path / "samples.json").read_text())["samples"]
    assert [sample["driving"] for sample in listed] == NAMES  # so that a model can make videos of the same clips
    assert result["image_size"] == SIZE and result["resize"]["size"] == [SIZE, SIZE]


def test_the_static_baseline_repeats_the_given_image(root, tmp_path):
    result = evaluate(root / "videos", root / "truth", root / "images", tmp_path, metrics=["mse", "psnr"])
    _, truth = videos_of(root, NAMES[3])
    still = (255 - truth[:, :, :1]).expand_as(truth)
    assert result["per_video"][3]["psnr_static_baseline"] == pytest.approx(psnr(still, truth)[0, 1:].mean().item())


def test_the_first_frames_at_another_size(root, tmp_path):
    result = evaluate(root / "videos", root / "truth", out=tmp_path, metrics=["mse"], length=3, size=8)
    video, truth = (
        functional.avg_pool3d(clip[:, :, :3].float(), (1, 2, 2)).round() for clip in videos_of(root, NAMES[5])
    )
    expected = ((video - truth)[:, :, 1:] / 255).square().mean().item()
    assert result["per_video"][5]["mse"] == pytest.approx(expected, rel=1e-3)
    assert result["resize"]["size"] == [8, 8] and result["frames"]["length"] == 3


def test_a_single_video_is_scored_and_a_pattern_without_groups_finds_its_person(root, tmp_path):
    folders = (root / part / "P3/b" for part in ("videos", "truth"))
    result = evaluate(*folders, out=tmp_path, metrics=["mse"], person="c.i")
    video, truth = (clip.float() / 255 for clip in videos_of(root, NAMES[5]))
    [row] = result["per_video"]
    assert row["mse"] == pytest.approx((video - truth)[:, :, 1:].square().mean().item(), rel=1e-5)
    assert row["name"] == "clip" and row["driving_person"] == "cli"


def test_videos_have_the_speed_of_their_files_and_pictures_25_frames_a_second(tmp_path):
    frames = np.zeros((FRAMES, SIZE, SIZE, 3), np.uint8)
    write_video(tmp_path / "slow.mp4", frames, 10.0)
    write_frames(tmp_path / "pictures", frames)
    assert {clip.name: clip.fps for clip in find_clips(tmp_path)} == {"slow": 10.0, "pictures": 25.0}


def test_two_methods_are_compared(root, tmp_path):
    """Another person for every video, by a pattern; the other method has the truth itself."""
    for name, videos in (("theirs", "videos"), ("perfect", "truth")):
        evaluate(root / videos, root / "truth", out=tmp_path / name, metrics=["mse"], name=name, person="P./(.)")
    rows = read_results([tmp_path / "theirs/metrics.json", tmp_path / "perfect/metrics.json"])
    assert [row.name for row in rows] == ["theirs", "perfect"]
    assert rows[1].results[0]["scores"]["mse"] == 0 and rows[0].results[0]["scores"]["mse"] > 0
    assert rows[0].results[0]["bootstrap"]["number"] == 2
    assert rows[0].results[0]["checkpoint"]["sha256"] != rows[1].results[0]["checkpoint"]["sha256"]


def test_the_command_prints_scores_and_says_what_is_left_out(root, tmp_path, capsys):
    words = ["evaluate", "--videos", str(root / "videos"), "--truth", str(root / "truth"), "--out", str(tmp_path)]
    main([*words, "--metrics", "psnr"])
    text = capsys.readouterr().out
    assert "psnr " in text and "6 of 6 videos scored" in text


def change(root, folder, target):
    """A copy of the videos with something wrong."""
    shutil.copytree(root / "videos", folder)
    target(folder)
    return folder


def remove_frame(folder):
    (folder / NAMES[2] / "03.png").unlink()


def grow(folder):
    write_frames(folder / NAMES[2], np.zeros((FRAMES, 20, 20, 3), np.uint8))


def rename(folder):
    (folder / NAMES[2]).rename(folder / "P2/a/clop")


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def drop(folder):
    for t in range(FRAMES):
        (folder / NAMES[2] / f"{t:02d}.png").unlink()


def repeat(folder):
    write_video(folder / f"{NAMES[2]}.mp4", np.zeros((FRAMES, SIZE, SIZE, 3), np.uint8), 25.0)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (remove_frame, "'P2/a/clip' has 3 frames and its truth 4: give --length"),
        (grow, "'P2/a/clip' is 20x20, and the first true video 16x16: give --size"),
        (rename, "1 of 6 videos in .* have no true video of that name .*first: P2/a/clop"),
        (repeat, "holds two videos named P2/a/clip: leave one of them out"),
        (empty, "holds no videos: expected files .*mp4.* or folders of images"),
        (drop, "1 of 6 true videos in .* have no video of that name .*first: P2/a/clip"),
    ],
)
def test_what_does_not_fit_is_one_message_and_nothing_is_written(root, tmp_path, fault, message):
    videos = change(root, tmp_path / "videos", fault)
    with pytest.raises(DataError, match=message):
        evaluate(videos, root / "truth", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_true_videos_that_are_one_name_with_underlines_are_refused(root, tmp_path):
    """A video "P1_a" might be that of either."""
    truth = tmp_path / "truth"
    shutil.copytree(root / "truth", truth)
    shutil.copytree(truth / NAMES[0], truth / NAMES[0].replace("/", "_"))
    with pytest.raises(DataError, match="are one name with '_' for '/'"):
        evaluate(root / "truth", truth)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        (dict(metrics=["psrn"]), ConfigError, "no metric 'psrn' of given videos; nearest: psnr"),
        (dict(person="("), ConfigError, "no regular expression"),
        (dict(person="Q"), ConfigError, "finds no person in the name 'P1/a/clip'"),
        (dict(images="videos"), DataError, "holds no image named P1/a/clip"),
        (dict(length=5), DataError, "4 frames"),
    ],
)
def test_wrong_options(root, tmp_path, settings, kind, message):
    settings = {key: root / value if key == "images" else value for key, value in settings.items()}
    with pytest.raises(kind, match=message) as caught:
        evaluate(root / "videos", root / "truth", out=tmp_path / "out", **settings)
    assert isinstance(caught.value, I2VError) and not (tmp_path / "out").exists()


def test_results_have_a_folder_of_the_name_and_lie_in_no_input(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evaluate(root / "videos", root / "truth", metrics=["mse"], name="theirs")
    assert (tmp_path / "work_dirs/evaluate/theirs/metrics.json").is_file()
    evaluate(root / "videos", root / "truth", metrics=["mse"])
    assert (tmp_path / "work_dirs/evaluate/videos/metrics.json").is_file()  # by default the folder's name
    for out in (root / "videos", root / "truth" / "scores"):
        with pytest.raises(ConfigError, match="would lie among the videos"):
            evaluate(root / "videos", root / "truth", out=out)
    with pytest.raises(ConfigError, match="metric 'mse' is given twice"):
        evaluate(root / "videos", root / "truth", metrics=["mse", "mse"])
    assert not (root / "truth" / "scores").exists()
