"""Parts that are compiled in place: which, and that they compute the same with the same names.

Most tests compile with "aot_eager", which traces graphs forward and backward and makes no kernels: that takes seconds.
"""

import copy

import narrow
import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from narrow import NARROW, discriminator, gan_config
from tiny import tiny_config
from torch import nn

from i2vkit.apis.train import prepare, train
from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.registry import MODELS

TRACED = {"backend": "aot_eager_decomp_partition", "dynamic": False}


@pytest.fixture(autouse=True)
def forgotten_graphs():
    """Each test compiles anew."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def adversarial(discriminators: dict, generator: dict) -> dict:
    """A model of two phases, without dropout, whose discriminators share their phase."""
    names = list(discriminators)
    return gan_config(
        generator=generator,
        discriminators=discriminators,
        passes=dict(reconstruct=dict()),
        frozen=[],
        phases=dict(
            discriminators=dict(
                updates=["discriminators"],
                losses={f"{name}_discriminator": dict(type="DiscriminatorLoss", discriminator=name) for name in names},
            ),
            generator=dict(
                updates=["generator"],
                losses=dict(
                    **{f"{name}_adversarial": dict(type="AdversarialLoss", discriminator=name) for name in names},
                    frame_l1=dict(type="FrameL1Loss"),
                ),
            ),
        ),
    )


def imaginator() -> dict:
    """Labels in the video discriminator, which is asked before and behind them, and spectral norm."""
    video = discriminator("VideoDiscriminator", "WholeClip", condition="label")
    video["network"] = {**video["network"], "norm": "spectral"}
    return adversarial(
        dict(video=video, frame=discriminator()),
        dict(
            content_encoder=NARROW["ConvPyramidEncoder"],
            motion_encoder=None,
            motion_generator=NARROW["LabelFusion"],
            decoder=NARROW["TransposedConv1p2dDecoder"],
        ),
    )


def frgan() -> dict:
    """A gradient penalty, whose second derivative no compiled graph has."""
    return adversarial(
        dict(frame=discriminator("ResidualFrameDiscriminator", adversarial="WassersteinLoss", condition="maps")),
        dict(
            content_encoder=NARROW["ResidualPyramidEncoder"],
            motion_encoder=NARROW["MapDifferenceEncoder"],
            decoder=NARROW["DenseDecoder"],
        ),
    )


def steps(model: nn.Module, number: int = 2) -> list[dict[str, float]]:
    """Losses of some steps, without Adam: it would make as much of rounding as of a gradient."""
    optimizers = OptimWrapperDict(**{
        phase.name: OptimWrapper(torch.optim.SGD(model.phase_modules(phase.name)[0].parameters(), lr=0.1))
        for phase in model.phases
    })  # fmt: skip
    logs = []
    for seed in range(number):
        torch.manual_seed(seed)
        logs.append(model.train_step(narrow.batch(lengths=(8, 8), seed=seed), optimizers))
    return [{name: float(value) for name, value in log.items()} for log in logs]


@pytest.mark.parametrize(
    "config, compiled",
    [
        pytest.param(
            imaginator,
            ["generator.content_encoder", "generator.decoder", "discriminators.video", "discriminators.frame"],
            marks=pytest.mark.slow,
        ),
        (frgan, ["generator.content_encoder", "generator.motion_encoder", "generator.decoder", "discriminators.frame"]),
    ],
)
def test_compiled_parts_train_as_before_under_the_same_names(config, compiled):
    torch.manual_seed(0)
    plain = MODELS.build(config())
    model = copy.deepcopy(plain)
    assert compile_parts(model, TRACED) == compiled
    assert steps(model) == [pytest.approx(log, rel=1e-4) for log in steps(plain)]
    assert list(model.state_dict()) == list(plain.state_dict())
    for name, value in plain.state_dict().items():
        assert torch.allclose(model.state_dict()[name], value, atol=1e-4), name
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= len(compiled)


def test_recurrent_layers_stay_outside():
    model = narrow.build()  # DTGAN: an LSTM on frames
    names = compile_parts(model, TRACED)
    assert names == [
        "generator.motion_encoder.frame_encoder",
        "generator.decoder",
        "discriminators.frame",
        "discriminators.dynamics",
    ]
    assert model.generator.motion_encoder.lstm._compiled_call_impl is None
    assert model.generator.motion_encoder._compiled_call_impl is None
    assert model.generator.motion_encoder.frame_encoder._compiled_call_impl is not None


def test_a_copy_of_a_compiled_model_has_its_own_weights():
    torch.manual_seed(0)
    model = MODELS.build(imaginator())
    compile_parts(model, TRACED)
    other = copy.deepcopy(model)
    disc_input = DiscriminatorInput(torch.randn(2, 3, 8, narrow.SIZE, narrow.SIZE), label=torch.eye(3)[:2])
    with torch.no_grad():
        for parameter in other.discriminators.video.parameters():
            parameter.mul_(2)
        for each in (model.eval(), other.eval()):
            with each.discriminators.video.scoring() as score:
                assert torch.allclose(
                    score(disc_input), each.discriminators.video.network(disc_input.sample, disc_input.label), atol=1e-5
                )


def test_the_whole_step_is_never_compiled(tmp_path):
    runner = train(tiny_config(tmp_path / "compiled", 2, compile=dict(backend="aot_eager")))
    assert runner.model.train_step.__func__ is type(runner.model).train_step  # mmengine would have replaced it
    assert runner.model.discriminators.frame._compiled_call_impl is not None
    [log] = (tmp_path / "compiled").glob("*/*.log")
    assert "compiled when they first run: discriminators.frame\n" in log.read_text()
    weights = train(tiny_config(tmp_path / "plain", 2)).model.state_dict()
    saved = load_checkpoint_file(tmp_path / "compiled" / "iter_2.pth")["state_dict"]
    assert list(saved) == list(weights)
    assert all(torch.allclose(saved[name], value, atol=1e-6) for name, value in weights.items())


def test_the_command_line_adds_to_what_the_config_says(tmp_path):
    cfg = tiny_config(tmp_path, 1)
    assert "compile" not in prepare(cfg) and prepare(cfg, compile=True).compile is True
    cfg.compile = dict(mode="reduce-overhead")
    assert prepare(cfg, compile=True).compile == dict(mode="reduce-overhead") == prepare(cfg).compile
    cfg.compile = False
    assert prepare(cfg).compile is False and prepare(cfg, compile=True).compile is True


def test_options_and_mistakes():
    assert compile_options(True) == {"dynamic": False} == compile_options({})
    assert compile_options({"dynamic": None, "mode": "default"}) == {"dynamic": None, "mode": "default"}
    assert compile_options(False) is None is compile_options(None)
    with pytest.raises(ConfigError, match="not 'max-autotune'"):
        compile_options("max-autotune")
    with pytest.raises(ConfigError, match=r"torch\.compile takes no 'mod'; it takes fullgraph, dynamic"):
        compile_options({"mod": "default"})
    for wrong in ({"mode": "fastest"}, {"backend": "no_such_backend"}):
        with pytest.raises(
            ConfigError, match=r"torch cannot compile generator\.motion_encoder so: .*(fastest|no_such_backend)"
        ):
            compile_parts(narrow.build(generator=dict(motion_encoder=NARROW["Conv3dEncoder"])), wrong)


@pytest.mark.slow
def test_kernels_that_are_generated_compute_the_same():
    """The default backend, which calls a compiler: minutes on a busy machine."""
    network = narrow.build().discriminators.frame
    sample = torch.randn(4, 3, narrow.SIZE, narrow.SIZE)
    expected = network(sample)
    network.compile(**compile_options(True))
    with network.scoring() as score:
        found = score(DiscriminatorInput(sample))
    assert torch.allclose(found, expected, atol=1e-5)
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
