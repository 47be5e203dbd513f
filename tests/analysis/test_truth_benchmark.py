"""The exact-truth benchmark: scores rank videos as a person would, and a model is scored from its checkpoint."""

import json
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import NARROW, gan_config

from i2vkit.analysis.truth_benchmark import combine, format_ranking, rank, score_truth
from i2vkit.analysis.truth_benchmark import reference_scores as references
from i2vkit.analysis.truth_benchmark.reference_scores import REFERENCES
from i2vkit.analysis.truth_benchmark.scoring import benchmark_config, format_intervals, intervals, lay_over, part_of
from i2vkit.conditions import JointHeatmaps
from i2vkit.config.loading import load_config
from i2vkit.datasets.map_files import write_maps
from i2vkit.datasets.transforms import RetargetLandmarks
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_image
from i2vkit.preparation.jobs import write_table
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.registry import MODELS
from i2vkit.rendering.i2v_truth.parts import FIGURES

SIZE, FRAMES = 64, 16
PEOPLE = {"figure01": 1, "figure02": 2, "figure16": 3, "figure17": 4}
# Where the figure of each of them goes, in pixels a frame, on its way out and back.
STEPS = {"figure01": (0, 1), "figure02": (1, 0), "figure16": (1.5, 0.5), "figure17": (-1, 1)}
BODY = np.array([[0, -9], *[[x, y] for y in (-5, 0, 3, 4, 7, 10) for x in (3, -3)]], float)


def texture(seed, height, width, low, high):
    noise = np.random.default_rng(seed).uniform(low, high, (height // 4, width // 4, 3))
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def draw(root, name, person, motion):
    """Somebody of that looks moves as ``motion`` does; with joints and maps."""
    wall = texture(PEOPLE[person], SIZE, SIZE, 60 + 20 * PEOPLE[person], 140 + 20 * PEOPLE[person])
    body = texture(10 + PEOPLE[person], 24, 16, 0, 255)
    joints = []
    for t in range(FRAMES):
        way = 8 * np.sin(np.pi * t / (FRAMES - 1))
        x, y = 24 + way * STEPS[motion][0], 20 + way * STEPS[motion][1]
        placed = cv2.warpAffine(body, np.float32([[1, 0, x], [0, 1, y]]), (SIZE, SIZE))
        cover = cv2.warpAffine(np.ones((24, 16, 1), np.float32), np.float32([[1, 0, x], [0, 1, y]]), (SIZE, SIZE))
        frame = wall * (1 - cover[..., None]) + placed * cover[..., None]
        write_image(root / name / f"{t:03d}.png", frame.round().astype(np.uint8))
        joints.append(np.add(BODY, (x + 8, y + 12)))
    write_landmarks(root / "joints" / f"{name}.csv", np.stack(joints))
    write_maps(root / "maps" / f"{name}.npz", JointHeatmaps(SIZE)(np.stack(joints)))
    return [name, person, "walk", FRAMES, 12.5, f"joints/{name}.csv", f"maps/{name}.npz"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two who train, two who do each other's performance in the test."""
    root = tmp_path_factory.mktemp("truth")
    columns = ["path", "person", "label", "num_frames", "fps", "joints", "maps"]
    part, exact = root / "figures", root / "figures/truth"
    own = [draw(part, f"{person}/walk/1", person, person) for person in PEOPLE]
    write_table(part / "index.csv", columns, own)
    pairs = [("figure16", "figure17"), ("figure17", "figure16")]
    made = [[*draw(exact, f"{a}/walk/as_{b}_1", a, b), f"{b}/walk/1"] for a, b in pairs]
    write_table(exact / "index.csv", [*columns, "driving"], made)
    samples = [
        {"driving": f"{b}/walk/1", "image_video": f"{a}/walk/1", "motion": "driving", "seed": n}
        for n, (a, b) in enumerate(pairs)
    ]
    (part / "test.json").write_text(json.dumps(samples))
    return root


@pytest.fixture(scope="module")
def ranked(data):
    return rank("figures", data=data)


@pytest.fixture(scope="module")
def scores(ranked):
    return {name: row["scores"] for name, row in ranked.items()}


def test_the_truth_is_one_and_copies_are_zero(scores):
    assert scores["truth"] == pytest.approx({"appearance": 1, "motion": 1, "both": 1})
    assert scores["driving video"]["appearance"] == scores["driving video"]["both"] == 0
    assert scores["image repeated"]["motion"] == scores["image repeated"]["both"] == 0


def test_frames_that_stand_still_or_in_disorder_lose_on_motion_alone(scores):
    for name in ("truth, frozen", "truth, shuffled"):
        assert scores[name]["motion"] <= 1e-9 and scores[name]["both"] <= 1e-4, name
        assert scores[name]["appearance"] > 0.95, name
    assert scores["truth, shuffled"]["appearance"] == pytest.approx(1)
    assert scores["image repeated"]["appearance"] > 0.9


def test_another_person_loses_on_appearance_alone(scores):
    assert scores["driving video"]["motion"] > 0.5


def test_a_late_video_keeps_its_appearance_and_loses_motion(scores):
    late = scores["truth, 3 frames late"]
    assert late["appearance"] > 0.95 and late["motion"] < 0.7


def test_blur_and_noise_lose_on_appearance(scores):
    names = ("truth", "truth, slightly blurred", "truth, blurred")
    assert all(scores[better]["appearance"] > scores[worse]["appearance"] for better, worse in pairwise(names))
    assert scores["truth, noised"]["appearance"] < 0.9
    assert scores["truth, blurred"]["motion"] > 0.6


def test_both_ranks_what_a_person_would(scores):
    order = ("truth", "truth as H.264", "truth, blurred", "truth, frozen")
    assert all(scores[better]["both"] > scores[worse]["both"] for better, worse in pairwise(order))
    # A clip of somebody who trains shows neither the right person nor the right motion.
    assert scores["nearest training clip"]["both"] < scores["truth, blurred"]["both"]


def test_combine_by_hand():
    references = {"driving video": {"appearance": 0.2}, "image repeated": {"motion_error": 0.5}}
    found = combine({"appearance": 0.6, "motion_error": 0.1}, references)
    assert found == pytest.approx({"appearance": 0.5, "motion": 0.8, "both": 0.4**0.5})
    assert combine({"appearance": 0.1, "motion_error": 0.1}, references)["both"] == 0


def test_intervals_draw_people_with_all_their_videos_and_make_both_of_each_draw():
    """Two people: of four equally likely draws two mix them, and the ends are the one alone and the other alone."""
    references = {"driving video": {"appearance": 0.0}, "image repeated": {"motion_error": 1.0}}
    scores = {"ann": [(0.1, 0.9), (0.3, 0.9)], "bob": [(0.8, 0.5)]}  # appearance, motion
    videos = [
        {"driving_person": person, "appearance": a, "motion_error": 1 - m}
        for person in scores
        for a, m in scores[person]
    ]
    found = intervals(videos, references)
    assert found["appearance"] == pytest.approx([0.2, 0.8]) and found["motion"] == pytest.approx([0.5, 0.9])
    # ann alone 0.18 ** 0.5, bob alone 0.4 ** 0.5, both of them (0.4 * 2.3 / 3) ** 0.5, which lies between.
    assert found["both"] == pytest.approx([0.18**0.5, 0.4**0.5])
    assert format_intervals(found).endswith("motion 0.500 to 0.900, both 0.424 to 0.632")
    worse = [video | {"motion_error": 2.0} for video in videos]
    assert intervals(worse, references)["both"] == [0, 0]
    assert intervals(videos[:2], references) == {} and format_intervals({}) == ""


def test_the_table_has_a_row_for_each(ranked):
    lines = format_ranking(ranked).splitlines()
    assert lines[2] == "| truth | 1.000 | 1.000 | 1.000 | 1.000 | 100.00 | 1.000 | 0.000 |"
    assert len(lines) == 2 + len(ranked) and len({line.count("|") for line in lines}) == 1


@pytest.fixture(scope="module")
def cfg():
    loader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(people="i2v_truth/figures_test"))
    model = gan_config(labels=list(FIGURES.labels), image_size=SIZE)
    model["generator"] = dict(model["generator"], decoder=dict(NARROW["UNetDecoder"], widths=(8,) * 6))
    return Config(dict(model=model, test_dataloader=loader, work_dir="unused"))


@pytest.fixture(scope="module")
def checkpoint(cfg, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict(), "meta": {"iter": 0}}, path)
    return path


def test_a_model_is_scored_beside_its_references(cfg, checkpoint, data, ranked, tmp_path):
    result = score_truth(cfg, checkpoint, out=tmp_path, data=data)
    assert json.loads((tmp_path / "truth.json").read_text()) == result
    assert (result["version"], result["part"], result["split"]) == ("i2v-truth-v1", "figures", "test")
    assert result["references"] == {name: ranked[name] for name in REFERENCES}
    assert result["scores"] == combine(result["metrics"], result["references"] | metrics_of(result))
    test = json.loads((tmp_path / "metrics.json").read_text())
    assert test["scores"] == result["metrics"] and len(test["samples"]) == 2
    # A model that was not trained makes neither; per video they average to the score.
    assert result["scores"]["both"] < 0.5
    assert list(result["intervals"]) == ["appearance", "motion", "both"]
    for name, (low, high) in result["intervals"].items():
        assert low <= result["scores"][name] <= high


def test_references_are_kept_as_long_as_nothing_changes(data, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(references, "score_references", lambda cfg: asked.append(cfg) or {"truth": {"ssim": 1.0}})
    benchmark, path = benchmark_config("figures", data=data), tmp_path / "references_test.json"
    for _ in range(2):
        assert references.cached_reference_scores(benchmark, path) == {"truth": {"ssim": 1.0}}
    assert len(asked) == 1
    monkeypatch.setattr(references, "package_versions", lambda packages: dict.fromkeys(packages, "0.0"))
    references.cached_reference_scores(benchmark, path)
    benchmark.test_evaluator.pop("motion_accuracy")
    references.cached_reference_scores(benchmark, path)
    assert len(asked) == 3


def metrics_of(result):
    return {name: row["metrics"] for name, row in result["references"].items()}


def test_the_same_set_whatever_the_config_trains_on(cfg):
    assert part_of(cfg) == "figures"
    other = Config(dict(test_dataloader=dict(dataset=dict(people="mug/test"))))
    with pytest.raises(
        ConfigError, match=r"of this config do not belong to i2v-truth-v1: choose --part faces or figures"
    ):
        part_of(other)
    validation = benchmark_config("faces", "val", "elsewhere")
    assert validation.test_dataloader.dataset.people == "i2v_truth/faces_val"
    assert validation.protocols.transfer.path == "elsewhere/faces/val.json"
    assert validation.test_dataloader.dataset.truth.root == "elsewhere/faces/truth"


def test_what_cannot_be_scored_is_refused(cfg, checkpoint, data, tmp_path):
    with pytest.raises(ConfigError, match=r"faces, figures and scores val or test, not 'hands', 'test'"):
        score_truth(cfg, checkpoint, "hands", data=data)
    small = Config(dict(model=dict(cfg.model, image_size=32), test_dataloader=cfg.test_dataloader))
    with pytest.raises(ConfigError, match=r"are 64x64, but this model's are 32 pixels wide"):
        score_truth(small, checkpoint, data=data)
    with pytest.raises(DataError, match=r"benchmark_truth.py prepare --out"):
        rank("figures", data=tmp_path)


def test_landmarks_are_read_and_retargeted_as_the_config_of_a_model_says():
    benchmark = benchmark_config("faces")
    steps = benchmark.test_dataloader.dataset.extra_steps.to_dict()
    plain = lay_over(load_config("dtgan/dtgan_recipe_faces"), benchmark).test_dataloader.dataset
    assert plain.get("points") is None and plain.extra_steps == steps
    cfg = load_config("mix/given_landmarks_recipe_faces")
    pointed = lay_over(cfg, benchmark).test_dataloader.dataset
    assert pointed.points == ["landmarks"]
    own = cfg.test_dataloader.dataset.extra_steps["landmarks"]
    assert pointed.extra_steps == steps | {"landmarks": own} and own["type"] is RetargetLandmarks
