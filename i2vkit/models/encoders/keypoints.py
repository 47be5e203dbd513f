"""A motion encoder that finds points of its own in every picture, without labels."""

from collections.abc import Callable
from dataclasses import replace

import torch
from einops import rearrange
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionEncoder
from i2vkit.models.layers import points as layers
from i2vkit.models.layers.hourglass import Hourglass, averaged
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import MOTION_ENCODERS
from i2vkit.structures import Content, Motion, Points, Spec, VideoBatch

LOCAL = ("covariance", "affine", None)


@MOTION_ENCODERS.register_module()
class KeypointEncoder(MotionEncoder):
    """Learned points of every driving frame ("driving") and of the image that is animated ("reference").

    An hourglass makes one map for each point. A softmax over the places of the map gives a probability, whose mean is
    the point. Nothing but the reconstruction of driving frames says where the points lie.

    In training the points of a driving frame are absolute, since image and driving frame are of one clip. In eval mode
    they are those of the image, moved as the driving points have moved since the first driving frame. A person then
    keeps the proportions of the image. That needs an image in about the pose of the first driving frame.

    With local="covariance" it is the keypoint detector of Monkey-Net, with "affine" that of the first-order motion
    model, whose points have local affine maps.

    Ours:
        pictures are in [-1, 1] (the released codes: in [0, 1])

    Source: Siarohin et al., "Animating arbitrary objects via deep motion transfer" (2019); Siarohin et al., "First
    order motion model for image animation" (2019).

    Args:
        image_size: Side of the frames in pixels.
        num_points: Number of points.
        widths: Channels of the hourglass, see ``Hourglass``.
        temperature: The maps are divided by it before the softmax. The smaller, the more one place counts alone.
        local: "covariance" gives each point the covariance of its probabilities, "affine" a local affine map, made by a
            convolution that starts at the identity. None gives neither.
        least_spread: The least eigenvalue of a covariance.
        kernel: Side of the kernels that make the maps: an odd number. The released codes have 3 and 7.
        input_size: Side in pixels to which frames are averaged before the hourglass. None, the default, leaves them.
        relative: False gives absolute points in eval mode too.

    Raises:
        ConfigError: ``local`` is none of these, or ``input_size`` does not divide ``image_size``, or it cannot be
            halved as often as there are widths.
    """

    provides = ("motion.points",)
    accepts = ("content.image",)
    supports_chunks = frame_wise = True

    def __init__(
        self,
        image_size: int,
        num_points: int = 10,
        widths: tuple[int, ...] = (64, 128, 256, 512, 512),
        temperature: float = 0.1,
        local: str | None = "covariance",
        least_spread: float = 0.001,
        kernel: int = 3,
        input_size: int | None = None,
        relative: bool = True,
    ):
        super().__init__()
        if local not in LOCAL or kernel % 2 == 0:
            raise ConfigError(
                f"KeypointEncoder has local in {LOCAL} and an odd kernel, not local={local!r} and kernel={kernel}"
            )
        self.factor = shrinking("KeypointEncoder", image_size, input_size)
        self.temperature, self.local, self.least_spread, self.relative = temperature, local, least_spread, relative
        self.hourglass = Hourglass(3, widths, image_size // self.factor)
        channels = self.hourglass.out_channels
        self.to_maps = nn.Conv2d(channels, num_points, kernel, padding=kernel // 2)
        self.to_affine = nn.Conv2d(channels, 4 * num_points, kernel, padding=kernel // 2) if local == "affine" else None
        if self.to_affine is not None:
            # The identity at first.
            nn.init.zeros_(self.to_affine.weight)
            assert self.to_affine.bias is not None
            self.to_affine.bias.data.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(num_points))
        self.spec = Spec(points=num_points)

    def detect(self, frames: Tensor) -> Points:
        """Return the points (N, K, 2) of frames (N, 3, H, W) in [-1, 1]."""
        features = self.hourglass(averaged(frames, self.factor))
        logits = self.to_maps(features).float()
        elements = None if self.to_affine is None else self.to_affine(features).float()
        with autocast(frames.device, enabled=False):  # a place in bf16 would be a pixel off
            weights = layers.probabilities(logits, self.temperature)  # (N, K, h, w)
            places = layers.means(weights)
            if self.local == "covariance":
                return Points(places, spread=layers.covariances(weights, places, self.least_spread))
            if elements is None:
                return Points(places)
            # The mean of the map of each matrix element under the point's own probabilities: (N, K, 4).
            elements = rearrange(elements, "n (k e) h w -> n k e (h w)", e=4)
            affine = (elements * weights.flatten(2)[:, :, None]).sum(dim=3)
            return Points(places, affine=affine.unflatten(2, (2, 2)))

    def forward(self, clip: VideoBatch, state: GenerationState, content: Content | None = None) -> Motion:
        """Return the points of the driving frames and of the image."""
        assert content is not None, "a part that reads content is called with one"
        length = clip.driving.shape[2]
        # The image and the driving frames as one batch, so that batch norms see both: (B, C, 1 + T, H, W).
        every = torch.cat([content.image[:, :, None], clip.driving], dim=2)
        found = self.detect(rearrange(every, "b c t h w -> (b t) c h w"))
        found = _mapped(found, lambda values: values.unflatten(0, (-1, 1 + length)))  # (B, 1 + T, K, ...)
        reference, driving = _mapped(found, lambda values: values[:, 0]), _mapped(found, lambda values: values[:, 1:])
        if self.relative and not self.training:
            # Of the clip's first frame, also in later chunks.
            first = state.recurrent.get(self, _mapped(driving, lambda values: values[:, 0]))
            state.recurrent[self] = first
            with autocast(clip.driving.device, enabled=False):
                driving = layers.relative(driving, first, reference)
        return Motion(length, points=dict(driving=driving, reference=reference), num_frames=clip.num_frames)


def _mapped(points: Points, change: Callable[[Tensor], Tensor]) -> Points:
    """Return the points with ``change`` applied to each of their tensors."""
    optional = {name: getattr(points, name) for name in ("spread", "affine")}
    return replace(
        points,
        place=change(points.place),
        **{name: None if values is None else change(values) for name, values in optional.items()},
    )


def shrinking(name: str, image_size: int, input_size: int | None) -> int:
    """Return the factor by which frames are averaged before a network.

    Raises:
        ConfigError: ``input_size`` does not divide ``image_size``.
    """
    if input_size is None:
        return 1
    if image_size % input_size:
        raise ConfigError(f"{name} averages frames of {image_size} pixels to input_size={input_size}: take a divisor")
    return image_size // input_size
