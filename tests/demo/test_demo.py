"""The web demo without its page: models, limits, videos, cancelling, and users at the same time."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from i2vkit.apis import I2VInferencer
from i2vkit.demo.animating import CancelledError, Job, Wish, animate, arrange, compare
from i2vkit.demo.jobs import JobBook
from i2vkit.demo.limits import Limits, checked_clip, checked_image
from i2vkit.demo.models import DRIVING, LABEL, SAMPLES, WALK, DemoModel, Shelf
from i2vkit.errors import ConfigError, I2VError, MediaError
from i2vkit.media import read_image, read_video, video_facts, write_image, write_video
from i2vkit.zoo.index import read_index
from i2vkit.zoo.showing import DRIVING as CLIP
from i2vkit.zoo.showing import FACE

LIMITS = Limits()


@pytest.fixture(scope="module")
def shelf():
    return Shelf(["dtgan-faces", "imaginator-faces"], device="cpu")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The first eight frames of the shipped clip."""
    path = tmp_path_factory.mktemp("clip") / "short.mkv"
    write_video(path, read_video(CLIP)[:8], 7.0)
    return path


def cells(video, rows, columns, height=160, gap=4, caption=24):
    """Cut the pictures out of a grid (T, H, W, 3), row by row."""
    tops = [caption + row * (height + caption) for row in range(rows)]
    lefts = [column * (height + gap) for column in range(columns)]
    return [video[:, top : top + height, left : left + height].astype(float) for top in tops for left in lefts]


def enlarged(video, side=160):
    from i2vkit.visualization.typography import fit

    return np.stack([fit(frame, side, side) for frame in video]).astype(float)


def test_every_shipped_model_can_be_used_on_the_page():
    ways = {name: model.ways for name, model in Shelf().models.items()}
    assert list(ways) == list(read_index())
    assert ways["dtgan-faces"] == ways["frgan-refine-faces"] == [DRIVING]
    assert ways["dual-mtgan-faces"] == [DRIVING, SAMPLES, WALK]
    assert ways["imaginator-faces"] == [SAMPLES, WALK]
    assert DemoModel("a", ("label",), ("x",)).ways == [LABEL] and DemoModel("b", ("poses",)).ways == []


def test_a_video_shows_clip_image_motion_and_result(shelf, clip, tmp_path):
    shares = []
    job = Job(tmp_path, lambda share, word: shares.append(share))
    made = animate(shelf, LIMITS, "dtgan-faces", Wish(FACE, clip, show_motion=True), job)
    assert made.about == "dtgan-faces: 8 frames, 7 a second"
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1 and len(shares) == 8 + 2
    shown = cells(read_video(made.mp4), 2, 2)
    expected = I2VInferencer.from_pretrained("dtgan-faces", device="cpu")(FACE, clip).frames
    still = np.repeat(read_image(FACE)[None], 8, axis=0)
    for picture, truth in ((shown[0], read_video(clip)), (shown[1], still), (shown[3], expected)):
        assert np.abs(picture - enlarged(truth)).mean() < 3  # H.264
    assert shown[2].mean() < 40 < expected.mean()  # the motion alone is mostly black
    gif = read_video(made.gif)
    assert len(gif) == 8 and np.abs(cells(gif, 2, 2, height=128)[3] - enlarged(expected, 128)).mean() < 6
    assert re.fullmatch(r"[0-9a-f]{32}", made.mp4.parent.name)


def test_maps_and_masks_stand_beside_the_clip(clip, tmp_path):
    pytest.importorskip("dlib", reason="needs the extra faces, which finds landmarks")
    wish = Wish(FACE, clip, show_maps=True)
    made = animate(Shelf(["frgan-refine-faces"], "cpu"), LIMITS, "frgan-refine-faces", wish, Job(tmp_path))
    driving, image, maps, mask, coarse, generated = cells(read_video(made.mp4), 2, 3)
    assert np.abs(driving - enlarged(read_video(clip))).mean() < 4 and np.abs(image - image[0]).mean() < 1
    assert np.abs(maps[..., 0] - maps[..., 2]).mean() > 5  # normals are coloured
    assert np.abs(mask - mask.mean(axis=-1, keepdims=True)).mean() < 2 and mask.mean() < 60  # grey, mostly dark
    assert 0 < np.abs(coarse - generated).mean() < 20


def test_samples_and_walks_have_a_cell_each(shelf, tmp_path):
    samples = animate(shelf, LIMITS, "imaginator-faces", Wish(FACE, None, SAMPLES, "anger", 2, seed=5), Job(tmp_path))
    walk = animate(shelf, LIMITS, "imaginator-faces", Wish(FACE, None, WALK, "anger", seed=5), Job(tmp_path))
    three, six = cells(read_video(samples.mp4), 1, 3), cells(read_video(walk.mp4), 2, 3)
    assert np.abs(three[1] - six[1]).mean() < 1 and np.abs(three[2] - six[5]).mean() < 1  # seeds 5 and 6 are the ends
    steps = [np.abs(six[n] - six[n + 1]).mean() for n in range(1, 5)]
    assert max(steps) < np.abs(six[1] - six[5]).mean() + 1


def test_models_are_compared_in_step(shelf, clip, tmp_path):
    made = compare(
        shelf, LIMITS, ["dtgan-faces", "imaginator-faces"], Wish(FACE, clip, label="surprise", seed=1), Job(tmp_path)
    )
    assert "16 frames, 7 a second" in made.about  # that of a label is longer
    driving, image, first, second = cells(read_video(made.mp4), 2, 2)
    own = I2VInferencer.from_pretrained("imaginator-faces", device="cpu")(FACE, label="surprise", seed=1).frames
    assert np.abs(second - enlarged(own)).mean() < 3
    assert np.abs(first[8:] - first[7]).mean() < 1 and np.abs(driving[15] - driving[7]).mean() < 1
    assert np.abs(image - image[0]).mean() < 1 < np.abs(first[7] - first[0]).mean()
    for names in (["dtgan-faces"], ["dtgan-faces"] * 5):
        with pytest.raises(ConfigError, match="2 to 4 models"):
            compare(shelf, LIMITS, names, Wish(FACE, clip), Job(tmp_path))


def test_users_at_the_same_time_get_their_own_videos(shelf, tmp_path):
    def run(seed):
        wish = Wish(FACE, None, SAMPLES, "fear", seed=seed)
        return animate(shelf, LIMITS, "imaginator-faces", wish, Job(tmp_path)).mp4.read_bytes()

    alone = [run(seed) for seed in range(2)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, [0, 1, 0, 1])) == alone * 2
    assert len(set(alone)) == 2


def test_a_cancelled_job_ends_at_once_and_leaves_nothing(shelf, clip, tmp_path):
    book, seen = JobBook(tmp_path), []

    def cancel(share, word):
        seen.append(share)
        if len(seen) == 4:
            assert book.cancel("ann", "animate")

    job = book.begin("ann", "animate", cancel)
    other = book.begin("bob", "animate", lambda share, word: None)
    with pytest.raises(CancelledError):
        animate(shelf, LIMITS, "dtgan-faces", Wish(FACE, clip), job)
    assert len(seen) == 4 and list(book.folder.iterdir()) == []
    assert not book.cancel("ann", "animate") and not other.cancelled.is_set()
    again = book.begin("bob", "animate", lambda share, word: None)
    assert other.cancelled.is_set() and not again.cancelled.is_set()  # a second click replaces the first job
    book.leave("bob")
    assert again.cancelled.is_set()


@pytest.mark.parametrize(
    ("name", "wish", "message"),
    [
        ("dtgan-faces", Wish(None), "no image yet"),
        ("dtgan-faces", Wish(FACE), "no driving clip yet"),
        ("dtgan-faces", Wish(FACE, CLIP, SAMPLES), "does not move an image by a random samples: choose driving clip"),
        ("imaginator-faces", Wish(FACE, None, SAMPLES), "choose a label for imaginator-faces: anger"),
        ("imaginator-faces", Wish(FACE, None, SAMPLES, "joy"), "choose a label"),
        ("imaginator-faces", Wish(FACE, None, SAMPLES, "fear", 7), "1 to 6 samples, not 7"),
        ("dtgan", Wish(FACE, CLIP), "this page has no model 'dtgan'"),
    ],
)
def test_missing_inputs_are_named(shelf, name, wish, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        animate(shelf, LIMITS, name, wish, Job(tmp_path))


def test_bad_files_are_named_without_their_folders(tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no image")
    cut = tmp_path / "cut.png"
    write_image(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    cut.write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    clip = tmp_path / "clip.mp4"
    write_video(clip, np.zeros((12, 32, 32, 3), np.uint8), 4)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 5000)
    shutil.copyfile(clip, tmp_path / "clip.txt")
    small = Limits(megabytes=1, frames=8, megapixels=1)
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(2 * 10**6)
    write_image(tmp_path / "wide.png", np.zeros((1000, 1100, 3), np.uint8))
    for check, file, message in (
        (checked_image, text, "no image that can be read"),
        (checked_image, cut, "cut.png"),
        (checked_image, tmp_path / "large.png", "has 2 MB, and this page takes 1 MB"),
        (checked_image, tmp_path / "wide.png", "1100x1000"),
        (checked_clip, broken, "broken.mp4"),
        (checked_clip, tmp_path / "clip.txt", "is no video"),
        (checked_clip, clip, "12 frames, and this page takes 8: cut it to its first 2 seconds"),
    ):
        with pytest.raises(MediaError, match=re.escape(message)) as caught:
            check(file, small)
        assert str(tmp_path) not in str(caught.value) and file.name in str(caught.value)
    assert checked_clip(clip, LIMITS) == 12 == video_facts(clip).num_frames
    assert checked_image(tmp_path / "whole.png", LIMITS).shape == (64, 64, 3)


def test_what_the_model_says_about_a_file_has_no_folder_either(shelf, tmp_path):
    clip = tmp_path / "clip.mp4"
    write_video(clip, np.random.default_rng(0).integers(0, 255, (9, 64, 64, 3), np.uint8), 7)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    with pytest.raises(I2VError, match=r"^clip\.mp4 cannot be read after 3 frames") as caught:
        animate(shelf, LIMITS, "dtgan-faces", Wish(FACE, clip), Job(tmp_path))
    assert str(tmp_path) not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_unknown_models_are_refused():
    with pytest.raises(ConfigError, match="no shipped model 'dtgan-face'"):
        Shelf(["dtgan-face"])


def test_rows_of_the_grid():
    assert arrange(["a", "b", "c"]) == [["a", "b", "c"]]
    assert arrange(list("abcde")) == [["a", "b", "c"], ["d", "e", ""]]


def test_a_missing_extra_is_one_error(monkeypatch, capsys):
    import builtins

    from i2vkit.cli.main import main

    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] in ("gradio", "uvicorn", "starlette", "krippendorff"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, *rest, **more)

    import i2vkit.web.serving as serving

    monkeypatch.setattr(serving, "import_module", lambda name: without(name))
    for words in (["demo"], ["study", "serve", "x"], ["study", "report", "x"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "pip install 'i2vkit[web]'" in error


def test_the_address_must_be_free():
    from i2vkit.web.serving import address_of, listening_socket

    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert address_of(taken) == f"http://127.0.0.1:{port}/"
        with pytest.raises(ConfigError, match="--port"):
            listening_socket("127.0.0.1", port)
    with pytest.raises(ConfigError, match="--host"):
        listening_socket("192.0.2.1", 0)
