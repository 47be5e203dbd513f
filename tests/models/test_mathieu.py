"""Mathieu et al.: sizes of the paper, four scales against a slow form, patches, histories and losses at each scale."""

import narrow
import pytest
import torch
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models import Discriminator, Generator
from i2vkit.models.decoders import MultiScaleDecoder
from i2vkit.models.discriminators import (
    AllFrames,
    AtScale,
    ConditionedVideo,
    ConvPerceptron,
    Patch,
    RandomFrames,
    WholeClip,
)
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    FrameL2Loss,
    GradientDifferenceLoss,
    NonSaturatingLoss,
)
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Spec, VideoBatch

DECODER = dict(
    type=MultiScaleDecoder, history=3, scales=(4, 2, 1), kernels=((3, 3), (3, 5), (5, 3)), widths=((6,), (6,), (8,)),
)  # fmt: skip


def generator(head: str = "DirectHead", size: int = 16) -> Generator:
    torch.manual_seed(0)
    return Generator(image_size=size, decoder=DECODER, head=dict(type=head)).eval()


def video(length: int = 6, size: int = 16) -> torch.Tensor:
    small = torch.rand(2, 3, length, 4, 4, generator=torch.Generator().manual_seed(3)) * 2 - 1
    return functional.interpolate(small, (length, size, size), mode="trilinear", align_corners=True)


def numbers(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_sizes_are_those_of_the_paper():
    whole = Generator(image_size=64, decoder=dict(type=MultiScaleDecoder), head=dict(type="DirectHead"))
    assert [numbers(part) for part in whole.decoder.networks] == [607_619, 647_939, 3_008_003, 8_306_179]
    assert numbers(whole) == 12_569_740
    settings = [
        dict(image_size=4, widths=(64,), kernels=(3,), hidden=(512, 256)),
        dict(image_size=8, widths=(64, 128, 128), kernels=(3, 3, 3)),
        dict(image_size=16, widths=(128, 256, 256), kernels=(5, 5, 5)),
        dict(image_size=32, widths=(128, 256, 512, 128), kernels=(7, 7, 5, 5), pooled=True),
    ]
    total = sum(numbers(ConvPerceptron(3, map_channels=12, **own)) for own in settings)
    assert total == 20_640_388  # 20.6 million


def slow_step(model: Generator, history: list[torch.Tensor]) -> list[torch.Tensor]:
    """The pictures of all scales, coarse to fine, of the frame behind ``history``."""
    made: list[torch.Tensor] = []
    for scale, network in zip((4, 2, 1), model.decoder.networks, strict=True):
        seen = torch.cat([functional.avg_pool2d(frame, scale) for frame in history], dim=1)
        if not made:
            made.append(torch.tanh(network(seen)))
            continue
        up = made[-1].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        made.append(torch.tanh(up + network(torch.cat([seen, up], dim=1))))
    return made


@pytest.mark.parametrize("feed", ["own", "truth"])
def test_every_scale_refines_the_one_before(feed):
    model, given = generator(), VideoBatch(video())
    made = model(given, {"one": Pass(motion="prior", feed=feed)})["one"]
    frames = [given.driving[:, :, 0]]  # those that are fed
    for t in range(1, 6):
        history = [frames[max(0, t - k)] for k in (3, 2, 1)]  # the image, where the history begins before it
        expected = slow_step(model, history)
        torch.testing.assert_close(made.video[:, :, t], expected[2], rtol=1e-4, atol=1e-5)
        for level, wanted in zip(made.scales, (expected[1], expected[0]), strict=True):
            torch.testing.assert_close(level[:, :, t], wanted, rtol=1e-4, atol=1e-5)
        frames.append(made.video[:, :, t] if feed == "own" else given.driving[:, :, t])
    # The given frame at every scale is the image, averaged.
    torch.testing.assert_close(made.scales[1][:, :, 0], functional.avg_pool2d(given.driving[:, :, 0], 4))


def test_a_head_with_a_base_gets_the_coarser_picture():
    model, given = generator("ResidualHead"), VideoBatch(video())
    made = model(given, {"one": Pass(motion="prior")})["one"]
    up = made.scales[0].repeat_interleave(2, dim=3).repeat_interleave(2, dim=4)
    torch.testing.assert_close(made.base[:, :, 1:], up[:, :, 1:])
    assert made.mask.shape == (2, 1, 6, 16, 16)


def test_chunks_make_the_whole_with_gradients():
    model, given, entry = generator(), VideoBatch(video(7)), Pass(motion="prior")
    parameters = list(model.parameters())

    def gradients(pieces):
        state, content, videos = GenerationState(seeds=[0, 1]), model.encode_content(given), []
        for start, stop in pieces:
            piece = given.slice_frames(start, stop)
            motion = model.motion_of(piece, entry, state, content)
            videos.append(model.make(content, motion, piece, state, entry).video)
        whole = torch.cat(videos, dim=2)
        return whole, torch.autograd.grad(whole.square().sum(), parameters)

    (whole, expected), (chunked, found) = gradients([(0, 7)]), gradients([(0, 1), (1, 3), (3, 7)])
    torch.testing.assert_close(chunked, whole)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_patches_are_the_same_of_video_and_maps():
    frames = video(5)
    clips = ConditionedVideo(frames, None, motion=None, image=frames[:, :, 0])
    for inner in (RandomFrames, AllFrames, WholeClip):
        view = Patch(size=5, view=dict(type=inner))
        index = view.sample_indices(clips)
        found = view.extract(clips, index)
        whole = view.view.extract(clips, index.of_view)
        for n in range(len(found)):
            row, column = int(index.rows[n]), int(index.columns[n])
            assert torch.equal(found[n], whole[n][..., row : row + 5, column : column + 5])
        torch.testing.assert_close(view.gather(-frames, index), -found)
        assert found.shape[-2:] == (5, 5) and view.side(16) == 5
    assert len({(int(r), int(c)) for _ in range(20) for r, c in [(index.rows[0], index.columns[0])]}) == 1
    drawn = {int(Patch(size=5, view=dict(type=WholeClip)).sample_indices(clips).rows[0]) for _ in range(200)}
    assert drawn == set(range(12))


def test_a_coarse_view_shows_the_generators_own_pictures_or_averages():
    frames = video(4)
    own = torch.randn(2, 3, 4, 8, 8)
    clips = ConditionedVideo(frames, None, motion=None, image=frames[:, :, 0])
    view = AtScale(scale=2, view=dict(type=WholeClip))
    torch.testing.assert_close(view.extract(clips, None), functional.avg_pool3d(frames, (1, 2, 2)))
    generated = ConditionedVideo(frames, None, motion=None, image=frames[:, :, 0], scales=(own,))
    assert torch.equal(view.extract(generated, None), own)
    assert view.side(16) == 8
    assert torch.equal(AtScale(scale=1, view=dict(type=WholeClip)).extract(clips, None), frames)


def discriminator(history: int = 3, scale: int = 1, view=AllFrames) -> dict:
    return dict(
        network=dict(type=ConvPerceptron, widths=(4,), kernels=(3,), hidden=(5,)),
        view=dict(type=AtScale, scale=scale, view=dict(type=Patch, size=8 // scale, view=dict(type=view))),
        condition="past",
        history=history,
        adversarial=dict(type=NonSaturatingLoss),
    )


def test_the_condition_past_is_the_frames_before():
    frames = video(5)
    view = dict(type=AtScale, scale=1, view=dict(type=WholeClip))
    network = dict(type="VideoDiscriminator", widths=(4,), last_length=1)
    own = dict(network=network, view=view, adversarial=dict(type=NonSaturatingLoss), image_size=16, motion=Spec())
    judge = Discriminator(condition="past", history=3, **own)
    shown = judge.prepare_input(ConditionedVideo(frames, None, None, frames[:, :, 0]), judge.view, None)
    assert shown.maps.shape == (2, 9, 5, 16, 16)
    for t in range(5):
        for k in range(3):  # the oldest first
            wanted = frames[:, :, max(0, t - 3 + k)]
            assert torch.equal(shown.maps[:, 3 * k : 3 * k + 3, t], wanted)
    fed = -frames
    other = judge.prepare_input(ConditionedVideo(frames, None, None, frames[:, :, 0], before=fed), judge.view, None)
    assert torch.equal(other.maps[:, 6:], fed) and torch.equal(other.maps[:, 3:6, 1:], fed[:, :, :-1])


def model_of(feed: str = "truth", **losses):
    scales = (4, 2, 1)
    phases = dict(
        discriminators=dict(
            updates=[f"discriminators.scale{s}" for s in scales],
            losses={f"d{s}": dict(type=DiscriminatorLoss, discriminator=f"scale{s}") for s in scales},
        ),
        generator=dict(
            updates=["generator"],
            losses=losses | {f"g{s}": dict(type=AdversarialLoss, discriminator=f"scale{s}") for s in scales},
        ),
    )
    return narrow.build(
        generator=dict(motion_encoder=None, decoder=DECODER), labels=[], frozen=[],
        discriminators={f"scale{s}": discriminator(scale=s, view=RandomFrames) for s in scales[1:]}
        | {"scale4": dict(network=dict(type=ConvPerceptron, widths=(4,), kernels=(3,), hidden=(5,)),
                          view=dict(type=AtScale, scale=4, view=dict(type=RandomFrames)),
                          condition="past", adversarial=dict(type=NonSaturatingLoss))},
        passes=dict(reconstruct=dict(motion="prior", feed=feed)), phases=phases,
    )  # fmt: skip


@pytest.mark.parametrize("feed", ["truth", "own"])
def test_a_step_with_discriminators_at_each_scale(feed):
    l2 = dict(type=FrameL2Loss, every_scale=True)
    model = model_of(feed, l2=l2, gdl=dict(type=GradientDifferenceLoss, every_scale=True))
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    data = narrow.batch(lengths=(5, 3))
    clip = model.data_preprocessor(data, training=True)["clip"]
    made = model.generator(clip, model.passes)["reconstruct"]
    log = model.train_step(data, narrow.optimizers(model))
    assert [name for name, weight in model.named_parameters() if torch.equal(weight, before[name])] == []
    terms = []
    for level in (made.video, *made.scales):
        factor = 32 // level.shape[-1]
        real = functional.avg_pool3d(clip.driving, (1, factor, factor))
        error = (level - real).square().mean(dim=(1, 3, 4))
        terms.append(torch.cat([error[0, 1:5], error[1, 1:3]]).mean())
    assert log["l2"].item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-4)


def test_fed_frames_stand_beside_real_and_generated_ones():
    """With true frames fed both see the same history; with own frames each sees its own."""
    from i2vkit.models.training.context import GanContext

    data = narrow.batch(lengths=(5, 5))
    for feed, same in (("truth", True), ("own", False)):
        model = model_of(feed)
        clip = model.data_preprocessor(data, training=True)["clip"]
        context = GanContext(model, clip, 0, ("reconstruct",), with_gradients=False)
        real, fake = context.real("reconstruct"), context.fake("reconstruct")
        shown = [model.discriminators["scale4"].prepare_input(each, WholeClip(), None).maps for each in (real, fake)]
        assert torch.equal(*shown) == same
        assert torch.equal(shown[0][:, -3:, 1:], clip.driving[:, :, :-1])


@pytest.mark.parametrize("feed", ["truth", "own"])
def test_a_wrong_past_is_that_of_another_clip(feed):
    """The loss: real 1, generated 1/4, real frames behind the history of the other clip 3/4."""
    from i2vkit.models.training.context import GanContext

    model = model_of(feed)
    clip = model.data_preprocessor(narrow.batch(lengths=(5, 3)), training=True)["clip"]
    context = GanContext(model, clip, 0, ("reconstruct",), with_gradients=False)
    judge, index = model.discriminators["scale4"], torch.tensor([[4, 1], [1, 2]])
    judge.view.sample_indices = lambda conditioned: index
    with torch.no_grad():  # initial weights are small, and so is all they do
        for weight in judge.network.parameters():
            weight.normal_(std=0.2, generator=torch.Generator().manual_seed(1))
    generated = context.generated("reconstruct")
    small, fed = (functional.avg_pool3d(video, (1, 4, 4)) for video in (clip.driving, generated.video))
    fed = small if feed == "truth" else fed
    made = next(level for level in generated.scales if level.shape[-1] == 8)

    def seen(video, history, last):
        """Logits of frames ``index`` of ``video`` behind the last four frames before each in ``history``."""
        scores = []
        for b in range(2):
            for t in index[b].tolist():
                # Frames t - 4 to t - 1. Before the first stands the first, behind the last one's past that stays.
                times = [max(0, min(t - k, last[b] - 1)) for k in (4, 3, 2, 1)]
                before = torch.cat([history[b, :, time] for time in times])
                scores.append(judge.network(video[b : b + 1, :, t], maps=before[None]))
        return torch.cat(scores)

    softplus = functional.softplus
    expected = softplus(-seen(small, small, (4, 4))).mean() + 0.25 * softplus(seen(made, fed, (4, 4))).mean()
    expected = expected + 0.75 * softplus(seen(small, small.roll(1, dims=0), (2, 4))).mean()
    found = DiscriminatorLoss("scale4", wrong_past=0.75)(context)
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    assert DiscriminatorLoss("scale4")(context).item() != pytest.approx(found.item(), rel=1e-3)


def test_a_wrong_past_needs_another_clip_and_a_discriminator_that_reads_the_past():
    from i2vkit.models.training.context import GanContext

    model = model_of()
    clip = model.data_preprocessor(narrow.batch(lengths=(5,)), training=True)["clip"]
    context = GanContext(model, clip, 0, ("reconstruct",), with_gradients=False)
    with pytest.raises(ConfigError, match="the batch has one clip: set batch_size=2 or more, or wrong_past=0"):
        DiscriminatorLoss("scale4", wrong_past=0.5)(context)
    with pytest.raises(ConfigError, match=r"shows wrong pasts, but discriminator 'frame' reads none.*set wrong_past=0"):
        DiscriminatorLoss("frame", wrong_past=0.5).check(narrow.build())
    with pytest.raises(ConfigError, match=r"wrong_image=0.6 and wrong_past=0.5 must not be negative, nor sum"):
        DiscriminatorLoss("scale4", wrong_image=0.6, wrong_past=0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Generator(image_size=16, decoder=DECODER | dict(scales=(4, 2)), head=dict(type="DirectHead")),
         "scales that end at 1"),
        (lambda: Generator(image_size=18, decoder=DECODER, head=dict(type="DirectHead")), "divide 18 pixels"),
        (lambda: Generator(image_size=16, decoder=DECODER | dict(widths=((6,), (6,))), head=dict(type="DirectHead")),
         "one kernel more than widths"),
        (lambda: ConvPerceptron(3, 4, widths=(4, 4), kernels=(3, 3)), "leave 0 pixels of 4"),
        (lambda: Patch(size=20, view=dict(type=AllFrames)).side(16), "of pictures of 16 pixels"),
        (lambda: Patch(size=2, view=dict(type="LastDynamics")), "shows vectors"),
        (lambda: narrow.build(phases=dict(generator=dict(updates=["generator"], losses=dict(
            l2=dict(type=FrameL2Loss, every_scale=True))))), "UNetDecoder makes videos of one scale"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
