"""Every code block of docs/write_a_part.md, run in its order in an empty folder; trainings take two iterations."""

import re
import sys
from pathlib import Path

import pytest
from pages import ROOT, PageRunner

from i2vkit.generator_slots import added_slots, remove_slot
from i2vkit.media import read_video
from i2vkit.registry import DECODERS, remove_role


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


def test_every_block_of_the_page_runs(folder, monkeypatch, capsys):
    run = list(PageRunner(monkeypatch, capsys).run("write_a_part.md").items())
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
