"""Comparing results: what is paired and marked, what is averaged, and what is refused and why."""

import csv
import io
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from i2vkit.analysis.comparison.comparable import check_comparable, read_results
from i2vkit.analysis.comparison.comparison_report import (
    format_comparison,
    format_comparison_csv,
    mean_curves,
    write_comparison,
)
from i2vkit.analysis.comparison.paired import STATIC_BASELINE, compare
from i2vkit.errors import ConfigError
from i2vkit.evaluation.statistics import bootstrap_interval
from i2vkit.media import read_image

# Two videos of each of four people; what a person's videos have in common is much, their own share little.
PEOPLE = np.repeat(["ann", "bob", "cem", "dan"], 2)
SSIM = np.array([0.50, 0.52, 0.60, 0.58, 0.70, 0.71, 0.80, 0.82])
BASELINES = np.full(8, 0.55)
NAMES = ("ssim", "ssim_static_baseline", "ssim_improvement")


def result(config="one", ssim=SSIM, seed=0, training_seed=0, **changes):
    """What tools/test.py writes, with the ssim of eight videos and an fvd of the set."""
    videos = []
    for i, (person, score, static_baseline) in enumerate(zip(PEOPLE.tolist(), ssim, BASELINES.tolist(), strict=True)):
        values = (None,) * 3 if score is None else (score, static_baseline, score - static_baseline)
        videos.append({"name": f"{person}/{i}", "driving_person": person, **dict(zip(NAMES, values, strict=True))})
    means = {name: float(np.mean([v[name] for v in videos if v[name] is not None])) for name in NAMES}
    sources = [{"driving": video["name"], "image_video": None, "motion": "driving"} for video in videos]
    samples = [driving | {"seed": seed + i} for i, driving in enumerate(sources)]
    return {
        "config": config,
        "checkpoint": {"file": "a.pth", "sha256": f"{config}{training_seed}", "iteration": 9, "seed": training_seed},
        "protocol": {"name": "reconstruction", "type": "Reconstruction"},
        "seed": seed,
        "scores": means | {"fvd": 300.0 + training_seed},
        "less_is_better": {"ssim": False, "fvd": True},
        "frames": {"by": "FirstFrames", "length": 16, "stride": 2},
        "resize": {"size": [64, 64], "shrinking": "area", "enlarging": "bilinear", "crop": None},
        "generated": 8,
        "per_video": videos,
        "samples": samples,
        "options": {},
    } | changes


def write(folder, *results):
    """Files of results, and their paths."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.json" for number in range(len(results))]
    for path, content in zip(paths, results, strict=True):
        path.write_text(json.dumps(content))
    return [str(path) for path in paths]


def compared(tmp_path, *results):
    return compare(read_results(write(tmp_path / "in", *results)))


def test_videos_are_paired_and_people_drawn_as_a_whole(tmp_path):
    """Every video is a little better: far within each one's interval, and beyond that of the differences."""
    better = SSIM + np.array([0.01, 0.02] * 4)
    found = compared(tmp_path, result("one"), result("two", better))
    one, two = found.cells["one"]["ssim"], found.cells["two"]["ssim"]
    assert (found.over, found.groups, found.counts) == ("people", 4, {"ssim": 8, "fvd": 0})
    assert one.score == pytest.approx(SSIM.mean()) and one.interval == bootstrap_interval(SSIM, PEOPLE)
    assert one.difference is None and one.interval[0] < two.score < one.interval[1]
    assert two.difference == pytest.approx(0.015) and two.limits == pytest.approx((0.015, 0.015))
    assert two.verdict == "better"


def test_what_is_within_chance_is_not_marked(tmp_path):
    noisy = SSIM + np.array([0.05, 0.05, -0.05, -0.05, 0.06, 0.06, -0.04, -0.05])
    cell = compared(tmp_path, result("one"), result("two", noisy)).cells["two"]["ssim"]
    assert cell.limits[0] < 0 < cell.limits[1] and cell.verdict == ""


def test_one_person_who_differs_is_not_evidence_though_two_videos_are(tmp_path):
    """Only bob is better: with people drawn as a whole a draw without him is likely (0.75^4 = 0.32)."""
    cell = compared(tmp_path, result("one"), result("two", SSIM + 0.2 * (PEOPLE == "bob"))).cells["two"]["ssim"]
    assert cell.limits[0] == 0 and cell.verdict == ""


def test_of_one_person_clips_are_drawn_and_not_their_many_videos(tmp_path):
    """One clip of four, two videos each, is better."""
    results = [result("one"), result("two", SSIM + 0.2 * (PEOPLE == "bob"))]
    for video in (video for one in results for video in one["per_video"]):
        video |= {"driving_person": "eve", "driving_name": video["driving_person"]}
    found = compared(tmp_path, *results)
    assert (found.over, found.groups) == ("clips", 4)
    assert found.cells["two"]["ssim"].limits == pytest.approx(
        bootstrap_interval(0.2 * (PEOPLE == "bob"), PEOPLE), abs=1e-12
    )


def test_the_floor_is_a_row(tmp_path):
    cell = compared(tmp_path, result("one")).cells[STATIC_BASELINE]["ssim"]
    assert cell.score == pytest.approx(0.55) and cell.difference == pytest.approx(0.55 - SSIM.mean())
    assert cell.limits == pytest.approx(bootstrap_interval(BASELINES - SSIM, PEOPLE))


@pytest.mark.parametrize(("less", "verdict"), [(True, "worse"), (False, "better"), (None, "differs")])
def test_which_way_is_better_is_what_the_result_says(tmp_path, less, verdict):
    results = [result(name, ssim) for name, ssim in (("one", SSIM), ("two", SSIM + 0.1))]
    for one in results:
        one["less_is_better"] = {} if less is None else {"ssim": less}
        del one["scores"]["ssim_improvement"]
    assert compared(tmp_path, *results).cells["two"]["ssim"].verdict == verdict


def test_older_results_tell_by_their_improvement(tmp_path):
    results = [result(name, ssim) for name, ssim in (("one", SSIM), ("two", SSIM + 0.1))]
    for one in results:
        del one["less_is_better"]
        one["scores"]["ssim_improvement"] *= -1
    assert compared(tmp_path, *results).cells["two"]["ssim"].verdict == "worse"


def test_seeds_are_one_row_with_mean_and_spread(tmp_path):
    seeds = [result("two", SSIM + 0.01 * k, training_seed=k) for k in range(3)]
    found = compared(tmp_path, result("one"), *seeds)
    assert [(row.name, len(row.results)) for row in found.rows] == [("one", 1), ("two", 3), (STATIC_BASELINE, 1)]
    cell = found.cells["two"]["ssim"]
    assert cell.score == pytest.approx(SSIM.mean() + 0.01) and cell.spread == pytest.approx(0.01)
    assert cell.limits == pytest.approx((0.01, 0.01)) and found.cells["one"]["ssim"].spread is None
    assert found.cells["two"]["fvd"].score == 301 and found.cells["two"]["fvd"].spread == 1
    assert "| two | 3 | 0.664 ± 0.010 (" in format_comparison(found)


def test_seeds_of_the_test_are_seeds_too_and_other_settings_are_rows(tmp_path):
    found = compared(tmp_path, result("one"), result("one", SSIM + 0.1, seed=50))
    assert [len(row.results) for row in found.rows] == [2, 1]
    options = result("one", SSIM + 0.1, training_seed=1, options={"train_cfg.max_iters": 9})
    found = compared(tmp_path, result("one"), options)
    assert [row.name for row in found.rows[:2]] == [f"one ({tmp_path}/in/{k}.json)" for k in range(2)]


def test_files_may_be_named(tmp_path):
    paths = write(tmp_path / "in", result("one"), result("one", training_seed=1), result("two"))
    rows = read_results([f"A={paths[0]}", f"A={paths[1]}", f"B={paths[2]}"])
    assert [(row.name, len(row.results)) for row in rows] == [("A", 2), ("B", 1)]
    with pytest.raises(ConfigError, match=r"row A has results of two configs, one .*0.json.* and two"):
        read_results([f"A={paths[0]}", f"A={paths[2]}"])
    with pytest.raises(ConfigError, match="two rows are named two"):
        read_results([f"two={paths[0]}", paths[2]])


def test_a_result_that_comes_twice_is_refused(tmp_path):
    paths = write(tmp_path / "in", result("one"), result("one"))
    with pytest.raises(ConfigError, match=r"0.json and .*1.json are one result .same weights, same seed."):
        read_results(paths)


def test_scores_of_a_whole_set_have_no_interval(tmp_path):
    found = compared(tmp_path, result("one"), result("two", training_seed=4))
    cell = found.cells["two"]["fvd"]
    assert (cell.score, cell.interval, cell.difference, cell.verdict) == (304.0, None, None, "")
    assert "| 304.000 |" in format_comparison(found)


def test_metrics_are_compared_on_what_all_could_score(tmp_path):
    """The first video of the second row is without a score, and all rows then are without it."""
    lost = [None, *(SSIM[1:] + 0.01).tolist()]
    found = compared(tmp_path, result("one"), result("two", lost))
    assert found.counts["ssim"] == 7
    assert found.cells["one"]["ssim"].score == pytest.approx(SSIM[1:].mean())
    assert found.cells["two"]["ssim"].difference == pytest.approx(0.01)


def test_images_with_several_samples_are_paired_by_image(tmp_path):
    results = []
    for config, extra in (("one", 0.0), ("two", 0.1)):
        rows = [{"name": n, "driving_person": n, "ssim_best_of_2": s + extra} for n, s in (("a", 0.5), ("b", 0.7))]
        samples = [{"name": n, "driving_person": n, "ssim": 0.1} for n in "aabb"]
        changes = dict(per_video=samples, per_image=rows, less_is_better={"ssim_best_of_2": False})
        results.append(result(config, scores={"ssim_best_of_2": 0.6 + extra}, **changes))
    cell = compared(tmp_path, *results).cells["two"]["ssim_best_of_2"]
    assert cell.difference == pytest.approx(0.1) and cell.verdict == "better"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": result()["samples"][:7]}, "they have 8 and 7 samples, of protocols reconstruction and reconstr"),
        (
            {
                "samples": [
                    *result()["samples"][:7],
                    {"driving": "x", "image_video": "y", "motion": "driving", "seed": 7},
                ]
            },
            r"samples number 7 are \{'driving': 'dan/7', .*\} and \{'driving': 'x'",
        ),
        ({"frames": {"by": "FirstFrames", "length": 16, "stride": 1}}, r"their frames differ in stride \(2 and 1\)"),
        (
            {"resize": {**result()["resize"], "size": [32, 32]}},
            r"resize differ in size \(\[64, 64\] and \[32, 32\]",
        ),
        ({"resize": None}, r"resize differ in size \(\[64, 64\] and None\)"),
        (
            {"scores": {"ssim": 0.6, "ssim_static_baseline": 0.56}},
            r"their ssim_static_baseline differs \(0.5500 and 0.5600\)",
        ),
        ({"extractors": {"fvd": {"i3d.pt": "bb"}}}, r"fvd looks through other weights \(\{'i3d.pt': 'aa'\} and"),
    ],
)
def test_what_was_made_or_scored_otherwise_is_refused(changes, message):
    one = result("one", extractors={"fvd": {"i3d.pt": "aa"}}, file="A.json")
    check_comparable([one, result("two", file="B.json")])
    with pytest.raises(ConfigError, match=rf"A.json and B.json cannot be in one table: .*{message}"):
        check_comparable([one, result("two", file="B.json", **changes)])


def test_replayed_lists_and_other_noise_can_be_compared():
    replay = {"name": "samples", "type": "SampleList", "replays": {"name": "reconstruction", "type": "Reconstruction"}}
    check_comparable([result("one"), result("two", protocol=replay, seed=70)])


def test_older_results_are_compared_by_their_pipeline():
    one, other = (result("x", pipeline=["FirstFrames(length=16)", "ReadMaps()", "Resize(size=64)"]) for _ in range(2))
    del one["frames"], other["resize"]
    other["pipeline"] = ["FirstFrames(length=16)", "Resize(size=64)", "PackClip()"]
    check_comparable([one, other])
    other["pipeline"][0] = "FirstFrames(length=32)"
    with pytest.raises(ConfigError, match=r"differ in the pipeline \(FirstFrames\(length=16\), Resize"):
        check_comparable([one, other])


def test_files_that_are_no_results(tmp_path):
    path = tmp_path / "a.json"
    for text, message in (("{", "cannot be read"), ("[]", "has no config"), ('{"config": "x"}', "has no checkpoint")):
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_results([path])
    with pytest.raises(ConfigError, match="does not list its samples"):
        read_results(write(tmp_path, {k: v for k, v in result().items() if k != "samples"}))


def run_tool(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["compare.py", *map(str, arguments)])
    runpy.run_path(str(Path(__file__).parents[2] / "tools/compare.py"), run_name="__main__")


def test_the_files_and_the_tool(tmp_path, monkeypatch, capsys):
    paths = write(tmp_path / "in", result("one"), result("two", SSIM + 0.02), result("three", SSIM - 0.02))
    run_tool(monkeypatch, *paths, "--out", tmp_path / "out", "--csv")
    text = (tmp_path / "out/compare.md").read_text()
    assert capsys.readouterr().out.startswith(text)
    assert "8 videos of 4 people; 16 frames (FirstFrames, stride 2), 64x64.\n" in text
    assert "Mind: over 4 people such intervals are too narrow.\n" in text
    assert "| two | +0.020 (+0.020 to +0.020) ▲ |  |" in text and "| three | -0.020 (-0.020 to -0.020) ▼ |  |" in text
    lines = list(csv.DictReader(io.StringIO((tmp_path / "out/compare.csv").read_text())))
    assert [(line["row"], line["metric"]) for line in lines[:2]] == [("one", "ssim"), ("one", "fvd")]
    assert float(lines[2]["difference"]) == pytest.approx(0.02) and lines[2]["verdict"] == "better"
    height, width, _ = read_image(tmp_path / "out/compare.png").shape
    assert height > 200 and width > 900  # two panels
    with pytest.raises(SystemExit) as stopped:
        run_tool(monkeypatch, paths[0], tmp_path / "no.json")
    assert stopped.value.code == 1 and capsys.readouterr().err.startswith("error: the result ")


def test_scores_by_time_step_are_drawn_together(tmp_path, monkeypatch):
    def curve(*scores):
        steps = list(range(1, len(scores) + 1))
        return {"ssim": {"step": steps, "score": list(scores), "static_baseline": [0.5] * len(scores)}}

    one = [result("one", curves=curve(0.9, 0.7)), result("one", seed=1, training_seed=1, curves=curve(0.7, 0.5, 0.4))]
    paths = write(tmp_path / "in", *one, result("two", curves=curve(0.8, 0.8)), result("three"))
    first, *_ = read_results(paths)
    found = mean_curves(first)["ssim"]
    assert found["step"] == [1, 2, 3] and found["static_baseline"] == [0.5] * 3
    assert found["score"] == pytest.approx([0.8, 0.6, 0.4])
    drawn = []
    monkeypatch.setattr(
        "i2vkit.analysis.comparison.comparison_report.overlay_curves", lambda *shown: drawn.append(shown)
    )
    written = write_comparison(compare(read_results(paths)), tmp_path / "out")
    [(rows, path, _)] = drawn
    assert list(rows) == ["one", "two"] and written[-1] == path == tmp_path / "out/compare_curves.png"
    monkeypatch.undo()
    write_comparison(compare(read_results(paths)), tmp_path / "out")
    assert read_image(path).shape[0] > 200


def test_what_differs_besides_is_told(tmp_path):
    found = compared(tmp_path, result("one", versions={"torch": "1"}), result("two", versions={"torch": "2"}))
    assert "Mind: the results differ in versions of packages." in format_comparison(found)
    assert "precision" not in format_comparison(found)
    assert [path.name for path in write_comparison(found, tmp_path)] == ["compare.md", "compare.png"]
    assert format_comparison_csv(found).splitlines()[0].startswith("row,metric,score,low,high")
