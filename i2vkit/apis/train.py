"""Training, as ``tools/train.py`` and a notebook call it."""

from __future__ import annotations

import os
from copy import deepcopy
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.apis.config import changes_of
from i2vkit.apis.labels import LabelsHook
from i2vkit.apis.run_names import run_name
from i2vkit.engine.checkpoints import latest_checkpoint
from i2vkit.engine.distributed import ReplicatedModel, init_distributed
from i2vkit.errors import ConfigError
from i2vkit.registry import MODELS, arguments_of, find_part


def train(
    cfg: Config,
    work_dir: str | Path | None = None,
    resume: bool | str | Path = False,
    seed: int | None = None,
    deterministic: bool = False,
    amp: bool = False,
    launcher: str = "none",
) -> Runner:
    """Train what ``cfg`` (of ``load_config``) describes; returns the finished runner.

    ``resume`` is True for the newest checkpoint of the work dir, or a checkpoint or another work dir; ``amp`` runs the
    model in bf16 autocast; ``launcher`` is "none", "pytorch" (torchrun) or "slurm".

    Raises:
        I2VError: what is wrong with config, data, checkpoint or training.
    """
    cfg = prepare(cfg, work_dir, resume, seed, deterministic, amp, launcher)
    init_distributed(launcher)
    runner = Runner.from_cfg(cfg)
    for line in changes_of(cfg):  # said when the config was loaded, before there was a log of this training
        runner.logger.info(line)
    runner.register_hook(LabelsHook())
    runner.train()
    return runner


def prepare(
    cfg: Config,
    work_dir: str | Path | None = None,
    resume: bool | str | Path = False,
    seed: int | None = None,
    deterministic: bool = False,
    amp: bool = False,
    launcher: str = "none",
) -> Config:
    """A copy of ``cfg`` with the arguments of ``train`` written into it, as mmengine's Runner reads them."""
    cfg = cfg.copy()
    cfg.launcher = launcher
    cfg.work_dir = str(work_dir or cfg.get("work_dir") or default_work_dir(cfg))
    cfg.experiment_name = run_name(cfg.get("experiment_name") or default_work_dir(cfg).name)
    randomness = cfg.setdefault("randomness", {})
    if seed is not None:
        randomness["seed"] = seed
    if deterministic:
        randomness["deterministic"] = True
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by cuBLAS when it is first used
    if randomness.get("deterministic") and cfg.get("env_cfg"):
        cfg.env_cfg.cudnn_benchmark = False  # the fastest algorithm is another one from run to run
    resume = resume or (cfg.get("resume", False) and (cfg.get("load_from") or True))
    if resume:
        source = Path(cfg.work_dir if resume is True else resume)
        cfg.resume = True
        cfg.load_from = str(latest_checkpoint(source) if resume is True or source.is_dir() else source)
    if amp:
        cfg = with_autocast(cfg)
    if launcher != "none":
        cfg.model_wrapper_cfg = dict(type=ReplicatedModel)
    return cfg


def with_autocast(cfg: Config) -> Config:
    """A copy of ``cfg`` whose model runs in bf16. Raises ``ConfigError`` if it is one that cannot."""
    model = find_part(MODELS, cfg.model.type)
    if "autocast" not in (arguments_of(model) or ()):
        raise ConfigError(f"{model.__name__} has no mixed precision: leave --amp away")
    cfg = deepcopy(cfg)  # its own copy shares what lies deeper
    cfg.model.autocast = "bf16"
    return cfg


def default_work_dir(cfg: Config) -> Path:
    """``work_dirs/<name of the config>`` below the current folder."""
    return Path("work_dirs") / Path(cfg.filename or "config").stem
