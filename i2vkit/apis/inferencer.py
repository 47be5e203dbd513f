"""One image animated: by a driving video of any length, by labels, by noise, as the model can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from mmengine.config import Config
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.apis.driving import Driving, as_image, chunked, driving_fps, driving_frames
from i2vkit.apis.train import with_precision
from i2vkit.apis.variants import (
    Variant,
    arrange_rows,
    check_interpolation,
    length_of,
    motion_of,
    plan_interpolation,
    plan_variants,
)
from i2vkit.config.data_facts import fill_in_stored_facts
from i2vkit.config.loading import load_config
from i2vkit.datasets.loaders import trained_length
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.transforms import CenterCrop, Resize
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.data_preprocessor import from_uint8, to_uint8
from i2vkit.models.generator_weights import check_generator, load_generator
from i2vkit.models.inference import for_inference_
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch
from i2vkit.visualization import AnimationWriter

DEFAULT_FPS = 25.0
DEFAULT_STEPS = 6


@dataclass(frozen=True)
class Animation:
    """What came out.

    ``videos`` (N, T, H, W, 3) uint8, if they were asked for, N being 1 unless there are several labels or samples, or a
    walk; ``captions``, their N names; ``path`` if they were written.
    """

    num_frames: int
    fps: float
    captions: tuple[str, ...]
    videos: np.ndarray | None = None
    path: Path | None = None

    @property
    def frames(self) -> np.ndarray | None:
        """The first video, (T, H, W, 3) uint8."""
        return None if self.videos is None else self.videos[0]


class I2VInferencer:
    """Animates images.

    Args:
        config: name of a config of i2vkit, path of a config file, or a config.
        checkpoint: ``.pth`` of training, or ``.safetensors`` of ``tools/export.py``.
        device: where to compute; a GPU if there is one by default.
        seed: of the noise where a call gives none; one seed is one animation on every device.
        options: changes of a config given by name or path, by dotted key.
        precision: "fp32", "tf32" or "bf16", by default what the config says. bf16 computes so where that is precise
            enough, with batch norms folded into weights: faster, and a few grey levels off here and there.
        compile: compile the parts of the generator when they first run; pays for long or many videos.

    Raises:
        ConfigError, CheckpointError: as :func:`i2vkit.config.loading.load_config` and ``load_generator``.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path,
        device: str | None = None,
        seed: int = 0,
        options: dict[str, Any] | None = None,
        precision: str | None = None,
        compile: bool = False,
    ) -> None:
        cfg = config if isinstance(config, Config) else load_config(config, options)
        fill_in_stored_facts(cfg, checkpoint)
        cfg = cfg if precision is None else with_precision(cfg, precision)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model = check_generator(MODELS.build(cfg.model))
        load_generator(self.model, checkpoint)
        self.model.to(self.device).eval()
        if self.model.precision == "bf16":
            for_inference_(self.model.generator, torch.bfloat16)
        if compile:
            compile_parts(self.model, compile_options(True))
        self.seed, self.trained_length = seed, trained_length(cfg)
        self._crop, self._resize = CenterCrop(), Resize(self.model.image_size)
        self._told: set[str] = set()

    @property
    def labels(self) -> list[str]:
        """The labels that ``label`` takes, in the order of their class indices; none where the model reads none."""
        return list(self.model.labels) if self.model.generator.reads_label else []

    def __call__(
        self,
        image: str | Path | np.ndarray,
        driving: Driving | None = None,
        out: str | Path | None = None,
        *,
        label: str | int | None = None,
        all_labels: bool = False,
        samples: int = 1,
        interpolate: int | None = None,
        steps: int | None = None,
        seed: int | None = None,
        frames: int | None = None,
        side_by_side: bool = True,
        show_dynamics: bool = False,
        chunk: int = 32,
        keep_frames: bool | None = None,
    ) -> Animation:
        """Animate ``image`` as ``driving`` moves, or by label and noise where nothing drives.

        Images and frames are cut to their centre square and resized to the model's size. Memory does not grow with the
        length of a driving file where the model makes videos in chunks.

        Args:
            image: a file, or (H, W, 3) uint8.
            driving: a video, GIF, folder of images or image; several of them, which are played one after the other;
                (T, H, W, 3) uint8; or anything that yields frames (H, W, 3) uint8. Nothing for models without a motion
                encoder, and to draw a motion from the prior of a variational one.
            out: ``.mp4``, ``.mkv``, ``.avi``, ``.gif``, or ``.png`` for a strip. Several videos are one grid.
            label: what is to be done, by name or class index, for models that make videos by label.
            all_labels: a video for each label instead.
            samples: number of videos, for each label, that differ in their noise alone: sample k has the seed
                ``seed`` + k, and is the same however many there are.
            interpolate: number of sampled motions to walk along instead, from each to the next
                (``plan_interpolation``): videos and grid have a row of ``steps`` for each stretch.
            steps: videos of a stretch, both ends included; 6 by default.
            seed: of the first sample's noise; that of the inferencer by default.
            frames: how many, where nothing drives; by default the length that the config trains on.
            side_by_side: write driving video and image beside the result.
            show_dynamics: write the motion alone too, as it moves an image whose pixels are zero (DTGAN, sec. 4.5).
            chunk: frames computed at a time.
            keep_frames: return the videos too; by default if they are not written.

        Raises:
            ConfigError: something asked for that this model cannot do, and what it can.
            MediaError: a file that cannot be read, or a driving video without frames.
            TrainingError: the model gives values that are not finite.
        """
        check_interpolation(self.model, samples, interpolate, steps)
        motion = motion_of(self.model, driving is not None, frames)
        wanted, seed = (self.model, motion, label, all_labels), self.seed if seed is None else seed
        if interpolate is None:
            plan = plan_variants(*wanted, samples, seed)
        else:
            plan = plan_interpolation(*wanted, interpolate, DEFAULT_STEPS if steps is None else steps, seed)
        captions = tuple(variant.caption for row in plan for variant in row)
        # The stretches of a walk share their ends: those are made once.
        variants = list({variant.caption: variant for row in plan for variant in row}.values())
        if show_dynamics and len(variants) > 1:
            raise ConfigError("the motion alone (--show-dynamics) is shown of one video: leave the other ones away")
        length = None if driving is not None else length_of(self.model.generator, frames, self.trained_length)
        content = self._prepare(as_image(image), "image")
        images = [content, np.zeros_like(content)] if show_dynamics else [content]
        made = self._frames(driving, length, images, variants, chunk)

        own = self.model.fps or DEFAULT_FPS
        fps = own if driving is None else driving_fps(driving) or own
        rows = arrange_rows(plan, driving is not None, side_by_side, show_dynamics, keep_rows=interpolate is not None)
        keep = out is None if keep_frames is None else keep_frames
        count, kept = 0, []
        with nullcontext() if out is None else AnimationWriter(out, fps, content, rows) as writer:
            for frame in made:
                count += 1
                if writer is not None:
                    writer.write(frame)
                if keep:
                    kept.append(np.stack([frame[caption] for caption in captions]))
        if out is not None:
            what = f"{len(captions)} videos of " if len(captions) > 1 else ""
            print_log(f"{out}: {what}{count} frames, {fps:g} a second", "current")
        videos = np.stack(kept, axis=1) if keep else None
        return Animation(count, fps, captions, videos, None if out is None else Path(out))

    def _frames(
        self,
        driving: Driving | None,
        length: int | None,
        images: list[np.ndarray],
        variants: list[Variant],
        chunk: int,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Frame by frame what was made and from what: each variant by caption, "driving" and "dynamics" if any."""
        # What cannot be made in chunks is made in one piece.
        size = chunk if self.model.generator.supports_chunks else None
        if driving is None:
            size = size or length
            chunks: Iterable = (min(size, length - start) for start in range(0, length, size))
        else:
            chunks = chunked((self._prepare(frame, "driving video") for frame in driving_frames(driving)), size)
        # All are advanced chunk by chunk, so that no more than one chunk waits between them.
        shown, *encoded = tee(chunks, 1 + len(variants))
        motion = "prior" if driving is None else "driving"
        videos = [self.animate(own, images, v.label, v.seed, motion) for own, v in zip(encoded, variants, strict=True)]
        for part, *made in zip(shown, *videos, strict=True):
            for t in range(len(made[0]["generated"])):
                frame = {v.caption: video["generated"][t] for v, video in zip(variants, made, strict=True)}
                frame |= {} if driving is None else {"driving": part[t]}
                yield frame | ({"dynamics": made[0]["dynamics"][t]} if "dynamics" in made[0] else {})

    def animate(
        self,
        chunks: Iterable[Sequence[np.ndarray] | int],
        images: list[np.ndarray],
        label: int | None = None,
        seed: int | None = None,
        motion: str = "driving",
    ) -> Iterator[dict[str, np.ndarray]]:
        """Chunk by chunk the videos (t, H, W, 3) uint8, "generated" and "dynamics", of one or two images.

        ``chunks`` are the frames of one driving video or, for a ``motion`` from the "prior", numbers of frames.
        """
        # The images are the batch: same motion, same noise. Each variant is a batch of its own instead: sums over
        # batches of other sizes are rounded otherwise, and a sample would depend on how many there are.
        content = torch.stack([self._tensor([image])[:, 0] for image in images])
        labels = None if label is None else torch.full((len(images),), label, device=self.device)
        clips = (VideoBatch(self._driving_batch(part, len(images)), label=labels) for part in chunks)
        seeds = [self.seed if seed is None else seed] * len(images)
        for made in self.model.generate_chunks(clips, seeds, content, motion):
            if not torch.isfinite(made.video).all():
                raise TrainingError("the model gives values that are not finite: take an earlier checkpoint")
            videos = rearrange(to_uint8(made.video), "b c t h w -> b t h w c").cpu().numpy()
            yield dict(zip(("generated", "dynamics"), videos, strict=False))

    def _driving_batch(self, part: Sequence[np.ndarray] | int, batch: int) -> Tensor:
        """A chunk as the driving of a batch (B, 3, t, H, W); what is only counted is zeros, which nothing reads."""
        size = self.model.image_size
        if isinstance(part, int):
            return torch.zeros((), device=self.device).expand(batch, 3, part, size, size)
        return self._tensor(part).expand(batch, -1, -1, -1, -1)

    def _prepare(self, frame: np.ndarray, what: str) -> np.ndarray:
        """The centre square of a frame at the model's size; says so the first time that this changes something."""
        height, width = frame.shape[:2]
        size, side = self.model.image_size, min(height, width)
        if (height, width) != (size, size) and what not in self._told:
            self._told.add(what)
            cut = "" if height == width else f"only its centre square of {side} pixels is used"
            scaled = "" if side == size else f"resized to {size}x{size}"
            print_log(f"the {what} is {width}x{height}: {', '.join(filter(None, (cut, scaled)))}", "current")
        # The data sets' own transforms, so that a picture comes to the model as it did in training.
        sample = {"clips": {what: SampledClip(None, frames=frame[None])}}
        return self._resize(self._crop(sample))["clips"][what].frames[0]

    def _tensor(self, frames: Sequence[np.ndarray]) -> Tensor:
        """Frames (H, W, 3) uint8 -> (3, T, H, W) in [-1, 1] on the device."""
        return from_uint8(rearrange(torch.from_numpy(np.stack(frames)), "t h w c -> c t h w").to(self.device))
