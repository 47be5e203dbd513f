"""Trainings that cannot work, and checkpoints that were changed by hand, each refused before it does harm."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bad_inputs.case import Case
from i2vkit.apis.train import train
from i2vkit.config.loading import load_config
from i2vkit.engine.checkpoints import check_weights
from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.engine.resumable import check_resumable, check_state
from i2vkit.engine.work_dirs import latest_checkpoint
from i2vkit.models.losses import FrameL1Loss
from i2vkit.registry import MODELS, build_part

_DECAY = dict(type="LinearLR", start_factor=0.5, begin=0, end=2)
_ENCODER = "model.generator.motion_encoder"

# The options, given to ``train`` with a config, and the message.
_TRAININGS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a schedule by epochs", {"param_scheduler": {"a": {**_DECAY, "by_epoch": True}}}, {}, "by_epoch=False"),
    ("a schedule by default epochs", {"param_scheduler": {"a": _DECAY}}, {}, "by_epoch=False"),
    ("a validation without scores", {"val_evaluator": None}, {}, "val_evaluator is not"),
    ("a validation without a loop", {"val_cfg": None}, {}, "val_cfg is not"),
    ("scores of nothing", {"val_evaluator": {}}, {}, "val_evaluator is not"),
    ("an unknown rule", {"default_hooks.checkpoint.rule": "bigger"}, {}, "'greater' or 'less'"),
    ("an unknown constructor", {"optim_wrapper.constructor": "Nope"}, {}, "is called 'Nope'"),
    ("an unknown collation", {"train_dataloader.collate_fn": dict(type="nope")}, {}, "registered by that name"),
    (
        "a work dir in the data",
        {"train_dataloader.dataset.reader.root": "FOLDER"},
        {"work_dir": "FOLDER"},
        "in the data",
    ),
    ("an empty work dir", {}, {"work_dir": ""}, "work_dir is empty"),
    ("resume=3", {}, {"resume": 3}, "resume is 3"),
    ("deterministic='x'", {}, {"deterministic": "x"}, "deterministic is 'x'"),
    ("compile='x'", {}, {"compile": "x"}, "compile is 'x'"),
]
_MODELS: list[tuple[str, str, dict[str, Any], str]] = [
    ("an encoder that no pass calls", "vgan_mug", {_ENCODER: dict(type="Conv3dEncoder")}, "would never be called"),
    ("modules named twice", "vgan_mug", {"model.phases.generator.updates": ["generator", "generator"]}, "already"),
    (
        "modules in others",
        "vgan_mug",
        {"model.phases.generator.updates": ["generator", "generator.decoder"]},
        "already",
    ),
    ("no discriminators", "vgan_mug", {"model.discriminators": {}}, "asks discriminator 'video'"),
    ("no passes", "vgan_mug", {"model.passes": {}}, "reads pass 'reconstruct'"),
    ("weights of no part", "vgan_mug", {"model.pretrained": dict(a=dict(checkpoint="a.pth"))}, "has no part"),
    ("weights without a file", "vgan_mug", {"model.pretrained": dict(a=dict(part="generator"))}, "has no checkpoint"),
]
_LINEAR = nn.Linear(2, 1)
_ADAM = torch.optim.Adam(_LINEAR.parameters())
_LINEAR(torch.ones(1, 2)).sum().backward()
_ADAM.step()
_META = dict(iter=3, epoch=0, seed=0)
_HUB = dict(log_scalars={}, runtime_info={}, resumed_keys={})


def _resumable(**changes: Any) -> None:
    check_resumable(dict(meta=_META, message_hub=_HUB, optimizer={}) | changes, "a.pth")


def _state(change: Callable[[dict], object]) -> None:
    saved = _ADAM.state_dict()
    saved["state"] = {number: dict(entries) for number, entries in saved["state"].items()}
    change(saved)
    check_state(saved, _ADAM, "generator", "a.pth")


def _weights(weights: Any) -> None:
    check_weights(_LINEAR, weights, "a.pth")


def _long_name(folder: Path) -> None:
    (folder / "last_checkpoint").write_text("a" * 5000, encoding="utf-8")
    latest_checkpoint(folder)


_CHECKPOINTS: list[tuple[str, Callable[[Path], object], str]] = [
    *(
        (f"iter {value!r}", lambda folder, v=value: _resumable(meta={**_META, "iter": v}), "meta.iter is")
        for value in ("3", -5, 2.5, None, True, 10**13)
    ),
    ("meta of a list", lambda folder: _resumable(meta=[1]), "meta is no dict"),
    ("a seed of text", lambda folder: _resumable(meta={**_META, "seed": "x"}), "meta.seed is 'x'"),
    ("no message hub", lambda folder: _resumable(message_hub=None), "message_hub is no dict"),
    (
        "a message hub of lists",
        lambda folder: _resumable(message_hub={key: [] for key in _HUB}),
        "message_hub is no dict",
    ),
    ("optimisers of a list", lambda folder: _resumable(optimizer=[]), "optimizer is no dict"),
    ("a state of a list", lambda folder: check_state([], _ADAM, "generator", "a.pth"), "has no param_groups"),
    ("a smaller tensor", lambda folder: _state(lambda s: s["state"][0].update(exp_avg=torch.zeros(1))), "does not fit"),
    ("a state of text", lambda folder: _state(lambda s: s["state"].update({0: "x"})), "does not fit"),
    ("no groups", lambda folder: _state(lambda s: s.pop("param_groups")), "has no param_groups"),
    ("weights of a list", lambda folder: _weights([1]), "are not listed by name"),
    ("weights by number", lambda folder: _weights({3: torch.zeros(1)}), "are not listed by name"),
    ("a weight of text", lambda folder: _weights({"weight": "x"}), "weight is no tensor of real numbers"),
    ("complex weights", lambda folder: _weights({"weight": torch.zeros(1, 2) * 1j}), "but torch.complex64"),
    ("a name that is too long", _long_name, "there is no checkpoint"),
]


def _train(options: dict[str, Any], given: dict[str, Any]) -> Callable[[Path], object]:
    def run(folder: Path) -> None:
        own, more = ({key: str(folder) if v == "FOLDER" else v for key, v in d.items()} for d in (options, given))
        train(load_config("dtgan_weizmann", own), **({"work_dir": folder / "wd"} | more))

    return run


def _build(name: str, options: dict[str, Any]) -> Callable[[Path], object]:
    return lambda folder: build_part(MODELS, load_config(name, options).model)


def _phase_of_lbfgs(folder: Path) -> None:
    model = nn.Module()
    model.phases, model.phase_modules = [type("Phase", (), dict(name="a"))], lambda name: [_LINEAR]
    PhaseOptimWrapperConstructor(dict(optimizer=dict(type="LBFGS", lr=0.1)))(model)


RUNS = [
    *(Case("training", name, _train(options, given), message) for name, options, given, message in _TRAININGS),
    *(Case("model", name, _build(config, options), message) for name, config, options, message in _MODELS),
    Case("model", "an optimiser with a closure", _phase_of_lbfgs, "computes the loss several times a step"),
    Case(
        "model",
        "a part that nothing reads",
        lambda folder: load_config("vgan_mug", {"model.generator.motion_generator": dict(type="NoiseGru")}),
        "NoiseGru is not built",
    ),
    *(
        Case("model", f"a weight {weight!r}", lambda folder, w=weight: FrameL1Loss(weight=w), "weight")
        for weight in ([[0, 1, 2]], [[10, 1], [0, 1]], [3], "x", math.nan)
    ),
    *(Case("checkpoint", *entry) for entry in _CHECKPOINTS),
]
