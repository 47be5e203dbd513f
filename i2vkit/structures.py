"""The data that the parts of a model exchange, and the results that leave it.

``VideoBatch`` goes into a model. Its parts exchange ``Content`` and ``Motion`` (with ``Points``), and ``Generated``
comes out. A ``Spec`` states the sizes of a part's output. ``VideoSample``, an mmengine data element, holds one result
outside the model.

A video is a float tensor (B, C, T, H, W) in [-1, 1] inside a model, and uint8 RGB outside. Pyramids run from fine to
coarse. A field that a model does not use is ``None`` or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

# The fields of a batch with one entry for each frame: (B, T, ...).
_PER_FRAME = ("boxes", "states", "landmarks")


class _TensorHolder:
    """Base of the frozen dataclasses below, which copies them to another device or off the autograd graph."""

    def _map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """Return a copy with ``function`` applied to every tensor, also inside tuples, dicts and nested holders."""

        def apply(value: Any) -> Any:
            if isinstance(value, Tensor):
                return function(value)
            if isinstance(value, _TensorHolder):
                return value._map(function)
            if isinstance(value, tuple):
                return tuple(apply(item) for item in value)
            if isinstance(value, dict):
                return {key: apply(item) for key, item in value.items()}
            return value

        holder: Any = self  # a dataclass, as all subclasses are
        return replace(holder, **{f.name: apply(getattr(self, f.name)) for f in fields(holder)})

    def detach(self) -> Self:
        """Return a copy whose tensors are detached from the autograd graph."""
        return self._map(Tensor.detach)

    def to(self, device: torch.device | str) -> Self:
        """Return a copy whose tensors are on ``device``."""
        return self._map(lambda tensor: tensor.to(device))


@dataclass(frozen=True)
class VideoBatch(_TensorHolder):
    """A batch of clips as a model sees it.

    ``len(batch)`` is the number of clips B. All fields but ``driving`` default to None, for "not in this batch".

    Args:
        driving: Driving clips (B, C, T, H, W) in [-1, 1].
        image: Images to animate (B, C, H, W) in [-1, 1].
        image_video: Real videos of the people in ``image``, (B, C, T', H, W) in [-1, 1].
        label: Class indices (B,).
        num_frames: True lengths (B,) of ``driving`` before padding. None: no clip is padded.
        image_video_num_frames: True lengths (B,) of ``image_video``. None: no video is padded.
        driving_maps: Condition maps (B, M, T, H, W) of the driving frames.
        image_maps: Condition maps (B, M, H, W) of ``image``.
        joints: Joints (B, P + T, J, 2) in pixels. The first P frames are observed before the driving clip begins.
        boxes: Boxes (B, T, 4) as x0, y0, x1, y1 in pixels.
        states: Expression state (B, T) of every frame, -1 in the padding.
        landmarks: Landmarks (B, T, N, 2) of the driving face in pixels, NaN where unknown.
        image_landmarks: Landmarks (B, N, 2) of the face in ``image``, in pixels, NaN where unknown.

    Examples:
        >>> import torch
        >>> from i2vkit.structures import VideoBatch
        >>> batch = VideoBatch(torch.zeros(2, 3, 8, 16, 16), label=torch.tensor([0, 4]))
        >>> len(batch), batch.slice_frames(2, 5).driving.shape
        (2, torch.Size([2, 3, 3, 16, 16]))
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
    image_landmarks: Tensor | None = None

    def __len__(self) -> int:
        return self.driving.shape[0]

    def slice_frames(self, start: int, stop: int) -> VideoBatch:
        """Return the driving frames from ``start`` to before ``stop``, with all fields that go frame by frame.

        Fields without a time axis stay as they are, and so does ``image_video``.

        Args:
            start: First frame, 0 or more and below T.
            stop: The frame behind the last.
        """
        length = self.driving.shape[2]
        inside = None if self.num_frames is None else (self.num_frames.clamp(max=stop) - start).clamp(min=0)
        maps = None if self.driving_maps is None else self.driving_maps[:, :, start:stop]  # (B, M, stop - start, H, W)
        per_frame = {name: values[:, start:stop] for name in _PER_FRAME if (values := getattr(self, name)) is not None}
        assert 0 <= start < length, f"a slice from {start} of {length} frames"
        return replace(self, driving=self.driving[:, :, start:stop], num_frames=inside, driving_maps=maps, **per_frame)

    def select_frames(self, frames: Tensor, image_video_frames: Tensor | None = None) -> VideoBatch:
        """Return the same clips with only some of their frames.

        Args:
            frames: Indices (B, K), in ascending order, of the driving frames to keep. They apply to every field that
                goes frame by frame.
            image_video_frames: Indices (B, K') of the frames of ``image_video`` to keep. None, the default, keeps all.
        """
        taken = dict(driving=_gather_frames(self.driving, frames, 2))
        if self.driving_maps is not None:
            taken["driving_maps"] = _gather_frames(self.driving_maps, frames, 2)
        for name in _PER_FRAME:
            if (values := getattr(self, name)) is not None:
                taken[name] = _gather_frames(values, frames, 1)
        if self.joints is not None:
            # (B, P + T, J, 2): the P observed frames all stay, and K of the T driving frames.
            observed = self.joints.shape[1] - self.driving.shape[2]
            driving = _gather_frames(self.joints[:, observed:], frames, 1)
            taken["joints"] = torch.cat([self.joints[:, :observed], driving], dim=1)  # (B, P + K, J, 2)
        if self.num_frames is not None:
            taken["num_frames"] = _count_true_frames(frames, self.num_frames)
        if image_video_frames is not None:
            assert self.image_video is not None, "image_video_frames selects frames of image_video"
            taken["image_video"] = _gather_frames(self.image_video, image_video_frames, 2)
            if self.image_video_num_frames is not None:
                taken["image_video_num_frames"] = _count_true_frames(image_video_frames, self.image_video_num_frames)
        return replace(self, **taken)


def _gather_frames(values: Tensor, frames: Tensor, dim: int) -> Tensor:
    """Return the frames (B, K) of ``values`` (B, ...), whose time axis is ``dim``. Each clip has its own indices."""
    shape = [1] * values.dim()
    shape[0], shape[dim] = frames.shape
    # (B, K) -> for instance (B, 1, K, 1, 1), which broadcasts over channels and space.
    return torch.take_along_dim(values, frames.view(shape), dim)


def _count_true_frames(frames: Tensor, num_frames: Tensor) -> Tensor:
    """Return the number (B,) of the frames (B, K) that lie before the padding."""
    return (frames < num_frames[:, None]).sum(dim=1)  # (B, K) < (B, 1)


@dataclass(frozen=True)
class Content(_TensorHolder):
    """The appearance of one image for each clip.

    In a rollout, parts that read the past get ``past``, the frame before each of n steps, and ``code`` then holds the
    codes (B, n, D) of these frames. ``Generator(skips_from=...)`` decides whose pyramid such a part gets.

    Args:
        image: Images (B, C, H, W) in [-1, 1].
        pyramid: Feature maps (B, C_i, H_i, W_i), fine to coarse. They always belong to one image for each clip, so
            that no skip connection can leak the right answer. Empty by default.
        code: Codes (B, D), or (B, T, D) where every frame was encoded. None by default.
        past: Frames (B, C, n, H, W) in [-1, 1] before each of n steps of a rollout. None by default.

    Examples:
        >>> import torch
        >>> from i2vkit.structures import Content
        >>> content = Content(torch.zeros(2, 3, 16, 16), code=torch.ones(2, 8, requires_grad=True))
        >>> content.pyramid, content.detach().code.requires_grad
        ((), False)
    """

    image: Tensor
    pyramid: tuple[Tensor, ...] = ()
    code: Tensor | None = None
    past: Tensor | None = None


@dataclass(frozen=True)
class Points(_TensorHolder):
    """Moving points of a picture, for instance learned keypoints.

    Args:
        place: Positions (B, T, K, 2), or (B, K, 2) of one picture, x before y. -1 is the centre of the first pixel and
            1 that of the last.
        spread: Covariance around each point, (B, T, K, 2, 2) or (B, K, 2, 2). None, the default: it is constant.
        affine: Local affine map around each point, from an unknown reference picture to this one, with the shape of
            ``spread``. None, the default: places move without turning or growing.
    """

    place: Tensor
    spread: Tensor | None = None
    affine: Tensor | None = None

    def _over_time(self, change: Callable[[Tensor, int], Tensor]) -> Points:
        """Return the points with ``change(values, time axis)`` applied; points of one picture stay as they are."""
        if self.place.dim() == 3:  # (B, K, 2), of one picture
            return self
        optional = (None if values is None else change(values, 1) for values in (self.spread, self.affine))
        return Points(change(self.place, 1), *optional)


# The fields of a motion that may have a time axis. For each: its number of axes if it has one, and which axis it is.
_STEPS = {
    "code": (3, 1),
    "mean": (3, 1),
    "log_variance": (3, 1),
    "prior_mean": (3, 1),
    "prior_log_variance": (3, 1),
    "trajectory": (3, 1),
    "flow": (5, 2),
    "visible": (5, 2),
    "driving_maps": (5, 2),
}


@dataclass(frozen=True)
class Motion(_TensorHolder):
    """The motion that a content shall make.

    Args:
        length: Number of frames to make, T.
        code: Code (B, D) of each clip, or (B, T, D), one for each step (``Spec.code_per_step``).
        mean: Mean of the posterior of a variational code, with the shape of ``code``.
        log_variance: Natural logarithm of the variance of that posterior, with the shape of ``code``.
        trajectory: One vector for each frame, (B, T, D).
        condition: One-hot label (B, L).
        maps: Pyramids (fine to coarse) of a spatial motion by map group: "driving" with levels (B, C_i, T, H_i, W_i),
            "reference" with levels (B, C_i, H_i, W_i). Empty by default.
        driving_maps: The clip's own condition maps (B, M, T, H, W).
        num_frames: True lengths (B,) before padding. None: no clip is padded.
        prior_mean: Mean of the motion encoder's own prior, with the shape of ``code``. None: the prior is N(0, I).
        prior_log_variance: Natural logarithm of the variance of that prior.
        points: Points by group, "driving" (B, T, K, 2) and "reference" (B, K, 2). Empty by default.
        flow: Backward flow (B, 2, T, h, w), x before y: the offset from each place of a frame to the place in the image
            that it comes from, in the units of ``Points``.
        visible: Share (B, 1, T, h, w) in [0, 1] of each place of a frame that the image shows, with the flow. The rest
            is hidden in the image, and must be painted. None: everything is visible.

    Examples:
        >>> import torch
        >>> from i2vkit.structures import Motion
        >>> motion = Motion(length=6, code=torch.zeros(2, 4), trajectory=torch.zeros(2, 6, 8))
        >>> part = motion.slice_frames(0, 2)
        >>> part.length, part.trajectory.shape, part.code.shape
        (2, torch.Size([2, 2, 8]), torch.Size([2, 4]))
        >>> Motion.joined([part, motion.slice_frames(2, 6)]).length
        6
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
    visible: Tensor | None = None

    def select_frames(self, frames: Tensor) -> Motion:
        """Return the motion at some of its frames. Fields without a time axis stay as they are.

        Args:
            frames: Indices (B, K) in ascending order.
        """
        inside = None if self.num_frames is None else _count_true_frames(frames, self.num_frames)
        return self._over_time(lambda values, dim: _gather_frames(values, frames, dim), frames.shape[1], inside)

    def slice_frames(self, start: int, stop: int) -> Motion:
        """Return the steps from ``start`` to before ``stop``. Fields without a time axis stay as they are."""
        inside = None if self.num_frames is None else (self.num_frames.clamp(max=stop) - start).clamp(min=0)
        return self._over_time(lambda values, dim: values.narrow(dim, start, stop - start), stop - start, inside)

    def padded(self, before: int) -> Motion:
        """Return the motion after ``before`` additional steps, which are 0 in every field with a time axis."""
        inside = None if self.num_frames is None else self.num_frames + before
        return self._over_time(lambda values, dim: _zeros_before(values, before, dim), self.length + before, inside)

    @staticmethod
    def joined(pieces: Sequence[Motion]) -> Motion:
        """Concatenate ``pieces`` in time. Fields without a time axis are those of the first piece."""
        if len(pieces) == 1:
            return pieces[0]
        # Pieces of one motion either all have true lengths or none has.
        lengths = [piece.num_frames for piece in pieces if piece.num_frames is not None]
        inside: Any = sum(lengths) if lengths else None
        # ``_over_time`` visits the fields in the same order for every piece, so the tensors can be consumed in step.
        others = [iter(piece._tensors_over_time()) for piece in pieces[1:]]

        def join(values: Tensor, dim: int) -> Tensor:
            return torch.cat([values, *(next(tensors) for tensors in others)], dim)

        return pieces[0]._over_time(join, sum(piece.length for piece in pieces), inside)

    def _tensors_over_time(self) -> list[Tensor]:
        """List every tensor with a time axis, in the order in which ``_over_time`` visits them."""
        found: list[Tensor] = []

        def keep(values: Tensor, dim: int) -> Tensor:
            found.append(values)
            return values

        self._over_time(keep, self.length, self.num_frames)
        return found

    def _over_time(self, change: Callable[[Tensor, int], Tensor], length: int, num_frames: Tensor | None) -> Motion:
        """Return the motion with ``change(values, time axis)`` applied to every tensor that has a time axis."""
        changed: dict[str, Any] = dict(length=length, num_frames=num_frames)
        for name, (axes, dim) in _STEPS.items():
            value = getattr(self, name)
            if value is not None and value.dim() == axes:
                changed[name] = change(value, dim)
        changed["maps"] = {
            # (B, C, T, H, W) has a time axis, (B, C, H, W) has none.
            group: tuple(change(level, 2) if level.dim() == 5 else level for level in levels)
            for group, levels in self.maps.items()
        }
        changed["points"] = {name: points._over_time(change) for name, points in self.points.items()}
        return replace(self, **changed)


def _zeros_before(values: Tensor, number: int, dim: int) -> Tensor:
    """Return ``values`` after ``number`` zero steps along the axis ``dim``."""
    shape = list(values.shape)
    shape[dim] = number
    return torch.cat([values.new_zeros(shape), values], dim)  # (..., number + T, ...)


@dataclass(frozen=True)
class Generated(_TensorHolder):
    """A generated video and everything that it was made from.

    Where a training step decodes only some frames of each clip (``ImageToVideoGan(decoded_frames=...)``), ``encoded``
    is still the motion of the whole clip, and all other fields are those of the decoded frames.

    Args:
        video: The video (B, C, T, H, W) in [-1, 1].
        content: The content that was animated. In a rollout its ``past`` (B, C, T - given, H, W) holds the frame before
            each generated one.
        motion: The motion that the decoder got, without ``maps``. Fields with a time axis are 0 in ``given`` frames.
        encoded: The motion as it was encoded or drawn, before motion generator and adapters, without ``maps``.
        pass_name: Name of the pass. "" by default.
        coarse: The video before the refiner, with the shape and range of ``video``.
        mask: Mask (B, 1, T, H, W) in [0, 1].
        residual: Residual (B, C, T, H, W) in [-1, 1].
        base: The base (B, C, T or 1, H, W) in [-1, 1] that the decoder gave to the head, even if the head does not read
            it. A head that warps the base gives the warped one.
        flow: Flow (B, 2, T, H, W) in pixels with which ``base`` was warped.
        given: Number of leading frames that were given and not made. 0 by default; 1 in a rollout, whose first frame is
            the image.
        scales: Coarser versions of the video, fine to coarse, without the video itself. Empty by default.

    Examples:
        >>> import torch
        >>> from i2vkit.structures import Content, Generated, Motion
        >>> content, motion = Content(torch.zeros(1, 3, 16, 16)), Motion(4, code=torch.zeros(1, 8))
        >>> made = Generated(torch.zeros(1, 3, 4, 16, 16), content, motion, encoded=motion, pass_name="transfer")
        >>> made.pass_name, made.detach().video.shape, made.mask is None
        ('transfer', torch.Size([1, 3, 4, 16, 16]), True)
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
    """The size of one level of a pyramid.

    Args:
        channels: Number of channels.
        stride: Side of the image divided by that of the map.
    """

    channels: int
    stride: int


@dataclass(frozen=True)
class Spec:
    """The sizes of a part's output, with which the next part is built.

    Every field defaults to 0, () or False, for "the part does not give it".

    Args:
        code: Size of the code.
        code_per_frame: True if a content code can also come as (B, T, D).
        variational: True if a motion code has a mean and a log-variance.
        trajectory: Size of one step of the trajectory.
        condition: Number of labels.
        pyramid: Levels of a content pyramid, fine to coarse.
        maps: Levels of every map group of a spatial motion, fine to coarse.
        map_groups: Names of the map groups, for instance ("driving", "reference").
        code_per_step: True if a motion code comes as (B, T, D), one for each step.
        points: Number of points.
        flow: Stride of the flow.

    Examples:
        >>> from i2vkit.structures import FeatureSpec, Spec
        >>> spec = Spec(code=128, pyramid=(FeatureSpec(64, stride=2), FeatureSpec(128, stride=4)))
        >>> spec.provides("code"), spec.provides("trajectory")
        (True, False)
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
        """Return True if the part gives the field ``name`` ("code", "trajectory", "condition", "pyramid", ...)."""
        return bool(getattr(self, name))


class VideoSample(BaseDataElement):
    """One result, or the known facts of one sample, outside the model.

    Attributes:
        generated: Data: the generated video, uint8 (C, T, H, W).
        truth: Data: the video that should have come out, uint8 (C, T, H, W), where it is known.
        image: Data: the animated image, uint8 (C, H, W).
        driving: Data: the driving video, uint8 (C, T, H, W).
        landmarks: Data: landmarks (T, N, 2) of the driving video in pixels, where they are known.
        name: Meta: the name of the sample. ``driving_name``, ``driving_person``, ``image_name``, ``image_person`` and
            ``label_name`` are further meta fields.
        seed: Meta: the seed of the random draws.
        motion: Meta: "driving" or "prior".
        protocol: Meta: the protocol of the test.
    """
