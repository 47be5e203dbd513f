"""MCNet's parts: sizes of the paper, equations against slow forms, and the rollout of its own frames."""

import narrow
import pytest
import torch
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models import Generator
from i2vkit.models.decoders import StageMapDecoder
from i2vkit.models.discriminators import StackedFrameDiscriminator
from i2vkit.models.encoders import DifferenceEncoder, StageEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.layers.conv_lstm import ConvLstm
from i2vkit.models.layers.stages import doubled
from i2vkit.models.losses import FrameL1Loss, FrameL2Loss, GradientDifferenceLoss
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Content, FeatureSpec, Motion, Spec, VideoBatch

OWN = dict(
    content_encoder=dict(
        type=StageEncoder, widths=(4, 6), convs=(1, 2), norm=None, pool="max", skip="before", initial_weights="xavier"
    ),
    motion_encoder=dict(type=DifferenceEncoder, widths=(4, 6), kernels=(5, 3)),
    decoder=dict(type=StageMapDecoder, widths=(6, 4), convs=(2, 1)),
    head=dict(type="DirectHead"),
)


def numbers(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def generator(**changes) -> Generator:
    torch.manual_seed(0)
    return Generator(**(OWN | dict(image_size=16, skips_from="past") | changes)).eval()


def video(length: int = 5, size: int = 16) -> torch.Tensor:
    small = torch.rand(2, 3, length, 4, 4, generator=torch.Generator().manual_seed(3)) * 2 - 1
    return functional.interpolate(small, (length, size, size), mode="trilinear", align_corners=True)


def test_sizes_are_those_of_the_paper():
    whole = Generator(
        image_size=64,
        content_encoder=dict(
            type=StageEncoder, widths=(64, 128, 256), convs=(2, 2, 3), norm=None, pool="max", skip="before"
        ),
        motion_encoder=dict(type=DifferenceEncoder),
        decoder=dict(type=StageMapDecoder),
        head=dict(type="DirectHead"),
        skips_from="past",
    )
    encoder, decoder = whole.motion_encoder, whole.decoder
    assert numbers(whole.content_encoder) == 1_735_488
    assert (numbers(encoder.stages), numbers(encoder.lstm)) == (1_812_480, 4_719_616)
    parts = (decoder.combined, decoder.fused, decoder.stages)
    assert [numbers(part) for part in parts] == [1_770_112, 2_323_328, 1_735_235]
    assert numbers(whole) == 14_096_259
    assert numbers(StackedFrameDiscriminator(in_channels=3, image_size=64, frames=32)) == 4_465_345
    assert numbers(StackedFrameDiscriminator(in_channels=1, image_size=128, frames=20)) == 4_368_321


def test_a_convolutional_lstm_is_its_equations():
    lstm = ConvLstm(2, 3)
    steps = torch.randn(2, 4, 2, 5, 5)
    found, state = lstm(steps)
    hidden = cell = torch.zeros(2, 3, 5, 5)
    for t in range(4):
        gates = functional.conv2d(torch.cat([steps[:, t], hidden], 1), lstm.gates.weight, lstm.gates.bias, padding=1)
        enter, new, forget, leave = gates[:, :3], gates[:, 3:6], gates[:, 6:9], gates[:, 9:]
        cell = cell * (forget + 1).sigmoid() + enter.sigmoid() * new.tanh()
        hidden = cell.tanh() * leave.sigmoid()
        torch.testing.assert_close(found[:, t], hidden)
    torch.testing.assert_close(state, (hidden, cell))


def test_unpooling_puts_the_value_at_the_top_left():
    x = torch.arange(1.0, 5.0).view(1, 1, 2, 2)
    assert doubled(x, "zeros")[0, 0].int().tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    assert doubled(x, "nearest")[0, 0].int().tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]


def test_the_difference_image_is_the_change_of_grey():
    encoder = DifferenceEncoder(16, widths=(4, 6), kernels=(5, 3), requested=("motion.maps",))
    frames = video()
    seen = []
    encoder.stages[0].register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    motion = encoder(VideoBatch(frames), GenerationState())
    unit = (frames + 1) / 2
    grey = 0.299 * unit[:, 0] + 0.587 * unit[:, 1] + 0.114 * unit[:, 2]  # (B, T, H, W)
    found = seen[0].view(2, 5, 16, 16)
    assert found[:, 0].abs().max() == 0  # the image twice
    torch.testing.assert_close(found[:, 1:], grey[:, 1:] - grey[:, :-1])
    # The maps before each pooling, and the hidden state.
    assert [tuple(level.shape) for level in motion.maps["driving"]] == [
        (2, 4, 5, 16, 16), (2, 6, 5, 8, 8), (2, 6, 5, 4, 4),
    ]  # fmt: skip
    first = functional.relu(encoder.stages[0][0](seen[0]))
    torch.testing.assert_close(motion.maps["driving"][0].transpose(1, 2).flatten(0, 1), first)
    second = encoder.stages[1](functional.max_pool2d(first, 2))
    hidden, _ = encoder.lstm(functional.max_pool2d(second, 2).view(2, 5, 6, 4, 4))
    torch.testing.assert_close(motion.maps["driving"][2].transpose(1, 2), hidden)


def test_a_label_is_beside_the_difference_image():
    encoder = DifferenceEncoder(
        16, widths=(4, 6), kernels=(5, 3), labelled=True, num_labels=3, requested=("motion.maps",)
    )
    frames, label = video(), torch.tensor([2, 0])
    motion = encoder(VideoBatch(frames, label=label), GenerationState())
    differences = encoder.differences(frames, frames[:, :, :1])
    convolution = encoder.stages[0][0]
    for b, t in ((0, 1), (1, 3)):
        maps = torch.zeros(1, 3, 16, 16)
        maps[:, label[b]] = 1
        shown = torch.cat([differences[b : b + 1, :, t], maps], dim=1)
        first = functional.relu(functional.conv2d(shown, convolution.weight, convolution.bias, padding=2))
        torch.testing.assert_close(motion.maps["driving"][0][b : b + 1, :, t], first)
    with pytest.raises(ConfigError, match=r"reads one of 3 labels \(labelled=True\), and the clip has none"):
        encoder(VideoBatch(frames), GenerationState())
    with pytest.raises(ConfigError, match=r"labelled=True, and this model has no labels: set model.labels"):
        DifferenceEncoder(16, widths=(4, 6), kernels=(5, 3), labelled=True)


def test_the_label_decides_what_is_made_of_an_image():
    labelled = OWN["motion_encoder"] | dict(labelled=True)
    model, plain = generator(motion_encoder=labelled, num_labels=3), generator(num_labels=3)
    assert (model.reads_label, plain.reads_label) == (True, False)

    def made(label, of=model):
        clip = VideoBatch(video(), label=torch.tensor(label))
        return of(clip, {"own": Pass(motion="prior", feed="own")})["own"].video

    one, other = made([0, 1]), made([0, 2])
    torch.testing.assert_close(one[0], other[0])
    assert (one[1, :, 1:] - other[1, :, 1:]).abs().amax(dim=(0, 2, 3)).min() > 1e-6
    assert torch.equal(made([0, 1], plain), made([0, 2], plain))


def test_the_decoder_is_its_equations():
    """One frame at a time, each layer by its name in the paper."""
    content = Spec(pyramid=(FeatureSpec(4, 1), FeatureSpec(6, 2), FeatureSpec(6, 4)))
    moving = Spec(maps=content.pyramid, map_groups=("driving",))
    decoder = StageMapDecoder(16, content, moving, out_channels=3, widths=(6, 4), convs=(2, 1))
    pyramid = tuple(torch.randn(2, level.channels, 16 // level.stride, 16 // level.stride) for level in content.pyramid)
    maps = tuple(torch.randn(2, c.channels, 3, 16 // c.stride, 16 // c.stride) for c in content.pyramid)
    found, base = decoder(Content(torch.zeros(2, 3, 16, 16), pyramid), Motion(3, maps=dict(driving=maps)), None)
    assert base.shape == (2, 3, 1, 16, 16)

    def convolve(layer, x):
        return functional.conv2d(x, layer.weight, layer.bias, padding=1)

    for t in range(3):
        joined = [torch.cat([still, moved[:, :, t]], 1) for still, moved in zip(pyramid, maps, strict=True)]
        layers = [decoder.combined.first, decoder.combined.rest[1], decoder.combined.rest[3]]
        x = joined[2]
        for layer in layers:
            x = functional.relu(convolve(layer, x))
        for i, level in enumerate((1, 0)):
            fused = decoder.fused[i]
            residual = convolve(fused.rest[1], functional.relu(convolve(fused.first, joined[level])))
            x = functional.relu(doubled(x, "zeros") + residual)
            x = convolve(decoder.stages.firsts[i], x)
            if i == 0:  # two convolutions, both with a ReLU; the last stage has one, without
                x = functional.relu(convolve(decoder.stages.stages[0][1], functional.relu(x)))
        torch.testing.assert_close(found[:, :, t], x, rtol=1e-4, atol=1e-5)


def test_each_frame_comes_from_the_frame_before():
    """The rollout against the loop of the paper: difference, content, decoder, tanh."""
    model, clip = generator(), VideoBatch(video())
    made = model(clip, {"own": Pass(motion="prior")}, GenerationState(seeds=[0, 1]))["own"]
    state = GenerationState()
    frames = [clip.driving[:, :, 0]]
    for _ in range(4):
        last = frames[-1]
        motion = model.motion_encoder(VideoBatch(last[:, :, None]), state)
        features, _ = model.decoder(model.content_encoder(last), motion, state)
        frames.append(torch.tanh(features[:, :, 0]))
    torch.testing.assert_close(made.video, torch.stack(frames, dim=2))
    assert made.given == 1


@pytest.mark.parametrize("skips_from", ["past", "image"])
def test_chunks_make_the_whole_with_gradients(skips_from):
    model, clip, entry = generator(skips_from=skips_from), VideoBatch(video(6)), Pass(motion="prior")
    clip.driving.requires_grad_()
    parameters = list(model.parameters())

    def gradients(pieces: list[tuple[int, int]]):
        state, videos = GenerationState(seeds=[0, 1]), []
        content = model.encode_content(clip)
        for start, stop in pieces:
            piece = clip.slice_frames(start, stop)
            motion = model.motion_of(piece, entry, state, content)
            videos.append(model.make(content, motion, piece, state, entry).video)
        whole = torch.cat(videos, dim=2)
        return whole, torch.autograd.grad(whole.square().sum(), parameters)

    whole, expected = gradients([(0, 6)])
    chunked, found = gradients([(0, 1), (1, 4), (4, 6)])
    torch.testing.assert_close(chunked, whole)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    assert all(gradient.abs().max() > 0 for gradient in expected if gradient.numel() > 1)


def test_true_and_own_frames_agree_on_the_first_step():
    model, clip = generator(skips_from="image"), VideoBatch(video())
    passes = {"own": Pass(motion="prior"), "truth": Pass(motion="prior", feed="truth")}
    made = {name: model(clip, {name: entry})[name] for name, entry in passes.items()}
    torch.testing.assert_close(made["own"].video[:, :, :2], made["truth"].video[:, :, :2])
    assert (made["own"].video[:, :, 2:] - made["truth"].video[:, :, 2:]).abs().amax(dim=(0, 1, 3, 4)).min() > 1e-3


def model_of(**losses):
    phases = dict(generator=dict(updates=["generator"], losses=losses))
    passes = dict(reconstruct=dict(motion="prior"))
    return narrow.build(generator=OWN, discriminators={}, phases=phases, passes=passes, frozen=[], labels=[])


def test_losses_leave_given_and_padded_frames_out():
    losses = dict(l1=dict(type=FrameL1Loss), l2=dict(type=FrameL2Loss), gdl=dict(type=GradientDifferenceLoss, power=2))
    model, data = model_of(**losses), narrow.batch(lengths=(5, 3))
    clip = model.data_preprocessor(data, training=True)["clip"]
    made = model.generator(clip, model.passes)["reconstruct"].video
    log = model.train_step(data, narrow.optimizers(model))
    terms: dict[str, list] = dict(l1=[], l2=[], dx=[], dy=[])
    for number, length in enumerate((5, 3)):
        for t in range(1, length):
            a, b = made[number, :, t], clip.driving[number, :, t]
            terms["l1"].append((a - b).abs().mean())
            terms["l2"].append(((a - b) ** 2).mean())
            terms["dx"].append((((b[..., 1:] - b[..., :-1]).abs() - (a[..., 1:] - a[..., :-1]).abs()) ** 2).mean())
            terms["dy"].append((((b[:, 1:] - b[:, :-1]).abs() - (a[:, 1:] - a[:, :-1]).abs()) ** 2).mean())
    mean = {name: torch.stack(values).mean().item() for name, values in terms.items()}
    assert log["l1"].item() == pytest.approx(mean["l1"], rel=1e-4)
    assert log["l2"].item() == pytest.approx(mean["l2"], rel=1e-4)
    assert log["gdl"].item() == pytest.approx(mean["dx"] + mean["dy"], rel=1e-4)


def test_stacked_frames_are_channels():
    network = StackedFrameDiscriminator(in_channels=3, image_size=16, widths=(4,), frames=2, norm=None)
    clip = torch.randn(2, 3, 5, 16, 16)
    found = network(clip)
    for stretch in range(2):  # frames 0 and 1, 2 and 3; the last one is in none
        stacked = torch.cat([clip[:, :, 2 * stretch], clip[:, :, 2 * stretch + 1]], dim=1)
        torch.testing.assert_close(found[:, stretch], network.to_score(network.convolutions(stacked).flatten(1))[:, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StageEncoder(16, widths=(4, 4, 4), convs=(2, 2)), "3 stages by its widths and 2 by its convs"),
        (lambda: StageEncoder(20, widths=(4, 4, 4), convs=(1, 1, 1)), "a multiple of 8 pixels, not 20"),
        (lambda: StageEncoder(32, kernel=4), "kernels with odd sides"),
        (lambda: StageEncoder(32, skip="behind"), "skip is 'behind', but takes 'before' or 'after'"),
        (lambda: StageEncoder(32, initial_weights="torsh"), "initial_weights is"),
        (lambda: DifferenceEncoder(16, kernels=(3,)), "3 stages by its widths and 1"),
        (lambda: StackedFrameDiscriminator(3, 16, norm="spectral"), 'norm="batch" or None'),
        (lambda: StackedFrameDiscriminator(3, 24), "24 pixels cannot"),
        (lambda: StackedFrameDiscriminator(3, 16)(torch.zeros(1, 3, 4, 16, 16)), "stacks 16 frames, and a clip has 4"),
        (lambda: generator(decoder=dict(type=StageMapDecoder, widths=(6,), convs=(1,))), None),
        (
            lambda: generator(image_size=32, content_encoder=dict(type="ConvPyramidEncoder", widths=(4, 6, 8)),
                              decoder=dict(type=StageMapDecoder, widths=(4,) * 5, convs=(1,) * 5)),
            "starts from maps of stride 32, and neither",
        ),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(make, message):
    if message is None:
        make()  # a decoder of fewer stages starts from finer maps
        return
    with pytest.raises(ConfigError, match=message):
        make()
