"""DiffAugment by values: identity, one draw a clip, gradients, and the geometry of maps."""

from dataclasses import replace

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import DiffAugment
from i2vkit.models.losses import NonSaturatingLoss
from i2vkit.models.training.context import GanContext
from i2vkit.registry import AUGMENTATIONS, build_part

CPU = torch.device("cpu")
AUGMENT = dict(type=DiffAugment)


def clips(batch=3, length=4, side=16):
    return torch.rand(batch, 3, length, side, side) * 2 - 1


def numbers(**columns) -> torch.Tensor:
    """A draw of one clip: every policy applied, and the middle of everything unless a column says otherwise."""
    parameters = torch.full((1, 10), 0.5)
    parameters[:, :3] = 0
    for name, value in columns.items():
        parameters[:, ["brightness", "saturation", "contrast", "down", "right", "hole_y", "hole_x"].index(name) + 3] = (
            value
        )
    return parameters


def test_at_probability_0_nothing_changes_by_one_bit():
    augment, video = DiffAugment(probability=0.0), clips()
    parameters = augment.sample_parameters(3, CPU)
    assert torch.equal(augment(video, parameters), video) and torch.equal(
        augment.transform_maps(video, parameters), video
    )
    assert torch.equal(DiffAugment(policy=())(video, parameters), video)


def test_probability_is_the_share_of_clips_that_are_augmented():
    augment, frames = DiffAugment("color", probability=0.25), clips(400)[:, :, 0]
    changed = (augment(frames, augment.sample_parameters(400, CPU)) != frames).flatten(1).any(dim=1)
    assert 0.18 < changed.float().mean() < 0.32


def test_colors_are_the_formulas_of_the_paper():
    augment, video = DiffAugment("color"), clips(1)
    grey = video.mean(dim=1, keepdim=True)
    torch.testing.assert_close(augment(video, numbers(brightness=0.75)), video + 0.25)
    torch.testing.assert_close(augment(video, numbers(saturation=0.0)), grey.expand_as(video))
    torch.testing.assert_close(augment(video, numbers(saturation=0.75)), grey + 1.5 * (video - grey))
    torch.testing.assert_close(augment(video, numbers(contrast=0.9)), video.mean() + 1.4 * (video - video.mean()))


def test_translation_moves_the_picture_and_fills_with_0():
    augment, video = DiffAugment("translation"), clips(1, side=16)  # up to 2 pixels
    moved = augment(video, numbers(down=0.999, right=0.0))
    assert torch.equal(moved[..., 2:, :-2], video[..., :-2, 2:])
    assert not moved[..., :2, :].any() and not moved[..., -2:].any()
    seen = {tuple(augment.sample_parameters(1, CPU)[0, 6:8].mul(5).floor().tolist()) for _ in range(300)}
    assert len(seen) == 25  # every one of the five places on both axes


def test_cutout_blanks_a_square_of_half_the_side():
    augment, video = DiffAugment("cutout"), clips(1, side=16) + 3
    cut = augment(video, numbers(hole_y=0.5, hole_x=0.5))  # its middle is row 8 of 0 to 16
    assert not cut[..., 4:12, 4:12].any() and (cut != 0).sum() == video.numel() * 3 // 4
    corner = augment(video, numbers(hole_y=0.0, hole_x=0.0))
    assert not corner[..., :4, :4].any() and (corner != 0).sum() == video.numel() * 15 // 16


def test_all_frames_of_a_clip_have_one_draw_and_clips_have_their_own():
    augment = DiffAugment()
    static = clips(3, 1).expand(-1, -1, 4, -1, -1)
    made = augment(static, augment.sample_parameters(3, CPU))
    assert torch.equal(made, made[:, :, :1].expand_as(made))
    one = static[:1].expand_as(static)
    made = augment(one, augment.sample_parameters(3, CPU))
    assert not torch.equal(made[0], made[1]) and not torch.equal(made[1], made[2])


def test_gradients_pass_where_the_picture_is_still_seen():
    augment, video = DiffAugment(("translation", "cutout")), clips().requires_grad_()
    made = augment(video, augment.sample_parameters(3, CPU))
    made.sum().backward()
    assert set(video.grad.unique().tolist()) == {0.0, 1.0} and video.grad.sum() == (made != 0).sum()
    video = clips(1).double().requires_grad_()
    parameters = augment.sample_parameters(1, CPU)
    assert torch.autograd.gradcheck(lambda video: DiffAugment("color")(video, parameters), video)


def test_maps_follow_the_geometry_and_not_the_colors():
    augment, video = DiffAugment(), clips()
    parameters = augment.sample_parameters(3, CPU)
    made, maps = (
        augment(torch.ones_like(video), parameters),
        augment.transform_maps(torch.ones_like(video)[:, :2], parameters),
    )
    assert set(maps.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(made[:, :2] != 0, maps != 0)


def test_odd_sides_and_bf16():
    augment = DiffAugment()
    frames = clips(2, side=9)[:, :, 0, :, :7]
    parameters = augment.sample_parameters(2, CPU)
    wanted = augment(frames, parameters)
    made = augment(frames.bfloat16(), parameters)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.float(), wanted, atol=0.05, rtol=0.05)


@pytest.mark.parametrize(
    "arguments, message", [(dict(policy="flip"), "'flip'"), (dict(probability=1.5), "is 1.5, but takes")]
)
def test_what_it_does_not_have_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build_part(AUGMENTATIONS, AUGMENT | arguments)


@pytest.mark.parametrize("view, condition", [("AllFrames", "maps"), ("RandomWindow", "image"), ("FramePairs", "label")])
def test_a_discriminator_augments_frames_of_a_clip_alike(view, condition):
    """What it sees of still clips, of one picture each, differs from clip to clip only."""
    network = "FrameDiscriminator" if view == "AllFrames" else "ResidualVideoDiscriminator"
    model = narrow.build(
        discriminators=dict(one=narrow.discriminator(network, view, condition=condition, augment=AUGMENT)), phases={}
    )
    discriminator = model.discriminators["one"]
    clip = model.data_preprocessor(narrow.batch(lengths=(6, 6, 6)))["clip"]
    conditioned = GanContext(model, clip, 0, ("reconstruct",), False).real("reconstruct")
    static = replace(conditioned, video=conditioned.image[:, :, None].expand_as(conditioned.video))
    index = discriminator.view.sample_indices(static)
    disc_input = discriminator.prepare_input(static, discriminator.view, index)
    clip_index = discriminator.view.clip_index(static, index)
    if discriminator.view.sample_type == "clip":
        assert torch.equal(disc_input.sample, disc_input.sample[:, :, :1].expand_as(disc_input.sample))
    shown = disc_input.sample if discriminator.view.sample_type == "frames" else disc_input.sample[:, :, 0]
    for owner in range(3):
        own = shown[clip_index == owner]
        assert torch.equal(own, own[:1].expand_as(own))
    assert not torch.equal(disc_input.sample, discriminator.prepare_input(static, discriminator.view, index).sample)
    parameters = discriminator.sample_augmentation(static)
    again = [discriminator.prepare_input(static, discriminator.view, index, parameters) for _ in range(2)]
    assert torch.equal(again[0].sample, again[1].sample)
    if condition == "image":
        wanted = discriminator.augment.transform_maps(conditioned.image, parameters)
        assert torch.equal(again[0].maps, wanted[:, :, None].expand_as(again[0].maps))
    if condition == "maps":
        wanted = discriminator.augment.transform_maps(
            discriminator.view.gather(conditioned.maps, index), parameters[clip_index]
        )
        assert torch.equal(again[0].maps, wanted)


def test_real_and_generated_share_the_draw_of_a_loss(monkeypatch):
    """Where the generated video is the real one, a discriminator with augmentation sees no difference at all."""
    model = narrow.build(
        discriminators=dict(
            frame=narrow.discriminator(augment=AUGMENT),
            dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics"),
        )
    )
    seen = []
    clip = model.data_preprocessor(narrow.batch())["clip"]
    context = GanContext(model, clip, 0, ("reconstruct",), False)
    real = context.real("reconstruct")
    monkeypatch.setattr(context, "fake", lambda name, detach=False: real)
    loss = model.phases[0].losses[0]
    monkeypatch.setattr(NonSaturatingLoss, "discriminator_loss", _keep(seen))
    loss(context)
    [(right, fakes)] = seen
    assert torch.equal(right.sample, fakes[0][0].sample)
    assert not torch.equal(
        right.sample,
        model.discriminators["frame"].view.extract(real, model.discriminators["frame"].view.sample_indices(real)),
    )


def _keep(seen):
    def discriminator_loss(self, score, real, fakes):
        seen.append((real, fakes))
        return torch.zeros(())

    return discriminator_loss


def test_vectors_are_not_augmented():
    with pytest.raises(ConfigError, match="VectorDiscriminator judges vectors: leave augment out"):
        narrow.build(
            discriminators=dict(dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics", augment=AUGMENT))
        )
