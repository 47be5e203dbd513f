"""Images animated: by a driving video, by labels, by noise, by condition maps, as the model can."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log

from i2vkit.apis.animation import Animation
from i2vkit.apis.driving import Driving
from i2vkit.apis.generation import generate_frames
from i2vkit.apis.inputs import FramePreparer, animated_names, inference_config
from i2vkit.apis.motion_sources import ModelFacts, MotionSource, PreparedMotion, choose_source, declared_generator
from i2vkit.apis.pictures import Picture, as_image
from i2vkit.apis.train import with_precision
from i2vkit.apis.variants import (
    Variant,
    arrange_rows,
    check_interpolation,
    check_source,
    plan_interpolation,
    plan_variants,
)
from i2vkit.config.data_facts import fill_in_stored_facts
from i2vkit.config.loading import load_config
from i2vkit.datasets.loaders import trained_length
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.errors import ConfigError
from i2vkit.models.generator_weights import check_generator, load_generator
from i2vkit.models.inference import for_inference_
from i2vkit.registry import MODELS, build_part
from i2vkit.visualization import AnimationWriter

DEFAULT_FPS = 25.0
DEFAULT_STEPS = 6


class I2VInferencer:
    """Animates images.

    Args:
        config: Name of a config of i2vkit, path of a config file, or a config.
        checkpoint: ``.pth`` of training, a work dir, or ``.safetensors`` of ``i2v export``.
        device: Where to compute; a GPU if there is one by default.
        seed: Of the noise where a call gives none; one seed is one animation on every device.
        options: Changes of a config given by name or path, by dotted key.
        precision: "fp32", "tf32" or "bf16", by default as the config says. bf16 computes so where that is precise
            enough, with batch norms folded into weights: faster, and a few grey levels off here and there.
        compile: Compile the parts of the generator when they first run; pays for long or many videos.

    Raises:
        ConfigError, CheckpointError: As ``load_config`` and ``load_generator``.

    Examples:
        Models that are shipped need neither config nor checkpoint::

            animate = I2VInferencer.from_pretrained("dtgan-faces")
            animate("face.png", "clip.mp4").save("moved.mp4")
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
        self.cfg, self.checkpoint = cfg, Path(checkpoint)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model: Any = check_generator(build_part(MODELS, inference_config(cfg)))
        load_generator(self.model, checkpoint)
        self.model.to(self.device).eval()
        if self.model.precision == "bf16":
            for_inference_(self.model.generator, torch.bfloat16)
        if compile:
            compile_parts(self.model, compile_options(True))
        self.seed, self.trained_length = seed, trained_length(cfg)
        self.condition_generator = declared_generator(cfg) if self.model.generator.reads_maps else None
        self._prepare = FramePreparer(self.model.image_size)

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | Path, *, revision: str | None = None, **settings: Any
    ) -> I2VInferencer:
        """Return an inferencer of a trained model that carries its config.

        Args:
            name_or_path: The name of a shipped model (``i2v list``), a ``.safetensors`` file of ``i2v export``, a
                folder of ``save_pretrained``, a work dir, or a repository on the Hugging Face Hub
                ("organisation/name").
            revision: Branch, tag or commit of a repository.
            **settings: ``device``, ``seed``, ``precision`` and ``compile``, as the class takes them.

        Raises:
            ConfigError, CheckpointError: Nothing of that name is there, or it is damaged; see ``find_pretrained``.
        """
        from i2vkit.zoo.pretrained import find_pretrained

        found = find_pretrained(name_or_path, revision)
        return cls(found.cfg, found.checkpoint, **settings)

    def save_pretrained(self, folder: str | Path, dtype: str = "bfloat16") -> Path:
        """Write weights, config and a model card to a folder that ``from_pretrained`` takes; returns the folder.

        Args:
            folder: It gets ``model.safetensors``, ``config.json`` and ``README.md``, as repositories on the Hugging
                Face Hub have them.
            dtype: "bfloat16" or "float32", of the weights.
        """
        from i2vkit.zoo.saving import save_pretrained

        return save_pretrained(self.cfg, self.checkpoint, folder, dtype)

    @property
    def labels(self) -> list[str]:
        """The labels that ``label`` takes, in the order of their class indices; none where the model reads none."""
        return list(self.model.labels) if self.model.generator.reads_label else []

    def choose_source(self, **given: Any) -> MotionSource:
        """Return the driving clip of motion for this model; arguments as those of ``motion_sources.choose_source``."""
        return choose_source(self.model.generator.reads_maps, self.condition_generator, **given)

    def __call__(
        self,
        image: Picture | Sequence[Picture],
        driving: Driving | MotionSource | None = None,
        out: str | Path | None = None,
        *,
        label: str | int | None = None,
        all_labels: bool = False,
        samples: int = 1,
        interpolate: int | None = None,
        steps: int | None = None,
        seed: int | None = None,
        frames: int | None = None,
        fps: float | None = None,
        side_by_side: bool = True,
        show_dynamics: bool = False,
        show_maps: bool = False,
        chunk: int = 32,
        keep_frames: bool | None = None,
    ) -> Animation | list[Animation]:
        """Animate ``image`` as ``driving`` moves, or by label and noise where nothing drives.

        Images and frames are cut to their centre square and resized to the model's size. Memory does not grow with the
        length of a driving file where the model makes videos in chunks.

        Args:
            image: A path, bytes, an open file, a Pillow image, an array or a tensor: see ``as_image``. A list of them
                is animated one after the other.
            driving: A driving video in any form that ``driving_frames`` takes, or a driving clip of motion, such as
                ``motion_sources.BodyPoses``. Nothing for models without a motion encoder, and to draw a motion from the
                prior of a variational one.
            out: ``.mp4``, ``.mkv``, ``.avi``, ``.gif``, or ``.png`` for a strip. Several videos of one image are one
                grid. For a list of images, a folder that gets an ``.mp4`` of each.
            label: What is to be done, by name or class index, for models that make videos by label.
            all_labels: A video for each label instead.
            samples: Number of videos, for each label, that differ in their noise alone: sample k has the seed
                ``seed`` + k, and is the same however many there are.
            interpolate: Number of sampled motions to walk along instead, from each to the next
                (``plan_interpolation``): videos and grid have a row of ``steps`` for each stretch.
            steps: Videos of a stretch, both ends included; 6 by default.
            seed: Of the first sample's noise; that of the inferencer by default.
            frames: How many, where nothing drives; by default the length that the config trains on.
            fps: Frames a second of the result; by default those of the driving video, or 25.
            side_by_side: Write driving video and image beside the result.
            show_dynamics: Write the motion alone too, as it moves an image whose pixels are zero (DTGAN, sec. 4.5).
            show_maps: Write condition maps, masks, coarse and refined frames under each other, those that there are.
            chunk: Frames computed at a time.
            keep_frames: Return the videos too; by default if they are not written.

        Returns:
            The animation, or a list of them for a list of images.

        Raises:
            ConfigError: Something asked for that this model cannot do, and what it can.
            MediaError: A file that cannot be read, or a driving video without frames.
            TrainingError: The model gives values that are not finite.
        """
        driving = self.choose_source(driving=driving, frames=frames)
        check_interpolation(self.model, samples, interpolate, steps)
        motion = check_source(self.model, driving, frames)
        if fps is not None and not 0 < fps <= 1000:
            raise ConfigError(f"fps (--fps) is a number of frames a second, above 0 and at most 1000, not {fps:g}")
        wanted, seed = (self.model, motion, label, all_labels), self.seed if seed is None else seed
        if interpolate is None:
            plan = plan_variants(*wanted, samples, seed)
        else:
            plan = plan_interpolation(*wanted, interpolate, DEFAULT_STEPS if steps is None else steps, seed)
        if (show_dynamics or show_maps) and sum(map(len, plan)) > 1:
            raise ConfigError("--show-dynamics and --show-maps show one video: leave the other labels and samples away")
        rows = arrange_rows(plan, driving.shows_driving, side_by_side, show_dynamics, keep_rows=interpolate is not None)
        settings = (plan, None if show_maps else rows, fps, chunk, keep_frames)
        if not isinstance(image, list | tuple):
            return self._animate(image, driving, out, show_dynamics, *settings)
        names = animated_names(image, out, driving)
        return [
            self._animate(one, driving, name, show_dynamics, *settings) for one, name in zip(image, names, strict=True)
        ]

    def _animate(
        self,
        image: Picture,
        driving: MotionSource,
        out: str | Path | None,
        show_dynamics: bool,
        plan: list[list[Variant]],
        rows: list[list[str]] | None,
        fps: float | None,
        chunk: int,
        keep_frames: bool | None,
    ) -> Animation:
        """Animate one image; without ``rows`` the grid has a row for each picture that the model makes."""
        captions = tuple(variant.caption for row in plan for variant in row)
        # The stretches of a walk share their ends: those are made once.
        variants = list({variant.caption: variant for row in plan for variant in row}.values())
        motion = self.prepare(image, driving)
        images = [motion.image, np.zeros_like(motion.image)] if show_dynamics else [motion.image]
        fps = fps or motion.fps or self.model.fps or DEFAULT_FPS
        keep = out is None if keep_frames is None else keep_frames
        count, kept = 0, []
        made = iter(generate_frames(self.model, motion, images, variants, chunk))
        first = next(made) if rows is None else None  # tells which pictures there are
        if first is not None:
            shown = ("maps", "mask", "coarse", captions[0])
            rows = [[name] for name in shown if name in first]
        with nullcontext() if out is None else AnimationWriter(out, fps, motion.image, rows) as writer:
            while (frame := next(made, None) if first is None else first) is not None:
                first, count = None, count + 1
                if writer is not None:
                    writer.write(frame)
                if keep:
                    kept.append(np.stack([frame[caption] for caption in captions]))
        if out is not None:
            what = f"{len(captions)} videos of " if len(captions) > 1 else ""
            print_log(f"{out}: {what}{count} frames, {fps:g} a second", "current")
        videos = np.stack(kept, axis=1) if keep else None
        return Animation(count, fps, captions, videos, None if out is None else Path(out))

    def prepare(self, image: Picture, driving: MotionSource) -> PreparedMotion:
        """Return the motion of a driving clip, and the image that it shall move, as the model reads them."""
        generator, size = self.model.generator, self.model.image_size
        facts = ModelFacts(generator, size, self.trained_length, self.condition_generator, self._prepare)
        return driving.prepare(as_image(image), facts)
