"""Motion accuracy: known shifts, what counts as motion, and the order of what a person would rank."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from i2vkit.evaluation.metrics import MotionAccuracy, motion_accuracy
from i2vkit.evaluation.metrics.motion_accuracy import flow
from i2vkit.structures import VideoSample

SIZE = 48


def texture(seed=0, size=2 * SIZE) -> torch.Tensor:
    """A smooth picture (3, size, size), 0..255, that has something to follow everywhere."""
    noise = torch.rand(1, 3, size // 4, size // 4, generator=torch.Generator().manual_seed(seed))
    return interpolate(noise, (size, size), mode="bicubic").clamp(0, 1)[0] * 255


def moving(shifts, patch=SIZE, seed=0) -> torch.Tensor:
    """A textured patch that lies (x, y) whole pixels from its place, on a still textured ground: uint8 (3, T, H, W)."""
    ground, cloth = texture(seed + 1)[:, :SIZE, :SIZE], texture(seed)
    frames = []
    for x, y in shifts:
        frame, low, high = ground.clone(), (SIZE - patch) // 2, (SIZE + patch) // 2
        start = SIZE // 2
        frame[:, low:high, low:high] = cloth[:, start - y : start - y + patch, start - x : start - x + patch]
        frames.append(frame)
    return torch.stack(frames, dim=1).round().to(torch.uint8)


RAMP = [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)]


def error(video, truth) -> float:
    return motion_accuracy(video[None], truth[None]).mean().item()


def test_a_known_shift_against_none_is_its_length():
    """3 pixels right and 4 down in frame 1, then on: 5 pixels of error against a video that stands still."""
    truth = moving([(0, 0), (3, 4), (3, 4), (3, 4)])
    found = motion_accuracy(truth[None, :, :1].expand(1, 3, 4, SIZE, SIZE), truth[None])
    assert found.shape == (1, 3) and found.dtype == torch.float64
    assert found[0].tolist() == pytest.approx([5, 0, 0], abs=0.15)


def test_error_is_the_difference_of_two_motions():
    """(2, 0) against (0, 2) a frame."""
    found = motion_accuracy(moving([(2 * t, 0) for t in range(4)])[None], moving([(0, 2 * t) for t in range(4)])[None])
    assert found[0].tolist() == pytest.approx([8**0.5] * 3, rel=0.05)


def test_a_still_background_does_not_hide_what_moves():
    """A patch of a quarter of the frame; the plain mean over all pixels is far below."""
    truth = moving([(0, 0), (1, 0), (2, 0)], patch=24)
    plain = np.linalg.norm(flow(truth), axis=-1).mean()
    whole = error(moving([(0, 0)] * 3), moving([(0, 0), (1, 0), (2, 0)]))
    assert error(moving([(0, 0)] * 3, patch=24), truth) > max(2 * plain, 0.5 * whole)


def test_motion_where_the_truth_has_none_counts():
    still, video = moving([(0, 0)] * 3), moving([(0, 0), (1, 0), (2, 0)])
    assert error(video, still) == pytest.approx(1, rel=0.1) and error(still, still) == 0


def test_videos_are_ranked_as_a_person_would():
    truth = moving(RAMP, patch=32)
    frames = truth.float()
    noisy = frames + torch.randn(frames.shape, generator=torch.Generator().manual_seed(0)) * 4
    half = moving([(x // 2, y // 2) for x, y in RAMP], patch=32)
    order = [0, 6, 2, 7, 1, 4, 3, 5]
    found = [
        error(video, truth)
        for video in (
            truth,
            noisy.clamp(0, 255).to(torch.uint8),
            half,
            truth[:, :1].expand_as(truth),
            moving([(-x, -y) for x, y in RAMP], patch=32),
            truth[:, order],
        )
    ]
    assert found[0] == 0 and found[1] < 0.3 * found[3]
    assert found == sorted(found), found


def test_looks_count_less_than_motion():
    """Another texture that moves the same way is nearer than the same one that stands still."""
    truth = moving(RAMP)
    assert error(moving(RAMP, seed=7), truth) < 0.5 * error(truth[:, :1].expand_as(truth), truth)


def test_the_metric_has_the_still_image_as_static_baseline():
    truth = moving(RAMP[:4])
    sample = VideoSample(metainfo=dict(name="clip"))
    sample.generated, sample.truth, sample.image = truth, truth, truth[:, 0]
    metric = MotionAccuracy()
    metric.process(None, [sample])
    result = metric.evaluate(1)
    assert result["motion_error"] == 0
    assert (
        result["motion_error_improvement"]
        == result["motion_error_static_baseline"]
        == pytest.approx(error(truth[:, :1].expand_as(truth), truth))
    )
    assert result["motion_error_static_baseline"] > 0.8


def test_grey_videos_and_what_is_refused():
    grey = moving(RAMP[:3])[None, :1]
    assert motion_accuracy(grey, grey).tolist() == [[0, 0]]
    for wrong in (grey.float(), grey[:, :, :1], grey.expand(1, 2, *grey.shape[2:])):
        with pytest.raises(ValueError, match="uint8 videos"):
            motion_accuracy(wrong, wrong)


def test_flow_is_from_one_frame_to_the_next():
    found = flow(moving([(0, 0), (1, 0), (3, 1), (6, 1)]))
    middle = np.median(found[:, 12:-12, 12:-12], axis=(1, 2))
    assert middle.ravel().tolist() == pytest.approx([1, 0, 2, 1, 3, 0], abs=0.2)
