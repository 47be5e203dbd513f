"""Sources of motion by condition maps: those of a prepared clip, or those that a generator draws of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from i2vkit.apis.driving import Driving, driving_fps, driving_frames, readable_again
from i2vkit.apis.motion_sources.base import ModelFacts, MotionSource, PreparedMotion
from i2vkit.apis.pictures import Picture, as_image
from i2vkit.conditions import Silhouettes
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.map_files import maps_of
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.errors import ConfigError, DataError

# A silhouette that covers a larger share of a picture is not that of a person, but comes from another background.
_MOST_COVERED = 0.6


@dataclass
class ConditionMaps(MotionSource):
    """Condition maps that you have made yourself.

    Args:
        maps: uint8 (T, M, H, W) of the frames to make, at the model's size. 0 to 255 stands for [-1, 1].
        image_maps: uint8 (M, H, W) of the image. By default those of the first frame.
        fps: Frames a second, if you know them.
    """

    maps: np.ndarray
    image_maps: np.ndarray | None = None
    fps: float | None = None

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            ConfigError: The maps have another size or number than the model's.
        """
        return with_maps(model.prepare(image, "image"), self.maps, self.image_maps, self.fps, model)


@dataclass
class ClipMaps(MotionSource):
    """The condition maps of a clip in a prepared set.

    Args:
        clip: The folder or file of the clip, such as ``data/weizmann_maps_64/0/wave1/00000002``. A folder above it has
            the ``index.csv`` of its set, which was prepared with ``--maps``.
        image_clip: The clip whose first frame is the image. By default ``clip``.
    """

    clip: str | Path
    image_clip: str | Path | None = None

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            DataError: There is no such clip, or it has no maps.
        """
        maps, fps = read_clip_maps(self.clip)
        image_maps = None if self.image_clip is None else read_clip_maps(self.image_clip)[0][0]
        return with_maps(model.prepare(image, "image"), maps, image_maps, fps, model)


@dataclass
class DrawnMaps(MotionSource):
    """Condition maps that the data set's condition generator draws of a driving video, frame by frame.

    Args:
        driving: The video, in any form that ``driving_frames`` takes. It must show the same kind of scene as the image:
            one person before one background.
        background: A picture of the scene without the person, for silhouettes. By default it is the median of the
            driving video over time, which hides a person who hardly moves.
    """

    driving: Driving
    background: Picture | None = None

    def __post_init__(self) -> None:
        self.driving = readable_again(self.driving)

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            ConfigError: A background is given for maps that need none.
            DataError: A silhouette shows no person, because the background belongs to another scene.
        """
        prepared, generator = model.prepare(image, "image"), model.condition_generator
        assert generator is not None  # ``choose_source`` refuses models without one
        # T times (H, W, 3) -> (T, H, W, 3)
        frames = np.stack([model.prepare(frame, "driving video") for frame in driving_frames(self.driving)])
        if isinstance(generator, Silhouettes):
            background = self._background(frames, model)
            maps, image_maps = generator(frames, background), generator(prepared[None], background)[0]
            _check_silhouettes(maps, "driving video")
            _check_silhouettes(image_maps, "image")
        elif self.background is not None:
            raise ConfigError("a background (--background) is for silhouettes, and this model reads other maps")
        else:
            maps, image_maps = generator(frames), generator(prepared[None])[0]
        return with_maps(prepared, maps, image_maps, driving_fps(self.driving), model)

    def _background(self, frames: np.ndarray, model: ModelFacts) -> np.ndarray:
        if self.background is None:
            print_log(
                "silhouettes show where a frame differs from the median of the driving video over time. If the person "
                "stays in place, they show the moving parts only. A picture of the empty scene (--background), or the "
                "maps of a prepared clip (--maps), show the whole person",
                "current",
            )
            return np.median(frames, axis=0)
        return model.prepare(as_image(self.background), "background").astype(np.float64)


def _check_silhouettes(maps: np.ndarray, what: str) -> None:
    """Raise ``DataError`` unless maps (..., H, W) show somebody and not the whole picture."""
    covered = maps.max(axis=tuple(range(maps.ndim - 2))) > 0
    share = float((maps > 0).mean())
    if not covered.any() or share > _MOST_COVERED:
        found = "no person is found" if not covered.any() else f"{100 * share:.0f} % of the picture would be a person"
        raise DataError(
            f"silhouettes of the {what}: {found}. They show where a picture differs from the background, the median of "
            f"the driving video: give an image of the same scene, a picture of the empty scene (--background), or the "
            f"maps of a prepared clip (--maps)"
        )


def with_maps(
    image: np.ndarray, maps: np.ndarray, image_maps: np.ndarray | None, fps: float | None, model: ModelFacts
) -> PreparedMotion:
    """Return a motion by maps (T, M, H, W), after a check of their size and number.

    Raises:
        ConfigError: The maps have another size or number than the model's.
    """
    image_maps = maps[0] if image_maps is None and len(maps) else image_maps
    wanted = (model.generator.map_channels, model.image_size, model.image_size)
    for found in (maps.shape[1:], image_maps.shape if image_maps is not None else ()):
        if found != wanted:
            raise ConfigError(f"the model reads maps {wanted} a frame, not {found}")
    return PreparedMotion(image, fps=fps, maps=maps, image_maps=image_maps)


def read_clip_maps(clip: str | Path) -> tuple[np.ndarray, float]:
    """Return the maps, uint8 (T, M, H, W), of a clip in a prepared set, and its frames a second.

    Args:
        clip: The folder or file of the clip.

    Raises:
        DataError: The path is not in a prepared set, or the clip has no maps.
    """
    record = _find_clip(Path(clip).expanduser().absolute())
    maps = maps_of(record)
    if maps is None:
        raise DataError(f"clip {record.name} has no condition maps: prepare its set with --maps")
    return maps, record.fps


def _find_clip(path: Path) -> ClipRecord:
    root = next((folder for folder in path.parents if (folder / "index.csv").is_file()), None)
    if root is None:
        raise DataError(f"there is no index.csv above {path}: give a clip of a set that was prepared with --maps")
    names = (path.relative_to(root).as_posix(), path.relative_to(root).with_suffix("").as_posix())
    for record in ClipFolder(str(root)).index().records:
        if record.name in names:
            return record
    raise DataError(f"{root / 'index.csv'} lists no clip {names[0]}")
