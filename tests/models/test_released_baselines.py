"""VGAN and MoCoGAN as their authors' code has them, against plain layers that are written here by its layer tables."""

import math
from itertools import pairwise

import narrow
import pytest
import torch
from torch import nn
from torch.nn import functional

from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.models.decoders import FrameDecoder, TwoStreamMapDecoder
from i2vkit.models.discriminators import FrameDiscriminator, VideoDiscriminator
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import DiscriminatorCategoryLoss
from i2vkit.models.motion_generators import LstmUnroll, NoiseGru
from i2vkit.registry import MODELS
from i2vkit.structures import Content, FeatureSpec, Motion, Spec

from .test_labels_and_noise import LABELS, classifying, context_of, drawn


def count(part: nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())


def built(name: str):
    with torch.device("meta"):
        return MODELS.build(load_config(name).model)


def test_mocogans_video_discriminator_keeps_the_frame_rate():
    """4x4x4, stride (1, 2, 2), padding (0, 1, 1): 16 frames become 13, 10, 7 and 4, and then one logit."""
    network = VideoDiscriminator(
        in_channels=3, image_size=32, num_classes=5, widths=(4, 6, 8, 8), halves_time=False, last_length=4
    ).eval()
    clip, lengths = torch.randn(2, 3, 16, 32, 32), []
    x = clip
    for i, block in enumerate(network.blocks):
        x = functional.conv3d(x, block[0].weight, block[0].bias, stride=(1, 2, 2), padding=(0, 1, 1))
        x = functional.leaky_relu(x if i == 0 else functional.batch_norm(x, *norm_of(block[1])), 0.2)
        lengths.append(x.shape[2])
    assert lengths == [13, 10, 7, 4] and network.min_frames == 16
    # One layer of 1 + classes channels is our two.
    weight = torch.cat([network.to_score.weight, network.to_class.weight])
    both = functional.conv3d(x, weight, torch.cat([network.to_score.bias, network.to_class.bias]))
    assert torch.allclose(network(clip), both[:, :1].flatten(1), atol=1e-5) and network(clip).shape == (2, 1)
    assert torch.allclose(network.classify(clip), both[:, 1:].flatten(1), atol=1e-5)
    with pytest.raises(ConfigError, match="needs clips of 16 frames or more, got 15"):
        network(clip[:, :, 1:])


def norm_of(layer: nn.BatchNorm3d) -> tuple[torch.Tensor, ...]:
    return layer.running_mean, layer.running_var, layer.weight, layer.bias


def test_a_label_joins_where_the_frame_rate_is_kept():
    arguments = dict(in_channels=3, image_size=32, label_size=3, widths=(4, 6), halves_time=False, last_length=2)
    network = VideoDiscriminator(**arguments).eval()
    clip, label = torch.randn(2, 3, 9, 32, 32), torch.eye(3)[[0, 2]]
    found = network(clip, label)
    x = network.blocks[0](clip)
    maps = label[..., None, None, None].expand(-1, -1, *x.shape[2:])
    assert torch.allclose(found, network.to_score(network.blocks[1](torch.cat([x, maps], dim=1))).flatten(1), atol=1e-6)
    assert not torch.allclose(found, network(clip, label.roll(1, dims=1)), atol=1e-4)


def test_patches_of_frames_each_have_a_logit():
    network = FrameDiscriminator(in_channels=3, image_size=32, widths=(4, 8), patches=True).eval()
    frame = torch.randn(2, 3, 32, 32)
    before = network(frame)
    assert before.shape == (2, 4 * 4)
    changed = frame.clone()
    changed[:, :, :4, :4] += 1  # a corner: seen by the logit of its patch, not by that of the other corner
    moved = (network(changed) - before).abs().amax(dim=0)
    assert moved[0] > 1e-5 and moved[-1] == 0
    with pytest.raises(ConfigError, match="patches halves the frames once more"):
        FrameDiscriminator(in_channels=3, image_size=4, widths=(4, 8), patches=True)


def test_sizes_of_mocogan_are_those_of_the_released_code():
    """Theirs with seven classes, and ours: a bias in the first and last layers, which theirs has not."""
    model = built("mocogan_mug")
    assert count(model.discriminators["video"]) == 11_286_272 + 64 + 8
    assert count(model.discriminators["frame"]) == 663_296 + 64 + 1
    assert model.discriminators["frame"].network.patches
    sizes = (50 + 7 + 10, 512, 256, 128, 64)
    theirs = sum(16 * a * b + 2 * b for a, b in pairwise(sizes)) + 16 * 64 * 3
    assert count(model.generator.decoder) == theirs + 3
    assert count(model.generator.motion_generator) == count(nn.GRUCell(10, 10))


def test_mocogan_trains_as_the_released_code():
    cfg = load_config("mocogan_mug")
    adam = cfg.optim_wrapper.optimizer
    assert (adam.lr, tuple(adam.betas), adam.weight_decay) == (2e-4, (0.5, 0.999), 1e-5)
    assert list(cfg.model.phases) == ["discriminators", "generator"]
    losses = cfg.model.phases.discriminators.losses
    assert losses.video_discriminator_category.generated is False
    assert not losses.frame_discriminator.same_indices and not losses.video_discriminator.same_indices
    network = MODELS.build(cfg.model).discriminators["video"].network
    bound = 1 / math.sqrt(64 * 64)  # torch's: uniform below one over the root of the fan-in
    assert network.blocks[1][0].weight.abs().max().item() == pytest.approx(bound, rel=1e-3)


def test_classes_are_learned_from_real_videos_alone():
    context = context_of(classifying("VideoDiscriminator", "WholeClip"), lengths=(6, 6))
    both, real = (DiscriminatorCategoryLoss("one", generated=generated)(context) for generated in (True, False))
    discriminator = context.discriminator("one")
    labels = torch.tensor([0, 1])
    logits = discriminator.network.classify(context.real("reconstruct").video)
    assert real.item() == pytest.approx(functional.cross_entropy(logits, labels).item(), rel=1e-4)
    assert both.item() > real.item() + 0.1
    loss = DiscriminatorCategoryLoss("one", passes=["reconstruct", "reconstruct"], generated=False)(context)
    assert loss.item() == pytest.approx(real.item(), rel=1e-4)  # the mean over the passes


def test_a_label_at_the_output_of_the_gru_leaves_motion_alone():
    part = NoiseGru(Spec(condition=3), noise=4, hidden=5, label="output")
    assert part.spec.trajectory == 8
    found, other = (
        part(drawn(labels=labels), GenerationState([3, 4], like=LABELS)).trajectory
        for labels in (LABELS, torch.tensor([1, 1]))
    )
    assert torch.equal(found[..., :5], other[..., :5])
    assert torch.equal(found[..., 5:], functional.one_hot(LABELS, 3).float()[:, None].expand(-1, 6, -1))
    state = GenerationState([3, 4], like=LABELS)
    chunks = [part(drawn(length), state).trajectory for length in (2, 4)]
    assert torch.allclose(torch.cat(chunks, dim=1), found, atol=1e-6)
    assert NoiseGru(Spec(), label="output").spec.trajectory == 10
    with pytest.raises(ConfigError, match="takes 'input' or 'output'"):
        NoiseGru(Spec(condition=3), label="decoder")


@pytest.mark.parametrize("scaled", ["content", "motion"])
def test_codes_keep_their_scale_where_they_are_not_normalized(scaled):
    def videos(**switches) -> list[torch.Tensor]:
        torch.manual_seed(0)
        part = FrameDecoder(
            image_size=16, content=Spec(code=6), motion=Spec(trajectory=5), out_channels=3, widths=(8, 4), **switches
        ).eval()
        torch.manual_seed(1)
        code, trajectory, image = torch.randn(2, 6), torch.randn(2, 4, 5), torch.zeros(2, 3, 16, 16)
        made = []
        for factor in (1.0, 3.0):
            content = Content(image, code=code * (factor if scaled == "content" else 1))
            motion = Motion(4, trajectory=trajectory * (factor if scaled == "motion" else 1))
            made.append(part(content, motion, GenerationState())[0])
        return made

    assert torch.allclose(*videos(), rtol=1e-3, atol=1e-7)
    assert not torch.allclose(*videos(**{f"normalize_{scaled}": False}), rtol=0.1)


def test_the_code_of_an_lstm_keeps_its_scale_where_it_is_not_normalized():
    code = torch.randn(2, 6)
    for normalize in (True, False):
        part = LstmUnroll(Spec(code=6), hidden=5, normalize=normalize)
        small, large = (part(Motion(4, code=code * size), GenerationState()).trajectory for size in (1.0, 3.0))
        assert torch.allclose(small, large, atol=1e-4) == normalize
    plain = functional.layer_norm(code, (6,))
    part = LstmUnroll(Spec(code=6), hidden=5, normalize=False)
    both = LstmUnroll(Spec(code=6), hidden=5)
    both.load_state_dict(part.state_dict())
    found = part(Motion(4, code=plain), GenerationState()).trajectory
    assert torch.allclose(found, both(Motion(4, code=code), GenerationState()).trajectory, atol=1e-6)


def test_sizes_of_vgan_for_given_images_are_those_of_the_authors_script():
    """Theirs has biases before batch norms and two outputs for one, which change nothing."""
    model = built("vgan_mug_released_code")
    assert count(model.generator.content_encoder) == 11_021_696 - (256 + 512 + 1024)
    static = [(1024, 512), (512, 256), (256, 128)]
    theirs = sum(16 * a * b + b + 2 * b for a, b in static) + 16 * 128 * 3 + 3
    theirs += 2 * 1024 * 1024 + 3 * 1024 + sum(64 * a * b + b + 2 * b for a, b in static) + 64 * 128 * 4 + 4
    assert count(model.generator.decoder) == theirs
    widths = [3, 128, 256, 512, 1024]
    convolutions = sum(64 * a * b for a, b in pairwise(widths)) + 32 * 1024
    assert count(model.discriminators["video"]) == convolutions + 128 + 2 * (256 + 512 + 1024) + 1
    losses = [loss.name for loss in model.phases[1].losses]
    assert losses == ["video_adversarial", "first_frame_l1"] and model.phases[1].losses[1].weight_at(0) == 10


def test_both_streams_of_the_map_decoder_are_plain_transposed_convolutions():
    part = TwoStreamMapDecoder(
        image_size=16,
        content=Spec(pyramid=(FeatureSpec(7, 2), FeatureSpec(5, 4))),
        out_channels=4,
        base_requested=True,
        widths=(6, 4),
        time=((2, 1), (4, 2), (4, 2)),
    ).eval()
    maps = torch.randn(2, 5, 4, 4)
    content = Content(torch.zeros(2, 3, 16, 16), pyramid=(torch.zeros(2, 7, 8, 8), maps))
    features, base = part(content, Motion(8), GenerationState())
    x = functional.conv_transpose3d(maps[:, :, None], part.foreground[0].weight, part.foreground[0].bias)
    for norm, place in ((1, 3), (4, 6)):
        x = functional.relu(functional.batch_norm(x, *norm_of(part.foreground[norm])))
        layer = part.foreground[place]
        x = functional.conv_transpose3d(x, layer.weight, layer.bias, stride=2, padding=1)
    assert features.shape == (2, 4, 8, 16, 16) and torch.allclose(features, x, atol=1e-5)
    y = functional.conv_transpose2d(maps, part.background[0].weight, part.background[0].bias, stride=2, padding=1)
    y = functional.relu(functional.batch_norm(y, *norm_of(part.background[1])))
    y = functional.conv_transpose2d(y, part.background[3].weight, part.background[3].bias, stride=2, padding=1)
    assert base.shape == (2, 3, 1, 16, 16) and torch.allclose(base[:, :, 0], y.tanh(), atol=1e-5)
    with pytest.raises(ConfigError, match="starts from maps of 2 pixels, and the last map of the content has 4"):
        TwoStreamMapDecoder(16, Spec(pyramid=(FeatureSpec(5, 4),)), 4, True, widths=(8, 6, 4), time=narrow.TIME)
