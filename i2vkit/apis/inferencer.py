"""The inferencer: it animates images by a driving video, a label, noise or condition maps, as the model supports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from numbers import Real
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log

from i2vkit.apis.animation import Animation
from i2vkit.apis.driving import Driving, driving_has_sound, driving_sound
from i2vkit.apis.face_preparation import framing_of
from i2vkit.apis.generation import Frames, generate_frames
from i2vkit.apis.inputs import FramePreparer, animated_names, check_output, inference_config
from i2vkit.apis.motion_sources import ModelFacts, MotionSource, PreparedMotion, choose_source, declared_generator
from i2vkit.apis.pictures import Picture, as_image
from i2vkit.apis.train import with_precision
from i2vkit.apis.variants import (
    Variant,
    arrange_rows,
    check_call,
    check_interpolation,
    check_size,
    check_source,
    plan_interpolation,
    plan_variants,
)
from i2vkit.config.data_facts import fill_in_stored_facts
from i2vkit.config.loading import load_config
from i2vkit.datasets.loaders import trained_length
from i2vkit.engine.compiling import compile_options, compile_parts
from i2vkit.engine.devices import find_device
from i2vkit.errors import ConfigError
from i2vkit.media import SOUND_SUFFIXES, Sound
from i2vkit.models.generator_weights import check_generator, load_generator
from i2vkit.models.inference import for_inference_
from i2vkit.registry import MODELS, build_part
from i2vkit.values import checks_arguments
from i2vkit.visualization import AnimationWriter

DEFAULT_FPS = 25.0
DEFAULT_STEPS = 6


class I2VInferencer:
    """An inferencer that animates images with a trained model.

    Args:
        config: Name of a config of i2vkit, path of a config file, or a config.
        checkpoint: A ``.pth`` of a training, a work dir, or a ``.safetensors`` of ``i2v export``.
        device: The device to compute on. By default a GPU if there is one.
        seed: Seed of the noise for calls without one. One seed gives one animation on every device. Default 0.
        options: Changes of a config given by name or path, by dotted key.
        precision: "fp32", "tf32" or "bf16", by default the config's. "bf16" is used where it is precise enough, with
            batch norms folded into weights. It is faster, and pixels may differ by a few grey levels.
        compile: Compile the parts of the generator when they first run. This pays for long or many videos. Default
            False.

    Raises:
        ConfigError: The config is not found or is wrong, see ``load_config``, or its model makes no videos.
        CheckpointError: The weights are not found, are damaged, or do not fit the model.

    Examples:
        Models that are shipped need neither config nor checkpoint::

            animate = I2VInferencer.from_pretrained("dtgan-faces")
            animate("face.png", "clip.mp4").save("moved.mp4")
    """

    @checks_arguments("config", "device")
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
        if options and isinstance(config, Config):
            raise ConfigError("options change a config that is given by name or path: give them to load_config instead")
        cfg = config if isinstance(config, Config) else load_config(config, options)
        fill_in_stored_facts(cfg, checkpoint)
        cfg = cfg if precision is None else with_precision(cfg, precision)
        self.cfg, self.checkpoint = cfg, Path(checkpoint)
        self.device = find_device(device)
        model: Any = build_part(MODELS, inference_config(cfg))
        check_generator(model)
        self.model = model
        load_generator(self.model, checkpoint)
        self.model.to(self.device).eval()
        if self.model.precision == "bf16":
            for_inference_(self.model.generator, torch.bfloat16)
        if compile:
            compile_parts(self.model, compile_options(True) or {})
        self.seed, self.trained_length = seed, trained_length(cfg)
        generator = self.model.generator
        self.condition_generator = declared_generator(cfg) if generator.reads_maps or generator.landmarks_read else None
        self.framing = framing_of(cfg, self.model.image_size)
        self._prepare = FramePreparer(self.model.image_size)

    @classmethod
    @checks_arguments("settings")
    def from_pretrained(
        cls, name_or_path: str | Path, *, revision: str | None = None, **settings: Any
    ) -> I2VInferencer:
        """Return an inferencer of a trained model that carries its config.

        Args:
            name_or_path: The name of a shipped model (``i2v list``), a ``.safetensors`` file of ``i2v export``, a
                folder of ``save_pretrained``, a work dir, or a repository on the Hugging Face Hub
                ("organisation/name").
            revision: Branch, tag or commit of a repository. By default the newest.
            **settings: ``device``, ``seed``, ``precision`` and ``compile``, as the class takes them.

        Raises:
            ConfigError: There is no model of that name, see ``find_pretrained``.
            CheckpointError: The model is damaged.
        """
        from i2vkit.zoo.pretrained import find_pretrained

        found = find_pretrained(name_or_path, revision)
        return cls(found.cfg, found.checkpoint, **settings)

    @checks_arguments("dtype")
    def save_pretrained(self, folder: str | Path, dtype: str = "bfloat16") -> Path:
        """Write weights, config and a model card to a folder that ``from_pretrained`` takes, and return the folder.

        Args:
            folder: It gets ``model.safetensors``, ``config.json`` and ``README.md``, like repositories on the Hugging
                Face Hub.
            dtype: Type of the weights, "bfloat16" (the default) or "float32".
        """
        from i2vkit.zoo.saving import save_pretrained

        return save_pretrained(self.cfg, self.checkpoint, folder, dtype)

    @property
    def labels(self) -> list[str]:
        """Return the labels that ``label`` takes, in the order of their class indices. A model may read none."""
        return list(self.model.labels) if self.model.generator.reads_label else []

    def choose_source(self, **given: Any) -> MotionSource:
        """Return the source of motion for this model. The arguments are those of ``motion_sources.choose_source``."""
        faces = self.framing is not None
        return choose_source(self.model.generator, self.condition_generator, faces=faces, **given)

    @checks_arguments("image", "driving", "label", "samples", "interpolate", "steps", "seed", "frames", "fps", "chunk")
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
        audio: bool = False,
        on_frame: Callable[[Frames], None] | None = None,
    ) -> Animation | list[Animation]:
        """Animate an image by a driving video, or by label and noise.

        Images and frames are cut out around the face if the model was trained on such crops, and otherwise cut to their
        centre square, and resized to the model's size. If the model supports chunks,
        the memory does not grow with the length of a driving file.

        Args:
            image: A path, bytes, an open file, a Pillow image, an array or a tensor, see ``as_image``. The images of a
                list are animated one after the other.
            driving: A driving video in any form that ``driving_frames`` takes, or a source of motion such as
                ``motion_sources.BodyPoses``. Leave it out for models without a motion encoder, and to draw a motion
                from the prior of a variational model.
            out: File to write: ``.mp4``, ``.mkv``, ``.avi``, ``.gif``, or ``.png`` for a strip. Several videos of one
                image become one grid. For a list of images it is a folder, which gets an ``.mp4`` of each. By default
                nothing is written.
            label: Label of the video, by name or class index, for models that read labels.
            all_labels: Make a video for each label instead. Default False.
            samples: Number of videos for each label, which differ only in their noise. Sample k has the seed ``seed`` +
                k, and does not depend on the number of samples. Default 1.
            interpolate: Number of sampled motions, 2 or more, to interpolate between, from each to the next
                (``plan_interpolation``). Videos and grid have a row of ``steps`` for each pair.
            steps: Videos in a row of an interpolation, both ends included. Default 6.
            seed: Seed of the first sample's noise. By default that of the inferencer.
            frames: Number of frames of a video that nothing drives. By default the length that the config trains on.
            fps: Frames a second of the result, above 0 and at most 1000. By default those of the driving video, or else
                those of the videos that the model was trained on, or 25.
            side_by_side: Write driving video and image beside the result. Default True.
            show_dynamics: Also write the motion alone, on an image whose pixels are zero (DTGAN, sec. 4.5). Default
                False.
            show_maps: Write condition maps, masks, coarse and refined frames below each other, as far as the model has
                them. Default False.
            chunk: Frames that are computed at a time. Default 32.
            keep_frames: Return the videos too. By default only if no file is written.
            audio: Keep the sound of the driving video. Default False.
            on_frame: It is called after each frame with the pictures of that frame, uint8 (H, W, 3), by caption:
                "image", "driving", "dynamics", "maps", "mask" and "coarse" if there are such, and each video. It may
                show the progress. If it raises, the animation ends, and no file is written.

        Returns:
            The animation, or a list of them for a list of images.

        Raises:
            ConfigError: The model cannot do what is asked. The message says what it can do.
            MediaError: A file cannot be read, or a driving video has no frames.
            TrainingError: The model gives values that are not finite.
        """
        check_call(samples, interpolate, steps, seed, frames, chunk)
        driving = self.choose_source(driving=driving, frames=frames)
        check_interpolation(self.model, samples, interpolate, steps)
        motion = check_source(self.model, driving, frames)
        if fps is not None and not (isinstance(fps, Real) and not isinstance(fps, bool) and 0 < fps <= 1000):
            raise ConfigError(f"fps (--fps) is a number of frames a second, above 0 and at most 1000, not {fps!r}")
        if audio and fps is not None:
            raise ConfigError("audio (--audio) keeps the speed of the driving video: leave fps (--fps) away")
        check_output(out, image, driving, audio)
        sound = driving_sound(getattr(driving, "driving", None)) if audio else None
        if not audio and self._drops_sound(driving, out):
            print_log("the sound of the driving video is left out: audio (--audio) keeps it", "current")
        wanted, seed = (self.model, motion, label, all_labels), self.seed if seed is None else seed
        if interpolate is None:
            plan = plan_variants(*wanted, samples, seed)
        else:
            plan = plan_interpolation(*wanted, interpolate, DEFAULT_STEPS if steps is None else steps, seed)
        check_size(plan, frames or self.trained_length, self.model.image_size)
        if (show_dynamics or show_maps) and sum(map(len, plan)) > 1:
            raise ConfigError("--show-dynamics and --show-maps show one video: leave the other labels and samples away")
        rows = arrange_rows(plan, driving.shows_driving, side_by_side, show_dynamics, keep_rows=interpolate is not None)
        settings = (plan, None if show_maps else rows, fps, chunk, keep_frames, sound, on_frame)
        if not isinstance(image, list | tuple):
            return self._animate(cast(Picture, image), driving, out, show_dynamics, *settings)
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
        sound: Sound | None,
        on_frame: Callable[[Frames], None] | None,
    ) -> Animation:
        """Animate one image. Without ``rows`` the grid has a row for each picture that the model makes."""
        captions = tuple(variant.caption for row in plan for variant in row)
        # Neighbouring rows of an interpolation share a video at their ends, which is made once.
        variants = list({variant.caption: variant for row in plan for variant in row}.values())
        motion = self.prepare(image, driving)
        images = [motion.image, np.zeros_like(motion.image)] if show_dynamics else [motion.image]
        self._compare_rates(motion)
        fps = fps or motion.fps or self.model.fps or DEFAULT_FPS
        keep = out is None if keep_frames is None else keep_frames
        count, kept = 0, []
        made = iter(generate_frames(self.model, motion, images, variants, chunk))
        first = next(made) if rows is None else None  # tells which pictures there are
        if first is not None:
            shown = ("maps", "mask", "coarse", captions[0])
            rows = [[name] for name in shown if name in first]
        assert rows is not None  # given, or made of the first frame
        with nullcontext() if out is None else AnimationWriter(out, fps, motion.image, rows, sound) as writer:
            while (frame := next(made, None) if first is None else first) is not None:
                first, count = None, count + 1
                if writer is not None:
                    writer.write(frame)
                if on_frame is not None:
                    on_frame({"image": motion.image, **frame})
                if keep:
                    kept.append(np.stack([frame[caption] for caption in captions]))  # N times (H, W, 3) -> (N, H, W, 3)
        if out is not None:
            what = f"{len(captions)} videos of " if len(captions) > 1 else ""
            print_log(f"{out}: {what}{count} frames, {fps:g} a second", "current")
        videos = np.stack(kept, axis=1) if keep else None  # T times (N, H, W, 3) -> (N, T, H, W, 3)
        return Animation(count, fps, captions, videos, None if out is None else Path(out), sound)

    def _drops_sound(self, driving: MotionSource, out: str | Path | None) -> bool:
        """Return True if the driving video has a sound track that the file could hold, too."""
        holds = out is not None and Path(out).suffix.lower() in ("", *SOUND_SUFFIXES)
        return holds and driving_has_sound(getattr(driving, "driving", None))

    def _compare_rates(self, motion: PreparedMotion) -> None:
        """Log if the driving video is much faster or slower, frame by frame, than those the model was trained on.

        A model that works frame by frame sees no distances between frames, so that any rate is right.
        """
        trained = self.model.fps
        if not (trained and motion.fps) or 0.8 <= motion.fps / trained <= 1.25:
            return
        if self.model.generator.frame_wise:
            return
        print_log(
            f"the driving video has {motion.fps:g} frames a second, and the model was trained on {trained:g}: from "
            f"frame to frame it sees other distances than in training. A driving video of that rate may be followed "
            f"better",
            "current",
            level=logging.WARNING,
        )

    def prepare(self, image: Picture, driving: MotionSource) -> PreparedMotion:
        """Return the motion of a source, and the image that it moves, as the model reads them."""
        generator, size = self.model.generator, self.model.image_size
        facts = ModelFacts(generator, size, self.trained_length, self.condition_generator, self._prepare, self.framing)
        return driving.prepare(as_image(image), facts)
