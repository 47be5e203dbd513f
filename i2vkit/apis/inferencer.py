"""One image animated by a driving video of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, islice, tee
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.apis.config import load_config
from i2vkit.apis.weights import load_generator
from i2vkit.datasets.takes import Take
from i2vkit.datasets.transforms import CenterCrop, Resize
from i2vkit.errors import MediaError, TrainingError
from i2vkit.media import iterate_video, read_image, video_fps
from i2vkit.models.data_preprocessor import from_uint8, to_uint8
from i2vkit.registry import MODELS
from i2vkit.structures import Clip
from i2vkit.visualization import AnimationWriter

DEFAULT_FPS = 25.0

Driving = str | Path | np.ndarray | Iterable[np.ndarray]


@dataclass(frozen=True)
class Animation:
    """What came out: ``frames`` (T, H, W, 3) uint8, the generated ones alone, if asked for; ``path`` if written."""

    num_frames: int
    fps: float
    frames: np.ndarray | None = None
    path: Path | None = None


class I2VInferencer:
    """Animates images.

    Args:
        config: name of a config of i2vkit, path of a config file, or a config.
        checkpoint: ``.pth`` of training, or ``.safetensors`` of ``tools/export.py``.
        device: where to compute; a GPU if there is one by default.
        seed: of the noise, where the model has any; one seed is one animation on every device.
        options: changes of a config given by name or path, by dotted key.

    Raises:
        ConfigError, CheckpointError: as :func:`i2vkit.apis.config.load_config` and ``load_generator``.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path,
        device: str | None = None,
        seed: int = 0,
        options: dict[str, Any] | None = None,
    ) -> None:
        cfg = config if isinstance(config, Config) else load_config(config, options)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model = MODELS.build(cfg.model)
        load_generator(self.model, checkpoint)
        self.model.to(self.device).eval()
        self.seed = seed
        self._crop, self._resize = CenterCrop(), Resize(self.model.image_size)
        self._told: set[str] = set()

    def __call__(
        self,
        image: str | Path | np.ndarray,
        driving: Driving | Sequence[str | Path],
        out: str | Path | None = None,
        side_by_side: bool = True,
        show_dynamics: bool = False,
        chunk: int = 32,
        keep_frames: bool | None = None,
    ) -> Animation:
        """Animate ``image`` as ``driving`` moves; memory does not grow with the length of either file.

        Images and frames are cut to their centre square and resized to the model's size.

        Args:
            image: a file, or (H, W, 3) uint8.
            driving: a video, GIF, folder of images or image; several of them, which are played one after the other;
                (T, H, W, 3) uint8; or anything that yields frames (H, W, 3) uint8.
            out: ``.mp4``, ``.mkv``, ``.gif``, or ``.png`` for a strip.
            side_by_side: write driving video and image beside the result.
            show_dynamics: write the motion alone too, as it moves an image whose pixels are zero (DTGAN, sec. 4.5).
            chunk: frames computed at a time.
            keep_frames: return the frames too; by default if they are not written.

        Raises:
            MediaError: a file that cannot be read, or a driving video without frames.
            TrainingError: the model gives values that are not finite.
        """
        keep = out is None if keep_frames is None else keep_frames
        content = self._prepare(as_image(image), "image")
        fps = driving_fps(driving) or DEFAULT_FPS
        images = [content, np.zeros_like(content)] if show_dynamics else [content]
        rows = self._rows(driving, images, chunk)
        columns = ("driving", "dynamics", "image", "generated") if side_by_side else ("dynamics", "generated")
        columns = tuple(name for name in columns if show_dynamics or name != "dynamics")

        count, kept = 0, []
        with nullcontext() if out is None else AnimationWriter(out, fps, content, columns) as writer:
            for row in rows:
                count += 1
                if writer is not None:
                    writer.write(row)
                if keep:
                    kept.append(row["generated"])
        if out is not None:
            print_log(f"{out}: {count} frames, {fps:g} a second", "current")
        return Animation(count, fps, np.stack(kept) if keep else None, None if out is None else Path(out))

    def _rows(self, driving: Driving, images: list[np.ndarray], chunk: int) -> Iterator[dict[str, np.ndarray]]:
        """Frame by frame what was made and from what: "driving", "generated" and, if asked for, "dynamics"."""
        frames = (self._prepare(frame, "driving video") for frame in driving_frames(driving))
        # What cannot be made in chunks is made in one piece.
        chunks = chunked(frames, chunk if self.model.generator.streams else None)
        # Both are advanced chunk by chunk, so that no more than one chunk waits between them.
        shown, encoded = tee(chunks)
        for chunk_frames, videos in zip(shown, self.animate(encoded, images), strict=True):
            for t, frame in enumerate(chunk_frames):
                yield {"driving": frame, **{name: video[t] for name, video in videos.items()}}

    def animate(
        self, chunks: Iterable[Sequence[np.ndarray]], images: list[np.ndarray]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Chunk by chunk the videos (t, H, W, 3) uint8 of one or two images under one driving video."""
        # The images are the batch: same motion, same noise.
        content = torch.stack([self._tensor([image])[:, 0] for image in images])
        clips = (Clip(self._tensor(frames).expand(len(images), -1, -1, -1, -1)) for frames in chunks)
        for made in self.model.stream(clips, [self.seed] * len(images), content):
            if not torch.isfinite(made.video).all():
                raise TrainingError("the model gives values that are not finite: take an earlier checkpoint")
            videos = rearrange(to_uint8(made.video), "b c t h w -> b t h w c").cpu().numpy()
            yield dict(zip(("generated", "dynamics"), videos, strict=False))

    def _prepare(self, frame: np.ndarray, what: str) -> np.ndarray:
        """The centre square of a frame at the model's size; says so the first time that this cuts something off."""
        height, width = frame.shape[:2]
        if height != width and what not in self._told:
            self._told.add(what)
            message = f"the {what} is {width}x{height}: only its centre square of {min(height, width)} pixels is used"
            print_log(message, "current")
        # The data sets' own transforms, so that a picture comes to the model as it did in training.
        sample = {"takes": {what: Take(None, frames=frame[None])}}
        return self._resize(self._crop(sample))["takes"][what].frames[0]

    def _tensor(self, frames: Sequence[np.ndarray]) -> Tensor:
        """Frames (H, W, 3) uint8 -> (3, T, H, W) in [-1, 1] on the device."""
        return from_uint8(rearrange(torch.from_numpy(np.stack(frames)), "t h w c -> c t h w").to(self.device))


def chunked(frames: Iterable[np.ndarray], size: int | None) -> Iterator[list[np.ndarray]]:
    """Lists of ``size`` frames, the last one shorter; one list of all where ``size`` is None.

    Examples:
        >>> from i2vkit.apis.inferencer import chunked
        >>> list(chunked("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    frames = iter(frames)
    while part := list(islice(frames, size)):
        yield part


def as_image(image: str | Path | np.ndarray) -> np.ndarray:
    """An image as (H, W, 3) uint8, read if it is a path."""
    image = read_image(image) if isinstance(image, str | Path) else image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise MediaError(f"an image is uint8 (height, width, 3), got {image.dtype} {image.shape}")
    return image


def driving_frames(driving: Driving | Sequence[str | Path]) -> Iterator[np.ndarray]:
    """The frames of a driving video in any of its forms, one at a time.

    Raises:
        MediaError: none at all, or frames that are none.
    """
    files = _files(driving)
    frames = chain.from_iterable(map(iterate_video, files)) if files else iter(driving)
    first = next(frames, None)
    if first is None:
        raise MediaError("the driving video has no frames")
    yield from map(as_image, chain([first], frames))


def _files(driving: Driving | Sequence[str | Path]) -> list[Path]:
    """The files of a driving video; none where it is given as frames."""
    if isinstance(driving, str | Path):
        return [Path(driving)]
    if isinstance(driving, list | tuple) and all(isinstance(part, str | Path) for part in driving):
        return [Path(part) for part in driving]
    return []


def driving_fps(driving: Driving | Sequence[str | Path]) -> float | None:
    """Frames a second of the first driving file; None where nothing says."""
    files = _files(driving)
    return video_fps(files[0]) if files else None
