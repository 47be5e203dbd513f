"""Residual blocks, merged kernels and the dense decoder, against their reference forms and a slow reference."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from i2vkit.analysis.profile import TensorMemory
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.models.decoders import DenseDecoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.layers.resampling import PooledConv, StaticConv2d, UpsampledConv
from i2vkit.models.layers.residual import ResidualDown, ResidualTrunk, ResidualUp, trunk_specs
from i2vkit.registry import MODELS
from i2vkit.structures import Content, FeatureSpec, Motion, Spec, VideoBatch

SIZE, WIDTHS = 32, (8, 8, 8, 4)  # coarse to fine, of maps of 4, 8, 16 and 32 pixels


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def as_reference(module: nn.Module) -> nn.Module:
    for layer in module.modules():
        if hasattr(layer, "reference"):
            layer.reference = True
    return module


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def settled_(module: nn.Module) -> nn.Module:
    """Batch norms with statistics and weights that are not the initial ones; in eval mode."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight.data, layer.running_var):
                values.uniform_(0.5, 2)
            for values in (layer.bias.data, layer.running_mean):
                values.normal_()
    return module.eval()


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 3, 6, 8, 8), (2, 3, 5, 8, 8), (2, 3, 1, 8, 8)])
def test_convolution_and_pooling_are_one_kernel(shape):
    layer, x = PooledConv(3, 5, dim=len(shape) - 2), torch.randn(shape, requires_grad=True)
    steps = [2 if size > 1 else 1 for size in shape[2:]]
    pool = functional.avg_pool2d if len(shape) == 4 else functional.avg_pool3d
    merged, two = layer(x), pool(layer.convolution(x), steps)
    assert close(merged, two) and close(as_reference(layer)(x), two)
    one, other = (torch.autograd.grad(made.square().sum(), (x, layer.convolution.weight)) for made in (merged, two))
    assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(one, other, strict=True))


def test_upsampling_and_convolution_are_one_kernel():
    layer, x = UpsampledConv(3, 5), torch.randn(2, 3, 5, 7)
    two = layer.convolution(x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert close(layer(x), two) and close(as_reference(layer)(x), two)


@pytest.mark.parametrize("layer", [StaticConv2d(5, 4), UpsampledConv(5, 4)])
def test_what_stands_still_is_convolved_once_a_clip(layer):
    static, dynamic = torch.randn(2, 3, 6, 6), torch.randn(2 * 4, 2, 6, 6)
    joined = torch.cat([static.repeat_interleave(4, 0), dynamic], dim=1)
    assert close(layer(dynamic, static), layer(joined))
    assert close(as_reference(layer)(dynamic, static), layer(joined))


def test_residual_blocks_are_what_their_docstrings_say():
    down, x = ResidualDown(3, 5, slope=0.1), torch.randn(2, 3, 8, 8)
    act = nn.LeakyReLU(0.1)
    made = functional.avg_pool2d(down.second.convolution(act(down.first(act(x)))), 2)
    assert close(down(x), made + down.shortcut(functional.avg_pool2d(x, 2)))

    up, twice = settled_(ResidualUp(3, 5)), nn.Upsample(scale_factor=2)
    made = up.first.convolution(twice(up.norm(x).relu()))
    made = up.second(up.second_norm(made).relu())
    assert close(up(x), made + up.shortcut.convolution(twice(x)))


@pytest.mark.parametrize("training", [False, True])
def test_a_block_with_still_channels_equals_the_plain_form(training):
    block = settled_(ResidualUp(5, 4)).train(training)
    static, dynamic = torch.randn(2, 3, 6, 6), torch.randn(2 * 4, 2, 6, 6)
    state = {name: value.clone() for name, value in block.state_dict().items()}
    fast, after = block(dynamic, static), {name: value.clone() for name, value in block.state_dict().items()}
    block.load_state_dict(state)
    assert close(fast, as_reference(block)(dynamic, static))
    assert all(torch.allclose(after[name].float(), value.float()) for name, value in block.state_dict().items())


def test_sizes_of_the_trunk():
    for size, sides in ((64, [64, 32, 16, 8, 4]), (96, [96, 48, 24, 12, 6]), (128, [128, 64, 32, 16, 8, 4])):
        levels = trunk_specs(size, 64, 512)
        assert [size // level.stride for level in levels] == sides
        assert [level.channels for level in levels] == [64, 128, 256, 512, 512, 512][: len(sides)]
    maps = ResidualTrunk(3, 32, 4, 8, dim=3)(torch.randn(1, 3, 6, 32, 32))
    assert [tuple(level.shape[1:]) for level in maps] == [(4, 6, 32, 32), (8, 3, 16, 16), (8, 1, 8, 8), (8, 1, 4, 4)]
    with pytest.raises(ConfigError, match="72 pixels come to 9, which is odd"):
        trunk_specs(72, 64, 512)


# The decoder

LEVELS = tuple(FeatureSpec(width, 1 << i) for i, width in enumerate(WIDTHS[::-1]))


def decoder(dense: bool = True, content: Spec | None = None, motion: Spec | None = None) -> DenseDecoder:
    content = content or Spec(code=6, pyramid=LEVELS)
    motion = motion or Spec(trajectory=6, maps=LEVELS, map_groups=("driving", "reference"))
    return settled_(DenseDecoder(SIZE, content, motion, 4, width=4, max_width=8, dense=dense))


def inputs(batch: int = 2, length: int = 3) -> tuple[Content, Motion]:
    shapes = [(level.channels, SIZE // level.stride, SIZE // level.stride) for level in LEVELS]
    pyramid, reference = (tuple(torch.randn(batch, *shape) for shape in shapes) for _ in range(2))
    driving = tuple(torch.randn(batch, c, length, h, w) for c, h, w in shapes)
    maps = dict(driving=driving, reference=reference)
    image = torch.rand(batch, 3, SIZE, SIZE)
    trajectory = torch.randn(batch, length, 6)
    return Content(image, pyramid, torch.randn(batch, 6)), Motion(length, trajectory=trajectory, maps=maps)


def slow(part: DenseDecoder, content: Content, motion: Motion) -> torch.Tensor:
    """The decoder from the paper's words, one frame at a time, every layer as it is."""
    twice = nn.Upsample(scale_factor=2, mode="nearest")
    frames = []
    for t in range(motion.length):
        skips = [
            torch.cat([image, reference, driving[:, :, t]], dim=1)
            for image, reference, driving in zip(
                content.pyramid, motion.maps["reference"], motion.maps["driving"], strict=True
            )
        ][::-1]
        outputs = [part.start(content.code + motion.trajectory[:, t]).view(-1, WIDTHS[0], 4, 4)]
        for skip, block in zip(skips, part.blocks, strict=False):
            read = []
            for output in outputs if part.dense else outputs[-1:]:
                while output.shape[-1] < skip.shape[-1]:
                    output = twice(output)
                read.append(output)
            x = torch.cat([skip, *read], dim=1)
            made = block.second_norm(block.first.convolution(twice(block.norm(x).relu()))).relu()
            outputs.append(block.second(made) + block.shortcut.convolution(twice(x)))
        x = torch.cat([skips[-1], part.norm(outputs[-1]).relu()], dim=1)
        frames.append(functional.conv2d(x, part.last.weight, part.last.bias, padding=1))
    return torch.stack(frames, dim=2)


@pytest.mark.parametrize("dense", [True, False])
def test_decoder_equals_a_slow_reference(dense):
    part, (content, motion) = decoder(dense), inputs()
    features, base = part(content, motion, None)
    assert close(features, slow(part, content, motion))
    assert torch.equal(base[:, :, 0], content.image)
    assert close(as_reference(part)(content, motion, None)[0], features)


@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("frames, pieces", [(2, [2, 2, 1] * 3), (5, [5] * 3), (11, [10, 5]), (14, [10, 5]), (15, [15])])
def test_many_frames_are_decoded_piece_by_piece_in_eval_mode_only(monkeypatch, per_frame, frames, pieces):
    """Three clips of 5 frames."""
    part, (content, motion) = decoder(), inputs(batch=3, length=5)
    if per_frame:
        content = replace(content, code=torch.randn(3, 5, 6))
    whole, trained = part(content, motion, None)[0], copy.deepcopy(part).train()(content, motion, None)[0]
    decoded = []
    part.start.register_forward_hook(lambda module, args, output: decoded.append(output.shape[:2].numel()))
    monkeypatch.setattr(part, "frames_at_once", lambda device: frames)
    assert close(part(content, motion, None)[0], whole)
    assert decoded == pieces
    # In training the statistics of the batch norms are those of all frames.
    assert torch.equal(part.train()(content, motion, None)[0], trained) and decoded[len(pieces) :] == [15]


@pytest.mark.parametrize("block", [ResidualDown(2, 3, slope=0.1), ResidualDown(2, 3, dim=3, slope=0.0)])
def test_activations_in_place_have_both_derivatives(block):
    """As a gradient penalty asks for them, by finite differences."""
    x = torch.randn(1, 2, *[4] * (block.first.weight.dim() - 2), dtype=torch.double, requires_grad=True)
    block = block.double()
    assert torch.autograd.gradcheck(block, x) and torch.autograd.gradgradcheck(block, x)


def test_a_piece_holds_about_a_gib_on_a_cpu_and_ten_on_a_gpu_of_80():
    """At the paper's width; what it holds is counted on the meta device."""
    sizes = {}
    for size in (64, 96, 128):
        with torch.device("meta"):
            model = MODELS.build(load_config("frgan_forecast_mug", {"model.image_size": size}).model).eval()
            clip = model.generator.with_conditions(VideoBatch(torch.empty(2, 3, 4, size, size)))
        part = model.generator.decoder
        content, motion = model.generator.encode_content(clip), model.generator.encode_motion(clip, GenerationState())
        read = [content.image, content.code, motion.trajectory, *content.pyramid]
        read += [level for levels in motion.maps.values() for level in levels]
        with torch.no_grad(), TensorMemory([*read, *part.parameters(), *part.buffers()]) as memory:
            part(content, motion, GenerationState())
        held = memory.peaks[""] / 8
        sizes[size] = [part.frames_at_once(torch.device(kind)) for kind in ("cpu", "meta")]
        assert sizes[size][0] * held == pytest.approx(2**30, rel=0.3)
        assert sizes[size][1] * held == pytest.approx(10 * 2**30, rel=0.3)
    assert sizes[64] == [36, 365] and sizes[96] == [16, 162]


def readers(part: DenseDecoder, perturbed: int) -> set[int]:
    """Which blocks read the output of a block directly (-1: of the linear layer; the last convolution is a block too).

    Every block is made to give a constant, so that a change reaches only those that read it.
    """
    seen: list[dict[int, torch.Tensor]] = []
    constant: dict[int, torch.Tensor] = {}
    layers = [*part.blocks, part.last]
    content, motion = inputs()
    for change in (0.0, 1.0):
        read: dict[int, torch.Tensor] = {}
        handles = [part.start.register_forward_hook(lambda m, i, o, c=change: o + c * (perturbed == -1))]
        for i, layer in enumerate(layers):

            def look(module, args, i=i, read=read):
                read[i] = args[0].clone()

            def fix(module, args, output, i=i, c=change):
                return constant.setdefault(i, output) + c * (i == perturbed)

            handles += [layer.register_forward_pre_hook(look), layer.register_forward_hook(fix)]
        part(content, motion, None)
        seen.append(read)
        for handle in handles:
            handle.remove()
    return {i for i in range(len(layers)) if not torch.equal(seen[0][i], seen[1][i])}


def test_which_block_reads_which():
    part, reference = decoder(), decoder(dense=False)
    assert [readers(part, block) for block in (-1, 0, 1, 2)] == [{0, 1, 2}, {1, 2}, {2}, {3}]
    assert [readers(reference, block) for block in (-1, 0, 1, 2)] == [{0}, {1}, {2}, {3}]


@pytest.mark.parametrize("frame", [0, 2])
def test_a_frame_depends_on_its_own_maps_and_on_the_still_ones(frame):
    part, (content, motion) = decoder(), inputs()
    before = part(content, motion, None)[0]
    for level in range(len(LEVELS)):
        driving = [maps.clone() for maps in motion.maps["driving"]]
        driving[level][:, :, frame] += 1
        changed = Motion(3, trajectory=motion.trajectory, maps=dict(motion.maps, driving=tuple(driving)))
        moved = (part(content, changed, None)[0] - before).abs().amax(dim=(0, 1, 3, 4))
        assert [bool(m > 1e-4) for m in moved] == [t == frame for t in range(3)]
        pyramid = [maps + (i == level) for i, maps in enumerate(content.pyramid)]
        changed = part(Content(content.image, tuple(pyramid), content.code), motion, None)[0]
        assert ((changed - before).abs().amax(dim=(0, 1, 3, 4)) > 1e-4).all()


def test_decoder_takes_what_there_is():
    content, motion = inputs()
    bare = decoder(content=Spec(code=6), motion=Spec(trajectory=9))
    assert bare.motion_to_code.in_features == 9 and decoder().motion_to_code is None
    made = bare(Content(content.image, code=content.code), Motion(3, trajectory=torch.randn(2, 3, 9)), None)[0]
    assert made.shape == (2, 4, 3, SIZE, SIZE)
    coarse = decoder(content=Spec(code=6, pyramid=(FeatureSpec(5, 2), FeatureSpec(7, 8))), motion=Spec(trajectory=6))
    assert [block.norm.num_features for block in coarse.blocks] == [8 + 7, 8 + 8, 8 + 8 + 8 + 5]
    assert coarse.last.in_channels == 4
    per_frame = Content(content.image, content.pyramid, torch.randn(2, 3, 6))
    assert not torch.equal(*(decoder()(c, motion, None)[0] for c in (content, per_frame)))
