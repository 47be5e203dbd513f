"""Decoders of whole clips: the (1+2)D layer against its definition, fusion, lengths and sizes, the two streams."""

import narrow
import pytest
import torch
from torch import nn
from torch.nn import functional

import i2vkit.models.layers.transposed_1p2d as layer
from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.decoders import TransposedConv1p2dDecoder, TransposedConv3dDecoder, TwoStreamDecoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.layers import TransposedConv1p2d, cpu_kernels
from i2vkit.structures import Content, FeatureSpec, Motion, Spec, VideoBatch

PYRAMID = (FeatureSpec(5, 2), FeatureSpec(6, 4), FeatureSpec(7, 8))
CONTENT, MOTION = Spec(code=9, pyramid=PYRAMID), Spec(code=6, condition=3)
NARROW = dict(widths=(8, 6, 4), temporal_widths=(12, 10, 8, 5), time=((2, 1), (4, 2), (4, 2), (3, 1)))
KERNELS = [  # time, space, side: first block, later ones with matrix product and with convolution, others
    ((2, 1, 0), (4, 1, 0), 1),
    ((4, 2, 1), (4, 2, 1), 4),
    ((4, 2, 1), (4, 2, 1), 8),
    ((3, 1, 1), (4, 2, 1), 2),
    ((6, 2, 2), (4, 2, 1), 4),
    ((4, 4, 0), (2, 1, 0), 1),
]


def content_and_motion(batch: int = 2, length: int = 8) -> tuple[Content, Motion]:
    pyramid = tuple(torch.randn(batch, level.channels, 32 // level.stride, 32 // level.stride) for level in PYRAMID)
    label = functional.one_hot(torch.arange(batch) % 3, 3).float()
    content = Content(torch.zeros(batch, 3, 32, 32), pyramid, torch.randn(batch, 9))
    return content, Motion(length, code=torch.randn(batch, 6), condition=label)


def decoder(kind=TransposedConv1p2dDecoder, content: Spec = CONTENT, motion: Spec = MOTION, **own) -> nn.Module:
    arguments = {
        key: value for key, value in NARROW.items() if kind is TransposedConv1p2dDecoder or key != "temporal_widths"
    }
    if kind is TransposedConv3dDecoder:
        arguments["same_size_as"] = NARROW["temporal_widths"]
    return kind(image_size=32, content=content, motion=motion, out_channels=3, **(arguments | own))


def made_by(part: nn.Module, content: Content, motion: Motion) -> torch.Tensor:
    return part(content, motion, GenerationState())[0]


@pytest.mark.parametrize("time, space, side", KERNELS)
def test_plain_layer_is_its_definition(time, space, side):
    """Every input is added to the outputs that its taps reach; what falls off the edge is lost."""
    block = TransposedConv1p2d(4, 5, 2, time, space).eval()
    block.norm.running_mean.normal_()
    block.norm.running_var.uniform_(0.5, 2.0)
    block.reference = True
    x, (kernel, stride, padding) = torch.randn(1, 4, 3, side, side), time
    full = torch.zeros(1, 5, 2 * stride + kernel, side, side)
    for t in range(3):
        for tap in range(kernel):
            full[:, :, t * stride + tap] += torch.einsum(
                "bchw,cm->bmhw", x[:, :, t], block.temporal.weight[:, :, tap, 0, 0]
            )
    middle = full[:, :, padding : full.shape[2] - padding] + block.temporal.bias[:, None, None, None]
    norm = block.norm
    middle = (middle - norm.running_mean[:, None, None, None]) / (norm.running_var + norm.eps)[
        :, None, None, None
    ].sqrt()
    middle = middle * norm.weight[:, None, None, None] + norm.bias[:, None, None, None]
    middle = torch.where(middle > 0, middle, 0.2 * middle)
    (kernel, stride, padding), size = space, (side - 1) * space[1] + space[0]
    full = torch.zeros(1, 2, middle.shape[2], size, size)
    for row in range(side):
        for column in range(side):
            for a in range(kernel):
                for b in range(kernel):
                    pixel = torch.einsum("bmt,mo->bot", middle[..., row, column], block.spatial.weight[:, :, 0, a, b])
                    full[:, :, :, row * stride + a, column * stride + b] += pixel
    inside = slice(padding, size - padding)
    expected = full[..., inside, inside] + block.spatial.bias[:, None, None, None]
    assert torch.allclose(block(x), expected, atol=1e-5)


@pytest.mark.parametrize("time, space, side", KERNELS)
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("still_channels", [0, 3])
def test_fast_layer_equals_the_plain_one(time, space, side, length, still_channels):
    """Outputs, gradients of everything, and the statistics of batch norm."""
    results = []
    x = torch.randn(2, 4, length, side, side)
    static = torch.randn(2, 3, side, side) if still_channels else None
    for plain in (True, False):
        torch.manual_seed(3)
        block = TransposedConv1p2d(4 + still_channels, 6, 5, time, space).double()
        block.reference = plain
        inputs = [tensor.double().requires_grad_() for tensor in (x, static) if tensor is not None]
        out = block(*inputs)
        (out * torch.linspace(-1, 1, out.numel()).double().view(out.shape)).sum().backward()
        gradients = [tensor.grad for tensor in (*inputs, *block.parameters())]
        results.append([out, *gradients, block.norm.running_mean, block.norm.running_var])
    for expected, found in zip(*results, strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel, stride, padding", [(2, 1, 0), (4, 2, 1), (3, 1, 1), (6, 2, 2), (4, 4, 0)])
@pytest.mark.parametrize("channels", [3, 40])
@pytest.mark.parametrize("gradients", [True, False])
def test_all_temporal_kernels_are_transposed_convolutions(kernel, stride, padding, channels, gradients):
    """With few channels a convolution, with more channels than pixels a matrix product and an overlap-add."""
    steps, weight = torch.randn(2, 3, 2, 2, channels).double(), torch.randn(channels, 5, kernel).double()
    assert (channels < 2 * 3 * 4) == (channels == 3)
    lines = steps.permute(0, 2, 3, 4, 1).flatten(0, 2)
    expected = functional.conv_transpose1d(lines, weight, stride=stride, padding=padding)
    expected = expected.unflatten(0, (2, 2, 2)).permute(0, 4, 1, 2, 3)
    with torch.set_grad_enabled(gradients):
        assert torch.allclose(layer.temporal_product(steps, weight, stride, padding), expected)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [3, 64, 65, 256, 257])
def test_products_are_products_however_they_are_computed(monkeypatch, threads, rows):
    """Few rows in parts of the sum, many as a 1x1 convolution of 2 or 16 images, others as they are."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    some, weight = torch.randn(rows, 32, requires_grad=True), torch.randn(32, 7, requires_grad=True)
    expected = some.detach().double() @ weight.detach().double()
    rest = torch.randn(rows, 7)
    wanted = rest.double() @ weight.detach().double().T, some.detach().double().T @ rest.double()
    for product in (cpu_kernels.product, cpu_kernels.few_rows_product):
        made = product(some, weight)
        assert torch.allclose(made.double(), expected, atol=1e-5)
        for found, gradient in zip(torch.autograd.grad(made, (some, weight), rest), wanted, strict=True):
            assert torch.allclose(found.double(), gradient, atol=1e-4)
    odd = torch.randn(33, 7)  # no 16 parts
    wide = torch.randn(rows, 33)
    assert torch.allclose(cpu_kernels.few_rows_product(wide, odd), wide @ odd, atol=1e-4)


@pytest.mark.parametrize("gradients", [True, False])
def test_maps_that_stand_still_join_as_if_they_were_repeated(gradients):
    """Enough rows (4 x 16 x 16) for the 1x1 convolution in place of the matrix product."""
    torch.manual_seed(0)
    block = TransposedConv1p2d(3 + 4, 6, 5, (4, 2, 1), (4, 2, 1)).eval()
    x, static = torch.randn(4, 3, 2, 16, 16), torch.randn(4, 4, 16, 16)
    with torch.set_grad_enabled(gradients):
        made = block(x, static)
        block.reference = True
        assert torch.allclose(made, block(x, static), atol=1e-5)


def test_parameters_are_those_of_two_transposed_3d_convolutions_and_a_norm():
    block = TransposedConv1p2d(4, 6, 5, (4, 2, 1), (4, 2, 1))
    shapes = {name: tuple(parameter.shape) for name, parameter in block.named_parameters()}
    assert shapes == {
        "temporal.weight": (4, 6, 4, 1, 1),
        "temporal.bias": (6,),
        "norm.weight": (6,),
        "norm.bias": (6,),
        "spatial.weight": (6, 5, 1, 4, 4),
        "spatial.bias": (5,),
    }


@pytest.mark.parametrize("fusion", [True, False])
@pytest.mark.parametrize("label_maps", [True, False])
@pytest.mark.parametrize("kind", [TransposedConv1p2dDecoder, TransposedConv3dDecoder])
def test_decoder_is_the_description(kind, fusion, label_maps):
    """[noise, label, code] first; then after every block the image's map of that size and the label, at every frame."""
    part = decoder(kind, fusion=fusion, label_maps=label_maps)
    content, motion = content_and_motion()
    x = torch.cat([motion.code, motion.condition, content.code], dim=1)[:, :, None, None, None]
    shapes = []
    for i, block in enumerate(part.blocks):
        if kind is TransposedConv1p2dDecoder:
            block.reference = True
            x = block(x)
        else:
            x = functional.conv_transpose3d(x, block.weight, block.bias, stride=block.stride, padding=block.padding)
        if i == 3:
            break
        x = functional.leaky_relu(functional.batch_norm(x, None, None, *part.norms[i].parameters(), training=True), 0.2)
        shapes.append(tuple(x.shape[2:]))
        joined = [x]
        if fusion:
            joined.append(content.pyramid[2 - i][:, :, None].expand(-1, -1, x.shape[2], -1, -1))
        if label_maps:
            joined.append(motion.condition[:, :, None, None, None].expand(-1, -1, *x.shape[2:]))
        x = torch.cat(joined, dim=1)
    assert shapes == [(2, 4, 4), (4, 8, 8), (8, 16, 16)]
    for block in part.blocks:
        block.reference = False
    found, base = part(content, motion, GenerationState())
    assert torch.allclose(found, x, atol=1e-5)
    assert torch.equal(base[:, :, 0], content.image)


@pytest.mark.parametrize("kind", [TransposedConv1p2dDecoder, TransposedConv3dDecoder, TwoStreamDecoder])
def test_every_input_changes_the_video(kind):
    extra = dict(base_requested=True, widths=(8, 6, 4), time=NARROW["time"]) if kind is TwoStreamDecoder else {}
    part = decoder(kind, **extra).eval()
    content, motion = content_and_motion(batch=1)
    before = made_by(part, content, motion)
    fields = vars(motion)
    assert not torch.allclose(before, made_by(part, content, Motion(**fields | dict(code=-motion.code))), atol=1e-6)
    other = torch.tensor([[0.0, 0.0, 1.0]])
    assert not torch.allclose(before, made_by(part, content, Motion(**fields | dict(condition=other))), atol=1e-6)
    dark = Content(content.image, tuple(-level for level in content.pyramid), content.code)
    changed = not torch.allclose(before, made_by(part, dark, motion), atol=1e-6)
    assert changed == (kind is not TwoStreamDecoder)


@pytest.mark.parametrize("labels", [0, 3, 24])
def test_3d_decoder_has_as_many_parameters_as_the_1p2d_one(labels):
    motion = Spec(code=512, condition=labels)
    content = Spec(code=100, pyramid=tuple(FeatureSpec(64 << i, 2 << i) for i in range(4)))
    with torch.device("meta"):
        sizes = [
            sum(p.numel() for p in kind(image_size=64, content=content, motion=motion, out_channels=3).parameters())
            for kind in (TransposedConv3dDecoder, TransposedConv1p2dDecoder)
        ]
        narrow = decoder(TransposedConv3dDecoder, same_size_as=None)
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-3)
    assert [block.out_channels for block in narrow.blocks] == [8, 6, 4, 3]


def test_longer_clips_are_possible_and_repeat_themselves_in_the_middle():
    part = decoder().eval()
    assert part.lengths == ClipLengths(8, 4)
    content, motion = content_and_motion(length=28)
    video = made_by(part, content, motion)
    assert video.shape == (2, 3, 28, 32, 32)
    assert torch.allclose(video[:, :, 10:14], video[:, :, 14:18], atol=1e-5)
    assert not torch.allclose(video[:, :, :4], video[:, :, 4:8], atol=1e-4)
    assert not torch.allclose(video[:, :, 10:13], video[:, :, 11:14], atol=1e-4)


def test_a_length_or_size_that_cannot_be_made_is_refused_with_those_that_can():
    model = narrow.build(
        generator=dict(
            content_encoder=narrow.NARROW["ConvPyramidEncoder"],
            motion_encoder=None,
            motion_generator=narrow.NARROW["LabelFusion"],
            decoder=narrow.NARROW["TransposedConv1p2dDecoder"],
        ),
        discriminators={},
        phases=dict(g=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss")))),
    )
    assert model.generator.lengths == ClipLengths(4, 2)
    message = r"TransposedConv1p2dDecoder as configured makes clips of 4, 6, 8, ... frames, not of 5"
    with pytest.raises(ConfigError, match=message):
        model.train_step(narrow.batch(lengths=(5, 3)), narrow.optimizers(model))
    with pytest.raises(ConfigError, match=message):
        next(model.generate_chunks([VideoBatch(torch.zeros(1, 3, 5, 32, 32), label=torch.tensor([0]))], [0]))
    with pytest.raises(ConfigError, match=r"makes images of 8, 16, 24, ... pixels, not of 36"):
        TransposedConv1p2dDecoder(image_size=36, content=CONTENT, motion=MOTION, out_channels=3, **NARROW)
    with pytest.raises(ConfigError, match=r"has 4 blocks and time is \(kernel, stride\) of each"):
        decoder(time=((2, 1), (4, 2), (4, 2)))
    with pytest.raises(ConfigError, match=r"exceeds it by an even number"):
        decoder(time=((2, 1), (2, 1), (4, 2), (4, 2)))


@pytest.mark.parametrize("kind", [TransposedConv1p2dDecoder, TransposedConv3dDecoder])
def test_folded_batch_norms_compute_the_same(kind):
    part = decoder(kind)
    with torch.no_grad():
        for _ in range(3):  # statistics that are not those of the start
            made_by(part, *content_and_motion())
        part.eval()
        content, motion = content_and_motion()
        before = made_by(part, content, motion)
        parameters = sum(p.numel() for p in part.parameters())
        found = made_by(part.fold_batch_norms_(), content, motion)
    assert torch.allclose(found, before, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm3d) for module in part.modules())
    assert sum(p.numel() for p in part.parameters()) < parameters


def test_two_streams_blend_a_moving_foreground_over_a_still_background():
    model = narrow.build(
        generator=dict(
            content_encoder=narrow.NARROW["ConvPyramidEncoder"],
            motion_encoder=None,
            decoder=narrow.NARROW["TwoStreamDecoder"],
            head=narrow.NARROW["ResidualHead"],
        ),
        discriminators={},
        phases=dict(g=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss")))),
    ).eval()
    clip = VideoBatch(torch.rand(2, 3, 6, 32, 32), label=torch.tensor([0, 1]))
    made = next(model.generate_chunks([clip], [0, 0]))
    part, code = model.generator.decoder, made.content.code
    code = torch.cat([made.motion.condition, code], dim=1)
    background = part.background(code[:, :, None, None])
    foreground = part.foreground(part.kernels.start(code, 6))
    assert made.base.shape == (2, 3, 1, 32, 32)
    assert torch.allclose(made.base[:, :, 0], background) and background.abs().max() <= 1
    mask, dynamic = torch.sigmoid(foreground[:, :1]), torch.tanh(foreground[:, 1:])
    assert torch.allclose(made.video, mask * dynamic + (1 - mask) * background[:, :, None], atol=1e-6)


def test_a_background_that_no_head_reads_is_not_built():
    assert decoder(TwoStreamDecoder, base_requested=False, widths=(8, 6, 4), time=NARROW["time"]).background is None
