"""The tutorials of docs/tutorials, run from their own code blocks in an empty folder; trainings take two iterations."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import ROOT, PageRunner

from i2vkit.apis import load_config
from i2vkit.media import read_video
from i2vkit.registry import LOSSES, METRICS, READERS

MADE = ((LOSSES, "EdgeLoss"), (METRICS, "EdgeError"), (READERS, "NumpyPeople"))


@pytest.fixture
def page(tmp_path, monkeypatch, capsys):
    """A runner of pages in an empty folder; what a page imports and registers is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("I2VKIT", str(ROOT))
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield PageRunner(monkeypatch, capsys)
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    for registry, name in MADE:
        registry.module_dict.pop(name, None)


def test_animate(page):
    printed = page.run("tutorials/animate.md")
    assert "dual-mtgan-faces" in printed["i2v list"]
    moved, driving = read_video("again.mp4"), read_video("clip.mkv")
    assert moved.shape == (len(driving), 64, 64, 3)
    assert np.abs(moved[10].astype(float) - moved[0]).mean() > 2  # it moves


def test_the_cells_of_the_notebook(capsys):
    cells = json.loads((ROOT / "docs/tutorials/notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    printed = capsys.readouterr().out
    saved = "".join(text for cell in cells for output in cell.get("outputs", []) for text in output.get("text", []))
    pattern = r"SSIM (0\.\d+), static baseline (0\.\d+)"
    (model, baseline), shown = ([float(x) for x in re.search(pattern, text).groups()] for text in (printed, saved))
    assert 0.5 < baseline < model < 1
    assert shown == pytest.approx([model, baseline], abs=2e-3)  # the outputs that the page shows are those of its cells


def test_a_generator_on_your_own_clips_tests_on_people_who_did_not_train(page):
    page.run("tutorials/your_clips.md")
    scores = json.loads(Path("work_dirs/my_clips/test/reconstruction/metrics.json").read_text(encoding="utf-8"))
    assert {row["driving_person"] for row in scores["per_video"]} == {"p9"}
    log = next(Path("work_dirs/my_clips").glob("2*/*.log")).read_text(encoding="utf-8")
    assert "16 clips of 8 people" in log and "2 clips of 1 people" in log  # those who train, and who validates
    assert len(read_video("moved.gif")) == 16


@pytest.mark.slow
def test_the_pages_that_continue_in_the_folder_of_your_own_clips(page):
    page.run("tutorials/your_clips.md")
    printed = page.run("tutorials/mix_parts.md")
    assert "Decoder" in printed["i2v parts decoder"]
    assert "WarpHead" in next(text for line, text in printed.items() if line.startswith("i2v print-config"))
    page.run("tutorials/evaluate_and_compare.md")
    table = Path("work_dirs/compare/compare.md").read_text(encoding="utf-8")
    assert "plain" in table and "mix" in table
    theirs = json.loads(Path("work_dirs/test/theirs/metrics.json").read_text(encoding="utf-8"))["scores"]
    assert abs(theirs["ssim_improvement"]) < 0.02  # the repeated image is the static baseline
    page.run("tutorials/write_a_loss.md")
    scores = json.loads(Path("work_dirs/my_classes/test/reconstruction/metrics.json").read_text(encoding="utf-8"))
    assert scores["scores"]["edge_error_static_baseline"] > 0 and scores["less_is_better"]["edge_error"] is True
    page.monkeypatch.setenv("PYTHON", sys.executable)
    page.monkeypatch.setenv("PYTHONPATH", str(ROOT))
    page.run("tutorials/several_gpus.md")
    assert Path("work_dirs/two/iter_4.pth").is_file()


@pytest.mark.slow
def test_train_dtgan(page):
    page.changes = {"--people 24": "--people 4"}
    page.run("tutorials/train_dtgan.md")
    assert Path("moved.safetensors").is_file() and len(read_video("moved.gif")) > 8


def test_the_config_of_your_data_divides_the_people_into_three_groups(tmp_path, monkeypatch):
    text = (ROOT / "docs/your_data.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    config = tmp_path / "my_clips.py"
    config.write_text(block.replace("from ._base_", "from i2vkit.configs._base_"), encoding="utf-8")
    loaded = load_config(config)
    loaders = [loaded[f"{name}_dataloader"]["dataset"] for name in ("train", "val", "test")]
    assert [(data.get("people"), data.get("exclude_people")) for data in loaders] == [
        (None, ["bob", "eve"]),
        (["bob"], None),
        (["eve"], None),
    ]
