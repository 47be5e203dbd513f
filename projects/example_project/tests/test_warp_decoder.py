"""The example project's decoder."""

import pytest
import torch
from warping.warp_decoder import WarpDecoder

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec


def decoder(**settings) -> WarpDecoder:
    given = dict(image_size=8, content=Spec(code=3), motion=Spec(trajectory=2), out_channels=4, base_requested=True)
    return WarpDecoder(**{**given, **settings})


def inputs(length: int = 5) -> tuple[Content, Motion]:
    content = Content(torch.rand(2, 3, 8, 8), code=torch.randn(2, 3))
    return content, Motion(length, trajectory=torch.randn(2, length, 2))


def with_flow(across: float, down: float) -> WarpDecoder:
    """A decoder whose flow is the same everywhere, in halves of a side."""
    part = decoder(reach=1.0)
    torch.nn.init.zeros_(part.flow.weight)
    flow = torch.tensor([across, down]).repeat_interleave(part.grid**2)
    part.flow.bias.data.copy_(torch.atanh(flow))
    return part


def test_no_flow_leaves_the_image():
    content, motion = inputs()
    _, base = with_flow(0.0, 0.0)(content, motion, GenerationState())
    torch.testing.assert_close(base, content.image[:, :, None].expand_as(base), atol=1e-6, rtol=0)


def test_a_constant_flow_shifts_the_image():
    """Eight pixels are seven from centre to centre, so that two pixels are four sevenths of half a side."""
    content, motion = inputs(length=1)
    _, base = with_flow(0.0, 4 / 7)(content, motion, GenerationState())
    down, image = base[:, :, 0], content.image
    torch.testing.assert_close(down[:, :, :-2], image[:, :, 2:], atol=1e-5, rtol=0)
    torch.testing.assert_close(down[:, :, -1], image[:, :, -1], atol=1e-5, rtol=0)


def test_a_frame_depends_on_its_own_step_alone():
    content, motion = inputs()
    part = decoder()
    features, base = part(content, motion, GenerationState())
    assert features.shape == (2, 4, 5, 8, 8) and base.shape == (2, 3, 5, 8, 8)
    motion.trajectory[:, 3] += 1
    for before, after in zip((features, base), part(content, motion, GenerationState()), strict=True):
        changed = (before - after).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
        assert changed.tolist() == [False, False, False, True, False]


def test_every_parameter_gets_a_gradient():
    part = decoder()
    features, base = part(*inputs(), GenerationState())
    (features.square().sum() + base.square().sum()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in part.parameters())


def test_a_head_without_base_is_refused():
    with pytest.raises(ConfigError, match=r"set a head that does \(ResidualHead\)"):
        decoder(base_requested=False)
