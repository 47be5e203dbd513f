"""Training, for ``tools/train.py`` and for notebooks."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.config.data_facts import check_facts
from i2vkit.config.overriding import changes_of
from i2vkit.config.requests import check_apart, check_trainable
from i2vkit.engine.checkpoints import load_checkpoint_file, unwrapped
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.engine.console import FILE_ONLY
from i2vkit.engine.distributed import ReplicatedModel, SharedValidationHook, init_distributed
from i2vkit.engine.labels import LabelsHook
from i2vkit.engine.people import PeopleHook
from i2vkit.engine.precision import check_precision
from i2vkit.engine.precision import precision as computing_in
from i2vkit.engine.resuming import ResumeHook
from i2vkit.engine.runner import NamedRunner
from i2vkit.engine.stopping import StopHook
from i2vkit.engine.validation import DueValidationHook
from i2vkit.engine.work_dirs import check_work_dir, disk_errors, latest_checkpoint
from i2vkit.engine.workers import WORKER_ERRORS, dead_worker
from i2vkit.errors import ConfigError, I2VError, TrainingError
from i2vkit.registry import MODELS, arguments_of, find_part
from i2vkit.utils.run_names import run_name
from i2vkit.values import check_output_folder, checks_arguments, refuse_values


@checks_arguments("cfg", "seed", "launcher", "precision")
def train(
    cfg: Config,
    work_dir: str | Path | None = None,
    resume: bool | str | Path = False,
    seed: int | None = None,
    deterministic: bool = False,
    precision: str | None = None,
    compile: bool = False,
    launcher: str = "none",
) -> Runner:
    """Train the model of a config, and return the finished runner.

    Args:
        cfg: A config of ``load_config``. It is not changed.
        work_dir: Folder of checkpoints and logs. By default the config's, or ``work_dirs/<name of the config>``.
        resume: True goes on from the newest checkpoint of the work dir. A path goes on from that checkpoint, or from
            the newest of that work dir. Settings that have changed since are taken over and logged. Default False.
        seed: Seed of the training. By default the config's.
        deterministic: Use deterministic algorithms only, which are slower. Default False.
        precision: "fp32", "tf32" or "bf16". By default the config's.
        compile: Compile the parts for which it pays, like the config's key ``compile``. Default False.
        launcher: "none" (the default) for one process, "pytorch" (torchrun) or "slurm" for several.

    Returns:
        mmengine's Runner after the training, with ``model`` and ``work_dir``.

    Raises:
        I2VError: Config, data, checkpoint or training fail. The message says what to do.
        TrainingStopped: A signal came. A checkpoint is saved.

    Examples:
        Train a config for a few iterations::

            from i2vkit.apis import load_config
            from i2vkit.apis.train import train

            cfg = load_config("dtgan_oulu", {"train_cfg.max_iters": 100})
            runner = train(cfg, work_dir="work_dirs/try")
    """
    refuse_values(seed=(seed, int | None))
    if not isinstance(cfg, Config):
        raise ConfigError(f"cfg is a config of load_config, not {type(cfg).__name__}: load_config('dtgan_oulu') is one")
    check_trainable(cfg)
    check_facts(cfg)
    cfg = prepare(cfg, work_dir, resume, seed, deterministic, precision, compile, launcher)
    check_apart(cfg, cfg.work_dir)
    check_work_dir(cfg.work_dir, cfg.load_from if cfg.get("resume") else None)
    init_distributed(launcher, cfg.get("env_cfg", {}).get("dist_cfg"))
    with disk_errors(cfg.work_dir), _packages():
        runner = NamedRunner.from_cfg(cfg)
    runner.logger.info(f"{describe_run(cfg)}; the whole log, with config and versions: {runner.logger.log_file}")
    for line in changes_of(cfg):  # logged when the config was loaded, before this training had a log
        runner.logger.info(line)
    stop = StopHook()
    for hook in (LabelsHook(), PeopleHook(), DueValidationHook(), ResumeHook(), stop):
        runner.register_hook(hook)
    if launcher != "none":
        runner.register_hook(SharedValidationHook())
    if options := compile_options(runner.cfg.pop("compile", None)):  # popped, or mmengine would compile the whole step
        runner.logger.info(
            f"compiled when they first run: {', '.join(compile_parts(unwrapped(runner.model), options))}"
        )
    with warnings.catch_warnings(), computing_in("fp32"):  # metrics of the validation; the model switches to its own
        # Schedules count iterations, whatever phase runs. A phase that begins late steps its optimiser after them.
        warnings.filterwarnings("ignore", message=r"Detected call of `scheduler.step\(\)` before")
        try:
            with disk_errors(cfg.work_dir):
                runner.train()
        except I2VError as error:
            runner.logger.error(str(error), extra=FILE_ONLY)  # the command prints it as its last line
            raise
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise TrainingError(
                f"a batch norm got one value a channel, of which it has no variance ({error}): raise "
                f"train_dataloader.batch_size or model.image_size"
            ) from error
        except WORKER_ERRORS as error:
            loops = (runner._train_loop, runner._val_loop)  # the properties would build what is not built yet
            if (mistake := dead_worker(error, [getattr(loop, "dataloader", None) for loop in loops])) is None:
                raise
            runner.logger.error(str(mistake), extra=FILE_ONLY)
            raise mistake from error
        finally:
            stop.release()
    return runner


@contextmanager
def _packages() -> Iterator[None]:
    """Turn the lack of a package that a config asks for, such as a logger's, into a ``ConfigError``."""
    try:
        yield
    except ImportError as error:
        raise ConfigError(f"the config needs a package that is not installed: {error}") from error


def prepare(
    cfg: Config,
    work_dir: str | Path | None = None,
    resume: bool | str | Path = False,
    seed: int | None = None,
    deterministic: bool = False,
    precision: str | None = None,
    compile: bool = False,
    launcher: str = "none",
) -> Config:
    """Copy ``cfg`` and write the arguments of ``train`` into it, as mmengine's Runner reads them."""
    cfg = cfg.copy()
    cfg.launcher = launcher
    cfg.work_dir = str(check_output_folder(work_dir or cfg.get("work_dir") or default_work_dir(cfg)))
    cfg.experiment_name = run_name(cfg.get("experiment_name") or default_work_dir(cfg).name)
    randomness = cfg.setdefault("randomness", {})
    if seed is not None:
        randomness["seed"] = seed
    if deterministic:
        randomness["deterministic"] = True
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by cuBLAS when it is first used
    if randomness.get("deterministic") and cfg.get("env_cfg"):
        # The benchmark may choose another algorithm in every run.
        cfg.env_cfg = dict(cfg.env_cfg, cudnn_benchmark=False)
    resume = resume or (cfg.get("resume", False) and (cfg.get("load_from") or True))
    if resume:
        source = Path(cfg.work_dir if resume is True else resume)
        cfg.resume = True
        cfg.load_from = str(latest_checkpoint(source) if resume is True or source.is_dir() else source)
        if randomness.get("seed") is None:
            randomness["seed"] = load_checkpoint_file(cfg.load_from).get("meta", {}).get("seed")
    if precision is not None:
        cfg = with_precision(cfg, precision)
    if compile:
        cfg.compile = cfg.get("compile") or True
    if launcher != "none":
        # ReplicatedModel converts batch norms itself, so the Runner must not. A config that it wrote has the key here.
        sync_bn = cfg.pop("sync_bn", None) or cfg.get("model_wrapper_cfg", {}).get("sync_bn")
        cfg.model_wrapper_cfg = dict(type=ReplicatedModel, sync_bn=sync_bn)
    return cfg


def describe_run(cfg: Config) -> str:
    """Return a line about a training: its config, seed, precision, device and work dir."""
    name = Path(cfg.filename or "config").stem
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    precision = cfg.model.get("precision") or "fp32"
    seed = (cfg.get("randomness") or {}).get("seed")
    return (
        f"{name} in {cfg.work_dir}: {cfg.train_cfg.get('max_iters')} iterations, seed {seed}, {precision} on {device}"
    )


def with_precision(cfg: Config, precision: str) -> Config:
    """Return a copy of ``cfg`` whose model computes in ``precision``.

    Raises:
        ConfigError: There is no such precision, or the model computes in one only.
    """
    model = find_part(MODELS, cfg.model.type)
    if "precision" not in (arguments_of(model) or ()):
        raise ConfigError(f"{model.__name__} computes in one precision only: leave --precision out")
    cfg = deepcopy(cfg)  # ``Config.copy`` would share nested values
    cfg.model.precision = check_precision(precision)
    return cfg


def default_work_dir(cfg: Config) -> Path:
    """Return ``work_dirs/<name of the config>`` below the current folder."""
    return Path("work_dirs") / Path(cfg.filename or "config").stem
