"""The run of a table is killed at each of its interruption points, and ends all the same."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from faults.interruptions import FAILING, KILLED, chosen, every_point, run
from i2vkit.analysis.tables import scheduling
from i2vkit.analysis.tables.row import train_and_test
from i2vkit.media import write_image

TIMES = ("seconds", "resumed_from", "training")
pytestmark = [
    pytest.mark.slow,  # a run takes seconds
    # Loggers are named by the second, and here several runs, else in processes of their own, share one.
    pytest.mark.filterwarnings("ignore:.*instance named:UserWarning"),
]


@pytest.fixture(scope="module")
def description(tmp_path_factory):
    """A table of one narrow row, three iterations and two clips."""
    root = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    for person in ("P1", "P2"):
        for t in range(32):
            write_image(root / f"clips/{person}/anger/clip/{t:03d}.png", rng.integers(0, 255, (64, 64, 3), np.uint8))
    options = {"model.generator.content_encoder.widths": [4] * 4, "model.generator.decoder.widths": [4] * 4}
    options |= {"model.discriminators.video.network.widths": [4] * 4, "visualizer.vis_backends": []}
    for use, people in (("train", "exclude_people"), ("val", "people"), ("test", "people")):
        data = f"{use}_dataloader"
        options |= {f"{data}.dataset.reader.root": str(root / "clips"), f"{data}.dataset.{people}": ["P1"]}
        options |= {f"{data}.dataset.min_frames": 4, f"{data}.dataset.window.stride": 1}
        options |= {f"{data}.batch_size": 1, f"{data}.num_workers": 0, f"{data}.dataset.cache": None}
    options |= {f"{use}_dataloader.dataset.truth": None for use in ("val", "test")}
    path = root / "t.json"
    rows = [{"name": "row", "config": "vgan_mug"}]
    path.write_text(json.dumps({"title": "T", "iterations": 3, "rows": rows, "options": options}))
    return path


def run_table(description, out):
    """Run the table with its row in this process, so that its interruption points count."""

    def start(folder, single_thread, gpu=None):
        train_and_test(folder)
        return SimpleNamespace(poll=lambda: 0, returncode=0, kill=lambda: None, wait=lambda: None)

    scheduling.start_row = start
    scheduling.run_table(description, out, strict=True)


def ends(out):
    """The scores, the table without its minutes, and the names of all files that do not name a time."""
    row = json.loads((out / "row/row.json").read_text())
    row = {key: value for key, value in row.items() if key not in TIMES}
    row["checkpoint"].pop("sha256")  # a checkpoint holds the time of its writing
    row["checkpoint"]["file"] = Path(row["checkpoint"]["file"]).name
    files = {str(path.relative_to(out)) for path in out.rglob("*") if "/20" not in str(path.relative_to(out))}
    return row, {name for name in files if not name.startswith(("curves", "row/log"))}


@pytest.fixture(scope="module")
def straight(description, tmp_path_factory):
    """The uninterrupted table: its end, and the kinds of its interruption points."""
    start_row = scheduling.start_row
    run_table(description, tmp_path_factory.mktemp("first") / "out")  # imports here what each process would
    scheduling.start_row = start_row
    out = tmp_path_factory.mktemp("straight") / "out"
    code, kinds, error = run(partial(run_table, description, out), out)
    assert code == 0, error
    return ends(out), kinds


@every_point
def test_a_killed_table_goes_on_to_the_same_scores(description, straight, tmp_path, every):
    end, kinds = straight
    wrong, killed = [], 0
    for number in chosen(kinds, every, ("hook before_test", "fsync", "remove")):
        out = tmp_path / str(number)
        code, _, error = run(partial(run_table, description, out), out, number)
        assert code in (KILLED, 0), (number, kinds[number], error)  # the number of log lines varies by one or two
        killed += code == KILLED
        code, _, error = run(partial(run_table, description, out), out)
        if code or ends(out) != end:
            other = {} if code else ends(out)[0]
            wrong.append((number, kinds[number], error, [key for key in end[0] if other.get(key) != end[0][key]]))
    assert not wrong and killed >= (len(kinds) - 3 if every else 1)


@every_point
def test_a_table_whose_disk_fails_says_so_and_goes_on_to_the_same_scores(description, straight, tmp_path, every):
    end, kinds = straight
    wrong = []
    for number in (number for number in chosen(kinds, every, ("rename", "fsync")) if kinds[number] in FAILING):
        out = tmp_path / str(number)
        code, _, error = run(partial(run_table, description, out), out, number, "fail")
        clear = code == 0 or (error[0].endswith("Error") and error[0] != "OSError" and "No space left" in error[1])
        code, _, error = run(partial(run_table, description, out), out) if clear else (1, None, error)
        if code or ends(out) != end:
            wrong.append((number, kinds[number], error))
    assert not wrong, wrong[0][2][2]
