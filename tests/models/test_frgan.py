"""FRGAN: analogy, heads, refiner, discriminators on frames and maps, two stages."""

import narrow
import pytest
import torch

from i2vkit.config.loading import load_config
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.models.encoders import MapDifferenceEncoder
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss, MotionCycleLoss, WassersteinLoss
from i2vkit.models.refiners import VolumeRefiner
from i2vkit.models.training.context import GanContext
from i2vkit.models.training.passes import Pass
from i2vkit.registry import HEADS, MODELS
from i2vkit.structures import VideoBatch

STAGE_ONE = {
    "model.image_size": narrow.SIZE,
    "model.map_channels": narrow.MAPS,
    **{f"model.generator.{part}.width": 4 for part in ("content_encoder", "motion_encoder", "decoder")},
    **{f"model.generator.{part}.max_width": 8 for part in ("content_encoder", "motion_encoder", "decoder")},
    "model.discriminators.frame.network.width": 4,
    "model.discriminators.frame.network.max_width": 8,
}
STAGE_TWO = STAGE_ONE | {
    "model.generator.refiner.widths": (4, 8),
    "model.generator.refiner.window": 8,
    "model.discriminators.video.network.width": 4,
    "model.discriminators.video.network.max_width": 8,
}


def frgan(stage: str = "forecast", seed: int = 0):
    torch.manual_seed(seed)
    return MODELS.build(load_config(f"frgan_{stage}_mug", STAGE_ONE if stage == "forecast" else STAGE_TWO).model)


def batch(lengths=(6, 6, 6), **own) -> dict:
    return narrow.batch(lengths, image_videos=True, **own)


def clip_of(model, lengths=(6, 6, 6)) -> VideoBatch:
    return model.data_preprocessor(batch(lengths))["clip"]


def context_of(model, clip: VideoBatch | None = None) -> GanContext:
    return GanContext(model, clip_of(model) if clip is None else clip, 0, tuple(model.passes), True)


# Motion and heads


def test_motion_is_the_difference_to_the_maps_of_the_input_image():
    model = frgan().eval()
    encoder, clip = model.generator.motion_encoder, clip_of(model)
    motion = model.generator.encode_motion(clip, GenerationState())
    for t in range(6):
        of_frame, of_image = (encoder.encoder(maps)[1] for maps in (clip.driving_maps[:, :, t], clip.image_maps))
        assert torch.allclose(motion.trajectory[:, t], of_frame - of_image, atol=1e-6)
    driving, reference = motion.maps["driving"], motion.maps["reference"]
    assert torch.allclose(driving[1][:, :, 2], encoder.encoder(clip.driving_maps[:, :, 2])[0][1], atol=1e-6)
    assert torch.allclose(reference[3], encoder.encoder(clip.image_maps)[0][3], atol=1e-6)
    assert [level.channels for level in encoder.spec.maps] == [maps.shape[1] for maps in driving]
    static = VideoBatch(clip.driving, driving_maps=clip.image_maps[:, :, None].expand(-1, -1, 6, -1, -1).clone())
    static = VideoBatch(**{**vars(static), "image_maps": clip.image_maps})
    assert model.generator.encode_motion(static, GenerationState()).trajectory.abs().max() < 1e-6


def test_heads_of_equations_1_and_2():
    features, base = torch.randn(2, 4, 3, 5, 5), torch.rand(2, 3, 1, 5, 5) * 2 - 1
    mask, content = torch.sigmoid(features[:, :1]), torch.tanh(features[:, 1:])
    made = ResidualHead()(features, base)
    assert torch.allclose(made["video"], mask * content + (1 - mask) * base, atol=1e-6)
    made = ResidualHead(mask=False)(features[:, 1:], base)
    assert torch.allclose(made["video"], (base + 2 * content).clamp(-1, 1)) and "mask" not in made
    nothing = ResidualHead(mask=False)(torch.zeros(2, 3, 3, 5, 5), base)["video"]
    assert torch.equal(nothing, base.expand(-1, -1, 3, -1, -1))


def close_mask_(layer: torch.nn.Module) -> None:
    """The first channel of a last layer, the mask's logit, becomes so small that its sigmoid is 0."""
    with torch.no_grad():
        layer.bias[0] = -1e4
        (layer.weight[:, 0] if isinstance(layer, torch.nn.ConvTranspose3d) else layer.weight[0]).zero_()


def test_with_mask_0_the_output_is_the_input_frame_bit_for_bit():
    model = frgan().eval()
    clip = clip_of(model)
    assert not torch.equal(next(model.generate_chunks([clip], [0, 1, 2])).video[:, :, 3], clip.image)
    close_mask_(model.generator.decoder.last)
    made = next(model.generate_chunks([clip], [0, 1, 2]))
    assert made.mask.abs().max() == 0
    assert all(torch.equal(made.video[:, :, t], clip.image) for t in range(6))


# The refiner


def test_nothing_of_the_frozen_stage_one_is_kept():
    """Beside the coarse video: no graph of it, and no maps of its frames. What trains has its graph."""
    model = frgan("refine").train()
    made = context_of(model).generated("forecast")
    assert not made.coarse.requires_grad and not made.motion.trajectory.requires_grad and made.video.requires_grad
    assert made.motion.maps == made.encoded.maps == {}
    open_end = frgan("refine")
    for parameter in open_end.generator.parameters():
        parameter.requires_grad_(True)
    assert open_end.generator(clip_of(model), open_end.passes)["forecast"].coarse.requires_grad


def test_with_mask_0_the_refiner_leaves_the_coarse_video_bit_for_bit():
    model = frgan("refine").eval()
    clip = clip_of(model)
    made = next(model.generate_chunks([clip], [0, 1, 2]))
    assert made.mask.shape == (3, 1, 6, narrow.SIZE, narrow.SIZE) and not torch.equal(made.video, made.coarse)
    expected = made.mask * made.residual + (1 - made.mask) * made.coarse  # eq. 10
    assert torch.allclose(made.video, expected, atol=1e-6)
    close_mask_(model.generator.refiner.up[-1][0])
    made = next(model.generate_chunks([clip], [0, 1, 2]))
    assert torch.equal(made.video, made.coarse)


@pytest.mark.parametrize("masked", [True, False])
def test_an_untrained_refiner_changes_little(masked):
    model = frgan("refine")
    config = load_config("frgan_refine_mug", STAGE_TWO | {"model.generator.head.mask": masked}).model.generator
    generator = MODELS.build(config | dict(image_size=narrow.SIZE, map_channels=narrow.MAPS)).eval()
    made = generator(clip_of(model), {"forecast": Pass()}, GenerationState(seeds=[0, 1, 2]))["forecast"]
    changed = (made.video - made.coarse).abs().mean()
    assert 0 < changed < 0.1 * made.coarse.abs().mean()  # with a mask of a half it is about 0.5


class HeadOfAProject(torch.nn.Module):
    """What docs/interfaces.md asks of a head, and no ``identity_bias``."""

    channels, reads_base = 3, True

    def forward(self, features, base):
        return dict(video=(base + features).clamp(-1, 1))


def test_a_head_without_rest_takes_a_refiner(monkeypatch):
    monkeypatch.setitem(HEADS.module_dict, "HeadOfAProject", HeadOfAProject)
    torch.manual_seed(0)
    config = load_config("frgan_refine_mug", STAGE_TWO).model.generator
    given = dict(head=dict(type="HeadOfAProject"), image_size=narrow.SIZE, map_channels=narrow.MAPS)
    generator = MODELS.build(config | given).eval()
    made = generator(clip_of(frgan("refine")), {"forecast": Pass()}, GenerationState(seeds=[0, 1, 2]))["forecast"]
    assert generator.refiner.up[-1][0].bias.abs().max() == 0
    assert made.video.shape == made.coarse.shape and not torch.equal(made.video, made.coarse)


def test_refiner_reads_maps_and_refines_window_by_window():
    torch.manual_seed(0)
    refiner = VolumeRefiner(narrow.SIZE, 2, 4, widths=(4, 8), window=8).eval()
    video, maps = torch.randn(1, 3, 19, 32, 32), torch.randn(1, 2, 19, 32, 32)
    made = refiner(video, maps)
    assert made.shape == (1, 4, 19, 32, 32)
    for start in (0, 8, 16):
        part = slice(start, start + 8)
        assert torch.allclose(made[:, :, part], refiner(video[:, :, part], maps[:, :, part]), atol=1e-6)
    filled = [torch.cat([x[:, :, 16:], x[:, :, -1:]], dim=2) for x in (video, maps)]
    assert torch.allclose(made[:, :, 16:], refiner(*filled)[:, :, :3], atol=1e-6)
    assert not torch.allclose(made, refiner(video, maps + 1), atol=1e-3)
    with pytest.raises(ConfigError, match="multiples of 4, not 32 and 6"):
        VolumeRefiner(narrow.SIZE, 2, 4, widths=(4, 8), window=6)


def test_stage_one_streams_and_a_refiner_wants_the_whole_clip():
    model = frgan().eval()
    clip = clip_of(model)
    whole = next(model.generate_chunks([clip], [0, 1, 2])).video
    chunks = [clip.slice_frames(start, start + 4) for start in (0, 4)]
    assert torch.allclose(
        torch.cat([m.video for m in model.generate_chunks(chunks, [0, 1, 2])], dim=2), whole, atol=1e-5
    )
    with pytest.raises(ConfigError, match="in one piece only"):
        list(frgan("refine").generate_chunks(chunks, [0, 1, 2]))


# Discriminators


def test_penalty_of_a_linear_discriminator_on_frames_and_maps_is_exact_in_4_and_5_dimensions():
    loss = WassersteinLoss(gradient_penalty=10.0)
    for shape in [(3, 2, 4, 4), (3, 2, 5, 4, 4)]:
        weight, of_maps = torch.randn(shape[1:]), torch.randn(shape[1:])
        maps = torch.randn(shape)
        real, fake = (
            DiscriminatorInput(torch.randn(shape), maps=maps),
            DiscriminatorInput(torch.randn(shape), maps=maps),
        )

        def score(disc_input, weight=weight, of_maps=of_maps):
            return (disc_input.sample * weight + disc_input.maps * of_maps).flatten(1).sum(dim=1)

        norm = (weight.square().sum() + of_maps.square().sum()).sqrt()  # the gradient by both (eq. 9)
        expected = score(fake).mean() - score(real).mean() + 10 * (norm - 1) ** 2
        assert loss.discriminator_loss(score, real, [(fake, 1.0)]).item() == pytest.approx(expected.item(), rel=1e-4)


class Watching(torch.nn.Module):
    """A network that keeps what it was shown and scores by the mean."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind, self.seen = kind, []

    def forward(self, sample, label=None, maps=None):
        self.seen.append((sample.detach(), maps.detach()))
        return sample.flatten(1).mean(dim=1) + maps.flatten(1).mean(dim=1)


def test_a_discriminator_sees_real_and_made_frames_of_the_same_time_with_the_maps_of_that_time():
    model = frgan("refine")
    context, network = context_of(model), Watching("frames")
    model.discriminators["frame"].network = network
    DiscriminatorLoss("frame", "forecast")(context)
    (real, real_maps), (fake, fake_maps), _ = network.seen
    video, clip = context.generated("forecast").video, context.clip
    assert torch.equal(real_maps, fake_maps)
    for i in range(3):
        time = next(t for t in range(6) if torch.equal(real[i], clip.driving[i, :, t]))
        assert torch.equal(fake[i], video[i, :, time])
        assert torch.equal(fake_maps[i], clip.driving_maps[i, :, time])


def test_generator_of_stage_two_is_judged_by_the_mean_over_the_frames_and_by_the_clip():
    model = frgan("refine")
    context = context_of(model)
    losses = {loss.name: loss for loss in model.phases[1].losses}
    video, maps = context.generated("forecast").video, context.clip.driving_maps
    with torch.no_grad():
        frames = [model.discriminators["frame"](video[:, :, t], maps=maps[:, :, t]).mean() for t in range(6)]
        clip = model.discriminators["video"](video, maps=maps).mean()
    assert losses["frame_adversarial"](context).item() == pytest.approx(-sum(frames).item() / 6, abs=1e-6)
    assert losses["video_adversarial"](context).item() == pytest.approx(-clip.item(), abs=1e-6)
    assert isinstance(losses["frame_adversarial"], AdversarialLoss)


def test_discriminators_depend_on_the_maps():
    model = frgan("refine")
    clip = clip_of(model)
    for name, sample, maps in (
        ("frame", clip.driving[:, :, 0], clip.driving_maps[:, :, 0]),
        ("video", clip.driving, clip.driving_maps),
    ):
        discriminator = model.discriminators[name]
        assert discriminator(sample, maps=maps).shape == (3, 1)  # six frames are three, then one
        assert not torch.allclose(discriminator(sample, maps=maps), discriminator(sample, maps=-maps))


# Two stages


@pytest.fixture
def trained_stage_one(tmp_path):
    model = frgan()
    wrappers = narrow.optimizers(model, lr=1e-3)
    for seed in range(2):
        model.train_step(batch((1, 1, 1), seed=seed), wrappers)
    path = tmp_path / "iter_2.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    return model.eval(), path


def test_stage_one_does_not_change_by_a_bit_in_stage_two(trained_stage_one):
    one, path = trained_stage_one
    two = frgan("refine", seed=7)
    for entry in two.pretrained:
        entry["checkpoint"] = path
    two.init_weights()
    start = {name: value.clone() for name, value in two.discriminators["frame"].state_dict().items()}
    assert all(torch.equal(value, start[name]) for name, value in one.discriminators["frame"].state_dict().items())
    wrappers = narrow.optimizers(two, lr=1e-3)
    refiner = {name: value.clone() for name, value in two.generator.refiner.named_parameters()}
    for seed in range(2):
        two.train_step(batch((8, 8), seed=seed), wrappers)
    now = two.state_dict()
    assert all(
        torch.equal(value, now[name]) for name, value in one.state_dict().items() if "discriminators" not in name
    )
    assert all(not torch.equal(refiner[name], value) for name, value in two.generator.refiner.named_parameters())
    assert any(not torch.equal(value, start[name]) for name, value in two.discriminators["frame"].state_dict().items())
    clip = clip_of(two)
    assert torch.equal(
        next(two.generate_chunks([clip], [0, 1, 2])).coarse, next(one.generate_chunks([clip], [0, 1, 2])).video
    )


def test_stage_two_without_stage_one_says_how_to_make_it(tmp_path):
    model = frgan("refine")
    for entry in model.pretrained:
        entry["checkpoint"] = tmp_path / "nowhere"
    with pytest.raises(CheckpointError) as error:
        model.init_weights()
    for part in ("generator.content_encoder", "nowhere", "python tools/train.py frgan_forecast_mug"):
        assert part in str(error.value)


def test_all_weights_of_both_stages_learn():
    for stage, lengths in (("forecast", (1, 1, 1)), ("refine", (8, 8))):
        model = frgan(stage)
        before = {name: value.clone() for name, value in model.named_parameters()}
        log = model.train_step(batch(lengths), narrow.optimizers(model, lr=1e-3))
        assert {"frame_discriminator", "frame_l1", "mask", "frame_adversarial"} <= set(log)
        frozen = {id(p) for path in model.frozen for p in model.get_part(path).parameters()}
        for name, value in model.named_parameters():
            if name.endswith("weight"):  # biases that both sides of a difference share have no gradient
                assert torch.equal(value, before[name]) == (id(value) in frozen), name


# What is refused


def test_maps_that_are_not_there_or_are_others():
    model = frgan()
    data = batch((4, 4))
    del data["inputs"]["driving_maps"], data["inputs"]["image_maps"]
    with pytest.raises(ConfigError, match=r"reads condition maps and the clips have none.*--maps.*ReadMaps"):
        model.train_step(data, narrow.optimizers(model))
    other = MODELS.build(load_config("frgan_forecast_mug", STAGE_ONE | {"model.map_channels": 13}).model)
    with pytest.raises(ConfigError, match=r"of 13 channels and those of the clips have 2 .*model.map_channels"):
        other.test_step(batch((4, 4)))
    with pytest.raises(ConfigError, match=r"the model has none: set model.map_channels"):
        MapDifferenceEncoder(narrow.SIZE, 0)
    discriminators = dict(
        frame=narrow.discriminator(condition="maps"),
        dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics"),
    )
    plain = narrow.build(discriminators=discriminators)
    with pytest.raises(ConfigError, match="reads condition maps and the clips have none"):
        plain.train_step(data, narrow.optimizers(plain))


def test_the_motion_of_a_video_is_not_encoded_from_maps():
    with pytest.raises(ConfigError, match="MapDifferenceEncoder reads condition maps instead of the video"):
        MotionCycleLoss("forecast").check(frgan())
