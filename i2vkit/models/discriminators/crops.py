"""Views that show a part, or a coarser version, of what another view shows."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.views import ConditionedVideo, View
from i2vkit.registry import VIEWS, build_part
from i2vkit.structures import Spec


class _OfAnotherView(View):
    """The base class of views that change the samples of another view."""

    view: View
    resizes = True

    def __init__(self, view: dict):
        self.view = build_part(VIEWS, view)
        if self.view.sample_type == "vector":
            raise ConfigError(
                f"{type(self).__name__} changes pictures, and {type(self.view).__name__} shows vectors: give it a view "
                f"of frames or clips"
            )
        self.sample_type, self.encodes_motion = self.view.sample_type, self.view.encodes_motion
        self.length = getattr(self.view, "length", None)

    @property
    def needs_whole_clip(self) -> bool:
        """True if the other view needs it."""
        return self.view.needs_whole_clip

    def channels(self, motion: Spec) -> int:
        """Return the number of channels of the other view's samples."""
        return self.view.channels(motion)


@VIEWS.register_module()
class AtScale(_OfAnotherView):
    """A view of the coarser version of a video, and of its condition maps averaged alike.

    A generator that makes coarser videos (``Generated.scales``) shows its own, any other video is averaged.

    Args:
        scale: Divisor of the side of the frames. 1 shows the video itself.
        view: Config of the view that shows it.

    Raises:
        ConfigError: The view shows vectors.

    Examples:
        >>> clips = ConditionedVideo(torch.zeros(2, 3, 5, 8, 8), None, motion=None, image=torch.zeros(2, 3, 8, 8))
        >>> AtScale(scale=2, view=dict(type="WholeClip")).extract(clips, None).shape
        torch.Size([2, 3, 5, 4, 4])
    """

    def __init__(self, scale: int, view: dict):
        super().__init__(view)
        self.scale = scale

    def side(self, image_size: int) -> int:
        """Return the side of the samples in pixels."""
        return self.view.side(image_size // self.scale)

    def sample_indices(self, conditioned: ConditionedVideo) -> Any:
        """Draw and return the indices of the other view."""
        return self.view.sample_indices(self._coarse(conditioned))

    def extract(self, conditioned: ConditionedVideo, index: Any) -> Tensor:
        """Return the samples of the coarser video."""
        return self.view.extract(self._coarse(conditioned), index)

    def gather(self, video: Tensor, index: Any) -> Tensor:
        """Return the samples of a tensor (B, C, T, H, W) that is averaged first."""
        return self.view.gather(self._averaged(video), index)

    def clip_index(self, conditioned: ConditionedVideo, index: Any) -> Tensor:
        """Return the clip of every sample, (N,)."""
        return self.view.clip_index(conditioned, index)

    def _averaged(self, video: Tensor) -> Tensor:
        """Return a video (B, C, T, H, W) at this scale."""
        return video if self.scale == 1 else functional.avg_pool3d(video, (1, self.scale, self.scale))

    def _coarse(self, conditioned: ConditionedVideo) -> ConditionedVideo:
        """Return the conditioned video at this scale."""
        side = conditioned.video.shape[-1] // self.scale
        own = [level for level in conditioned.scales if level.shape[-1] == side]
        return replace(conditioned, video=own[0] if own else self._averaged(conditioned.video), scales=())


@dataclass(frozen=True)
class _Places:
    """The indices of another view's samples, and where the patch of each begins.

    Attributes:
        of_view: The indices of the other view.
        rows: The first row of each patch, (N,).
        columns: The first column of each patch, (N,).
    """

    of_view: Any
    rows: Tensor
    columns: Tensor


@VIEWS.register_module()
class Patch(_OfAnotherView):
    """A view of one random square patch of what another view shows, the same in condition maps.

    All samples of a clip show the same place. It is drawn for each loss anew.

    Args:
        size: Side of the patch in pixels.
        view: Config of the other view.

    Raises:
        ConfigError: The other view shows vectors, or pictures smaller than a patch.

    Examples:
        >>> clips = ConditionedVideo(torch.zeros(2, 3, 5, 8, 8), None, motion=None, image=torch.zeros(2, 3, 8, 8))
        >>> view = Patch(size=4, view=dict(type="RandomFrames", number=3))
        >>> view.extract(clips, view.sample_indices(clips)).shape
        torch.Size([6, 3, 4, 4])
    """

    def __init__(self, size: int, view: dict):
        super().__init__(view)
        self.size = size

    def side(self, image_size: int) -> int:
        """Return the side of the samples in pixels.

        Raises:
            ConfigError: A patch is larger than the pictures.
        """
        if self.size > self.view.side(image_size):
            raise ConfigError(
                f"Patch shows {self.size}x{self.size} pixels of pictures of {self.view.side(image_size)} pixels: give "
                f"a smaller size"
            )
        return self.size

    def sample_indices(self, conditioned: ConditionedVideo) -> Any:
        """Draw and return the indices of the other view, and the places of the patches."""
        of_view = self.view.sample_indices(conditioned)
        batch, height, width = len(conditioned.video), *conditioned.video.shape[3:]
        # Two numbers for each clip: (2, B).
        chance = torch.rand(2, batch, device=conditioned.video.device)
        clip = self.view.clip_index(conditioned, of_view)  # (N,)
        rows, columns = ((chance[i] * (side - self.size + 1)).long()[clip] for i, side in enumerate((height, width)))
        return _Places(of_view, rows, columns)

    def extract(self, conditioned: ConditionedVideo, index: Any) -> Tensor:
        """Return the patches (N, C, [T,] size, size)."""
        return self._cut(self.view.extract(conditioned, index.of_view), index)

    def gather(self, video: Tensor, index: Any) -> Tensor:
        """Return the patches of a tensor (B, C, T, H, W)."""
        return self._cut(self.view.gather(video, index.of_view), index)

    def clip_index(self, conditioned: ConditionedVideo, index: Any) -> Tensor:
        """Return the clip of every sample, (N,)."""
        return self.view.clip_index(conditioned, index.of_view)

    def _cut(self, sample: Tensor, index: _Places) -> Tensor:
        """Return the patches of samples (N, C, [T,] H, W)."""
        steps = torch.arange(self.size, device=sample.device)
        number = torch.arange(len(sample), device=sample.device)[:, None, None]  # (N, 1, 1)
        rows, columns = (index.rows[:, None] + steps)[:, :, None], (index.columns[:, None] + steps)[:, None]
        # Rows and columns are indexed together: (N, H, W, C, [T]) -> (N, size, size, C, [T]).
        cut = rearrange(sample, "n ... h w -> n h w ...")[number, rows, columns]
        return rearrange(cut, "n h w ... -> n ... h w")
