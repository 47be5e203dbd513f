"""The example project's decoder."""

import doctest

import pytest
import torch
from warping import warp_decoder
from warping.warp_decoder import WarpDecoder, warp

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec


def decoder(**settings) -> WarpDecoder:
    given = dict(image_size=8, content=Spec(code=3), motion=Spec(trajectory=2), out_channels=4, base_requested=True)
    return WarpDecoder(**{**given, **settings})


def inputs(length: int = 5) -> tuple[Content, Motion]:
    content = Content(torch.rand(2, 3, 8, 8), code=torch.randn(2, 3))
    return content, Motion(length, trajectory=torch.randn(2, length, 2))


def test_no_flow_leaves_the_image():
    image = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(warp(image, torch.zeros(2, 2, 1, 1)), image, atol=1e-6, rtol=0)


def test_a_constant_flow_shifts_the_image():
    """Two of eight pixels are half of half a side."""
    image = torch.rand(1, 3, 8, 8)
    down = warp(image, torch.tensor([0.0, 0.5]).view(1, 2, 1, 1))
    torch.testing.assert_close(down[:, :, :-2], image[:, :, 2:], atol=1e-6, rtol=0)
    torch.testing.assert_close(down[:, :, -1], image[:, :, -1], atol=1e-6, rtol=0)


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


def test_examples_of_the_docstrings_run():
    outcome = doctest.testmod(warp_decoder)
    assert outcome.attempted > 0 and outcome.failed == 0
