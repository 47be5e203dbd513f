"""A user study in Chromium: two raters, one of them on a phone, judge twenty pairs."""

import json
import os
from pathlib import Path

import pytest
from study_site import make_study, served

from i2vkit.cli.main import main
from i2vkit.study.answers import answers_of
from i2vkit.study.store import Store

pytestmark = pytest.mark.browser

# The colour in the middle of a playing video: the model's, see ``make_study``.
RED = """id => {
    const video = document.getElementById(id), canvas = document.createElement("canvas");
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const picture = canvas.getContext("2d");
    picture.drawImage(video, 0, 0);
    const pixels = picture.getImageData(0, 0, canvas.width, canvas.height).data;
    let red = 0;
    for (let at = 0; at < pixels.length; at += 4) red += pixels[at];
    return red / (pixels.length / 4);
}"""


def picture(page, name):
    """Keep a screenshot for a person, if one asked for it."""
    if folder := os.environ.get("I2V_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def wait_for_question(page, number):
    page.wait_for_selector(f"#stage[data-ready='{number}']", timeout=20_000)


def judge(page, number):
    """Prefer the redder video. In a pair of equal colours, a spoiled copy, prefer any."""
    wait_for_question(page, number)
    red = {side: page.evaluate(RED, side) for side in ("left", "right")}
    side = max(red, key=red.get)
    page.dblclick(f".choice[data-value={side}]")  # the second click must not answer the next question


def test_two_raters_judge_twenty_pairs(page_of, tmp_path, capsys):
    study = make_study(tmp_path, models=("alpha", "beta"), clips=20, frames=3, questions=20, raters=2, checks=0)
    log = tmp_path / "log"
    with served(["study", "serve", str(study), "--port", "0"], log) as (_, port):
        raters = [page_of(1280, 800), page_of(390, 844)]
        for page, _, _ in raters:
            page.goto(f"http://127.0.0.1:{port}/")
            picture(page, f"study_welcome_{page.viewport_size['width']}")
            page.get_by_role("button", name="Start").dblclick()
        for number in range(1, 21):
            for page, _, _ in raters:
                if number == 10:  # the browser was closed and opened again
                    page.goto(f"http://127.0.0.1:{port}/")
                wait_for_question(page, number)
                if number == 2:
                    picture(page, f"study_pair_{page.viewport_size['width']}")
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                    assert page.get_by_text(f"Question {number} of 20").is_visible()
                judge(page, number)
        for page, hosts, faults in raters:
            page.get_by_role("heading", name="Thank you").wait_for()
            picture(page, f"study_end_{page.viewport_size['width']}")
            assert hosts == {f"127.0.0.1:{port}"} and faults == []
            assert page.evaluate("document.body.scrollWidth <= innerWidth")
    answers = answers_of(Store(study))
    assert len(answers) == 40 and {answer.rater for answer in answers} == {1, 2}
    assert {answer.value for answer in answers} == {"first"}
    assert 4 < sum(answer.left == "alpha" for answer in answers) < 36  # 5 standard deviations
    main(["study", "report", str(study)])
    row = next(line for line in capsys.readouterr().out.splitlines() if "alpha over beta" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "alpha over beta",
        "100.0 %",
        "15.8 to 100.0 %",  # exact, two raters
        "40",
        "2",
        "20",
        "100.0 %",
        "-",  # alpha is not defined where all answers are alike
    ]
    assert json.loads((study / "report/report.json").read_text())["answers"] == 40
    assert "Traceback" not in log.read_text()


def test_a_rating_and_a_server_that_goes_away(page_of, tmp_path):
    study = make_study(
        tmp_path, models=("alpha",), clips=2, frames=3, questions=2, raters=1, checks=1, kinds=("rating",)
    )
    log = tmp_path / "log"
    page, _, faults = page_of(390, 844)
    with served(["study", "serve", str(study), "--port", "0"], log) as (_, port):
        page.goto(f"http://127.0.0.1:{port}/?id=worker7")
        page.get_by_role("button", name="Start").click()
        wait_for_question(page, 1)
        submit = page.get_by_role("button", name="Next")
        for aspect in ("realistic", "spatially_consistent", "temporally_consistent"):
            assert submit.is_disabled()
            page.click(f"fieldset[data-aspect={aspect}] label:has-text('No')")
        picture(page, "study_rating_390")
    submit.click()
    page.get_by_text("No connection.").wait_for()
    with served(["study", "serve", str(study), "--port", str(port)], log):
        for number in (2, 3):
            wait_for_question(page, number)
            for aspect in ("realistic", "spatially_consistent", "temporally_consistent"):
                page.click(f"fieldset[data-aspect={aspect}] label:has-text('No')")
            submit.click()
        page.get_by_role("heading", name="Thank you").wait_for()
    answers = answers_of(Store(study))
    assert len(answers) == 9 and {answer.known_as for answer in answers} == {"worker7"}
    assert [answer.passed for answer in answers if answer.passed is not None] == [True]
    assert [fault for fault in faults if "ERR_CONNECTION" not in fault] == []
