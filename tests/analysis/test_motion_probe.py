"""The two probes of a motion encoder on trajectories of which the answer is known, and on a model."""

import math

import narrow
import pytest
import torch

from i2vkit.analysis.motion_probe import Trajectories, change_probe_r2, encode, person_probe_accuracy, ridge, trajectory
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses.change_losses import frame_change

PEOPLE, LABELS = ("ann", "bob", "cem", "dan"), ("x", "y", "z")


def trajectories(person: float, change: float = 1.0, seed: int = 0) -> Trajectories:
    """Three labels by four people; states hold the change, as ``change`` says, and who it is, as ``person`` says."""
    torch.manual_seed(seed)
    found = Trajectories([], [], [], [])
    for number, name in enumerate(PEOPLE):
        for label in LABELS:
            moves = torch.randn(8, 4)
            looks = torch.zeros(8, 4)
            looks[:, number] = person
            found.states.append(torch.cat([change * moves, looks + 0.1 * torch.randn(8, 4)], dim=1))
            found.changes.append(moves @ torch.arange(12.0).view(4, 3))
            found.people.append(name)
            found.labels.append(label)
    return found


def test_who_drives_is_told_if_it_is_in_the_states_and_else_as_often_as_by_chance():
    right, chance = person_probe_accuracy(trajectories(person=5.0), trajectories(person=5.0, seed=1))
    assert (right, chance) == (1.0, 0.25)
    shares = [person_probe_accuracy(trajectories(0.0), trajectories(0.0, seed=seed))[0] for seed in range(1, 40)]
    assert sum(shares) / len(shares) == pytest.approx(0.25, abs=0.08)


def test_one_person_or_one_label_tells_nothing():
    train = trajectories(1.0)
    alone = Trajectories(*(values[:3] for values in vars(train).values()))
    assert all(math.isnan(value) for value in person_probe_accuracy(train, alone))
    one_label = Trajectories(*(values[::3] for values in vars(train).values()))
    assert all(math.isnan(value) for value in person_probe_accuracy(train, one_label))


def test_change_is_told_where_the_states_hold_it():
    own, others = change_probe_r2(trajectories(1.0), trajectories(1.0, seed=1))
    assert own > 0.95 and others > 0.95
    own, others = change_probe_r2(trajectories(1.0, change=0.0), trajectories(1.0, change=0.0, seed=1))
    assert others < 0.1


def test_ridge_agrees_with_the_normal_equations_in_the_number_of_samples():
    inputs, targets = torch.randn(20, 5), torch.randn(20, 3)
    kernel = inputs @ inputs.T + 10.0 * torch.eye(20)
    solution = inputs.T @ torch.linalg.solve(kernel, targets)
    expected = 1 - (inputs @ solution - targets).square().sum() / targets.square().sum()
    own, other = ridge(inputs, targets, inputs, targets, 10.0)
    assert own == other == pytest.approx(expected.item(), abs=1e-5)


def test_each_driving_clip_of_a_data_set_is_encoded_once():
    model = narrow.build().eval()
    items = []
    for number, name in enumerate(("a", "b", "a")):
        data = narrow.batch(lengths=(5,), seed=number)
        inputs = {key: values[0] for key, values in data["inputs"].items()}
        sample = data["data_samples"][0]
        sample.set_metainfo(dict(driving_name=name, driving_person=f"of {name}", label_name="x"))
        items.append(dict(inputs=inputs, data_samples=sample))
    found = encode(model, items)
    assert found.people == ["of a", "of b"] and found.labels == ["x", "x"]
    clip = model.data_preprocessor(narrow.batch(lengths=(5,), seed=1))["clip"]
    states = model.generator.encode_motion(clip, GenerationState()).trajectory
    assert torch.allclose(found.states[1], states[0, 1:], atol=1e-6)
    assert torch.allclose(found.changes[1], frame_change(clip.driving)[0, 1:], atol=1e-6)


def test_unrolled_codes_are_probed_and_others_refused():
    unrolled = dict(motion_encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=narrow.NARROW["LstmUnroll"])
    model = narrow.build(generator=unrolled).eval()
    clip = model.data_preprocessor(narrow.batch())["clip"]
    assert trajectory(model.generator, clip).shape == (2, 6, 7)
    coded = narrow.build(generator=dict(motion_encoder=narrow.NARROW["Conv3dEncoder"]))
    with pytest.raises(ConfigError, match="Conv3dEncoder gives one code a clip and nothing unrolls it"):
        trajectory(coded.generator, clip)
    drawn = dict(
        content_encoder=narrow.NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=narrow.NARROW["NoiseGru"],
        decoder=narrow.NARROW["FrameDecoder"],
    )
    discriminators = dict(frame=narrow.discriminator())
    phases = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss"))))
    model = narrow.build(generator=drawn, discriminators=discriminators, phases=phases)
    with pytest.raises(ConfigError, match="no motion encoder"):
        trajectory(model.generator, clip)
