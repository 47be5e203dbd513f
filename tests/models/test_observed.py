"""Several observed frames: passes that train with them, tests that continue them, the protocol of the literature."""

import sys
from pathlib import Path

import narrow
import pytest
import torch

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols import Continuation, SampleList, write_samples
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import FrameL2Loss
from i2vkit.models.training.passes import Pass
from i2vkit.structures import VideoBatch

sys.path.append(str(Path(__file__).parent))
import test_mathieu
import test_mcnet
import test_svg

MODELS = {
    "mcnet": lambda: test_mcnet.generator(),
    "svg": lambda: test_svg.generator(),
    "svg_fixed": lambda: test_svg.generator("fixed"),
    "mathieu": lambda: test_mathieu.generator(),
}
OBSERVED = Pass(motion="prior", observed=3)


@pytest.mark.parametrize("name", MODELS)
def test_observed_frames_are_given_and_the_rest_is_made(name):
    model, clip = MODELS[name](), VideoBatch(test_mcnet.video(6))
    made = model(clip, {"one": OBSERVED}, GenerationState(seeds=[0, 1]))["one"]
    assert made.given == 3 and made.video.shape == clip.driving.shape
    assert torch.equal(made.video[:, :, :3], clip.driving[:, :, :3])
    assert (made.video[:, :, 3:] - clip.driving[:, :, 3:]).abs().amax(dim=(0, 1, 3, 4)).min() > 1e-2
    # Every observed frame matters, and none behind them does.
    for t in range(6):
        other = clip.driving.clone()
        other[:, :, t] = -other[:, :, t]
        changed = model(VideoBatch(other), {"one": OBSERVED}, GenerationState(seeds=[0, 1]))["one"]
        same = torch.equal(changed.video[:, :, 3:], made.video[:, :, 3:])
        assert same == (t >= 3), t


@pytest.mark.parametrize("name", MODELS)
def test_one_observed_frame_is_a_plain_rollout(name):
    model, clip = MODELS[name](), VideoBatch(test_mcnet.video(4))
    one, plain = (
        model(clip, {"one": entry}, GenerationState(seeds=[0, 1]))["one"].video
        for entry in (Pass(motion="prior", observed=1), Pass(motion="prior"))
    )
    assert torch.equal(one, plain)


@pytest.mark.parametrize("name", MODELS)
def test_chunks_make_the_whole(name):
    model, clip = MODELS[name](), VideoBatch(test_mcnet.video(7))

    def made(pieces):
        state = GenerationState(seeds=[0, 1])
        content = model.encode_content(clip, frame=2)
        videos = []
        for start, stop in pieces:
            piece = clip.slice_frames(start, stop)
            videos.append(model.make(content, model.motion_of(piece, OBSERVED, state, content), piece, state, OBSERVED))
        assert [each.given for each in videos] == [3] + [0] * (len(pieces) - 1)
        return torch.cat([each.video for each in videos], dim=2)

    torch.testing.assert_close(made([(0, 3), (3, 4), (4, 7)]), made([(0, 7)]), rtol=1e-4, atol=1e-5)


def test_the_posterior_reads_observed_frames_and_the_prior_the_rest():
    """SVG's loop at test: codes of observed frames from the posterior, those behind from the prior."""
    model, clip = test_svg.generator(), VideoBatch(test_mcnet.video(5))
    made = model(clip, {"one": OBSERVED}, GenerationState(seeds=[0, 1]))["one"]
    slow = test_svg.Slow(model)
    frames = [clip.driving[:, :, t] for t in range(3)]
    skips = slow.encode(frames[2]).pyramid
    noise = GenerationState(seeds=[0, 1])
    of_posterior = noise.normal_per_frame(model.motion_encoder, "code", 3, (3,), like=clip.driving)
    of_prior = noise.normal_per_frame(model, "prior", 2, (3,), like=clip.driving)
    for t in range(1, 5):
        before = slow.encode(frames[t - 1]).code
        state = slow.prior(before)
        mean, log_variance = slow.prior_heads.to_mean(state), slow.prior_heads.to_log_variance(state)
        if t < 3:
            state = slow.posterior(slow.encode(frames[t]).code)
            mean, log_variance = slow.posterior_heads.to_mean(state), slow.posterior_heads.to_log_variance(state)
        drawn = of_posterior[:, t] if t < 3 else of_prior[:, t - 3]
        predicted = slow.step(before, mean + (0.5 * log_variance).exp() * drawn)
        if t >= 3:
            frames.append(slow.decode(predicted, skips))
            torch.testing.assert_close(made.video[:, :, t], frames[t], rtol=1e-4, atol=1e-5)


def test_teacher_forcing_takes_the_pyramid_of_the_last_observed_frame():
    model, clip = test_svg.generator(), VideoBatch(test_mcnet.video(4))
    made = model(clip, {"one": Pass(feed="truth", observed=2)}, GenerationState(seeds=[0, 1]))["one"]
    assert made.given == 1 and torch.equal(made.video[:, :, 0], clip.driving[:, :, 0])
    slow = test_svg.Slow(model)
    skips = slow.encode(clip.driving[:, :, 1]).pyramid
    predicted = slow.step(slow.encode(clip.driving[:, :, 0]).code, made.encoded.code[:, 1])
    torch.testing.assert_close(made.video[:, :, 1], slow.decode(predicted, skips), rtol=1e-4, atol=1e-5)


def model_of(observed: int = 3):
    phases = dict(generator=dict(updates=["generator"], losses=dict(l2=dict(type=FrameL2Loss))))
    passes = dict(reconstruct=dict(motion="prior", observed=observed))
    own = dict(generator=test_mcnet.OWN | dict(skips_from="past"), discriminators={}, frozen=[], labels=[])
    return narrow.build(phases=phases, passes=passes, **own)


def test_a_loss_counts_the_frames_behind_the_observed_ones():
    model, data = model_of(), narrow.batch(lengths=(6, 5))
    clip = model.data_preprocessor(data, training=True)["clip"]
    made = model.generator(clip, model.passes)["reconstruct"].video
    log = model.train_step(data, narrow.optimizers(model))
    error = (made - clip.driving).square().mean(dim=(1, 3, 4))
    assert log["l2"].item() == pytest.approx(torch.cat([error[0, 3:], error[1, 3:5]]).mean().item(), rel=1e-4)


def test_a_test_begins_at_the_last_observed_frame():
    model, data = model_of().eval(), narrow.batch(lengths=(6, 6), motion="prior", observed=3)
    truth = [video.clone() for video in data["inputs"]["driving"]]
    for sample, video in zip(data["data_samples"], truth, strict=True):
        sample.truth = video
    for sample, video in zip(model.test_step(data), truth, strict=True):
        assert sample.generated.shape[1] == sample.truth.shape[1] == 4
        assert torch.equal(sample.generated[:, 0], video[:, 2]) and torch.equal(sample.image, video[:, 2])
        assert torch.equal(sample.truth, video[:, 2:])
        assert not torch.equal(sample.generated[:, 1], video[:, 3])


def index(*lengths: int) -> ClipIndex:
    return ClipIndex([ClipRecord(f"c{i}", None, "p", "l", n) for i, n in enumerate(lengths)], labels=["l"])


def test_the_protocol_continues_long_clips(tmp_path):
    pairs = Continuation(observed=2, length=5, num_samples=3, seed=7).pairs(index(6, 4, 5))
    assert [pair.driving.name for pair in pairs] == ["c0"] * 3 + ["c2"] * 3
    assert {(pair.motion, pair.observed, pair.span, pair.driving.num_frames) for pair in pairs} == {
        ("prior", 2, (0, 5), 5)
    }
    assert [pair.seed for pair in pairs] == list(range(7, 13))
    write_samples(pairs, tmp_path / "samples.json")
    again = SampleList(tmp_path / "samples.json").pairs(index(6, 4, 5))
    assert [(pair.observed, pair.span, pair.seed) for pair in again] == [(2, (0, 5), seed) for seed in range(7, 13)]
    with pytest.raises(DataError, match="no clip has the 9 frames"):
        Continuation(observed=2, length=9).pairs(index(6))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pass(observed=0), "observed=0"),
        (lambda: Pass(content="image", observed=2), 'content="driving"'),
        (lambda: Continuation(observed=5, length=5), "a length above observed"),
        (lambda: narrow.build(passes=dict(reconstruct=dict(observed=2))), "no part of this generator reads the frames"),
        (lambda: next(model_of().generate_chunks([VideoBatch(torch.zeros(1, 3, 2, 32, 32))], [0], motion="prior",
                                                 observed=3)), "3 observed frames were asked for"),
        (lambda: next(narrow.build().generate_chunks([VideoBatch(torch.zeros(1, 3, 4, 32, 32))], [0], observed=2)),
         "no part of this generator reads the frames"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
