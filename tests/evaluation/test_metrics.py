"""SSIM and PSNR: values against scikit-image and closed forms; the static baseline, the means and the errors of the
metrics.
"""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from i2vkit.errors import DataError, I2VError
from i2vkit.evaluation.metrics import Accuracy, PoseError, Psnr, Ssim, mse, psnr, ssim
from i2vkit.structures import VideoSample


def videos(seed=0, n=2, t=3, size=(24, 31), noise=20):
    """Smooth 8-bit videos (N, 3, T, H, W) and the same with noise."""
    rng = np.random.default_rng(seed)
    height, width = size
    ramp = np.linspace(20, 200, height)[:, None] + np.linspace(0, 40, width)
    truth = np.clip(ramp + rng.normal(0, 4, (n, 3, t, height, width)), 0, 255)
    noisy = np.clip(truth + rng.normal(0, noise, truth.shape), 0, 255)
    return torch.from_numpy(noisy.astype(np.uint8)), torch.from_numpy(truth.astype(np.uint8))


def sample(generated, truth=None, name="clip", first=None):
    result = VideoSample(metainfo={"name": name, "driving_person": "P001"})
    result.generated = generated
    result.image = generated[:, 0] if first is None else first
    if truth is not None:
        result.truth = truth
    return result


@pytest.mark.parametrize("noise", [0, 1, 20, 80])
def test_ssim_agrees_with_scikit_image(noise):
    video, truth = videos(noise=noise)
    settings = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 255,
        "channel_axis": 0,
    }
    expected = [
        [structural_similarity(video[n, :, t].numpy(), truth[n, :, t].numpy(), **settings) for t in range(3)]
        for n in range(2)
    ]
    np.testing.assert_allclose(ssim(video, truth).numpy(), expected, atol=2e-6)


def test_ssim_agrees_with_torchmetrics_inside_the_border():
    video, truth = videos(n=1)
    frames = [x[0].transpose(0, 1).double() for x in (video, truth)]
    _, full = structural_similarity_index_measure(*frames, data_range=255.0, reduction=None, return_full_image=True)
    expected = full[..., 5:-5, 5:-5].flatten(1).mean(1)
    torch.testing.assert_close(ssim(video, truth)[0], expected, atol=1e-9, rtol=0)


def test_ssim_of_flat_frames_is_the_luminance_term():
    """Constant frames have no variance: (2 a b + C1) / (a^2 + b^2 + C1)."""
    a, b, c1 = 100.0, 150.0, (0.01 * 255) ** 2
    flat = torch.ones(1, 3, 1, 16, 16)
    assert ssim(a * flat, b * flat).item() == pytest.approx((2 * a * b + c1) / (a**2 + b**2 + c1), abs=1e-9)


def test_ssim_does_not_depend_on_how_frames_are_chunked():
    video, truth = videos(n=1, t=40)
    whole = ssim(video, truth)
    parts = torch.cat([ssim(video[:, :, t : t + 1], truth[:, :, t : t + 1]) for t in range(40)], dim=1)
    torch.testing.assert_close(whole, parts)


def test_psnr_agrees_with_scikit_image_frame_by_frame():
    video, truth = videos()
    expected = [
        [peak_signal_noise_ratio(truth[n, :, t].numpy(), video[n, :, t].numpy(), data_range=255) for t in range(3)]
        for n in range(2)
    ]
    np.testing.assert_allclose(psnr(video, truth).numpy(), expected, atol=1e-9)


def test_psnr_of_unsigned_values_does_not_wrap_around():
    black = torch.zeros(1, 3, 1, 4, 4, dtype=torch.uint8)
    assert psnr(black, black + 255).item() == psnr(black + 255, black).item() == 0


@pytest.mark.parametrize("function", [ssim, psnr, mse])
def test_shapes_that_do_not_fit_are_refused(function):
    video, truth = videos()
    with pytest.raises(ValueError, match="one shape"):
        function(video, truth[:1])
    with pytest.raises(ValueError, match="one shape"):
        function(video[0], truth[0])


def test_ssim_refuses_frames_smaller_than_its_window():
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(torch.zeros(1, 3, 2, 10, 20), torch.zeros(1, 3, 2, 10, 20))


def test_scored_are_frames_one_to_the_last_then_videos():
    """Errors of 1, 2, ... in frame 0, 1, ...: frame 0 does not count; long and short videos weigh the same."""
    truth = torch.full((3, 5, 8, 8), 100, dtype=torch.uint8)
    steps = torch.arange(1, 6, dtype=torch.uint8).view(1, 5, 1, 1)
    long, short = truth + steps, (truth + steps)[:, :2]
    metric = Psnr()
    metric.process(None, [sample(long, truth).to_dict(), sample(short, truth[:, :2]).to_dict()])
    result = metric.evaluate(2)
    decibel = lambda error: 20 * np.log10(255 / error)  # noqa: E731
    of_long, of_short = np.mean([decibel(k) for k in (2, 3, 4, 5)]), decibel(2)
    assert result["psnr"] == pytest.approx((of_long + of_short) / 2)
    # The static baseline repeats `first`, which here is off by 1 everywhere.
    assert result["psnr_static_baseline"] == pytest.approx(decibel(1))
    assert result["psnr_improvement"] == pytest.approx(result["psnr"] - result["psnr_static_baseline"])
    assert [video["num_frames"] for video in metric.per_video] == [5, 2]
    assert metric.per_video[0]["psnr"] == pytest.approx(of_long)
    assert metric.per_video[0]["driving_person"] == "P001"


def test_repeating_the_first_image_gains_nothing():
    _, truth = videos(n=1, t=6)
    still = truth[0][:, :1].expand(-1, 6, -1, -1).contiguous()
    result = Evaluator([Ssim(), Psnr()]).offline_evaluate([sample(still, truth[0])])
    assert result["ssim_improvement"] == result["psnr_improvement"] == 0
    assert result["ssim"] == result["ssim_static_baseline"] < 1


def test_videos_without_truth_are_kept_but_not_scored():
    video, truth = videos()
    metric = Ssim()
    metric.process(None, [sample(video[0], truth[0], "with"), sample(video[1], name="without")])
    result = metric.evaluate(2)
    assert result["ssim"] == pytest.approx(ssim(video[:1], truth[:1])[0, 1:].mean().item())
    assert metric.per_video[1] == {
        "name": "without",
        "driving_person": "P001",
        "num_frames": 3,
        "ssim": None,
        "ssim_static_baseline": None,
        "ssim_improvement": None,
    }
    metric.process(None, [sample(video[1], name="without")])
    assert metric.evaluate(1) == {}


def test_memory_does_not_grow_with_the_videos():
    video, truth = videos()
    metric = Ssim()
    metric.process(None, [sample(video[0], truth[0])])
    assert not any(isinstance(value, torch.Tensor) for value in metric.results[0].values())


def test_errors_name_the_video():
    video, truth = videos()
    metric = Ssim()
    with pytest.raises(DataError, match=r"'a'.*\(3, 3, 24, 31\).*\(3, 2, 24, 31\)"):
        metric.process(None, [sample(video[0], truth[0][:, :2], "a")])
    with pytest.raises(DataError, match=r"'b' has one frame"):
        metric.process(None, [sample(video[0][:, :1], truth[0][:, :1], "b")])
    with pytest.raises(DataError, match=r"'c': its first image"):
        metric.process(None, [sample(video[0], truth[0], "c", first=video[0][:, 0, :8])])
    with pytest.raises(DataError, match=r"'d'.*uint8 videos.*generated is torch\.float32 with values of 0 to"):
        metric.process(None, [sample(video[0].float(), truth[0], "d")])
    broken = video[0].float() / 127.5 - 1
    broken[1, 2, 5, 5] = torch.nan
    with pytest.raises(
        DataError, match=r"'e'.*values of -1 to .*, and values that are not finite in frame 2\. Convert a model's"
    ):
        metric.process(None, [sample(video[0], broken, "e")])


def test_prefix_is_put_before_the_names():
    video, truth = videos()
    metric = Ssim(prefix="transfer")
    metric.process(None, [sample(video[0], truth[0])])
    assert set(metric.evaluate(1)) == {"transfer/ssim", "transfer/ssim_static_baseline", "transfer/ssim_improvement"}


def test_accuracy_and_its_static_baseline():
    """Labels 0, 0, 0, 1: always saying 0 is right three times."""
    metric = Accuracy()
    for label, predicted in ((0, 0), (0, 1), (0, 0), (1, 1)):
        scores = torch.zeros(3).index_fill(0, torch.tensor(predicted), 1.0)
        metric.process(None, [{"name": "clip", "scores": scores, "label": torch.tensor(label)}])
    assert metric.evaluate(4) == {"accuracy": 0.75, "accuracy_static_baseline": 0.75, "accuracy_improvement": 0.0}
    assert metric.per_video[1] == {"name": "clip", "label": 0, "predicted": 1}
    with pytest.raises(DataError, match="'x' has no label"):
        metric.process(None, [{"name": "x", "scores": torch.zeros(3), "label": torch.tensor(-1)}])


def test_pose_error_and_its_static_baseline():
    """Three joints: seen at first only and 3 pixels on, seen to the last and unknown for a while, and never seen."""
    gone = torch.nan
    seen, true = torch.zeros(2, 3, 2), torch.zeros(2, 3, 2)
    seen[1, 0], seen[1, 1], seen[:, 2] = gone, 8.0, gone
    true[:, 0, 0], true[0, 1], true[1, 1] = 3.0, gone, 8.0
    poses = true.nan_to_num(0.0) + torch.tensor([0.0, 1.0])
    poses[1, 0] = gone  # the model does not know it either
    metric = PoseError()
    metric.process(None, [{"name": "clip", "poses": poses, "true_poses": true, "seen_poses": seen}])
    # The baseline is 3 pixels off at both times of the first joint, and right at the one of the second.
    expected = {"pose_error": 1.0, "pose_error_static_baseline": 2.0, "pose_error_improvement": 1.0}
    assert metric.evaluate(1) == pytest.approx(expected)


@pytest.mark.parametrize("function", [ssim, psnr, mse])
def test_the_range_of_values_is_known_or_asked_for(function):
    video, truth = videos(n=1, t=2)
    expected = function(video, truth)
    torch.testing.assert_close(function(video.double(), truth.double()), expected)
    torch.testing.assert_close(function(video.long(), truth), expected)
    torch.testing.assert_close(function(video.double() / 255, truth.double() / 255, data_range=1), expected)
    with pytest.raises(I2VError, match="say data_range=1, or data_range=255"):
        function(video / 255, truth / 255)
    for wrong in (video / 127.5 - 1, video.float() * 2, video.float().fill_(float("nan"))):
        with pytest.raises(ValueError, match="and not from 0 to 255"):
            function(wrong, truth)
    with pytest.raises(I2VError, match="and not from 0 to 1:"):
        function(video, truth, data_range=1)


def test_equal_frames_do_not_lift_the_mean_of_psnr_unnoticed():
    truth = torch.full((3, 5, 8, 8), 100, dtype=torch.uint8)
    close, equal = truth + 1, truth.clone()
    half = torch.cat([truth[:, :3], close[:, 3:]], 1)
    metric = Psnr()
    for video in (close, equal, half):
        metric.process(None, [dict(name="a", generated=video, truth=truth, image=truth[:, 0])])
    scores = metric.compute_metrics(metric.results)
    one = 20 * np.log10(255)
    assert scores["psnr"] == pytest.approx((one + 100 + (one + 100) / 2) / 3)
    assert metric.warning == (
        f"6 frames of 2 of 3 videos equal their ground truth, and count as 100 dB each: the others have a mean of "
        f"{one:.2f} dB"
    )
    assert [row.get("equal_frames") for row in metric.per_video] == [None, 4, 2]
    metric.results = metric.results[:1]
    metric.compute_metrics(metric.results)
    assert metric.warning is None
