"""Clips of one length and of several: masks, views and draws; to say nothing of lengths changes no value."""

from dataclasses import replace

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.adapters import TrajectoryToCode
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.discriminators import (
    AllFrames,
    ConditionedVideo,
    LastDynamics,
    RandomFrames,
    RandomWindow,
    WholeClip,
)
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import ContentInvarianceLoss, ContentVarianceRatio, FrameL1Loss
from i2vkit.models.training.context import GanContext
from i2vkit.structures import Content, Motion, Spec

LENGTHS = torch.tensor([5, 2, 3])


def conditioned(num_frames: torch.Tensor | None = LENGTHS) -> ConditionedVideo:
    """Three clips of five frames of 2x2 pixels; every value says clip and frame."""
    place = 10 * torch.arange(3)[:, None] + torch.arange(5)
    video = place[:, None, :, None, None].float().expand(3, 3, 5, 2, 2)
    return ConditionedVideo(video, num_frames, motion=lambda: Motion(length=5), image=video[:, :, 0])


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 4), (3, 5, 2, 3, 4)])
def test_masked_mean_is_the_mean_of_what_the_mask_picks(shape):
    values, mask = torch.randn(shape, requires_grad=True), true_frames(LENGTHS, 5)
    for one, other in ((masked_mean(values, mask), values[mask].mean()), (masked_mean(values, None), values.mean())):
        assert one.item() == pytest.approx(other.item(), abs=1e-6)
        found, expected = (torch.autograd.grad(value, values)[0] for value in (one, other))
        assert torch.allclose(found, expected, atol=1e-7)


def test_masked_mean_does_not_look_at_the_padding_and_is_0_of_nothing():
    values = torch.tensor([[1.0, float("nan")], [3.0, 5.0]])
    assert masked_mean(values, torch.tensor([[True, False], [True, True]])).item() == 3
    assert masked_mean(values, torch.zeros(2, 2, dtype=torch.bool)).item() == 0
    assert masked_mean(torch.zeros(2, 0, 3), None).item() == 0


def test_all_frames_shows_the_true_ones_and_knows_their_clips():
    view = AllFrames()
    for shown, frames in ((conditioned(), [0, 1, 2, 3, 4, 10, 11, 20, 21, 22]), (conditioned(None), None)):
        frames = frames or [10 * clip + frame for clip in range(3) for frame in range(5)]
        index = view.sample_indices(shown)
        assert view.extract(shown, index)[:, 0, 0, 0].tolist() == frames
        assert view.clip_index(shown, index).tolist() == [frame // 10 for frame in frames]
    full = conditioned(torch.tensor([5, 5, 5]))
    one, other = (view.extract(each, view.sample_indices(each)) for each in (full, conditioned(None)))
    assert torch.equal(one, other) and view.sample_indices(conditioned(None)) is None


@pytest.mark.parametrize("lengths", [LENGTHS, None])
def test_random_frames_are_true_ones_as_likely_as_each_other(lengths):
    view, shown = RandomFrames(5), conditioned(lengths)
    index = torch.cat([view.sample_indices(shown) for _ in range(1200)], dim=1)  # (3, 6000)
    seen, clip_index = view.extract(shown, index)[:, 0, 0, 0], view.clip_index(shown, index)
    assert torch.equal(seen // 10, clip_index.float()) and clip_index.bincount().tolist() == [6000] * 3
    for clip, length in enumerate([5, 2, 3] if lengths is not None else [5, 5, 5]):
        shares = index[clip].bincount(minlength=5) / 6000
        assert torch.allclose(shares[:length], torch.full((length,), 1 / length), atol=0.03)
        assert shares[length:].sum() == 0


def test_random_windows_start_where_there_is_room():
    view = RandomWindow(3)
    for lengths, latest in ((LENGTHS, [2, 0, 0]), (None, [2, 2, 2])):
        starts = torch.stack([view.sample_indices(conditioned(lengths))[:, 0] for _ in range(60)])
        assert starts.amax(dim=0).tolist() == latest and starts.amin(dim=0).tolist() == [0, 0, 0]
    assert view.clip_index(conditioned(), view.sample_indices(conditioned())).tolist() == [0, 1, 2]


def test_the_last_step_is_the_last_true_one():
    trajectory = torch.arange(15.0).view(3, 5, 1)
    for lengths, expected in ((LENGTHS, [4, 6, 12]), (None, [4, 9, 14])):
        shown = replace(conditioned(lengths), motion=lambda: Motion(length=5, trajectory=trajectory))
        assert LastDynamics().extract(shown, None).flatten().tolist() == expected
    assert WholeClip().clip_index(conditioned(), None).tolist() == [0, 1, 2]


def test_code_of_a_trajectory_is_the_mean_over_true_frames():
    adapter, trajectory = TrajectoryToCode(Spec(trajectory=2)), torch.randn(3, 5, 2)
    expected = torch.stack([steps[:length].mean(dim=0) for steps, length in zip(trajectory, LENGTHS, strict=True)])
    motion = Motion(length=5, trajectory=trajectory)
    padded, full = (adapter(replace(motion, num_frames=lengths), GenerationState()).code for lengths in (LENGTHS, None))
    assert torch.allclose(padded, expected, atol=1e-6) and torch.allclose(full, trajectory.mean(dim=1), atol=1e-6)


class Coded:
    """A step in which one video was made from given codes."""

    def __init__(self, codes: torch.Tensor, num_frames: torch.Tensor | None):
        self.clip = replace(conditioned(num_frames))
        self._made = Motion(length=5), Content(image=self.clip.image, code=codes)

    def generated(self, name: str):
        return type("Made", (), dict(content=self._made[1]))


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_changes_of_content_are_those_of_true_frames_one_by_one(scale):
    codes = scale * torch.randn(3, 5, 4)
    clips = [own[:length] for own, length in zip(codes, LENGTHS, strict=True)]
    change = torch.cat([(own[1:] - own[:-1]).abs() for own in clips]).mean()
    true = torch.cat(clips)
    away = (true - true.mean(dim=0)).abs().mean()
    context = Coded(codes, LENGTHS)
    assert ContentInvarianceLoss()(context).item() == pytest.approx(change.item(), rel=1e-5)
    assert ContentInvarianceLoss(relative=True)(context).item() == pytest.approx((change / away).item(), rel=1e-5)
    for loss in (ContentInvarianceLoss(), ContentInvarianceLoss(relative=True), ContentVarianceRatio()):
        none, full = loss(Coded(codes, None)), loss(Coded(codes, torch.tensor([5, 5, 5])))
        assert none.item() == pytest.approx(full.item(), rel=1e-5) and none > 0


def losses(data: dict, **config) -> dict[str, float]:
    model = narrow.build(**config)
    torch.manual_seed(1)
    return {name: value.item() for name, value in model.train_step(data, narrow.optimizers(model)).items()}


def test_a_step_without_lengths_is_the_step_with_full_ones():
    discriminators = dict(
        frame=narrow.discriminator(classify=True, condition="label"),
        dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics"),
    )
    for config in (
        dict(discriminators=discriminators),
        dict(discriminators=discriminators | dict(frame=narrow.discriminator(view="RandomFrames"))),
    ):
        given = losses(narrow.batch(lengths=(6, 6)), **config)
        data = narrow.batch(lengths=(6, 6))
        del data["inputs"]["num_frames"]
        assert losses(data, **config) == pytest.approx(given, rel=1e-5)


def test_what_the_generator_hands_on_has_no_lengths_where_the_clip_has_none():
    generator = dict(motion_encoder=None, motion_generator=narrow.NARROW["NoiseGru"])
    phases = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss))))
    model = narrow.build(generator=generator, frozen=[], discriminators={}, phases=phases)
    data = narrow.batch(lengths=(6, 6))
    del data["inputs"]["num_frames"]
    context = GanContext(model, model.data_preprocessor(data)["clip"], 0, ("reconstruct",), True)
    made = context.generated("reconstruct")
    assert made.motion.num_frames is None and made.video.shape[2] == 6
    assert FrameL1Loss()(context).item() > 0


def test_a_stream_makes_draws_for_the_batch_it_serves():
    part, like = torch.nn.Identity(), torch.zeros(2, 7)
    with pytest.raises(ConfigError, match="serves no batch yet"):
        GenerationState().normal(part, "noise", (3,))
    told = GenerationState([1, 2])
    told.set_batch(like)
    for state in (told, GenerationState([1, 2], like=like)):
        assert torch.equal(
            state.normal(part, "noise", (3,)), GenerationState([1, 2]).normal(part, "noise", (3,), like=like)
        )
        assert state.uniform(part, "mask", (4,)).shape == (2, 4)
        assert state.normal_per_frame(part, "steps", 5, (4,)).shape == (2, 5, 4)
