"""Twelve known degradations of true videos, their scores by metrics, and the page that shows them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from i2vkit.analysis.metrics_and_motion import running
from i2vkit.analysis.metrics_and_motion.degradations import STILL, TRUTH, degradations
from i2vkit.analysis.metrics_and_motion.ranking import behind_still, preferred_to, right_pairs, rows_with, undecided
from i2vkit.analysis.metrics_and_motion.report import MAKER, SECTION, format_section, format_shares, read_results
from i2vkit.analysis.metrics_and_motion.scoring import NAMES, metric_entries, score_degradations
from i2vkit.cli.main import command_parser, main
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.embedders import ImageFeaturesEmbedder
from i2vkit.evaluation.metrics import METRICS_OF_VIDEOS, FrameFid
from i2vkit.structures import VideoSample

ROOT = Path(__file__).parents[2]
SIZE, FRAMES = 32, 8
# Pixels a frame, by label and driving person.
STEPS = {("walk", "ann"): (1, 0), ("walk", "bob"): (1.5, 0), ("jump", "ann"): (0, -1), ("jump", "bob"): (0, -1.5)}


def texture(seed, side):
    noise = np.random.default_rng(seed).uniform(40, 200, (side // 4, side // 4, 3))
    return cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)


def sample(image_person, label, driving_person):
    """Somebody in front of a wall of his own moves as another one does."""
    looks = {"cem": 1, "dan": 2, "ann": 3, "bob": 4}
    frames = {}
    for person in (image_person, driving_person):
        wall, body = texture(looks[person], SIZE), texture(10 + looks[person], 12)
        video = []
        for t in range(FRAMES):
            x, y = (round(10 + t * step) for step in STEPS[label, driving_person])
            frame = wall.copy()
            frame[y : y + 12, x : x + 12] = body
            video.append(frame.clip(0, 255).round().astype(np.uint8))
        frames[person] = torch.from_numpy(np.stack(video)).permute(3, 0, 1, 2)  # (C, T, H, W)
    facts = dict(image_person=image_person, driving_person=driving_person, label_name=label)
    made = VideoSample(metainfo=dict(name=f"{image_person}/{label}__{driving_person}", **facts))
    made.truth, made.driving, made.image = frames[image_person], frames[driving_person], frames[image_person][:, 0]
    return made


@pytest.fixture(scope="module")
def samples():
    return [sample(person, label, driving) for person in ("cem", "dan") for label, driving in STEPS]


def degraded(samples, seed=0):
    return {each.name: each.method(seed)(samples[0]) for each in degradations(samples)}


def test_six_leave_the_motion_right_and_six_do_not(samples):
    known = degradations(samples)
    assert [each.right_motion for each in known] == [True] * 6 + [False] * 6
    assert len({each.name for each in known}) == 12 and all(each.strength for each in known)


def test_every_degradation_follows_from_the_seed_and_leaves_the_truth_alone(samples):
    before = samples[0].truth.clone()
    found, again, other = degraded(samples), degraded(samples), degraded(samples, seed=1)
    assert torch.equal(samples[0].truth, before)
    for name, video in found.items():
        assert video.shape == before.shape and video.dtype == torch.uint8, name
        assert torch.equal(video, again[name]) and not torch.equal(video, before), name
    random = {name for name in found if not torch.equal(found[name], other[name])}
    assert {"noised", "shuffled"} <= random <= {"noised", "shuffled", "another label"}
    # It does not depend on the other samples, only on the sample's name.
    alone = next(each for each in degradations(samples[:3]) if each.name == "noised")
    assert torch.equal(alone.method(0)(samples[0]), found["noised"])


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("2 frames late", (0, 0, 0, 1, 2, 3, 4, 5)),
        ("half the frames", (0, 0, 2, 2, 4, 4, 6, 6)),
        (STILL, (0,) * 8),
        ("half the speed", (0, 0, 1, 1, 2, 2, 3, 3)),
        ("reversed", (7, 6, 5, 4, 3, 2, 1, 0)),
    ],
)
def test_frames_in_another_order(samples, name, order):
    assert torch.equal(degraded(samples)[name], samples[0].truth[:, list(order)])


def test_shuffled_frames_are_all_there_and_the_first_stays(samples):
    video, truth = degraded(samples)["shuffled"], samples[0].truth
    assert torch.equal(video[:, 0], truth[:, 0])
    places = [[int(torch.equal(a, b)) for b in truth.unbind(1)].index(1) for a in video.unbind(1)]
    assert sorted(places) == list(range(FRAMES)) and places != sorted(places)


def test_pictures_are_degraded_as_stated(samples):
    found, truth = degraded(samples), samples[0].truth
    assert torch.equal(found["1 pixel beside"][..., 1:], truth[..., :-1])
    assert torch.equal(found["1 pixel beside"][..., 0], truth[..., 0])
    noise = found["noised"].float() - truth
    assert noise.std().item() == pytest.approx(8, rel=0.05) and noise.mean().abs() < 0.3
    assert not torch.equal(noise[:, 1], noise[:, 2])  # a new one in each frame
    red, green, blue = (0.9 * (truth - 127.5) + 127.5).unbind(0)
    for shown, expected in zip(found["other colours"], (red + 8, green, blue - 8), strict=True):
        assert torch.equal(shown, expected.round().clamp(0, 255).to(torch.uint8))
    edges = [video.float().diff(dim=-1).abs().mean() for video in (found["blurred"], truth)]
    assert edges[0] < 0.8 * edges[1]
    assert found["blurred"].float().mean().item() == pytest.approx(truth.float().mean().item(), abs=1)


def test_motions_are_exchanged_for_those_of_the_same_person(samples):
    known = {each.name: each for each in degradations(samples)}
    # The first sample shows cem, who walks like ann. The only other walk of his is bob's.
    assert torch.equal(known["another performance"].method(0)(samples[0]), samples[1].truth)
    other = known["another label"].method(0)(samples[0])
    assert any(torch.equal(other, sample.truth) for sample in samples[2:4])
    few = {each.name: each for each in degradations(samples[:1] + samples[4:])}
    for name, text in (("another performance", "the label walk, by another"), ("another label", "with another label")):
        with pytest.raises(DataError, match=rf"cem/walk__ann' cannot be exchanged: no other sample shows cem .*{text}"):
            few[name].method(0)(samples[0])


def entries():
    tiny = dict(type=ImageFeaturesEmbedder, backbone="test_byobnet", pretrained=False, size=SIZE)
    known = [dict(type=METRICS_OF_VIDEOS[name]) for name in ("ssim", "psnr", "appearance", "motion_error", "lpips")]
    return [*known, dict(type=FrameFid, embedder=tiny)]


@pytest.fixture(scope="module")
def result(samples, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("without_weights"))
        torch.manual_seed(0)
        return score_degradations(samples, entries())


def test_the_truth_is_0_and_the_still_image_1(result):
    assert result["scores"][TRUTH] == pytest.approx(
        dict(ssim=1, psnr=100, appearance=1, motion_error=0, frame_fid=0, both=1), abs=1e-6
    )
    assert result["shares"][STILL] == pytest.approx(dict.fromkeys(result["metrics"], 1))
    assert TRUTH not in result["shares"] and list(result["shares"]) == list(result["degradations"])
    still = result["scores"][STILL]
    late = (1 - result["scores"]["2 frames late"]["ssim"]) / (1 - still["ssim"])
    assert result["shares"]["2 frames late"]["ssim"] == pytest.approx(late, abs=1e-5)
    assert (result["videos"], result["people"], result["frames"]) == (8, 2, FRAMES)


def test_metrics_of_single_frames_see_no_order_and_the_flow_does(result):
    shuffled = result["shares"]["shuffled"]
    assert shuffled["appearance"] == pytest.approx(0, abs=1e-6) and shuffled["frame_fid"] == pytest.approx(0, abs=1e-4)
    assert shuffled["motion_error"] > 1 and shuffled["both"] == pytest.approx(1)
    colours = result["shares"]["other colours"]
    assert colours["motion_error"] < 0.5


def test_intervals_are_those_of_metrics_of_single_videos(result):
    for row, values in result["intervals"].items():
        assert set(values) == {"ssim", "psnr", "appearance", "motion_error", "both"}
        for name, (low, high) in values.items():
            assert low - 1e-6 <= result["shares"][row][name] <= high + 1e-6
    assert result["intervals"][STILL]["ssim"] == pytest.approx([1, 1])


def test_metrics_without_weights_are_left_out_with_the_reason(result):
    assert list(result["skipped"]) == ["lpips"] and "lpips" not in result["metrics"]
    assert result["skipped"]["lpips"].startswith("there is no data/extractors/alexnet")
    assert "rank below" in result["warnings"]["frame_fid"]
    assert result["metrics"]["frame_fid"]["extractor"]["embedder"].startswith("test_byobnet")


def test_videos_that_do_not_move_are_refused(samples):
    static = [clone(one) for one in samples]
    for one in static:
        one.truth = one.truth[:, :1].expand_as(one.truth)
    with pytest.raises(DataError, match="nothing moves in these videos"):
        score_degradations(static, [dict(type=METRICS_OF_VIDEOS[n]) for n in ("ssim", "appearance", "motion_error")])


def clone(one):
    made = VideoSample(metainfo=dict(one.metainfo_items()))
    made.truth, made.driving, made.image = one.truth, one.driving, one.image
    return made


HAND_MADE = {
    "degradations": {
        "blurred": {"motion": "right", "strength": ""},
        "noised": {"motion": "right", "strength": ""},
        STILL: {"motion": "wrong", "strength": ""},
        "reversed": {"motion": "wrong", "strength": ""},
    },
    "metrics": {"ssim": {}, "both": {}},
    "shares": {
        "blurred": {"ssim": 0.9, "both": 0.1},
        "noised": {"ssim": 1.25, "both": 0.2},
        STILL: {"ssim": 1.0, "both": 1.0},
        "reversed": {"ssim": 0.9, "both": 1.0},
    },
    "intervals": {"noised": {"ssim": [0.95, 1.5], "both": [0.1, 0.3]}, STILL: {"ssim": [1, 1], "both": [1, 1]}},
}


def test_orders_by_hand():
    assert (rows_with(HAND_MADE, "right"), rows_with(HAND_MADE, "wrong")) == (
        ["blurred", "noised"],
        [STILL, "reversed"],
    )
    # Of four pairs, SSIM has blurred before the still image. Equal scores are not in the right order.
    assert right_pairs(HAND_MADE, "ssim") == (1, 4) and right_pairs(HAND_MADE, "both") == (4, 4)
    assert behind_still(HAND_MADE, "ssim") == ["noised"] and behind_still(HAND_MADE, "both") == []
    assert preferred_to(HAND_MADE, "ssim", "blurred") == ["reversed"]
    assert undecided(HAND_MADE) == [("noised", "ssim")]
    assert format_shares(HAND_MADE).splitlines()[2:4] == [
        "| right | blurred | 0.90 | 0.10 |",
        "| right | noised | **1.25** | 0.20 |",
    ]


def test_the_command_writes_results_pictures_and_a_page(samples, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "_samples", lambda part, data: samples)
    monkeypatch.setattr(running, "metric_entries", lambda weights: entries()[:4])
    main(["truth-benchmark", "metrics", "--part", "faces", "--seed", "3", "--out", "found"])
    saved = json.loads(Path("found/faces.json").read_text())
    assert (saved["part"], saved["seed"]) == ("faces", 3) and saved["versions"]["torch"]
    assert saved["command"] == "python tools/benchmark_truth.py metrics --part faces --seed 3"
    assert "### Faces: 8 videos, 2 people" in capsys.readouterr().out
    assert {file.name for file in Path("found").iterdir()} == {"faces.json", "faces.webp", "shares.png"}
    page = Path("docs/page.md")
    page.parent.mkdir()
    page.write_text("# Title\n\nOurs.\n")
    for _ in range(2):  # the second time the section is replaced
        main(["truth-benchmark", "metrics", "--out", "found", "--page", str(page)])
    text = page.read_text()
    assert text.startswith("# Title\n\nOurs.\n") and text.count("### Faces") == 1
    assert format_shares(saved) in text and "](../found/shares.png)" in text
    with pytest.raises(ConfigError, match="there is no result in nowhere: run the command without --page first"):
        read_results(Path("nowhere"))


def test_weights_are_given_by_name():
    parser = command_parser("truth-benchmark", "i2v truth-benchmark")
    assert parser.parse_args(["metrics", "--weights", "fvd=a=b.pt", "lpips=c"]).weights == dict(fvd="a=b.pt", lpips="c")
    found = dict(zip(NAMES, metric_entries(dict(fvd="a.pt", lpips="c.pth")), strict=True))
    assert found["fvd"]["embedder"]["path"] == "a.pt" and found["lpips"]["backbone_path"] == "c.pth"
    assert list(found["video_fid"]) == ["type"]
    with pytest.raises(ConfigError, match="no file of weights can be given for 'ssim', only for lpips, video_fid, fvd"):
        metric_entries(dict(ssim="a"))


def test_the_page_shows_the_committed_results():
    folder = ROOT / "docs/results/metrics"
    text = (ROOT / "docs/metrics_and_motion.md").read_text(encoding="utf-8")
    results = read_results(folder)
    assert list(results) == ["faces", "figures"]
    section = text.partition(f"<!-- table {SECTION}, made by {MAKER} -->\n")[2].partition("<!-- end of table")[0]
    assert section.strip() == format_section(results, "results/metrics", folder).strip()
    assert (folder / "shares.png").stat().st_size < 150_000
