"""A preparation is killed, or its disk fails, at each of its interruption points, and ends all the same."""

import shutil
from functools import partial

import pytest
from processes import write_once

from faults.interruptions import FAILING, KILLED, chosen, every_point, run
from i2vkit.errors import DataError
from i2vkit.preparation import prepare_oulu_casia
from i2vkit.preparation.jobs import run_jobs
from i2vkit.rendering.synthetic_oulu_casia import synthesize_oulu_casia

FRAMES = 4  # kept of each clip


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Two short clips of one person, without ground truth."""
    root = tmp_path_factory.mktemp("raw") / "set"
    synthesize_oulu_casia(root, people=1, workers=1, size=(96, 72), truth="none")
    person = root / "OriginalImg/VL/Strong/P001"
    for folder in sorted(person.iterdir())[2:]:
        shutil.rmtree(folder)
    for folder in person.iterdir():
        for frame in sorted(folder.iterdir())[FRAMES:]:
            frame.unlink()
        table = root / f"landmarks/VL/Strong/P001/{folder.name}.csv"
        table.write_text("".join(table.read_text().splitlines(keepends=True)[: 1 + FRAMES]))
    return root


def prepare(raw, out):
    return prepare_oulu_casia(raw, out, size=32, workers=1)


def tree(folder):
    return {str(path.relative_to(folder)): path.is_file() and path.read_bytes() for path in sorted(folder.rglob("*"))}


@pytest.fixture(scope="module")
def straight(raw, tmp_path_factory):
    """The uninterrupted preparation: what it writes, and the kinds of its interruption points."""
    prepare(raw, tmp_path_factory.mktemp("first") / "out")
    out = tmp_path_factory.mktemp("straight") / "out"
    code, kinds, error = run(partial(prepare, raw, out), out)
    assert code == 0, error
    assert {"open", "write", "rename", "mkdir"} <= set(kinds)
    return tree(out), kinds


@every_point
def test_a_killed_preparation_goes_on_to_the_same_end(raw, straight, tmp_path, every):
    end, kinds = straight
    wrong, killed = [], 0
    for number in chosen(kinds, every, ("write", "rename", "mkdir")):
        out = tmp_path / str(number)
        code, _, error = run(partial(prepare, raw, out), out, number)
        assert code in (KILLED, 0), (number, kinds[number], error)  # the number of log lines varies by one or two
        killed += code == KILLED
        code, _, error = run(partial(prepare, raw, out), out)
        if code or tree(out) != end:
            wrong.append((number, kinds[number], error, sorted({*tree(out)} ^ {*end})))
    assert not wrong and killed >= (len(kinds) - 3 if every else 1)


@every_point
def test_a_preparation_whose_disk_fails_says_so_and_goes_on_to_the_same_end(raw, straight, tmp_path, every):
    end, kinds = straight
    wrong = []
    for number in (number for number in chosen(kinds, every, ("write", "rename")) if kinds[number] in FAILING):
        out = tmp_path / str(number)
        code, _, error = run(partial(prepare, raw, out), out, number, "fail")
        clear = code == 0 or (error[0] in ("DataError", "MediaError") and "No space left" in error[1])
        code, _, error = (1, None, error) if not clear else run(partial(prepare, raw, out), out)
        if code or tree(out) != end:
            wrong.append((number, kinds[number], error))
    assert not wrong


@pytest.mark.slow  # the processes of a pool start from a fresh interpreter
def test_a_preparation_whose_worker_dies_says_so_and_goes_on_to_the_same_end(tmp_path):
    jobs = [(tmp_path / f"{number}.txt", number == 5) for number in range(8)]
    with pytest.raises(DataError, match=r"Use fewer --workers and run the same command again: the \d clips of 8"):
        run_jobs(write_once, jobs, workers=2)
    assert run_jobs(write_once, jobs, workers=2) == [f"{number}.txt" for number in range(8)]
    assert len(list(tmp_path.glob("*.txt"))) == 8
