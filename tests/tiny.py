"""A model in two phases, its data and its config: small enough to train in a blink."""

import os
import signal
from types import SimpleNamespace

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from i2vkit.datasets.samplers import PositionSampler
from i2vkit.engine.hooks import IterationSeedHook
from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.engine.saving import SafeCheckpointHook
from i2vkit.registry import DATASETS, MODELS


@DATASETS.register_module()
class Numbers(Dataset):
    """Vectors of (4,) drawn from the position; ``read`` lists the positions that this process made."""

    metainfo = {"labels": ["one"]}

    def __init__(self):
        self.read = []

    def __len__(self):
        return 10

    def __getitem__(self, key):
        index, position = key
        self.read.append(position)
        return dict(inputs=torch.from_numpy(np.random.default_rng([0, position]).normal(index, size=4)).float())


@MODELS.register_module()
class TwoPhases(BaseModel):
    """A linear generator and discriminator; ``noise`` makes every step draw from torch's random state."""

    def __init__(self, noise=0.0, precision="fp32"):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
        self.discriminators = nn.ModuleDict(dict(frame=nn.Linear(4, 1)))
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.noise, self.precision = noise, precision
        self.phases = [SimpleNamespace(name="discriminators"), SimpleNamespace(name="generator")]

    def phase_modules(self, name):
        return [self.discriminators] if name == "discriminators" else [self.generator, self.frozen]

    def init_weights(self):
        pass

    def forward(self, inputs):
        return self.generator(inputs)

    def train_step(self, data, optim_wrapper):
        real = torch.stack(data["inputs"])
        fake = self.generator(real + self.noise * torch.randn_like(real))
        discriminator = self.discriminators["frame"]
        judged = discriminator(fake.detach()).mean() - discriminator(real).mean() + discriminator.weight.square().sum()
        optim_wrapper["discriminators"].update_params(judged)
        for parameter in discriminator.parameters():
            parameter.requires_grad_(False)
        loss = (fake - real).square().mean() - discriminator(fake).mean()
        optim_wrapper["generator"].update_params(loss)
        for parameter in discriminator.parameters():
            parameter.requires_grad_(True)
        return dict(judged=judged.detach(), loss=loss.detach())


def tiny_config(work_dir, iterations, workers=0, batch_size=2, noise=0.1, **changes):
    """A config that the Runner takes."""
    settings = dict(
        default_scope="i2vkit",
        work_dir=str(work_dir),
        model=dict(type=TwoPhases, noise=noise),
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=workers,
            persistent_workers=workers > 0,
            dataset=dict(type=Numbers),
            sampler=dict(type=PositionSampler),
        ),
        optim_wrapper=dict(
            constructor=PhaseOptimWrapperConstructor,
            optimizer=dict(type="Adam", lr=0.01),
            per_phase=dict(discriminators=dict(lr=0.02, betas=(0.5, 0.9))),
        ),
        train_cfg=dict(type="IterBasedTrainLoop", max_iters=iterations),
        default_hooks=dict(checkpoint=dict(type=SafeCheckpointHook, interval=1)),
        custom_hooks=dict(seed=dict(type=IterationSeedHook)),
        log_processor=dict(by_epoch=False),
        randomness=dict(seed=5),
        env_cfg=dict(dist_cfg=dict(backend="gloo")),
    )
    return Config({**settings, **changes}, format_python_code=False)


@DATASETS.register_module()
class ValidatedNumbers(Numbers):
    """The same without positions, two of them."""

    def __len__(self):
        return 2


@MODELS.register_module()
class ValidatedTwoPhases(TwoPhases):
    """The same, and can be validated."""

    def val_step(self, data):
        with torch.no_grad():
            return list(self.generator(torch.stack(data["inputs"])))


@DATASETS.register_module()
class DyingNumbers(Numbers):
    """The same, until the process that reads the sixth sample is killed."""

    def __getitem__(self, key):
        if key[1] == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(key)
