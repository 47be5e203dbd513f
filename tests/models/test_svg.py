"""SVG's parts: sizes of the released networks, equations against slow forms, rollouts with a learned prior."""

from types import SimpleNamespace

import narrow
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models import Generator
from i2vkit.models.decoders import StageDecoder
from i2vkit.models.encoders import ConvPyramidEncoder, RecurrentPosterior, StageEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import FrameL2Loss, KlLoss
from i2vkit.models.motion_generators import LstmPredictor
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Motion, Spec, VideoBatch

HEAD = dict(type="DirectHead")


def settings(prior: str = "learned", skips: str = "join") -> dict:
    return dict(
        content_encoder=dict(
            type=StageEncoder, widths=(4, 6), convs=(1, 2), activation="leaky", pool="max", skip="before", code=5,
            initial_weights="torch",
        ),
        motion_encoder=dict(type=RecurrentPosterior, code=3, hidden=7, prior=prior, initial_weights="torch"),
        motion_generator=dict(type=LstmPredictor, hidden=8, layers=2, initial_weights="torch"),
        decoder=dict(type=StageDecoder, widths=(6, 4), convs=(2, 1), skips=skips, coarsest=False,
                     initial_weights="torch"),
        head=HEAD,
    )  # fmt: skip


def generator(prior: str = "learned", **changes) -> Generator:
    torch.manual_seed(0)
    model = Generator(**(settings(prior) | dict(image_size=16) | changes)).eval()
    with torch.no_grad():  # initial weights are small, and so is all they do
        for weight in model.parameters():
            weight.mul_(2.0 if weight.dim() > 1 else 1.0)
    return model


def clip(length: int = 5) -> VideoBatch:
    small = torch.rand(2, 3, length, 4, 4, generator=torch.Generator().manual_seed(3)) * 2 - 1
    return VideoBatch(functional.interpolate(small, (length, 16, 16), mode="trilinear", align_corners=True))


def numbers(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_sizes_are_those_of_the_released_networks():
    own = dict(
        image_size=64,
        content_encoder=dict(
            type=StageEncoder,
            widths=(64, 128, 256, 512),
            convs=(2, 2, 3, 3),
            activation="leaky",
            pool="max",
            skip="before",
        ),
        motion_generator=dict(type=LstmPredictor),
        decoder=dict(type=StageDecoder, coarsest=False),
        head=HEAD,
    )
    learned = Generator(motion_encoder=dict(type=RecurrentPosterior), **own)
    parts = (learned.content_encoder, learned.decoder, learned.motion_generator, learned.motion_encoder.prior_network)
    assert [numbers(part) for part in parts] == [8_689_600, 11_822_659, 1_134_976, 592_256]
    assert numbers(learned) == 22_831_747
    assert numbers(Generator(motion_encoder=dict(type=RecurrentPosterior, prior="fixed"), **own)) == 22_239_491


def test_sizes_of_the_dcgan_variant_are_those_of_the_released_networks():
    """There of one channel and codes of 10; ours read and make three."""
    first, last = 2 * 64 * 4 * 4, 2 * (2 * 64 * 4 * 4 + 1)  # weights of two more channels
    own = dict(
        image_size=64,
        content_encoder=dict(type=ConvPyramidEncoder, code=128, bias=True, code_norm=True),
        motion_generator=dict(type=LstmPredictor),
        decoder=dict(type=StageDecoder, convs=(1, 1, 1, 1), up="transposed"),
        head=HEAD,
    )
    model = Generator(motion_encoder=dict(type=RecurrentPosterior, code=10), **own)
    assert numbers(model.content_encoder) == 3_805_376 + first
    assert numbers(model.decoder) == 6_558_529 + last
    assert numbers(model) == 12_614_057 + first + last


def test_the_dcgan_variant_by_its_layers():
    """The code behind batch norm and tanh; each transposed convolution reads [skip of its size, x]."""
    parts = dict(
        content_encoder=dict(type=ConvPyramidEncoder, widths=(4, 6), code=5, bias=True, code_norm=True),
        decoder=dict(type=StageDecoder, widths=(6, 4), convs=(1, 1), up="transposed", initial_weights="torch"),
    )
    model, given = generator(**parts), clip(3)
    encoder, decoder = model.content_encoder, model.decoder
    with torch.no_grad():
        for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
            norm.running_mean.uniform_(-0.3, 0.3)
    content = encoder(given.driving[:, :, 0])
    convolution, norm = encoder.to_code[:2]
    code = norm(functional.conv2d(content.pyramid[-1], convolution.weight, convolution.bias))
    torch.testing.assert_close(content.code, torch.tanh(code).flatten(1))
    motion = Motion(length=3, trajectory=torch.randn(2, 3, 5))
    made, _ = decoder(content, motion, GenerationState())
    for t in range(3):
        x = decoder.start(motion.trajectory[:, t, :, None, None])
        assert x.shape == (2, 6, 4, 4)
        for i, level in enumerate((1, 0)):
            first = decoder.stages.firsts[i].convolution
            x = torch.cat([content.pyramid[level], x], dim=1)
            x = decoder.stages.stages[i](functional.conv_transpose2d(x, first.weight, first.bias, stride=2, padding=1))
        torch.testing.assert_close(made[:, :, t], x, rtol=1e-4, atol=1e-5)


def cells(lstm: nn.LSTM) -> list[nn.LSTMCell]:
    """The layers of an LSTM, each as a cell of the same weights."""
    made = []
    for layer in range(lstm.num_layers):
        cell = nn.LSTMCell(lstm.input_size if layer == 0 else lstm.hidden_size, lstm.hidden_size)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(cell, name, getattr(lstm, f"{name}_l{layer}"))
        made.append(cell)
    return made


class Unrolled:
    """A linear layer and LSTM cells, step by step, as the released code has them."""

    def __init__(self, embed, lstm):
        self.embed, self.cells = embed, cells(lstm)
        self.states = [None] * len(self.cells)

    def __call__(self, x):
        x = self.embed(x)
        for i, cell in enumerate(self.cells):
            self.states[i] = cell(x, self.states[i])
            x = self.states[i][0]
        return x


class Slow:
    """SVG's loops over a generator's own networks."""

    def __init__(self, model: Generator):
        encoder, predictor = model.motion_encoder, model.motion_generator
        self.model, self.output = model, predictor.output
        self.posterior_heads = encoder.posterior_network
        self.posterior = Unrolled(encoder.posterior_network.embed, encoder.posterior_network.lstm)
        self.prior_heads = encoder.prior_network
        self.prior = None if self.prior_heads is None else Unrolled(self.prior_heads.embed, self.prior_heads.lstm)
        self.predictor = Unrolled(predictor.embed, predictor.lstm)

    def encode(self, frame):
        return self.model.content_encoder(frame)

    def decode(self, predicted, skips):
        """The decoder by its layers, of one frame."""
        decoder = self.model.decoder
        x = decoder.start(predicted[:, :, None, None])
        for i, level in enumerate((1, 0)):
            x = torch.cat([skips[level], functional.interpolate(x, scale_factor=2)], dim=1)
            first = decoder.stages.firsts[i]
            x = decoder.stages.stages[i](functional.conv2d(x, first.weight, first.bias, padding=1))
        return torch.tanh(x)

    def step(self, before, code):
        return torch.tanh(self.output(self.predictor(torch.cat([before, code], dim=1))))


@pytest.mark.parametrize("prior", ["learned", "fixed"])
def test_training_is_the_loop_of_the_paper(prior):
    model, given = generator(prior), clip()
    made = model(given, {"all": Pass(feed="truth")}, GenerationState(seeds=[0, 1]))["all"]
    slow = Slow(model)
    skips = slow.encode(given.driving[:, :, 0]).pyramid
    divergence = []
    for t in range(1, 5):
        before, now = (slow.encode(given.driving[:, :, i]).code for i in (t - 1, t))
        state = slow.posterior(now)
        mean, log_variance = slow.posterior_heads.to_mean(state), slow.posterior_heads.to_log_variance(state)
        torch.testing.assert_close(made.encoded.mean[:, t], mean)
        torch.testing.assert_close(made.encoded.log_variance[:, t], log_variance)
        other = Normal(torch.zeros_like(mean), torch.ones_like(mean))
        if prior == "learned":
            state = slow.prior(before)
            expected, spread = slow.prior_heads.to_mean(state), slow.prior_heads.to_log_variance(state)
            torch.testing.assert_close(made.encoded.prior_mean[:, t], expected)
            torch.testing.assert_close(made.encoded.prior_log_variance[:, t], spread)
            other = Normal(expected, (0.5 * spread).exp())
        divergence.append(kl_divergence(Normal(mean, (0.5 * log_variance).exp()), other).sum(dim=1).mean())
        predicted = slow.step(before, made.encoded.code[:, t])
        torch.testing.assert_close(made.video[:, :, t], slow.decode(predicted, skips), rtol=1e-4, atol=1e-5)
    context = SimpleNamespace(encoded=lambda name: made.encoded, generated=lambda name: made)
    torch.testing.assert_close(KlLoss()(context), torch.stack(divergence).mean())


@pytest.mark.parametrize("prior", ["learned", "fixed"])
def test_a_test_is_the_loop_of_the_paper(prior):
    model, given = generator(prior), clip()
    made = model(given, {"own": Pass(motion="prior")}, GenerationState(seeds=[0, 1]))["own"]
    noise = GenerationState(seeds=[0, 1]).normal_per_frame(model, "prior", 4, (3,), like=given.driving)
    slow, last = Slow(model), given.driving[:, :, 0]
    skips = slow.encode(last).pyramid
    for t in range(1, 5):
        before = slow.encode(last).code
        code = noise[:, t - 1]
        if prior == "learned":
            state = slow.prior(before)
            mean, log_variance = slow.prior_heads.to_mean(state), slow.prior_heads.to_log_variance(state)
            code = mean + (0.5 * log_variance).exp() * code
        last = slow.decode(slow.step(before, code), skips)
        torch.testing.assert_close(made.video[:, :, t], last, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("motion", "skips_from"), [("driving", "image"), ("prior", "image"), ("prior", "past")])
def test_chunks_make_the_whole_with_gradients(motion, skips_from):
    model, given, entry = generator(skips_from=skips_from), clip(6), Pass(motion=motion)
    parameters = [p for name, p in model.named_parameters() if motion == "prior" or "prior_network" not in name]
    if motion == "prior":
        parameters = [p for name, p in model.named_parameters() if "posterior_network" not in name]

    def gradients(pieces: list[tuple[int, int]]):
        state, videos = GenerationState(seeds=[0, 1]), []
        content = model.encode_content(given)
        for start, stop in pieces:
            piece = given.slice_frames(start, stop)
            moved = model.motion_of(piece, entry, state, content)
            videos.append(model.make(content, moved, piece, state, entry).video)
        whole = torch.cat(videos, dim=2)
        return whole, torch.autograd.grad(whole.square().sum(), parameters)

    whole, expected = gradients([(0, 6)])
    for pieces in ([(0, 1), (1, 6)], [(0, 3), (3, 4), (4, 6)]):
        chunked, found = gradients(pieces)
        torch.testing.assert_close(chunked, whole, rtol=1e-4, atol=1e-5)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_true_and_own_frames_agree_on_the_first_step():
    model, given = generator(), clip()
    made = [
        model(given, {"one": Pass(feed=feed)}, GenerationState(seeds=[0, 1]))["one"].video for feed in ("own", "truth")
    ]
    torch.testing.assert_close(made[0][:, :, :2], made[1][:, :, :2], rtol=1e-4, atol=1e-5)
    assert (made[0][:, :, 2:] - made[1][:, :, 2:]).abs().amax(dim=(0, 1, 3, 4)).min() > 1e-4


def test_samples_differ_and_a_seed_is_one_sample():
    model, given = generator(), clip()
    seeds = [[0, 1], [0, 2]]
    one, other = (
        model(given, {"own": Pass(motion="prior")}, GenerationState(seeds=pair))["own"].video for pair in seeds
    )
    torch.testing.assert_close(one[0], other[0])
    assert (one[1] - other[1]).abs().max() > 1e-3


@pytest.mark.parametrize("prior", ["learned", "fixed"])
def test_every_network_learns(prior):
    losses = dict(frame_l2=dict(type=FrameL2Loss), kl=dict(type=KlLoss, weight=0.01))
    model = narrow.build(
        generator=settings(prior), discriminators={}, frozen=[], labels=[], passes=dict(reconstruct=dict(feed="truth")),
        phases=dict(generator=dict(updates=["generator"], losses=losses)),
    )  # fmt: skip
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    log = model.train_step(narrow.batch(), narrow.optimizers(model))
    assert log["kl"] > 0 and log["frame_l2"] > 0
    # A bias behind which a batch norm follows has no effect.
    stays = [name for name, weight in model.named_parameters() if torch.equal(weight, before[name])]
    assert all(name.endswith("bias") for name in stays)


def test_added_skips_and_settings_that_make_no_sense():
    for up, convs in (("nearest", (2, 1)), ("transposed", (1, 2))):
        model = generator(decoder=settings(skips="add")["decoder"] | dict(up=up, convs=convs))
        assert model(clip(3), {"own": Pass(motion="prior")})["own"].video.shape == (2, 3, 3, 16, 16)
    with pytest.raises(ConfigError, match="prior is 'none', but takes 'learned' or 'fixed'"):
        RecurrentPosterior(Spec(code=3), prior="none")
    with pytest.raises(ConfigError, match=r"makes maps of strides \[2, 1\], and the content's pyramid has strides \[4"):
        pyramid = dict(type="TimmPyramidEncoder", backbone="test_byobnet", out_indices=(1, 2))
        generator(image_size=32, content_encoder=pyramid)
