"""An image animated by condition maps."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.apis.driving import as_image, driving_fps
from i2vkit.apis.forecasting import load_pose_lstm
from i2vkit.apis.inferencer import DEFAULT_FPS, Animation, I2VInferencer
from i2vkit.apis.map_driving import DrivingMaps, body_maps, face_maps, read_landmarks, read_poses
from i2vkit.conditions import FaceMaps, JointHeatmaps
from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.data_preprocessor import from_uint8, to_uint8
from i2vkit.preparation.face_crops import face_framing
from i2vkit.structures import Generated, VideoBatch
from i2vkit.visualization import AnimationWriter
from i2vkit.visualization.overlays import colour_maps

CHUNK = 32  # frames computed at a time


def animate_from_files(inferencer: I2VInferencer, options: Namespace) -> Animation:
    """What ``tools/animate.py`` asks for of a model that reads maps; ``options`` are its arguments.

    Raises:
        ConfigError: nothing that drives such a model is given, something that means nothing to it, or a model of other
            maps.
        DataError: as ``body_maps`` and ``face_maps``.
    """
    generator, size = inferencer.model.generator, inferencer.model.image_size
    image, fps = as_image(options.image), DEFAULT_FPS
    if generator.map_channels == JointHeatmaps.channels:
        if not options.poses:
            raise ConfigError("this model is driven by poses: give --poses FILE, and --pose-lstm to have them forecast")
        if options.landmarks or options.margin is not None:
            raise ConfigError(
                "this model is driven by poses: --landmarks and --margin, which are of faces, mean nothing"
            )
        network = load_pose_lstm(options.pose_config, options.pose_lstm) if options.pose_lstm else None
        driving = body_maps(image, read_poses(options.poses), size, network, options.frames or 32)
    elif generator.map_channels == FaceMaps.channels:
        if not options.driving:
            raise ConfigError("this model is driven by a video of a face: give --driving FILE")
        points = tuple(map(read_landmarks, options.landmarks)) if options.landmarks else (None, None)
        fps = driving_fps(options.driving) or fps
        framing = face_framing("box", size, options.margin)
        driving = face_maps(image, options.driving, size, points, framing=framing)
        image = driving.image
    else:
        raise ConfigError(
            f"this model reads {generator.map_channels} condition maps a frame, which nothing here makes of a picture: "
            f"normal maps have 3, heatmaps of joints 13"
        )
    side_by_side = not options.no_side_by_side
    return animate_by_maps(inferencer, image, driving, options.out, fps, options.show_maps, side_by_side)


def animate_by_maps(
    inferencer: I2VInferencer,
    image: np.ndarray,
    driving: DrivingMaps,
    out: str | Path | None = None,
    fps: float = DEFAULT_FPS,
    show_maps: bool = False,
    side_by_side: bool = True,
) -> Animation:
    """Animate ``image``, (H, W, 3) uint8, or its centre square, as maps at the model's size say.

    With ``show_maps`` the file has maps, mask, coarse and refined frames under each other, those that the model makes;
    else the image beside the result, or that alone.

    Raises:
        ConfigError: maps of another size or number than the model's.
        TrainingError: the model gives values that are not finite.
    """
    size, channels = inferencer.model.image_size, inferencer.model.generator.map_channels
    if driving.maps.shape[1:] != (channels, size, size):
        raise ConfigError(f"the model reads maps {(channels, size, size)} a frame, not {driving.maps.shape[1:]}")
    content = inferencer._prepare(image, "image")
    parts, rows, kept = _parts(inferencer, content, driving), None, []
    with nullcontext() if out is None else _Writer(out, fps, content, show_maps, side_by_side) as writer:
        for rows in parts:
            kept.append(rows["generated"])
            if writer is not None:
                writer.write(rows)
    video = np.concatenate(kept)
    if out is not None:
        print_log(f"{out}: {len(video)} frames, {fps:g} a second", "current")
    return Animation(len(video), fps, ("generated",), video[None], None if out is None else Path(out))


class _Writer:
    """Opens the file with the first chunk, which tells what the model makes."""

    def __init__(self, out: str | Path, fps: float, content: np.ndarray, show_maps: bool, side_by_side: bool):
        self.arguments, self.show_maps, self.side_by_side = (out, fps, content), show_maps, side_by_side
        self.writer: AnimationWriter | None = None

    def __enter__(self) -> _Writer:
        return self

    def write(self, part: dict[str, np.ndarray]) -> None:
        """Write a chunk: videos (t, H, W, 3) by caption."""
        if self.writer is None:
            image_and_video = [["image", "generated"]] if self.side_by_side else [["generated"]]
            grid = [[caption] for caption in part] if self.show_maps else image_and_video
            self.writer = AnimationWriter(*self.arguments, grid).__enter__()
        for t in range(len(part["generated"])):
            self.writer.write({caption: video[t] for caption, video in part.items()})

    def __exit__(self, *fault) -> None:
        if self.writer is not None:
            self.writer.__exit__(*fault)


def _parts(inferencer: I2VInferencer, content: np.ndarray, driving: DrivingMaps) -> Iterator[dict[str, np.ndarray]]:
    """Chunk by chunk videos (t, H, W, 3) uint8: "maps", those of "mask" and "coarse" that are made, "generated"."""
    model, size = inferencer.model, inferencer.model.image_size
    length = len(driving.maps)
    chunk = CHUNK if model.generator.supports_chunks else length
    image_maps = from_uint8(torch.from_numpy(driving.image_maps)[None]).to(inferencer.device)

    def clips() -> Iterator[VideoBatch]:
        for start in range(0, length, chunk):
            maps = torch.from_numpy(np.ascontiguousarray(driving.maps[start : start + chunk].swapaxes(0, 1)))
            counted = torch.zeros((), device=inferencer.device).expand(1, 3, maps.shape[1], size, size)
            yield VideoBatch(counted, driving_maps=from_uint8(maps[None].to(inferencer.device)), image_maps=image_maps)

    made_parts = model.generate_chunks(clips(), [inferencer.seed], inferencer._tensor([content])[None, :, 0])
    for start, made in zip(range(0, length, chunk), made_parts, strict=True):
        if not torch.isfinite(made.video).all():
            raise TrainingError("the model gives values that are not finite: take an earlier checkpoint")
        yield {"maps": np.stack([colour_maps(maps) for maps in driving.maps[start : start + chunk]])} | _pictures(made)


def _pictures(made: Generated) -> dict[str, np.ndarray]:
    """What was made as videos (t, H, W, 3) uint8; a mask is white where it is 1."""

    def shown(video: Tensor) -> np.ndarray:
        return rearrange(to_uint8(video)[0].expand(3, -1, -1, -1), "c t h w -> t h w c").cpu().numpy()

    videos = {"mask": None if made.mask is None else made.mask.float() * 2 - 1, "coarse": made.coarse}
    videos["generated"] = made.video
    return {name: shown(video) for name, video in videos.items() if video is not None}
