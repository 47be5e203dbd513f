"""Tables of models: what is run again, what a failed row leaves, and which rows may stand together."""

import json

import numpy as np
import pytest

from i2vkit.apis import table as module
from i2vkit.apis.table import read_description, row_settings, run_row, run_table, train_and_test
from i2vkit.apis.table_report import as_csv, as_markdown, check_comparable
from i2vkit.errors import ConfigError
from i2vkit.media import write_image


def write(path, configs=("vgan_mug",), **changes):
    content = {"title": "T", "iterations": 3, "rows": [{"name": f"row{i}", "config": c} for i, c in enumerate(configs)]}
    path.write_text(json.dumps(content | changes))
    return path


def result(name, **changes):
    """A finished row, as it stands in row.json."""
    return {
        "name": name,
        "config": "vgan_mug",
        "scores": {"ssim": 0.75, "ssim_floor": 0.5, "ssim_gain": 0.25},
        "intervals": {"ssim_gain": [0.125, 0.375]},
        "protocol": {"name": "reconstruction", "type": "Reconstruction"},
        "seed": 0,
        "image_size": 64,
        "pipeline": ["Resize(size=64)"],
        "samples": [{"source": "a"}],
        "per_video": [{"name": "a"}],
        "scored": 1,
        "people": 1,
        "iterations": 6,
        "resumed_from": 2,
        "seconds": 2.0,
    } | changes


@pytest.fixture
def processes(monkeypatch):
    """In place of the process of a row: what it was asked for; a row whose config is mocogan_mug fails."""
    asked = []

    def run(command, stdout, **_):
        folder = module.Path(command[-1])
        settings = json.loads((folder / "settings.json").read_text())
        asked.append((folder.name, sorted(path.name for path in folder.iterdir())))
        failed = settings["config"] == "mocogan_mug"
        if failed:
            stdout.write("loading\nerror: no data\n")
        else:
            (folder / "row.json").write_text(json.dumps({"settings": settings, **result(folder.name)}))
        return module.subprocess.CompletedProcess(command, int(failed))

    monkeypatch.setattr(module.subprocess, "run", run)
    return asked


def test_finished_rows_are_kept_until_their_settings_change(tmp_path, processes):
    path = write(tmp_path / "t.json", ["vgan_mug", "vgan_mug"])
    run_table(path, tmp_path / "out")
    run_table(path, tmp_path / "out")
    assert [name for name, _ in processes] == ["row0", "row1"]
    run_table(path, tmp_path / "out", only="row1", iterations=4)
    assert [name for name, _ in processes] == ["row0", "row1", "row1"]
    assert json.loads((tmp_path / "out/row0/settings.json").read_text())["iterations"] == 3


def test_checkpoints_of_an_interrupted_row_stay_and_those_of_other_settings_go(tmp_path, processes):
    table = read_description(write(tmp_path / "t.json"))
    folder = tmp_path / "row0"
    run_row(table, table["rows"][0], folder)
    (folder / "row.json").unlink()
    (folder / "train").mkdir()
    run_row(table, table["rows"][0], folder)
    run_row(table | {"seed": 1}, table["rows"][0], folder)
    assert ["train" in files for _, files in processes] == [False, True, False]


def test_a_foreign_folder_is_left_alone(tmp_path, processes):
    table = read_description(write(tmp_path / "t.json"))
    (tmp_path / "row0").mkdir()
    (tmp_path / "row0/thesis.tex").write_text("mine")
    row, ran = run_row(table, table["rows"][0], tmp_path / "row0")
    assert "move it away" in row["failure"] and not ran and not processes
    assert (tmp_path / "row0/thesis.tex").read_text() == "mine"


def test_a_failed_row_is_named_and_the_others_go_on(tmp_path, processes):
    path = write(tmp_path / "t.json", ["mocogan_mug", "no_such_config", "vgan_mug"], narrow=True)
    rows = run_table(path, tmp_path / "out")
    assert rows[0]["failure"] == "no data" and "no_such_config" in rows[1]["failure"] and "failure" not in rows[2]
    text = (tmp_path / "out/table.md").read_text()
    assert text.startswith("# T (narrow)\n") and "| row0 | failed: no data |  |  |  |\n" in text
    assert (tmp_path / "out/gains.png").read_bytes()[:4] == b"\x89PNG"
    run_table(path, tmp_path / "out")
    assert [name for name, _ in processes] == ["row0", "row2", "row0"]


def test_text_of_a_table():
    table = {"title": "T", "iterations": 6}
    text = as_markdown(table, [result("a"), {"name": "b", "failure": "x | y"}])
    assert "| a | 0.750 | 0.500 | +0.250 (+0.125 to +0.375) | 0.50 |\n| b | failed: x / y |  |  |  |\n" in text
    assert as_csv([result("a"), {"name": "b", "failure": "x"}]).splitlines() == [
        "name,config,ssim,ssim_floor,ssim_gain,ssim_gain_low,ssim_gain_high,iterations,seconds,resumed_from,failure",
        "a,vgan_mug,0.75,0.5,0.25,0.125,0.375,6,2.0,2,",
        "b,,,,,,,,,,x",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pipeline", ["Resize(size=32)"]),
        ("samples", [{"source": "b"}]),
        ("protocol", {"name": "transfer"}),
        ("seed", 1),
    ],
)
def test_rows_of_different_protocols_are_refused(key, value):
    check_comparable([result("a"), {"name": "f", "failure": "x"}, result("b")])
    with pytest.raises(ConfigError, match=f"a and b do not go into one table: they differ in {key}"):
        check_comparable([result("a"), result("b", **{key: value})])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, "unknown key 'epochs'"),
        ({"rows": [{"name": "..", "config": "vgan_mug"}]}, "without dots"),
        ({"rows": [{"name": "a", "config": "vgan_mug"}] * 2}, "name of its own"),
        ({"rows": [{"name": "a", "config": "vgan_mug", "use": ["w"]}]}, "not among the sets"),
    ],
)
def test_bad_descriptions(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        read_description(write(tmp_path / "t.json", **changes))


def test_an_unknown_row(tmp_path):
    with pytest.raises(ConfigError, match=r"no row 'x'.*its rows: row0"):
        run_table(write(tmp_path / "t.json"), tmp_path / "out", only="x")


# Loggers are named by the second, and here several runs, else in processes of their own, share one.
@pytest.mark.filterwarnings("ignore:.*instance named:UserWarning")
def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path):
    """In this process: two of three iterations are there, as after an interruption."""
    rng = np.random.default_rng(0)
    for person in ("P1", "P2"):
        for t in range(32):
            write_image(
                tmp_path / f"clips/{person}/anger/clip/{t:03d}.png", rng.integers(0, 255, (64, 64, 3), np.uint8)
            )
    options = {"model.generator.content_encoder.widths": [4] * 4, "model.generator.decoder.widths": [4] * 4}
    options |= {"model.critics.video.network.widths": [4] * 4}
    for use, people in (("train", "exclude_people"), ("val", "people"), ("test", "people")):
        data = f"{use}_dataloader"
        options |= {f"{data}.dataset.layout.root": str(tmp_path / "clips"), f"{data}.dataset.{people}": ["P1"]}
        options |= {f"{data}.dataset.min_frames": 4, f"{data}.dataset.pipeline.0.stride": 1}
        options |= {f"{data}.batch_size": 1, f"{data}.num_workers": 0, f"{data}.dataset.cache": None}
    options |= {f"{use}_dataloader.dataset.truth": None for use in ("val", "test")}
    table = read_description(write(tmp_path / "t.json", options=options))
    folder = tmp_path / "row0"
    folder.mkdir()
    for iterations, begun in ((2, 0), (3, 2), (3, 3)):
        settings = row_settings(table | {"iterations": iterations}, table["rows"][0])
        (folder / "settings.json").write_text(json.dumps(settings))
        train_and_test(folder)
        row = json.loads((folder / "row.json").read_text())
        assert (row["resumed_from"], row["iterations"], row["settings"]) == (begun, iterations, settings)
        assert row["checkpoint"]["file"].endswith(f"iter_{iterations}.pth") and "ssim_gain" in row["scores"]
