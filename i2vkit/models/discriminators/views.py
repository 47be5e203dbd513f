"""Views: the samples of a video that a discriminator sees. Frames and condition maps are taken at the same indices."""

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
from i2vkit.structures import Motion, Points, Spec


@dataclass(frozen=True)
class ConditionedVideo:
    """Real or generated videos with their conditions.

    Attributes:
        video: (B, C, T, H, W) in [-1, 1].
        num_frames: True lengths (B,), None where no clip is padded.
        motion: Encodes the video when it is called, once.
        image: The content image (B, C, H, W).
        label: Class indices (B,).
        maps: Condition maps (B, M, T, H, W).
        given: Number of leading frames that were given and not generated, 1 in a rollout. Views of single frames leave
            them out, of the real video too.
        points: Driving points (B, T, K, 2) that the generated video was made from, also beside the real video.
    """

    video: Tensor
    num_frames: Tensor | None
    motion: Callable[[], Motion]
    image: Tensor
    label: Tensor | None = None
    maps: Tensor | None = None
    given: int = 0
    points: Points | None = None


class View(Interface):
    """The samples of a video that a discriminator sees. Registered in ``VIEWS``.

    A view draws the indices of its samples (``sample_indices``), takes the samples out of a video (``extract`` or
    ``gather``), and says which clip each sample comes from (``clip_index``).

    Attributes:
        sample_type: "frames" (N, C, H, W), "clip" (N, C, T, H, W) or "vector" (N, D).
        encodes_motion: True if it shows the motion that the motion encoder reads in the video.
        length: Number of frames of the clips that it shows, None where that is the video's.

    Examples:
        >>> class MiddleFrame(View):
        ...     sample_type = "frames"
        ...     def gather(self, video, index):
        ...         return video[:, :, video.shape[2] // 2]  # (B, C, T, H, W) -> (B, C, H, W)
        >>> clips = ConditionedVideo(torch.zeros(2, 3, 5, 8, 8), None, motion=None, image=torch.zeros(2, 3, 8, 8))
        >>> MiddleFrame().extract(clips, index=None).shape, MiddleFrame().clip_index(clips, None).tolist()
        (torch.Size([2, 3, 8, 8]), [0, 1])
    """

    optional: ClassVar[tuple[str, ...]] = ("length",)
    sample_type: str = "frames"
    encodes_motion: bool = False
    length: int | None = None

    @classmethod
    def class_problem(cls) -> str:
        """Refuse a view that shows nothing."""
        shows = cls.extract is not View.extract or cls.gather is not View.gather
        if shows:
            return ""
        return "defines neither gather(video, index) nor extract(conditioned, index): define one of them"

    def problem(self) -> str:
        """Refuse a sample type that no network judges."""
        return sample_type_problem(self.sample_type)

    @property
    def needs_whole_clip(self) -> bool:
        """True if the samples are wrong where a training step decodes some frames of each clip.

        That holds for clips, whose frames are neighbours, and for encoded motion.
        """
        return self.sample_type == "clip" or self.encodes_motion

    def channels(self, motion: Spec) -> int:
        """Return the number of channels of the samples; ``motion`` is what the motion encoder provides."""
        return 3

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor | None:
        """Draw and return the indices of the samples; None where nothing is drawn."""
        return None

    def extract(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """Return the samples (N, ...) of conditioned videos at the indices that ``sample_indices`` has drawn."""
        return self.gather(conditioned.video, index)

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """Return the samples (N, ...) of a tensor (B, C, T, H, W) at these indices: of a video or of condition maps."""
        raise NotImplementedError

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """Return the index of the clip that each sample comes from, (N,), on the device of the video."""
        return torch.arange(len(conditioned.video), device=conditioned.video.device)


@VIEWS.register_module()
class AllFrames(View):
    """A view in which every true frame is a sample (the spatial discriminator of DTGAN)."""

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor | None:
        """Return the indices (N,) of the true generated frames among all B * T; None where these are all frames.

        Where clips are padded, the host waits for a GPU, as it has to know how many there are.
        """
        batch, _, length = conditioned.video.shape[:3]
        mask = true_frames(conditioned.num_frames, length)
        if mask is None and not conditioned.given:
            return None
        if mask is None:
            # (B * T,) -> (B, T), so that the given frames can be cut off.
            places = torch.arange(batch * length, device=conditioned.video.device).view(batch, length)
            return places[:, conditioned.given :].flatten()
        if conditioned.given:
            mask = mask & (torch.arange(length, device=mask.device) >= conditioned.given)  # (B, T) & (T,)
        return mask.flatten().nonzero()[:, 0]  # (B, T) -> (B * T,) -> (N,)

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """Return true frames (N, C, H, W), clip after clip."""
        frames = rearrange(video, "b c t h w -> (b t) c h w")  # all frames, clip after clip
        return frames if index is None else frames.index_select(0, index)

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """Return the clip of every frame, (N,)."""
        batch, _, length = conditioned.video.shape[:3]
        places = torch.arange(batch * length, device=conditioned.video.device) if index is None else index
        return places // length  # (N,): the frames of a clip follow each other


@VIEWS.register_module()
class RandomFrames(View):
    """A view of ``number`` true frames of each clip, drawn for each loss anew.

    Args:
        number: Frames of each clip.

    Examples:
        >>> clips = ConditionedVideo(torch.zeros(2, 3, 5, 8, 8), None, motion=None, image=torch.zeros(2, 3, 8, 8))
        >>> view = RandomFrames(number=3)
        >>> index = view.sample_indices(clips)
        >>> view.extract(clips, index).shape, view.clip_index(clips, index).tolist()
        (torch.Size([6, 3, 8, 8]), [0, 0, 0, 1, 1, 1])
    """

    def __init__(self, number: int = 1):
        self.number = number

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor:
        """Draw and return frame indices (B, number)."""
        batch, _, length = conditioned.video.shape[:3]
        # One length for all, or (B, 1).
        lengths = length if conditioned.num_frames is None else conditioned.num_frames[:, None]
        # Not multinomial, which lets the host wait for a GPU in some versions of PyTorch.
        noise = torch.rand(batch, self.number, device=conditioned.video.device)  # (B, number) in [0, 1)
        if not conditioned.given:
            return (noise * lengths).long()
        # Among the frames that were made; a clip that has none shows its last one.
        return ((noise * (lengths - conditioned.given)).long() + conditioned.given).clamp(max=length - 1)

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """Return frames (B * number, C, H, W)."""
        rows = torch.arange(len(video), device=video.device)[:, None]  # (B, 1), of the clips
        assert index is not None, "sample_indices draws them"
        # (B, C, T, H, W) -> (B, number, C, H, W) -> (B * number, C, H, W)
        return rearrange(video, "b c t h w -> b t c h w")[rows, index].flatten(0, 1)

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """Return the clip of every frame, (B * number,)."""
        assert index is not None, "sample_indices draws them"
        return torch.arange(index.numel(), device=index.device) // index.shape[1]  # (B * number,)


@VIEWS.register_module()
class WholeClip(View):
    """A view of the whole clip, padding included."""

    sample_type = "clip"

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """Return the video as it is."""
        return video


@VIEWS.register_module()
class RandomWindow(View):
    """A view of ``length`` successive true frames of each clip.

    A shorter clip is seen from its start, with its padding.

    Args:
        length: Frames of a window.

    Raises:
        ConfigError: If the videos are shorter than a window.

    Examples:
        >>> clips = ConditionedVideo(torch.zeros(2, 3, 5, 8, 8), None, motion=None, image=torch.zeros(2, 3, 8, 8))
        >>> view = RandomWindow(length=4)
        >>> view.extract(clips, view.sample_indices(clips)).shape
        torch.Size([2, 3, 4, 8, 8])
    """

    sample_type = "clip"
    length: int

    def __init__(self, length: int = 16):
        self.length = length

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor:
        """Draw and return frame indices (B, length)."""
        batch, _, total = conditioned.video.shape[:3]
        if total < self.length:
            raise ConfigError(f"RandomWindow({self.length}) cannot look at clips of {total} frames: shorten the window")
        device = conditioned.video.device
        room: int | Tensor  # the number of places where a window can begin
        if conditioned.num_frames is None:
            room = total - self.length + 1
        else:
            room = (conditioned.num_frames - self.length).clamp(min=0) + 1  # (B,)
        start = (torch.rand(batch, device=device) * room).long()  # (B,)
        return start[:, None] + torch.arange(self.length, device=device)  # (B, 1) + (length,) -> (B, length)

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """Return windows (B, C, length, H, W)."""
        rows = torch.arange(len(video), device=video.device)[:, None]  # (B, 1), of the clips
        assert index is not None, "sample_indices draws them"
        # (B, C, T, H, W) -> (B, length, C, H, W) -> (B, C, length, H, W)
        return rearrange(rearrange(video, "b c t h w -> b t c h w")[rows, index], "b t c h w -> b c t h w")


@VIEWS.register_module()
class LastDynamics(View):
    """A view of the motion of the video itself, encoded again, at its last true frame (z_T; DTGAN, sec. 3.2).

    If the motion encoder gives one code for each clip, the view shows that code.
    """

    sample_type = "vector"
    encodes_motion = True

    def channels(self, motion: Spec) -> int:
        """Return the size of the motion vector.

        Raises:
            ConfigError: If no motion encoder gives a trajectory or a code.
        """
        if not (motion.trajectory or motion.code):
            raise ConfigError(
                "LastDynamics looks at encoded motion, and this generator has no motion encoder that gives any"
            )
        return motion.trajectory or motion.code

    def extract(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """Return the motion vectors (B, D)."""
        motion = conditioned.motion()  # encoded at the first call only
        if motion.trajectory is not None:
            return at_last_frame(motion.trajectory, conditioned.num_frames)  # (B, T, D) -> (B, D)
        assert motion.code is not None, "channels refuses a motion without trajectory and code"
        return motion.code


@VIEWS.register_module()
class FramePairs(View):
    """A view of clips of two true frames, in their order, at a distance that is drawn for each loss anew.

    First the distance is drawn evenly, then the place. A clip that is too short for ``min_distance`` shows its first
    and last frame. Where a training step decodes some frames of each clip, distances count these frames. Pairs at any
    distance can be seen there, those at a given one are refused.

    Args:
        number: Pairs of each clip.
        min_distance: The least distance from frame to frame, 1 or more.
        max_distance: The largest distance; by default it is limited by the clip alone.

    Raises:
        ConfigError: For distances below 1 or in the wrong order.
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
        """True if a distance is given: among a few decoded frames it would be another."""
        return self.min_distance > 1 or self.max_distance is not None

    def sample_indices(self, conditioned: ConditionedVideo) -> Tensor:
        """Draw and return frame indices (B * number, 2)."""
        batch, _, total = conditioned.video.shape[:3]
        device = conditioned.video.device
        lengths = conditioned.num_frames
        if lengths is None:
            lengths = torch.full((batch,), total, device=device)
        last = (lengths - 1).repeat_interleave(self.number)  # (B,) -> (B * number,), of each pair the last frame
        farthest = last if self.max_distance is None else last.clamp(max=self.max_distance)
        nearest = farthest.clamp(max=self.min_distance)  # shorter than asked for where the clip is too short
        # Two numbers for each pair, (2, B * number): its distance and its place.
        chance, place = torch.rand(2, batch * self.number, device=device)
        distance = nearest + (chance * (farthest - nearest + 1)).long()  # (B * number,)
        start = (place * (last - distance + 1)).long()  # so that the pair ends at the last true frame at most
        return torch.stack([start, start + distance], dim=1)  # two (B * number,) -> (B * number, 2)

    def gather(self, video: Tensor, index: Tensor | None) -> Tensor:
        """Return pairs (B * number, C, 2, H, W)."""
        assert index is not None, "sample_indices draws them"
        rows = self._clips(index)[:, None]  # (B * number, 1), of the clips
        # (B, C, T, H, W) -> (B * number, 2, C, H, W) -> (B * number, C, 2, H, W)
        return rearrange(rearrange(video, "b c t h w -> b t c h w")[rows, index], "n t c h w -> n c t h w")

    def clip_index(self, conditioned: ConditionedVideo, index: Tensor | None) -> Tensor:
        """Return the clip of every pair, (B * number,)."""
        assert index is not None, "sample_indices draws them"
        return self._clips(index)

    def _clips(self, index: Tensor) -> Tensor:
        """Return the clip of every pair, (B * number,)."""
        return torch.arange(len(index), device=index.device) // self.number  # (B * number,)
