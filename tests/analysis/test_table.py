"""Tables of models: what is run again, what a failed row leaves, and which rows may stand together."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from i2vkit.analysis.tables import scheduling as module
from i2vkit.analysis.tables.description import read_description, row_settings, scale_schedules
from i2vkit.analysis.tables.docs import publish, write_small
from i2vkit.analysis.tables.pictures import write_sheet
from i2vkit.analysis.tables.row import plan_iterations, train_and_test, training_curves
from i2vkit.analysis.tables.scheduling import run_table
from i2vkit.analysis.tables.table_report import check_scored, format_table, format_table_csv, minutes_of, over_seeds
from i2vkit.cli.main import main
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.media import read_image, write_image, write_video


def write(path, configs=("vgan_mug",), rows=None, **changes):
    rows = rows or [{"name": f"row{i}", "config": config} for i, config in enumerate(configs)]
    content = ({} if "minutes" in changes else {"iterations": 3}) | {"title": "T", "rows": rows}
    path.write_text(json.dumps(content | changes))
    return path


def result(name, ssim=0.75, **changes):
    """A finished row, as it stands in row.json."""
    return {
        "name": name,
        "training_seed": 0,
        "settings": {},
        "config": "vgan_mug",
        "scores": {"ssim": ssim, "ssim_static_baseline": 0.5, "ssim_improvement": ssim - 0.5},
        "intervals": {"ssim_improvement": [0.125, 0.375]},
        "protocol": {"name": "reconstruction", "type": "Reconstruction"},
        "seed": 0,
        "image_size": 64,
        "pipeline": ["Resize(size=64)"],
        "samples": [{"source": "a"}],
        "per_video": [{"name": f"v{i}", "driving_person": str(i), "ssim_improvement": ssim - 0.5} for i in range(2)],
        "scored": 2,
        "people": 2,
        "iterations": 6,
        "resumed_from": 2,
        "seconds": 40.0,
        "training": {"step": [3, 6], "frame_l1": [0.5, 0.25]},
    } | changes


class Process:
    """In place of the process of a row: ends when it is asked for the ``turns``-th time."""

    def __init__(self, code, turns=1):
        self.returncode, self.turns = code, turns

    def poll(self):
        self.turns -= 1
        return None if self.turns > 0 else self.returncode


@pytest.fixture
def processes(monkeypatch):
    """What was started: folder, its files, and how many threads it has; a row whose config is mocogan_mug fails."""
    asked = []

    def start(folder, single_thread, gpu=None):
        settings = json.loads((folder / "settings.json").read_text())
        asked.append((folder.name, sorted(path.name for path in folder.iterdir()), single_thread))
        failed = settings["config"] == "mocogan_mug"
        (folder / "log.txt").write_text("loading\nerror: no data\n" if failed else "")
        if not failed:
            made = result(folder.name) | {"settings": settings}
            (folder / "row.json").write_text(json.dumps(made))
            weights = folder / "train/iter_3.pth"
            weights.parent.mkdir(exist_ok=True)
            torch.save({"row": torch.tensor(len(asked))}, weights)
        return Process(int(failed))

    monkeypatch.setattr(module, "start_row", start)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return asked


def started(processes):
    return [name for name, *_ in processes]


def test_finished_rows_are_kept_until_their_settings_change(tmp_path, processes):
    path = write(tmp_path / "t.json", ["vgan_mug", "vgan_mug"])
    run_table(path, tmp_path / "out")
    run_table(path, tmp_path / "out")
    assert started(processes) == ["row0", "row1"]
    run_table(path, tmp_path / "out", only="row1", budget={"iterations": 4})
    assert started(processes) == ["row0", "row1", "row1"]
    assert json.loads((tmp_path / "out/row0/settings.json").read_text())["budget"] == {"iterations": 3}


def test_checkpoints_of_an_interrupted_row_stay_and_those_of_other_settings_go(tmp_path, processes):
    path, out = write(tmp_path / "t.json"), tmp_path / "out"
    run_table(path, out)
    (out / "row0/row.json").unlink()
    run_table(path, out)
    run_table(write(path, description="said otherwise"), out)
    run_table(write(path, protocol="transfer"), out)
    assert ["train" in files for _, files, _ in processes] == [False, True, False]


def test_a_foreign_folder_is_left_alone(tmp_path, processes):
    (tmp_path / "out/row0").mkdir(parents=True)
    (tmp_path / "out/row0/thesis.tex").write_text("mine")
    run_table(write(tmp_path / "t.json"), tmp_path / "out")
    assert "move it away" in (tmp_path / "out/table.md").read_text() and not processes
    assert (tmp_path / "out/row0/thesis.tex").read_text() == "mine"


def test_a_failed_row_is_named_and_the_others_go_on(tmp_path, processes):
    path = write(tmp_path / "t.json", ["mocogan_mug", "vgan_mug"], narrow=True)
    out = run_table(path, tmp_path / "out")
    text = (out / "table.md").read_text()
    assert text.startswith("# T (narrow)\n") and "| row0 | failed: no data |  |  |  |\n" in text
    assert "| row1 | 0.750 | +0.250" in text
    assert {path.name for path in out.glob("*.png")} == {"improvements.png", "curves.png"}
    run_table(path, tmp_path / "out")
    assert started(processes) == ["row0", "row1", "row0"]


def test_every_wrong_row_is_named_before_any_runs(tmp_path, processes):
    rows = [
        {"name": "a", "config": "vgan_mug"},
        {"name": "b", "config": "no_such_config"},
        {"name": "c", "config": "vgan_mug", "options": {"train_dataloader.batch_siz": 3}},
        {"name": "d", "config": "vgan_mug", "after": "a"},
    ]
    path = write(tmp_path / "t.json", rows=rows)
    with pytest.raises(ConfigError, match="3 of 4 rows are wrong, and none has run") as error:
        run_table(path, tmp_path / "out")
    said = str(error.value)
    assert "row b: there is no config" in said and "batch_siz" in said
    assert "row d: it is after a, but its model.pretrained is empty" in said
    assert not processes and not (tmp_path / "out").exists()
    # Of a row that is not asked for nothing is said, except in the table.
    out = run_table(path, tmp_path / "out", only="a")
    assert started(processes) == ["a"] and "| b | failed: there is no config" in (out / "table.md").read_text()


def chain(path, **changes):
    rows = [{"name": "lstm", "config": "cnn_lstm_oulu", "scored": False}]
    rows += [{"name": "dtgan", "config": "dtgan_oulu", "after": "lstm"}, {"name": "vgan", "config": "vgan_mug"}]
    return write(path, rows=rows, **changes)


def test_a_row_waits_for_the_one_it_stands_after_and_follows_its_weights(tmp_path, processes):
    path, out = chain(tmp_path / "t.json", jobs=2), tmp_path / "out"
    run_table(path, out)
    assert started(processes) == ["lstm", "vgan", "dtgan"]
    assert all(single for *_, single in processes)
    before = json.loads((out / "dtgan/settings.json").read_text())["after"]
    torch.save({"row": torch.tensor(7)}, out / "lstm/train/iter_3.pth")
    run_table(path, out, only="dtgan")
    assert started(processes)[3:] == ["dtgan"]
    after = json.loads((out / "dtgan/settings.json").read_text())["after"]
    assert before["row"] == after["row"] == "lstm" and before["sha256"] != after["sha256"]
    run_table(path, tmp_path / "other", only="dtgan")
    assert started(processes)[4:] == ["lstm", "dtgan"]


def test_a_row_after_one_that_failed_is_not_run(tmp_path, processes):
    rows = [{"name": "a", "config": "mocogan_mug"}, {"name": "b", "config": "dtgan_oulu", "after": "a"}]
    out = run_table(write(tmp_path / "t.json", rows=rows), tmp_path / "out")
    assert "| b | failed: a, whose weights it needs, is not finished |" in (out / "table.md").read_text()


def test_each_seed_has_a_folder_and_the_table_their_means(tmp_path, processes):
    out = run_table(chain(tmp_path / "t.json", seeds=[0, 1]), tmp_path / "out")
    assert started(processes) == ["lstm", "dtgan", "vgan", "lstm.seed1", "dtgan.seed1", "vgan.seed1"]
    assert json.loads((out / "vgan.seed1/settings.json").read_text())["seed"] == 1
    assert "| vgan | 0.750 ± 0.000 | +0.250 (+0.250 to +0.250) |" in (out / "table.md").read_text()


def test_means_over_seeds():
    rows = [result("a", 0.7), result("a", 0.9, training_seed=1, iterations=8), result("b", failure="x")]
    mean, failed = over_seeds([*rows[:2], {"name": "b", "training_seed": 0, "failure": "x"}])
    assert mean["scores"] == pytest.approx({"ssim": 0.8, "ssim_static_baseline": 0.5, "ssim_improvement": 0.3})
    assert mean["spread"]["ssim"] == pytest.approx(0.2 / 2**0.5) and mean["iterations"] == 7
    assert [video["ssim_improvement"] for video in mean["per_video"]] == pytest.approx([0.3, 0.3])
    assert mean["intervals"]["ssim_improvement"] == pytest.approx([0.3, 0.3])
    assert failed == {"name": "b", "failure": "x"}


def test_text_of_a_table():
    reference = [{"name": "Wang et al.", "source": "table 1", "scores": {"SSIM": 0.75}}]
    table = {"title": "T", "iterations": 6, "rows": [], "reference": reference}
    rows = [result("a"), {"name": "b", "training_seed": 0, "failure": "x | y"}]
    text = format_table(table, rows)
    assert (
        "| static baseline: first image repeated | 0.500 |  |  |  |\n| a | 0.750 | +0.250 (+0.125 to +0.375) | 6 | "
        "1.0 |\n" in text
    )
    assert "| b | failed: x / y |  |  |  |\n" in text
    assert "| of | SSIM | source |\n|---|---|---|\n| Wang et al. | 0.75 | table 1 |\n" in text
    assert format_table_csv(rows).splitlines() == [
        "name,config,ssim,ssim_static_baseline,ssim_improvement,ssim_improvement_low,ssim_improvement_high,ssim_spread,iterations,minutes,failure",
        "a,vgan_mug,0.75,0.5,0.25,0.125,0.375,,6,1.0,",
        "b,,,,,,,,,,x | y",
    ]


def test_the_time_of_the_row_before_is_said_apart():
    after = result("dtgan", settings={"after": {"row": "lstm"}})
    rows = [{"name": "lstm"}, {"name": "dtgan", "after": "lstm"}]
    text = format_table({"title": "T", "minutes": 1, "rows": rows}, [result("lstm", seconds=20.0), after])
    assert "| dtgan | 0.750 | +0.250 (+0.125 to +0.375) | 6 | 1.0 + 0.5 (lstm) |" in text
    assert "1 processor minutes of one thread a row" in text


def test_rows_of_different_protocols_are_refused():
    maps = result("b", pipeline=["Resize(size=64)", "ReadMaps()"])
    check_scored([result("a"), {"name": "f", "failure": "x"}, maps])
    with pytest.raises(ConfigError, match=r"a and b cannot be in one table: samples number 0 are"):
        check_scored([result("a"), result("b", samples=[{"source": "b"}])])


@pytest.mark.parametrize(("driving", "strips"), [(None, 3), (0, 3), (200, 4)])
def test_the_sheet_shows_driving_truth_and_every_row(tmp_path, driving, strips):
    """A clip that drives itself is shown once, as the ground truth; names of clips may hold what means more in a
    pattern.
    """
    rows = [result(name, per_video=[{"name": "p/[x]/1"}]) for name in ("a", "b")]
    for row in rows:
        files = {"truth": 0, "videos/p_[x]_1": 90, "videos/p_[x]_1_seed7": 30}
        for name, value in (files if driving is None else files | {"driving": driving}).items():
            write_video(tmp_path / row["name"] / f"test/{name}.mp4", np.full((4, 32, 32, 3), value, np.uint8))
    write_sheet(rows, "T", tmp_path)
    picture = read_image(tmp_path / "strips.png")
    assert len(picture) == 2 * 10 + 2 * 20 + strips * 66


def test_a_cross_beside_its_parents():
    def scored(name, *values):
        videos = [{"name": f"v{i}", "driving_person": str(i), "ssim": v} for i, v in enumerate(values)]
        return result(name, scores={"ssim": sum(values) / len(values)}, intervals={}, per_video=videos)

    rows = [{"name": "a"}, {"name": "b"}, {"name": "mix", "parents": ["a", "b"]}]
    results = [scored("a", 0.5, 0.75), scored("b", 0.75, 0.75), scored("mix", 0.625, 0.875)]
    text = format_table({"title": "T", "iterations": 6, "rows": rows}, results)
    assert "| mix | a | **+0.125** (+0.125 to +0.125)" in text
    assert "| mix | b | +0.000 (-0.125 to +0.125) |\n" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, "unknown key 'epochs'"),
        ({"minutes": 3, "iterations": 3}, "either iterations or minutes"),
        ({"seed": 0, "seeds": [0, 1]}, "seed or seeds"),
        ({"rows": [{"name": "..", "config": "vgan_mug"}]}, "without dots"),
        ({"rows": [{"name": "a", "config": "vgan_mug"}] * 2}, "unique name without dots"),
        ({"rows": [{"name": "a", "config": "vgan_mug", "use": ["w"]}]}, "not among the sets"),
        ({"rows": [{"name": "a", "config": "vgan_mug", "after": "b"}]}, "'b', which is no row above it"),
        ({"rows": [{"name": "a", "config": "vgan_mug", "parents": ["b"]}]}, "parents that are no rows: b"),
    ],
)
def test_bad_descriptions(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        read_description(write(tmp_path / "t.json", **changes))


def test_bad_arguments(tmp_path):
    path = write(tmp_path / "t.json")
    with pytest.raises(ConfigError, match=r"no row 'x'.*its rows: row0"):
        run_table(path, tmp_path / "out", only="x")
    with pytest.raises(ConfigError, match="jobs is the number of rows that run at a time, 1 or more, not 0"):
        run_table(path, tmp_path / "out", jobs=0)


def test_what_is_counted_in_iterations_takes_the_same_share_of_a_shorter_training():
    cfg = scale_schedules(load_config("dtgan_oulu"), 50)  # 20,000 iterations, the learning rate falls from 10,000 on
    assert (cfg.train_cfg.max_iters, cfg.param_scheduler.decay.begin, cfg.param_scheduler.decay.end) == (50, 25, 50)
    cfg = scale_schedules(load_config("cnn_lstm_oulu"), 4)  # 600, of which the frames' phase has 300
    assert (cfg.model.phases.frames.end, cfg.model.phases.sequence.begin) == (2, 2)
    begins = {"model.phases.discriminators.begin": 900}
    weights = {"model.phases.generator.losses.kl.weight": [(500, 0.0), (1200, 1e-2)]}
    steep = {"model.phases.generator.losses.motion_l1.weight": [(900, 0.0), (901, 1.0)]}
    options = {"train_cfg.max_iters": 1200} | begins | weights | steep
    cfg = scale_schedules(load_config("dual_mtgan_weizmann", options), 120)
    assert cfg.model.phases.discriminators.begin == 90
    assert cfg.model.phases.generator.losses.kl.weight == [(50, 0.0), (120, 1e-2)]
    assert [step for step, _ in cfg.model.phases.generator.losses.motion_l1.weight] == [90, 91]


def test_minutes_become_iterations_by_a_measured_pilot_once(tmp_path, monkeypatch):
    paces = iter(([9.0, 9.0, 0.5, 0.5], [1.0] * 4))
    lengths = []

    def train(cfg, *_):
        lengths.append(cfg.train_cfg.max_iters)
        return next(paces)

    monkeypatch.setattr("i2vkit.analysis.tables.row.timed_training", train)
    cfg = load_config("dtgan_oulu")
    settings = {"budget": {"minutes": 2}, "seed": 0}
    for _ in range(2):
        assert plan_iterations(cfg, settings, tmp_path) == {"iterations": 240, "pilot_seconds": 0.5}
    assert lengths == [10] and cfg.train_cfg.max_iters == 20_000
    assert plan_iterations(cfg, {"budget": {"iterations": 7}}, tmp_path) == {"iterations": 7}


def test_minutes_of_a_row_that_was_taken_up_are_at_the_pace_of_its_last_part():
    assert minutes_of(result("a", iterations=60, resumed_from=30, seconds=45.0)) == pytest.approx(1.5)
    assert minutes_of(result("a", iterations=60, resumed_from=60, seconds=0.0, pilot_seconds=2.0)) == 2.0


def test_curves_of_a_training_that_was_taken_up(tmp_path):
    for start, steps in (("1", range(1, 8)), ("2", range(5, 11))):
        path = tmp_path / start / "vis_data/scalars.json"
        path.parent.mkdir(parents=True)
        lines = [{"iter": s, "step": s, "frame_l1": s + int(start), "generator.lr": 1, "time": 2} for s in steps]
        path.write_text("\n".join([*map(json.dumps, lines), json.dumps({"ssim": 1, "step": 3})]))
    curves = training_curves(tmp_path, points=5)
    assert curves == {"step": [2, 4, 6, 8, 10], "frame_l1": [2.5, 4.5, 7.5, 9.5, 11.5]}


def test_the_docs_hold_what_is_needed_to_write_their_section_again(tmp_path, processes):
    path, docs = chain(tmp_path / "t.json"), tmp_path / "docs"
    out = run_table(path, tmp_path / "out")
    docs.mkdir()
    (docs / "results.md").write_text("# Results\n\nBefore.\n")
    page = publish(path, docs, out)
    first = page.read_text()
    assert first.startswith("# Results\n\nBefore.\n") and "## T\n" in first and "| dtgan | 0.750 |" in first
    assert first.count("<!-- ") == 2 and "![Losses in training](results/t/curves.png)" in first
    kept = json.loads((docs / "results/t/dtgan.json").read_text())
    assert "samples" not in kept and kept["per_video"][1]["ssim_improvement"] == 0.25
    assert publish(path, docs, tmp_path / "gone").read_text() == first
    page = page.rename(docs / "smoke_tests.md")  # a page that has the section keeps it
    assert publish(path, docs, tmp_path / "gone") == page and page.read_text() == first
    assert not (docs / "results.md").exists()
    (docs / "results/t/dtgan.json").unlink()
    (docs / "results/t/old.json").write_text("{}")
    second = publish(path, docs, tmp_path / "gone").read_text()
    assert "| dtgan | not run |" in second and not (docs / "results/t/old.json").exists()
    page.write_text(second.replace("<!-- end", "<!-- no end"))
    with pytest.raises(ConfigError, match="without '<!-- end of table t -->' below it"):
        publish(path, docs, tmp_path / "gone")
    with pytest.raises(ConfigError, match="holds a finished row"):
        publish(path, tmp_path / "empty", tmp_path / "gone")


def test_pictures_of_the_docs_are_small_and_look_the_same(tmp_path):
    frames = np.zeros((64, 96, 3), np.uint8)
    frames[..., 0], frames[..., 1] = np.linspace(0, 255, 64)[:, None], np.linspace(0, 255, 96)
    plot = np.full((64, 96, 3), 255, np.uint8)
    plot[30:32] = (76, 120, 168)
    for name, picture in (("strips", frames), ("improvements", plot)):
        write_image(tmp_path / f"{name}.png", picture)
    for source, target in (("strips", "strips.webp"), ("improvements", "improvements.png")):
        write_small(tmp_path / f"{source}.png", tmp_path / "docs" / target)
    assert np.abs(read_image(tmp_path / "docs/strips.webp").astype(int) - frames).mean() < 2
    assert np.array_equal(read_image(tmp_path / "docs/improvements.png"), plot)
    assert (tmp_path / "docs/improvements.png").stat().st_size < (tmp_path / "improvements.png").stat().st_size


def test_rows_end_with_the_process_that_started_them(tmp_path):
    child = "import sys, time; from i2vkit.analysis.tables.row import end_with; end_with(int(sys.argv[1]), 0.02)\n"
    child += "open(sys.argv[2], 'w').close(); time.sleep(60)"
    parent = "import os, subprocess, sys, time\nargs = [sys.argv[1], str(os.getpid()), sys.argv[2]]\n"
    parent += "print(subprocess.Popen([sys.executable, '-c', *args]).pid, flush=True)\ntime.sleep(60)"
    begun = tmp_path / "begun"
    process = subprocess.Popen([sys.executable, "-c", parent, child, str(begun)], stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline())
    wait_for(begun.exists)
    assert alive(pid)
    process.kill()
    process.wait()
    process.stdout.close()
    wait_for(lambda: not alive(pid))


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def alive(pid):
    """Whether the process runs; one that ended and was not waited for by its new parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_still_runs_is_ended_when_the_table_is_interrupted(tmp_path, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(module, "start_row", lambda *_, **__: child)
    monkeypatch.setattr(module.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_table(write(tmp_path / "t.json"), tmp_path / "out")
    assert child.returncode is not None


class Placed:
    """In place of the process of a row: notes its GPU, and ends when it is asked for the ``turns``-th time."""

    def __init__(self, command, env, turns, **_):
        self.gpu, self.threads = env.get("CUDA_VISIBLE_DEVICES"), env.get("OMP_NUM_THREADS")
        self.folder, self.turns, self.returncode = Path(command[3]), turns, 1

    def poll(self):
        self.turns -= 1
        return None if self.turns > 0 else self.returncode


@pytest.fixture
def placed(monkeypatch):
    """The rows in the order of their start; they run for as many turns as ``turns`` says."""
    made, turns = [], [1, 3, 1, 1, 1, 1]

    def start(command, **options):
        made.append(Placed(command, turns=turns[len(made)], **options))
        return made[-1]

    monkeypatch.setattr(module.subprocess, "Popen", start)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return made


def gpus_of(placed):
    return [row.gpu for row in placed]


def test_rows_go_to_the_gpus_that_fewest_rows_use(tmp_path, placed, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    path = write(tmp_path / "t.json", ["vgan_mug"] * 6, jobs=3)
    run_table(path, tmp_path / "out", gpus=["4", "7"])
    # Three rows share two GPUs; the second row has 7 until all others are done, so that its place stays taken.
    assert gpus_of(placed) == ["4", "7", "4", "4", "4", "4"]
    assert all(row.threads == "1" for row in placed)


def test_rows_see_the_gpus_that_the_command_sees(tmp_path, placed, monkeypatch):
    monkeypatch.setattr(module.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a, GPU-b, -1, GPU-c")
    run_table(write(tmp_path / "t.json", ["vgan_mug"] * 2, jobs=2), tmp_path / "out")
    assert gpus_of(placed) == ["GPU-a", "GPU-b"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert module.visible_gpus() == ["0", "1"]
    monkeypatch.setattr(module.torch.cuda, "device_count", lambda: 0)
    assert module.visible_gpus() == []
    run_table(write(tmp_path / "u.json", ["vgan_mug"]), tmp_path / "other")
    assert gpus_of(placed)[2:] == [None]


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
    options |= {"model.discriminators.video.network.widths": [4] * 4}
    for use, people in (("train", "exclude_people"), ("val", "people"), ("test", "people")):
        data = f"{use}_dataloader"
        options |= {f"{data}.dataset.reader.root": str(tmp_path / "clips"), f"{data}.dataset.{people}": ["P1"]}
        options |= {f"{data}.dataset.min_frames": 4, f"{data}.dataset.window.stride": 1}
        options |= {f"{data}.batch_size": 1, f"{data}.num_workers": 0, f"{data}.dataset.cache": None}
    options |= {f"{use}_dataloader.dataset.truth": None for use in ("val", "test")}
    table = read_description(write(tmp_path / "t.json", options=options))
    folder = tmp_path / "row0"
    folder.mkdir()
    for iterations, begun in ((2, 0), (3, 2), (3, 3)):
        settings = row_settings(table | {"iterations": iterations}, table["rows"][0], seed=0)
        (folder / "settings.json").write_text(json.dumps(settings))
        train_and_test(folder)
        row = json.loads((folder / "row.json").read_text())
        assert (row["resumed_from"], row["iterations"], row["settings"]) == (begun, iterations, settings)
        assert row["checkpoint"]["file"].endswith(f"iter_{iterations}.pth") and "ssim_improvement" in row["scores"]
        assert (row["seconds"] > 0) == (begun < iterations) and (folder / "test/truth.mp4").is_file()


def test_a_failed_row_is_an_error_of_the_command(tmp_path, processes, capsys):
    path = write(tmp_path / "t.json", ["mocogan_mug", "vgan_mug"])
    with pytest.raises(SystemExit) as left:
        main(["table", str(path), "--out", str(tmp_path / "out")])
    assert left.value.code == 1
    shown = capsys.readouterr()
    assert "error: 1 of 2 rows failed, the first is row0: no data" in shown.err and "| row1 | 0.750" in shown.out
    run_table(path, tmp_path / "out", only="row1", strict=True)  # row0 was not asked for
    assert "| row0 | not run |" in (tmp_path / "out/table.md").read_text()


@pytest.mark.parametrize("budget", [{"iterations": -1}, {"minutes": 0}])
def test_a_budget_is_more_than_nothing(tmp_path, processes, budget):
    with pytest.raises(ConfigError, match="the budget of a row is more than 0, not"):
        run_table(write(tmp_path / "t.json"), tmp_path / "out", budget=budget)
    assert not processes
