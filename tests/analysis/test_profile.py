"""Multiply-adds, activations and memory against closed forms; what is not counted is named; the rows add up."""

import json
import runpy
from pathlib import Path

import pytest
import torch
from narrow import NARROW, SIZE, build, discriminator
from torch import nn

from i2vkit.analysis.profile import (
    ModelProfile,
    PartProfile,
    Stopwatch,
    TensorMemory,
    analyse,
    format_profiles,
    lengths_of,
    profile_config,
    profile_model,
    profile_parts,
    profile_record,
    profile_training,
)
from i2vkit.analysis.profile.counting import analyse_activations
from i2vkit.analysis.profile.forward import GeneratorProbe
from i2vkit.analysis.profile.measuring import watching
from i2vkit.analysis.profile.step_meter import StepMeter
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.losses import SequenceClassLoss
from i2vkit.models.training.supervised_model import CnnLstmClassifier, SupervisedModel
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


class Function(nn.Module):
    """A function of tensors, to be traced."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


# Shapes of the inputs, multiply-adds, values that come out.
PRODUCTS = {
    "mm": (torch.mm, [(3, 4), (4, 5)], 3 * 4 * 5, 15),
    "bmm": (torch.bmm, [(2, 3, 4), (2, 4, 5)], 2 * 3 * 4 * 5, 30),
    "matmul, the first broadcast": (torch.matmul, [(3, 4), (2, 4, 5)], 2 * 3 * 4 * 5, 30),
    "matmul, the second broadcast": (torch.matmul, [(2, 3, 4), (4, 5)], 2 * 3 * 4 * 5, 30),
    "matmul of a vector": (torch.matmul, [(4,), (4, 5)], 4 * 5, 5),
    "mv": (torch.mv, [(3, 4), (4,)], 3 * 4, 3),
    "dot": (torch.dot, [(4,), (4,)], 4, 1),
    "baddbmm": (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 4 * 5, 30),
    "addmm": (torch.addmm, [(5,), (3, 4), (4, 5)], 3 * 4 * 5, 15),
    "einsum": (lambda a, b: torch.einsum("nct,ncp->ntp", a, b), [(2, 4, 3), (2, 4, 5)], 2 * 3 * 4 * 5, 30),
    "attention": (
        nn.functional.scaled_dot_product_attention,
        [(2, 6, 3, 4), (2, 6, 7, 4), (2, 6, 7, 5)],
        2 * 6 * (3 * 7 * 4 + 3 * 7 * 5),
        2 * 6 * 3 * 5,
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_and_attention(name):
    function, shapes, expected, values = PRODUCTS[name]
    module, inputs = Function(function), tuple(torch.zeros(shape) for shape in shapes)
    analysis = analyse(module, inputs)
    assert (analysis.total(), analyse_activations(module, inputs).total()) == (expected, values)
    assert not analysis.unsupported_ops()


@pytest.mark.parametrize("cell, gates", [(nn.LSTMCell(5, 7), 4), (nn.GRUCell(5, 7), 3)])
def test_one_step_of_a_recurrent_cell(cell, gates):
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell

        def forward(self, x):
            made = self.cell(x)
            return made[0] if isinstance(made, tuple) else made

    assert macs(Cell(), 3, 5) == 3 * gates * 7 * (5 + 7)


def test_multi_head_attention():
    """Projections of 3 queries, 3 keys and 3 values and of the output, and the two products."""

    class SelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0]

    with torch.no_grad():
        assert macs(SelfAttention(), 2, 3, 8) == 2 * (4 * 3 * 8 * 8 + 2 * 3 * 3 * 8)


def test_activations_of_convolution_and_lstm():
    convolution = nn.ConvTranspose3d(6, 4, (4, 1, 1), stride=(2, 1, 1)).eval()
    assert analyse_activations(convolution, (torch.zeros(1, 6, 5, 3, 3),)).total() == 4 * 12 * 9
    lstm = First(nn.LSTM(5, 7, batch_first=True)).eval()
    assert analyse_activations(lstm, (torch.zeros(3, 11, 5),)).total() == 3 * 11 * 7


def test_memory_is_that_of_the_tensors_alive_at_once():
    """Of 256 bytes each: while ``c`` is made ``b`` is there, ``a`` is not any more."""
    weight = torch.zeros(64)
    with TensorMemory([weight]) as memory:
        a = weight + 1
        b = a.view(8, 8)[1:] * 2  # 224 bytes; views hold nothing
        del a
        memory.enter("second")
        c = b + 1
        weight += 1
        del c
        d = b + 1
    assert memory.peaks == {"": 256 + 224, "second": 2 * 224} and len(d) == 7
    assert memory.held == 2 * 224
    del b
    assert memory.held == 224


def test_seconds_go_to_the_section_that_runs():
    now = iter([0.0, 1.0, 3.0, 7.0, 8.0, 16.0, 17.0])
    watch, one, two = Stopwatch(lambda: next(now)), nn.Identity(), nn.Identity()
    with watching({"one": [one], "two": [two]}, watch):
        two(one(torch.zeros(1)))  # from 3 to 7, and from 8 to 16
    assert watch.seconds == {"one": 4, "two": 8, "": 1 + 2 + 1 + 1}
    one(torch.zeros(1))  # nobody watches any more


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


def counts(row):
    return row.name, row.parameters, row.macs, row.uncounted, row.activations


def test_rows_add_up_and_name_what_is_not_counted():
    rows = profile_parts(Probe(), (torch.zeros(3, 4),), "generator")
    assert [counts(row) for row in rows] == [
        ("adapters", 4 * 6 + 6 + 6 * 8 + 8, 3 * (4 * 6 + 6 * 8), {}, 3 * (6 + 8)),
        ("decoder", 8 * 2 + 2, 3 * 8 * 2, {"tanh": 2}, 3 * 2),
        ("between the parts", 0, 2 * 3 * 3 * 8, {"exp": 1}, 3 * 3 + 3 * 8),
        ("generator", 30 + 56 + 18, 216 + 48 + 144, {"tanh": 2, "exp": 1}, 42 + 6 + 33),
    ]
    assert all(0 < row.seconds <= rows[-1].seconds for row in rows)


def test_table_and_json_say_everything():
    parts = [
        PartProfile("decoder", 1234, 5_000_000, {"tanh": 2}),
        PartProfile("generator", 1234, 5_000_000, seconds=0.0125),
    ]
    step = PartProfile("training step", 99, 7_000_000, peak_bytes=1_500_000, operations=1234, held_bytes=2**30)
    models = [
        ModelProfile("one", 16, 64, parts, [PartProfile("phase a", 99, 7_000_000), step], 8, 2),
        ModelProfile("another", 32, 128, parts[1:]),
    ]
    table = format_profiles(models).splitlines()
    assert table[1].split() == ["one", "decoder", "1,234", "5.00", "-", "-", "-", "-"]
    assert [line.split()[:2] for line in table[2:6]] == [
        ["one", "generator"],
        ["one", "phase"],
        ["one", "training"],
        ["another", "generator"],
    ]
    assert table[2].split()[-1] == "12.5" and table[4].split()[-2] == "1.5"
    assert "1 video of 16 frames of 64 x 64 pixels" in "\n".join(table)
    assert table[4].split()[-3] == "1,234"
    assert "its memory: 1.0 GiB, 1.0 GiB of it weights, optimiser states and the batch" in "\n".join(table)
    assert "2 clips of 8 frames" in "\n".join(table) and table[-1] == "  one, decoder: tanh x 2"
    short = format_profiles(models, by_part=False)
    assert "decoder" not in short and "phase a" not in short and "training step" in short
    assert short.endswith("nothing")
    written = profile_record(models)["models"]
    assert written[0]["parts"][0]["uncounted"] == {"tanh": 2} and written[1]["image_size"] == 128
    assert written[0]["training"][1]["peak_bytes"] == 1_500_000


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in profile_model(build(frozen=[]), num_frames=6)}


def test_parts_of_a_model_add_up_to_its_generator(rows):
    parts = [row for name, row in rows.items() if name != "generator" and not name.startswith("discriminators.")]
    assert {"motion_encoder", "decoder"} <= {row.name for row in parts}
    assert sum(row.macs for row in parts) == rows["generator"].macs
    assert sum(row.parameters for row in parts) == rows["generator"].parameters


def test_a_motion_encoder_by_hand(rows):
    """Narrow DTGAN: three 3x3 convolutions with pooling, a linear layer; the LSTM twice, for motion and static clip."""
    convolutions = 32**2 * 27 * 4 + 16**2 * 36 * 8 + 8**2 * 72 * 8
    lstm = 4 * 10 * (12 + 10)
    batch_norms = 2 * (32**2 * 4 + 16**2 * 8 + 8**2 * 8)
    assert rows["motion_encoder"].macs == 6 * (convolutions + 4**2 * 8 * 12 + batch_norms + 2 * lstm)


def test_discriminators_are_counted_for_what_they_look_at(rows):
    """Six frames of 32 x 32; one vector of 10 through layers of 8, 8 and 1."""
    assert rows["discriminators.dynamics"].macs == 10 * 8 + 8 * 8 + 8
    first = 6 * 16 * 16 * 4 * 3 * 16
    assert rows["discriminators.frame"].macs > first and rows["discriminators.frame"].uncounted == {"leaky_relu": 3}


def test_what_makes_whole_clips_by_label_is_counted_at_a_length_that_it_makes():
    generator = dict(
        content_encoder=NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=NARROW["LabelFusion"],
        decoder=NARROW["TransposedConv3dDecoder"],
    )
    discriminators = dict(
        video=discriminator("VideoDiscriminator", "WholeClip", condition="label"),
        frame=discriminator("FrameDiscriminator", "RandomFrames", classify=True),
    )
    model = build(generator=generator, discriminators=discriminators, phases={}, frozen=[])
    assert lengths_of(model) == ClipLengths(4, 2)
    rows = {row.name: row for row in profile_model(model, 8)}
    convolutions = 16**2 * 48 * 4 + 8**2 * 64 * 8 + 4**2 * 128 * 8 + 4**2 * 8 * 6
    batch_norms = 2 * (16**2 * 4 + 8**2 * 8 + 4**2 * 8)
    assert rows["content_encoder"].macs == convolutions + batch_norms
    assert rows["generator"].macs == sum(row.macs for row in rows.values() if "." not in row.name) / 2
    assert rows["discriminators.video"].macs > 0 and rows["discriminators.frame"].macs > 0
    with pytest.raises(ConfigError, match=r"videos of 4, 6, 8, \.\.\. frames, not of 7"):
        profile_model(model, 7)


def meter(module, x):
    """Forward and backward, with the gradient of the input too."""
    with StepMeter([]) as result:
        result.enter("forward")
        loss = module(x).sum()
        result.enter("backward")
        loss.backward()
    return result


@pytest.mark.parametrize(
    "module, shape, expected",
    [
        (nn.Linear(5, 7), (3, 5), 3 * 5 * 7),
        (nn.Conv2d(3, 8, 5, stride=2, padding=2), (2, 3, 16, 16), 2 * (8 * 8 * 8) * (3 * 5 * 5)),
        (nn.ConvTranspose3d(6, 4, (4, 1, 1), stride=(2, 1, 1)), (1, 6, 5, 3, 3), (6 * 5 * 9) * (4 * 4)),
        (First(nn.LSTM(5, 7, batch_first=True)), (3, 11, 5), 3 * 11 * 4 * 7 * (5 + 7)),
        (First(nn.GRU(5, 7)), (1, 3, 5), 3 * 3 * 7 * (5 + 7)),
    ],
)
def test_the_backward_pass_is_twice_the_forward_pass(module, shape, expected):
    """Where weights and input have gradients: one product each; a first state of zeros has none."""
    counted = meter(module, torch.zeros(shape, requires_grad=True))
    assert counted.macs["forward"] == expected
    unused = 3 * 3 * 7 * 7 if isinstance(getattr(module, "recurrent", None), nn.GRU) else 0
    assert counted.macs["backward"] == 2 * expected - unused


OPTIMIZERS = dict(constructor="PhaseOptimWrapperConstructor", optimizer=dict(type="Adam", lr=1e-4))


def test_a_training_step_by_phase():
    """Two clips; the encoder is frozen, so it has no place among the parameters."""
    model = build()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    rows = {row.name: row for row in profile_training(model, OPTIMIZERS, num_frames=6)}
    assert list(rows) == ["videos of all passes", "phase discriminators", "phase generator", "training step"]
    *parts, step = rows.values()
    assert step.macs == sum(row.macs for row in parts) and step.peak_bytes == max(row.peak_bytes for row in parts)
    assert rows["phase discriminators"].parameters == sum(p.numel() for p in model.discriminators.parameters())
    assert rows["phase generator"].parameters == sum(p.numel() for p in model.generator.decoder.parameters())
    analysis = analyse(GeneratorProbe(model.eval().generator), (torch.zeros(1, 3, 6, SIZE, SIZE),))
    video = analysis.total() - analysis.by_operator()["batch_norm"]  # whose kernels are not counted here, but named
    assert rows["videos of all passes"].macs == 2 * video and step.uncounted["native_batch_norm"] > 0
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), f"{name} has changed"


SMALL = {
    "model.generator.content_encoder.widths": [4, 4, 4, 4],
    "model.generator.decoder.widths": [8, 4, 4, 4],
    "model.generator.decoder.temporal_widths": [8, 4, 4, 4, 4],
    "model.discriminators.frame.network.widths": [4, 4, 4, 4],
    "model.discriminators.video.network.widths": [4, 4, 4, 4],
}


def test_a_config_and_the_same_by_the_tool(tmp_path, monkeypatch, capsys):
    profile = profile_config(load_config("imaginator_weizmann", SMALL), "imaginator_weizmann", training=True)
    assert (profile.frames, profile.image_size, profile.training_frames, profile.clips) == (32, 64, 32, 2)
    options = [f"{key}={value}".replace(" ", "") for key, value in SMALL.items()]
    configs = ["imaginator_weizmann", "imaginator_weizmann_paper_weight"]
    file = tmp_path / "costs.json"
    monkeypatch.setattr("sys.argv", ["flops.py", *configs, "--json", str(file), "--cfg-options", *options])
    runpy.run_path(Path(__file__).parents[2] / "tools/flops.py", run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    written = json.loads(file.read_text())["models"]
    assert [model["config"] for model in written] == configs
    assert [part["macs"] for part in written[0]["parts"]] == [row.macs for row in profile.parts]
    assert [line.split()[:2] for line in lines[1:4]] == [
        [configs[0], name] for name in ("generator", "discriminators.frame", "discriminators.video")
    ]
    assert f"{profile.rows(by_part=False)[0].macs / 1e6:,.2f}" in lines[1]


def test_what_does_not_train_has_no_training_step():
    cfg = load_config("imaginator_weizmann", SMALL)
    cfg.optim_wrapper = None
    with pytest.raises(ConfigError, match="nothing trains, so leave --training out"):
        profile_config(cfg, "mine", training=True)


def test_a_supervised_model_is_counted_for_what_it_predicts():
    """Once through frame CNN and LSTM, then three classes of the clip; the classes of the frames are not asked for."""
    network = dict(type=CnnLstmClassifier, encoder=NARROW["CnnLstmEncoder"])
    phases = dict(sequence=dict(updates=["network"], losses=dict(sequence_class=dict(type=SequenceClassLoss))))
    settings = dict(type=SupervisedModel, network=network, image_size=32, labels=["a", "b", "c"], phases=phases)
    rows = {row.name: row for row in profile_model(MODELS.build(settings), num_frames=6)}
    convolutions = 32**2 * 27 * 4 + 16**2 * 36 * 8 + 8**2 * 72 * 8
    batch_norms = 2 * (32**2 * 4 + 16**2 * 8 + 8**2 * 8)
    assert rows["encoder"].macs == 6 * (convolutions + batch_norms + 4**2 * 8 * 12 + 4 * 10 * (12 + 10))
    assert (rows["sequence_class"].macs, rows["frame_class"].macs) == (10 * 3, 0)
    assert rows["network"].macs == rows["encoder"].macs + 10 * 3


def test_a_pose_lstm_and_its_training_step():
    """Ten poses of 13 joints and their flags are seen, two are predicted; an LSTM of 8, and one linear layer."""
    options = {"model.network.hidden": 8}
    profile = profile_config(load_config("pose_lstm_penn", options), "pose_lstm_penn", frames=12, training=True)
    rows = {row.name: row for row in profile.parts}
    assert rows["lstm"].macs == 12 * 4 * 8 * (39 + 8)
    assert rows["change"].macs == 2 * 8 * 26 and rows["network"].macs == rows["lstm"].macs + rows["change"].macs
    clips, step = profile.clips, profile.training[-1]
    forward = clips * rows["network"].macs
    # Backwards everything has gradients of its weights, and all but the input of its input.
    assert forward < step.macs <= 3 * forward


def test_a_classifier_trains_on_states_of_frames():
    options = {"model.network.encoder.frame_encoder.widths": [4, 4, 4], "model.network.encoder.hidden": 8}
    cfg = load_config("cnn_lstm_weizmann", options)
    profile = profile_config(cfg, "cnn_lstm_weizmann", frames=6, training=True)
    assert profile.training[-1].macs > 2 * profile.parts[-1].macs
