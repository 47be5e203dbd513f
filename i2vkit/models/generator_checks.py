"""Checks of a generator when it is built, before a training begins, and before it reads a clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from mmengine.logging import print_log
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.models.dry_run import checked_outputs
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Generated, Spec, VideoBatch

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator
    from i2vkit.models.generator_capabilities import GeneratorCapabilities

SKIPS_FROM = ("image", "past")  # values of Generator(skips_from=...)


def check_maps(clip: VideoBatch, channels: int) -> None:
    """Raise ``ConfigError`` unless ``clip`` has condition maps of ``channels`` channels, also of the image."""
    if clip.driving_maps is None or clip.image_maps is None:
        raise ConfigError(
            "this model reads condition maps and the clips have none: prepare the set with --maps and put ReadMaps "
            "behind ReadFrames in the pipeline"
        )
    if clip.driving_maps.shape[1] != channels:
        raise ConfigError(
            f"this model reads condition maps of {channels} channels and those of the clips have "
            f"{clip.driving_maps.shape[1]} (normal maps 3, heatmaps 13, silhouettes 1): set model.map_channels"
        )


def check_landmarks(clip: VideoBatch, number: int) -> None:
    """Raise ``ConfigError`` unless ``clip`` has ``number`` landmarks a frame, also of the image."""
    if clip.landmarks is None or clip.image_landmarks is None:
        raise ConfigError(
            "this model is given the landmarks of faces and the clips have none: take a prepared set that has them, "
            'and give its data sets points=["landmarks"]'
        )
    found = {int(clip.landmarks.shape[2]), int(clip.image_landmarks.shape[1])}  # a trace has tensors as sizes
    if found != {number}:
        raise ConfigError(
            f"this model reads {number} landmarks of a face, and the clips have {max(found - {number})}: set "
            f"model.generator.motion_encoder.num_landmarks"
        )


def check_decodes_frames(generator: GeneratorCapabilities) -> None:
    """Raise ``ConfigError`` unless some frames of a clip can be decoded without the others."""
    if generator.feeds_back:
        # A frame needs all frames before it, so none can be left out.
        raise ConfigError(
            f"decoded_frames decodes a few frames of each clip, and {_names(generator.past_readers)} makes each frame "
            f"from the one before: set model.decoded_frames=None"
        )
    if generator.refiner is not None or not generator.decoder.frame_wise:
        part = generator.decoder if generator.refiner is None else generator.refiner
        raise ConfigError(
            f"decoded_frames decodes a few frames of each clip, and {type(part).__name__} makes whole clips: set "
            f"model.decoded_frames=None, or take a decoder that works frame by frame (UNetDecoder, FrameDecoder, "
            f"DenseDecoder) and no refiner"
        )


def check_encodes_video(generator: GeneratorCapabilities) -> None:
    """Raise ``ConfigError`` if the motion of a generated video cannot be encoded."""
    encoder = generator.motion_encoder
    if encoder is None:
        raise ConfigError(
            "a loss or view encodes the motion of a video, and this generator has no motion encoder: take the loss or "
            "view out, or set model.generator.motion_encoder"
        )
    if not encoder.reads_video:
        # A generated video has no condition maps or landmarks of its own.
        read = "condition maps" if encoder.reads_maps else "given landmarks"
        raise ConfigError(
            f"a loss or view encodes the motion of a video anew, and {type(encoder).__name__} "
            f"reads {read} instead of the video: take the loss or view out, or another motion encoder"
        )
    if getattr(encoder, "reads_past", False):
        # It is called with the frame before each step, and not with a video.
        raise ConfigError(
            f"a loss or view encodes the motion of a video anew, and {type(encoder).__name__} encodes the frames "
            f"before each step: take the loss or view out, or another motion encoder"
        )


def check_reads_steps(part: nn.Module, reads: set[str], upstream: Spec) -> None:
    """Raise ``ConfigError`` if ``part`` reads one motion code for each clip, and there is one for each step.

    Args:
        part: A part or adapter.
        reads: Names of the fields that it reads.
        upstream: Spec of the motion that it gets.
    """
    if upstream.code_per_step and "motion.code" in reads and not getattr(part, "code_per_step", False):
        name = type(part).__name__
        raise ConfigError(
            f"{name} reads one motion code a clip, (B, D), and the motion encoder gives one a step, (B, T, D): take "
            f"another part in place of {name}, or set code_per_step=True in its class if it reads such codes"
        )


def check_rollout(generator: Generator, content: Spec) -> None:
    """Raise ``ConfigError`` if a part reads the frames before, and another part cannot be called step by step.

    Args:
        generator: The generator.
        content: Spec of its content, behind the adapters.
    """
    # First the setting itself, then the parts from the decoder's pyramid to its clip lengths.
    skips_from = generator.skips_from
    if skips_from not in SKIPS_FROM:
        raise ConfigError(f"skips_from is one of {', '.join(map(repr, SKIPS_FROM))}, not {skips_from!r}")
    if not generator.feeds_back:
        if skips_from == "past":
            raise ConfigError(
                'skips_from="past" hands on the pyramid of the frame before, and no part of this generator reads '
                'frames before (reads_past): set skips_from="image"'
            )
        return
    reader = _names(generator.past_readers)
    if skips_from == "past" and not ("content.pyramid" in generator.decoder.reads() and content.pyramid):
        raise ConfigError(
            f'skips_from="past" is about the content pyramid, and {type(generator.decoder).__name__} gets none: set '
            f'skips_from="image", or a content encoder and a decoder with a pyramid'
        )
    if generator.refiner is not None:
        # A step needs the finished frame before it, and a refiner needs all frames at once.
        raise ConfigError(
            f"{reader} makes each frame from the one before, and {type(generator.refiner).__name__} refines whole "
            f"clips: leave the refiner out"
        )
    for part in generator.called_by_step():
        # To a part, steps are chunks of one frame.
        if not part.supports_chunks:
            raise ConfigError(
                f"{reader} makes each frame from the one before, so that all parts are called step by step, and "
                f"{type(part).__name__} needs the whole clip: take a part that supports chunks in its place"
            )
    if 1 not in generator.lengths:
        raise ConfigError(
            f"{reader} makes each frame from the one before, and {type(generator.decoder).__name__} makes clips of "
            f"{generator.lengths} frames only: take a decoder that makes single frames"
        )


def check_passes(generator: Generator, passes: dict[str, Pass]) -> None:
    """Raise ``ConfigError`` for a pass that is not possible, and log the settings of a pass that have no effect."""
    for name, entry in passes.items():
        if entry.motion == "prior" and not generator.has_prior:
            raise ConfigError(
                f"pass '{name}' draws its motion from a prior, but {type(generator.motion_encoder).__name__} has none: "
                f"use a variational motion encoder, or a motion generator that needs no encoder"
            )
        if entry.motion == "driving" and generator.motion_encoder is None:
            # No error, since one config of passes may serve generators with and without an encoder.
            print_log(f"pass '{name}': no motion encoder is read, so its motion is drawn from the prior", "current")
        if entry.observed > 1 and not generator.feeds_back:
            raise ConfigError(
                f"pass '{name}' gives {entry.observed} observed frames, and no part of this generator reads the frames "
                f"before (reads_past): set observed=1"
            )
        if entry.feed == "truth" and not generator.feeds_back:
            print_log(f"pass '{name}': no part reads the frames before, so feed has no effect", "current")
        if entry.feed == "truth" and generator.skips_from == "past":
            # All steps at once would need the pyramids of all frames before them, (B, n, C, H, W).
            raise ConfigError(
                f"pass '{name}' makes all steps at once from the true frames, and a pyramid is one image's: set "
                f'feed="own", or skips_from="image" in the generator'
            )
        if entry.content_per_frame and generator.feeds_back:
            # In a rollout the frame before takes the place of the driving frame.
            print_log(
                f"pass '{name}': each frame is made from the one before, so content_per_frame has no effect", "current"
            )
        elif entry.content_per_frame and not generator.content_per_frame:
            print_log(
                f"pass '{name}': {type(generator.decoder).__name__} reads the first frame's content only", "current"
            )


def dry_run(generator: Generator) -> tuple[Generated, bool]:
    """Make a short grey video, and check the output of every part and the size of the video.

    Returns:
        The video, and True if the generator has drawn random numbers.

    Raises:
        ConfigError: The output of a part differs from its spec. The message names the part.
    """
    training, device = generator.training, next(generator.parameters()).device
    # Two frames or more, so that a part that mixes up the axes of batch and time is noticed.
    size, length = generator.image_size, generator.lengths.at_least(2)
    video = torch.zeros(1, 3, length, size, size, device=device)  # (B, 3, T, H, W), grey
    label = torch.zeros(1, dtype=torch.long, device=device) if generator.num_labels else None
    # A seed, so that torch's global generator stays as it is.
    state = GenerationState(seeds=[0])
    called: list[nn.Module] = []
    try:
        with torch.no_grad():
            clip = generator.with_conditions(VideoBatch(video, label=label))
            with checked_outputs(generator) as called:
                # In eval mode, in which no batch norm learns from the grey video.
                made = generator.eval()(clip, {"dry_run": Pass()}, state)["dry_run"]
    except RuntimeError as error:
        # Torch's error about shapes, mostly from inside a part.
        place = f", in {type(called[-1]).__name__}" if called else ""
        raise ConfigError(f"the parts of the generator do not fit together{place}: {error}") from error
    finally:
        generator.train(training)
    if made.video.shape != video.shape:
        raise ConfigError(
            f"{type(generator.decoder).__name__} made {tuple(made.video.shape)}, expected "
            f"{tuple(video.shape)}: decoder, head and refiner must give 3 channels and the size of the images"
        )
    return made, state.used_rng


def _names(parts: Sequence[nn.Module]) -> str:
    """Return the classes of ``parts``, for a message."""
    return " and ".join(type(part).__name__ for part in parts)
