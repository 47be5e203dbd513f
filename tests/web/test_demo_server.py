"""What the demo's server gives to whom: files, headers, and videos of ten users at the same time."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from study_site import ROOT, Browser

from i2vkit.media import write_image
from i2vkit.zoo.showing import FACE

pytestmark = pytest.mark.browser


def test_it_serves_no_file_that_it_did_not_make(demo, tmp_path):
    port, log = demo
    browser = Browser(port)
    status, headers, _ = browser.request("GET", "/")
    assert status == 200 and "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer" and "access-control-allow-origin" not in headers
    (tmp_path / "secret.txt").write_text("secret")
    for path in ("/etc/passwd", ROOT / "README.md", "README.md", "i2vkit/cli/demo.py", log, tmp_path / "secret.txt"):
        for address in (f"file={path}", f"file={quote(str(path), safe='')}", f"file/{path}"):
            assert browser.request("GET", f"/gradio_api/{address}")[0] in (403, 404), address
    for address in ("file=http://127.0.0.1:9/x", "file=HTTP://127.0.0.1:9/x", "proxy=http://127.0.0.1:9/x"):
        assert browser.request("GET", f"/gradio_api/{address}")[0] == 404, address
    for address in ("/docs", "/openapi.json", "/monitoring/summary"):
        assert browser.request("GET", address)[0] != 200, address
    browser.close()


def input_of(browser, path):
    """Send a path in place of an upload, as a program may; returns the error."""
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": ["dtgan-faces", file, None, "driving clip", None, 1, 0, False, False]})
    kind = {"content-type": "application/json"}
    event = json.loads(browser.request("POST", "/gradio_api/call/animate", body, kind)[2])["event_id"]
    return browser.request("GET", f"/gradio_api/call/animate/{event}")[2].decode()


def test_it_reads_no_file_that_was_not_uploaded(demo, tmp_path):
    write_image(tmp_path / "private.png", np.zeros((8, 8, 3), np.uint8))
    browser = Browser(demo[0])
    for path in (tmp_path / "private.png", ROOT / "i2vkit/zoo/examples/face.png", "/etc/hostname", "README.md"):
        assert "it was not uploaded by a user" in input_of(browser, str(path)), path
    assert "fetches nothing from elsewhere" in input_of(browser, "http://127.0.0.1:9/face.png")
    browser.close()


def make_one(port, seed, folder):
    """Be one user: make a video by the seed, and return the hash of the MP4 that is downloaded."""
    from gradio_client import Client, handle_file

    client = Client(f"http://127.0.0.1:{port}/", verbose=False, analytics_enabled=False, download_files=folder)
    try:
        given = [handle_file(str(FACE)), None, "random samples", "fear", 1, seed, False, False]
        *shown, note = client.predict("imaginator-faces", *given, api_name="/animate")
    finally:
        client.close()
    assert note == "imaginator-faces: 16 frames, 7 a second"
    # The buttons for downloads come as changes of components, and their files are values of these.
    video, mp4, gif = (Path(one["value"] if isinstance(one, dict) else one) for one in shown)
    assert video.read_bytes() == mp4.read_bytes() and gif.read_bytes()[:3] == b"GIF"
    return hashlib.sha256(mp4.read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of Gradio's client are not ours
def test_ten_users_at_once_get_their_own_videos(demo, tmp_path):
    port, log = demo
    before = len(log.read_text())  # Gradio logs what the tests above are refused
    alone = [make_one(port, seed, tmp_path) for seed in range(10)]
    assert len(set(alone)) == 10
    with ThreadPoolExecutor(10) as pool:
        together = list(pool.map(lambda seed: make_one(port, seed, tmp_path), range(10)))
    assert together == alone
    assert "Traceback" not in log.read_text()[before:]
