"""Rollout: frames made from frames before, with the generator's own or the true ones, in chunks and as a whole."""

from contextlib import nullcontext
from dataclasses import replace

import narrow
import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import nn

from i2vkit.apis.inferencer import I2VInferencer
from i2vkit.errors import ConfigError
from i2vkit.models import Generator
from i2vkit.models.chunks import generate_in_chunks
from i2vkit.models.discriminators.views import AllFrames, ConditionedVideo, RandomFrames
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import ContentEncoder, Decoder, MotionEncoder, MotionGenerator
from i2vkit.models.losses import DiscriminatorLoss, FirstFrameL1Loss, FrameL1Loss
from i2vkit.models.training.passes import Pass
from i2vkit.registry import CONTENT_ENCODERS, DECODERS, MOTION_ENCODERS, MOTION_GENERATORS
from i2vkit.structures import Content, FeatureSpec, Motion, Points, Spec, VideoBatch

SIZE, HEAD = 8, dict(type="DirectHead")


class Blender(Decoder):
    """Half the frame before, a weight of the motion, and what the skips and the code of the frame before say."""

    requires = ("motion.trajectory", "content.past")
    accepts = ("content.pyramid", "content.code")
    supports_chunks = reads_past = True

    def __init__(self, motion: Spec, content: Spec, out_channels: int):
        super().__init__()
        self.scale = nn.Parameter(torch.full((motion.trajectory,), 0.3))
        self.skipped, self.coded = bool(content.pyramid), bool(content.code)

    def forward(self, content, motion, state):
        moved = (motion.trajectory * self.scale).mean(dim=2)[:, None, :, None, None]
        features = 0.5 * content.past + moved
        if self.skipped:
            features = features + 0.25 * content.pyramid[0][:, :, None]
        if self.coded:
            assert content.code.shape[1] == content.past.shape[2]  # one for each step
            features = features + 0.1 * content.code.transpose(1, 2)[..., None, None]
        return features, content.past


class Differences(MotionEncoder):
    """How the frame before differs from the one before that, in the mean; it reads frames that were made."""

    provides = ("motion.trajectory",)
    supports_chunks = reads_past = True

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.spec = Spec(trajectory=3)

    def forward(self, clip, state):
        frames = clip.driving
        before = torch.cat([state.recurrent.get(self, frames[:, :, :1]), frames[:, :, :-1]], dim=2)
        state.recurrent[self] = frames[:, :, -1:]
        change = (frames - before).mean(dim=(3, 4)).transpose(1, 2)
        return Motion(frames.shape[2], trajectory=change * self.weight + 0.2, num_frames=clip.num_frames)


class Colours(MotionEncoder):
    """The mean colour of every frame of the driving clip."""

    provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.spec = Spec(trajectory=3)

    def forward(self, clip, state):
        steps = clip.driving.mean(dim=(3, 4)).transpose(1, 2)
        return Motion(steps.shape[1], trajectory=steps * self.weight, num_frames=clip.num_frames)


class Pictured(ContentEncoder):
    """The picture as a pyramid of one level, and its mean colour as its code."""

    provides = ("content.pyramid", "content.code")

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.spec = Spec(code=3, code_per_frame=True, pyramid=(FeatureSpec(3, 1),))

    def forward(self, image):
        return Content(image, (image * self.weight,), image.mean(dim=(2, 3)))


class Posterior(MotionEncoder):
    """A code for each frame from its own content code, with a prior that reads the code of the frame before."""

    requires = ("content.code",)
    provides = ("motion.code",)
    supports_chunks = code_per_frame = True

    def __init__(self, content: Spec, learned: bool = True):
        super().__init__()
        self.mean, self.expected = nn.Linear(content.code, 2), nn.Linear(content.code, 2)
        self.learned = learned
        self.spec = Spec(code=2, variational=True, code_per_step=True)

    def forward(self, clip, state, content):
        assert content.code.shape[1] == clip.driving.shape[2]  # those of the clip's own frames
        mean = self.mean(content.code)
        log_variance = torch.full_like(mean, -2.0)
        noise = state.normal_per_frame(self, "code", mean.shape[1], tuple(mean.shape[2:]), like=mean)
        code = mean + (0.5 * log_variance).exp() * noise
        return Motion(
            clip.driving.shape[2], code=code, mean=mean, log_variance=log_variance, num_frames=clip.num_frames
        )

    def prior(self, content, state):
        if not self.learned:
            return None
        mean = self.expected(content.code)
        return mean, torch.full_like(mean, -1.0)


class Predictor(MotionGenerator):
    """A sum over time of the step's code and of the code of the frame before: recurrent, and in the state."""

    requires = ("motion.code", "content.code")
    provides = ("motion.trajectory",)
    supports_chunks = reads_past = code_per_step = True

    def __init__(self, motion: Spec, content: Spec):
        super().__init__()
        self.linear = nn.Linear(motion.code + content.code, 3)
        self.spec = replace(motion, trajectory=3)

    def forward(self, motion, state, content):
        steps = self.linear(torch.cat([motion.code, content.code], dim=2))
        total = steps.cumsum(dim=1) + state.recurrent.get(self, 0)
        state.recurrent[self] = total[:, -1:]
        return replace(motion, trajectory=0.3 * total)


@pytest.fixture(autouse=True)
def parts():
    registered = [
        (DECODERS, Blender),
        (MOTION_ENCODERS, Differences),
        (MOTION_ENCODERS, Colours),
        (MOTION_ENCODERS, Posterior),
        (CONTENT_ENCODERS, Pictured),
        (MOTION_GENERATORS, Predictor),
    ]
    for registry, part in registered:
        registry.import_from_location()
        registry.register_module(module=part, force=True)
    yield
    for registry, part in registered:
        registry.module_dict.pop(part.__name__)


def settings(encoder: str, **changes) -> dict:
    posterior = encoder in ("learned", "fixed")
    kind = dict(type="Posterior", learned=encoder == "learned") if posterior else dict(type=encoder)
    own = dict(decoder=dict(type="Blender"), head=HEAD, motion_encoder=kind)
    if posterior:
        own |= dict(motion_generator=dict(type="Predictor"), content_encoder=dict(type="Pictured"))
    return own | changes


def generator(encoder: str, **changes) -> Generator:
    torch.manual_seed(0)
    return Generator(image_size=SIZE, **settings(encoder, **changes)).eval()


def clip_of(length: int, batch: int = 2, **own) -> VideoBatch:
    rng = torch.Generator().manual_seed(length)
    return VideoBatch(torch.rand(batch, 3, length, SIZE, SIZE, generator=rng) * 2 - 1, **own)


KINDS = ["Differences", "Colours", "learned", "fixed"]
SKIPS = [
    pytest.param(kind, dict(content_encoder=dict(type="Pictured"), skips_from=skips), id=f"{kind}-{skips}")
    for kind in KINDS
    for skips in ("image", "past")
]


def in_chunks(model: Generator, clip: VideoBatch, size: int, motion: str) -> list:
    """Successive chunks of one clip, with one generation state, and with the graph of all."""
    state, entry = GenerationState(seeds=[3, 4]), Pass(motion=motion)
    content = model.encode_content(clip)
    pieces = [clip.slice_frames(start, start + size) for start in range(0, clip.driving.shape[2], size)]
    return [model.make(content, model.motion_of(own, entry, state, content), own, state, entry) for own in pieces]


@pytest.mark.parametrize("motion", ["driving", "prior"])
@pytest.mark.parametrize("kind, own", [*((kind, {}) for kind in KINDS), *SKIPS])
def test_a_rollout_in_chunks_equals_the_whole_with_gradients(kind, own, motion):
    model, clip = generator(kind, **own), clip_of(7)
    assert model.has_prior == (kind != "Colours")
    if not model.has_prior and motion == "prior":
        with pytest.raises(ConfigError, match="this model is deterministic"):
            next(generate_in_chunks(model, [clip], [3, 4], lambda device: nullcontext(), motion="prior"))
        return
    whole = in_chunks(model, clip, 7, motion)[0]
    assert whole.video.shape == clip.driving.shape and whole.given == 1
    assert torch.equal(whole.video[:, :, 0], clip.driving[:, :, 0])
    assert whole.content.past.shape[2] == 6 and torch.equal(whole.content.past, whole.video[:, :, :-1])
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    wanted = torch.autograd.grad(whole.video[:, :, -1].square().sum(), weights, allow_unused=True)
    assert sum(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in wanted) >= 2
    for size in (1, 3):
        pieces = in_chunks(model, clip, size, motion)
        assert [piece.given for piece in pieces] == [1] + [0] * (len(pieces) - 1)
        video = torch.cat([piece.video for piece in pieces], dim=2)
        torch.testing.assert_close(video, whole.video, atol=1e-6, rtol=0)
        found = torch.autograd.grad(video[:, :, -1].square().sum(), weights, allow_unused=True)
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_true_and_own_frames_agree_on_the_first_step_and_on_no_other(kind):
    model, clip = generator(kind), clip_of(5)
    own, truth = (
        model(clip, {"a": Pass(feed=feed)}, GenerationState(seeds=[1, 2]))["a"].video for feed in ("own", "truth")
    )
    torch.testing.assert_close(own[:, :, :2], truth[:, :, :2], atol=1e-6, rtol=0)
    assert ((own - truth)[:, :, 2:].abs().amax(dim=(0, 1, 3, 4)) > 1e-3).all()


def test_values_of_a_rollout_and_of_teacher_forcing():
    """v_t = tanh(v_t-1 / 2 + mean(0.3 (0.2 + change))) with the frames before, made or true."""
    model, clip = generator("Differences"), clip_of(4)
    for feed in ("own", "truth"):
        made = model(clip, {"a": Pass(feed=feed)})["a"]
        frames = [clip.driving[:, :, 0]]
        before = [clip.driving[:, :, 0]] * 2
        for t in range(1, 4):
            change = (before[-1] - before[-2]).mean(dim=(2, 3)) + 0.2
            frames.append(torch.tanh(0.5 * before[-1] + (0.3 * change).mean(dim=1)[:, None, None, None]))
            before.append(frames[-1] if feed == "own" else clip.driving[:, :, t])
        torch.testing.assert_close(made.video, torch.stack(frames, dim=2), atol=1e-6, rtol=0)
        past = made.video if feed == "own" else clip.driving
        assert torch.equal(made.content.past, past[:, :, :-1])
        assert made.motion.length == made.encoded.length == 4 and made.motion.trajectory[:, 0].abs().max() == 0
        assert torch.equal(made.base[:, :, 1:], made.content.past)


def test_a_generator_that_reads_its_own_frames_needs_no_driving_video():
    model = generator("Differences")
    assert model.feeds_back and model.has_prior and model.supports_chunks and not model.is_random("prior")
    video = model(clip_of(4), {"a": Pass(motion="prior")})["a"].video
    other = replace(clip_of(4), driving=torch.cat([clip_of(4).driving[:, :, :1], torch.zeros(2, 3, 3, SIZE, SIZE)], 2))
    assert torch.equal(video, model(other, {"a": Pass(motion="prior")})["a"].video)


def test_a_posterior_and_its_prior_are_of_the_right_frames():
    model, clip = generator("learned"), clip_of(5)
    made = model(clip, {"a": Pass(feed="truth")}, GenerationState(seeds=[1, 2]))["a"]
    codes, encoder = clip.driving.mean(dim=(3, 4)).transpose(1, 2), model.motion_encoder
    torch.testing.assert_close(made.encoded.mean, encoder.mean(codes))
    torch.testing.assert_close(made.encoded.prior_mean[:, 1:], encoder.expected(codes[:, :-1]))
    assert made.encoded.prior_mean[:, 0].abs().max() == 0  # of the frame that was given
    # Without a driving video, each code is drawn around the prior.
    drawn = model(clip, {"a": Pass(motion="prior")}, GenerationState(seeds=[1, 2]))["a"]
    past = drawn.video[:, :, :-1].mean(dim=(3, 4)).transpose(1, 2)
    torch.testing.assert_close(drawn.encoded.prior_mean[:, 1:], encoder.expected(past))
    noise = (drawn.encoded.code - drawn.encoded.prior_mean)[:, 1:] / torch.tensor(-0.5).exp()
    expected = GenerationState(seeds=[1, 2]).normal_per_frame(model, "prior", 4, (2,), like=clip.driving)
    torch.testing.assert_close(noise, expected)


def test_all_frames_are_encoded_in_one_run_where_true_frames_are_fed():
    model, seen = generator("learned"), []
    model.content_encoder.register_forward_hook(lambda part, inputs, output: seen.append(len(inputs[0])))
    model(clip_of(5), {"a": Pass(feed="truth"), "b": Pass(feed="truth")})
    assert seen == [10]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (dict(refiner=dict(type="VolumeRefiner", widths=(4, 8), window=8)), "VolumeRefiner refines whole clips"),
        (dict(skips_from="past"), "Blender gets none: set skips_from"),
        (dict(skips_from="future"), "skips_from is one of 'image', 'past', not 'future'"),
        (
            dict(
                motion_encoder=dict(type="Colours"),
                decoder=dict(type="FrameDecoder", widths=(4, 4)),
                content_encoder=dict(type="Pictured"),
                skips_from="past",
            ),
            "no part of this generator reads frames before",
        ),
        (
            dict(content_encoder=dict(type="Pictured"), skips_from="past", passes=dict(a=Pass(feed="truth"))),
            "pass 'a' makes all steps at once from the true frames, and a pyramid is one image's",
        ),
    ],
)
def test_rollouts_that_make_no_sense(own, message):
    with pytest.raises(ConfigError, match=message):
        generator("Differences", **own)


def test_true_frames_of_another_image_make_no_sense():
    with pytest.raises(ConfigError, match='feed="truth" makes each frame from the one before in the driving clip'):
        Pass(content="image", feed="truth")
    with pytest.raises(ConfigError, match="a pass has feed in"):
        Pass(feed="half")


def test_a_part_that_reads_the_past_says_so_and_streams():
    with pytest.raises(ConfigError, match=r"Forgetful reads content.past, the frames before: set reads_past=True"):

        class Forgetful(Decoder):
            requires = ("content.past",)
            supports_chunks = True

    with pytest.raises(
        ConfigError, match=r"Whole has reads_past=True, so it is called step by step.*supports_chunks=True"
    ):

        class Whole(Decoder):
            reads_past = True

    with pytest.raises(ConfigError, match="Still has reads_past=True, and a part of this kind gets single images"):

        class Still(ContentEncoder):
            reads_past = supports_chunks = True

    with pytest.raises(ConfigError, match="Blind has a prior of its own and reads no content"):

        class Blind(MotionEncoder):
            def prior(self, content, state):
                return None


# In a model: losses, discriminators, test mode.


def model_of(encoder: str, feed: str = "own", motion: str = "driving", **changes):
    size = dict(image_size=narrow.SIZE, labels=[], map_channels=0)
    losses = dict(frame_l1=dict(type=FrameL1Loss)) | changes.pop("losses", {})
    phases = dict(generator=dict(updates=["generator"], losses=losses))
    passes = dict(reconstruct=dict(feed=feed, motion=motion))
    own = settings(encoder, **changes)
    return narrow.build(generator=own, discriminators={}, phases=phases, passes=passes, frozen=[], **size)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("feed", ["own", "truth"])
def test_a_rollout_trains_and_leaves_the_given_frame_out(kind, feed):
    model = model_of(kind, feed)
    data = narrow.batch()
    torch.manual_seed(1)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    log = model.train_step(data, narrow.optimizers(model))
    assert any(not torch.equal(before[name], weight) for name, weight in model.named_parameters())
    clip = model.data_preprocessor(data, training=True)["clip"]
    model = model_of(kind, feed)
    torch.manual_seed(1)
    video = model.generator(clip, model.passes)["reconstruct"].video
    error = (video - clip.driving).abs().mean(dim=(1, 3, 4))  # (B, T), with a frame that is given and without padding
    wanted = torch.cat([error[0, 1:6], error[1, 1:4]]).mean()
    assert log["frame_l1"].item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["Differences", "learned"])
def test_a_test_makes_clips_of_any_length_in_chunks(kind):
    model = model_of(kind).eval()
    model.chunk = 4
    chunked = model.test_step(narrow.batch(lengths=(6, 4), motion="prior"))
    model.chunk = 32
    whole = model.test_step(narrow.batch(lengths=(6, 4), motion="prior"))
    assert [sample.generated.shape[1] for sample in chunked] == [6, 4]
    for one, other in zip(chunked, whole, strict=True):
        assert (one.generated.int() - other.generated.int()).abs().max() <= 1
        assert torch.equal(one.generated[:, 0], one.image)


@pytest.mark.parametrize("kind", ["Differences", "learned", "Colours"])
def test_the_inferencer_makes_a_rollout_in_chunks(kind, tmp_path):
    model = model_of(kind)
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 1}}, tmp_path / "model.pth")
    passes, losses = dict(reconstruct=dict()), dict(frame_l1=dict(type=FrameL1Loss))
    changes = dict(discriminators={}, labels=[], map_channels=0, frozen=[], passes=passes)
    phases = dict(generator=dict(updates=["generator"], losses=losses))
    config = Config(dict(model=narrow.gan_config(generator=settings(kind), phases=phases, **changes)))
    animate = I2VInferencer(config, tmp_path / "model.pth", device="cpu")
    image = np.random.default_rng(0).integers(0, 256, (narrow.SIZE, narrow.SIZE, 3), dtype=np.uint8)
    driving = np.random.default_rng(1).integers(0, 256, (7, narrow.SIZE, narrow.SIZE, 3), dtype=np.uint8)
    wanted = [dict(driving=driving)] if kind == "Colours" else [dict(driving=driving), dict(frames=7)]
    for own in wanted:
        whole = animate(image, chunk=100, **own).frames
        assert whole.shape == (7, narrow.SIZE, narrow.SIZE, 3)
        np.testing.assert_array_equal(whole[0], image)
        assert np.ptp(whole.astype(int), axis=0).max() > 2  # it moves
        for chunk in (1, 3):
            assert np.abs(animate(image, chunk=chunk, **own).frames.astype(int) - whole).max() <= 1


def test_losses_that_a_rollout_makes_pointless_are_refused():
    with pytest.raises(ConfigError, match="begins every video with the image itself"):
        model_of("Colours", losses=dict(first=dict(type=FirstFrameL1Loss)))
    with pytest.raises(ConfigError, match=r"Blender makes each frame from the one before: set model.decoded_frames"):
        narrow.build(
            generator=settings("Colours"), discriminators={}, labels=[], map_channels=0, frozen=[], decoded_frames=2,
            phases=dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss)))),
        )  # fmt: skip
    with pytest.raises(ConfigError, match="Differences encodes the frames before each step"):
        generator("Differences").check_encodes_video()
    with pytest.raises(ConfigError, match="Differences encodes the frames before each step"):
        narrow.build(
            generator=settings("Differences"), labels=[], map_channels=0, frozen=[],
            discriminators=dict(dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics")),
            phases=dict(
                discriminators=dict(
                    updates=["discriminators.dynamics"],
                    losses=dict(dynamics=dict(type=DiscriminatorLoss, discriminator="dynamics")),
                ),
            ),
        )  # fmt: skip


@pytest.mark.parametrize("num_frames", [None, torch.tensor([5, 3])])
def test_views_of_frames_leave_given_frames_out(num_frames):
    video = torch.arange(5.0).view(1, 1, 5, 1, 1).expand(2, 3, 5, 1, 1)
    conditioned = ConditionedVideo(video, num_frames, lambda: None, video[:, :, 0], given=1)
    every = AllFrames()
    index = every.sample_indices(conditioned)
    seen = every.extract(conditioned, index)[:, 0, 0, 0].tolist()
    assert seen == ([1.0, 2.0, 3.0, 4.0] * 2 if num_frames is None else [1.0, 2.0, 3.0, 4.0, 1.0, 2.0])
    assert every.clip_index(conditioned, index).tolist() == (
        [0] * 4 + [1] * 4 if num_frames is None else [0] * 4 + [1] * 2
    )
    drawn = torch.cat([RandomFrames(5).sample_indices(conditioned) for _ in range(40)], dim=1)  # (2, 200)
    assert drawn[0].unique().tolist() == [1, 2, 3, 4]
    assert drawn[1].unique().tolist() == ([1, 2, 3, 4] if num_frames is None else [1, 2])


# Parts that keep state keep it with gradients too.


def test_recurrent_motion_encoders_keep_their_state_with_gradients():
    encoder = narrow.build().generator.motion_encoder.eval().requires_grad_(True)
    clip = VideoBatch(narrow.build().data_preprocessor(narrow.batch(lengths=(6,)))["clip"].driving)
    assert torch.is_grad_enabled()
    _same_in_chunks(encoder, 6, lambda start, stop, state: encoder(clip.slice_frames(start, stop), state).trajectory)


@pytest.mark.parametrize("name", ["LstmUnroll", "NoiseGru", "LabelFusion"])
def test_motion_generators_keep_their_state_with_gradients(name):
    config = dict(narrow.NARROW[name])
    part = config.pop("type")(motion=Spec(code=4, condition=2), **config).eval()
    motion = Motion(6, code=torch.randn(2, 4), condition=torch.eye(2))

    def run(start, stop, state):
        state.set_batch(motion.code)
        made = part(replace(motion, length=stop - start), state)
        # A code is one a clip: each chunk has the same.
        return made.trajectory if made.trajectory is not None else made.code[:, None].expand(-1, stop - start, -1)

    _same_in_chunks(part, 6, run)


@pytest.mark.parametrize("name", ["UNetDecoder", "FrameDecoder", "DenseDecoder"])
def test_decoders_that_stream_decode_a_step_at_a_time_with_gradients(name):
    config = dict(narrow.NARROW[name])
    content, spec = Spec(code=6, pyramid=(FeatureSpec(4, 2), FeatureSpec(8, 4))), Spec(trajectory=5)
    known = dict(image_size=narrow.SIZE, content=content, motion=spec, out_channels=3)
    kind = config.pop("type")
    part = kind(**{key: value for key, value in known.items() if key in _arguments(kind)}, **config).eval()
    picture = Content(torch.rand(2, 3, 32, 32), (torch.rand(2, 4, 16, 16), torch.rand(2, 8, 8, 8)), torch.rand(2, 6))
    motion = Motion(6, trajectory=torch.randn(2, 6, 5))

    def run(start, stop, state):
        return part(picture, motion.slice_frames(start, stop), state)[0].transpose(1, 2)

    _same_in_chunks(part, 6, run)


def _arguments(kind) -> set[str]:
    from i2vkit.registry import arguments_of

    return set(arguments_of(kind))


def _same_in_chunks(part: nn.Module, length: int, run) -> None:
    """What ``run(start, stop, state)`` gives in steps of one is what it gives at once, and so are the gradients."""
    whole = run(0, length, GenerationState(seeds=[1, 2]))
    state = GenerationState(seeds=[1, 2])
    steps = torch.cat([run(t, t + 1, state) for t in range(length)], dim=1)
    torch.testing.assert_close(steps, whole, atol=1e-5, rtol=1e-4)
    weights = list(part.parameters())
    if not weights:
        return
    found, wanted = (torch.autograd.grad(x[:, -1].square().sum(), weights, allow_unused=True) for x in (steps, whole))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_motions_are_cut_padded_and_joined():
    motion = Motion(
        4,
        code=torch.randn(2, 3),
        trajectory=torch.randn(2, 4, 5),
        flow=torch.randn(2, 2, 4, 3, 3),
        points=dict(driving=Points(torch.randn(2, 4, 6, 2)), reference=Points(torch.randn(2, 6, 2))),
        maps=dict(driving=(torch.randn(2, 3, 4, 8, 8),), reference=(torch.randn(2, 3, 8, 8),)),
        num_frames=torch.tensor([4, 2]),
    )
    first, rest = motion.slice_frames(0, 1), motion.slice_frames(1, 4)
    assert rest.num_frames.tolist() == [3, 1] and rest.length == 3 and rest.code is motion.code
    assert rest.points["reference"] is motion.points["reference"]
    again = Motion.joined([first, rest])
    assert again.length == 4 and again.num_frames.tolist() == [4, 2]
    for one, other in (
        (again.trajectory, motion.trajectory),
        (again.flow, motion.flow),
        (again.points["driving"].place, motion.points["driving"].place),
        (again.maps["driving"][0], motion.maps["driving"][0]),
    ):
        assert torch.equal(one, other)
    padded = rest.padded(1)
    assert padded.length == 4 and torch.equal(padded.trajectory[:, 1:], rest.trajectory)
    assert padded.trajectory[:, 0].abs().max() == 0
    taken = motion.select_frames(torch.tensor([[0, 2], [1, 3]]))
    assert torch.equal(taken.points["driving"].place[1], motion.points["driving"].place[1, [1, 3]])
    assert torch.equal(taken.flow[0], motion.flow[0][:, [0, 2]])
