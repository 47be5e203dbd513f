"""A motion generator that turns the motion of points into a flow of the whole image."""

from dataclasses import replace

import torch
from einops import rearrange
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.encoders.keypoints import shrinking
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionGenerator
from i2vkit.models.layers.hourglass import Hourglass, averaged
from i2vkit.models.layers.points import differences, grid_of, inverses
from i2vkit.models.layers.warping import flow_in_pixels, warp
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import MOTION_GENERATORS
from i2vkit.structures import Content, Motion, Points, Spec

_STATIC = 2.0  # the mask of the unmoved image starts with this logit, those of the points with 0


@MOTION_GENERATORS.register_module()
class DenseFlow(MotionGenerator):
    """A flow that is a mixture of the motions of the points and of no motion, with masks that a network makes.

    For each point and for the unmoved image the network sees the heatmap of the driving point minus that of the
    image's, and the image moved as this one point moves. An hourglass then makes the masks, whose sum is 1. Without
    local affine maps the flow is the sum over the points of mask x (image's point - driving point). With them it is
    first-order: a place z comes from image's point + J_image J_driving^-1 (z - driving point).

    Defaults are those of Monkey-Net. The first-order motion model has groups=0, correction=False, visible=True and
    kernel=7.

    Ours:
        beyond the image its border goes on (the released codes: zeros)

    Source: As ``KeypointEncoder``.

    Args:
        image_size: Side of the image in pixels.
        motion: Spec of the motion, with points.
        widths: Channels of the hourglass, see ``Hourglass``.
        groups: Number of 1x1 convolutions, with batch norm and ReLU, on the inputs of each point by itself.
        correction: True adds a free flow, 0 at first.
        visible: True also gives the share of each place that the image shows (``Motion.visible``).
        peak: The value of a heatmap at its point. With None, the default, each map sums to 1.
        kernel: Side of the last kernel: an odd number.
        input_size: Side in pixels to which the image is averaged. The flow has this size. None, the default, leaves
            the image.

    Raises:
        ConfigError: ``input_size`` does not divide ``image_size``, or the image cannot be halved as often as there are
            widths, or ``kernel`` is even.
    """

    requires = ("motion.points",)
    accepts = ("content.image",)
    provides = ("motion.flow",)
    supports_chunks = frame_wise = True

    def __init__(
        self,
        image_size: int,
        motion: Spec,
        widths: tuple[int, ...] = (64, 128, 256, 512, 512),
        groups: int = 2,
        correction: bool = True,
        visible: bool = False,
        peak: float | None = None,
        kernel: int = 3,
        input_size: int | None = None,
    ):
        super().__init__()
        if kernel % 2 == 0:
            raise ConfigError(f"DenseFlow takes an odd kernel, not {kernel}")
        self.factor = shrinking("DenseFlow", image_size, input_size)
        self.parts, self.correction, self.visible, self.peak = 1 + motion.points, correction, visible, peak
        channels = 4 * self.parts  # a heatmap and a moved image each
        layers: list[nn.Module] = []
        for _ in range(groups):
            layers += [nn.Conv2d(channels, channels, 1, groups=self.parts), nn.BatchNorm2d(channels), nn.ReLU()]
        self.each = nn.Sequential(*layers)
        self.hourglass = Hourglass(channels, widths, image_size // self.factor)
        made = self.parts + 2 * correction + visible
        self.last = nn.Conv2d(self.hourglass.out_channels, made, kernel, padding=kernel // 2)
        # The image as it is counts most at first, and nothing is corrected.
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)
        self.last.bias.data[0] = _STATIC
        if visible:
            self.last.bias.data[-1] = _STATIC
        self.spec = replace(motion, flow=self.factor)

    def forward(self, motion: Motion, state: GenerationState, content: Content | None = None) -> Motion:
        """Add the flow (B, 2, T, h, w), and ``visible`` (B, 1, T, h, w) if it is made."""
        assert content is not None, "a part that reads content is called with one"
        image = averaged(content.image, self.factor)
        height, width = image.shape[2:]
        driving, reference = driving_and_reference(motion)
        batch = len(driving.place)
        device = image.device
        with autocast(device, enabled=False):  # places in bf16 would be a pixel off
            shift, turn = _first_order(driving, reference)
            flows = _flows(shift, turn, height, width)  # (B, T, 1 + K, 2, h, w)
            maps = differences(driving, reference, height, width, self.peak)  # (B, K, T, h, w)
            # The image moved by each: all flows of a clip in one row, (B, 2, T (1 + K), h, w).
            pixels = flow_in_pixels(rearrange(flows, "b t k c h w -> b c (t k) h w"), height, width)
            moved = rearrange(warp(image.float()[:, :, None], pixels), "b c (t k) h w -> (b t) k c h w", k=self.parts)
        maps = rearrange(maps, "b k t h w -> (b t) k 1 h w")
        maps = torch.cat([torch.zeros_like(maps[:, :1]), maps], dim=1)  # 0 for the unmoved image
        # A group of four channels for each: (B T, 4 (1 + K), h, w).
        inputs = torch.cat([maps, moved], dim=2).flatten(1, 2)
        made = self.last(self.hourglass(self.each(inputs))).float()
        with autocast(device, enabled=False):
            masks = made[:, : self.parts].softmax(dim=1)  # (B T, 1 + K, h, w)
            flow = _mixed(masks, shift.flatten(0, 1), None if turn is None else turn.flatten(0, 1))
            if self.correction:
                flow = flow + made[:, self.parts : self.parts + 2]
        motion = replace(motion, flow=rearrange(flow, "(b t) c h w -> b c t h w", b=batch))
        if self.visible:
            shown = torch.sigmoid(made[:, -1:])
            motion = replace(motion, visible=rearrange(shown, "(b t) c h w -> b c t h w", b=batch))
        return motion


def _first_order(driving: Points, reference: Points) -> tuple[Tensor, Tensor | None]:
    """Return the motions of the unmoved image and of each point: flow(z) = shift + turn z.

    Returns:
        ``shift`` (B, T, 1 + K, 2), and ``turn`` (B, T, 1 + K, 2, 2), None without local affine maps. Both are 0 of the
        unmoved image.
    """
    shift = reference.place[:, None] - driving.place  # (B, 1, K, 2) - (B, T, K, 2)
    turn: Tensor | None = None
    if driving.affine is not None:
        assert reference.affine is not None, "both come from the same encoder"
        # A place z comes from image's point + A (z - driving point); z itself is taken off.
        turn = reference.affine[:, None] @ inverses(driving.affine)
        turn = turn - torch.eye(2, device=turn.device, dtype=turn.dtype)
        shift = shift - (turn @ driving.place[..., None])[..., 0]
        turn = torch.cat([torch.zeros_like(turn[:, :, :1]), turn], dim=2)
    return torch.cat([torch.zeros_like(shift[:, :, :1]), shift], dim=2), turn


def _flows(shift: Tensor, turn: Tensor | None, height: int, width: int) -> Tensor:
    """Return the flows (..., 2, height, width) of motions ``shift`` (..., 2) and ``turn`` (..., 2, 2)."""
    flows = shift[..., None, None].expand(*shift.shape, height, width)
    if turn is None:
        return flows
    x, y = grid_of(height, width, like=shift).unbind(2)
    # (..., 2, 1, 1) times (H, W)
    return flows + turn[..., 0, None, None] * x + turn[..., 1, None, None] * y


def _mixed(masks: Tensor, shift: Tensor, turn: Tensor | None) -> Tensor:
    """Return the flow (N, 2, H, W) that is the mean of the motions (N, K) under ``masks`` (N, K, H, W)."""
    height, width = masks.shape[2:]
    weights = masks.flatten(2)  # (N, K, H W)
    flow = shift.mT @ weights  # (N, 2, K) @ (N, K, H W)
    if turn is not None:
        grid = grid_of(height, width, like=shift).flatten(0, 1)  # (H W, 2)
        for axis in range(2):  # of x, then of y
            flow = flow + (turn[..., axis].mT @ weights) * grid[:, axis]
    return flow.unflatten(2, (height, width))


def driving_and_reference(motion: Motion) -> tuple[Points, Points]:
    """Return the points of the driving frames, and those of the image.

    Raises:
        ConfigError: There are none of the image.
    """
    if "reference" not in motion.points:
        raise ConfigError(
            'a part reads the points of the image too, and the motion encoder gives none: let it return "reference" '
            'points beside "driving" ones, as KeypointEncoder does'
        )
    return motion.points["driving"], motion.points["reference"]
