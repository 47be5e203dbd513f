"""What flows between the parts: VideoBatch, Content, Motion (with Points) and Generated; Spec, what a part says of its
output; and VideoSample, an mmengine data element, at the borders.

A video is a float tensor (B, C, T, H, W) in [-1, 1] inside a model and uint8 RGB outside. Pyramids run from fine to
coarse. Fields that a paper does not use are ``None`` or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

_PER_FRAME = ("boxes", "states", "landmarks")  # fields of a clip that go frame by frame, (B, T, ...)


class _TensorHolder:
    """What the frozen tensor holders below share: a view of themselves that is detached or lies elsewhere."""

    def _map(self, function):
        def apply(value):
            if isinstance(value, Tensor):
                return function(value)
            if isinstance(value, _TensorHolder):
                return value._map(function)
            if isinstance(value, tuple):
                return tuple(apply(item) for item in value)
            if isinstance(value, dict):
                return {key: apply(item) for key, item in value.items()}
            return value

        return replace(self, **{f.name: apply(getattr(self, f.name)) for f in fields(self)})

    def detach(self):
        """The same values, cut off from the graph."""
        return self._map(Tensor.detach)

    def to(self, device: torch.device | str):
        """The same values on ``device``."""
        return self._map(lambda tensor: tensor.to(device))


@dataclass(frozen=True)
class VideoBatch(_TensorHolder):
    """A batch as a model sees it.

    Shapes: ``driving`` and ``image_video`` (B, C, T, H, W) and ``image`` (B, C, H, W), in [-1, 1]; ``label`` (B,)
    class index; ``num_frames`` (B,) true length of ``driving`` before padding, ``image_video_num_frames`` that of
    ``image_video``, None where no clip is padded;
    ``driving_maps`` (B, M, T, H, W) and ``image_maps`` (B, M, H, W), condition maps of the driving frames and of the
    input image; ``joints`` (B, P + T, J, 2) in pixels, P of them observed; ``boxes`` (B, T, 4) as x0, y0, x1, y1 in
    pixels; ``states`` (B, T) expression state of every frame, -1 in the padding; ``landmarks`` (B, T, N, 2) of the
    driving face in pixels, NaN where unknown.
    """

    driving: Tensor
    image: Tensor | None = None
    image_video: Tensor | None = None
    label: Tensor | None = None
    num_frames: Tensor | None = None
    image_video_num_frames: Tensor | None = None
    driving_maps: Tensor | None = None
    image_maps: Tensor | None = None
    joints: Tensor | None = None
    boxes: Tensor | None = None
    states: Tensor | None = None
    landmarks: Tensor | None = None

    def __len__(self) -> int:
        return self.driving.shape[0]

    def slice_frames(self, start: int, stop: int) -> VideoBatch:
        """The frames from ``start`` to before ``stop`` of the driving clip; what is not a matter of time stays."""
        length = self.driving.shape[2]
        inside = None if self.num_frames is None else (self.num_frames.clamp(max=stop) - start).clamp(min=0)
        maps = None if self.driving_maps is None else self.driving_maps[:, :, start:stop]
        beside = {name: values[:, start:stop] for name in _PER_FRAME if (values := getattr(self, name)) is not None}
        assert 0 <= start < length, f"a slice from {start} of {length} frames"
        return replace(self, driving=self.driving[:, :, start:stop], num_frames=inside, driving_maps=maps, **beside)

    def select_frames(self, frames: Tensor, image_video_frames: Tensor | None = None) -> VideoBatch:
        """The same clips with some of their frames.

        Args:
            frames: of the driving clip and of all that goes with it, indices (B, K) in ascending order.
            image_video_frames: of the image video, (B, K'); by default it stays whole.
        """
        taken = dict(driving=_gather_frames(self.driving, frames, 2))
        if self.driving_maps is not None:
            taken["driving_maps"] = _gather_frames(self.driving_maps, frames, 2)
        for name in _PER_FRAME:
            if (values := getattr(self, name)) is not None:
                taken[name] = _gather_frames(values, frames, 1)
        if self.joints is not None:
            observed = self.joints.shape[1] - self.driving.shape[2]
            driving = _gather_frames(self.joints[:, observed:], frames, 1)
            taken["joints"] = torch.cat([self.joints[:, :observed], driving], dim=1)
        if self.num_frames is not None:
            taken["num_frames"] = _count_true_frames(frames, self.num_frames)
        if image_video_frames is not None:
            taken["image_video"] = _gather_frames(self.image_video, image_video_frames, 2)
            if self.image_video_num_frames is not None:
                taken["image_video_num_frames"] = _count_true_frames(image_video_frames, self.image_video_num_frames)
        return replace(self, **taken)


def _gather_frames(values: Tensor, frames: Tensor, dim: int) -> Tensor:
    """The frames (B, K) of ``values`` (B, ...), whose axis of time is ``dim``: each clip's own."""
    places = [1] * values.dim()
    places[0], places[dim] = frames.shape
    return torch.take_along_dim(values, frames.view(places), dim)


def _count_true_frames(frames: Tensor, num_frames: Tensor) -> Tensor:
    """How many of the frames (B, K) lie before the padding."""
    return (frames < num_frames[:, None]).sum(dim=1)


@dataclass(frozen=True)
class Content(_TensorHolder):
    """The appearance of one image per clip.

    Shapes: ``image`` (B, C, H, W) in [-1, 1]; ``pyramid`` of (B, C_i, H_i, W_i), fine to coarse, always of that one
    image, so that no skip can leak the answer; ``code`` (B, D), or (B, T, D) where every frame was encoded.

    In a rollout ``past`` (B, C, n, H, W) is the frame before each of the n steps. What a part that reads the past gets
    has the codes of these frames, (B, n, D), and ``Generator(skips_from=...)`` says whose pyramid it is.
    """

    image: Tensor
    pyramid: tuple[Tensor, ...] = ()
    code: Tensor | None = None
    past: Tensor | None = None


@dataclass(frozen=True)
class Points(_TensorHolder):
    """Places in a picture that move, for instance learned keypoints.

    Shapes: ``place`` (B, T, K, 2), or (B, K, 2) of one picture, x before y, in [-1, 1] from the centre of the first
    pixel to that of the last; ``spread`` (B, T, K, 2, 2) or (B, K, 2, 2), the covariance or the local affine map around
    each point, None where it is constant.
    """

    place: Tensor
    spread: Tensor | None = None

    def _over_time(self, change: Callable[[Tensor, int], Tensor]) -> Points:
        if self.place.dim() == 3:  # of one picture
            return self
        return Points(change(self.place, 1), None if self.spread is None else change(self.spread, 1))


# The fields of a motion that go step by step: the number of axes that they then have, and which of these is time.
_STEPS = {
    "code": (3, 1),
    "mean": (3, 1),
    "log_variance": (3, 1),
    "prior_mean": (3, 1),
    "prior_log_variance": (3, 1),
    "trajectory": (3, 1),
    "flow": (5, 2),
    "driving_maps": (5, 2),
}


@dataclass(frozen=True)
class Motion(_TensorHolder):
    """The motion to impose on a content.

    Shapes: ``code`` (B, D), one a clip, or (B, T, D), one a step (``Spec.code_per_step``), with ``mean`` and
    ``log_variance`` of the same shape where it is variational; ``prior_mean`` and ``prior_log_variance`` likewise, of
    the encoder's own prior, None for N(0, I); ``trajectory`` (B, T, D); ``condition`` (B, L) one-hot label; ``maps``,
    per map group ("driving" (B, C_i, T, H_i, W_i), "reference" (B, C_i, H_i, W_i)) a pyramid, fine to coarse, where
    motion is spatial; ``points``, "driving" (B, T, K, 2) and "reference" (B, K, 2); ``flow`` (B, 2, T, h, w), x before
    y, how far from each place of a frame the place in the image lies that it comes from, in the units of ``Points``;
    ``driving_maps`` (B, M, T, H, W), the clip's own condition maps; ``num_frames`` (B,) true lengths, None where no
    clip is padded; ``length`` the number of frames to make.
    """

    length: int
    code: Tensor | None = None
    mean: Tensor | None = None
    log_variance: Tensor | None = None
    trajectory: Tensor | None = None
    condition: Tensor | None = None
    maps: dict[str, tuple[Tensor, ...]] = field(default_factory=dict)
    driving_maps: Tensor | None = None
    num_frames: Tensor | None = None
    prior_mean: Tensor | None = None
    prior_log_variance: Tensor | None = None
    points: dict[str, Points] = field(default_factory=dict)
    flow: Tensor | None = None

    def select_frames(self, frames: Tensor) -> Motion:
        """The same motion at some of its frames, indices (B, K) in ascending order; what is one a clip stays."""
        inside = None if self.num_frames is None else _count_true_frames(frames, self.num_frames)
        return self._over_time(lambda values, dim: _gather_frames(values, frames, dim), frames.shape[1], inside)

    def slice_frames(self, start: int, stop: int) -> Motion:
        """The steps from ``start`` to before ``stop``; what is one a clip stays."""
        inside = None if self.num_frames is None else (self.num_frames.clamp(max=stop) - start).clamp(min=0)
        return self._over_time(lambda values, dim: values.narrow(dim, start, stop - start), stop - start, inside)

    def padded(self, before: int) -> Motion:
        """The same motion after ``before`` more steps, in which all that goes step by step is 0."""
        inside = None if self.num_frames is None else self.num_frames + before
        return self._over_time(lambda values, dim: _zeros_before(values, before, dim), self.length + before, inside)

    @staticmethod
    def joined(pieces: Sequence[Motion]) -> Motion:
        """The steps of ``pieces``, one after the other; what is one a clip is that of the first."""
        if len(pieces) == 1:
            return pieces[0]
        inside = None if pieces[0].num_frames is None else sum(piece.num_frames for piece in pieces)
        waiting = [iter(piece._tensors_over_time()) for piece in pieces[1:]]

        def join(values: Tensor, dim: int) -> Tensor:
            return torch.cat([values, *(next(others) for others in waiting)], dim)

        return pieces[0]._over_time(join, sum(piece.length for piece in pieces), inside)

    def _tensors_over_time(self) -> list[Tensor]:
        found: list[Tensor] = []

        def keep(values: Tensor, dim: int) -> Tensor:
            found.append(values)
            return values

        self._over_time(keep, self.length, self.num_frames)
        return found

    def _over_time(self, change: Callable[[Tensor, int], Tensor], length: int, num_frames: Tensor | None) -> Motion:
        """``change(values, axis of time)`` of all that goes step by step."""
        changed: dict = dict(length=length, num_frames=num_frames)
        for name, (axes, dim) in _STEPS.items():
            value = getattr(self, name)
            if value is not None and value.dim() == axes:
                changed[name] = change(value, dim)
        changed["maps"] = {
            group: tuple(change(level, 2) if level.dim() == 5 else level for level in levels)
            for group, levels in self.maps.items()
        }
        changed["points"] = {name: points._over_time(change) for name, points in self.points.items()}
        return replace(self, **changed)


def _zeros_before(values: Tensor, number: int, dim: int) -> Tensor:
    shape = list(values.shape)
    shape[dim] = number
    return torch.cat([values.new_zeros(shape), values], dim)


@dataclass(frozen=True)
class Generated(_TensorHolder):
    """A generated video and what it was made from.

    Shapes: ``video`` (B, C, T, H, W) in [-1, 1]; where made ``coarse`` (the same, before the refiner), ``mask``
    (B, 1, T, H, W) in [0, 1], ``residual`` (B, C, T, H, W) in [-1, 1], ``flow`` (B, 2, T, H, W) in pixels, by which
    ``base`` was warped. ``base`` (B, C, T or 1, H, W) in [-1, 1] is what the decoder handed to the head, whether the
    head reads it or not; a head that warps it gives the warped one. ``scales`` are coarser videos, fine to coarse,
    without the video itself. ``encoded`` is the motion as it was encoded or drawn, ``motion`` the same with what motion
    generator and adapters added, both without ``maps``. Where a training step decodes some frames of a clip
    (``ImageToVideoGan(decoded_frames=...)``), ``encoded`` still is the motion of the whole clip, and all else is of
    those frames.

    ``given`` counts the leading frames that were given and not made: 1 in a rollout, whose first frame is the image. In
    what goes step by step of ``motion`` they are 0, and ``content.past`` (B, C, T - given, H, W) holds the frames that
    stood before the others.
    """

    video: Tensor
    content: Content
    motion: Motion
    encoded: Motion
    pass_name: str = ""
    coarse: Tensor | None = None
    mask: Tensor | None = None
    residual: Tensor | None = None
    base: Tensor | None = None
    flow: Tensor | None = None
    given: int = 0
    scales: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class FeatureSpec:
    """One map of a pyramid: its channels and its stride against the image."""

    channels: int
    stride: int


@dataclass(frozen=True)
class Spec:
    """What a part gives; the builder hands it to the part downstream. 0 and () mean: not given.

    ``code``: size of the code; ``code_per_frame``: it can come as (B, T, D) too; ``variational``: it has mean and
    log-variance; ``code_per_step``: a motion code comes as (B, T, D), one a step; ``trajectory``: size of one step;
    ``condition``: number of labels; ``pyramid``: levels of a content; ``maps``: levels of every map group of a spatial
    motion, with the names of the groups; ``points``: number of points; ``flow``: stride of the flow.
    """

    code: int = 0
    code_per_frame: bool = False
    variational: bool = False
    trajectory: int = 0
    condition: int = 0
    pyramid: tuple[FeatureSpec, ...] = ()
    maps: tuple[FeatureSpec, ...] = ()
    map_groups: tuple[str, ...] = ()
    code_per_step: bool = False
    points: int = 0
    flow: int = 0

    def provides(self, name: str) -> bool:
        """Whether the field ``name`` ("code", "trajectory", "condition", "pyramid", "points", ...) is there."""
        return bool(getattr(self, name))


class VideoSample(BaseDataElement):
    """A result, or what is known of a sample, outside the model.

    Data: ``generated`` and, where there is a truth, ``truth``: uint8 (C, T, H, W); ``image``: uint8 (C, H, W), the
    image that was animated; ``driving``: uint8 (C, T, H, W), and where known its ``landmarks`` (T, N, 2) in pixels.
    Meta: ``name``, ``driving_name``, ``driving_person``, ``image_name``, ``image_person``, ``label_name``, ``seed``,
    ``motion`` ("driving" or "prior"), ``protocol``.
    """
