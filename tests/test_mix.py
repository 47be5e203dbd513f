"""Every combination of what is registered builds, steps and makes videos, or is refused with the reason.

The parts are collected from the registries, so a new part is in from its first day.
"""

from collections import Counter
from itertools import product

import narrow
import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

import i2vkit.models  # noqa: F401  registers the parts
from i2vkit.errors import ConfigError
from i2vkit.models.losses import AdversarialLoss, CriticLoss, FrameL1Loss
from i2vkit.registry import (
    ADVERSARIAL_LOSSES,
    CONTENT_ENCODERS,
    DECODERS,
    DISCRIMINATORS,
    HEADS,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    REFINERS,
    VIEWS,
)
from i2vkit.structures import Clip

SLOTS = {
    "content_encoder": [None, *CONTENT_ENCODERS.module_dict],
    "motion_encoder": [None, *MOTION_ENCODERS.module_dict],
    "motion_generator": [None, *MOTION_GENERATORS.module_dict],
    "decoder": list(DECODERS.module_dict),
    "head": list(HEADS.module_dict),
}
COMBINATIONS = list(product(*SLOTS.values()))
# A refiner sees the video alone: each meets every decoder and head, behind encoders that all decoders can read.
ENCODERS = ("ConvPyramidEncoder", "MapDifferenceEncoder", None)
REFINED = [(*ENCODERS, *others) for others in product(DECODERS.module_dict, HEADS.module_dict, REFINERS.module_dict)]
outcomes: Counter = Counter()


class KeepingGradients(OptimWrapper):
    """Leaves the gradients where they are, for the test to look at; the next phase freezes these parameters anyway."""

    def zero_grad(self, **kwargs) -> None:
        """Nothing."""


def config(name: str | None, registry) -> dict | None:
    return None if name is None else narrow.NARROW.get(name, dict(type=registry.get(name)))


def generator_config(combination: tuple) -> dict:
    registries = (CONTENT_ENCODERS, MOTION_ENCODERS, MOTION_GENERATORS, DECODERS, HEADS, REFINERS)
    slots = (*SLOTS, "refiner")
    return {slot: config(name, r) for slot, name, r in zip(slots, combination, registries, strict=False)}


def phases(critic: str = "frame") -> list[dict]:
    return [
        dict(name="critics", updates=[f"critics.{critic}"], losses=[dict(type=CriticLoss, critic=critic)]),
        dict(
            name="generator",
            updates=["generator"],
            losses=[dict(type=AdversarialLoss, critic=critic), dict(type=FrameL1Loss)],
        ),
    ]


def step_and_check_gradients(model) -> None:
    """One training step; every trainable parameter of every phase gets a finite gradient."""
    wrappers = {}
    for phase in model.phases:
        parameters = [p for module in model.phase_modules(phase.name) for p in module.parameters()]
        wrappers[phase.name] = KeepingGradients(torch.optim.Adam(parameters, lr=1e-4))
    model.train_step(narrow.batch(), OptimWrapperDict(**wrappers))
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} gets no gradient"
        assert torch.isfinite(parameter.grad).all(), f"{name} has a gradient that is not finite"


def video(model, length: int) -> torch.Tensor:
    clip = model.data_preprocessor(narrow.batch(lengths=(length,)))["clip"]
    maps = dict(source_maps=clip.source_maps, image_maps=clip.image_maps)
    return next(model.stream([Clip(clip.source, label=clip.label, **maps)], [5])).video


def reason_of_refusal(combination: tuple) -> str | None:
    """Why a combination makes no sense; None if it does."""
    content, encoder, generator, decoder, *_ = combination
    if content is None and "content.code" in DECODERS.get(decoder).needs:
        return "content.code"
    moves = any(need.startswith("motion.") for need in DECODERS.get(decoder).needs)
    if moves and encoder is None and (generator is None or "motion.code" in MOTION_GENERATORS.get(generator).needs):
        return "motion"  # nothing says what moves
    return None


@pytest.mark.parametrize("combination", COMBINATIONS + REFINED, ids=lambda c: "-".join(str(name) for name in c))
def test_combination(combination):
    reason = reason_of_refusal(combination)
    changes = dict(
        generator=generator_config(combination), critics=dict(frame=narrow.critic()), phases=phases(), frozen=[]
    )
    if reason:
        with pytest.raises(ConfigError, match=rf"{combination[3]}|{combination[2]}") as caught:
            narrow.build(**changes)
        assert reason in str(caught.value)
        outcomes["refused"] += 1
        return
    model = narrow.build(**changes)
    unused = [slot for slot in list(SLOTS)[:3] if changes["generator"][slot] and getattr(model.generator, slot) is None]
    if unused:  # the same model as the combination with None there
        outcomes["the same as another, an unused slot"] += 1
        return
    step_and_check_gradients(model)
    with torch.no_grad():
        for name, parameter in model.generator.named_parameters():
            parameter.mul_(1 if "encoder" in name else 4)  # the initial weights are small, and so is all they do
    for length in map(model.generator.lengths.at_least, (3, 8)):
        made = video(model, length)
        assert made.shape == (1, 3, length, narrow.SIZE, narrow.SIZE)
        steps = (made[:, :, 1:] - made[:, :, :-1]).abs().amax(dim=(0, 1, 3, 4))
        assert (steps > 1e-6).all(), f"the video stands still: {steps.tolist()}"
    twin = narrow.build(seed=1, **changes)
    twin.load_state_dict(model.state_dict(), strict=True)
    length = model.generator.lengths.at_least(5)
    assert torch.equal(video(twin, length), video(model, length))
    outcomes["built and stepped"] += 1


MOTIONS = {
    "one vector a frame": ("CnnLstmEncoder", None),
    "a variational code": ("Conv3dEncoder", "LstmUnroll"),
}
CONDITIONS = [None, "label", "image", "maps"]
CRITICS = list(product(DISCRIMINATORS.module_dict, VIEWS.module_dict, ADVERSARIAL_LOSSES.module_dict, CONDITIONS))


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("network, view, adversarial, condition", CRITICS)
def test_critic(network, view, adversarial, condition, motion):
    encoder, generator = MOTIONS[motion]
    kinds = {DISCRIMINATORS.get(network).kind, VIEWS.get(view).kind}
    refused = len(kinds) > 1 or (kinds == {"vector"} and condition in ("image", "maps"))
    changes = dict(
        generator=dict(
            content_encoder=narrow.NARROW["ConvPyramidEncoder"],
            motion_encoder=narrow.NARROW[encoder],
            motion_generator=None if generator is None else narrow.NARROW[generator],
            decoder=narrow.NARROW["FrameDecoder"],
        ),
        critics=dict(one=narrow.critic(network, view, adversarial, condition=condition)),
        phases=phases("one"),
        frozen=[],
    )
    if refused:
        with pytest.raises(ConfigError):
            narrow.build(**changes)
        outcomes["critics refused"] += 1
        return
    step_and_check_gradients(narrow.build(**changes))
    outcomes["critics stepped"] += 1


def test_how_many(capsys):
    """Counts what the tests above did, where all of them ran, and prints it."""
    done = sum(count for name, count in outcomes.items() if not name.startswith("critics"))
    if done < len(COMBINATIONS) + len(REFINED):
        pytest.skip("not all combinations ran")
    with capsys.disabled():
        print("\nmix: " + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())))
    assert outcomes["built and stepped"] >= 2 * len(HEADS.module_dict)
