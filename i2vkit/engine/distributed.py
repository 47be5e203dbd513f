"""Training and testing on several processes.

DistributedDataParallel is not used. It needs one forward pass through ``module.forward`` and a gradient for every
parameter, while a phase calls parts of the generator several times and updates some of them. Here every process runs
the model as it is, and the optimiser of a phase averages the gradients of its parameters (``averaging.py``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import torch
from mmengine.dist import all_reduce, broadcast, get_world_size
from mmengine.hooks import Hook
from torch import Tensor, distributed, nn

from i2vkit.engine.checkpoints import unwrapped
from i2vkit.engine.sync_batch_norm import convert_batch_norms_
from i2vkit.errors import ConfigError
from i2vkit.registry import HOOKS, MODEL_WRAPPERS

LAUNCHERS = ("none", "pytorch", "slurm")
# Seconds that a process waits for another that decodes clips, draws samples or computes scores.
TIMEOUT = 1800
# Ports of Slurm jobs. They are below those that systems hand out by themselves.
FIRST_PORT, PORTS = 15000, 15000


@MODEL_WRAPPERS.register_module()
class ReplicatedModel(nn.Module):
    """The wrapper that mmengine needs around a model in several processes.

    The Runner itself sends the first process's weights to all before training.

    Args:
        module: The model.
        sync_bn: "torch" or "mmcv" makes its batch norms take their statistics from all processes, see
            ``convert_batch_norms_``. By default each process takes its own.

    Raises:
        ConfigError: ``sync_bn`` is given for a model on the CPU, or as ``convert_batch_norms_``.
    """

    def __init__(self, module: nn.Module, sync_bn: str | None = None):
        super().__init__()
        self.module: Any = module  # mmengine's models have steps, which torch's modules do not declare
        if sync_bn is None:
            return
        if any(parameter.device.type == "cpu" for parameter in module.parameters()):
            raise ConfigError(
                "SyncBatchNorm needs GPUs, and this model is on the CPU: leave sync_bn away. Each process then takes "
                "the batch norm statistics of its own part of the batch"
            )
        convert_batch_norms_(module, sync_bn)

    def train_step(self, data: dict, optim_wrapper: Any) -> dict[str, Tensor]:
        """Run the model's step. The losses that it returns are means over the processes."""
        return average_losses(self.module.train_step(data, optim_wrapper))

    def val_step(self, data: dict) -> list:
        """Run the model's validation step."""
        return self.module.val_step(data)

    def test_step(self, data: dict) -> list:
        """Run the model's test step."""
        return self.module.test_step(data)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the model."""
        return self.module(*args, **kwargs)


def average_losses(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the means of ``losses``, scalars by name, over all processes. They are sent in one message."""
    if get_world_size() == 1 or not losses:
        return losses
    # One tensor with a scalar for each loss, so that a single message suffices.
    values = torch.stack([value.detach().float() for value in losses.values()])
    all_reduce(values, op="mean")
    return dict(zip(losses, values.unbind(), strict=True))


@HOOKS.register_module()
class SharedValidationHook(Hook):
    """A hook for several processes that validate one model: that of the checkpoint, which the first process writes.

    Each process has batch norm statistics of its own, so before validation all get the buffers of the first one. The
    results of the metrics go through the process group, as in a test (``evaluation/sharing.py``).
    """

    priority = "LOW"  # after the averaged weights have replaced the model's

    def before_val_epoch(self, runner: Any) -> None:
        """Send and receive the buffers."""
        for metric in runner.val_loop.evaluator.metrics:
            metric.collect_device = "gpu"
        for buffer in unwrapped(runner.model).buffers():
            broadcast(buffer)


def init_distributed(launcher: str, settings: Mapping[str, Any] | None = None) -> None:
    """Join the other processes: by NCCL, each with a GPU of its own, or by gloo without GPUs.

    mmengine finds the processes joined and leaves them as they are.

    Args:
        launcher: "none" for one process, "pytorch" (torchrun) or "slurm" (srun).
        settings: ``env_cfg.dist_cfg`` of the config. ``backend`` is used with GPUs ("nccl" by default), ``timeout`` is
            in seconds (1800 by default), and ``port`` is that of the first process under Slurm.

    Raises:
        ConfigError: The launcher is unknown or did not start this process, a setting is unknown, or there are more
            processes than GPUs.
    """
    if launcher not in LAUNCHERS:
        raise ConfigError(f"launcher is one of {', '.join(LAUNCHERS)}, not '{launcher}'")
    if launcher == "pytorch" and "RANK" not in os.environ:
        raise ConfigError(
            "--launcher pytorch is set by torchrun: use tools/dist_train.sh CONFIG PROCESSES, or tools/dist_test.sh"
        )
    if launcher == "slurm" and "SLURM_PROCID" not in os.environ:
        raise ConfigError("--launcher slurm is set by srun: use tools/slurm_train.sh or tools/slurm_test.sh")
    if launcher == "none" or distributed.is_initialized():
        return
    chosen: dict[str, Any] = {"backend": "nccl", "timeout": TIMEOUT, "port": None} | dict(settings or {})
    if unknown := sorted(set(chosen) - {"backend", "timeout", "port"}):
        raise ConfigError(f"env_cfg.dist_cfg: there is no '{unknown[0]}'; there are backend, timeout and port")
    if launcher == "slurm":
        os.environ.update(slurm_environment(os.environ, chosen["port"]))
    timeout = timedelta(seconds=chosen["timeout"])
    if not torch.cuda.is_available():
        distributed.init_process_group("gloo", timeout=timeout)
        return
    device = torch.device("cuda", gpu_of(int(os.environ["LOCAL_RANK"]), torch.cuda.device_count(), launcher))
    torch.cuda.set_device(device)
    # With its device NCCL connects at once, and barriers need not guess it.
    bound: dict[str, Any] = {"device_id": device} if chosen["backend"] == "nccl" else {}
    distributed.init_process_group(chosen["backend"], timeout=timeout, **bound)


def gpu_of(local_rank: int, gpus: int, launcher: str = "pytorch") -> int:
    """Return the index of the GPU of a process.

    Slurm may show each task its own GPU only, which is then number 0.

    Args:
        local_rank: Number of the process on this machine, from 0.
        gpus: Number of GPUs that the process sees.
        launcher: "pytorch" (the default) or "slurm".

    Raises:
        ConfigError: There are more processes than GPUs.

    >>> gpu_of(3, 8), gpu_of(3, 1, "slurm")
    (3, 0)
    """
    if local_rank < gpus:
        return local_rank
    if launcher == "slurm" and gpus == 1:
        return 0
    raise ConfigError(
        f"process {local_rank} of this machine (they count from 0) finds no GPU of its own: {gpus} are visible. "
        f"Start {gpus} processes a machine, or make more GPUs visible (CUDA_VISIBLE_DEVICES)"
    )


def slurm_environment(environment: Mapping[str, str], port: int | None = None) -> dict[str, str]:
    """Return the variables that torch reads, made of those that Slurm sets for each task.

    ``MASTER_ADDR`` and ``MASTER_PORT`` stay if they are set. Otherwise they are the first machine of the job step, and
    ``port`` or a port that follows from the numbers of the job and of its step. Two jobs on one machine thus get
    different ports.

    Raises:
        ConfigError: ``scontrol`` is not installed, or knows no machine.
    """
    job, step = environment.get("SLURM_JOB_ID", "0"), environment.get("SLURM_STEP_ID", "0")
    return {
        "RANK": environment["SLURM_PROCID"],
        "WORLD_SIZE": environment["SLURM_NTASKS"],
        "LOCAL_RANK": environment["SLURM_LOCALID"],
        "MASTER_ADDR": environment.get("MASTER_ADDR") or _first_machine(environment),
        "MASTER_PORT": str(port or environment.get("MASTER_PORT") or slurm_port(int(job), int(step))),
    }


def slurm_port(job: int, step: int = 0) -> int:
    """Return a port from 15000 to 29999 that differs for each of 15000 jobs in a row, and for each step of a job.

    >>> slurm_port(123456), slurm_port(123457), slurm_port(123456, step=1)
    (18456, 18457, 26023)
    """
    return FIRST_PORT + (job + 7567 * step) % PORTS


def _first_machine(environment: Mapping[str, str]) -> str:
    machines = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_NODELIST", "")
    scontrol = shutil.which("scontrol")
    if scontrol is None:
        raise ConfigError("Slurm's scontrol is not on the PATH: set MASTER_ADDR to the first machine of the job")
    listed = subprocess.run([scontrol, "show", "hostnames", machines], capture_output=True, text=True)
    if listed.returncode or not listed.stdout.strip():
        raise ConfigError(
            f"scontrol knows no machine in {machines!r}: {listed.stderr.strip()}. Set MASTER_ADDR to the first machine"
        )
    return listed.stdout.split()[0]


def leave_distributed() -> None:
    """Leave the other processes, once all work is done. Otherwise torch warns at the end of a program."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
