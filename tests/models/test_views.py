"""Pairs of frames: which, how far apart, and whose."""

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import Footage, FramePairs, ProjectedPairDiscriminator
from i2vkit.models.losses import AdversarialLoss, CriticLoss


def footage(lengths, total=None) -> Footage:
    """Clips whose frame t of clip b is 100 b + t throughout."""
    total = total or max(lengths)
    values = 100 * torch.arange(len(lengths))[:, None] + torch.arange(total)
    video = values[:, None, :, None, None].expand(-1, 3, -1, 4, 4).float()
    return Footage(video, torch.tensor(lengths), lambda: None, video[:, :, 0])


def pairs(view: FramePairs, seen: Footage) -> tuple[torch.Tensor, torch.Tensor]:
    """The frame numbers (N, 2) that a view shows, and the clips (N,) they are of."""
    index = view.draw(seen)
    shown = view.look(seen, index)
    assert shown.shape[1:] == (3, 2, 4, 4)
    return shown[:, 0, :, 0, 0], view.owners(seen, index)


def test_pairs_are_two_true_frames_of_one_clip_in_their_order():
    shown, owners = pairs(FramePairs(number=200), footage((8, 5)))
    assert owners.tolist() == [0] * 200 + [1] * 200
    for clip, length in ((0, 8), (1, 5)):
        frames = shown[owners == clip] - 100 * clip
        found = {tuple(pair) for pair in frames.int().tolist()}
        assert found == {(a, b) for a in range(length) for b in range(a + 1, length)}


def test_distances_are_drawn_evenly_between_their_bounds():
    shown, _ = pairs(FramePairs(number=3000, min_distance=2, max_distance=4), footage((12,)))
    distances = (shown[:, 1] - shown[:, 0]).int().bincount(minlength=6)
    assert distances[[0, 1, 5]].sum() == 0
    assert (distances[2:5] - 1000).abs().max() < 120  # four standard deviations


def test_a_given_distance_and_clips_that_are_too_short_for_it():
    shown, _ = pairs(FramePairs(number=50, min_distance=3, max_distance=3), footage((10, 3, 1), total=10))
    first, second = shown.unbind(dim=1)
    assert set((second - first)[:50].tolist()) == {3.0}
    assert {(100.0, 102.0)} == set(map(tuple, shown[50:100].tolist()))
    assert {(200.0, 200.0)} == set(map(tuple, shown[100:].tolist()))


def test_without_lengths_the_whole_video_counts():
    seen = footage((6,))
    shown, _ = pairs(FramePairs(number=300), Footage(seen.video, None, seen.motion, seen.image))
    assert shown.max() == 5


@pytest.mark.parametrize("arguments", [dict(min_distance=0), dict(min_distance=3, max_distance=2)])
def test_other_distances_are_refused(arguments):
    with pytest.raises(ConfigError, match="least first"):
        FramePairs(**arguments)


def test_a_network_that_needs_longer_clips_is_refused_when_it_is_built():
    with pytest.raises(ConfigError, match="VideoDiscriminator needs clips of 4 frames or more, but FramePairs shows 2"):
        narrow.build(critics=dict(video=narrow.critic("VideoDiscriminator", "FramePairs")), phases={})


def test_pairs_at_any_distance_are_seen_among_a_few_decoded_frames(monkeypatch):
    phases = narrow.gan_config()["phases"]
    phases["critics"] = dict(updates=["critics.pair"], losses=dict(pair_critic=dict(type=CriticLoss, critic="pair")))
    phases["generator"]["losses"] = dict(pair_adversarial=dict(type=AdversarialLoss, critic="pair"))
    model = narrow.build(
        critics=dict(pair=narrow.critic("ProjectedPairDiscriminator", "FramePairs", "RelativisticLoss")),
        phases=phases,
        decoded_frames=2,
    )
    seen = []
    begin = ProjectedPairDiscriminator.begin

    def spy(network, sample, maps=None):
        seen.append(sample)
        return begin(network, sample, maps)

    monkeypatch.setattr(ProjectedPairDiscriminator, "begin", spy)
    model.train_step(narrow.batch(lengths=(6, 6)), narrow.optimizers(model))
    assert len(seen) == 4 and all(pair.shape == (4, 3, 2, 32, 32) for pair in seen)
    assert all((pair[:, :, 0] != pair[:, :, 1]).any() for pair in seen)
