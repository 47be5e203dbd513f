"""A small user study, and its server in a process of its own, for the tests of its parts."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from i2vkit.media import write_video
from i2vkit.study.creation import StudyPlan, create_study

ROOT = Path(__file__).parents[1]


def make_study(folder, models=("alpha", "beta"), clips=20, frames=4, **plan):
    """Write a study of videos whose colour tells the model: the first is red, the others are less so."""
    paths = {}
    for number, model in enumerate(models):
        paths[model] = folder / f"of_{model}"
        for clip in range(clips):
            video = np.full((frames, 32, 32, 3), 40, np.uint8)
            video[..., 0] = 230 - 90 * number
            for t in range(frames):
                video[t, 4 * t : 4 * t + 8, clip : clip + 8] = 255
            write_video(paths[model] / f"person{clip}_smile.mp4", video)
    create_study(paths, folder / "study", StudyPlan(**plan))
    return folder / "study"


@contextmanager
def served(command, log):
    """Serve ``i2v COMMAND ...`` in a process of its own; yields the process and its port."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with Path(log).open("ab") as output:
        start = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "i2vkit", *command], env=environment, stdout=output, stderr=output, cwd=ROOT
        )
    try:
        yield process, _port(process, Path(log), start)
    finally:
        process.kill()
        process.wait()


def _port(process, log, start):
    for _ in range(1800):
        text = log.read_bytes()[start:].decode()
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/", text):
            return int(found[1])
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(f"no address after three minutes: {log.read_text()}")


class Browser:
    """What the page of a study does, without its pictures: it begins, answers, and tries again after errors."""

    def __init__(self, port):
        self.port = port
        self._connection = None

    def request(self, method, path, body=None, headers=None, patient=False):
        """Return status, headers and body. With ``patient`` a server that is away is waited for."""
        for attempt in range(300 if patient else 1):
            try:
                self._connection = self._connection or HTTPConnection("127.0.0.1", self.port, timeout=60)
                self._connection.request(method, path, body=body, headers=headers or {})
                answer = self._connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            except (OSError, HTTPException):
                self.close()
                if attempt == 299 or not patient:
                    raise
                time.sleep(0.1)
        raise AssertionError

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def start(self, known_as="", nonce=None):
        """Begin as a rater; returns the path of the rater's page, or None if no question is left."""
        if nonce is None:
            page = self.request("GET", "/", patient=True)[2].decode()
            nonce = re.search(r'name="nonce" value="(.*?)"', page)[1]
        body = urlencode({"nonce": nonce, "known_as": known_as})
        status, headers, _ = self.request("POST", "/start", body, patient=True)
        return f"/{headers['location']}" if status == 303 else None

    def question(self, page):
        return json.loads(self.request("GET", f"{page}/question", patient=True)[2])

    def answer(self, page, question, **given):
        body = json.dumps({"question": question, "answer": given})
        status, _, text = self.request("POST", f"{page}/answer", body, patient=True)
        return status, json.loads(text)
