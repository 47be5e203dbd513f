"""A motion generator that draws moving points as maps."""

from dataclasses import replace

import torch
from einops import rearrange
from torch import Tensor

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionGenerator
from i2vkit.registry import MOTION_GENERATORS
from i2vkit.structures import FeatureSpec, Motion, Points, Spec


@MOTION_GENERATORS.register_module()
class PointMaps(MotionGenerator):
    """Draws where points lie and how they have moved since the image, as four maps of every frame; nothing is learned.

    Two maps are a backward flow, x and y: at each place the mean of the points' displacements from the frame back to
    the image, in units of ``max_displacement``. A point weighs by a Gaussian of ``sigma`` pixels around its place in
    the frame. A place far from all points has a flow of 0, since ``rest`` is added to the sum of the weights. The other
    two maps show the points of the frame and of the image as Gaussian spots of ``spot`` pixels.

    So a decoder is told the motion at the places where it happens, and not by a code for the whole picture.

    Source: Ours.

    Args:
        motion: Spec upstream, with points in the groups "driving" and "reference".
        image_size: Side of the maps in pixels.
        sigma: Standard deviation of a point's weight in the flow, in pixels.
        spot: Standard deviation of a spot, in pixels.
        rest: Weight of not moving at all, against 1 of a point at its place.
        max_displacement: The displacement that is drawn as 1, in pixels.
    """

    requires = ("motion.points",)
    provides = ("motion.maps",)
    supports_chunks = frame_wise = True

    def __init__(
        self,
        motion: Spec,
        image_size: int,
        sigma: float = 4.0,
        spot: float = 1.0,
        rest: float = 0.05,
        max_displacement: float = 6.0,
    ):
        super().__init__()
        self.image_size, self.sigma, self.spot, self.rest = image_size, sigma, spot, rest
        self.max_displacement = max_displacement
        self.spec = replace(motion, maps=(FeatureSpec(4, stride=1),), map_groups=("driving",))

    def forward(self, motion: Motion, state: GenerationState) -> Motion:
        """Return the motion with maps (B, 4, T, H, W) in the group "driving"."""
        pixels = (self.image_size - 1) / 2  # in one unit of Points
        moved = _in_pixels(motion.points["driving"], pixels)  # (B, T, K, 2)
        still = _in_pixels(motion.points["reference"], pixels)[:, None].expand_as(moved)  # (B, K, 2) -> (B, T, K, 2)
        batch = len(moved)
        moved, still = (rearrange(places, "b t k xy -> (b t) k xy") for places in (moved, still))
        across, down = self._gaussians(moved, self.sigma)
        total = torch.einsum("nkw,nkh->nhw", across, down) + self.rest
        flow = torch.einsum("nkw,nkh,nkc->nchw", across, down, (still - moved) / self.max_displacement)
        spots = [torch.einsum("nkw,nkh->nhw", *self._gaussians(places, self.spot)) for places in (moved, still)]
        maps = torch.cat([flow / total[:, None], torch.stack(spots, dim=1)], dim=1)  # (B T, 4, H, W)
        return replace(motion, maps=dict(driving=(rearrange(maps, "(b t) c h w -> b c t h w", b=batch),)))

    def _gaussians(self, places: Tensor, width: float) -> tuple[Tensor, Tensor]:
        """Return Gaussians (N, K, W) along x and (N, K, H) along y around places (N, K, 2) in pixels."""
        pixels = torch.arange(self.image_size, device=places.device, dtype=places.dtype)
        across, down = (
            torch.exp(-(pixels - places[..., axis, None]).square() / (2 * width * width)) for axis in (0, 1)
        )
        return across, down


def _in_pixels(points: Points, pixels: float) -> Tensor:
    """Return places in pixels, where the centre of the first pixel is 0."""
    return (points.place.float() + 1) * pixels
