"""Training on several processes.

Not by DistributedDataParallel: it counts on one forward pass through ``module.forward`` and a gradient for every
parameter, while a phase calls parts of the generator several times and updates some of them. Here every process runs
the model as it is, and the optimiser of a phase averages the gradients of its parameters before it steps.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from mmengine.dist import all_reduce_params, is_distributed
from torch import Tensor, distributed, nn

from i2vkit.errors import ConfigError
from i2vkit.registry import MODEL_WRAPPERS

LAUNCHERS = ("none", "pytorch", "slurm")


@MODEL_WRAPPERS.register_module()
class ReplicatedModel(nn.Module):
    """What mmengine asks for around a model in several processes; does nothing but pass on.

    The Runner itself sends the first process's weights to all before training.
    """

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def train_step(self, data: dict, optim_wrapper: Any) -> dict[str, Tensor]:
        """The model's."""
        return self.module.train_step(data, optim_wrapper)

    def val_step(self, data: dict) -> list:
        """The model's."""
        return self.module.val_step(data)

    def test_step(self, data: dict) -> list:
        """The model's."""
        return self.module.test_step(data)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The model's."""
        return self.module(*args, **kwargs)


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by its mean over all processes, in few large messages; nothing to do for one process.

    Parameters without a gradient are skipped: which ones follows from the config, so they are the same everywhere.
    """
    if is_distributed():
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        all_reduce_params(gradients, coalesce=True, bucket_size_mb=64, op="mean")


def init_distributed(launcher: str) -> None:
    """Join the other processes where there is no GPU; mmengine itself does so with NCCL where there is.

    Raises:
        ConfigError: for an unknown launcher, and one that did not start this process.
    """
    if launcher not in LAUNCHERS:
        raise ConfigError(f"launcher is one of {', '.join(LAUNCHERS)}, not '{launcher}'")
    if launcher == "pytorch" and "RANK" not in os.environ:
        raise ConfigError("--launcher pytorch is set by torchrun: use tools/dist_train.sh CONFIG PROCESSES")
    if launcher == "slurm" and "SLURM_PROCID" not in os.environ:
        raise ConfigError("--launcher slurm is set by srun: use tools/slurm_train.sh")
    if launcher == "none" or torch.cuda.is_available() or distributed.is_initialized():
        return
    if launcher == "slurm":
        raise ConfigError("no GPU is visible; several processes on CPUs are started by tools/dist_train.sh")
    distributed.init_process_group("gloo")
