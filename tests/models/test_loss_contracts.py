"""The contract of losses in a training step: the order of clips, weights, gradients, bf16, and weights that come back.

The losses are those of narrow models. Closed forms of the others stand in the tests of their files. The values of
weights that a formula makes are in ``golden_outputs.json``: ``I2VKIT_WRITE_GOLDEN=1 pytest
tests/models/test_loss_contracts.py -k golden`` writes them anew.
"""

import copy
import inspect
import json
import os
from pathlib import Path

import narrow
import pytest
import torch

from i2vkit.models import CnnLstmClassifier, SupervisedModel
from i2vkit.models.losses import (
    ClassCompactnessLoss,
    FirstFrameL1Loss,
    FrameClassLoss,
    SequenceClassLoss,
    StateClassLoss,
    StateCompactnessLoss,
    StateContinuityLoss,
)
from i2vkit.models.training.context import GanContext
from i2vkit.registry import LOSSES, MODELS, part_names

GOLDEN = Path(__file__).with_name("golden_outputs.json")
LENGTHS = (6, 6, 6)
GAN = [
    "frame_discriminator",
    "dynamics_discriminator",
    "frame_adversarial",
    "dynamics_adversarial",
    "frame_l1",
    "motion_l1",
    "first_frame_l1",
]
SUPERVISED = dict(
    frame_class=FrameClassLoss,
    class_compactness=ClassCompactnessLoss,
    frame_state=StateClassLoss,
    state_compactness=StateCompactnessLoss,
    state_continuity=StateContinuityLoss,
    sequence_class=SequenceClassLoss,
)


def build_supervised():
    """The narrow network of the pre-training, whose losses all update all of it."""
    losses = {name: dict(type=kind) for name, kind in SUPERVISED.items()}
    network = dict(type=CnnLstmClassifier, encoder=narrow.NARROW["CnnLstmEncoder"])
    phases = dict(all=dict(updates=["network"], losses=losses))
    torch.manual_seed(0)
    return MODELS.build(
        dict(type=SupervisedModel, network=network, image_size=narrow.SIZE, labels=narrow.LABELS, phases=phases)
    )


def supervised_batch() -> dict:
    data = narrow.batch(lengths=LENGTHS)
    data["inputs"]["states"] = [torch.arange(length) * 3 // length for length in LENGTHS]
    return data


def build_gan():
    """A narrow DTGAN without dropout, with weights that a formula makes."""
    quiet = narrow.NARROW["UNetDecoder"] | dict(dropout=0.0, embedder_dropout=0.0)  # its dropout is noise, in tests too
    config = narrow.gan_config(generator=dict(decoder=quiet))
    config["phases"]["generator"]["losses"]["first_frame_l1"] = dict(type=FirstFrameL1Loss, weight=2.0)
    torch.manual_seed(0)
    model = narrow.build(generator=config["generator"], phases=config["phases"]).eval()
    narrow.set_weights(model)
    return model


def reordered(data: dict, order: list[int]) -> dict:
    return dict(
        inputs={key: [values[place] for place in order] for key, values in data["inputs"].items()},
        data_samples=[data["data_samples"][place] for place in order],
    )


def loss_of(model, name: str, data: dict) -> torch.Tensor:
    clip = model.data_preprocessor(copy.deepcopy(data), training=True)["clip"]
    with model.autocast_context(torch.device("cpu")):
        context = GanContext(model, clip, 0, ["reconstruct"], True)
        loss = next(loss for phase in model.phases for loss in phase.losses if loss.name == name)
        return loss(context)


def supervised_losses(model, data: dict) -> dict[str, float]:
    made = model.train_step(copy.deepcopy(data), narrow.optimizers(model, lr=0.0))
    return {name: float(made[name]) for name in SUPERVISED}


def test_losses_weigh_1_unless_the_config_says_more():
    """One is measured only: a GAN does not minimise how much of a content code varies."""
    weights = {name: inspect.signature(kind).parameters["weight"].default for name, kind in part_names(LOSSES).items()}
    assert {name: weight for name, weight in weights.items() if weight != 1} == {"ContentVarianceRatio": 0}


@pytest.mark.parametrize("name", GAN)
def test_a_loss_does_not_depend_on_the_order_of_clips(name):
    model, data = build_gan(), narrow.batch(lengths=LENGTHS)
    expected = loss_of(model, name, data)
    assert expected.ndim == 0 and torch.isfinite(expected) and expected != 0
    assert loss_of(model, name, reordered(data, [2, 0, 1])).item() == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.parametrize("name", GAN)
def test_a_loss_trains_the_modules_of_its_phase(name):
    model = build_gan()
    loss_of(model, name, narrow.batch(lengths=LENGTHS)).backward()
    trained = "discriminators" if name.endswith("discriminator") else "generator"
    gradients = [value.grad for key, value in model.named_parameters() if key.startswith(trained)]
    given = [gradient for gradient in gradients if gradient is not None]
    assert given and all(torch.isfinite(gradient).all() for gradient in given)
    assert sum(gradient.abs().sum() for gradient in given) > 0
    if trained == "discriminators":  # which see videos that are cut off from their graph
        assert all(value.grad is None for key, value in model.named_parameters() if key.startswith("generator."))


@pytest.mark.parametrize("name", GAN)
def test_a_loss_in_bf16_is_about_the_same(name):
    model, data = build_gan(), narrow.batch(lengths=LENGTHS)
    expected = loss_of(model, name, data).item()
    model.precision = "bf16"
    assert loss_of(model, name, data).float().item() == pytest.approx(expected, rel=0.1, abs=0.02)


def test_losses_of_the_pre_training_do_not_depend_on_the_order_of_clips():
    model, data = build_supervised(), supervised_batch()
    expected = supervised_losses(copy.deepcopy(model), data)
    assert supervised_losses(copy.deepcopy(model), reordered(data, [2, 0, 1])) == pytest.approx(expected, rel=1e-3)


def test_weights_of_the_pre_training_come_back():
    model, other, data = build_supervised(), build_supervised(), supervised_batch()
    model.train_step(copy.deepcopy(data), narrow.optimizers(model, lr=1e-2))
    assert supervised_losses(copy.deepcopy(other), data) != supervised_losses(copy.deepcopy(model), data)
    other.load_state_dict(model.state_dict(), strict=True)
    assert supervised_losses(other, data) == supervised_losses(model, data)


def test_the_pre_training_in_bf16_is_about_the_same():
    model, data = build_supervised(), supervised_batch()
    expected = supervised_losses(copy.deepcopy(model), data)
    model.precision = "bf16"
    assert supervised_losses(model, data) == pytest.approx(expected, rel=0.1, abs=0.03)


def test_golden_losses():
    gan, model = build_gan(), build_supervised()
    narrow.set_weights(model)
    found = {name: loss_of(gan, name, narrow.batch(lengths=LENGTHS)).item() for name in GAN}
    found |= supervised_losses(model, supervised_batch())
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if os.environ.get("I2VKIT_WRITE_GOLDEN"):
        golden["losses"] = {name: round(value, 6) for name, value in found.items()}
        GOLDEN.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n", encoding="utf-8")
        return
    assert found == pytest.approx(golden["losses"], rel=1e-3, abs=1e-4)
