"""Pairs of frames: which, how far apart, and whose."""

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import ConditionedVideo, FramePairs, ProjectedPairDiscriminator, RandomFrames
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss


def conditioned(lengths, total=None) -> ConditionedVideo:
    """Clips whose frame t of clip b is 100 b + t throughout."""
    total = total or max(lengths)
    values = 100 * torch.arange(len(lengths))[:, None] + torch.arange(total)
    video = values[:, None, :, None, None].expand(-1, 3, -1, 4, 4).float()
    return ConditionedVideo(video, torch.tensor(lengths), lambda: None, video[:, :, 0])


def pairs(view: FramePairs, seen: ConditionedVideo) -> tuple[torch.Tensor, torch.Tensor]:
    """The frame numbers (N, 2) that a view shows, and the clips (N,) they are of."""
    index = view.sample_indices(seen)
    shown = view.extract(seen, index)
    assert shown.shape[1:] == (3, 2, 4, 4)
    return shown[:, 0, :, 0, 0], view.clip_index(seen, index)


def test_pairs_are_two_true_frames_of_one_clip_in_their_order():
    shown, clip_index = pairs(FramePairs(number=200), conditioned((8, 5)))
    assert clip_index.tolist() == [0] * 200 + [1] * 200
    for clip, length in ((0, 8), (1, 5)):
        frames = shown[clip_index == clip] - 100 * clip
        found = {tuple(pair) for pair in frames.int().tolist()}
        assert found == {(a, b) for a in range(length) for b in range(a + 1, length)}


def test_distances_are_drawn_evenly_between_their_bounds():
    shown, _ = pairs(FramePairs(number=3000, min_distance=2, max_distance=4), conditioned((12,)))
    distances = (shown[:, 1] - shown[:, 0]).int().bincount(minlength=6)
    assert distances[[0, 1, 5]].sum() == 0
    assert (distances[2:5] - 1000).abs().max() < 120  # four standard deviations


def test_a_given_distance_and_clips_that_are_too_short_for_it():
    shown, _ = pairs(FramePairs(number=50, min_distance=3, max_distance=3), conditioned((10, 3, 1), total=10))
    first, second = shown.unbind(dim=1)
    assert set((second - first)[:50].tolist()) == {3.0}
    assert {(100.0, 102.0)} == set(map(tuple, shown[50:100].tolist()))
    assert {(200.0, 200.0)} == set(map(tuple, shown[100:].tolist()))


def test_without_lengths_the_whole_video_counts():
    seen = conditioned((6,))
    shown, _ = pairs(FramePairs(number=300), ConditionedVideo(seen.video, None, seen.motion, seen.image))
    assert shown.max() == 5


@pytest.mark.parametrize("arguments", [dict(min_distance=0), dict(min_distance=3, max_distance=2)])
def test_other_distances_are_refused(arguments):
    with pytest.raises(ConfigError, match="least first"):
        FramePairs(**arguments)


def test_a_network_that_needs_longer_clips_is_refused_when_it_is_built():
    with pytest.raises(ConfigError, match="VideoDiscriminator needs clips of 4 frames or more, but FramePairs shows 2"):
        narrow.build(discriminators=dict(video=narrow.discriminator("VideoDiscriminator", "FramePairs")), phases={})


def test_pairs_at_any_distance_are_seen_among_a_few_decoded_frames(monkeypatch):
    phases = narrow.gan_config()["phases"]
    phases["discriminators"] = dict(
        updates=["discriminators.pair"],
        losses=dict(pair_discriminator=dict(type=DiscriminatorLoss, discriminator="pair")),
    )
    phases["generator"]["losses"] = dict(pair_adversarial=dict(type=AdversarialLoss, discriminator="pair"))
    model = narrow.build(
        discriminators=dict(pair=narrow.discriminator("ProjectedPairDiscriminator", "FramePairs", "RelativisticLoss")),
        phases=phases,
        decoded_frames=2,
    )
    seen = []
    shared_features = ProjectedPairDiscriminator.shared_features

    def spy(network, sample, maps=None):
        seen.append(sample)
        return shared_features(network, sample, maps)

    monkeypatch.setattr(ProjectedPairDiscriminator, "shared_features", spy)
    model.train_step(narrow.batch(lengths=(6, 6)), narrow.optimizers(model))
    assert len(seen) == 4 and all(pair.shape == (4, 3, 2, 32, 32) for pair in seen)
    assert all((pair[:, :, 0] != pair[:, :, 1]).any() for pair in seen)


def test_random_frames_are_at_most_as_many_as_there_are():
    seen = conditioned((8, 5))
    shown = RandomFrames(8).extract(seen, RandomFrames(8).sample_indices(seen))
    assert shown.shape == (16, 3, 4, 4) and shown[8:].max() <= 104  # of the padded clip only true frames
    with pytest.raises(ConfigError, match=r"RandomFrames\(9\) draws more frames than clips of 8 have: .* 8 at most"):
        RandomFrames(9).sample_indices(seen)
