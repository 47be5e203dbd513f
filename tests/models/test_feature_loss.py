"""Feature similarity: boxes, networks by path, against plain references."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from emulated_cuda import emulated_cuda
from torch.nn import functional

from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.losses.feature_losses import FeatureSimilarityLoss, Vgg16Features, crop_boxes, person_boxes
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch
from i2vkit.utils.weight_files import MissingWeightsError


@MODELS.register_module()
class TinyPose(torch.nn.Module):
    """Stands for a pose network."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 2, 3)

    def forward(self, frames):
        return self.layer(frames)


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """Random weights of VGG16's convolutions in a file, and its hash."""
    torch.manual_seed(0)
    with torch.device("meta"):
        layers = timm.create_model("vgg16").features
    weights = {
        f"features.{name}": torch.randn(v.shape) * (2 / v[0].numel()) ** 0.5 for name, v in layers.state_dict().items()
    }
    path = tmp_path_factory.mktemp("vgg") / "vgg16.pth"
    torch.save(weights, path)
    return dict(vgg=str(path), vgg_sha256=hashlib.sha256(path.read_bytes()).hexdigest()), weights


def context(made, real, num_frames=None, **clip):
    video, shown = SimpleNamespace(video=made, given=0), SimpleNamespace(video=real, num_frames=num_frames)
    return SimpleNamespace(generated=lambda n: video, real=lambda n: shown, clip=VideoBatch(real, **clip))


def features(weights, pictures):
    """The last convolution of VGG16, layer by layer."""
    x = ((pictures + 1) / 2 - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    for number in (0, 2, "pool", 5, 7, "pool", 10, 12, 14, "pool", 17, 19, 21, "pool", 24, 26, 28):
        if number == "pool":
            x = functional.max_pool2d(x, 2)
            continue
        x = functional.conv2d(x, weights[f"features.{number}.weight"], weights[f"features.{number}.bias"], padding=1)
        x = x if number == 28 else x.relu()
    return x


def test_crop_of_a_box_is_a_part_of_the_picture():
    frames = torch.randn(2, 3, 8, 12)
    boxes = torch.tensor([[2.0, 1.0, 6.0, 5.0], [0.0, 0.0, 12.0, 8.0]])
    cropped = crop_boxes(frames, boxes, 4)
    assert torch.allclose(cropped[0], frames[0, :, 1:5, 2:6], atol=1e-5)
    assert crop_boxes(frames, torch.tensor([[3.0, 3.0, 3.0, 3.0]] * 2), 5).isfinite().all()
    outside = crop_boxes(frames, torch.tensor([[-4.0, 0.0, 0.0, 4.0]] * 2), 4)
    assert torch.allclose(outside[0, :, :, 0], frames[0, :, :4, 0], atol=1e-5)


def test_box_of_a_person_is_that_of_the_clip_or_of_the_known_joints():
    driving = torch.zeros(1, 3, 2, 20, 20)
    joints = torch.full((1, 2, 13, 2), np.nan)
    joints[0, 0, 3], joints[0, 0, 7] = torch.tensor([4.5, 2.5]), torch.tensor([8.5, 12.5])
    boxes = person_boxes(VideoBatch(driving, joints=joints))
    assert torch.allclose(boxes[0, 0], torch.tensor([5 - 1.5, 3 - 1.5, 9 + 1.5, 13 + 1.5]))
    assert boxes[0, 1].tolist() == [0, 0, 20, 20] == person_boxes(VideoBatch(driving))[0, 0].tolist()
    given = torch.rand(1, 2, 4)
    assert person_boxes(VideoBatch(driving, joints=joints, boxes=given)) is given


def test_loss_is_the_mean_square_of_features_over_true_frames(vgg):
    files, weights = vgg
    made, real = torch.rand(2, 3, 2, 24, 24, requires_grad=True), torch.rand(2, 3, 2, 24, 24)
    boxes = torch.tensor([4.0, 4.0, 20.0, 20.0]).expand(2, 2, 4)
    loss = FeatureSimilarityLoss(size=32, **files)
    value = loss(context(made, real, torch.tensor([1, 2]), boxes=boxes))
    frames = [torch.stack([video[0, :, 0], video[1, :, 0], video[1, :, 1]]) for video in (made, real)]
    one, other = (features(weights, crop_boxes(f, boxes.flatten(0, 1)[:3], 32)) for f in frames)
    assert value.item() == pytest.approx((one - other).square().mean().item(), rel=1e-4)
    (gradient,) = torch.autograd.grad(value, made)
    assert gradient[0, :, 0, 8:16, 8:16].abs().sum() > 0 and gradient[0, :, 1].abs().sum() == 0
    assert not list(loss.parameters()) and not loss.state_dict()
    assert loss(context(real, real)).item() == 0


@pytest.mark.parametrize("lengths", [None, [1, 2]])
def test_on_a_gpu_it_has_the_value_of_the_cpu_and_neither_waits_nor_copies(vgg, lengths):
    made, real = torch.rand(2, 3, 2, 24, 24), torch.rand(2, 3, 2, 24, 24)
    lengths = None if lengths is None else torch.tensor(lengths)
    joints = 24 * torch.rand(2, 2, 13, 2)
    expected = FeatureSimilarityLoss(size=32, **vgg[0])(context(made, real, lengths, joints=joints))
    with emulated_cuda() as cuda:
        made, real, joints = made.to("cuda:0").requires_grad_(), real.to("cuda:0"), joints.to("cuda:0")
        lengths = None if lengths is None else lengths.to("cuda:0")
        loss, shown = FeatureSimilarityLoss(size=32, **vgg[0]), context(made, real, lengths, joints=joints)
        loss(shown)  # reads the weights
        cuda.counts.clear()
        value = loss(shown)
        value.backward()
        assert cuda.counts.synchronisations.total() == cuda.counts.copies.total() == 0, cuda.counts
        assert value.item() == pytest.approx(expected.item(), rel=1e-4) and made.grad.abs().sum().item() > 0


def test_pose_network_is_added(vgg, tmp_path):
    files, _ = vgg
    torch.manual_seed(1)
    network = TinyPose()
    torch.save(network.state_dict(), tmp_path / "pose.pth")
    pose = dict(network=dict(type=TinyPose), weights=str(tmp_path / "pose.pth"))
    made, real = torch.rand(1, 3, 2, 24, 24), torch.rand(1, 3, 2, 24, 24)
    without, added = (FeatureSimilarityLoss(size=32, pose=p, **files)(context(made, real)) for p in (None, pose))
    frames = [video[0].transpose(0, 1) for video in (made, real)]
    expected = (network(frames[0]) - network(frames[1])).square().mean()
    assert (added - without).item() == pytest.approx(expected.item(), rel=1e-3)
    named = FeatureSimilarityLoss(size=32, pose=pose | dict(network=dict(type="TinyPose"), sha256="a" * 8), **files)
    assert named.frozen_networks.keys() == {"vgg16", "TinyPose"} and named.frozen_networks["TinyPose"] == "a" * 8
    assert FeatureSimilarityLoss(size=32, pose=pose, **files).frozen_networks["TinyPose"] is None
    loss = FeatureSimilarityLoss(size=32, pose=pose | dict(weights="nowhere.pth"), **files)
    with pytest.raises(CheckpointError, match=r"the pose network are not there: .*nowhere.pth"):
        loss(context(made, real))
    empty = context(made.to("meta"), real.to("meta"))
    assert loss(empty).shape == () and len(loss.networks()) == 2  # costs are measured without any weights
    loss = FeatureSimilarityLoss(size=32, pose=pose | dict(sha256="0" * 64), **files)
    with pytest.raises(CheckpointError, match="SHA-256"):
        loss(context(made, real))
    with pytest.raises(ConfigError, match="loss 'features': pose=dict"):
        FeatureSimilarityLoss(pose=dict(network=dict(type=TinyPose)))


def test_without_weights_it_says_what_to_fetch(vgg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video = torch.rand(1, 3, 1, 24, 24)
    with pytest.raises(MissingWeightsError) as missing:
        FeatureSimilarityLoss()(context(video, video))
    assert str(missing.value) == (
        f"loss 'features' looks through VGG16, and there is no {tmp_path}/data/extractors/vgg16-397923af.pth: fetch "
        "vgg16-397923af.pth from https://download.pytorch.org/models/vgg16-397923af.pth and put it there; its SHA-256 "
        "begins with 397923af. To train without it take the config frgan_forecast_penn_no_features, or leave the loss "
        "out as that does"
    )
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, path)
    with pytest.raises(CheckpointError, match="SHA-256"):
        Vgg16Features(path)
    with pytest.raises(CheckpointError, match="does not hold the convolutions of VGG16"):
        Vgg16Features(path, hashlib.sha256(path.read_bytes()).hexdigest())
