"""Dual-MTGAN: its losses against closed forms and plain references, its passes, its config and the ablations of it."""

from collections import Counter
from itertools import product
from types import SimpleNamespace

import narrow
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.decoders import FrameDecoder
from i2vkit.models.discriminators import RandomFrames
from i2vkit.models.encoders import Conv3dEncoder, ConvPyramidEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import (
    ContentInvarianceLoss,
    ContentVarianceRatio,
    DiscriminatorLoss,
    FrameL1Loss,
    KlLoss,
    MotionCycleLoss,
)
from i2vkit.models.losses.content_losses import within_clip_variance_ratio
from i2vkit.models.training.context import GanContext
from i2vkit.registry import MODELS
from i2vkit.structures import Motion, Spec, VideoBatch

NARROWED = {
    "model.image_size": narrow.SIZE,
    "model.generator.content_encoder.widths": (4, 6, 8),
    "model.generator.content_encoder.code": 6,
    "model.generator.motion_encoder.widths": (4, 6, 8),
    "model.generator.motion_encoder.code": 5,
    "model.generator.motion_generator.hidden": 7,
    "model.generator.decoder.widths": (8, 6, 4),
    "model.discriminators.image.network.widths": (4, 6, 8),
    "model.discriminators.video.network.widths": (4, 6),
}
ABLATIONS = ("no_image_discriminator", "no_video_discriminator", "no_content_loss", "no_cycle")
LENGTHS = (6, 6, 6)


def dual(name: str = "dual_mtgan_weizmann"):
    """A config of Dual-MTGAN, narrow, whose small initial weights are made larger so that its parts do something."""
    absent = [discriminator for discriminator in ("image", "video") if f"no_{discriminator}_discriminator" in name]
    options = {
        key: value
        for key, value in NARROWED.items()
        if not any(f".{discriminator}." in key for discriminator in absent)
    }
    torch.manual_seed(0)
    model = MODELS.build(load_config(name, options).model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model


def clip_of(model, lengths=LENGTHS, **own) -> VideoBatch:
    return model.data_preprocessor(narrow.batch(lengths=lengths, image_videos=True, **own))["clip"]


def context_of(model, clip: VideoBatch | None = None) -> GanContext:
    return GanContext(model, clip_of(model) if clip is None else clip, 0, tuple(model.passes), True)


def losses_of(model) -> dict:
    return {loss.name: loss for phase in model.phases for loss in phase.losses}


def test_frame_l1_weighs_what_moves():
    """A plain loop over frames: a pixel counts 1 + 4 times its largest change from the first real frame."""
    context = context_of(dual())
    made, real = context.generated("reconstruct").video, context.real("reconstruct").video
    terms = []
    for frame in range(real.shape[2]):
        change = (real[:, :, frame] - real[:, :, 0]).abs().max(dim=1).values
        terms.append(((1 + 4 * change)[:, None] * (made[:, :, frame] - real[:, :, frame]).abs()).mean())
    weighted = FrameL1Loss(motion_weight=4.0)(context).item()
    assert weighted == pytest.approx(torch.stack(terms).mean().item(), rel=1e-5)
    assert weighted > 1.01 * FrameL1Loss()(context).item()


def test_kl_is_that_of_a_gaussian_summed_over_its_axes():
    context = context_of(dual())
    motion = context.encoded("reconstruct")
    own = Normal(motion.mean, torch.exp(0.5 * motion.log_variance))
    expected = kl_divergence(own, Normal(0.0, 1.0)).sum(dim=1).mean()
    assert KlLoss()(context).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["reconstruct", "transfer"])
def test_cycle_compares_means_and_both_sides_learn(name):
    model = dual()
    context = context_of(model)
    encoder = model.generator.motion_encoder
    again = encoder(VideoBatch(context.generated(name).video, num_frames=context.clip.num_frames), GenerationState())
    expected = (again.mean - context.encoded("reconstruct").mean).abs().mean()
    value = MotionCycleLoss(name)(context)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5) and value > 1e-3
    parameters = [*model.generator.parameters()]
    found, wanted = (
        torch.autograd.grad(v, parameters, retain_graph=True, allow_unused=True) for v in (value, expected)
    )
    for one, other in zip(found, wanted, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, rtol=1e-3, atol=1e-6)


def test_content_invariance_is_the_mean_change_of_the_code_over_true_frames():
    model = dual().eval()
    clip = clip_of(model, (6, 4, 1))
    value = ContentInvarianceLoss()(context_of(model, clip)).item()
    encoder, changes = model.generator.content_encoder, []
    for video, frames in zip(clip.driving, (6, 4, 1), strict=True):
        codes = [encoder(video[None, :, t]).code[0] for t in range(frames)]
        changes += [(codes[t] - codes[t + 1]).abs().mean().item() for t in range(frames - 1)]
    assert len(changes) == 8
    assert value == pytest.approx(sum(changes) / 8, rel=1e-4) and value > 1e-3
    static = clip.driving[:, :, :1].expand_as(clip.driving)
    context = context_of(model, VideoBatch(static, clip.image, clip.image_video))
    assert ContentInvarianceLoss()(context).item() == 0
    assert ContentVarianceRatio()(context).item() == pytest.approx(0, abs=1e-9)
    one = VideoBatch(clip.driving[:, :, :1], clip.image, clip.image_video)
    assert ContentInvarianceLoss()(context_of(model, one)).item() == 0  # no neighbours, and nothing that is not finite


def test_relative_content_invariance_does_not_mind_the_scale_of_the_codes():
    model = dual().eval()
    context = context_of(model)
    codes = context.generated("reconstruct").content.code
    expected = (codes[:, 1:] - codes[:, :-1]).abs().mean() / (codes - codes.mean(dim=(0, 1))).abs().mean()
    found = ContentInvarianceLoss(relative=True)(context).item()
    assert found == pytest.approx(expected.item(), rel=1e-4)
    with torch.no_grad():
        model.generator.content_encoder.to_code.weight.mul_(0.1)
        model.generator.content_encoder.to_code.bias.mul_(0.1)
    context = context_of(model, context.clip)
    assert (
        ContentInvarianceLoss()(context).item() < 0.2 * expected.item() * (codes - codes.mean(dim=(0, 1))).abs().mean()
    )
    assert ContentInvarianceLoss(relative=True)(context).item() == pytest.approx(found, rel=1e-3)


def test_skips_of_the_frame_decoder_add_the_pyramid_of_one_image():
    torch.manual_seed(0)
    encoder = ConvPyramidEncoder(image_size=16, widths=(4, 6, 8), code=5).eval()
    given = dict(image_size=16, content=encoder.spec, motion=Spec(trajectory=3), out_channels=3)
    decoder = FrameDecoder(**given, widths=(8, 6, 4), skips=True).eval()
    content = encoder(torch.rand(2, 3, 16, 16) * 2 - 1)
    trajectory = torch.randn(2, 3, 3)
    found, _ = decoder(content, Motion(length=3, trajectory=trajectory), GenerationState())
    blocks, (fine, middle, coarse) = decoder.blocks, decoder.skips
    for t in range(3):
        both = [
            (v - v.mean(dim=1, keepdim=True)) / (v.var(dim=1, correction=0, keepdim=True) + 1e-5).sqrt()
            for v in (content.code, trajectory[:, t])
        ]
        x = torch.cat(both, dim=1)[..., None, None]
        x = blocks[2](blocks[1](blocks[0](x) + coarse(content.pyramid[2])))
        x = blocks[5](blocks[4](blocks[3](x) + middle(content.pyramid[1])))
        x = blocks[9](blocks[8](blocks[7](blocks[6](x) + fine(content.pyramid[0]))))
        assert torch.allclose(found[:, :, t], x, atol=1e-6)
    without = FrameDecoder(**given, widths=(8, 6, 4))
    assert not without.skips and set(without.state_dict()) < set(decoder.state_dict())
    with pytest.raises(ConfigError, match="no level of the content's pyramid"):
        FrameDecoder(**(given | dict(content=Spec(code=5))), widths=(8, 6, 4), skips=True)


def test_spread_of_codes_is_a_share_that_no_scale_moves():
    torch.manual_seed(0)
    codes, mask = torch.randn(4, 5, 3), torch.rand(4, 5) < 0.7
    mask[:, 0] = True
    clips = [codes[b][mask[b]] for b in range(4)]
    within = sum((clip - clip.mean(dim=0)).square().sum() for clip in clips)
    between = sum(len(clip) * (clip.mean(dim=0) - torch.cat(clips).mean(dim=0)).square().sum() for clip in clips)
    expected = (within / (within + between)).item()
    assert 0.3 < expected < 0.99
    for moved in (codes, 1e-3 * codes, codes + 2):
        assert within_clip_variance_ratio(moved, mask).item() == pytest.approx(expected, rel=1e-3)
    assert within_clip_variance_ratio(torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool)).item() == 0
    assert within_clip_variance_ratio(codes[:1], mask[:1]).item() == pytest.approx(1)


def log_d(discriminator, sample: torch.Tensor, image: torch.Tensor | None = None) -> torch.Tensor:
    return torch.log(torch.sigmoid(discriminator(sample, maps=image))).mean()


def log_not_d(discriminator, sample: torch.Tensor, image: torch.Tensor | None = None) -> torch.Tensor:
    return torch.log(1 - torch.sigmoid(discriminator(sample, maps=image))).mean()


@pytest.fixture
def draws(monkeypatch) -> list[torch.Tensor]:
    """The frames that S_I drew, in order."""
    seen, draw = [], RandomFrames.sample_indices

    def recorded(self, conditioned):
        seen.append(draw(self, conditioned))
        return seen[-1]

    monkeypatch.setattr(RandomFrames, "sample_indices", recorded)
    return seen


def frames(video: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """One frame of each clip."""
    return torch.stack([clip[:, int(t)] for clip, t in zip(video, index, strict=True)])


def test_image_discriminator_is_equation_5(draws):
    model = dual()
    context = context_of(model)
    discriminator, losses = model.discriminators["image"], losses_of(model)
    v, v_y, y = context.clip.driving, context.clip.image_video, context.clip.image
    made = {name: context.generated(name).video.detach() for name in model.passes}
    x1 = v[:, :, 0]

    value = losses["image_discriminator"](context).item()
    real, fake = draws
    gan_x = log_d(discriminator, frames(v, real), x1) + 0.5 * (
        log_not_d(discriminator, frames(made["reconstruct"], fake), x1) + log_not_d(discriminator, frames(v, real), y)
    )
    assert value == pytest.approx(-gan_x.item(), rel=1e-4)

    for static in (True, False):
        loss = losses["image_discriminator_transfer"]
        assert loss.real_static
        loss.real_static = static
        draws.clear()
        value = loss(context).item()
        terms = []
        for name, real, fake in zip(("transfer", "sample"), draws[::2], draws[1::2], strict=True):
            true = log_d(discriminator, y if static else frames(v_y, real), y)
            generated = log_not_d(discriminator, frames(made[name], fake), y)
            terms.append(true + 0.5 * (generated + log_not_d(discriminator, frames(v_y, real), x1)))
        assert value == pytest.approx(-(sum(terms) / 2).item(), rel=1e-4)
        loss.real_static = True
    assert {int(t) for index in draws for t in index} <= set(range(6))
    before = [index.tolist() for index in draws]
    draws.clear()
    losses["image_discriminator_transfer"](context)
    assert [index.tolist() for index in draws] != before  # drawn anew


def test_generator_against_the_image_discriminator_does_not_saturate(draws):
    model = dual()
    context = context_of(model)
    discriminator, losses = model.discriminators["image"], losses_of(model)
    images = dict(reconstruct=context.clip.driving[:, :, 0], transfer=context.clip.image, sample=context.clip.image)
    for loss, names in (("image_adversarial", ["reconstruct"]), ("image_adversarial_transfer", ["transfer", "sample"])):
        draws.clear()
        value = losses[loss](context).item()
        terms = [
            log_d(discriminator, frames(context.generated(name).video, index), images[name])
            for name, index in zip(names, draws, strict=True)
        ]
        assert value == pytest.approx(-(sum(terms) / len(terms)).item(), rel=1e-4)


def test_video_discriminator_is_equation_6():
    model = dual()
    context = context_of(model)
    discriminator, losses = model.discriminators["video"], losses_of(model)
    v, v_y = context.clip.driving, context.clip.image_video
    made = {name: context.generated(name).video.detach() for name in model.passes}
    gan_x = log_d(discriminator, v) + log_not_d(discriminator, made["reconstruct"])
    assert losses["video_discriminator"](context).item() == pytest.approx(-gan_x.item(), rel=1e-4)
    gan_y = log_d(discriminator, v_y) + 0.5 * (
        log_not_d(discriminator, made["transfer"]) + log_not_d(discriminator, made["sample"])
    )
    assert losses["video_discriminator_transfer"](context).item() == pytest.approx(-gan_y.item(), rel=1e-4)
    adversarial = -0.5 * (log_d(discriminator, made["transfer"]) + log_d(discriminator, made["sample"]))
    assert losses["video_adversarial_transfer"](context).item() == pytest.approx(adversarial.item(), rel=1e-4)


def test_total_is_equation_8():
    model = dual()
    log = model.train_step(narrow.batch(lengths=LENGTHS, image_videos=True), narrow.optimizers(model))
    expected = (
        10 * (log["content_l1"] + log["frame_l1"] + log["motion_l1"] + log["motion_l1_transfer"])
        + 1e-2 * log["kl"]
        + 1e-4 * (log["image_adversarial"] + log["image_adversarial_transfer"]) / 2
        + log["video_adversarial"]
        + log["video_adversarial_transfer"]
    )
    assert log["generator_total"].item() == pytest.approx(expected.item(), rel=1e-5)
    discriminators = (
        "image_discriminator",
        "image_discriminator_transfer",
        "video_discriminator",
        "video_discriminator_transfer",
    )
    assert log["discriminators_total"].item() == pytest.approx(
        sum(log[name].item() for name in discriminators), rel=1e-5
    )
    assert 0 < log["content_variance_ratio"] < 1


def test_each_encoder_runs_once_for_all_passes():
    model = dual()
    generator, calls = model.generator, Counter()

    def count(name: str):
        return lambda module, inputs, output: calls.update(
            {name: 1, f"{name} images": len(getattr(inputs[0], "driving", inputs[0]))}
        )

    generator.content_encoder.register_forward_hook(count("content"))
    generator.motion_encoder.register_forward_hook(count("motion"))
    context = context_of(model)
    # The content of x: all its frames; of y: the image. The motion of x.
    assert calls == {"content": 2, "content images": 3 * 6 + 3, "motion": 1, "motion images": 3}
    assert context.encoded("reconstruct").code is context.encoded("transfer").code
    assert context.generated("transfer").content is context.generated("sample").content
    assert context.encoded("sample").mean is None  # drawn from N(0, I)
    calls.clear()
    model.train_step(narrow.batch(lengths=LENGTHS, image_videos=True), narrow.optimizers(model))
    assert (calls["content"], calls["motion"]) == (2, 3)  # and the cycle encodes the two generated videos


def sampled(model, driving: torch.Tensor, image: torch.Tensor, seeds: list[int]) -> torch.Tensor:
    return next(model.generate_chunks([VideoBatch(driving)], seeds, content=image, motion="prior")).video


def test_samples_vary_with_the_seed_and_with_nothing_else():
    model = dual()
    clip = clip_of(model)
    image = clip.image
    first = sampled(model, clip.driving, image, [1, 2, 3])
    assert torch.equal(first, sampled(model, clip.driving, image, [1, 2, 3]))
    assert torch.equal(first, sampled(model, clip.image_video.flip(0), image, [1, 2, 3]))  # whatever the driving video
    other = sampled(model, clip.driving, image, [1, 9, 3])
    assert (other[1] - first[1]).abs().max() > 1e-2 and torch.allclose(other[[0, 2]], first[[0, 2]], atol=1e-5)
    assert torch.allclose(sampled(model, clip.driving[1:2], image[1:2], [2]), first[1:2], atol=1e-5)
    longer = sampled(model, torch.zeros(3, 3, 11, 32, 32), image, [1, 2, 3])
    assert longer.shape[2] == 11 and torch.allclose(longer[:, :, :6], first, atol=1e-5)  # of any length
    torch.manual_seed(99)
    assert torch.equal(first, sampled(model, clip.driving, image, [1, 2, 3]))
    driven = [
        next(model.generate_chunks([VideoBatch(clip.driving)], seeds, content=image)).video
        for seeds in ([1, 2, 3], [4, 5, 6])
    ]
    assert torch.equal(*driven)  # transfer is deterministic


def test_transfer_onto_the_own_first_frame_is_reconstruction_where_frames_share_one_code():
    model = dual().eval()
    clip = clip_of(model)
    own = VideoBatch(clip.driving, image=clip.driving[:, :, 0], image_video=clip.driving)
    with torch.no_grad():
        made = model.generator(own, model.passes)
        assert (made["transfer"].video - made["reconstruct"].video).abs().max() > 1e-3  # codes differ as yet
        encoder = model.generator.content_encoder
        encoder.to_code.weight.zero_()  # one code for every image
        made = model.generator(own, model.passes)
    assert made["reconstruct"].content.code.dim() == 3 and made["transfer"].content.code.dim() == 2
    assert torch.allclose(made["transfer"].video, made["reconstruct"].video, atol=1e-6)
    assert (made["transfer"].video[:, :, 1:] - made["transfer"].video[:, :, :-1]).abs().max() > 1e-4


def test_parameters_at_full_width():
    with torch.device("meta"):
        model = MODELS.build(load_config("dual_mtgan_weizmann").model)
    parts = dict(model.generator.named_children()) | dict(model.discriminators.named_children())
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    assert {name: number for name, number in counts.items() if number} == dict(
        content_encoder=3_806_208,
        motion_encoder=8_547_456,
        motion_generator=132_352,
        decoder=4_854_659,
        image=2_768_705,
        video=11_032_385,
    )


@pytest.mark.parametrize(
    "data, length",
    [
        ("weizmann", 16),
        ("weizmann_ten_actions", 16),
        ("oulu", 16),
        ("uva_nemo", 16),
        ("bair", 30),
        ("bair_fifteen", 16),
    ],
)
def test_discriminators_take_clips_as_long_as_the_data_give_them(data, length):
    cfg = load_config(f"dual_mtgan_{data}")
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.dataset.window.length == length and loader.dataset.window.get("stride", 1) == 1
    # y is of another person than V. On BAIR nobody is named, and a clip is alone with its "person".
    sampler = "SamePerson" if "bair" in data else "OtherPerson"
    assert cfg.train_dataloader.dataset.pair_sampler.type.__name__ == sampler
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
    video = torch.empty(2, 3, length, 64, 64, device="meta")
    assert model.discriminators["video"](video).shape == (2, 1)
    assert model.discriminators["image"](video[:, :, 0], maps=video[:, :, 1]).shape == (2, 1)


def test_ablations_lack_what_they_say_and_nothing_else():
    every = losses_of(dual())
    for data, ablation in product(("weizmann", "bair"), ABLATIONS):
        model = dual(f"dual_mtgan_{data}_{ablation}")
        found = losses_of(model)
        discriminator = ablation.split("_")[1]
        gone = {
            "no_content_loss": set(),
            "no_cycle": {"motion_l1", "motion_l1_transfer"},
        }.get(ablation, {name for name in every if name.startswith(discriminator)})
        assert set(every) - set(found) == gone
        assert set(model.discriminators) == {"image", "video"} - (
            {discriminator} if "discriminator" in ablation else set()
        )
        weights = {name: loss.weight_at(0) for name, loss in found.items()}
        expected = {name: loss.weight_at(0) for name, loss in every.items() if name in found}
        assert weights == expected | ({"content_l1": 0.0} if ablation == "no_content_loss" else {})
        whole, part = load_config(f"dual_mtgan_{data}"), load_config(f"dual_mtgan_{data}_{ablation}")
        assert part.train_dataloader == whole.train_dataloader and part.train_cfg == whole.train_cfg


@pytest.mark.parametrize(
    "name", ["dual_mtgan_weizmann", *(f"dual_mtgan_weizmann_{ablation}" for ablation in ABLATIONS)]
)
def test_a_step_in_which_all_of_it_learns(name):
    model = dual(name)
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    log = model.train_step(narrow.batch(lengths=LENGTHS, image_videos=True), narrow.optimizers(model))
    assert all(torch.isfinite(value) for value in log.values())
    assert [key for key, parameter in model.named_parameters() if torch.equal(parameter, before[key])] == []


def test_what_does_not_fit_is_refused():
    model = dual()
    context = context_of(model)
    for loss in (ContentInvarianceLoss("transfer"), ContentVarianceRatio("transfer")):
        with pytest.raises(ConfigError, match="pass 'transfer' has one only: give the pass content_per_frame"):
            loss.check(model)
    with pytest.raises(ConfigError, match="shows wrong images, but discriminator 'video' reads none"):
        DiscriminatorLoss("video", wrong_image=0.5).check(model)
    with pytest.raises(ConfigError, match="'image_discriminator' weighs its negatives by shares of 1"):
        DiscriminatorLoss("image", wrong_image=0.6, wrong_label=0.5)
    with pytest.raises(ConfigError, match=r"wrong_image is -0.1, but takes a number from 0 to 1"):
        DiscriminatorLoss("image", wrong_image=-0.1)
    alone = GanContext(model, VideoBatch(context.clip.driving), 0, ("reconstruct",), True)
    with pytest.raises(ConfigError, match="the data have none: give the dataset a pair sampler"):
        DiscriminatorLoss("image", wrong_image=0.5)(alone)


def encoder_of(**own) -> Conv3dEncoder:
    torch.manual_seed(0)
    encoder = Conv3dEncoder(narrow.SIZE, widths=(4, 6, 8), code=5, **own).eval()
    torch.nn.init.normal_(encoder.to_log_variance.weight)
    return encoder


@pytest.mark.parametrize("difference", [True, False])
def test_a_constant_picture_added_to_all_frames_changes_the_code_of_x_t_alone(difference):
    encoder = encoder_of(difference=difference)
    video = torch.rand(2, 3, 6, narrow.SIZE, narrow.SIZE) - 0.5
    other = video + torch.rand(2, 3, 1, narrow.SIZE, narrow.SIZE) - 0.5
    codes = [encoder(VideoBatch(frames), GenerationState()).code for frames in (video, other)]
    assert torch.allclose(*codes, atol=1e-6) == difference
    static = encoder(VideoBatch(video[:, :, :1].expand(-1, -1, 6, -1, -1)), GenerationState()).code
    nothing = encoder(VideoBatch(torch.zeros_like(video)), GenerationState()).code
    assert torch.allclose(static, nothing, atol=1e-6) == difference


def test_log_variance_stays_within_its_bounds_and_comes_back():
    encoder = encoder_of()
    torch.nn.init.constant_(encoder.to_log_variance.bias, 1e6)
    clip = VideoBatch(torch.rand(2, 3, 6, narrow.SIZE, narrow.SIZE))
    motion = encoder(clip, GenerationState())
    assert torch.equal(motion.log_variance, torch.full((2, 5), 2.0))
    motion.log_variance.sum().backward()  # to become smaller: the way back
    assert (encoder.to_log_variance.bias.grad == 2).all()
    encoder.zero_grad()
    (-encoder(clip, GenerationState()).log_variance.sum()).backward()
    assert (encoder.to_log_variance.bias.grad == 0).all()
    torch.nn.init.constant_(encoder.to_log_variance.bias, -1e6)
    assert encoder(clip, GenerationState()).log_variance.max() == -10
    with pytest.raises(ConfigError, match=r"initial_log_variance=-4.0, which is not between"):
        encoder_of(log_variance_bounds=(-3.0, 2.0))


def motion_context(mean: float, log_variance: float, iteration: int = 0) -> SimpleNamespace:
    """Codes of 4 numbers, all with this mean and log-variance."""
    encoded = Motion(
        length=2,
        mean=torch.full((3, 4), mean, requires_grad=True),
        log_variance=torch.full((3, 4), log_variance, requires_grad=True),
    )
    return SimpleNamespace(encoded=lambda name: encoded, iteration=iteration)


def test_free_nats_are_a_floor_below_which_nothing_pulls():
    context = motion_context(mean=2.0, log_variance=0.0)  # 4 x 2 nats
    assert KlLoss()(context).item() == pytest.approx(8.0)
    assert KlLoss(free_nats=5.0)(context).item() == pytest.approx(8.0)
    KlLoss(free_nats=5.0)(context).backward()
    assert context.encoded("x").mean.grad[0, 0].item() == pytest.approx(2.0 / 3)  # the mean over three clips
    context = motion_context(mean=1.0, log_variance=0.0)  # 4 x 1/2 nats
    free = KlLoss(free_nats=5.0)(context)
    free.backward()
    assert free.item() == 5.0 and context.encoded("x").mean.grad.abs().max() == 0


def test_a_divergence_that_runs_away_ends_training_with_its_cure_and_changes_nothing():
    phases = dict(generator=dict(updates=["generator"], losses=dict(kl=dict(type=KlLoss, weight=1e-5))))
    parts = dict(motion_encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=narrow.NARROW["LstmUnroll"])
    model = narrow.build(generator=parts, discriminators={}, phases=phases)
    with torch.no_grad():
        model.generator.motion_encoder.to_mean.bias.fill_(100.0)  # 6 codes of 5,000 nats
    before = {name: value.clone() for name, value in model.named_parameters()}
    with pytest.raises(TrainingError, match=r"'kl' is 3.*e\+04 nats a clip at iteration 0.*log_variance_bounds"):
        model.train_step(narrow.batch(), narrow.optimizers(model))
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
    phases["generator"]["losses"]["kl"]["max_nats"] = 1e5
    model = narrow.build(generator=parts, discriminators={}, phases=phases)
    with torch.no_grad():
        model.generator.motion_encoder.to_mean.bias.fill_(100.0)
    assert model.train_step(narrow.batch(), narrow.optimizers(model))["kl"] == pytest.approx(3e4, rel=0.05)
