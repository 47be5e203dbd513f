"""Views: what of a video a discriminator looks at. Frames and condition maps are picked by the same indices."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from einops import rearrange
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.interfaces import Interface
from i2vkit.models.clip_lengths import at_last_frame, true_frames
from i2vkit.models.discriminators.interfaces import sample_type_problem
from i2vkit.registry import VIEWS
from i2vkit.structures import Motion, Spec


@dataclass(frozen=True)
class ConditionedVideo:
    """A real or generated video with what is known of it.

    Shapes: ``video`` (B, C, T, H, W); ``num_frames`` (B,); ``label`` (B,); ``image`` (B, C, H, W) the content image;
    ``maps`` (B, M, T, H, W). ``motion`` encodes the video when called, once. The first ``given`` frames were given and
    not made (1 in a rollout): views of single frames leave them out, of the real video too.
    """

    video: Tensor
    num_frames: Tensor | None
    motion: Callable[[], Motion]
    image: Tensor
    label: Tensor | None = None
    maps: Tensor | None = None
    given: int = 0


class View(Interface):
    """What a discriminator sees. ``sample_type`` is "frames" (N, C, H, W), "clip" (N, C, T, H, W) or "vector" (N, D);
    ``sample_indices`` picks indices for a batch, ``extract`` takes the samples at them out of a video, and
    ``clip_index`` says which clip each sample comes from. ``encodes_motion`` is true if it shows the motion that the
    motion encoder reads in the video. ``needs_whole_clip`` is true if it shows frames together with their neighbours,
    or motion: clips, and whatever a view of its own says. ``length`` is the number of frames of the clips that it
    shows, None where that is the video's.
    """

    optional: ClassVar[tuple[str, ...]] = ("length",)
    sample_type: str = "frames"
    encodes_motion: bool = False
    length: int | None = None

    @classmethod
    def class_problem(cls) -> str:
        """Refuse a view that shows nothing."""
        shows = cls.extract is not View.extract or cls.gather is not View.gather
        return (
            ""
            if shows
            else "defines neither gather(video, index) nor extract(conditioned, index): define what it shows"
        )

    def problem(self) -> str:
        """Refuse a sample type that no network judges."""
        return sample_type_problem(self.sample_type)

    @property
    def needs_whole_clip(self) -> bool:
        """Whether what is seen is wrong where a training step decodes some frames of each clip."""
        return self.sample_type == "clip" or self.encodes_motion

    def channels(self, motion: Spec) -> int:
        """Channels of what is seen."""
        return 3

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor | None:
        """The indices of one sampling; None where nothing is drawn."""
        return None

    def extract(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """What is seen of a conditioned video."""
        return self.gather(conditioned.video, index)

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """What is seen of a tensor (B, C, T, H, W)."""
        raise NotImplementedError

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """The clip (N,) that each sample belongs to, on the device of the video."""
        return torch.arange(len(conditioned.video), device=conditioned.video.device)


@VIEWS.register_module()
class AllFrames(View):
    """Every true frame is a sample of its own (the spatial discriminator of DTGAN)."""

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor | None:
        """The places (N,) of the true frames that were made among all B * T; None where that is all frames.

        Where clips are padded, the host waits on a GPU for the places, of which it has to know the number.
        """
        batch, _, length = conditioned.video.shape[:3]
        mask = true_frames(conditioned.num_frames, length)
        if mask is None and not conditioned.given:
            return None
        if mask is None:
            places = torch.arange(batch * length, device=conditioned.video.device).view(batch, length)
            return places[:, conditioned.given :].flatten()
        mask = mask & (torch.arange(length, device=mask.device) >= conditioned.given) if conditioned.given else mask
        return mask.flatten().nonzero()[:, 0]

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """True frames (N, C, H, W), clip after clip."""
        frames = rearrange(video, "b c t h w -> (b t) c h w")
        return frames if index is None else frames.index_select(0, index)

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """The clip of every frame."""
        batch, _, length = conditioned.video.shape[:3]
        places = torch.arange(batch * length, device=conditioned.video.device) if index is None else index
        return places // length


@VIEWS.register_module()
class RandomFrames(View):
    """``number`` true frames of each clip, drawn anew each time."""

    def __init__(self, number: int = 1):
        self.number = number

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor:
        """Frame indices (B, number)."""
        batch, _, length = conditioned.video.shape[:3]
        lengths = length if conditioned.num_frames is None else conditioned.num_frames[:, None]
        # Not multinomial, which lets the host wait for a GPU in some versions of PyTorch.
        noise = torch.rand(batch, self.number, device=conditioned.video.device)
        if not conditioned.given:
            return (noise * lengths).long()
        return ((noise * (lengths - conditioned.given)).long() + conditioned.given).clamp(max=length - 1)

    def gather(self, video: Tensor, index: Tensor) -> Tensor:
        """Frames (B * number, C, H, W)."""
        rows = torch.arange(len(video), device=video.device)[:, None]
        return rearrange(video, "b c t h w -> b t c h w")[rows, index].flatten(0, 1)

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor) -> Tensor:
        """The clip of every frame."""
        return torch.arange(index.numel(), device=index.device) // index.shape[1]


@VIEWS.register_module()
class WholeClip(View):
    """The whole clip, padding included."""

    sample_type = "clip"

    def gather(self, video: Tensor, index: None) -> Tensor:
        """The video as it is."""
        return video


@VIEWS.register_module()
class RandomWindow(View):
    """``length`` successive true frames of each clip; a shorter clip is seen from its start with its padding."""

    sample_type = "clip"

    def __init__(self, length: int = 16):
        self.length = length

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor:
        """Frame indices (B, length)."""
        batch, _, total = conditioned.video.shape[:3]
        if total < self.length:
            raise ConfigError(f"RandomWindow({self.length}) cannot look at clips of {total} frames: shorten the window")
        device = conditioned.video.device
        if conditioned.num_frames is None:
            room = total - self.length + 1
        else:
            room = (conditioned.num_frames - self.length).clamp(min=0) + 1
        start = (torch.rand(batch, device=device) * room).long()
        return start[:, None] + torch.arange(self.length, device=device)

    def gather(self, video: Tensor, index: Tensor) -> Tensor:
        """Windows (B, C, length, H, W)."""
        rows = torch.arange(len(video), device=video.device)[:, None]
        return rearrange(rearrange(video, "b c t h w -> b t c h w")[rows, index], "b t c h w -> b c t h w")


@VIEWS.register_module()
class LastDynamics(View):
    """The motion feature of the video itself, encoded anew, at its last true frame (z_T; DTGAN, sec. 3.2).

    Of a motion encoder that gives one code a clip it is that code.
    """

    sample_type = "vector"
    encodes_motion = True

    def channels(self, motion: Spec) -> int:
        """Size of the motion feature.

        Raises:
            ConfigError: without a motion encoder whose output is a trajectory or a code.
        """
        if not (motion.trajectory or motion.code):
            raise ConfigError(
                "LastDynamics looks at encoded motion, and this generator has no motion encoder that gives any"
            )
        return motion.trajectory or motion.code

    def extract(self, conditioned: ConditionedVideo, index: None) -> Tensor:
        """The feature (B, D)."""
        motion = conditioned.motion()
        return motion.code if motion.trajectory is None else at_last_frame(motion.trajectory, conditioned.num_frames)


@VIEWS.register_module()
class FramePairs(View):
    """Clips of two true frames, in their order, at a distance that is drawn anew each time.

    First the distance is drawn evenly, then the place. A clip that is too short for ``min_distance`` shows its first
    and last frame. Where a training step decodes some frames of each clip, distances count these: pairs at any distance
    can be seen there, those at a given one are refused.

    Args:
        number: of pairs of each clip.
        min_distance, max_distance: from frame to frame, both included; by default up to the whole clip.

    Raises:
        ConfigError: for distances below 1 or in the wrong order.
    """

    sample_type = "clip"
    length = 2

    def __init__(self, number: int = 1, min_distance: int = 1, max_distance: int | None = None):
        if min_distance < 1 or (max_distance is not None and max_distance < min_distance):
            raise ConfigError(
                f"FramePairs takes distances of 1 or more, the least first, not {min_distance} and {max_distance}"
            )
        self.number, self.min_distance, self.max_distance = number, min_distance, max_distance

    @property
    def needs_whole_clip(self) -> bool:
        """Whether a distance is given: among a few decoded frames it would be another."""
        return self.min_distance > 1 or self.max_distance is not None

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor:
        """Frame indices (B * number, 2)."""
        batch, _, total = conditioned.video.shape[:3]
        device = conditioned.video.device
        lengths = (
            torch.full((batch,), total, device=device) if conditioned.num_frames is None else conditioned.num_frames
        )
        last = (lengths - 1).repeat_interleave(self.number)
        farthest = last if self.max_distance is None else last.clamp(max=self.max_distance)
        nearest = farthest.clamp(max=self.min_distance)
        chance, place = torch.rand(2, batch * self.number, device=device)
        distance = nearest + (chance * (farthest - nearest + 1)).long()
        start = (place * (last - distance + 1)).long()
        return torch.stack([start, start + distance], dim=1)

    def gather(self, video: Tensor, index: Tensor) -> Tensor:
        """Pairs (B * number, C, 2, H, W)."""
        rows = self._clips(index)[:, None]
        return rearrange(rearrange(video, "b c t h w -> b t c h w")[rows, index], "n t c h w -> n c t h w")

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor) -> Tensor:
        """The clip of every pair."""
        return self._clips(index)

    def _clips(self, index: Tensor) -> Tensor:
        return torch.arange(len(index), device=index.device) // self.number
