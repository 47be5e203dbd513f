"""Two gloo processes train, validate and resume as one process does; and how processes find each other."""

import json
import os
from datetime import timedelta

import narrow
import numpy as np
import pytest
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import ValLoop
from processes import start_processes
from tiny import tiny_config

from i2vkit.apis.train import train
from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.engine import distributed as module
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.distributed import average_losses, gpu_of, init_distributed, slurm_environment, slurm_port
from i2vkit.errors import ConfigError
from i2vkit.evaluation.metrics import Psnr, Ssim
from i2vkit.media import write_image
from i2vkit.registry import HOOKS

needs_gloo = pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would need two GPUs; with gloo, none")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Five moving squares, an odd number."""
    root = tmp_path_factory.mktemp("clips")
    for person in range(5):
        for t in range(4):
            frame = np.full((32, 32, 3), 30 * (person + 1), dtype=np.uint8)
            frame[4 + 2 * t : 12 + 2 * t, 8 : 16 + person] = 230
            write_image(root / f"P{person}" / "a" / "clip" / f"{t}.png", frame)
    return root


@HOOKS.register_module()
class EvalModeHook(Hook):
    """Trains in eval mode: batch norms and dropouts differ with the part of the batch that a process has."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        """After validation the loop sets training mode again."""
        runner.model.eval()


def gan_config(clips, folder, iterations, batch_size, eval_mode=True):
    """The narrow DTGAN, validated every other iteration; trained in eval mode or as usual."""
    model = narrow.gan_config(labels=["a"])
    dataset = dict(
        type=ClipDataset,
        reader=dict(type=ClipFolder, root=str(clips)),
        pipeline=dict(window=dict(type=FirstFrames, length=4), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
    )
    loader = dict(batch_size=batch_size, num_workers=0, dataset=dataset, collate_fn=dict(type="pseudo_collate"))
    cfg = tiny_config(
        folder,
        iterations,
        model=model,
        train_dataloader=loader | dict(sampler=dict(type=PositionSampler)),
        val_dataloader=loader | dict(sampler=dict(type=PositionSampler, ordered=True)),
        val_evaluator=dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr)),
        val_cfg=dict(type=ValLoop),
        train_cfg=dict(type="IterBasedTrainLoop", max_iters=iterations, val_interval=2),
    )
    cfg.default_hooks.logger = dict(type=LoggerHook, interval=1, log_metric_by_epoch=False)
    cfg.custom_hooks.eval_mode = dict(type=EvalModeHook) if eval_mode else None
    cfg.default_hooks.checkpoint |= dict(save_best="psnr", rule="greater", by_epoch=False)
    # Adam would turn gradients that are nearly zero, and so unlike in their last digits, into steps of full length.
    cfg.optim_wrapper.optimizer = dict(type="SGD", lr=1e-4, momentum=0.9)
    cfg.optim_wrapper.pop("per_phase")
    return cfg


def logged(folder):
    """What was logged by iteration: of training, and of validation."""
    training, validation = {}, {}
    for path in sorted(folder.glob("*/vis_data/scalars.json")):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if "psnr" in entry:
                validation[entry["step"]] = {name: entry[name] for name in ("psnr", "ssim", "psnr_improvement")}
            else:
                training[entry["iter"]] = {name: entry[name] for name in entry if name.rpartition("_")[2] in LOSSES}
    return training, validation


LOSSES = ("total", "loss", "l1", "cycle", "discriminator", "adversarial")


def train_on_processes(clips, folder):
    """Straight to iteration 4, and on from the checkpoint of iteration 2; without statistics of a part, and with."""
    os.chdir(folder)
    for eval_mode, name in ((True, "two"), (False, "two_with_norms")):
        train(gan_config(clips, folder / name, 4, batch_size=2, eval_mode=eval_mode), launcher="pytorch")
        runner = train(
            gan_config(clips, folder / f"{name}_resumed", 4, batch_size=2, eval_mode=eval_mode),
            resume=folder / name / "iter_2.pth",
            launcher="pytorch",
        )
    return {name: value.numpy().copy() for name, value in runner.model.module.state_dict().items()}


@pytest.fixture(scope="module")
def trained(clips, tmp_path_factory):
    """The folder of all trainings, and the weights and statistics that the two processes ended with."""
    folder = tmp_path_factory.mktemp("trained")
    states = start_processes(train_on_processes, clips, folder, join=False)
    train(gan_config(clips, folder / "one", 4, batch_size=4))
    return folder, states


@needs_gloo
def test_two_processes_train_and_validate_like_one(trained):
    folder, _ = trained
    (one, one_scores), (two, two_scores) = (logged(folder / name) for name in ("one", "two"))
    assert list(one) == list(two) == [1, 2, 3, 4] and len(one[1]) >= 6
    for step, losses in one.items():
        assert two[step] == pytest.approx(losses, abs=1e-5, rel=1e-5)
    assert one[1] != one[4]
    assert list(one_scores) == list(two_scores) == [2, 4]
    for step, scores in one_scores.items():
        assert two_scores[step] == pytest.approx(scores, abs=1e-3)
    first, second = (load_checkpoint_file(folder / name / "iter_4.pth")["state_dict"] for name in ("one", "two"))
    assert first.keys() == second.keys()  # no ".module." in them
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0, atol=1e-5)
    assert sorted(path.name for path in (folder / "two").glob("*.pth")) == sorted(
        path.name for path in (folder / "one").glob("*.pth")
    )


@needs_gloo
@pytest.mark.parametrize("name", ["two", "two_with_norms"])
def test_two_processes_resume_bit_by_bit(trained, name):
    folder, _ = trained
    straight, resumed = (load_checkpoint_file(folder / part / "iter_4.pth") for part in (name, f"{name}_resumed"))
    for key, value in straight["state_dict"].items():
        assert torch.equal(resumed["state_dict"][key], value), key
    for phase, state in straight["optimizer"].items():
        for number, slots in state["state"].items():
            for slot, value in slots.items():
                assert torch.equal(resumed["optimizer"][phase]["state"][number][slot], value), (phase, number, slot)
    (straight, scores), (resumed, resumed_scores) = (logged(folder / part) for part in (name, f"{name}_resumed"))
    assert {step: straight[step] for step in (3, 4)} == resumed
    assert resumed_scores == {4: scores[4]}


@needs_gloo
def test_all_processes_validate_the_statistics_that_are_saved(trained):
    folder, (first, second) = trained
    saved = load_checkpoint_file(folder / "two_with_norms_resumed" / "iter_4.pth")["state_dict"]
    statistics = [name for name in first if "running" in name]
    assert len(statistics) > 5
    for name in first:
        np.testing.assert_array_equal(first[name], saved[name].numpy())
        np.testing.assert_array_equal(second[name], first[name])
    assert not list(folder.glob(".dist_test"))


def averaged():
    losses = dict(a=torch.tensor(1.0 + get_rank()), b=torch.tensor(-4.0 * get_rank(), dtype=torch.float64))
    return {name: value.item() for name, value in average_losses(losses).items()}


@needs_gloo
def test_logged_losses_are_means_over_the_processes():
    assert start_processes(averaged) == [dict(a=1.5, b=-2.0)] * 2
    losses = dict(a=torch.tensor(1.0))
    assert average_losses(losses) is losses


def test_launchers_say_how_to_start_them(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("SLURM_PROCID", raising=False)
    with pytest.raises(ConfigError, match=r"dist_train\.sh"):
        init_distributed("pytorch")
    with pytest.raises(ConfigError, match=r"slurm_train\.sh"):
        init_distributed("slurm")
    with pytest.raises(ConfigError, match="one of none, pytorch, slurm"):
        init_distributed("mpi")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(ConfigError, match=r"dist_cfg: there is no 'time_out'; there are backend, timeout and port"):
        init_distributed("pytorch", dict(backend="nccl", time_out=3))


@pytest.fixture
def calls(monkeypatch):
    """What the group of processes is asked for, on a machine with four GPUs."""
    calls = {}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: calls.update(set_device=device))
    monkeypatch.setattr(
        module.distributed, "init_process_group", lambda backend, **how: calls.update(how, backend=backend)
    )
    for name, value in dict(RANK="6", LOCAL_RANK="2", WORLD_SIZE="8").items():
        monkeypatch.setenv(name, value)
    return calls


def test_each_process_binds_its_gpu_before_it_joins(calls, monkeypatch):
    init_distributed("pytorch")
    gpu = torch.device("cuda", 2)
    assert calls == dict(set_device=gpu, backend="nccl", timeout=timedelta(minutes=30), device_id=gpu)
    calls.clear()
    init_distributed("pytorch", dict(backend="gloo", timeout=5))
    assert calls == dict(set_device=gpu, backend="gloo", timeout=timedelta(seconds=5))
    monkeypatch.setenv("LOCAL_RANK", "4")
    with pytest.raises(ConfigError, match=r"process 4 of this machine .* finds no GPU of its own: 4 are visible"):
        init_distributed("pytorch")


def test_a_task_of_slurm_may_see_one_gpu_only():
    assert [gpu_of(local, 4, "slurm") for local in range(4)] == [0, 1, 2, 3]
    assert gpu_of(3, 1, "slurm") == 0
    with pytest.raises(ConfigError, match="1 are visible"):
        gpu_of(1, 1, "pytorch")


TASK = dict(SLURM_PROCID="5", SLURM_NTASKS="8", SLURM_LOCALID="1", SLURM_JOB_ID="123", SLURM_STEP_ID="0")


def test_tasks_of_slurm_meet_at_the_first_machine_of_their_step(tmp_path, monkeypatch):
    scontrol = tmp_path / "scontrol"
    scontrol.write_text('#!/bin/sh\n[ "$3" = "node[3-4]" ] && printf "node3\\nnode4\\n"\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    nodes = dict(SLURM_NODELIST="node[1-4]", SLURM_STEP_NODELIST="node[3-4]")
    met = slurm_environment(TASK | nodes)
    assert met == dict(RANK="5", WORLD_SIZE="8", LOCAL_RANK="1", MASTER_ADDR="node3", MASTER_PORT="15123")
    assert slurm_environment(TASK | nodes | dict(SLURM_STEP_ID="1"))["MASTER_PORT"] == "22690"
    chosen = dict(MASTER_ADDR="10.0.0.1", MASTER_PORT="29999")
    assert slurm_environment(TASK | nodes | chosen) == met | chosen
    assert slurm_environment(TASK | nodes | chosen, port=4000)["MASTER_PORT"] == "4000"
    with pytest.raises(ConfigError, match=r"knows no machine in 'node9'.* Set MASTER_ADDR"):
        slurm_environment(TASK | dict(SLURM_NODELIST="node9"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ConfigError, match="scontrol is not on the PATH: set MASTER_ADDR"):
        slurm_environment(TASK | nodes)


def test_jobs_and_steps_have_ports_of_their_own():
    ports = [slurm_port(job, step) for job in range(1_000_000, 1_001_000) for step in range(2)]
    assert len(set(ports)) == len(ports)
    assert all(15000 <= port < 30000 for port in ports)
