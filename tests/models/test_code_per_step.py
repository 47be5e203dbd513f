"""A code a step and priors of the encoder's own: the divergence, what reads such codes, and what is refused."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from i2vkit.errors import ConfigError
from i2vkit.models import Generator
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder, MotionEncoder
from i2vkit.models.losses import KlLoss
from i2vkit.models.training.passes import Pass
from i2vkit.registry import DECODERS, MOTION_ENCODERS
from i2vkit.structures import Motion, Spec, VideoBatch


class StepCodes(MotionEncoder):
    """A code of three numbers for every frame, its mean colour, from which it is drawn."""

    provides = ("motion.code",)
    supports_chunks = True

    def __init__(self, code_per_step: bool = True):
        super().__init__()
        self.spec = Spec(code=3, variational=True, code_per_step=code_per_step)

    def forward(self, clip, state):
        mean = clip.driving.mean(dim=(3, 4)).transpose(1, 2)
        return Motion(mean.shape[1], code=mean, mean=mean, log_variance=torch.zeros_like(mean))


class ImagePrior(MotionEncoder):
    """One code a clip, whose prior is the mean colour of the image."""

    provides = ("motion.code",)
    accepts = ("content.image",)

    def __init__(self):
        super().__init__()
        self.spec = Spec(code=3, variational=True)

    def forward(self, clip, state, content):
        mean = clip.driving.mean(dim=(2, 3, 4))
        return Motion(clip.driving.shape[2], code=mean, mean=mean, log_variance=torch.zeros_like(mean))

    def prior(self, content, state):
        mean = content.image.mean(dim=(2, 3))
        return mean, torch.full_like(mean, 2.0)


class FirstNumber(Decoder):
    """Every pixel is the first number of the step."""

    requires = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self, motion: Spec):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, content, motion, state):
        steps = motion.trajectory[:, None, :, 0, None, None] * self.scale
        return steps.expand(-1, 3, -1, *content.image.shape[2:]), content.image[:, :, None]


class WholeCode(FirstNumber):
    """Reads one code a clip."""

    requires = ("motion.code",)

    def forward(self, content, motion, state):
        steps = motion.code[:, None, :1].expand(-1, motion.length, -1)
        return super().forward(content, replace(motion, trajectory=steps), state)


@pytest.fixture(autouse=True)
def parts():
    registered = [(MOTION_ENCODERS, StepCodes), (MOTION_ENCODERS, ImagePrior), (DECODERS, FirstNumber)]
    registered.append((DECODERS, WholeCode))
    for registry, part in registered:
        registry.import_from_location()
        registry.register_module(module=part, force=True)
    yield
    for registry, part in registered:
        registry.module_dict.pop(part.__name__)


def generator(**changes) -> Generator:
    own = dict(decoder=dict(type="FirstNumber"), head=dict(type="DirectHead"), motion_encoder=dict(type="StepCodes"))
    torch.manual_seed(0)
    return Generator(image_size=8, **{**own, **changes}).eval()


def divergence(motion: Motion, given: int = 0, **own) -> float:
    context = SimpleNamespace(encoded=lambda name: motion, generated=lambda name: SimpleNamespace(given=given))
    return KlLoss(**own)(context).item()


def drawn(*shape: int) -> dict:
    torch.manual_seed(sum(shape))
    names = ("mean", "log_variance", "prior_mean", "prior_log_variance")
    return {name: torch.randn(*shape) for name in names}


def of_torch(values: dict) -> torch.Tensor:
    q = Normal(values["mean"], (0.5 * values["log_variance"]).exp())
    return kl_divergence(q, Normal(values["prior_mean"], (0.5 * values["prior_log_variance"]).exp())).sum(dim=-1)


def test_the_divergence_is_that_of_torch():
    for shape in ((4, 6), (4, 5, 6)):
        values = drawn(*shape)
        wanted = of_torch(values)
        assert divergence(Motion(5, **values)) == pytest.approx(wanted.mean().item(), rel=1e-5)
        standard = {name: values[name] for name in ("mean", "log_variance")}
        zeros = dict.fromkeys(("prior_mean", "prior_log_variance"), torch.zeros(shape))
        assert divergence(Motion(5, **standard)) == pytest.approx(of_torch(standard | zeros).mean().item(), rel=1e-5)


def test_the_divergence_counts_true_steps_that_were_made():
    values = drawn(2, 5, 3)
    wanted = of_torch(values)
    motion = Motion(5, num_frames=torch.tensor([5, 3]), **values)
    true = torch.cat([wanted[0], wanted[1, :3]])
    assert divergence(motion) == pytest.approx(true.mean().item(), rel=1e-5)
    made = torch.cat([wanted[0, 1:], wanted[1, 1:3]])
    assert divergence(motion, given=1) == pytest.approx(made.mean().item(), rel=1e-5)
    whole = replace(motion, num_frames=None)
    assert divergence(whole, given=1) == pytest.approx(wanted[:, 1:].mean().item(), rel=1e-5)
    assert divergence(whole, free_nats=1e3) == 1e3


def test_an_adapter_and_an_lstm_read_a_code_a_step():
    clip = VideoBatch(torch.rand(2, 3, 5, 8, 8))
    for own in ({}, dict(motion_generator=dict(type="LstmUnroll", hidden=4))):
        model = generator(**own)
        changed = clip.driving.clone()
        changed[:, 0, 3] += 1
        before, after = (model(its, {"a": Pass()})["a"].video for its in (clip, VideoBatch(changed)))
        moved = ((before - after).abs().amax(dim=(0, 1, 3, 4)) > 1e-4).tolist()
        assert moved == [False, False, False, True, True]  # recurrent: what comes later too


def test_codes_of_steps_are_drawn_step_by_step():
    model, clip = generator(), VideoBatch(torch.zeros(2, 3, 6, 8, 8))
    whole = model.draw_motion(clip, GenerationState(seeds=[1, 2])).code
    assert whole.shape == (2, 6, 3) and whole.std(dim=1).min() > 0
    state = GenerationState(seeds=[1, 2])
    pieces = [model.draw_motion(clip.slice_frames(start, start + 2), state).code for start in range(0, 6, 2)]
    assert torch.equal(torch.cat(pieces, dim=1), whole)


def test_a_clip_code_is_drawn_around_a_prior_of_the_image():
    model = generator(motion_encoder=dict(type="ImagePrior"), decoder=dict(type="WholeCode"))
    clip = VideoBatch(torch.rand(2, 3, 4, 8, 8))
    made = model(clip, {"a": Pass(motion="prior")}, GenerationState(seeds=[1, 2]))["a"].encoded
    mean = clip.driving[:, :, 0].mean(dim=(2, 3))
    noise = GenerationState(seeds=[1, 2]).normal(model, "prior", (3,), like=clip.driving)
    torch.testing.assert_close(made.code, mean + torch.tensor(1.0).exp() * noise)
    encoded = model(clip, {"a": Pass()})["a"].encoded
    torch.testing.assert_close(encoded.prior_mean, mean)
    assert (encoded.prior_log_variance == 2).all() and made.mean is None


def test_a_part_that_reads_one_code_a_clip_is_refused():
    with pytest.raises(ConfigError, match=r"WholeCode reads one motion code a clip, \(B, D\), and .* one a step"):
        generator(decoder=dict(type="WholeCode"))


def test_a_posterior_over_time_that_the_spec_does_not_tell_of():
    with pytest.raises(ConfigError, match=r"StepCodes returned code of shape \(1, 2, 3\), expected \(B, 3\): for"):
        generator(motion_encoder=dict(type="StepCodes", code_per_step=False))


def test_a_prior_of_another_shape():
    class Wrong(ImagePrior):
        """Its log-variance is one number too long."""

        def prior(self, content, state):
            mean, log_variance = super().prior(content, state)
            return mean, torch.cat([log_variance, log_variance], dim=1)

    MOTION_ENCODERS.register_module(module=Wrong)
    try:
        with pytest.raises(ConfigError, match=r"the prior of Wrong is \[\(1, 3\), \(1, 6\)\], expected mean and"):
            generator(motion_encoder=dict(type="Wrong"), decoder=dict(type="WholeCode"))
    finally:
        MOTION_ENCODERS.module_dict.pop("Wrong")
