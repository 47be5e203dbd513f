"""The pose LSTM: what it sees, what it is asked for, and how its poses are scored."""

import copy
from types import SimpleNamespace

import narrow
import pytest
import torch

from i2vkit.errors import DataError
from i2vkit.evaluation.metrics import PoseError
from i2vkit.models import PoseLstm, SupervisedModel
from i2vkit.models.losses import PoseLoss
from i2vkit.registry import MODELS
from i2vkit.structures import VideoSample

NAN = float("nan")


def poses(frames: int = 7, clips: int = 2) -> torch.Tensor:
    """Joints (B, T, 13, 2) in pixels that move a pixel to the right each frame."""
    start = torch.rand(clips, 1, 13, 2, generator=torch.Generator().manual_seed(0)) * 20
    return start + torch.arange(frames).view(1, -1, 1, 1) * torch.tensor([1.0, 0.0])


def network(**changes) -> PoseLstm:
    torch.manual_seed(0)
    return PoseLstm(**{"image_size": narrow.SIZE, "observed": 4, "hidden": 16} | changes)


def build() -> SupervisedModel:
    torch.manual_seed(0)
    config = dict(
        type=SupervisedModel,
        network=dict(type=PoseLstm, observed=4, hidden=16),
        image_size=narrow.SIZE,
        labels=[],
        phases=dict(poses=dict(updates=["network"], losses=dict(pose=dict(type=PoseLoss)))),
    )
    return MODELS.build(config)


def batch() -> dict:
    data = narrow.batch(lengths=(7, 7))
    data["inputs"]["joints"] = list(poses())
    return data


def test_a_change_of_nothing_repeats_the_last_pose():
    model = network()
    torch.nn.init.zeros_(model.change.weight)
    made = model.forecast(poses()[:, :4], length=5)
    assert made.shape == (2, 5, 13, 2) and torch.allclose(made, poses()[:, 3:4].expand_as(made), atol=1e-4)


def test_the_future_is_not_seen():
    model, clip = network(), SimpleNamespace(joints=poses())
    torch.nn.init.normal_(model.change.weight)
    other = SimpleNamespace(joints=clip.joints.clone())
    other.joints[:, 4:] = 0
    assert torch.equal(model(clip)["poses"], model(other)["poses"])
    longer = model.forecast(clip.joints[:, :4], 6)
    assert torch.allclose(longer[:, :3], model.forecast(clip.joints[:, :4], 3), atol=1e-4)
    other.joints[:, 0] = 0
    assert not torch.allclose(model(clip)["poses"], model(other)["poses"], atol=1e-4)


def test_poses_are_those_of_full_precision_in_bf16_too():
    model, clip = network(), SimpleNamespace(joints=poses())
    torch.nn.init.normal_(model.change.weight)
    expected = model(clip)["poses"]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model(clip)["poses"], expected)


def test_unknown_joints_stay_where_they_were_seen_last():
    model = network()
    torch.nn.init.zeros_(model.change.weight)
    seen = poses()[:, :4].clone()
    seen[0, 2:, 5] = NAN  # hidden from the third frame on
    seen[0, 0, 6] = NAN  # seen from the second on
    seen[1, :, 7] = NAN  # never seen: the middle
    made = model.forecast(seen, 1)[:, 0]
    assert made.isfinite().all()
    assert torch.allclose(made[0, 5], poses()[0, 1, 5], atol=1e-4)
    assert torch.allclose(made[0, 6], poses()[0, 3, 6], atol=1e-4)
    assert torch.allclose(made[1, 7], torch.full((2,), (narrow.SIZE - 1) / 2))


def test_loss_is_the_squared_distance_of_known_joints():
    truth = torch.full((1, 3, 2, 2), 15.5)  # the middle: 0 in [-1, 1]
    truth[0, 2, 1] = NAN
    made = torch.zeros(1, 2, 2, 2)
    made[0, 0, 0] = torch.tensor([0.3, 0.4])
    made[0, 1, 1] = 100.0  # where nobody knows better
    made.requires_grad_()
    seen = SimpleNamespace(
        clip=SimpleNamespace(joints=truth), model=SimpleNamespace(image_size=32), output={"poses": made}.__getitem__
    )
    loss = PoseLoss()(seen)
    loss.backward()
    assert loss.item() == pytest.approx(0.25 / 3) and made.grad.isfinite().all()


def test_training_learns_a_steady_motion_better_than_standing_still():
    model, optimizers = build(), None
    optimizers = narrow.optimizers(model, lr=3e-3)
    before = model.train_step(batch(), optimizers)["pose"].item()
    for _ in range(150):
        last = model.train_step(batch(), optimizers)["pose"].item()
    assert last < 0.1 * before
    metric = PoseError()
    metric.process(None, model.test_step(copy.deepcopy(batch())))
    scores = metric.compute_metrics(metric.results)
    assert scores["pose_error_static_baseline"] == pytest.approx(2.0, abs=1e-4)  # 1, 2 and 3 pixels behind
    assert scores["pose_error"] < 1 and scores["pose_error_improvement"] == pytest.approx(
        2 - scores["pose_error"], abs=1e-4
    )


def test_joints_that_were_never_seen_or_are_not_known_are_not_scored():
    seen, true = poses()[0, :4].clone(), poses()[0, 4:].clone()
    seen[:, 0] = NAN
    true[1, 1] = NAN
    made = true.nan_to_num(0.0) + torch.tensor([3.0, 4.0])
    made[:, 0] = 1000
    metric = PoseError()
    metric.process(None, [VideoSample(seen_poses=seen, true_poses=true, poses=made)])
    nothing = VideoSample(seen_poses=seen, true_poses=torch.full_like(true, NAN), poses=made)
    metric.process(None, [nothing])
    scores = metric.compute_metrics(metric.results)
    assert scores["pose_error"] == pytest.approx(5.0, abs=1e-4)
    assert metric.per_video[1]["pose_error"] is None


def test_clips_that_are_too_short_are_refused():
    with pytest.raises(DataError, match="needs more than 4 poses a clip and got 4"):
        network()(SimpleNamespace(joints=poses(4)))
    with pytest.raises(DataError, match="got none: take ReadPoints"):
        network()(SimpleNamespace(joints=None))
    with pytest.raises(DataError, match=r"sees 4 poses of 13 joints, not \(3, 13, 2\)"):
        network().forecast(poses(3), 2)
