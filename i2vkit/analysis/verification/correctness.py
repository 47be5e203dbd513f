"""Checks of correctness: a training step against float64, validation and animation, determinism, and resuming."""

from __future__ import annotations

import os
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from i2vkit.analysis.benchmark.step import random_batch
from i2vkit.analysis.verification.random_clips import with_random_clips
from i2vkit.analysis.verification.records import Record
from i2vkit.analysis.verification.step import StepRunner, descend
from i2vkit.analysis.verification.subjects import Subject, frames_of, subject_config
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.registry import MODELS

# Allowed difference of losses from those in float64, relative or absolute, whichever is larger.
LOSSES = {"fp32": 1e-3, "tf32": 3e-2, "bf16": 1e-1}
# Allowed relative norm of the difference of updates. Even a CPU in fp32 differs by 0.013 if a discriminator has a
# gradient penalty (FRGAN, narrow), since activations near zero may change their sign. In bf16 it is only reported.
UPDATES = {"fp32": 5e-2, "tf32": 3e-1}
GREY_LEVELS = 1  # allowed difference of videos made on the device and on the CPU, in fp32
SYNCHRONISATIONS = 2  # allowed number in a training step


def check_subject(subject: Subject, device: str, narrow: bool, record: Record) -> None:
    """Run every check of one model and write each result immediately."""
    place = torch.device(device)
    cfg = subject_config(subject, narrow)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    frames = frames_of(cfg, model, narrow, subject.frames)
    data = random_batch(model, frames, subject.clips)
    checks: dict[str, Callable[[], dict[str, Any]]] = {
        "step": lambda: check_step(model, cfg, data, place),
        "validation": lambda: check_validation(model, data, place),
        "animation": lambda: check_animation(model, cfg, frames, place),
        "synchronisations": lambda: count_synchronisations(model, cfg, data, place),
        "deterministic": lambda: check_deterministic(model, cfg, data, place),
        "resume": lambda: check_resume(cfg, subject, narrow, frames, place),
    }
    for name, check in checks.items():
        record.measure(name, check)


def check_step(model: PhasedModel, cfg: Config, data: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Compare losses and updates of one step in each precision with float64 on the CPU."""
    expected = descend(model, cfg.optim_wrapper, data, torch.device("cpu"), "fp64")
    result: dict[str, Any] = {"losses_fp64": expected["losses"], "passed": True}
    for precision in ("fp32", "tf32", "bf16"):
        found = descend(model, cfg.optim_wrapper, data, device, precision)
        losses = {
            name: abs(found["losses"][name] - value) / max(1.0, abs(value))
            for name, value in expected["losses"].items()
        }
        updates = {
            name: float((found["updates"][name] - value).norm() / value.norm())
            for name, value in expected["updates"].items()
            if value.any()  # a phase that begins later has no update yet
        }
        worst_loss, worst_update = max(losses.values()), max(updates.values())
        within = worst_loss <= LOSSES[precision] and worst_update <= UPDATES.get(precision, float("inf"))
        result[precision] = {"losses": losses, "updates": updates, "passed": within}
        result["passed"] &= within
    return result


def check_validation(model: PhasedModel, data: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Compare the videos of a validation step on the device with those on the CPU, in fp32."""
    here, there = (_validated(model, data, place) for place in (device, torch.device("cpu")))
    if here is None or there is None:
        return {"passed": True, "skipped": "the model makes no videos"}
    return _grey_levels(here, there)


def _validated(model: PhasedModel, data: dict[str, Any], device: torch.device) -> Tensor | None:
    """Return the videos of a validation step as one flat tensor, or None if the model makes no videos."""
    # The optimiser is never used here, since nothing trains.
    runner = StepRunner(model, {"optimizer": dict(type="SGD", lr=0.0)}, data, device)
    samples = runner.model.val_step(data)
    if "generated" not in samples[0]:
        return None
    return torch.cat([sample.generated.cpu().flatten() for sample in samples])


def _grey_levels(here: Tensor, there: Tensor) -> dict[str, Any]:
    """Return the largest and the mean difference of two uint8 tensors."""
    difference = (here.int() - there.int()).abs()
    largest = int(difference.max())
    return {"largest": largest, "mean": float(difference.float().mean()), "passed": largest <= GREY_LEVELS}


def check_animation(model: PhasedModel, cfg: Config, frames: int, device: torch.device) -> dict[str, Any]:
    """Animate an image with one seed on the device and on the CPU, from an exported file, and compare the videos."""
    from i2vkit.apis.animation import Animation
    from i2vkit.apis.inferencer import I2VInferencer
    from i2vkit.models.generator_weights import export_generator

    generator = getattr(model, "generator", None)
    if generator is None or generator.reads_maps or generator.landmarks_read:
        return {"passed": True, "skipped": "the model is not animated by a picture and a video alone"}
    rng, size = np.random.default_rng(0), cfg.model.image_size
    image = rng.integers(256, size=(size, size, 3), dtype=np.uint8)
    driving = rng.integers(256, size=(generator.lengths.at_least(frames), size, size, 3), dtype=np.uint8)
    arguments: dict[str, Any] = {"driving": driving} if generator.motion_encoder is not None else {}
    if generator.reads_label:
        arguments["label"] = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generator.safetensors"
        export_generator(model, cfg, path)
        videos = []
        for place in (device, torch.device("cpu")):
            animate = I2VInferencer(cfg, path, device=str(place), seed=7)
            animation = animate(image, **arguments)
            assert isinstance(animation, Animation)  # of one image
            videos.append(torch.from_numpy(animation.videos))
    return _grey_levels(*videos)


def count_synchronisations(
    model: PhasedModel, cfg: Config, data: dict[str, Any], device: torch.device
) -> dict[str, Any]:
    """Count the blocking synchronisations of a training step after a warm-up, as CUDA reports them."""
    if device.type != "cuda":
        return {"passed": True, "skipped": "only CUDA can tell; the tests count them on an emulation"}
    runner = StepRunner(model, cfg.optim_wrapper, _pinned(data), device)
    runner.step()
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            runner.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    # "called a synchronizing operation"; the switch itself warns that it is a prototype, which does not count.
    counted = [warning for warning in caught if "called a synchroniz" in str(warning.message)]
    found = [f"{warning.filename}:{warning.lineno}" for warning in counted]
    return {"number": len(found), "at": sorted(set(found)), "passed": len(found) <= SYNCHRONISATIONS}


def _pinned(data: dict[str, Any]) -> dict[str, Any]:
    """Return the batch as a loader with ``pin_memory`` provides it."""
    inputs = {
        name: value.pin_memory() if isinstance(value, Tensor) else [item.pin_memory() for item in value]
        for name, value in data["inputs"].items()
    }
    return data | {"inputs": inputs}


def check_deterministic(model: PhasedModel, cfg: Config, data: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Train two copies for two steps each with deterministic algorithms. Their weights must be equal bit by bit."""
    # cuBLAS is deterministic only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        states = []
        for _ in range(2):
            runner = StepRunner(model, cfg.optim_wrapper, data, device)
            torch.manual_seed(1)
            for _ in range(2):
                runner.step()
            states.append(runner.model.state_dict())
    finally:
        torch.use_deterministic_algorithms(False)
    differing = [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]
    return {"differing": differing[:10], "passed": not differing}


def check_resume(cfg: Config, subject: Subject, narrow: bool, frames: int, device: torch.device) -> dict[str, Any]:
    """Train four iterations at once, then two and two, then two in a process group of one, all with the Runner."""
    from i2vkit.apis.train import train
    from i2vkit.engine.checkpoints import load_checkpoint_file

    cfg = with_random_clips(cfg, subject.name, narrow, subject.clips, subject.frames)
    cfg.default_hooks.checkpoint.update(interval=2, save_best=None, max_keep_ckpts=-1)

    def trained(folder: Path, iterations: int, **options: Any) -> dict[str, Tensor]:
        own = cfg.copy()
        own.train_cfg.update(max_iters=iterations, val_interval=iterations + 1)
        train(own, folder, seed=3, deterministic=True, **options)
        return load_checkpoint_file(folder / f"iter_{iterations}.pth")["state_dict"]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        straight = trained(folder / "straight", 4)
        half = trained(folder / "resumed", 2)
        resumed = trained(folder / "resumed", 4, resume=True)
        differing = [key for key in straight if not torch.equal(straight[key], resumed[key])]
        with _group_of_one():
            alone = trained(folder / "group", 2, launcher="pytorch")
        grouped = [key for key in half if not torch.equal(half[key], alone[key])]
    return {
        "device": str(device),
        "differing_after_resume": differing[:10],
        "differing_in_a_process_group": grouped[:10],
        "passed": not differing and not grouped,
    }


@contextmanager
def _group_of_one() -> Iterator[None]:
    """Set the environment that torchrun gives to the only process of a group, and end that group after the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        # The socket is closed before the process group opens the port again.
        port = free.getsockname()[1]
    group = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in group.items()})
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        for name in group:
            os.environ.pop(name, None)
