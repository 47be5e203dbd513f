"""Heads that blend and warp a base: known masks, contents and flows, and both forms of the warping."""

import math

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.heads import ResidualHead, WarpHead
from i2vkit.models.layers.warping import warp, warp_gathered, warp_sampled

FORMS = [warp_sampled, warp_gathered]
CLOSED, OPEN = -1e4, 1e4  # logits of a mask of 0 and of 1


def features(mask: float = CLOSED, content: float = 0.0, x: float = 0.0, y: float = 0.0, reach: float = 6.0):
    """Features (2, 6, 3, 8, 8) of a ``WarpHead`` that give this mask's logit, content and flow in pixels everywhere."""
    values = [mask, *[math.atanh(content)] * 3, math.atanh(x / reach), math.atanh(y / reach)]
    return torch.tensor(values).view(1, 6, 1, 1, 1).expand(2, 6, 3, 8, 8)


def base(frames: int = 1) -> torch.Tensor:
    return torch.rand(2, 3, frames, 8, 8) * 2 - 1


@pytest.mark.parametrize("frames", [1, 3])
def test_no_mask_and_no_flow_give_the_base(frames):
    static = base(frames)
    made = WarpHead()(features(), static)
    assert torch.allclose(made["video"], static.expand(-1, -1, 3, -1, -1), atol=1e-5)
    assert torch.allclose(made["base"], made["video"], atol=1e-6)


def test_a_flow_of_one_pixel_shifts_the_base_by_one_and_its_border_goes_on():
    static = base()
    left = WarpHead()(features(x=1.0), static)["video"]
    expected = torch.cat([static[..., 1:], static[..., -1:]], dim=-1)
    assert torch.allclose(left, expected.expand_as(left), atol=1e-4)
    down = WarpHead()(features(y=-1.0), static)["video"]
    expected = torch.cat([static[..., :1, :], static[..., :-1, :]], dim=-2)
    assert torch.allclose(down, expected.expand_as(down), atol=1e-4)


def test_half_a_pixel_is_the_mean_of_two():
    static = base()
    made = WarpHead()(features(x=0.5), static)["video"]
    assert torch.allclose(
        made[..., :-1], ((static[..., 1:] + static[..., :-1]) / 2).expand_as(made[..., 1:]), atol=1e-4
    )


def test_an_open_mask_gives_the_content_and_the_flow_is_bounded():
    made = WarpHead()(features(mask=OPEN, content=0.3), base())
    assert torch.allclose(made["video"], torch.full((2, 3, 3, 8, 8), 0.3), atol=1e-5)
    far = WarpHead(max_displacement=2.0)(torch.full((2, 6, 3, 8, 8), 50.0), base())
    assert torch.allclose(far["flow"], torch.full((2, 2, 3, 8, 8), 2.0))


def test_smoothing_averages_the_flow_and_leaves_an_even_one():
    even = WarpHead(smooth=5)(features(x=1.5), base())["flow"]
    assert torch.allclose(even[:, 0], torch.full((2, 3, 8, 8), 1.5), atol=1e-5)
    spot = features().clone()
    spot[:, 4, :, 4, 4] = math.atanh(0.5)  # 3 of 6 pixels, at one place
    flow = WarpHead(smooth=3)(spot, base())["flow"]
    assert torch.allclose(flow[:, 0, :, 3:6, 3:6], torch.full((2, 3, 3, 3), 3.0 / 9), atol=1e-5)
    assert flow[:, 0].sum().item() == pytest.approx(3.0 * 6, rel=1e-4)  # 2 clips of 3 frames
    corner = features().clone()
    corner[:, 4, :, 0, 0] = math.atanh(0.5)
    assert WarpHead(smooth=3)(corner, base())["flow"][0, 0, 0, 0, 0].item() == pytest.approx(3.0 / 4, rel=1e-4)


@pytest.mark.parametrize("head", [WarpHead(mask_bias=-2.0), ResidualHead(mask_bias=-2.0), ResidualHead()])
def test_mask_bias_is_the_untrained_mask_and_the_rest_lets_98_percent_of_the_base_through(head):
    zeros = torch.zeros(2, head.channels, 3, 8, 8)
    assert head(zeros, base())["mask"].mean().item() == pytest.approx(1 / (1 + math.exp(-head.mask_bias)), rel=1e-5)
    rest = torch.tensor(head.identity_bias).view(1, -1, 1, 1, 1).expand_as(zeros)
    made = head(rest, base())
    assert made["mask"].mean().item() == pytest.approx(1 / (1 + math.exp(4)), rel=1e-5)
    assert made["residual"].abs().max() == 0


def test_gradients_reach_mask_content_and_flow():
    own = (0.5 * torch.randn(2, 6, 3, 8, 8)).requires_grad_()
    static = base().requires_grad_()
    WarpHead()(own, static)["video"].square().sum().backward()
    assert (own.grad.abs().amax(dim=(0, 2, 3, 4)) > 0).all()
    assert static.grad.abs().max() > 0


@pytest.mark.parametrize("frames", [1, 3])
def test_both_forms_of_the_warping_agree_with_each_other_and_with_a_plain_loop(frames):
    static, flow = base(frames).requires_grad_(), (2 * torch.randn(2, 2, 3, 8, 8)).requires_grad_()
    sampled, gathered = warp_sampled(static, flow), warp_gathered(static, flow)
    assert torch.allclose(sampled, gathered, atol=1e-5)
    weights = torch.randn_like(sampled)
    by_sampling, by_gathering = (
        torch.autograd.grad((made * weights).sum(), (static, flow)) for made in (sampled, gathered)
    )
    for one, other in zip(by_sampling, by_gathering, strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    for t, row, column in ((0, 3, 4), (2, 0, 7), (1, 7, 0)):
        x = min(max(column + flow[1, 0, t, row, column].item(), 0.0), 7.0)
        y = min(max(row + flow[1, 1, t, row, column].item(), 0.0), 7.0)
        expected = torch.zeros(3)
        for i in range(8):
            for j in range(8):
                share = max(0.0, 1 - abs(y - i)) * max(0.0, 1 - abs(x - j))
                expected += share * static[1, :, t if frames == 3 else 0, i, j].detach()
        assert torch.allclose(gathered[1, :, t, row, column], expected, atol=1e-4)


def test_zero_flow_gathers_the_very_frames():
    static = base(3)
    assert torch.equal(warp_gathered(static, torch.zeros(2, 2, 3, 8, 8)), static)


def test_the_form_follows_what_pytorch_was_told(monkeypatch):
    static, flow = base(), torch.rand(2, 2, 3, 8, 8)
    assert torch.equal(warp(static, flow), warp_sampled(static, flow))
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    assert torch.equal(warp(static, flow), warp_gathered(static, flow))


def test_a_graph_holds_the_gathered_form_whole():
    torch._dynamo.reset()
    static, flow = base(), torch.rand(2, 2, 3, 8, 8)
    compiled = torch.compile(warp, backend="eager", fullgraph=True)
    assert torch.allclose(compiled(static, flow), warp(static, flow), atol=1e-5)


@pytest.mark.parametrize("own", [dict(max_displacement=0.0), dict(smooth=4), dict(smooth=0)])
def test_a_head_that_cannot_warp_is_refused(own):
    with pytest.raises(ConfigError, match=r"max_displacement above 0 pixels and smooth=1, 3, 5|WarpHead\.\w+ is 0"):
        WarpHead(**own)


@pytest.mark.parametrize("decoder", ["UNetDecoder", "TwoStreamDecoder"])
def test_generated_videos_carry_the_flow_by_which_their_base_was_warped(decoder):
    parts = dict(head=narrow.NARROW["WarpHead"], decoder=narrow.NARROW[decoder])
    if decoder == "TwoStreamDecoder":
        parts |= dict(content_encoder=narrow.NARROW["ConvPyramidEncoder"])
    model = narrow.build(generator=parts, discriminators={}, frozen=[], phases=GENERATOR)
    clip = model.data_preprocessor(narrow.batch(lengths=(4, 4)))["clip"]
    made = model.generator(clip, model.passes)["reconstruct"]
    assert made.flow.shape == (2, 2, 4, narrow.SIZE, narrow.SIZE) and made.detach().flow.grad_fn is None
    expected = made.mask * made.residual + (1 - made.mask) * made.base
    assert torch.allclose(made.video, expected, atol=1e-5)


GENERATOR = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss"))))
