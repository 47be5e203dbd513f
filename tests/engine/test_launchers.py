"""The scripts that start several processes: what they run, and that what they run trains, resumes and tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import free_port

from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.media import write_image

TOOLS = Path(__file__).parents[2] / "tools"
CONFIG = """
from mmengine.config import read_base
from mmengine.dataset import pseudo_collate
from torch.optim import SGD

from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import FirstFrames, PackClip, ReadFrames
from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.evaluation.metrics import Psnr, Ssim
from i2vkit.evaluation.protocols import Reconstruction
from i2vkit.models import ImageToVideoGan
from i2vkit.models.decoders import FrameDecoder
from i2vkit.models.encoders import Conv3dEncoder, ConvPyramidEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import FrameL1Loss
from i2vkit.models.motion_generators import LstmUnroll

with read_base():
    from i2vkit.configs._base_.runtime import *

model = dict(
    type=ImageToVideoGan,
    image_size=32,
    generator=dict(
        content_encoder=dict(type=ConvPyramidEncoder, widths=(4, 8, 8), code=6),
        motion_encoder=dict(type=Conv3dEncoder, widths=(4, 8, 8), code=6),
        motion_generator=dict(type=LstmUnroll, hidden=7),
        decoder=dict(type=FrameDecoder, widths=(8, 8, 8)),
        head=dict(type=DirectHead),
    ),
    passes=dict(reconstruct=dict()),
    phases=dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss)))),
)
dataset = dict(
    type=ClipDataset,
    reader=dict(type=ClipFolder, root="ROOT"),
    pipeline=dict(window=dict(type=FirstFrames, length=4), read=dict(type=ReadFrames), pack=dict(type=PackClip)),
)
_loader = dict(batch_size=2, num_workers=0, dataset=dataset, collate_fn=dict(type=pseudo_collate))
train_dataloader = dict(**_loader, sampler=dict(type=PositionSampler))
val_dataloader = dict(**_loader, sampler=dict(type=PositionSampler, ordered=True))
test_dataloader = val_dataloader
val_evaluator = dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr))
test_evaluator = val_evaluator
protocols = dict(reconstruction=dict(type=Reconstruction))
optim_wrapper = dict(constructor=PhaseOptimWrapperConstructor, optimizer=dict(type=SGD, lr=1e-3, momentum=0.9))
train_cfg.update(max_iters=2, val_interval=2)
default_hooks["logger"].update(interval=1)
default_hooks["checkpoint"].update(interval=2)
del dataset
"""


def run(command, **variables):
    """The line that a script prints with ``echo`` in the place of Python, without the tools' folder, or its error."""
    environment = {name: value for name, value in os.environ.items() if name not in ("NNODES", "MASTER_ADDR", "PORT")}
    environment |= {"PYTHON": "echo", **variables}
    script, *arguments = command.split()
    done = subprocess.run([TOOLS / script, *arguments], env=environment, capture_output=True, text=True)
    return done.stdout.strip().replace(f"{TOOLS}/", "") if done.returncode == 0 else done.stderr


def test_one_machine_meets_by_itself():
    started = "-m torch.distributed.run --standalone --nproc_per_node 2 "
    told = run("dist_train.sh dtgan_oulu 2 --resume --precision bf16")
    assert told == started + "train.py dtgan_oulu --resume --precision bf16 --launcher pytorch"
    told = run("dist_test.sh dtgan_oulu a.pth 2 --save-videos")
    assert told == started + "test.py dtgan_oulu a.pth --save-videos --launcher pytorch"


def test_several_machines_meet_at_the_first():
    told = run("dist_train.sh dtgan_oulu 8", NNODES="4", NODE_RANK="3", MASTER_ADDR="node0")
    meeting = "--nnodes 4 --node_rank 3 --master_addr node0 --master_port 29500 --nproc_per_node 8 "
    assert told == f"-m torch.distributed.run {meeting}train.py dtgan_oulu --launcher pytorch"
    told = run("dist_test.sh a b 1", NNODES="2", MASTER_ADDR="node0", PORT="29511")
    assert "--node_rank 0 --master_addr node0 --master_port 29511 " in told
    assert "need MASTER_ADDR" in run("dist_train.sh dtgan_oulu 8", NNODES="4")


@pytest.mark.parametrize("command", ["dist_train.sh a", "dist_test.sh a b", "slurm_train.sh p a"])
def test_what_is_missing_is_said(command):
    assert run(command).startswith(f"usage: {TOOLS / command.split()[0]} ")


def test_numbers_are_numbers():
    assert "not 'two'" in run("dist_train.sh dtgan_oulu two")
    assert "not '0'" in run("slurm_test.sh gpu dtgan_oulu a.pth 0")


def put_on_path(folder, **programs):
    """Programs in the place of Slurm's, and the PATH that finds them."""
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_slurm_is_asked_for_a_task_a_gpu(tmp_path):
    path = put_on_path(tmp_path, srun='#!/bin/sh\necho "$@"\n')
    told = run("slurm_train.sh gpu dtgan_oulu 16 --precision bf16", PATH=path, SRUN_ARGS="--time=1-0 --mem=0")
    assert told == (
        "-p gpu --job-name=i2vkit --gres=gpu:8 --ntasks=16 --ntasks-per-node=8 --cpus-per-task=4 --kill-on-bad-exit=1 "
        "--time=1-0 --mem=0 echo -u train.py dtgan_oulu --precision bf16 --launcher slurm"
    )
    told = run("slurm_test.sh gpu dtgan_oulu a.pth 2", PATH=path, CPUS_PER_TASK="9")
    assert "--gres=gpu:2 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=9 " in told
    assert told.endswith(" test.py dtgan_oulu a.pth --launcher slurm")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A config and its clips."""
    folder = tmp_path_factory.mktemp("config")
    for person in range(5):
        for t in range(4):
            frame = np.full((32, 32, 3), 30 * (person + 1), dtype=np.uint8)
            frame[4 + 2 * t : 12 + 2 * t, 8 : 16 + person] = 230
            write_image(folder / "clips" / f"P{person}" / "a" / "clip" / f"{t}.png", frame)
    (folder / "narrow_gan.py").write_text(CONFIG.replace("ROOT", str(folder / "clips")))
    return folder / "narrow_gan.py"


def start(command, folder, **variables):
    """Run a tool as a user does, in ``folder``; what it printed."""
    own = {
        "PYTHON": sys.executable,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(TOOLS.parent),
        "CUDA_VISIBLE_DEVICES": "",
    }
    return subprocess.Popen(
        list(map(str, command)), cwd=folder, env={**os.environ, **own, **variables}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def finish(*processes):
    told = [process.communicate(timeout=300)[0] for process in processes]
    for process, text in zip(processes, told, strict=True):
        assert process.returncode == 0, text
    return told


def logged(folder, name):
    """The values of a loss or a score by iteration."""
    lines = [line for path in sorted(folder.glob("*/vis_data/scalars.json")) for line in path.read_text().splitlines()]
    return {entry["step"]: entry[name] for entry in map(json.loads, lines) if name in entry}


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    """A work dir that two processes made in two iterations."""
    folder = tmp_path_factory.mktemp("trained")
    finish(start([TOOLS / "dist_train.sh", config, 2, "--work-dir", "work"], folder))
    return folder / "work"


@pytest.mark.slow
def test_two_processes_train_resume_and_test_through_the_tools(config, trained, tmp_path):
    longer = ["--cfg-options", "train_cfg.max_iters=4"]
    finish(start([TOOLS / "dist_train.sh", config, 2, "--work-dir", "straight", *longer], tmp_path))
    finish(start([TOOLS / "dist_train.sh", config, 2, "--work-dir", "resumed", "--resume", trained, *longer], tmp_path))
    straight, resumed = (load_checkpoint_file(tmp_path / name / "iter_4.pth") for name in ("straight", "resumed"))
    for name, value in straight["state_dict"].items():
        assert torch.equal(resumed["state_dict"][name], value), name
    for name, steps in (("frame_l1", [1, 2, 3, 4]), ("ssim", [2, 4])):
        assert list(logged(tmp_path / "straight", name)) == steps
        assert logged(tmp_path / "straight", name) == logged(trained, name) | logged(tmp_path / "resumed", name)

    [shared] = finish(start([TOOLS / "dist_test.sh", config, "straight/iter_4.pth", 2, "--out", "two"], tmp_path))
    finish(start([sys.executable, TOOLS / "test.py", config, "straight/iter_4.pth", "--out", "one"], tmp_path))
    assert shared.count("5 of 5 videos scored") == 1
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("one", "two"))
    assert one["scores"].keys() == two["scores"].keys()
    assert two["scores"] == pytest.approx(one["scores"], abs=1e-6)
    assert [row["name"] for row in two["per_video"]] == [row["name"] for row in one["per_video"]]


@pytest.mark.slow
def test_two_machines_train_together(config, trained, tmp_path):
    """Both are this one: each starts one process, and they meet at a port."""
    meeting = dict(NNODES="2", MASTER_ADDR="127.0.0.1", PORT=str(free_port()))
    command = [TOOLS / "dist_train.sh", config, 1, "--work-dir", "work"]
    finish(*(start(command, tmp_path, NODE_RANK=str(rank), **meeting) for rank in range(2)))
    one, two = (load_checkpoint_file(folder / "iter_2.pth")["state_dict"] for folder in (trained, tmp_path / "work"))
    for name, value in one.items():
        assert torch.equal(two[name], value), name


SRUN = """#!/bin/bash
# Starts two tasks, as srun would with --ntasks=2.
while [[ $1 == -* ]]; do if [ "$1" = -p ]; then shift; fi; shift; done
export SLURM_NTASKS=2 SLURM_JOB_ID=JOB SLURM_STEP_ID=0 SLURM_NODELIST=localhost
for task in 0 1; do SLURM_PROCID=$task SLURM_LOCALID=$task "$@" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
"""
SCONTROL = '#!/bin/sh\n[ "$1 $2" = "show hostnames" ] && echo "$3"\n'


@pytest.mark.slow
def test_two_tasks_of_slurm_test_together(config, trained, tmp_path):
    path = put_on_path(tmp_path, srun=SRUN.replace("JOB", str(os.getpid())), scontrol=SCONTROL)
    command = [TOOLS / "slurm_test.sh", "cpu", config, trained, 2, "--out", "out"]
    [told] = finish(start(command, tmp_path, PATH=path))
    assert told.count("5 of 5 videos scored") == 1
    assert len(json.loads((tmp_path / "out" / "metrics.json").read_text())["per_video"]) == 5
