"""Pre-training of the CNN-LSTM: its two phases, and the five objectives on known features."""

import copy
import math
from itertools import combinations
from types import SimpleNamespace

import narrow
import pytest
import torch
from torch.nn import functional

from i2vkit.models import CnnLstmClassifier, SupervisedModel
from i2vkit.models.losses import (
    ClassCompactnessLoss,
    FrameClassLoss,
    SequenceClassLoss,
    StateClassLoss,
    StateCompactnessLoss,
    StateContinuityLoss,
)
from i2vkit.registry import MODELS


def build(only: str | None = None) -> SupervisedModel:
    torch.manual_seed(0)
    frames = dict(
        updates=["network.encoder.frame_encoder", "network.frame_class", "network.frame_state"],
        losses=dict(
            frame_class=dict(type=FrameClassLoss),
            class_compactness=dict(type=ClassCompactnessLoss),
            frame_state=dict(type=StateClassLoss),
            state_compactness=dict(type=StateCompactnessLoss),
            state_continuity=dict(type=StateContinuityLoss),
        ),
    )
    sequence = dict(
        updates=["network.encoder.lstm", "network.sequence_class"],
        eval_modules=["network.encoder.frame_encoder"],
        losses=dict(sequence_class=dict(type=SequenceClassLoss)),
    )
    phases = dict(frames=frames, sequence=sequence)
    phases = phases if only is None else {only: phases[only]}
    network = dict(type=CnnLstmClassifier, encoder=narrow.NARROW["CnnLstmEncoder"])
    return MODELS.build(
        dict(type=SupervisedModel, network=network, image_size=narrow.SIZE, labels=narrow.LABELS, phases=phases)
    )


def batch(lengths=(6, 4, 6)) -> dict:
    data = narrow.batch(lengths=lengths)
    data["inputs"]["states"] = [torch.arange(length) * 3 // length for length in lengths]
    return data


@pytest.mark.parametrize(
    "only, moves, stays",
    [
        ("frames", "network.encoder.frame_encoder", "network.encoder.lstm"),
        ("sequence", "network.encoder.lstm", "network.encoder.frame_encoder"),
    ],
)
def test_each_phase_trains_its_part_and_leaves_the_other_bit_for_bit(only, moves, stays):
    model = build(only)
    before = copy.deepcopy(model.state_dict())  # with the statistics of batch norm
    model.train_step(batch(), narrow.optimizers(model))
    after = model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith(moves))
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith(stays))


def context(features: torch.Tensor, labels: list[int], states: list[list[int]], **outputs) -> SimpleNamespace:
    made = {"features": features, **outputs}
    clip = SimpleNamespace(label=torch.tensor(labels), states=torch.tensor(states))
    network = SimpleNamespace(num_labels=max(labels) + 1, num_states=3)
    return SimpleNamespace(clip=clip, output=made.__getitem__, model=SimpleNamespace(network=network))


def directions(*degrees: float) -> torch.Tensor:
    angles = torch.tensor(degrees) * math.pi / 180
    return torch.stack([angles.cos(), angles.sin()], dim=-1)


def test_compactness_is_the_mean_squared_distance_to_the_centre_on_the_unit_circle():
    features = torch.stack([directions(0, 90), directions(180, 180)]) * 5  # length does not count
    seen = context(features, [0, 1], [[1, 2], [1, 2]])
    # Class 0 lies at 0 and 90 degrees: both are half a chord, sqrt(2) / 2, from their middle. Class 1 is one point.
    assert ClassCompactnessLoss()(seen).item() == pytest.approx(0.25, abs=1e-6)
    assert StateCompactnessLoss()(seen).item() == pytest.approx(0.0, abs=1e-6)  # every state of a class is one frame


def test_frames_at_the_onset_and_in_the_padding_do_not_count_for_classes():
    logits = torch.tensor([[[9.0, 0.0], [0.0, 0.0], [0.0, 9.0]]])
    seen = context(torch.zeros(1, 3, 2), [0], [[0, 1, -1]], frame_class=logits)
    assert FrameClassLoss()(seen).item() == pytest.approx(math.log(2), abs=1e-6)
    everywhere = FrameClassLoss(skip_states=())(seen).item()
    expected = functional.cross_entropy(logits[0, :2], torch.tensor([0, 0])).item()
    assert everywhere == pytest.approx(expected, abs=1e-6)


def test_state_cross_entropy_leaves_the_padding_out():
    logits = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 9.0]]])
    assert StateClassLoss()(context(torch.zeros(1, 2, 2), [0], [[1, -1]], frame_state=logits)).item() == pytest.approx(
        math.log(3), abs=1e-6
    )


def test_states_in_order_cost_nothing_and_a_fold_costs_what_is_said():
    ordered = context(directions(0, 40, 80)[None], [0], [[0, 1, 2]])
    assert StateContinuityLoss(margin=0.1)(ordered).item() == 0
    folded = context(directions(0, 80, 0)[None], [0], [[0, 1, 2]])  # the apex looks like the onset again
    chord = 2 - 2 * math.cos(80 * math.pi / 180)
    assert StateContinuityLoss(margin=0.1)(folded).item() == pytest.approx(chord + 0.1, abs=1e-5)
    two = context(directions(0, 80)[None], [0], [[0, 2]])
    assert StateContinuityLoss()(two).item() == 0


def compactness(frames: list[tuple[torch.Tensor, object]]) -> float:
    """Mean squared distance of vectors to the mean of those with the same key, one by one."""
    groups = {key: [vector for vector, other in frames if other == key] for _, key in frames}
    centres = {key: torch.stack(vectors).mean(dim=0) for key, vectors in groups.items()}
    return sum((vector - centres[key]).square().sum().item() for vector, key in frames) / len(frames)


def continuity(frames: list[tuple[torch.Tensor, int, int]], margin: float) -> float:
    """The hinge of every class and triple of the states that it shows, one by one."""
    terms = []
    for label in sorted({label for _, label, _ in frames}):
        own = [(vector, state) for vector, other, state in frames if other == label]
        shown = sorted({state for _, state in own})
        centre = {state: torch.stack([v for v, other in own if other == state]).mean(dim=0) for state in shown}
        for first, middle, last in combinations(shown, 3):
            outer = (centre[first] - centre[last]).square().sum()
            terms += [
                max(0.0, ((centre[a] - centre[b]).square().sum() - outer + margin).item())
                for a, b in ((first, middle), (middle, last))
            ]
    return sum(terms) / len(terms)


def test_objectives_are_those_of_one_frame_after_the_other_where_clips_are_padded():
    labels, states = [3, 0, 3, 1], [[0, 1, 2, 3, 3], [0, 0, 2, -1, -1], [1, 1, 2, 0, -1], [0, 1, 3, -1, -1]]
    features, logits = torch.randn(4, 5, 6), torch.randn(4, 5, 4)
    seen = context(features, labels, states, frame_class=logits, frame_state=logits)
    seen.model.network.num_states = 4
    unit = functional.normalize(features, dim=2)
    frames = [(b, t, labels[b], states[b][t]) for b in range(4) for t in range(5) if states[b][t] >= 0]

    def entropy(key: int, among) -> float:
        return sum(-logits[f[0], f[1]].log_softmax(dim=0)[f[key]].item() for f in among) / len(among)

    later = [frame for frame in frames if frame[3] > 0]
    expected = {
        ClassCompactnessLoss: compactness([(unit[b, t], label) for b, t, label, _ in later]),
        StateCompactnessLoss: compactness([(unit[b, t], (label, state)) for b, t, label, state in frames]),
        StateContinuityLoss: continuity([(unit[b, t], label, state) for b, t, label, state in frames], margin=0.1),
        FrameClassLoss: entropy(2, later),
        StateClassLoss: entropy(3, frames),
    }
    for kind, value in expected.items():
        assert kind()(seen).item() == pytest.approx(value, abs=1e-6), kind.__name__


def test_objectives_are_0_where_no_frame_counts_and_still_have_a_gradient():
    features, logits = torch.randn(1, 3, 4, requires_grad=True), torch.randn(1, 3, 2, requires_grad=True)
    seen = context(features, [1], [[0, 0, -1]], frame_class=logits)
    for kind, read in ((ClassCompactnessLoss, features), (FrameClassLoss, logits)):
        value = kind()(seen)
        value.backward()
        assert value.item() == 0 and torch.equal(read.grad, torch.zeros_like(read))


def test_class_of_a_clip_is_read_at_its_last_true_frame():
    model = build().eval()
    data = batch((6, 4))
    scores = [sample.scores for sample in model.test_step(copy.deepcopy(data))]
    short = {key: values[1:] for key, values in data["inputs"].items()}
    alone = model.test_step(dict(inputs=short, data_samples=data["data_samples"][1:]))[0].scores
    assert torch.allclose(scores[1], alone, atol=1e-6)
    assert scores[0].sum().item() == pytest.approx(1)


def test_pre_trained_encoder_moves_into_the_generator(tmp_path):
    model = build()
    model.train_step(batch(), narrow.optimizers(model))
    path = tmp_path / "classifier.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    entry = dict(part="generator.motion_encoder", checkpoint=str(path), prefix="network.encoder")
    gan = narrow.build(seed=5, pretrained=dict(motion_encoder=entry))
    gan.init_weights()
    wanted, found = model.network.encoder.state_dict(), gan.generator.motion_encoder.state_dict()
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
