"""Points and flow in motions: units, warping, the adapters that make them, and generators that train with them."""

from dataclasses import replace

import narrow
import pytest
import torch
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.models import Generator
from i2vkit.models.adapters import PointsToTrajectory
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder, MotionEncoder
from i2vkit.models.layers.points import heatmaps
from i2vkit.models.layers.warping import flow_in_pixels, warp
from i2vkit.models.losses import FrameL1Loss
from i2vkit.models.training.passes import Pass
from i2vkit.registry import DECODERS, MOTION_ENCODERS
from i2vkit.structures import Motion, Points, Spec, VideoBatch


class Centre(MotionEncoder):
    """One point of every frame and of the image: where its brightness lies."""

    provides = ("motion.points",)
    accepts = ("content.image",)
    supports_chunks = True

    def __init__(self, number: int = 1):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.spec = Spec(points=number)

    def forward(self, clip, state, content):
        driving, reference = (self._centre(picture) for picture in (clip.driving, content.image[:, :, None]))
        points = dict(driving=Points(driving), reference=Points(reference[:, 0]))
        return Motion(clip.driving.shape[2], points=points, num_frames=clip.num_frames)

    def _centre(self, video):
        light = (video.mean(dim=1) + 1) * self.scale
        light = light / light.sum(dim=(2, 3), keepdim=True)
        x, y = (torch.linspace(-1, 1, size) for size in (video.shape[4], video.shape[3]))
        place = torch.stack([(light.sum(dim=2) * x).sum(dim=2), (light.sum(dim=3) * y).sum(dim=2)], dim=2)
        return place[:, :, None]


class Warped(Decoder):
    """The image, moved by the flow of each frame, as base and as features."""

    requires = ("motion.flow",)
    supports_chunks = frame_wise = True

    def __init__(self, motion: Spec, image_size: int):
        super().__init__()
        assert motion.flow == image_size // 8  # the stride of the adapter's grid
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, content, motion, state):
        height, width = content.image.shape[2:]
        moved = warp(content.image[:, :, None], flow_in_pixels(motion.flow, height, width))
        return self.gain * moved, moved


@pytest.fixture(autouse=True)
def parts():
    for registry, part in ((MOTION_ENCODERS, Centre), (DECODERS, Warped)):
        registry.import_from_location()
        registry.register_module(module=part, force=True)
    yield
    MOTION_ENCODERS.module_dict.pop("Centre")
    DECODERS.module_dict.pop("Warped")


def model_of(**generator):
    losses = dict(frame_l1=dict(type=FrameL1Loss))
    phases = dict(generator=dict(updates=["generator"], losses=losses))
    own = dict(labels=[], map_channels=0, frozen=[], discriminators={})
    return narrow.build(generator=dict(content_encoder=None, **generator), phases=phases, **own)


def test_a_flow_has_the_same_meaning_at_every_size():
    """Corners aligned: 2 is the whole width, from the centre of the first pixel to that of the last."""
    picture = torch.arange(5.0).view(1, 1, 1, 1, 5).expand(1, 1, 1, 3, 5)
    for grid in (1, 2, 3, 5):
        flow = torch.zeros(1, 2, 1, grid, grid)
        flow[:, 0] = 0.5  # a quarter of the width: one pixel of five
        pixels = flow_in_pixels(flow, 3, 5)
        assert pixels.shape == (1, 2, 1, 3, 5)
        assert torch.equal(pixels[:, 0], torch.ones(1, 1, 3, 5)) and pixels[:, 1].abs().max() == 0
        assert warp(picture, pixels)[0, 0, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 4.0]
    corners = torch.zeros(1, 2, 1, 2, 2)
    corners[0, 1, 0] = torch.tensor([[0.0, 0.0], [2.0, 2.0]])
    assert flow_in_pixels(corners, 5, 3)[0, 1, 0, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_trajectory_becomes_a_flow_that_trains():
    model = model_of(motion_encoder=narrow.NARROW["CnnLstmEncoder"], decoder=dict(type="Warped"))
    adapters = model.generator.decoder_adapters
    assert [type(adapter).__name__ for adapter in adapters] == ["TrajectoryToFlow"]
    before = [weight.clone() for weight in adapters.parameters()]
    clip = model.data_preprocessor(narrow.batch(), training=True)["clip"]
    static = model.generator(clip, {"a": Pass()})["a"]
    # Nothing moves at first.
    assert torch.allclose(static.base, clip.driving[:, :, :1].expand_as(static.base), atol=1e-5)
    for _ in range(2):  # the first step is that of the layer's bias and weights, from 0
        model.train_step(narrow.batch(), narrow.optimizers(model, lr=1e-2))
    assert all(not torch.equal(one, other) for one, other in zip(before, adapters.parameters(), strict=True))
    assert model.generator(clip, {"a": Pass()})["a"].motion.flow.abs().max() > 0


@pytest.mark.parametrize("decoder", ["UNetDecoder"])
def test_points_drive_a_decoder_that_reads_a_trajectory(decoder):
    model = model_of(motion_encoder=dict(type="Centre"), decoder=narrow.NARROW[decoder])
    assert [type(adapter).__name__ for adapter in model.generator.decoder_adapters] == ["PointsToTrajectory"]
    log = model.train_step(narrow.batch(), narrow.optimizers(model))
    assert torch.isfinite(log["frame_l1"])
    assert model.generator.motion.trajectory == 2
    clip = model.data_preprocessor(narrow.batch(), training=True)["clip"]
    made = model.generator(clip, {"a": Pass()})["a"].motion
    wanted = made.points["driving"].place - made.points["reference"].place[:, None]
    assert torch.equal(made.trajectory, wanted[:, :, 0]) and made.trajectory[:, 0].abs().max() < 1e-6


def test_values_of_points_as_a_trajectory():
    adapter = PointsToTrajectory(Spec(points=2))
    place = torch.arange(24.0).view(1, 6, 2, 2)
    motion = Motion(6, points=dict(driving=Points(place)))
    assert adapter(motion, GenerationState()).trajectory[0, 1].tolist() == [4.0, 5.0, 6.0, 7.0]
    relative = replace(motion, points=motion.points | dict(reference=Points(torch.ones(1, 2, 2))))
    assert adapter(relative, GenerationState()).trajectory[0, 0].tolist() == [-1.0, 0.0, 1.0, 2.0]


def test_points_that_differ_from_the_spec_are_refused():
    with pytest.raises(ConfigError, match=r"Centre returned points\['driving'\].place of shape \(1, 2, 1, 2\)"):
        model_of(motion_encoder=dict(type="Centre", number=3), decoder=narrow.NARROW["UNetDecoder"])


def test_the_base_is_there_whatever_the_head():
    clip = VideoBatch(torch.rand(2, 3, 4, 32, 32) * 2 - 1)
    for head in ("DirectHead", "ResidualHead"):
        own = dict(decoder=narrow.NARROW["UNetDecoder"], motion_encoder=narrow.NARROW["CnnLstmEncoder"])
        model = Generator(image_size=32, head=dict(type=head), **own)
        made = model(clip, {"a": Pass()})["a"]
        assert torch.equal(made.base, clip.driving[:, :, :1])
        assert made.given == 0 and made.scales == ()


def test_a_spread_of_0_is_no_point_and_its_map_is_0():
    """As in the given frames of a rollout, where discriminators see the heatmaps of points."""
    spread = torch.stack([torch.zeros(2, 2), 0.05 * torch.eye(2)]).requires_grad_()
    maps = heatmaps(Points(torch.zeros(2, 2), spread=spread), 5, 5)
    assert (maps[0] == 0).all() and maps[1].sum().item() == pytest.approx(1)
    assert torch.allclose(maps[1], heatmaps(Points(torch.zeros(1, 2)), 5, 5, variance=0.05)[0])
    maps[1].square().sum().backward()
    assert torch.isfinite(spread.grad).all()
