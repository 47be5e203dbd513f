"""Every code block of docs/write_a_part.md, run in its order in an empty folder; trainings take two iterations."""

import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from i2vkit.generator_slots import added_slots, remove_slot
from i2vkit.media import read_video
from i2vkit.registry import DECODERS, remove_role

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/write_a_part.md"
SHORT = ["train_cfg.max_iters=2", "train_cfg.val_interval=2", "default_hooks.checkpoint.interval=2"]


def blocks() -> list[tuple[str, str]]:
    """Language and text of each block, in their order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder; what is imported and registered there is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("I2VKIT", str(ROOT))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    DECODERS.module_dict.pop("ResizeDecoder", None)
    if "motion_smoother" in added_slots():
        remove_slot("motion_smoother")
        remove_role("motion smoother")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("my_parts", "test_decoder")]:
        del sys.modules[name]


def run_line(line: str, monkeypatch) -> None:
    """One line of the shell; Python runs in this process, pytest by calling the tests of a file."""
    if line.startswith("export "):
        return  # the fixture has done it
    words = shlex.split(os.path.expandvars(line))
    if words[:2] == ["mkdir", "-p"]:
        Path(words[2]).mkdir(parents=True)
        return
    assert words[0] == "python", f"the test does not know how to run {line!r}"
    if words[1:4] == ["-m", "pytest", "-q"]:
        tests = {name: value for name, value in runpy.run_path(words[4]).items() if name.startswith("test_")}
        assert tests
        for test in tests.values():
            test()
        return
    if words[1].endswith("train.py"):
        words += [] if "--cfg-options" in words else ["--cfg-options"]
        words += SHORT
    monkeypatch.setattr("sys.argv", words[1:])
    runpy.run_path(words[1], run_name="__main__")


def test_every_block_of_the_page_runs(folder, monkeypatch, capsys):
    run = []
    for language, text in blocks():
        if language == "python":
            name = text.splitlines()[0].removeprefix("# ")
            Path(name).write_text(text, encoding="utf-8")
            continue
        assert language == "bash"
        for line in text.splitlines():
            run_line(line, monkeypatch)
            run.append((line, capsys.readouterr().out))
    assert "ResizeDecoder" in DECODERS.module_dict
    printed = {Path(line.split()[1]).name: out for line, out in run if line.startswith("python")}
    assert "  LabelFusion: through CodeToTrajectory" in next(out for line, out in run if "parts.py" in line)
    costs = next(out for line, out in run if "flops.py" in line)
    assert re.search(r"^my_config\.py +decoder ", costs, re.MULTILINE)
    assert "'my_parts.decoder.ResizeDecoder'" in printed["print_config.py"]
    [smoother] = [out for line, out in run if line.endswith("--spec Follow")]
    assert "Follow: motion smoother" in smoother and "ResizeDecoder" in smoother
    assert "ssim_improvement" in printed["test.py"]
    assert {path.parent.name for path in Path("work_dirs").glob("*/iter_2.pth")} == {"my_config", "frame_decoder"}
    assert len(read_video("moved.gif")) == 8
