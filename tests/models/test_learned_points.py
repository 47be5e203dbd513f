"""Learned points, the flow that follows from them, and the decoder that warps: sizes, values, chunks and transfer."""

from dataclasses import replace

import narrow
import pytest
import torch
from torch import nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models import Generator
from i2vkit.models.decoders import WarpedPyramidDecoder
from i2vkit.models.discriminators import PooledFrameDiscriminator
from i2vkit.models.encoders import KeypointEncoder, StageEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.layers import points as layers
from i2vkit.models.layers.hourglass import Hourglass
from i2vkit.models.motion_generators import DenseFlow
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Content, FeatureSpec, Motion, Points, Spec, VideoBatch

MONKEY_NET = dict(
    content_encoder=dict(type=StageEncoder),
    motion_encoder=dict(type=KeypointEncoder),
    motion_generator=dict(type=DenseFlow),
    decoder=dict(type=WarpedPyramidDecoder),
    head=dict(type="DirectHead"),
)
PARTS = {
    slot: narrow.NARROW[part["type"] if isinstance(part["type"], str) else part["type"].__name__]
    for slot, part in MONKEY_NET.items()
}


def size(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def test_the_sizes_are_those_of_the_released_code():
    with torch.device("meta"):
        parts = dict(image_size=64)
        encoder, stages = KeypointEncoder(**parts), StageEncoder(**parts)
        flow = DenseFlow(motion=encoder.spec, **parts)
        decoder = WarpedPyramidDecoder(content=stages.spec, motion=flow.spec, out_channels=3, **parts)
        discriminator = PooledFrameDiscriminator(3, 64, map_channels=10)
    assert size(encoder) == 9_412_600
    assert [size(flow), size(stages), size(decoder.up)] == [9_442_577, 3_913_728, 5_584_992]
    assert size(decoder.residual, decoder.last) == 147_018
    assert size(flow, stages, decoder) == 19_088_315
    assert size(discriminator) == 1_719_489


def test_an_hourglass_keeps_every_pixel_of_its_input_at_the_end():
    hourglass = Hourglass(3, (4, 6), image_size=8)
    x = torch.rand(2, 3, 8, 8)
    made = hourglass(x)
    assert torch.equal(made[:, 2:], x) and hourglass.out_channels == 5
    # By hand: two down, two up, the second up block on [first one, first down block].
    one = hourglass.down[0](x)
    two = functional.interpolate(hourglass.down[1](one), scale_factor=2, mode="nearest")
    joined = functional.interpolate(
        torch.cat([nn.Sequential.forward(hourglass.up[0], two), one], dim=1), scale_factor=2
    )
    assert torch.allclose(made[:, :2], nn.Sequential.forward(hourglass.up[1], joined), atol=1e-5)
    with pytest.raises(ConfigError, match="an hourglass halves maps 4 times, and 8 pixels"):
        Hourglass(3, (4,) * 4, image_size=8)


def test_points_and_covariances_equal_sums_over_places():
    logits = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    weights = layers.probabilities(logits, 0.1)
    places = layers.means(weights)
    spread = layers.covariances(weights, places, least=1e-4)
    for n in range(2):
        for k in range(3):
            raised = torch.exp(logits[n, k] / 0.1)
            expected = raised / raised.sum() + 1e-7
            assert torch.allclose(weights[n, k], expected)
            grid = [(2 * x / 6 - 1, 2 * y / 4 - 1, expected[y, x]) for y in range(5) for x in range(7)]
            mean = sum(w * torch.tensor([x, y], dtype=torch.float64) for x, y, w in grid)
            assert torch.allclose(places[n, k], mean)
            away = [(torch.tensor([x, y], dtype=torch.float64) - mean, w) for x, y, w in grid]
            covariance = sum(w * torch.outer(d, d) for d, w in away)
            smallest = torch.linalg.svdvals(covariance)[-1]
            expected = covariance * max(1.0, 1e-4 / smallest)
            assert torch.allclose(spread[n, k], expected, rtol=1e-6, atol=1e-12)


def test_a_small_covariance_grows_to_the_least_and_keeps_its_shape():
    weights = torch.zeros(1, 1, 9, 9)
    weights[..., 4, 3:6] = torch.tensor([0.25, 0.5, 0.25])  # wide and flat
    weights = weights.requires_grad_()
    spread = layers.covariances(weights + 1e-7, layers.means(weights + 1e-7), least=1e-3)
    assert torch.linalg.eigvalsh(spread)[..., 0].item() == pytest.approx(1e-3, rel=1e-3)
    assert spread[0, 0, 0, 0] > 100 * spread[0, 0, 1, 1]
    spread.sum().backward()
    assert torch.isfinite(weights.grad).all()
    # A round one has no direction, and its gradient is finite too.
    around = torch.full((1, 1, 3, 3), 1 / 9).requires_grad_()
    layers.covariances(around, layers.means(around), least=1e-3).sum().backward()
    assert torch.isfinite(around.grad).all()


@pytest.mark.parametrize("peak", [None, 0.01])
def test_heatmaps_are_gaussians(peak):
    place = torch.rand(2, 3, 2) - 0.5
    root = torch.randn(2, 3, 2, 2)
    spread = root @ root.mT + 0.1 * torch.eye(2)
    maps = layers.heatmaps(Points(place, spread), 4, 6, peak)
    round_maps = layers.heatmaps(Points(place), 4, 6, peak)
    for n, k in ((0, 0), (1, 2)):
        for made, covariance in ((maps, spread[n, k]), (round_maps, 0.01 * torch.eye(2))):
            slow = torch.zeros(4, 6)
            for y in range(4):
                for x in range(6):
                    away = torch.tensor([2 * x / 5 - 1, 2 * y / 3 - 1]) - place[n, k]
                    slow[y, x] = torch.exp(-0.5 * away @ torch.linalg.solve(covariance, away))
            slow = slow / slow.sum() if peak is None else peak * slow
            assert torch.allclose(made[n, k], slow, rtol=1e-3, atol=1e-6)


def points_of(batch=2, length=3, number=2, affine=False, seed=0):
    """Random driving points and those of the image."""
    rng = torch.Generator().manual_seed(seed)

    def some(*steps):
        shape = (batch, *steps, number, 2)
        local = torch.eye(2) + 0.3 * torch.randn(*shape, 2, generator=rng) if affine else None
        return Points(torch.rand(shape, generator=rng) - 0.5, affine=local)

    return dict(driving=some(length), reference=some())


@pytest.mark.parametrize("affine", [False, True])
def test_a_flow_is_the_mean_of_the_motions_of_the_points(affine):
    torch.manual_seed(0)
    flow = DenseFlow(8, Spec(points=2), widths=(4,), visible=affine)
    nn.init.normal_(flow.last.weight)
    points = points_of(affine=affine)
    content = Content(torch.rand(2, 3, 8, 8) * 2 - 1)
    seen = []
    flow.last.register_forward_hook(lambda part, inputs, output: seen.append(output))
    flow.each.register_forward_pre_hook(lambda part, inputs: seen.append(inputs[0]))
    made = flow(Motion(3, points=points), GenerationState(), content)
    inputs, logits = seen
    masks = logits[:, :3].softmax(dim=1).unflatten(0, (2, 3))
    for b, t, y, x in ((0, 0, 1, 6), (1, 2, 7, 0), (0, 1, 4, 4)):
        z = torch.tensor([2 * x / 7 - 1, 2 * y / 7 - 1])
        total = masks[b, t, 0, y, x] * z
        for k in range(2):
            driving, image = points["driving"].place[b, t, k], points["reference"].place[b, k]
            turn = torch.eye(2)
            if affine:
                turn = points["reference"].affine[b, k] @ torch.linalg.inv(points["driving"].affine[b, t, k])
            comes_from = image + turn @ (z - driving)
            total = total + masks[b, t, 1 + k, y, x] * comes_from
            # The input of the point's group has the image sampled at this place; beyond it, its border.
            grid = comes_from.clamp(-1, 1).view(1, 1, 1, 2)
            sampled = functional.grid_sample(content.image[b : b + 1], grid, align_corners=True)[0, :, 0, 0]
            group = inputs.unflatten(0, (2, 3))[b, t, 4 * (1 + k) : 4 * (2 + k), y, x]
            assert torch.allclose(group[1:], sampled, atol=1e-4)
            heat = [layers.heatmaps(Points(p), 8, 8)[0, y, x] for p in (driving[None], image[None])]
            assert torch.allclose(group[0], heat[0] - heat[1], atol=1e-5)
        correction = logits.unflatten(0, (2, 3))[b, t, 3:5, y, x]
        assert torch.allclose(made.flow[b, :, t, y, x], total - z + correction, atol=1e-5)
    assert (made.visible is not None) == affine
    if affine:
        assert torch.allclose(made.visible[0, 0, 1], logits.unflatten(0, (2, 3))[0, 1, -1].sigmoid())


def test_masks_start_as_in_the_released_code():
    flow = DenseFlow(32, Spec(points=10), widths=(4,))
    made = flow.last(torch.rand(1, flow.last.in_channels, 4, 4))
    masks = made[:, :11].softmax(dim=1)
    assert round(masks[0, 0, 0, 0].item(), 2) == 0.42 and round(masks[0, 1, 0, 0].item(), 3) == 0.058
    assert made[:, 11:].abs().max() == 0


def test_the_decoder_moves_every_level_and_the_image():
    """A flow of one pixel to the left, at every size; heatmaps at the nearest places."""
    content = Spec(pyramid=(FeatureSpec(4, 2), FeatureSpec(6, 4)))
    decoder = WarpedPyramidDecoder(16, content, Spec(points=2, flow=1), 3, residual_blocks=1).eval()
    inputs = []
    for part in (*decoder.up, decoder.residual):
        part.register_forward_pre_hook(lambda part, given: inputs.append(given[0]))
    image = torch.rand(1, 3, 16, 16)
    pyramid = (torch.rand(1, 4, 8, 8), torch.rand(1, 6, 4, 4))
    flow = torch.zeros(1, 2, 2, 16, 16)
    flow[:, 0, 1] = 2 / 15  # one pixel of 16, 7/15 of one of 8
    points = points_of(1, 2)
    features, base = decoder(Content(image, pyramid), Motion(2, points=points, flow=flow), GenerationState())
    assert features.shape == (1, 3, 2, 16, 16)
    assert torch.allclose(base[:, :, 0], image) and torch.allclose(base[:, :, 1, :, :-1], image[..., 1:], atol=1e-5)
    coarse, middle, last = inputs
    assert [tuple(x.shape[1:]) for x in inputs] == [(6 + 2, 4, 4), (4 + 4 + 2, 8, 8), (2 + 3 + 2, 16, 16)]
    assert torch.allclose(coarse[0, :6], pyramid[1][0]) and torch.allclose(middle[0, 4:8], pyramid[0][0])
    moved = 8 / 15 * pyramid[0][0, :, :, :-1] + 7 / 15 * pyramid[0][0, :, :, 1:]
    assert torch.allclose(middle[1, 4:8, :, :-1], moved, atol=1e-5)
    assert torch.allclose(last[1, 2:5, :, :-1], image[0, :, :, 1:], atol=1e-5)
    difference = layers.differences(points["driving"], points["reference"], 16, 16)[0]
    assert torch.allclose(last[1, 5:], difference[:, 1]) and torch.allclose(middle[1, 8:], difference[:, 1, ::2, ::2])
    # What the image does not show is not sent on.
    hidden = Motion(2, points=points, flow=flow, visible=torch.zeros(1, 1, 2, 8, 8))
    inputs.clear()
    decoder(Content(image, pyramid), hidden, GenerationState())
    assert inputs[0][:, :6].abs().max() == 0 and inputs[1][:, 4:8].abs().max() == 0
    assert inputs[2][:, 2:5].abs().max() == 0


def test_the_decoder_of_the_first_order_model_reads_one_level():
    content = Spec(pyramid=(FeatureSpec(4, 2), FeatureSpec(6, 4)))
    decoder = WarpedPyramidDecoder(
        16, content, Spec(points=2, flow=4), 3, heatmaps=False, skips=False, residual_blocks=0, bottleneck_blocks=2,
        widths=(4, 4), kernel=7,
    )  # fmt: skip
    assert [block[0].in_channels for block in decoder.up] == [6, 4] and decoder.last.in_channels == 4
    assert len(decoder.bottleneck) == 2 and decoder.last.kernel_size == (7, 7)
    with pytest.raises(ConfigError, match="doubles maps 2 times, from stride 4, and got 1 widths"):
        WarpedPyramidDecoder(16, content, Spec(flow=4), 3, widths=(4,))


def generator(**changes) -> Generator:
    torch.manual_seed(0)
    made = Generator(image_size=narrow.SIZE, **PARTS | changes)
    for name, parameter in made.named_parameters():
        if "to_maps" in name or "last.weight" in name:
            nn.init.normal_(parameter, std=0.1)
    return made.eval()


AFFINE = dict(motion_encoder=narrow.NARROW["KeypointEncoder"] | dict(local="affine"))


@pytest.mark.parametrize("changes", [{}, AFFINE], ids=["covariance", "affine"])
def test_chunks_of_one_frame_equal_the_whole_with_gradients(changes):
    made = generator(**changes)
    clip = VideoBatch(
        torch.rand(2, 3, 4, narrow.SIZE, narrow.SIZE) * 2 - 1, image=torch.rand(2, 3, narrow.SIZE, narrow.SIZE)
    )
    weights = list(made.parameters())

    def gradients(videos):
        video = torch.cat(videos, dim=2)
        return video, torch.autograd.grad(video.square().mean(), weights, allow_unused=True)

    # Single precision: batches of other sizes round in another way, and a small temperature raises that.
    whole, expected = gradients([made(clip, {"a": Pass(content="image")})["a"].video])
    state = GenerationState()
    chunks, found = gradients(
        [made(clip.slice_frames(t, t + 1), {"a": Pass(content="image")}, state)["a"].video for t in range(4)]
    )
    assert torch.allclose(whole, chunks, atol=1e-4) and (whole[:, :, 1:] - whole[:, :, :-1]).abs().max() > 1e-3
    for one, other in zip(expected, found, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, rtol=1e-2, atol=1e-4)


def test_transfer_is_relative_in_eval_mode_alone():
    made = generator(**AFFINE)
    encoder = made.motion_encoder
    nn.init.normal_(encoder.to_affine.weight, std=0.02)
    clip = VideoBatch(torch.rand(2, 3, 3, narrow.SIZE, narrow.SIZE) * 2 - 1)
    image = torch.rand(2, 3, narrow.SIZE, narrow.SIZE)
    points = encoder(clip, GenerationState(), Content(image)).points
    driving = [encoder.detect(clip.driving[:, :, t]) for t in range(3)]
    own = encoder.detect(image)
    assert torch.allclose(points["reference"].place, own.place, atol=1e-5)
    for t in range(3):
        wanted = own.place + driving[t].place - driving[0].place
        assert torch.allclose(points["driving"].place[:, t], wanted, atol=1e-5)
        turn = driving[t].affine @ torch.linalg.inv(driving[0].affine) @ own.affine
        assert torch.allclose(points["driving"].affine[:, t], turn, atol=1e-4)
    encoder.relative = False
    absolute = encoder(clip, GenerationState(), Content(image)).points["driving"]
    assert torch.allclose(absolute.place[:, 1], driving[1].place, atol=1e-5)
    encoder.relative = True
    first = encoder(clip, GenerationState(), Content(clip.driving[:, :, 0])).points["driving"]
    assert torch.allclose(first.place, absolute.place, atol=1e-5)  # of its own first frame both are the same
    trained = encoder.train()(clip, GenerationState(), Content(image)).points["driving"]
    assert not torch.allclose(
        trained.place[:, 0],
        encoder.eval()(clip, GenerationState(), Content(image)).points["driving"].place[:, 0],
        atol=1e-3,
    )


def test_a_spread_is_of_the_driving_frame():
    made = layers.relative(
        Points(torch.zeros(1, 2, 1, 2), spread=torch.full((1, 2, 1, 2, 2), 3.0)),
        Points(torch.ones(1, 1, 2), spread=torch.zeros(1, 1, 2, 2)),
        Points(torch.full((1, 1, 2), 5.0), spread=torch.ones(1, 1, 2, 2)),
    )
    assert made.place.unique().tolist() == [4.0] and made.spread.unique().tolist() == [3.0]


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="KeypointEncoder averages frames of 32 pixels to input_size=20"):
        KeypointEncoder(32, input_size=20)
    with pytest.raises(ConfigError, match="StageEncoder has pool in"):
        StageEncoder(32, pool="min")
    with pytest.raises(ConfigError, match="as many convs as widths"):
        StageEncoder(32, widths=(4, 4), convs=(1,))
    motion = Motion(1, points=dict(driving=Points(torch.zeros(1, 1, 2, 2))))
    with pytest.raises(ConfigError, match='return "reference" points'):
        DenseFlow(8, Spec(points=2), widths=(4,))(motion, GenerationState(), Content(torch.zeros(1, 3, 8, 8)))


@pytest.mark.parametrize(("skip", "strides"), [("before", [1, 2, 4]), ("after", [2, 4, 8])])
def test_stages_give_the_maps_before_or_behind_their_pooling(skip, strides):
    encoder = StageEncoder(16, (4, 5, 6), (1, 2, 1), norm=None, activation="leaky", pool="max", skip=skip)
    assert [level.stride for level in encoder.spec.pyramid] == strides
    pyramid = encoder(torch.rand(2, 3, 16, 16)).pyramid
    assert [tuple(level.shape[1:]) for level in pyramid] == [
        (c, 16 // s, 16 // s) for c, s in zip((4, 5, 6), strides, strict=True)
    ]
    assert len([layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]) == 4
    for parameter in encoder.parameters():
        parameter.grad = None
    sum(level.sum() for level in pyramid).backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_points_as_maps_for_the_dense_decoder():
    """FRGAN without a face model: the heatmaps of the points take the place of condition maps."""
    parts = PARTS | dict(
        content_encoder=narrow.NARROW["ResidualPyramidEncoder"],
        motion_generator=None,
        decoder=narrow.NARROW["DenseDecoder"],
    )
    made = Generator(image_size=narrow.SIZE, **parts)
    adapters = [type(adapter).__name__ for adapter in made.decoder_adapters]
    assert adapters == ["PointsToTrajectory", "PointsToMaps"]
    assert made.motion.map_groups == ("driving", "reference") and made.motion.trajectory == 2 * made.motion.points
    points = points_of(2, 3, made.motion.points)
    motion = made.decoder_adapters[1](Motion(3, points=points), GenerationState())
    still = made.decoder_adapters[1].trunk(layers.heatmaps(points["reference"], narrow.SIZE, narrow.SIZE, 1.0))
    moved = made.decoder_adapters[1].trunk(
        layers.heatmaps(Points(points["driving"].place[:, 1]), narrow.SIZE, narrow.SIZE, 1.0)
    )
    for level, one, other in zip(range(len(still)), still, moved, strict=True):
        assert torch.equal(motion.maps["reference"][level], one)
        assert torch.allclose(motion.maps["driving"][level][:, :, 1], other, atol=1e-6)
    alone = made.decoder_adapters[1](replace(Motion(3), points=dict(driving=points["driving"])), GenerationState())
    assert torch.allclose(alone.maps["reference"][0], alone.maps["driving"][0][:, :, 0], atol=1e-6)
