"""The server of a user study in a process of its own: fifty raters, a kill in between, and pages that tell nothing."""

import json
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from study_site import Browser, make_study, served

from i2vkit.study.answers import answers_of
from i2vkit.study.report import report_of
from i2vkit.study.store import Store

pytest.importorskip("uvicorn", reason="needs the extra web: pip install 'i2vkit[web]'")
pytest.importorskip("krippendorff", reason="needs the extra web: pip install 'i2vkit[web]'")
pytest.importorskip("starlette", reason="needs the extra web: pip install 'i2vkit[web]'")


def take_part(port, seed):
    """Answer all questions, each twice as a double click does; returns the answers by the question's token."""
    browser, choices, given = Browser(port), random.Random(seed), {}
    page = browser.start(nonce=f"nonce-{seed}")
    assert browser.start(nonce=f"nonce-{seed}") == page
    question = browser.question(page)["question"]
    while question:
        side = choices.choice(["left", "right"])
        answers = [browser.answer(page, question["token"], preferred=side) for _ in range(2)]
        assert [status for status, _ in answers] == [200, 200]
        assert answers[0][1]["question"] == answers[1][1]["question"]
        given[question["token"]] = side
        question = answers[1][1]["question"]
    browser.close()
    return given


def test_fifty_raters_and_a_killed_server_lose_and_double_nothing(tmp_path):
    study = make_study(tmp_path, clips=6, questions=6, raters=50, checks=1)
    store, log = Store(study), tmp_path / "log"
    with ThreadPoolExecutor(50) as pool:
        with served(["study", "serve", str(study), "--port", "0"], log) as (_, port):
            runs = [pool.submit(take_part, port, seed) for seed in range(50)]
            until = time.monotonic() + 60
            while len(answers_of(store)) < 100 and time.monotonic() < until:
                time.sleep(0.05)
        before = len(answers_of(store))  # the server was killed while it was storing answers
        assert 100 <= before < 350
        with served(["study", "serve", str(study), "--port", str(port)], log):
            results = [run.result(timeout=120) for run in runs]
    expected = {token: side for given in results for token, side in given.items()}
    assert [len(given) for given in results] == [7] * 50 and len(expected) == 350
    with store.reading() as database:
        rows = database.execute(
            "SELECT token, value FROM answers JOIN assignments ON assignments.id = answers.assignment"
        ).fetchall()
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert len(rows) == 350 and {row["token"]: row["value"] for row in rows} == expected
    answers = answers_of(store)
    assert len({answer.rater for answer in answers}) == 50
    assert report_of(answers, missed=1).shares[0].answers == 300
    assert "Traceback" not in log.read_text()


def test_pages_addresses_and_headers_tell_nothing(tmp_path):
    study = make_study(tmp_path, models=("alpha", "beta"), clips=4, questions=4, checks=1, title="A <b>study</b>")
    with served(["study", "serve", str(study), "--port", "0"], tmp_path / "log") as (process, port):
        browser = Browser(port)
        status, headers, welcome = browser.request("GET", "/")
        assert status == 200 and b"A &lt;b&gt;study&lt;/b&gt;" in welcome and b"up to 5 questions" in welcome
        assert "default-src 'none'" in headers["content-security-policy"] and "server" not in headers
        assert b"are stored, without a name" in welcome
        assert b"are stored, under the name" in browser.request("GET", "/?id=w7")[2]
        page = browser.start()
        seen, media = [json.dumps(headers), welcome.decode()], []
        question = browser.question(page)["question"]
        while question:
            seen.append(json.dumps(question))
            for token in question["media"].values():
                status, headers, _ = browser.request("GET", f"/media/{token}")
                assert status == 200 and headers["content-type"] == "video/mp4"
                assert headers["last-modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
                seen.append(json.dumps(headers))
                media.append(token)
            question = browser.answer(page, question["token"], preferred="left")[1]["question"]
        seen.append(browser.request("GET", page)[2].decode())
        seen += [browser.request("GET", f"/static/study.{kind}")[2].decode() for kind in ("css", "js")]
        assert len(set(media)) == 10
        words = ("alpha", "beta", "person", "smile", str(tmp_path), *(path.stem for path in study.glob("media/*")))
        assert [word for word in words if word in "".join(seen)] == []
        assert not re.search(r"https?://", "".join(seen))

        # What phones ask for: a part of a file.
        status, headers, part = browser.request("GET", f"/media/{media[0]}", headers={"range": "bytes=4-7"})
        assert (status, part, headers["content-range"][:10]) == (206, b"ftyp", "bytes 4-7/")
        for path in ("/media/x", "/media/..%2fstudy.sqlite", "/static/../../server.py", "/study.sqlite", "/r/x"):
            assert browser.request("GET", path)[0] == 404, path
        cookie = {"cookie": f"rater_{Store(study).settings['id']}={page.split('/')[-1]}"}
        assert browser.request("GET", "/", headers=cookie)[1]["location"] == page[1:]  # the same browser goes on
        for body in ("", "[]", '{"question": 1, "answer": {}}', '{"question": "x", "answer": {}}', "x" * 10_000):
            assert browser.request("POST", f"{page}/answer", body)[0] == 400
        assert browser.request("POST", "/start", "known_as=" + "x" * 200 + "&nonce=y")[0] == 400
        assert browser.request("POST", "/start", "")[0] == 400
        process.terminate()  # while a browser holds its connection
        assert process.wait(timeout=30) == 0
        browser.close()
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log and "interrupted" not in log
