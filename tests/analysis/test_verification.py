"""verify_gpu: each check finds what it is made for, and a stage that fails costs nothing but itself."""

import json
import os
import pickle
import subprocess
import sys
import tarfile
import time
from functools import partial
from types import SimpleNamespace

import narrow
import pytest
import torch
from mmengine.config import Config
from tiny import tiny_config

from i2vkit.analysis.verification import correctness, scheduling, verify
from i2vkit.analysis.verification.archives import MOST_BYTES, pack
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.scheduling import Process, Run
from i2vkit.analysis.verification.shared_randomness import SharedRandomness, in_double
from i2vkit.analysis.verification.speed import FORMS
from i2vkit.analysis.verification.stages import Group, Plan, Stage, plan
from i2vkit.analysis.verification.step import descend
from i2vkit.analysis.verification.subjects import SUBJECTS, find_subject, narrowed, subject_config
from i2vkit.analysis.verification.timing import in_turn
from i2vkit.analysis.verification.training import DATA, LARGER_BATCHES, RECIPES, _config, _timed
from i2vkit.analysis.verification.verification_report import format_verification
from i2vkit.config.loading import load_config
from i2vkit.engine.work_dirs import latest_checkpoint
from i2vkit.errors import ConfigError
from i2vkit.registry import MODELS

CPU = torch.device("cpu")
OPTIMIZERS = Config(dict(optim_wrapper=dict(constructor="PhaseOptimWrapperConstructor", optimizer=dict(type="Adam"))))


def test_shared_draws_are_the_same_in_every_precision():
    def drawn():
        return [torch.randn(3), torch.rand(2, 2), torch.randint(5, (4,)), torch.randn_like(torch.zeros(2))]

    with SharedRandomness(seed=4):
        single = drawn()
    with SharedRandomness(seed=4), in_double():
        double = drawn()
    for one, other in zip(single, double, strict=True):
        assert torch.equal(one.double(), other.double())
    assert single[0].dtype == torch.float32 and double[0].dtype == torch.float64


def test_draws_of_a_generator_of_their_own_are_left_alone():
    own = torch.randn(3, generator=torch.Generator().manual_seed(9))
    with SharedRandomness(seed=4):
        assert torch.equal(torch.randn(3, generator=torch.Generator().manual_seed(9)), own)


def test_in_double_leaves_everything_as_it_was():
    with in_double():
        assert torch.zeros(1, dtype=torch.float64).float().dtype == torch.float64
    assert torch.get_default_dtype() == torch.float32
    assert torch.zeros(1, dtype=torch.float64).float().dtype == torch.float32


def test_a_step_in_fp32_is_close_to_float64_and_not_equal():
    model, data = narrow.build(), narrow.batch()
    steps = {
        precision: descend(model, OPTIMIZERS.optim_wrapper, data, CPU, precision) for precision in ("fp64", "fp32")
    }
    for name, value in steps["fp64"]["losses"].items():
        assert steps["fp32"]["losses"][name] == pytest.approx(value, rel=1e-5, abs=1e-6)
    for name, value in steps["fp64"]["updates"].items():
        assert 0 < (steps["fp32"]["updates"][name] - value).norm() < 1e-2 * value.norm()


def test_the_step_of_a_model_that_computes_something_else_is_found(monkeypatch):
    model, data = narrow.build(), narrow.batch()
    assert correctness.check_step(model, OPTIMIZERS, data, CPU)["passed"]
    head = type(model.generator.head)
    forward = head.forward

    def wrong(self, features, base):
        return {
            name: value * (0.9 if value.dtype == torch.float32 else 1.0)
            for name, value in forward(self, features, base).items()
        }

    monkeypatch.setattr(head, "forward", wrong)  # right in float64 alone
    found = correctness.check_step(model, OPTIMIZERS, data, CPU)
    assert not found["passed"] and not found["fp32"]["passed"]


def test_a_step_that_depends_on_more_than_its_seed_is_not_deterministic(monkeypatch):
    model, data = narrow.build(), narrow.batch()
    assert correctness.check_deterministic(model, OPTIMIZERS, data, CPU) == {"differing": [], "passed": True}
    step, calls = correctness.StepRunner.step, []

    def drifting(self):
        calls.append(1)
        next(self.model.generator.decoder.parameters()).data.add_(1e-3 * len(calls))
        return step(self)

    monkeypatch.setattr(correctness.StepRunner, "step", drifting)
    assert not correctness.check_deterministic(model, OPTIMIZERS, data, CPU)["passed"]


def test_a_video_two_grey_levels_off_is_found(monkeypatch):
    model, data = narrow.build(), narrow.batch()
    assert correctness.check_validation(model, data, CPU) == {"largest": 0, "mean": 0.0, "passed": True}
    videos = iter([torch.zeros(1, 3, 2, 2, 2, dtype=torch.uint8), torch.full((1, 3, 2, 2, 2), 2, dtype=torch.uint8)])
    monkeypatch.setattr(correctness, "_validated", lambda *_: next(videos))
    assert correctness.check_validation(model, data, CPU) == {"largest": 2, "mean": 2.0, "passed": False}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_subjects_are_built_narrow_and_wide(subject):
    def parameters(cfg):
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in MODELS.build(cfg.model).parameters())

    wide, small = (parameters(subject_config(subject, narrow=each)) for each in (False, True))
    assert wide > 20 * small


def test_widths_are_divided_and_nothing_else():
    cfg = narrowed(Config(dict(model=dict(widths=(64, 16), hidden=512, code=128, head=dict(width=8), masked=True))), 8)
    assert cfg.model == dict(widths=(8, 4), hidden=64, code=128, head=dict(width=4), masked=True)


def test_unknown_subject_names_the_nearest():
    with pytest.raises(ConfigError, match="nearest: imaginator"):
        find_subject("imaginaator")


def test_a_check_that_raises_is_a_result_and_the_next_one_goes_on(tmp_path):
    record = Record(tmp_path / "right.json")
    record.measure("first", lambda: 1 / 0)
    record.measure("second", lambda: {"passed": True})
    found = json.loads((tmp_path / "right.json").read_text())
    assert found["first"]["error"].startswith("ZeroDivisionError") and not found["first"]["passed"]
    assert found["second"]["passed"]


def test_every_kind_of_stage_has_its_place_and_its_share():
    order = plan("cuda")
    assert {stage.kind for stage in order.stages} == {
        "prepare",
        "peaks",
        "right",
        "compile",
        "fast",
        "loader",
        "train",
    }
    assert sum(group.share for group in order.groups) == pytest.approx(1)
    # What is timed has the device to itself, and what reads data comes last.
    assert all(g.width == 1 for g in order.groups for stage in g.stages if stage.kind in ("peaks", "fast"))
    assert {stage.kind for group in order.then for stage in group.stages} == {"loader", "train"}
    alone = plan("cuda", ("peaks",))
    assert [stage.kind for stage in alone.stages] == ["peaks"] and len(alone.groups) == 1
    assert "compile" not in {stage.kind for stage in plan("cpu").stages}
    right = plan("cuda", ("right", "fast"), ("dtgan",))
    assert [(stage.kind, stage.subject) for stage in right.stages] == [("right", "dtgan"), ("fast", "dtgan")]


def test_stages_of_a_group_share_its_time(tmp_path, monkeypatch):
    """100 seconds on a clock that each start moves by 4: three stages, two at a time, in 60 %, then one in the rest."""
    given, now = [], [0.0]

    def start(self, stage, seconds, threads=None):
        given.append((stage.name, seconds))
        now[0] += 4
        return Process(stage, int, tmp_path, 1000.0)  # a real one, which ends by itself

    monkeypatch.setattr(Run, "_start", start)
    monkeypatch.setattr(scheduling, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=time.sleep))
    three = tuple(Stage("right", name) for name in "abc")
    run = Run(tmp_path, tmp_path, "cpu", True, end=100.0)
    run.all(Plan((), (Group(three, 2, 0.3),), (Group((Stage("fast"),), 1, 0.2),)))
    assert given == [
        ("right_a", pytest.approx(60 / 2)),  # 0.3 of 0.5, in two rounds
        ("right_b", pytest.approx((60 - 4) / 2)),
        ("right_c", pytest.approx(60 - 8)),  # the last round has all that is left
        ("fast", pytest.approx(100 - 12)),  # and the last group what the first has left over
    ]
    assert {outcome.code for outcome in run.outcomes.values()} == {0}


def test_a_stage_that_hangs_is_ended_with_its_children(tmp_path):
    mark = tmp_path / "child"
    child = f"""
import time, pathlib
for _ in range(600):
    pathlib.Path({str(mark)!r}).write_text(str(time.time()))
    time.sleep(0.05)
"""
    work = partial(subprocess.run, [sys.executable, "-c", child])
    process = Process(Stage("right", "dtgan"), work, tmp_path, 300.0)
    while not mark.exists():
        assert process.outcome() is None
        time.sleep(0.05)
    process._limit = 0.0
    outcome = process.outcome()
    assert outcome is not None and outcome.code is None
    time.sleep(0.3)
    last = mark.read_text()
    time.sleep(0.3)
    assert mark.read_text() == last


def test_a_stage_whose_server_has_used_a_gpu_gets_a_fresh_interpreter(tmp_path):
    """A fork of a process that has used CUDA cannot use it."""
    log, work = tmp_path / "log", partial(os.write, 1, b"fresh")
    code = (
        "import pickle, sys, torch; torch.cuda._is_in_bad_fork = lambda: True\n"
        "from i2vkit.analysis.verification.scheduling import _in_session\n"
        "_in_session(*pickle.loads(bytes.fromhex(sys.argv[1])))"
    )
    subprocess.run([sys.executable, "-c", code, pickle.dumps((work, tmp_path, log, 1, True)).hex()], check=True)
    assert log.read_text() == "fresh"


def test_a_verification_reports_what_it_measured_and_what_went_wrong(tmp_path, monkeypatch):
    def failing(device, only=(), names=()):
        return Plan((), (Group((Stage("peaks"), Stage("right", "nobody")), 2, 1.0),), ())

    monkeypatch.setattr(scheduling, "plan", failing)
    report = verify(tmp_path, minutes=4, device="cpu").read_text(encoding="utf-8")
    assert "TFLOP/s" in report and "A rehearsal" in report
    assert "- right_nobody: exit code 1, see its log" in report
    result = json.loads((tmp_path / "results.json").read_text())
    assert result["stages"]["peaks"]["results"]["product_fp32"]["tflops"] > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "records.tar.gz",
        "report.md",
        "results.json",
    ]


def test_a_gpu_that_is_not_there_and_a_stage_that_does_not_exist_are_refused(tmp_path):
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="--device cpu"):
            verify(tmp_path)
    with pytest.raises(ConfigError, match="no stage 'rigth'"):
        verify(tmp_path, device="cpu", only=["rigth"])
    with pytest.raises(ConfigError, match="nothing called 'dtgann'"):
        verify(tmp_path, device="cpu", subjects=["dtgann"])
    with pytest.raises(ConfigError, match="--minutes"):
        verify(tmp_path, minutes=0, device="cpu")


def test_what_is_carried_away_fits(tmp_path):
    files = tmp_path / "work" / "files"
    files.mkdir(parents=True)
    for number in range(9):
        (files / f"recipe{number}.safetensors").write_bytes(bytes(5 * 2**20 + number))
    (files / "huge.safetensors").write_bytes(bytes(MOST_BYTES + 1))
    (files / "strip_a.png").write_bytes(b"picture")
    (files / "right_dtgan.json").write_text("{}")
    (files.parent / "right_dtgan.log").write_text("log")
    written = pack(files, tmp_path)
    assert all(path.stat().st_size <= MOST_BYTES for path in written)
    assert [path.name for path in written] == [
        "strips.tar.gz",
        "records.tar.gz",
        *(f"weights_{n}.tar" for n in (1, 2, 3)),
    ]
    with tarfile.open(tmp_path / "weights_2.tar") as archive:
        assert archive.getnames() == [f"recipe{number}.safetensors" for number in (3, 4, 5)]
    with tarfile.open(tmp_path / "records.tar.gz") as archive:
        assert sorted(archive.getnames()) == ["right_dtgan.json", "right_dtgan.log"]


def test_a_training_that_runs_out_of_time_keeps_the_weights_of_its_last_iteration(tmp_path):
    cfg = tiny_config(tmp_path, 50)
    cfg.default_hooks.checkpoint.interval = 50
    clock = _timed(cfg, tmp_path, limit=0.0)
    assert len(clock.ends) == 1 and 0 < clock.waits[0] < 60 and latest_checkpoint(tmp_path).name == "iter_1.pth"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_build_narrow_and_load_what_is_trained_first(recipe):
    for name in filter(None, (recipe.first, recipe.config)):
        cfg = _config(name, "cpu", narrow=True)
        with torch.device("meta"):
            assert sum(parameter.numel() for parameter in MODELS.build(cfg.model).parameters()) < 2e6
        assert cfg.model.precision == "fp32" and cfg.train_dataloader.batch_size == 2
        assert bool(cfg.model.get("pretrained")) == (name == recipe.config and recipe.first is not None)
        reader = cfg.train_dataloader.dataset.reader
        readers = reader.get("readers") or [reader]
        assert {each.root for each in readers} <= {str(DATA / part) for part in ("faces", "faces_extra")}
        large = _config(name, "cuda", narrow=False)
        own = load_config(name).train_dataloader.batch_size
        assert large.train_dataloader.batch_size == LARGER_BATCHES * own and large.model.precision == "bf16"
        assert large.train_dataloader.dataset.get("cache") == ("device" if "generator" in large.model else None)


def test_forms_are_timed_by_turns():
    clock = iter(range(100))
    order = []
    times = in_turn(
        {name: lambda name=name: order.append(name) for name in "ab"}, CPU, seconds=12, clock=lambda: next(clock)
    )
    assert order[:4] == ["a", "b", "a", "b"] and set(times["a"]) == {1}


def test_forms_differ_in_name():
    names = [str(form) for form in FORMS]
    assert len(set(names)) == len(names) and names[0] == "reference fp32"


def test_the_report_says_what_was_found():
    step = {precision: {"losses": {"l1": 2e-4}, "updates": {}} for precision in ("fp32", "tf32", "bf16")}
    fast = {
        "times": {"milliseconds": {"reference fp32": 100.0, "fast bf16": 20.0}, "times_faster": {"fast bf16": 5.0}},
        "work": {"tflop": 2.0},
        "memory, fast bf16": {"step_gib": 6.5},
    }
    stages = {
        "right_dtgan": {
            "process": {"code": 0, "seconds": 1.0},
            "results": {"step": step | {"passed": True}, "resume": {"passed": False}, "animation": {"error": "E: no"}},
        },
        "fast_dtgan": {"process": {"code": 0, "seconds": 1.0}, "results": fast},
        "train_dtgan": {"process": {"code": None, "seconds": 9.0}, "results": {}},
    }
    text = format_verification({"settings": {"minutes": 1, "device": "cuda", "narrow": False}, "stages": stages})
    assert "| dtgan | yes (2e-04 / 2e-04 / 2e-04) | not run | **error** | not run | not run | **no** |" in text
    assert "| dtgan | fast bf16 | 20.0 | 5.00 | 6.5 | 100 |" in text
    assert "- train_dtgan: out of time after 9 s" in text and "- right_dtgan, animation: E: no" in text
