"""Motion from label and noise, discriminators that read a label or tell it, and the papers that need them."""

import math

import narrow
import pytest
import torch
from torch import nn
from torch.nn import functional

from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import FrameDiscriminator, RandomFrames, VectorDiscriminator, VideoDiscriminator
from i2vkit.models.discriminators.discriminator import DiscriminatorInput, wrong_labels
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import (
    AdversarialLoss,
    CategoryLoss,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    FirstFrameL1Loss,
)
from i2vkit.models.motion_generators import LabelFusion, NoiseGru
from i2vkit.models.training.context import GanContext
from i2vkit.registry import MODELS
from i2vkit.structures import Motion, Spec, VideoBatch

LABELS = torch.tensor([0, 2])


def drawn(length: int = 6, labels: torch.Tensor | None = LABELS) -> Motion:
    """Motion as the generator draws it, before the motion generator."""
    condition = None if labels is None else functional.one_hot(labels, 3).float()
    return Motion(length, condition=condition, num_frames=torch.tensor([length, length - 1]))


def imaginator(labels=narrow.LABELS, **changes):
    """ImaGINator, narrow."""
    generator = dict(
        content_encoder=narrow.NARROW["ConvPyramidEncoder"],
        motion_encoder=None,
        motion_generator=narrow.NARROW["LabelFusion"],
        decoder=narrow.NARROW["TransposedConv1p2dDecoder"],
    )
    discriminators = dict(
        frame=narrow.discriminator("FrameDiscriminator", "RandomFrames"),
        video=narrow.discriminator("VideoDiscriminator", "WholeClip", condition="label" if labels else None),
    )
    settings = (
        dict(generator=generator, discriminators=discriminators, labels=labels, phases=phases("frame", "video"))
        | changes
    )
    model = narrow.build(**settings)
    with torch.no_grad():
        for parameter in model.generator.decoder.parameters():
            parameter.mul_(2)
    return model


def phases(*discriminators: str) -> dict[str, dict]:
    return dict(
        discriminators=dict(
            updates=[f"discriminators.{name}" for name in discriminators],
            losses={
                f"{name}_discriminator": dict(type=DiscriminatorLoss, discriminator=name) for name in discriminators
            },
        ),
        generator=dict(
            updates=["generator"],
            losses={f"{name}_adversarial": dict(type=AdversarialLoss, discriminator=name) for name in discriminators},
        ),
    )


def video_of(model, label: int, seed: int, motion: str = "driving") -> torch.Tensor:
    clip = narrow.batch(lengths=(6,))["inputs"]["driving"][0][None].float() / 127.5 - 1
    return next(model.generate_chunks([VideoBatch(clip, label=torch.tensor([label]))], [seed], motion=motion)).video


def context_of(model, **batch) -> GanContext:
    clip = model.data_preprocessor(narrow.batch(**batch))["clip"]
    return GanContext(model, clip, 0, tuple(model.passes), True)


def test_label_fusion_draws_its_noise_by_seed_and_leaves_the_label():
    part = LabelFusion(Spec(condition=3), noise=512)
    motion = drawn()
    first, again, other = (part(motion, GenerationState(seeds, like=LABELS)) for seeds in ([1, 2], [1, 2], [1, 3]))
    assert first.code.shape == (2, 512) and part.spec == Spec(code=512, condition=3)
    assert first.condition is motion.condition
    assert torch.equal(first.code, again.code)
    assert torch.equal(first.code[0], other.code[0]) and not torch.equal(first.code[1], other.code[1])
    assert first.code.mean().abs() < 0.15 and first.code.std() == pytest.approx(1, abs=0.1)
    state = GenerationState(like=LABELS)
    assert torch.equal(part(motion, state).code, part(motion, state).code)  # one clip, whatever the chunk
    assert not torch.equal(
        part(motion, GenerationState(like=LABELS)).code, part(motion, GenerationState(like=LABELS)).code
    )


def test_label_fusion_takes_any_number_of_labels_and_no_noise_but_not_nothing():
    assert LabelFusion(Spec(condition=24), noise=0)(drawn(), GenerationState([0, 0], like=LABELS)).code.shape == (2, 0)
    assert LabelFusion(Spec(), noise=8)(drawn(labels=None), GenerationState([0, 0], like=LABELS)).condition is None
    with pytest.raises(ConfigError, match="neither noise nor labels"):
        LabelFusion(Spec(), noise=0)


def test_gru_reads_new_noise_and_the_label_at_every_step():
    part = NoiseGru(Spec(condition=3), noise=4, hidden=5)
    motion = drawn()
    found = part(motion, GenerationState([3, 4], like=LABELS)).trajectory
    state = GenerationState([3, 4], like=LABELS)
    noise = state.normal_per_frame(part, "noise", 6, (4,))
    hidden = state.normal(part, "start", (5,))
    weight_in, weight, bias_in, bias = (p.detach() for p in part.gru.parameters())
    for t in range(6):
        gates_in = torch.cat([noise[:, t], motion.condition], dim=1) @ weight_in.T + bias_in
        gates = hidden @ weight.T + bias
        reset = torch.sigmoid(gates_in[:, :5] + gates[:, :5])
        update = torch.sigmoid(gates_in[:, 5:10] + gates[:, 5:10])
        new = torch.tanh(gates_in[:, 10:] + reset * gates[:, 10:])
        hidden = (1 - update) * new + update * hidden
        assert torch.allclose(found[:, t], hidden, atol=1e-6)
    assert (noise[:, 1:] - noise[:, :-1]).abs().amin() > 0
    other = part(drawn(labels=torch.tensor([0, 1])), GenerationState([3, 4], like=LABELS)).trajectory
    assert torch.equal(other[0], found[0]) and not torch.allclose(other[1], found[1], atol=1e-3)


def test_gru_in_chunks_equals_the_whole_and_has_any_length():
    part = NoiseGru(Spec(condition=3), noise=20, hidden=5)
    whole = part(drawn(40), GenerationState([3, 4], like=LABELS)).trajectory
    state = GenerationState([3, 4], like=LABELS)
    chunks = [part(drawn(length), state).trajectory for length in (1, 16, 23)]
    assert torch.allclose(torch.cat(chunks, dim=1), whole, atol=1e-6)


def test_label_and_seed_change_the_video_and_nothing_else_does():
    model = imaginator()
    assert model.generator.reads_label and model.generator.has_prior
    first = video_of(model, 0, 5)
    assert torch.equal(first, video_of(model, 0, 5)) and torch.equal(first, video_of(model, 0, 5, "prior"))
    assert (first - video_of(model, 1, 5)).abs().max() > 1e-3
    assert (first - video_of(model, 0, 6)).abs().max() > 1e-3


def test_a_label_reaches_a_decoder_behind_an_adapter():
    """LabelFusion gives a code and FrameDecoder reads a trajectory: the label goes with the code."""
    fused = dict(content_encoder=narrow.NARROW["ConvPyramidEncoder"], decoder=narrow.NARROW["FrameDecoder"])
    model = imaginator(generator=dict(motion_generator=narrow.NARROW["LabelFusion"], motion_encoder=None, **fused))
    assert [type(adapter).__name__ for adapter in model.generator.decoder_adapters] == ["CodeToTrajectory"]
    assert (video_of(model, 0, 5) - video_of(model, 1, 5)).abs().max() > 1e-3


def test_motion_encoded_from_a_video_knows_no_label_behind_an_adapter():
    fused = dict(content_encoder=narrow.NARROW["ConvPyramidEncoder"], decoder=narrow.NARROW["FrameDecoder"])
    encoded = dict(motion_encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=None)
    model = imaginator(generator=encoded | fused)
    assert not model.generator.reads_label
    assert torch.equal(video_of(model, 0, 5), video_of(model, 1, 5))


def test_a_missing_or_unknown_label_is_refused_where_it_is_read():
    model = imaginator()
    clip = VideoBatch(torch.zeros(1, 3, 6, 32, 32))
    with pytest.raises(ConfigError, match=r"makes videos by label \(it knows 3\) and the clip has none"):
        next(model.generate_chunks([clip], [0]))
    with pytest.raises(ConfigError, match=r"3 labels \(a, b, c\), the data have the class indices \[3\]"):
        next(model.generate_chunks([VideoBatch(clip.driving, label=torch.tensor([3]))], [0]))
    assert not narrow.build().generator.reads_label  # DTGAN has labels and does not read them
    next(narrow.build().generate_chunks([clip], [0]))


def test_without_labels_noise_is_all():
    model = imaginator(labels=[])
    assert not model.generator.reads_label
    log = model.train_step(narrow.batch(), narrow.optimizers(model))
    assert all(torch.isfinite(value) for value in log.values())
    assert (video_of(model, 0, 5) - video_of(model, 0, 6)).abs().max() > 1e-3
    assert torch.equal(video_of(model, 0, 5), video_of(model, 1, 5))
    with pytest.raises(ConfigError, match='conditioned on "label", which this model does not have'):
        imaginator(
            labels=[],
            discriminators=dict(video=narrow.discriminator("VideoDiscriminator", "WholeClip", condition="label")),
        )
    with pytest.raises(ConfigError, match="has no labels"):
        imaginator(
            labels=[], discriminators=dict(video=narrow.discriminator("VideoDiscriminator", "WholeClip", classify=True))
        )


def unit(layer: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a layer under spectral norm, which in eval mode does not change."""
    return layer.weight.detach(), layer.bias.detach()


def test_video_discriminator_is_the_description():
    """3D convolutions 4x4x4 of stride 2, the label as maps behind the first, then (2, 4, 4) to one logit."""
    network = VideoDiscriminator(
        in_channels=3, image_size=32, label_size=3, widths=(4, 6, 8), norm="spectral", last_length=2
    ).eval()
    clip, label = torch.randn(2, 3, 16, 32, 32), functional.one_hot(LABELS, 3)
    x = clip
    for i, block in enumerate(network.blocks):
        x = functional.leaky_relu(functional.conv3d(x, *unit(block[0]), stride=2, padding=1), 0.2)
        if i == 0:
            maps = torch.zeros(2, 3, *x.shape[2:])
            for b, index in enumerate(LABELS):
                maps[b, index] = 1
            x = torch.cat([x, maps], dim=1)
    assert network.to_score.kernel_size == (2, 4, 4)
    expected = functional.conv3d(x, *unit(network.to_score)).flatten(1)
    assert expected.shape == (2, 1)
    assert torch.allclose(network(clip, label), expected, atol=1e-6)
    other = network(clip, functional.one_hot(torch.tensor([1, 2]), 3))
    assert not torch.equal(other[0], expected[0])
    assert torch.allclose(other[1], expected[1], atol=1e-6)
    assert network(torch.randn(2, 3, 32, 32, 32), label).shape == (2, 3)  # a longer clip: a logit for each stretch
    with pytest.raises(ConfigError, match="clips of 16 frames or more, got 8"):
        network(clip[:, :, :8], label)


@pytest.mark.parametrize("norm", ["batch", "spectral", None])
@pytest.mark.parametrize("size", [(16, 32, 32), (18, 32, 32), (20, 32, 32), (4, 16, 16)])
def test_a_label_joins_as_its_maps_would(norm, size):
    """Sides of 9 and 10 frames, 8 and 16 pixels behind the first block: even, odd, and too small for a shortcut."""
    torch.manual_seed(0)
    network = VideoDiscriminator(
        in_channels=3, image_size=size[1], label_size=3, widths=(4, 6), norm=norm, last_length=1
    ).double()
    clip, label = torch.randn(2, 3, *size).double(), functional.one_hot(LABELS[:2], 3)
    network.eval()
    results = []
    for reference in (True, False):
        network.reference = reference
        network.zero_grad()
        scores = network(clip, label)
        scores.sum().backward()
        results.append([scores, *(p.grad for p in network.parameters())])
    for expected, found in zip(*results, strict=True):
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


def spectral_discriminator():
    """A video discriminator that reads labels, under spectral norm."""
    discriminator = narrow.discriminator("VideoDiscriminator", "WholeClip", condition="label")
    discriminator["network"] = discriminator["network"] | dict(norm="spectral")
    return imaginator(discriminators=dict(video=discriminator), phases=phases("video")).discriminators["video"]


def test_looks_of_one_sample_share_what_does_not_depend_on_the_label(monkeypatch):
    discriminator = spectral_discriminator()
    clip = torch.randn(3, 3, 16, narrow.SIZE, narrow.SIZE)
    right, wrong = (
        DiscriminatorInput(clip, label=functional.one_hot(torch.tensor(y), 3)) for y in ([0, 1, 2], [1, 2, 0])
    )
    other = DiscriminatorInput(torch.randn_like(clip), label=right.label)
    discriminator.eval()  # spectral norm stands still
    expected = [discriminator(disc_input.sample, disc_input.label) for disc_input in (right, wrong, other)]
    shared = []
    shared_features = discriminator.network.shared_features
    monkeypatch.setattr(
        discriminator.network, "shared_features", lambda *given: shared.append(given) or shared_features(*given)
    )
    with discriminator.scoring() as score:
        found = [score(disc_input) for disc_input in (right, wrong, other)]
    assert len(shared) == 2
    for one, two in zip(found, expected, strict=True):
        assert torch.allclose(one, two, atol=1e-6)
    assert not torch.allclose(found[0], found[1])


def test_a_discriminator_takes_one_power_iteration_for_all_that_it_is_shown():
    """After one input and after two the vectors of the iteration are the same; done plainly they go on."""
    disc_inputs = [
        DiscriminatorInput(torch.randn(2, 3, 16, narrow.SIZE, narrow.SIZE), functional.one_hot(LABELS[:2], 3))
        for _ in range(2)
    ]
    vectors = []
    for number in (1, 2):
        torch.manual_seed(4)
        discriminator = spectral_discriminator()
        with discriminator.scoring() as score:
            for disc_input in disc_inputs[:number]:
                score(disc_input)
        vectors.append(discriminator.network.blocks[0][0].parametrizations.weight[0]._u.clone())
    assert torch.equal(*vectors)
    discriminator.reference = True
    with discriminator.scoring() as score:
        score(disc_inputs[0])
    assert not torch.equal(discriminator.network.blocks[0][0].parametrizations.weight[0]._u, vectors[0])


def test_spectral_norm_is_on_every_layer_of_a_discriminator():
    for network in (
        VideoDiscriminator(in_channels=3, image_size=32, widths=(4, 6), norm="spectral", num_classes=3),
        FrameDiscriminator(in_channels=3, image_size=32, widths=(4, 6), norm="spectral", num_classes=3),
        VectorDiscriminator(in_channels=3, widths=(4, 6), norm="spectral", num_classes=3),
    ):
        layers = [m for m in network.modules() if isinstance(m, nn.modules.conv._ConvNd | nn.Linear)]
        assert len(layers) == 4
        for _ in range(30):
            for layer in layers:
                layer.weight  # noqa: B018  one more step of the power iteration
        norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in layers]
        assert norms == pytest.approx([1.0] * 4, abs=0.05)


def test_wrong_labels_are_drawn_evenly_from_all_others():
    wrong = wrong_labels(torch.ones(3000, dtype=torch.long), 4)
    assert torch.bincount(wrong, minlength=4)[1] == 0
    assert torch.bincount(wrong, minlength=4)[[0, 2, 3]].min() > 900


def bce(logits: torch.Tensor, target: float) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def test_negatives_of_algorithm_1_against_a_plain_reference():
    """D_V: real 1, generated 1/2, real with another label 1/2; D_I: real 1, generated 1. With two labels the wrong one
    is known.
    """
    model = imaginator(labels=["a", "b"])
    context = context_of(model, lengths=(6, 6))
    video = model.discriminators["video"]
    one_hot = functional.one_hot(torch.tensor([0, 1]), 2)
    real, made = context.clip.driving, context.generated("reconstruct").video
    expected = bce(video(real, one_hot), 1.0) + 0.5 * bce(video(made, one_hot), 0.0)
    expected = expected + 0.5 * bce(video(real, one_hot.flip(1)), 0.0)
    assert DiscriminatorLoss("video", wrong_label=0.5)(context).item() == pytest.approx(expected.item(), rel=1e-5)
    for same in (True, False):
        loss = DiscriminatorLoss("frame", same_indices=same)
        torch.manual_seed(7)
        value = loss(context).item()
        torch.manual_seed(7)
        frames = [(torch.rand(2, 2) * 6).long() for _ in range(2)]
        frames = [frames[0], frames[0]] if same else frames
        shown = [
            torch.stack([v[b, :, t] for b in range(2) for t in index[b]])
            for v, index in zip((real, made), frames, strict=True)
        ]
        frame = model.discriminators["frame"]
        assert value == pytest.approx((bce(frame(shown[0]), 1.0) + bce(frame(shown[1]), 0.0)).item(), rel=1e-5)


def test_wrong_labels_need_a_discriminator_that_reads_labels_and_two_of_them():
    for labels, discriminator in ((narrow.LABELS, "frame"), (["only"], "video")):
        with pytest.raises(ConfigError, match="shows wrong labels"):
            DiscriminatorLoss(discriminator, wrong_label=0.5).check(imaginator(labels=labels))


def classifying(network: str, view: str):
    return imaginator(discriminators=dict(one=narrow.discriminator(network, view, classify=True)), phases=phases("one"))


@pytest.mark.parametrize("network, view", [("VideoDiscriminator", "RandomWindow"), ("FrameDiscriminator", "AllFrames")])
def test_category_losses_are_cross_entropies(network, view):
    model = classifying(network, view)
    context = context_of(model, lengths=(6, 4))
    discriminator = model.discriminators["one"].eval()
    torch.manual_seed(2)
    both = DiscriminatorCategoryLoss("one")(context)
    torch.manual_seed(2)
    values = []
    for conditioned in (context.real("reconstruct"), context.fake("reconstruct")):
        if view == "AllFrames":
            samples = torch.cat([conditioned.video[0].transpose(0, 1), conditioned.video[1, :, :4].transpose(0, 1)])
            labels = torch.tensor([0] * 6 + [1] * 4)
        else:
            starts = (torch.rand(2) * torch.tensor([3, 1])).long()
            samples = torch.stack([conditioned.video[b, :, start : start + 4] for b, start in enumerate(starts)])
            labels = torch.tensor([0, 1])
        logits = discriminator.network.to_class(discriminator.network.features(samples)).flatten(2).mean(dim=2)
        values.append(-logits.log_softmax(dim=1)[range(len(labels)), labels].mean())
    assert both.item() == pytest.approx(sum(values).item(), rel=1e-5)
    both.backward()
    assert all(p.grad is None for p in model.generator.parameters())
    torch.manual_seed(2)
    torch.rand(2)  # the window of the real videos
    generator_loss = CategoryLoss("one")(context)
    assert generator_loss.item() == pytest.approx(values[1].item(), rel=1e-5)
    generator_loss.backward()
    assert all(p.grad is not None for p in model.generator.parameters())


def test_category_losses_need_a_discriminator_that_classifies():
    with pytest.raises(ConfigError, match="give discriminator 'video' classify=True"):
        CategoryLoss("video").check(imaginator())


def test_a_classifying_discriminator_of_equal_logits_is_at_chance():
    model = classifying("VideoDiscriminator", "WholeClip")
    for parameter in model.discriminators.parameters():
        nn.init.zeros_(parameter)
    context = context_of(model, lengths=(6, 6))
    assert CategoryLoss("one")(context).item() == pytest.approx(math.log(3))
    assert DiscriminatorCategoryLoss("one")(context).item() == pytest.approx(2 * math.log(3))


def test_first_frame_loss_looks_at_the_first_frame_and_the_image():
    context = context_of(imaginator(), lengths=(6, 4))
    made = context.generated("reconstruct").video[:, :, 0]
    expected = (made - context.clip.driving[:, :, 0]).abs().mean()
    assert FirstFrameL1Loss()(context).item() == pytest.approx(expected.item(), rel=1e-6)


NARROWED = {
    "model.image_size": 32,
    "model.generator.content_encoder.widths": (4, 6, 8),
    "model.generator.decoder.widths": (8, 6, 4),
    "model.discriminators.video.network.widths": (4, 6, 8),
}
WHOLE = {**NARROWED, "model.generator.decoder.time": ((2, 1), (4, 2), (4, 2), (4, 2))}
FRAME = {"model.discriminators.frame.network.widths": (4, 6, 8)}
IMAGINATOR = {**WHOLE, "model.generator.decoder.temporal_widths": (9, 8, 7, 6)}
THREE_D = {**WHOLE, "model.generator.decoder.same_size_as": (9, 8, 7, 6)}
PAPERS = {
    "imaginator_mug": {**IMAGINATOR, **FRAME},
    "imaginator_mug_released_code": {**IMAGINATOR, **FRAME},
    "imaginator_uva_nemo": {**IMAGINATOR, **FRAME},
    "imaginator_mug_no_noise": {**IMAGINATOR, **FRAME},
    "imaginator_mug_3d_classifier_no_frame_discriminator": THREE_D,
    "imaginator_mug_adversarial_alone": {**IMAGINATOR, **FRAME},
    "imaginator_mug_reconstruction_alone": {k: v for k, v in IMAGINATOR.items() if "discriminators" not in k},
    "vgan_mug": WHOLE,
    "mocogan_weizmann": {**NARROWED, **FRAME},
}


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_narrowed_makes_a_step_in_which_all_of_it_learns(name):
    model = MODELS.build(load_config(name, PAPERS[name]).model)
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    log = model.train_step(narrow.batch(lengths=(16, 16)), narrow.optimizers(model))
    assert all(torch.isfinite(value) for value in log.values())
    # A bias before a batch norm moves by rounding errors only, if at all.
    static = [
        key
        for key, parameter in model.named_parameters()
        if torch.equal(parameter, before[key]) and not key.endswith("bias")
    ]
    assert static == []


def test_random_frames_are_as_many_as_asked_for():
    conditioned = context_of(imaginator(), lengths=(6, 4)).real("reconstruct")
    for number in (1, 3):
        view = RandomFrames(number)
        index = view.sample_indices(conditioned)
        assert index.shape == (2, number) and (index[1] < 4).all()
        assert view.extract(conditioned, index).shape == (2 * number, 3, 32, 32)
