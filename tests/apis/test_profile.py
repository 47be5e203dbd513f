"""Multiply-adds against closed forms; what is not counted is named; the rows add up."""

import doctest

import pytest
import torch
from narrow import NARROW, build, critic
from torch import nn

import i2vkit.apis.profile as profile_module
from i2vkit.apis.profile import PartProfile, analyse, as_json, as_table, lengths_of, profile_model, profile_parts
from i2vkit.errors import ConfigError
from i2vkit.models.layers import Lengths
from i2vkit.models.losses import SequenceClassLoss
from i2vkit.models.supervised_model import CnnLstmClassifier, SupervisedModel
from i2vkit.registry import MODELS


def macs(module, *shape):
    return analyse(module.eval(), (torch.zeros(shape),)).total()


class First(nn.Module):
    """An LSTM or GRU whose trace has one output."""

    def __init__(self, recurrent):
        super().__init__()
        self.recurrent = recurrent

    def forward(self, x):
        return self.recurrent(x)[0]


def test_convolution():
    """Every output value is a sum over kernel and input channels."""
    assert macs(nn.Conv2d(3, 8, 5, stride=2, padding=2), 2, 3, 16, 16) == 2 * (8 * 8 * 8) * (3 * 5 * 5)


def test_transposed_convolution():
    """Every input value is spread over kernel and output channels."""
    assert macs(nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1), 2, 6, 8, 8) == 2 * (6 * 8 * 8) * (4 * 4 * 4)


def test_transposed_convolution_over_time():
    assert macs(nn.ConvTranspose3d(6, 4, (4, 1, 1), stride=(2, 1, 1)), 1, 6, 5, 3, 3) == (6 * 5 * 9) * (4 * 4)


def test_lstm():
    """A step multiplies the input (5) and the state (7) with four gates."""
    assert macs(First(nn.LSTM(5, 7, batch_first=True)), 3, 11, 5) == 3 * 11 * 4 * 7 * (5 + 7)


def test_lstm_of_two_layers_and_directions_with_projection():
    lstm = nn.LSTM(5, 7, num_layers=2, bidirectional=True, proj_size=2)
    first, second = 4 * 7 * (5 + 2) + 2 * 7, 4 * 7 * (2 * 2 + 2) + 2 * 7
    assert macs(First(lstm), 11, 3, 5) == 3 * 11 * 2 * (first + second)


def test_gru():
    assert macs(First(nn.GRU(5, 7)), 11, 3, 5) == 3 * 11 * 3 * 7 * (5 + 7)


class Generator(nn.Module):
    """Two parts in a list and one alone, something between them, and operations that fvcore does not know."""

    def __init__(self):
        super().__init__()
        self.adapters = nn.ModuleList([nn.Linear(4, 6), nn.Linear(6, 8)])
        self.decoder = nn.Sequential(nn.Linear(8, 2), nn.Tanh(), nn.Tanh())
        self.unused = nn.ModuleList()

    def forward(self, x):
        for adapter in self.adapters:
            x = adapter(x)
        return self.decoder((x @ x.transpose(0, 1) @ x).exp())


class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = Generator()

    def forward(self, x):
        return self.generator(x)


def test_rows_add_up_and_name_what_is_not_counted():
    rows = profile_parts(Probe(), (torch.zeros(3, 4),), "generator")
    assert rows == [
        PartProfile("adapters", 4 * 6 + 6 + 6 * 8 + 8, 3 * (4 * 6 + 6 * 8)),
        PartProfile("decoder", 8 * 2 + 2, 3 * 8 * 2, {"tanh": 2}),
        PartProfile("between the parts", 0, 2 * 3 * 3 * 8, {"exp": 1}),
        PartProfile("generator", 30 + 56 + 18, 216 + 48 + 144, {"tanh": 2, "exp": 1}),
    ]


def test_table_and_json_say_everything():
    rows = [PartProfile("decoder", 1234, 5_000_000, {"tanh": 2}), PartProfile("head", 0, 0)]
    table = as_table(rows, num_frames=16, image_size=64)
    assert "1,234       5.00" in table and "decoder: tanh x 2" in table and "16 frames of 64 x 64" in table
    assert "nothing" in as_table(rows[1:], 16, 64)
    assert as_json(rows, 16, 64)["parts"][0]["uncounted"] == {"tanh": 2}


def test_examples_of_the_docstrings_run():
    outcome = doctest.testmod(profile_module)
    assert outcome.attempted > 0 and outcome.failed == 0


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in profile_model(build(frozen=[]), num_frames=6)}


def test_parts_of_a_model_add_up_to_its_generator(rows):
    parts = [row for name, row in rows.items() if name != "generator" and not name.startswith("critics.")]
    assert {"motion_encoder", "decoder"} <= {row.name for row in parts}
    assert sum(row.macs for row in parts) == rows["generator"].macs
    assert sum(row.parameters for row in parts) == rows["generator"].parameters


def test_a_motion_encoder_by_hand(rows):
    """Narrow DTGAN: three 3x3 convolutions with pooling, a linear layer; the LSTM twice, for motion and static clip."""
    convolutions = 32**2 * 27 * 4 + 16**2 * 36 * 8 + 8**2 * 72 * 8
    lstm = 4 * 10 * (12 + 10)
    batch_norms = 2 * (32**2 * 4 + 16**2 * 8 + 8**2 * 8)
    assert rows["motion_encoder"].macs == 6 * (convolutions + 4**2 * 8 * 12 + batch_norms + 2 * lstm)


def test_critics_are_counted_for_what_they_look_at(rows):
    """Six frames of 32 x 32; one vector of 10 through layers of 8, 8 and 1."""
    assert rows["critics.dynamics"].macs == 10 * 8 + 8 * 8 + 8
    first = 6 * 16 * 16 * 4 * 3 * 16
    assert rows["critics.frame"].macs > first and rows["critics.frame"].uncounted == {"leaky_relu": 3}


def test_what_makes_whole_clips_by_label_is_counted_at_a_length_that_it_makes():
    generator = dict(
        content_encoder=NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=NARROW["LabelFusion"],
        decoder=NARROW["TransposedConv3dDecoder"],
    )
    critics = dict(
        video=critic("VideoDiscriminator", "WholeClip", condition="label"),
        frame=critic("FrameDiscriminator", "RandomFrames", classify=True),
    )
    model = build(generator=generator, critics=critics, phases=[], frozen=[])
    assert lengths_of(model) == Lengths(4, 2)
    rows = {row.name: row for row in profile_model(model, 8)}
    convolutions = 16**2 * 48 * 4 + 8**2 * 64 * 8 + 4**2 * 128 * 8 + 4**2 * 8 * 6
    batch_norms = 2 * (16**2 * 4 + 8**2 * 8 + 4**2 * 8)
    assert rows["content_encoder"].macs == convolutions + batch_norms
    assert rows["generator"].macs == sum(row.macs for row in rows.values() if "." not in row.name) / 2
    assert rows["critics.video"].macs > 0 and rows["critics.frame"].macs > 0
    with pytest.raises(ConfigError, match=r"videos of 4, 6, 8, \.\.\. frames, not of 7"):
        profile_model(model, 7)


def test_a_supervised_model_is_counted_for_what_it_predicts():
    """Once through frame CNN and LSTM, then three classes of the clip; the classes of the frames are not asked for."""
    network = dict(type=CnnLstmClassifier, encoder=NARROW["CnnLstmEncoder"])
    phases = [dict(name="sequence", updates=["network"], losses=[dict(type=SequenceClassLoss)])]
    settings = dict(type=SupervisedModel, network=network, image_size=32, labels=["a", "b", "c"], phases=phases)
    rows = {row.name: row for row in profile_model(MODELS.build(settings), num_frames=6)}
    convolutions = 32**2 * 27 * 4 + 16**2 * 36 * 8 + 8**2 * 72 * 8
    batch_norms = 2 * (32**2 * 4 + 16**2 * 8 + 8**2 * 8)
    assert rows["encoder"].macs == 6 * (convolutions + batch_norms + 4**2 * 8 * 12 + 4 * 10 * (12 + 10))
    assert (rows["sequence_class"].macs, rows["frame_class"].macs) == (10 * 3, 0)
    assert rows["network"].macs == rows["encoder"].macs + 10 * 3
