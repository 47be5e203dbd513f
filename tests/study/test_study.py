"""User studies without a server: their folders, questions, answers and statistics."""

import csv
import json
import sqlite3
from collections import Counter

import numpy as np
import pytest
from study_site import make_study

from i2vkit.cli.main import main
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import read_video, video_facts, write_video
from i2vkit.study import raters
from i2vkit.study.answers import Answer, answers_of
from i2vkit.study.creation import StudyPlan, create_study
from i2vkit.study.report import report_of
from i2vkit.study.statistics import clustered_interval, krippendorff_alpha
from i2vkit.study.store import Store
from i2vkit.study.videos import clips_of, parse_models, spoiled


def redness(store, token):
    """The mean red of a video: the first model's is higher."""
    return read_video(raters.media_file(store, token))[..., 0].mean()


def take_part(store, token, choose):
    """Answer all questions of a rater; ``choose`` gets the question."""
    place = raters.progress(store, token)
    while place.question:
        place = raters.answer(store, token, place.question["token"], choose(place.question))
    return place


def redder(store):
    """Prefer the redder video, and call red videos real."""

    def choose(question):
        red = {side: redness(store, token) for side, token in question["media"].items()}
        if question["kind"] == "preference":
            return {"preferred": max(red, key=red.get)}
        yes = "yes" if red["left"] > 150 else "no"
        return {"realistic": yes, "spatially_consistent": "yes", "temporally_consistent": "no"}

    return choose


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"), clips=6, questions=4, raters=2, checks=0)


def test_each_question_gets_its_raters_and_then_nobody_is_asked(study):
    pytest.importorskip("krippendorff", reason="needs the extra web")
    store = Store(study)
    tokens = [raters.join(store, f"nonce{n}") for n in range(3)]  # 6 questions by 2 raters are 12: three times 4
    assert all(tokens) and raters.join(store, "nonce3") is None
    with store.reading() as database:
        counts = Counter(row["question"] for row in database.execute("SELECT question FROM assignments"))
    assert sorted(counts.values()) == [2] * 6
    assert raters.join(store, "nonce1") == tokens[1]  # a second click on Start
    places = [take_part(store, token, redder(store)) for token in tokens]
    assert [(place.number, place.total, place.question) for place in places] == [(5, 4, None)] * 3
    assert len({place.code for place in places}) == 3
    [share] = report_of(answers_of(store)).shares
    assert (share.model, share.other, share.share, share.answers, share.raters) == ("alpha", "beta", 1.0, 12, 3)


def test_a_question_of_somebody_who_went_away_is_given_to_others(tmp_path):
    store = Store(make_study(tmp_path, clips=2, questions=2, raters=1, checks=0))
    gone = raters.join(store, "a")
    assert raters.join(store, "b") is None
    with store.writing() as database:
        database.execute("UPDATE raters SET seen = seen - ?", (raters.RESERVED_SECONDS + 1,))
    assert raters.join(store, "c")
    assert raters.progress(store, gone).question  # and still may come back


def test_the_first_answer_holds_and_others_change_nothing(tmp_path):
    store = Store(make_study(tmp_path, clips=3, questions=3, checks=0))
    token = raters.join(store, "a")
    first = raters.progress(store, token).question
    assert raters.progress(store, token).question == first  # the page was loaded again
    place = raters.answer(store, token, first["token"], {"preferred": "left"})
    assert place.number == 2
    assert raters.answer(store, token, first["token"], {"preferred": "right"}) == place
    with store.reading() as database:
        rows = database.execute("SELECT value FROM answers").fetchall()
    assert [row["value"] for row in rows] == ["left"]
    for wrong in ({}, {"preferred": "both"}, {"realistic": "yes"}, {"preferred": ["left"]}):
        with pytest.raises(DataError, match="left or right"):
            raters.answer(store, token, place.question["token"], wrong)
    other = raters.join(store, "b")
    with pytest.raises(DataError, match="no question"):
        raters.answer(store, other, place.question["token"], {"preferred": "left"})
    assert raters.join(store, "c", "worker 7") == raters.join(store, "d", "worker 7")


def test_sides_and_orders_are_random_and_no_token_comes_twice(tmp_path):
    store = Store(make_study(tmp_path, clips=20, questions=20, raters=10, checks=2))
    for number in range(10):
        raters.join(store, str(number))
    with store.reading() as database:
        rows = database.execute(
            "SELECT assignments.*, is_check FROM assignments JOIN questions ON questions.id = question"
        ).fetchall()
        showings = [row["token"] for row in database.execute("SELECT token FROM showings")]
    pairs = [row for row in rows if not row["is_check"]]
    assert len(pairs) == 200 and 60 < sum(row["swapped"] for row in pairs) < 140  # 5.6 standard deviations
    orders = {tuple(r["question"] for r in pairs if r["rater"] == rater) for rater in range(1, 11)}
    assert len(orders) == 10
    assert len(set(showings)) == len(showings) == 2 * 220
    checks = [row["position"] for row in rows if row["is_check"]]
    assert len(checks) == 20 and 0 not in checks and len(set(checks)) > 5


def test_raters_who_miss_an_attention_check_are_left_out(tmp_path, capsys):
    pytest.importorskip("krippendorff", reason="needs the extra web")
    study = make_study(tmp_path, clips=3, questions=6, raters=9, checks=2, kinds=("preference", "rating"))
    store = Store(study)

    def inattentive(question):
        if question["kind"] == "preference":
            return {"preferred": min(question["media"], key=lambda side: redness(store, question["media"][side]))}
        return dict.fromkeys(("realistic", "spatially_consistent", "temporally_consistent"), "yes")

    take_part(store, raters.join(store, "a"), right_on_checks(store))
    take_part(store, raters.join(store, "b"), right_on_checks(store))
    take_part(store, raters.join(store, "c"), inattentive)
    main(["study", "report", str(study), "--out", str(tmp_path / "report")])
    printed = capsys.readouterr().out
    assert "of 2 raters" in printed and "Left out: 1 who missed attention checks." in printed
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert report["left_out"] == [3] and report["raters"] == 2
    assert (tmp_path / "report/shares.png").stat().st_size > 5000
    assert printed.startswith((tmp_path / "report/table.md").read_text().rstrip())
    main(["study", "report", str(study), "--out", str(tmp_path / "all"), "--missed", "2"])
    assert json.loads((tmp_path / "all/report.json").read_text())["raters"] == 3


def right_on_checks(store):
    """Answer as somebody who sees which videos are spoiled."""

    def choose(question):
        with store.reading() as database:
            row = database.execute(
                "SELECT questions.*, swapped FROM questions JOIN assignments ON question = questions.id "
                "WHERE assignments.token = ?",
                (question["token"],),
            ).fetchone()
        if row["kind"] == "preference":
            return {"preferred": "right" if row["swapped"] else "left"}
        good = "no" if row["is_check"] else "yes"
        return {"realistic": good, "spatially_consistent": good, "temporally_consistent": good}

    return choose


def test_exports_have_a_row_for_each_answer(tmp_path, capsys):
    study = make_study(tmp_path, clips=3, questions=3, checks=1, kinds=("preference",))
    store = Store(study)
    take_part(store, raters.join(store, "a", "worker 7"), right_on_checks(store))
    for suffix in ("csv", "json"):
        main(["study", "export", str(study), "--out", str(tmp_path / f"answers.{suffix}")])
    rows = json.loads((tmp_path / "answers.json").read_text())
    assert len(rows) == 4 and [row["position"] for row in rows] == [1, 2, 3, 4]
    assert {row["value"] for row in rows} == {"first"} and {row["known_as"] for row in rows} == {"worker 7"}
    assert sorted(row["clip"] for row in rows if not row["is_check"]) == [f"person{n}_smile" for n in range(3)]
    assert [row["passed"] for row in rows if row["is_check"]] == [True]
    with (tmp_path / "answers.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["left"] for row in table] == [row["left"] for row in rows] and len(table) == 4
    with pytest.raises(ConfigError, match="exported as"):
        main(["study", "export", str(study), "--out", str(tmp_path / "answers.txt"), "--debug"])


def test_media_of_all_models_are_written_alike(study):
    store = Store(study)
    files = list((study / "media").iterdir())
    assert len(files) == 12 and all(len(file.stem) == 32 for file in files)
    assert {file.stat().st_mtime for file in files} == {0.0}
    assert all(video_facts(file).num_frames == 4 for file in files)
    with store.reading() as database:
        text = "".join(row["file"] for row in database.execute("SELECT file FROM videos"))
    assert "alpha" not in text and "person" not in text


def test_results_of_tests_name_their_videos(tmp_path):
    video = np.zeros((3, 16, 16, 3), np.uint8)
    write_video(tmp_path / "test/videos/a_b.mp4", video)
    result = {"protocol": {"name": "transfer", "type": "Transfer"}, "checkpoint": {"file": "x.pth"}}
    (tmp_path / "test/metrics.json").write_text(json.dumps(result))
    assert list(clips_of(tmp_path / "test/metrics.json")) == ["a_b"]
    given = {"protocol": {"type": "evaluate"}, "checkpoint": {"file": str(tmp_path / "test/videos")}}
    (tmp_path / "given.json").write_text(json.dumps(given))
    assert list(clips_of(tmp_path / "given.json")) == ["a_b"]
    (tmp_path / "metrics.json").write_text(json.dumps(result))
    with pytest.raises(DataError, match="--save-videos"):
        clips_of(tmp_path / "metrics.json")
    (tmp_path / "metrics.json").write_text("[]")
    with pytest.raises(DataError, match=r"no metrics\.json"):
        clips_of(tmp_path / "metrics.json")


def test_mistakes_leave_no_study_behind(tmp_path):
    video = np.zeros((3, 16, 16, 3), np.uint8)
    for name in ("one/a", "two/a", "two/b", "three/c"):
        write_video(tmp_path / f"{name}.mp4", video)
    models = {name: tmp_path / name for name in ("one", "two")}
    with pytest.raises(ConfigError, match="two models"):
        create_study({"one": tmp_path / "one"}, tmp_path / "study")
    with pytest.raises(ConfigError, match="none of the models"):
        create_study(models, tmp_path / "study", StudyPlan(against="four"))
    with pytest.raises(DataError, match="no clip was made by all models"):
        create_study(models | {"three": tmp_path / "three"}, tmp_path / "study")
    with pytest.raises(DataError, match="no video named a"):
        create_study(models, tmp_path / "study", references=tmp_path / "three")
    with pytest.raises(ConfigError, match="NAME=PATH"):
        parse_models(["one"])
    (tmp_path / "two/a.mp4").write_bytes((tmp_path / "two/a.mp4").read_bytes()[:900])
    with pytest.raises(MediaError):
        create_study(models, tmp_path / "study")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]
    with pytest.raises(DataError, match="i2v study create"):
        Store(tmp_path)
    (tmp_path / "study.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match="no study"):
        Store(tmp_path)


def test_a_study_of_another_version_is_refused(tmp_path):
    study = make_study(tmp_path, clips=1)
    with sqlite3.connect(study / "study.sqlite") as database:
        database.execute("UPDATE settings SET value = '99' WHERE name = 'format'")
    database.close()
    with pytest.raises(DataError, match="another version"):
        Store(study)
    with pytest.raises(DataError, match="not empty"):
        make_study(tmp_path, clips=1)


def test_a_spoiled_video_has_the_pixels_of_the_video_in_other_places():
    frames = np.arange(3 * 16 * 16 * 3).reshape(3, 16, 16, 3) % 251
    made = spoiled(frames.astype(np.uint8), seed=0)
    assert made.shape == (3, 16, 16, 3) and (made != frames).mean() > 0.8
    assert np.array_equal(np.sort(made.ravel()), np.sort(frames.astype(np.uint8).ravel()))


def test_raters_are_drawn_as_a_whole():
    # Ten raters who each give ten equal votes are ten observations and not a hundred.
    votes = [float(rater < 7) for rater in range(10) for _ in range(10)]
    clustered = clustered_interval(votes, [rater for rater in range(10) for _ in range(10)])
    single = clustered_interval(votes, list(range(100)))
    assert clustered[1] - clustered[0] > 2.5 * (single[1] - single[0])
    assert clustered == (0.4, 1.0)  # 7 of 10: the 2.5 % and 97.5 % quantiles of the binomial distribution
    # Clopper and Pearson for n of n: the bound is (alpha / 2) ** (1 / n).
    assert clustered_interval([1.0] * 6, [1, 1, 2, 2, 3, 3]) == (pytest.approx(0.025 ** (1 / 3)), 1.0)
    assert clustered_interval([1.0, 0.0], [1, 1]) == (None, None)


def test_alpha_is_that_of_a_computation_by_hand():
    pytest.importorskip("krippendorff", reason="needs the extra web")
    # Units with values 1 1, 1 0, 0 0, 0 0 and one single value, which counts nowhere. Of 8 values 3 are ones:
    # observed disagreement 2 / 8, expected 2 * 3 * 5 / (8 * 7), alpha = 1 - (2 / 8) / (30 / 56).
    votes, people = [1, 1, 1, 0, 0, 0, 0, 0, 1], [1, 2, 1, 2, 1, 2, 1, 2, 1]
    questions = [1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert krippendorff_alpha(votes, people, questions) == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert krippendorff_alpha([1, 1], [1, 2], [1, 1]) is None
    assert krippendorff_alpha([1, 0], [1, 2], [1, 2]) is None


def test_shares_count_the_first_model_whatever_its_side():
    pytest.importorskip("krippendorff", reason="needs the extra web")
    given = [("first", "a"), ("second", "b"), ("first", "a"), ("first", "b")]
    answers = [
        Answer(
            n % 2, "", n // 2, n, "preference", "preferred", f"c{n // 2}", "a", "b", left, value, False, None, "", 1.0
        )
        for n, (value, left) in enumerate(given)
    ]
    [share] = report_of(answers).shares
    assert (share.share, share.answers, share.raters, share.clips, share.agreement) == (0.75, 4, 2, 2, 0.5)
    with pytest.raises(DataError, match="nobody has answered"):
        report_of([])
