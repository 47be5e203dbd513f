"""Generation of an animation frame by frame, with several labels or samples of one motion at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.apis.motion_sources import MotionChunk, PreparedMotion
from i2vkit.apis.variants import Variant
from i2vkit.errors import TrainingError
from i2vkit.models.data_preprocessor import from_uint8, to_uint8
from i2vkit.structures import Generated, VideoBatch
from i2vkit.visualization.overlays import colour_maps

Frames = dict[str, np.ndarray]


def generate_frames(
    model: Any, motion: PreparedMotion, images: Sequence[np.ndarray], variants: Sequence[Variant], chunk: int
) -> Iterator[Frames]:
    """Yield frame by frame all pictures uint8 (H, W, 3) of an animation, by caption.

    Args:
        model: An ``ImageToVideoGan`` on its device.
        motion: The motion.
        images: The image, uint8 (H, W, 3), and an image of zeros if its motion alone is to be seen.
        variants: Labels and seeds. Each video is generated with the motion independently.
        chunk: Frames that are computed at a time, if the model supports chunks.

    Yields:
        Every variant under its caption, and "driving", "maps", "mask", "coarse" and "dynamics" if the model has them.
    """
    # A model without support for chunks makes the video in one piece.
    size = chunk if model.generator.supports_chunks else None
    # All copies are read chunk by chunk together, so that ``tee`` stores no more than one chunk.
    shown, *encoded = tee(motion.chunks(size), 1 + len(variants))
    videos = [
        generate_chunks(model, own, images, motion, variant) for own, variant in zip(encoded, variants, strict=True)
    ]
    for part, *made in zip(shown, *videos, strict=True):
        for t in range(part.num_frames):
            frame = {v.caption: video["generated"][t] for v, video in zip(variants, made, strict=True)}
            frame |= {name: video[t] for name, video in made[0].items() if name != "generated"}
            frame |= {} if part.frames is None else {"driving": part.frames[t]}
            yield frame | ({} if part.maps is None else {"maps": colour_maps(part.maps[t])})


def generate_chunks(
    model: Any,
    chunks: Iterable[MotionChunk],
    images: Sequence[np.ndarray],
    motion: PreparedMotion,
    variant: Variant,
) -> Iterator[Frames]:
    """Yield chunk by chunk videos uint8 (t, H, W, 3): "generated", and "dynamics", "mask" and "coarse" if any.

    Args:
        model: An ``ImageToVideoGan`` on its device.
        chunks: The motion in chunks.
        images: The image, uint8 (H, W, 3), and an image of zeros for "dynamics".
        motion: The motion, for the condition maps of the image.
        variant: Label and seed.

    Raises:
        TrainingError: The model gives values that are not finite.
    """
    # The images are one batch, with the same motion and the same noise. Each variant is a batch of its own, because
    # sums over batches of other sizes are rounded differently, and a sample would depend on the number of samples.
    device, batch = next(model.parameters()).device, len(images)
    content = _tensor(np.stack(images), device).transpose(0, 1)  # (C, B, H, W) -> (B, C, H, W)
    labels = None if variant.label is None else torch.full((batch,), variant.label, device=device)
    image_maps = image_landmarks = None
    if motion.image_landmarks is not None:
        image_landmarks = _points(motion.image_landmarks, batch, device)
    if motion.image_maps is not None:
        # (M, H, W) -> (B, M, H, W)
        image_maps = from_uint8(torch.from_numpy(motion.image_maps).to(device)).expand(batch, -1, -1, -1)

    def clip(part: MotionChunk) -> VideoBatch:
        if part.frames is None:  # zeros for the shape, which no part reads
            # An expanded scalar (B, 3, t, H, W) takes no memory.
            driving = torch.zeros((), device=device).expand(
                batch, 3, part.num_frames, model.image_size, model.image_size
            )
        else:
            driving = _tensor(part.frames, device).expand(batch, -1, -1, -1, -1)  # (3, t, H, W) -> (B, 3, t, H, W)
        maps = None
        if part.maps is not None:
            maps = torch.from_numpy(np.ascontiguousarray(part.maps)).to(device)
            # (t, M, H, W) -> (M, t, H, W) -> (B, M, t, H, W)
            maps = from_uint8(rearrange(maps, "t m h w -> m t h w")).expand(batch, -1, -1, -1, -1)
        landmarks = None if part.landmarks is None else _points(part.landmarks, batch, device)
        maps_and_points = dict(image_maps=image_maps, landmarks=landmarks, image_landmarks=image_landmarks)
        return VideoBatch(driving, label=labels, driving_maps=maps, **maps_and_points)

    for made in model.generate_chunks(map(clip, chunks), [variant.seed] * batch, content, motion.motion):
        if not torch.isfinite(made.video).all():
            raise TrainingError("the model gives values that are not finite: take an earlier checkpoint")
        videos = {"generated": _pixels(made.video[0])}
        if batch > 1:
            videos["dynamics"] = _pixels(made.video[1])
        yield videos | _between(made)


def _between(made: Generated) -> Frames:
    """Return the intermediate pictures of a model. A mask is white where it is 1."""
    found = {}
    if made.mask is not None:
        found["mask"] = _pixels(made.mask[0].float() * 2 - 1)
    if made.coarse is not None:
        found["coarse"] = _pixels(made.coarse[0])
    return found


def _pixels(video: Tensor) -> np.ndarray:
    """Convert a video (C, t, H, W) in [-1, 1], of one or three channels, to uint8 (t, H, W, 3)."""
    return rearrange(to_uint8(video.expand(3, -1, -1, -1)), "c t h w -> t h w c").cpu().numpy()


def _points(points: np.ndarray, batch: int, device: torch.device) -> Tensor:
    """Convert points (..., N, 2) to float32 (B, ..., N, 2), the same ones for every image."""
    return torch.as_tensor(points, dtype=torch.float32, device=device).expand(batch, *points.shape)


def _tensor(frames: np.ndarray, device: torch.device) -> Tensor:
    """Convert frames uint8 (T, H, W, 3) to (3, T, H, W) in [-1, 1]."""
    return from_uint8(rearrange(torch.from_numpy(frames).to(device), "t h w c -> c t h w"))
