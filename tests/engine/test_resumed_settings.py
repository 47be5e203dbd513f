"""A resumed training takes changed settings over, says so, or refuses them; none is silently ignored."""

import pytest
import torch
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.resuming import describe_changes
from i2vkit.engine.settings import UNSET
from i2vkit.errors import CheckpointError, TrainingError

DECAY = dict(type="LinearLR", start_factor=1.0, end_factor=0.0, begin=0, by_epoch=False)


def rates(runner):
    return {phase: wrapper.optimizer.param_groups[0]["lr"] for phase, wrapper in runner.optim_wrapper.items()}


def log_of(folder):
    return "".join(path.read_text() for path in sorted(folder.glob("*/*.log"))[-1:])


@pytest.fixture
def begun(tmp_path):
    """A work dir with two iterations at 0.01 and 0.02."""
    train(tiny_config(tmp_path, 2))
    return tmp_path


def test_an_unchanged_config_is_resumed_without_a_word(begun):
    train(tiny_config(begun, 2), resume=True)
    assert "changed since" not in log_of(begun)
    assert "nothing is left to train: 2 of 2" in log_of(begun)


def test_a_new_learning_rate_is_used_and_the_moments_of_adam_stay(begun):
    moments = load_checkpoint_file(begun / "iter_2.pth")["optimizer"]["generator"]["state"][0]["exp_avg"]
    cfg = tiny_config(begun, 2)
    cfg.optim_wrapper.optimizer.lr, cfg.optim_wrapper.optimizer.betas = 1e-5, (0.8, 0.99)
    runner = train(cfg, resume=True)
    assert rates(runner) == {"discriminators": 0.02, "generator": 1e-5}
    optimizer = runner.optim_wrapper["generator"].optimizer
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.99)
    assert torch.equal(next(iter(optimizer.state.values()))["exp_avg"], moments)
    assert "optim_wrapper.optimizer.lr was 0.01 and is 1e-05 from now on" in log_of(begun)


def test_a_longer_schedule_goes_on_as_if_it_had_been_so_from_the_start(tmp_path):
    def config(folder, end):
        return tiny_config(tmp_path / folder, end, param_scheduler=dict(decay=dict(DECAY, end=end)))

    train(config("run", 3))
    assert rates(train(config("straight", 6)))["generator"] == pytest.approx(0.01 * 0 / 5)
    runner = train(config("run", 6), resume=True)
    logged = [load_checkpoint_file(tmp_path / f"run/iter_{n}.pth")["param_schedulers"] for n in (4, 5)]
    straight = [load_checkpoint_file(tmp_path / f"straight/iter_{n}.pth")["param_schedulers"] for n in (4, 5)]
    keys = ("last_step", "_last_value")
    for one, other in zip(logged, straight, strict=True):
        assert [one["generator"][0][key] for key in keys] == [other["generator"][0][key] for key in keys]
    assert logged[0]["generator"][0]["_last_value"][0] > 0
    assert "param_scheduler.decay.end was 3 and is 6" in log_of(tmp_path / "run")
    assert runner.iter == 6


def test_a_longer_training_at_rate_zero_is_refused(tmp_path):
    schedule = dict(decay=dict(DECAY, end=3))
    train(tiny_config(tmp_path, 3, param_scheduler=schedule))
    with pytest.raises(TrainingError, match="every learning rate is 0 from iteration 3 on"):
        train(tiny_config(tmp_path, 5, param_scheduler=schedule), resume=True)
    runner = train(tiny_config(tmp_path, 4, param_scheduler=None), resume=True)
    assert rates(runner)["generator"] == 0.01  # the config's, and not the 0 at which the schedule had ended


def test_a_new_seed_batch_size_and_precision_are_used(begun):
    cfg = tiny_config(begun, 4, batch_size=3)
    runner = train(cfg, resume=True, seed=9, precision="bf16")
    assert runner.seed == 9 and runner.train_dataloader.sampler.seed == 9
    assert runner.train_dataloader.dataset.read == list(range(6, 12))
    text = log_of(begun)
    for line in (
        "randomness.seed was 5 and is 9",
        "model.precision was not set and is bf16",
        "data go on at sample 6 of",
    ):
        assert line in text
    assert load_checkpoint_file(begun / "iter_4.pth")["meta"]["settings"]["randomness.seed"] == "9"


def test_a_config_without_a_seed_goes_on_with_that_of_the_checkpoint(begun):
    assert train(tiny_config(begun, 3, randomness=dict(seed=None)), resume=True).seed == 5


def test_another_optimiser_is_refused_before_anything_is_loaded(begun):
    cfg = tiny_config(begun, 3)
    cfg.optim_wrapper.optimizer = dict(type="SGD", lr=0.1)
    cfg.optim_wrapper.per_phase = {}
    with pytest.raises(CheckpointError, match=r"holds the state of Adam.*optim_wrapper.optimizer.type=Adam.*load_from"):
        train(cfg, resume=True)


def test_parameters_frozen_since_are_refused(begun):
    checkpoint = load_checkpoint_file(begun / "iter_2.pth")
    checkpoint["optimizer"]["generator"]["param_groups"][0]["params"].pop()
    torch.save(checkpoint, begun / "iter_2.pth")
    with pytest.raises(CheckpointError, match="state of 3 tensors in phase 'generator', which now updates 4"):
        train(tiny_config(begun, 3), resume=True)


def test_of_a_new_part_the_log_names_the_type_alone():
    changes = {
        "custom_hooks.ema.type": (UNSET, "GeneratorEMAHook"),
        "custom_hooks.ema.momentum": (UNSET, "0.1"),
        "custom_hooks.seed.other": ("1", "2"),
    }
    lines = describe_changes(changes, "iter_2.pth", 2)
    assert [line.split(" was ")[0] for line in lines] == [
        "changed since iter_2.pth: custom_hooks.ema.type",
        "changed since iter_2.pth: custom_hooks.seed.other",
    ]


def test_a_checkpoint_without_settings_says_so_and_its_schedule_goes_on(tmp_path):
    schedule = dict(decay=dict(DECAY, end=6))
    train(tiny_config(tmp_path, 2, param_scheduler=schedule))
    checkpoint = load_checkpoint_file(tmp_path / "iter_2.pth")
    del checkpoint["meta"]["settings"]
    torch.save(checkpoint, tmp_path / "iter_2.pth")
    runner = train(tiny_config(tmp_path, 3, param_scheduler=schedule), resume=True)
    assert "does not hold the settings of its training" in log_of(tmp_path)
    assert rates(runner)["generator"] == pytest.approx(0.01 * 2 / 5)
