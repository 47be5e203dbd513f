"""Ctrl-C, SIGTERM and Slurm's warning end a training with a checkpoint, and the log on the screen is short."""

import os
import re
import signal

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from processes import start_processes
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.cli.common import run_tool
from i2vkit.datasets.samplers import PositionSampler
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.console import MOST_LINES, ConsoleFilter
from i2vkit.engine.hooks import GeneratorEMAHook
from i2vkit.errors import I2VError, TrainingStopped
from i2vkit.registry import HOOKS, METRICS


@HOOKS.register_module()
class SignalHook(Hook):
    """Sends this process a signal, or several, in an iteration."""

    def __init__(self, number, iteration, times=1):
        self.number, self.iteration, self.times = number, iteration, times

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == self.iteration:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)


def config(folder, *signal_hook, iterations=5, workers=0):
    cfg = tiny_config(folder, iterations, workers)
    cfg.default_hooks.checkpoint.interval = 2
    if signal_hook:
        number, iteration, *times = signal_hook
        cfg.custom_hooks.sender = dict(
            type=SignalHook, number=int(number), iteration=iteration, times=(times or [1])[0]
        )
    return cfg


def names(folder):
    return sorted(path.name for path in folder.glob("*.pth"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_saves_a_checkpoint_and_the_run_ends_as_without_it(tmp_path, number):
    before = signal.getsignal(number)
    with pytest.raises(TrainingStopped, match=rf"stopped by {number.name} after iteration 3 of 5.*--resume") as stopped:
        train(config(tmp_path / "run", number, 2))
    assert stopped.value.signal == number and signal.getsignal(number) is before
    assert names(tmp_path / "run") == ["iter_2.pth", "iter_3.pth"]
    train(config(tmp_path / "run"), resume=True)
    train(config(tmp_path / "straight"))
    # The extra checkpoint has gone, and the others are those of the straight run.
    assert names(tmp_path / "run") == names(tmp_path / "straight") == ["iter_2.pth", "iter_4.pth", "iter_5.pth"]
    one, other = (load_checkpoint_file(tmp_path / name / "iter_5.pth")["state_dict"] for name in ("run", "straight"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_second_ctrl_c_ends_at_once(tmp_path):
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(config(tmp_path, signal.SIGINT, 0, 2))
    assert not isinstance(stopped.value, TrainingStopped) and names(tmp_path) == []


def test_a_signal_in_the_last_iteration_changes_nothing(tmp_path):
    train(config(tmp_path, signal.SIGTERM, 4))
    assert names(tmp_path) == ["iter_2.pth", "iter_4.pth", "iter_5.pth"]


def test_tools_exit_with_the_code_of_the_signal_and_say_how_to_go_on(capsys):
    def stop():
        raise TrainingStopped("stopped by SIGTERM after iteration 3: go on with --resume", 15)

    with pytest.raises(SystemExit) as left:
        run_tool(stop)
    assert left.value.code == 143
    assert capsys.readouterr().err == "stopped by SIGTERM after iteration 3: go on with --resume\n"


def test_the_screen_shows_few_lines_before_the_first_iteration_and_the_file_all(tmp_path, capsys):
    train(config(tmp_path))
    shown = capsys.readouterr().out.splitlines()
    first = next(number for number, line in enumerate(shown) if "Saving checkpoint" in line)
    assert first <= MOST_LINES <= 30
    [path] = tmp_path.glob("*/*.log")
    text = path.read_text()
    assert str(path) in shown[0]  # the first line says where the rest is
    assert "so skip saving" not in text  # mmengine's warning of schedulers that there are not
    assert "System environment:" in text and "Config:" in text and "Hooks will be executed" in text
    assert not [line for line in shown if "System environment" in line or "optim_wrapper=" in line]


def test_lines_before_the_first_iteration_are_limited_and_warnings_pass():
    import logging

    screen = ConsoleFilter()

    def passes(text, level=logging.INFO):
        return screen.filter(logging.LogRecord("", level, "", 0, text, (), None))

    assert not passes("two\nlines") and not passes('"FileClient" will be deprecated in future', logging.WARNING)
    assert sum(passes(f"line {number}") for number in range(100)) == MOST_LINES - ConsoleFilter.RESERVED
    assert sum(passes(f"warning {number}", logging.WARNING) for number in range(100)) == ConsoleFilter.RESERVED
    assert passes("broken", logging.ERROR) and passes("Iter(train) [10/100]") and passes("after it")


def test_the_log_file_has_the_mistake_too(tmp_path):
    cfg = config(tmp_path)
    cfg.default_hooks.checkpoint.update(save_best="ssim", rule="greater")
    cfg.custom_hooks.sender = dict(type="FailingHook")
    with pytest.raises(I2VError, match="the mistake"):
        train(cfg)
    [path] = tmp_path.glob("*/*.log")
    assert re.search(r"ERROR - .*the mistake$", path.read_text().strip())


@HOOKS.register_module()
class FailingHook(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        raise I2VError("the mistake")


def note_worker(worker, folder):
    (folder / f"worker_{worker}").touch()


def test_workers_still_begin_as_the_config_wants(tmp_path):
    cfg = config(tmp_path, iterations=1, workers=1)
    cfg.train_dataloader.worker_init_fn = dict(type=note_worker, folder=tmp_path)
    train(cfg)
    assert (tmp_path / "worker_0").is_file()


def stopped_rank(folder):
    """Train as one of two processes, of which the second gets a signal in its third iteration."""
    rank = int(os.environ["RANK"])
    try:
        train(config(folder, signal.SIGUSR1, 2 if rank else 99, iterations=9), launcher="pytorch")
    except TrainingStopped as stopped:
        return str(stopped), stopped.signal
    return None


def test_several_processes_stop_after_the_same_iteration(tmp_path):
    (first, number), (second, other) = start_processes(stopped_rank, tmp_path)
    assert "stopped by SIGUSR1 after iteration 4 of 9" in first and second == ""
    assert number == other == signal.SIGUSR1
    assert names(tmp_path) == ["iter_2.pth", "iter_4.pth"]


def test_a_signal_in_a_validation_ends_it_and_it_is_made_up_for(tmp_path):
    def validated(*sender):
        cfg = config(tmp_path, iterations=3)
        cfg.default_hooks.checkpoint.interval = 9
        cfg.model.type = "ValidatedTwoPhases"
        cfg.val_dataloader = dict(cfg.train_dataloader, sampler=dict(type=PositionSampler, ordered=True))
        cfg.val_dataloader["dataset"] = dict(type="ValidatedNumbers")
        cfg.val_cfg, cfg.val_evaluator = dict(type="ValLoop"), dict(score=dict(type="Counted", prefix="counted"))
        cfg.train_cfg.val_interval = 2
        cfg.custom_hooks.ema = dict(type=GeneratorEMAHook, momentum=0.25)
        if sender:
            cfg.custom_hooks.sender = dict(type="ValidationSignalHook")
        return cfg

    with pytest.raises(TrainingStopped, match="after iteration 2 of 3"):
        train(validated("signal"))
    saved = load_checkpoint_file(tmp_path / "iter_2.pth")
    # The averaged weights, on which the validation ran, are those of the checkpoint, and the others go on.
    name = "generator.0.weight"
    assert not torch.equal(saved["state_dict"][name], saved["ema_state_dict"]["module.0.weight"])
    train(validated(), resume=True)
    straight = tmp_path / "straight"
    cfg = validated()
    cfg.work_dir = str(straight)
    train(cfg)
    one, other = (load_checkpoint_file(folder / "iter_3.pth") for folder in (tmp_path, straight))
    for part in ("state_dict", "ema_state_dict"):
        assert all(torch.equal(one[part][key], other[part][key]) for key in one[part])


@HOOKS.register_module()
class ValidationSignalHook(Hook):
    def before_val_iter(self, runner, batch_idx, data_batch=None):
        os.kill(os.getpid(), signal.SIGTERM)


@METRICS.register_module()
class Counted(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        return {"number": len(results)}
