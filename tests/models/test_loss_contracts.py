"""The contract of every registered loss, in a narrow model that has it (``loss_models.py``).

The order of clips, repeated and padded clips, gradients, bf16, weights that come back, and values and gradients with
weights that a formula makes (``golden_outputs.json``). ``I2VKIT_WRITE_GOLDEN=1 pytest
tests/models/test_loss_contracts.py -k golden`` writes these anew.
"""

import inspect
import json
import os
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import loss_models
import narrow
import pytest
import torch
from loss_models import clips_of, context_of, loss_in, padded_otherwise, picked
from mixing import names

from i2vkit.registry import LOSSES, part_names

GOLDEN = Path(__file__).with_name("golden_outputs.json")
CASES = {
    f"{model} {name}": (model, name)
    for model, config in loss_models.CONFIGS.items()
    for phase in config["phases"].values()
    for name in phase["losses"]
}
# Where a check does not apply, and why. The test sees that it does fail there.
DEFORMED = "draws a deformation for each place in the batch"
EXCEPT = {
    "order": {"fomm equivariance": DEFORMED},
    "repeated": {"fomm equivariance": DEFORMED},
    "padding": {"dual_mtgan kl": "Conv3dEncoder convolves the padding with the frames"},
}


def for_every_loss(check: str):
    """Call a test with the key of every loss; where the check does not apply the test has to fail."""

    def marks(case: str) -> list:
        reason = EXCEPT.get(check, {}).get(case)
        return [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)] if reason else []

    return pytest.mark.parametrize("case", [pytest.param(case, marks=marks(case)) for case in CASES])


@cache
def model_of(name: str, weights: str = "formula", precision: str = "fp32"):
    """A model with weights of a formula, with random "first" ones, or with "loaded" ones that were the formula's."""
    model = loss_models.build(name, first_weights=weights != "formula")
    model.precision = precision
    if weights == "loaded":
        model.load_state_dict(model_of(name).state_dict(), strict=True)
    return model


@cache
def clips_for(change: str):
    """Three clips of 6, 5 and 4 frames, changed; "full" and "unpadded" ones are of 6, with and without lengths."""
    if change in ("full", "unpadded"):
        clips = clips_of((6, 6, 6))
        return clips if change == "unpadded" else replace(clips, num_frames=torch.tensor([6, 6, 6]))
    if change == "padded":
        return padded_otherwise(clips_of())
    orders = dict(none=[0, 1, 2], order=[2, 0, 1], repeated=[0, 1, 2, 0, 1, 2])
    return picked(clips_of(), orders[change])


@cache  # of one run of the generator, which all losses of a model read
def context_for(name: str, change: str, **model):
    return context_of(model_of(name, **model), clips_for(change))


def value(case: str, change: str = "none", **model) -> float:
    name, loss = CASES[case]
    return loss_in(context_for(name, change, **model), loss).item()


@cache
def gradients(case: str) -> dict[str, torch.Tensor]:
    """The gradient of every parameter that gets one, while no phase freezes any."""
    name, loss = CASES[case]
    model = model_of(name)
    model.zero_grad()
    loss_in(context_of(model, clips_for("none"), with_gradients=True), loss).backward()
    return {key: each.grad for key, each in model.named_parameters() if each.grad is not None}


def test_every_registered_loss_has_a_case():
    shown = {type(loss).__name__ for name in loss_models.CONFIGS for loss in loss_models.losses_of(model_of(name))}
    absent = sorted(set(names(LOSSES)) - shown)
    assert not absent, f"add to a model of tests/loss_models.py, for the contract to be checked: {', '.join(absent)}"
    assert not {case for excepted in EXCEPT.values() for case in excepted} - CASES.keys()


def test_losses_weigh_1_unless_the_config_says_more():
    """One is measured only: a GAN does not minimise how much of a content code varies."""
    weights = {name: inspect.signature(kind).parameters["weight"].default for name, kind in part_names(LOSSES).items()}
    assert {name: weight for name, weight in weights.items() if weight != 1} == {"ContentVarianceRatio": 0}


@pytest.mark.parametrize("name", [name for name, model in loss_models.CONFIGS.items() if "generator" in model])
def test_clips_and_frames_of_the_models_differ(name):
    """Otherwise a loss that reads the wrong ones would not be seen."""
    video = context_for(name, "unpadded").generated("reconstruct").video  # (B, C, T, H, W)
    assert video.diff(dim=2).abs().mean(dim=(1, 3, 4)).min() > 0.01
    assert (video - video.roll(1, 0)).abs().mean(dim=(1, 3, 4)).min() > 0.01


@for_every_loss("value")
def test_a_loss_is_a_finite_scalar(case):
    name, loss = CASES[case]
    found = loss_in(context_for(name, "none"), loss)
    assert found.shape == () and torch.isfinite(found) and found != 0


@for_every_loss("order")
def test_a_loss_does_not_depend_on_the_order_of_clips(case):
    assert value(case, "order") == pytest.approx(value(case), rel=1e-4)


@for_every_loss("repeated")
def test_a_batch_that_is_repeated_has_the_same_mean(case):
    assert value(case, "repeated") == pytest.approx(value(case), rel=1e-4)


@for_every_loss("padding")
def test_padding_changes_nothing(case):
    assert value(case, "unpadded") == pytest.approx(value(case, "full"), rel=1e-5)
    assert value(case, "padded") == pytest.approx(value(case), rel=1e-4)


@for_every_loss("gradients")
def test_a_loss_trains_modules_of_its_phase_and_no_others(case):
    name, loss_name = CASES[case]
    [(phase, loss)] = [(p, each) for p in model_of(name).phases for each in p.losses if each.name == loss_name]
    found = gradients(case)
    assert all(torch.isfinite(gradient).all() for gradient in found.values())
    assert sum(float(g.abs().sum()) for key, g in found.items() if key.startswith(phase.updates)) > 0
    # A discriminator learns alone. A generator learns through one, which its phase freezes.
    read = [f"discriminators.{loss.discriminator}."] if hasattr(loss, "discriminator") else []
    allowed = read if phase.name == "discriminators" else [*phase.updates, *read]
    assert not [key for key in found if not key.startswith(tuple(allowed))]


@for_every_loss("bf16")
def test_a_loss_in_bf16_is_about_the_same(case):
    assert value(case, precision="bf16") == pytest.approx(value(case), rel=0.1, abs=0.02)


@for_every_loss("weights")
def test_weights_come_back(case):
    assert value(case, weights="first") != pytest.approx(value(case), rel=1e-3)
    assert value(case, weights="loaded") == value(case)


def assert_golden(key: str, found: dict, **tolerance) -> None:
    """Compare numbers by name with those of the file, or write them there."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if os.environ.get("I2VKIT_WRITE_GOLDEN"):
        golden[key] = {name: float(f"{number:.6g}") for name, number in sorted(found.items())}
        GOLDEN.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n", encoding="utf-8")
    assert found == pytest.approx(golden[key], **tolerance)


@for_every_loss("golden")
def test_golden_loss(case):
    assert_golden(f"loss {case}", dict(value=value(case)), rel=1e-3)


@for_every_loss("golden")
def test_golden_gradients(case):
    """The sums of the gradients' absolute values, by the part that gets them."""
    sizes = Counter()
    for key, gradient in gradients(case).items():
        sizes[".".join(key.split(".")[:2])] += float(gradient.abs().sum())
    assert_golden(f"loss {case}, gradients", dict(sizes), rel=1e-2)


@pytest.mark.parametrize("name", loss_models.CONFIGS)
def test_golden_losses_of_a_training_step(name):
    """In training mode, with batch norms of the batch, through the phases."""
    model = loss_models.build(name).train()
    torch.manual_seed(0)
    log = model.train_step(loss_models.batch_of((6, 6, 6)), narrow.optimizers(model, lr=0.0))
    losses = {loss.name for loss in loss_models.losses_of(model)}
    assert set(log) == losses | {f"{phase.name}_total" for phase in model.phases}
    assert_golden(f"training step {name}", {key: float(number) for key, number in log.items()}, rel=1e-3, abs=1e-4)
