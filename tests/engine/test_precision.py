"""TF32 for convolutions and matrix products together, as the model says and only while it computes."""

import narrow
import pytest
import torch
from tiny import TwoPhases

from i2vkit.cli.common import add_precision, parser
from i2vkit.engine.precision import PRECISIONS, check_precision, precision, set_precision, tf32_flags
from i2vkit.errors import ConfigError
from i2vkit.evaluation.result_facts import precision_facts
from i2vkit.models import ImageToVideoGan
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.models.losses import FrameL1Loss, WassersteinLoss
from i2vkit.structures import VideoBatch

OFF = {"convolutions": False, "matrix_products": False}
ON = {"convolutions": True, "matrix_products": True}
TORCHS_OWN = {"convolutions": True, "matrix_products": False}


@pytest.fixture(autouse=True)
def torchs_own_flags():
    """Every test begins with the flags that PyTorch begins with, and leaves them."""
    before = tf32_flags()
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = TORCHS_OWN.values()
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before.values()


@pytest.mark.parametrize("name, flags", [("fp32", OFF), ("tf32", ON), ("bf16", ON)])
def test_both_flags_go_together_and_come_back(name, flags):
    assert tf32_flags() == TORCHS_OWN
    with precision(name):
        assert tf32_flags() == flags
        assert torch.get_float32_matmul_precision() == ("high" if flags is ON else "highest")  # readable: not mixed
    assert tf32_flags() == TORCHS_OWN
    set_precision(name)
    assert tf32_flags() == flags


def test_flags_come_back_after_an_error_and_nest():
    with pytest.raises(KeyError), precision("tf32"):
        with precision("fp32"):
            assert tf32_flags() == OFF
        assert tf32_flags() == ON
        raise KeyError
    assert tf32_flags() == TORCHS_OWN


def test_a_cpu_computes_as_before():
    """oneDNN must not be told: on some processors "high" makes it round too."""
    one, other = torch.randn(64, 300), torch.randn(300, 64)
    before, onednn = one @ other, torch.backends.mkldnn.matmul.fp32_precision
    with precision("tf32"):
        assert torch.equal(one @ other, before)
        assert torch.backends.mkldnn.matmul.fp32_precision == onednn


def test_other_names_are_refused():
    for name in ("fp16", None, True):
        with pytest.raises(ConfigError, match=f"precision is 'fp32', 'tf32' or 'bf16', not {name!r}"):
            check_precision(name)
    with pytest.raises(ConfigError, match="not 'amp'"):
        narrow.build(precision="amp")
    assert tf32_flags() == TORCHS_OWN


def test_the_command_line_knows_the_same_names():
    options = parser("")
    add_precision(options)
    assert [options.parse_args(["--precision", name]).precision for name in PRECISIONS] == list(PRECISIONS)
    assert options.parse_args([]).precision is None
    with pytest.raises(SystemExit):
        options.parse_args(["--precision", "fp16"])


@pytest.mark.parametrize("name, flags", [("fp32", OFF), ("tf32", ON), ("bf16", ON)])
def test_a_step_trains_in_the_models_precision_forward_and_backward(name, flags):
    phases = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss))))
    model, seen = narrow.build(precision=name, discriminators={}, phases=phases), []

    def watch(decoder, inputs, outputs):
        seen.append(("forward", tf32_flags()))
        outputs[0].register_hook(lambda gradient: seen.append(("backward", tf32_flags())))

    model.generator.decoder.register_forward_hook(watch)
    model.train_step(narrow.batch(), narrow.optimizers(model))
    assert seen == [("forward", flags), ("backward", flags)] and tf32_flags() == TORCHS_OWN


def test_each_of_two_models_generates_in_its_own_precision():
    """By turns, as a process that tests several; between two chunks nothing is switched for others."""
    seen, made = [], {}
    for name in ("fp32", "tf32"):
        made[name] = narrow.build(precision=name)
        made[name].generator.register_forward_pre_hook(lambda *_: seen.append(tf32_flags()))
        made[name].generator.decoder.register_forward_pre_hook(lambda *_: seen.append(tf32_flags()))
    seen.clear()
    for model in made.values():
        chunks = [VideoBatch(torch.zeros(1, 3, 2, 32, 32), label=torch.tensor([0]))] * 2
        for _ in model.generate_chunks(chunks, [0]):
            assert tf32_flags() == TORCHS_OWN
    assert seen == [OFF, OFF, ON, ON]
    made["tf32"].test_step(narrow.batch(lengths=(3,)))
    assert seen[-1] == ON and tf32_flags() == TORCHS_OWN


def test_the_penalty_is_not_computed_in_bf16():
    types = []

    def score(disc_input):
        product = disc_input.sample.flatten(1) @ weight
        types.append(product.dtype)
        return product

    weight = torch.randn(12, 1)
    with torch.autocast("cpu", torch.bfloat16):
        WassersteinLoss().discriminator_loss(
            score, DiscriminatorInput(torch.randn(2, 12)), [(DiscriminatorInput(torch.randn(2, 12)), 1.0)]
        )
    assert types == [torch.bfloat16, torch.bfloat16, torch.float32]  # real, fake, between them


def test_facts_say_what_a_model_computes_in():
    assert precision_facts(narrow.build(precision="tf32")) == {"precision": "tf32", "tf32": ON, "device": "cpu"}
    assert precision_facts(TwoPhases()) == {"precision": "fp32", "tf32": OFF, "device": "cpu"}
    assert tf32_flags() == TORCHS_OWN
    assert ImageToVideoGan(**{k: v for k, v in narrow.gan_config().items() if k != "type"}).precision == "fp32"
