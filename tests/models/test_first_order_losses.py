"""The losses of the first-order motion model: equivariance under known deformations, and VGG19 at several sizes."""

import hashlib
from types import SimpleNamespace

import narrow
import pytest
import timm
import torch
from torch import nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.layers.random_warps import SmoothWarp
from i2vkit.models.losses import EquivarianceLoss, FrameL1Loss, PerceptualPyramidLoss
from i2vkit.models.losses.perceptual import Vgg19Features
from i2vkit.structures import Motion, Points, VideoBatch
from i2vkit.utils.weight_files import MissingWeightsError

GENERATOR = dict(
    content_encoder=narrow.NARROW["StageEncoder"],
    motion_encoder=narrow.NARROW["KeypointEncoder"] | dict(local="affine"),
    motion_generator=narrow.NARROW["DenseFlow"] | dict(groups=0, correction=False, visible=True),
    decoder=narrow.NARROW["WarpedPyramidDecoder"],
)


def model_of(generator=GENERATOR, **losses):
    phases = dict(generator=dict(updates=["generator"], losses=losses))
    return narrow.build(generator=generator, frozen=[], discriminators={}, phases=phases)


def test_a_deformation_equals_its_formula_and_its_derivatives():
    torch.manual_seed(0)
    warp = SmoothWarp.random(2, 0.1, 0.05, 3, torch.zeros(1, dtype=torch.float64))
    places = torch.rand(2, 4, 2, dtype=torch.float64) - 0.5
    found, slopes = warp.places(places), warp.derivatives(places)
    for b in range(2):
        for n in range(4):

            def formula(z, b=b):
                total = warp.affine[b, :, :2] @ z + warp.affine[b, :, 2]
                for control, weight in zip(warp.controls, warp.weights[b], strict=True):
                    radius = (z - control).norm()
                    total = total + weight * radius.square() * radius.log()
                return total

            assert torch.allclose(found[b, n], formula(places[b, n]))
            assert torch.allclose(slopes[b, n], torch.autograd.functional.jacobian(formula, places[b, n]))
    assert warp.controls.tolist()[:2] == [[-1, -1], [0, -1]]
    at_control = warp.derivatives(warp.controls[None].expand(2, -1, -1))
    assert torch.isfinite(at_control).all()


def test_a_deformed_frame_shows_what_lies_at_the_places_of_the_deformation():
    turned = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])  # a quarter of a turn
    warp = SmoothWarp(turned, torch.zeros(1, 1, 2), torch.zeros(1, 2))
    video = torch.rand(1, 3, 2, 5, 5)
    # Place (x, y) shows what lies at (-y, x).
    expected = torch.stack([torch.stack([video[..., x, 4 - y] for x in range(5)], dim=-1) for y in range(5)], dim=-2)
    assert torch.allclose(warp.frames(video), expected, atol=1e-5)


class Fake:
    """A context whose encoder finds the brightest pixel, and the derivative that it is told."""

    def __init__(self, places, affine, again, affine_again):
        self.clip = VideoBatch(torch.zeros(1, 3, places.shape[1], 8, 8), num_frames=torch.tensor([1]))
        self.found = [
            Motion(1, points=dict(driving=Points(p, affine=a))) for p, a in ((places, affine), (again, affine_again))
        ]

    def encoded(self, name):
        return self.found[0]

    def encode(self, video, num_frames=None):
        return self.found[1]


def test_equivariance_is_zero_for_points_that_follow_and_counts_true_frames_alone(monkeypatch):
    torch.manual_seed(0)
    warp = SmoothWarp.random(1, 0.1, 0.02, 3, torch.zeros(1))
    monkeypatch.setattr(SmoothWarp, "random", staticmethod(lambda *arguments: warp))
    again = torch.rand(1, 2, 3, 2) - 0.5
    local = torch.eye(2) + 0.2 * torch.randn(1, 2, 3, 2, 2)
    places = warp.places(again.flatten(1, 2)).unflatten(1, (2, 3))
    affine = warp.derivatives(again.flatten(1, 2)).unflatten(1, (2, 3)) @ local
    places[:, 1] += 100  # of the padding
    loss = EquivarianceLoss()
    assert loss(Fake(places, affine, again, local)).item() == pytest.approx(0, abs=1e-5)
    shifted = places + torch.tensor([0.3, 0.0])
    assert loss(Fake(shifted, None, again, None)).item() == pytest.approx(0.15, abs=1e-5)
    # J twice as large: I - J^-1 T' J' is I / 2, whose elements are 1/4 on average.
    assert loss(Fake(places, 2 * affine, again, local)).item() == pytest.approx(0.25, abs=1e-5)


def test_equivariance_trains_the_encoder_alone():
    model = model_of(equivariance=dict(type=EquivarianceLoss), frame_l1=dict(type=FrameL1Loss, weight=0.0))
    before = {name: value.clone() for name, value in model.generator.named_parameters()}
    log = model.train_step(narrow.batch(lengths=(2, 2)), narrow.optimizers(model, lr=1e-2))
    assert log["equivariance"] > 0
    changed = {
        name.split(".")[0] for name, value in model.generator.named_parameters() if not torch.equal(value, before[name])
    }
    assert "motion_encoder" in changed
    assert not torch.equal(model.generator.motion_encoder.to_affine.weight, before["motion_encoder.to_affine.weight"])
    with pytest.raises(ConfigError, match="compares learned points, and CnnLstmEncoder gives none"):
        plain = dict(motion_encoder=narrow.NARROW["CnnLstmEncoder"], decoder=narrow.NARROW["UNetDecoder"])
        model_of(plain, equivariance=dict(type=EquivarianceLoss))
    with pytest.raises(ConfigError, match="GivenLandmarks reads given landmarks instead of the video"):
        given = GENERATOR | dict(motion_encoder=narrow.NARROW["GivenLandmarks"])
        model_of(given, equivariance=dict(type=EquivarianceLoss))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights of VGG19's convolutions in a file, its hash, and the layers."""
    torch.manual_seed(0)
    with torch.device("meta"):
        layers = timm.create_model("vgg19").get_submodule("features")[:30]
    layers = layers.to_empty(device="cpu")
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest(), layers


@pytest.mark.slow
def test_perceptual_loss_is_the_sum_over_maps_and_sizes(weights):
    path, sha256, layers = weights
    made, real = (torch.rand(1, 3, 2, 32, 32) * 2 - 1 for _ in range(2))
    context = SimpleNamespace(
        generated=lambda name: SimpleNamespace(video=made, given=0),
        real=lambda name: SimpleNamespace(video=real, num_frames=torch.tensor([1])),
    )
    loss = PerceptualPyramidLoss(shrink=(1, 2), vgg=str(path), vgg_sha256=sha256)
    total = 0.0
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    for factor in (1, 2):
        maps = []
        for video in (made, real):
            x = (functional.avg_pool2d(video[:, :, 0], factor) / 2 + 0.5 - mean) / deviation
            found = []
            for i, layer in enumerate(layers):
                x = layer(x)
                found += [x.clone()] if i in (1, 6, 11, 20, 29) else []
            maps.append(found)
        total = total + sum((one - other).abs().mean() for one, other in zip(*maps, strict=True))
    assert torch.allclose(loss(context), total, rtol=1e-4)
    assert len(loss.networks()) == 1 and loss.frozen_networks == {"vgg19": sha256}
    assert not any(parameter.requires_grad for parameter in loss.networks()[0].parameters())


def test_perceptual_loss_names_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"factors \(1, 4\), and VGG19 reads frames of 16 pixels or more"):
        model_of(perceptual=dict(type=PerceptualPyramidLoss, shrink=(1, 4)))
    PerceptualPyramidLoss().check(SimpleNamespace(image_size=256))  # the paper's frames need no other factors
    model = model_of(perceptual=dict(type=PerceptualPyramidLoss, shrink=(1, 2)))
    with pytest.raises(
        MissingWeightsError, match=r"loss 'perceptual' looks through VGG19, and there is no .*vgg19-dcbb9e9d"
    ):
        model.train_step(narrow.batch(lengths=(2, 2)), narrow.optimizers(model))
    on_meta = Vgg19Features(trained=False).to("meta")(torch.empty(2, 3, 16, 16, device="meta"))
    assert [tuple(level.shape[1:]) for level in on_meta] == [
        (64, 16, 16),
        (128, 8, 8),
        (256, 4, 4),
        (512, 2, 2),
        (512, 1, 1),
    ]
