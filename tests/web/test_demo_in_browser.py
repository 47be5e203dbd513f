"""The demo in Chromium: a dropped file becomes a video that plays, mistakes are told, and jobs can be cancelled."""

import base64
import os
from pathlib import Path

import numpy as np
import pytest

from i2vkit.media import read_video, video_facts, write_video
from i2vkit.zoo.showing import DRIVING, FACE

pytestmark = pytest.mark.browser
RESULT = "#animate-result video"

DROP = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    return transfer;
}"""
# Mean and spread of the pixels that a video shows at this moment.
PIXELS = """video => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const picture = canvas.getContext("2d");
    picture.drawImage(video, 0, 0);
    const pixels = Array.from(picture.getImageData(0, 0, canvas.width, canvas.height).data);
    const grey = pixels.filter((_, place) => place % 4 < 3);
    const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
    return [mean, Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length)];
}"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_video(path, read_video(DRIVING)[:10], 7.0)
    return path


def drop(page, where, path, kind):
    """Drop a file on an input, as from a folder of the desktop."""
    data = base64.b64encode(Path(path).read_bytes()).decode()
    transfer = page.evaluate_handle(DROP, [Path(path).name, kind, data])
    page.dispatch_event(f"{where} button:has(input[type=file])", "drop", {"dataTransfer": transfer})


def picture(page, name):
    if folder := os.environ.get("I2V_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def open_demo(page, port):
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("#animate-start")
    page.wait_for_selector("#image input[type=file]", state="attached")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_dropped_image_becomes_a_video_that_plays(page_of, demo, clip, width):
    page, hosts, faults = page_of(width, 850)
    open_demo(page, demo[0])
    drop(page, "#image", FACE, "image/png")
    page.wait_for_selector("#image img")
    drop(page, "#driving", clip, "video/mp4")
    page.wait_for_selector("#driving video")
    page.get_by_label("Show the motion alone").check()
    page.click("#animate-start")
    page.wait_for_selector(RESULT)
    page.wait_for_function(f"document.querySelector('{RESULT}').currentTime > 0.1", timeout=10_000)
    first = page.eval_on_selector(RESULT, "video => [video.currentTime, video.videoWidth, video.error]")
    page.wait_for_function(f"Math.abs(document.querySelector('{RESULT}').currentTime - {first[0]}) > 0.2")
    mean, spread = page.eval_on_selector(RESULT, PIXELS)
    assert first[1:] == [324, None] and 60 < mean < 200 and spread > 30  # two cells of 160 in a row, not black
    assert page.inner_text("#animate-note").strip() == "dtgan-faces: 10 frames, 7 a second"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"demo_animate_{width}")
    for name, count in (("Download MP4", 10), ("Download GIF", 10)):
        with page.expect_download() as started:
            page.get_by_role("button", name=name).click()
        file = started.value.path().with_suffix(f".{name[-3:].lower()}")
        started.value.save_as(file)
        assert video_facts(file).num_frames == count
    assert hosts == {f"127.0.0.1:{demo[0]}"} and faults == []


def test_models_side_by_side(page_of, demo, clip):
    page, hosts, _ = page_of(1280, 850)
    open_demo(page, demo[0])
    page.get_by_role("tab", name="Compare").click()
    page.locator("tbody tr:visible").first.click()
    page.wait_for_selector("video:visible")
    page.click("#compare-start")
    page.wait_for_selector("#compare-result video")
    page.wait_for_function("document.querySelector('#compare-result video').currentTime > 0.1")
    assert page.inner_text("#compare-note").startswith("dtgan-faces, imaginator-faces: 21 frames")
    picture(page, "demo_compare_1280")
    assert hosts == {f"127.0.0.1:{demo[0]}"}


def test_mistakes_are_told_and_jobs_cancelled(page_of, demo, tmp_path):
    page, _, _ = page_of(390, 850)
    open_demo(page, demo[0])

    def refused(text):
        page.click("#animate-start")
        page.get_by_text(text).first.wait_for()
        page.locator(".toast-close").first.click()

    refused("there is no image yet")
    (tmp_path / "letter.png").write_text("no image")
    drop(page, "#image", tmp_path / "letter.png", "image/png")
    page.wait_for_selector("#image img", state="attached")
    refused("letter.png is no image that can be read: take a PNG, JPEG or WebP")
    open_demo(page, demo[0])
    drop(page, "#image", FACE, "image/png")
    page.wait_for_selector("#image img")
    long = tmp_path / "long.mp4"
    write_video(long, np.full((201, 32, 32, 3), 90, np.uint8), 10)
    page.set_input_files("#driving input[type=file]", str(long))
    page.wait_for_selector("#driving video")
    refused("long.mp4 has 201 frames, and this page takes 200: cut it to its first 20 seconds")
    write_video(long, np.full((200, 32, 32, 3), 90, np.uint8), 10)
    open_demo(page, demo[0])
    drop(page, "#image", FACE, "image/png")
    page.wait_for_selector("#image img")
    page.set_input_files("#driving input[type=file]", str(long))
    page.wait_for_selector("#driving video")
    page.click("#animate-start")
    page.get_by_text("dtgan-faces, frame").first.wait_for()
    page.click("#animate-stop")
    page.locator("#animate-note", has_text="Cancelled.").wait_for()
    assert page.locator(RESULT).count() == 0
