"""What a transform works on: the frames taken from a clip, and a cache of the clips read before."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.utils.data import get_worker_info

from i2vkit.datasets.index import ClipRecord, FrameSource
from i2vkit.errors import MediaError


@dataclass
class Take:
    """Some frames of one clip; transforms fill it in.

    ``indices`` (T,) the frames taken, by their place in the clip; ``frames`` uint8 (T, H, W, 3) RGB; ``states`` int64
    (T,); ``joints`` (T, J, 2) and ``boxes`` (T, 4) as x0, y0, x1, y1, in pixels of ``frames``; ``maps`` (M, T, H, W).
    """

    record: ClipRecord
    indices: np.ndarray | None = None
    frames: np.ndarray | None = None
    states: np.ndarray | None = None
    joints: np.ndarray | None = None
    boxes: np.ndarray | None = None
    maps: np.ndarray | Tensor | None = None


class FrameCache:
    """Reads frames, and keeps whole clips as read while they fit into ``budget`` bytes.

    The budget is shared out over the workers of a data loader, each of which has a cache of its own: it lives as long
    as the worker does, so small sets want ``persistent_workers=True``. A budget of 0 keeps nothing.
    """

    def __init__(self, budget: int):
        self.budget = budget
        self._clips: dict[FrameSource, np.ndarray] = {}
        self._full = budget == 0

    def __getstate__(self) -> dict:
        # A copy that goes to another process starts empty rather than carrying a gigabyte along.
        return {"budget": self.budget, "_clips": {}, "_full": self.budget == 0}

    def read(self, record: ClipRecord, indices: np.ndarray) -> np.ndarray:
        """Read frames of ``record`` as uint8 (T, H, W, 3), in memory of their own.

        Raises ``MediaError`` that names the clip and the file if one is broken.
        """
        try:
            clip = self._clips.get(record.frames)
            if clip is None and not self._full:
                clip = self._keep(record)
            return record.frames.read(indices) if clip is None else clip[indices]
        except MediaError as error:
            raise MediaError(f"clip {record.name}: {error}") from error

    def _keep(self, record: ClipRecord) -> np.ndarray | None:
        """Read the whole of ``record`` if it fits; one frame tells its size, lest a long film fill the memory."""
        worker = get_worker_info()
        budget = self.budget // (worker.num_workers if worker else 1)
        needed = record.frames.read([0]).nbytes * record.num_frames
        if needed + sum(clip.nbytes for clip in self._clips.values()) > budget:
            self._full = True
            return None
        self._clips[record.frames] = record.frames.read(range(record.num_frames))
        return self._clips[record.frames]
