"""Rollout: generation in which each frame is made from the frame before.

Frame 0 of a video is the image itself. Step t makes frame t from frame t - 1. With ``feed="own"`` this is the frame
that the generator has made, and the parts are called once for each step. With ``feed="truth"`` (teacher forcing) it is
the true frame of the driving clip, and the parts are called once for all steps. The generation state keeps the
recurrent states of the parts, and the last frame for the next chunk.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.layers.resampling import adaptive_average_pool
from i2vkit.models.priors import drawn_around, prior_of
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Content, Generated, Motion, VideoBatch

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator

# Outputs of heads beside the video, with one entry for each frame. They are 0 for a given frame: a mask of 0 shows only
# the base, which is the image.
_BESIDE = ("mask", "residual", "flow")


def roll_out(
    generator: Generator,
    content: Content,
    motion: Motion,
    clip: VideoBatch,
    entry: Pass,
    state: GenerationState,
    name: str = "",
    codes: Tensor | None = None,
) -> Generated:
    """Return a video of ``clip``'s length that begins with the image of ``content``, or continues the chunk before.

    Args:
        generator: A generator with a part that reads the past.
        content: Content of the image, with one code (B, D).
        motion: Motion of all frames, encoded from the clip or drawn. If it has no code, each step draws or encodes one.
        clip: The driving clip; ``feed="truth"`` reads its frames.
        entry: The pass.
        state: Random draws and recurrent states, and the last frame of the chunk before.
        name: Name of the pass, for the result. "" by default.
        codes: Content codes (B, T, D) of the clip's frames, for ``feed="truth"`` if a part reads them. None by default.

    Returns:
        The video. In the first chunk one of its frames is ``given``, or as many as the pass has ``observed``.

    Raises:
        ConfigError: The first chunk has fewer frames than are observed.
    """
    length = clip.driving.shape[2]
    # The last frame (B, C, H, W) of the chunk before, and the number of frames until then.
    last, position = state.recurrent.get(generator, (None, 0))
    given = min(max(entry.observed - position, 0), length) if entry.feed == "own" else int(position == 0)
    _check_observed(entry, position, length)
    state.set_batch(content.image)
    # Frame 0 of the whole video is in the first chunk, and no step makes it.
    lead = int(position == 0)
    first = clip.driving[:, :, 0] if entry.observed > 1 and lead else content.image
    pieces: list[Generated] = []
    if entry.feed == "truth":
        before = clip.driving[:, :, :-1]
        if last is not None:
            # (B, C, 1, H, W) and (B, C, T - 1, H, W) -> (B, C, T, H, W). ``codes`` lacks the code of ``last``, so the
            # frames are encoded again.
            before, codes = torch.cat([last[:, :, None], before], dim=2), None
        last = clip.driving[:, :, -1]
        if length > lead:
            of_past = None if codes is None else codes[:, :-1]
            step = _content_of_past(generator, content, before, of_past)
            own, its_clip = motion.slice_frames(lead, length), clip.slice_frames(lead, length)
            pieces.append(_make(generator, content, step, own, its_clip, state))
    else:
        last = first if last is None else last
        observed = _observed_motion(generator, content, motion, clip, entry, state, given, lead)
        for t in range(lead, length):
            step = _content_of_past(generator, content, last[:, :, None])  # (B, C, H, W) -> (B, C, 1, H, W)
            own = motion if t >= given or observed is None else observed
            piece = _make(generator, content, step, own.slice_frames(t, t + 1), clip.slice_frames(t, t + 1), state)
            if t < given:  # the parts have read the frame before, and what they made of it is not used
                piece = _given(piece, clip.driving[:, :, t : t + 1])
            pieces.append(piece)
            last = piece.video[:, :, -1]
    state.recurrent[generator] = last, position + length
    joined = _joined(pieces, replace(content, image=first), motion, lead, generator.makes_mask)
    return replace(joined, content=replace(joined.content, image=content.image), pass_name=name, given=given)


def _check_observed(entry: Pass, position: int, length: int) -> None:
    """Raise ``ConfigError`` unless the first chunk holds all observed frames, whose last one gives the content."""
    if position == 0 and length < entry.observed:
        raise ConfigError(
            f"{entry.observed} observed frames were asked for, and the clip or its first chunk has {length}: give "
            f"longer clips (or model.chunk), or fewer observed frames"
        )


def _observed_motion(
    generator: Generator,
    content: Content,
    motion: Motion,
    clip: VideoBatch,
    entry: Pass,
    state: GenerationState,
    given: int,
    lead: int,
) -> Motion | None:
    """Return the motion of the observed frames, encoded from them, where each step draws a code. None otherwise."""
    draws = generator.encoded.code_per_step and generator.draws_code and motion.code is None
    if entry.motion != "prior" or not lead or given < 2 or not draws:
        return None
    return generator.encode_motion(clip.slice_frames(0, given), state, content)


def _given(piece: Generated, frame: Tensor) -> Generated:
    """Return a step whose frame (B, C, 1, H, W) was given, with the fields that steps with drawn codes have."""

    def drawn(motion: Motion) -> Motion:
        return replace(motion, mean=None, log_variance=None)

    beside: dict[str, Any] = {
        name: torch.zeros_like(value) for name in _BESIDE if (value := getattr(piece, name)) is not None
    }
    scales = tuple(adaptive_average_pool(frame[:, :, 0], level.shape[3:])[:, :, None] for level in piece.scales)
    return replace(
        piece,
        video=frame,
        base=frame,
        scales=scales,
        motion=drawn(piece.motion),
        encoded=drawn(piece.encoded),
        **beside,
    )


def _content_of_past(generator: Generator, content: Content, past: Tensor, codes: Tensor | None = None) -> Content:
    """Return the content for parts that read the past, for the steps after the frames ``past`` (B, C, n, H, W).

    ``codes`` (B, n, D) are the content codes of these frames, if they are known.
    """
    step = replace(content, past=past)
    from_past = generator.skips_from == "past"
    if codes is None and (from_past or generator.reads_codes_of_past):
        every = generator.encode_frames(past)
        codes = every.code if generator.reads_codes_of_past else None
        step = replace(step, pyramid=every.pyramid) if from_past else step
    return step if codes is None else replace(step, code=codes)


def _make(
    generator: Generator, content: Content, step: Content, motion: Motion, clip: VideoBatch, state: GenerationState
) -> Generated:
    """Return the frames of some steps, to which ``motion`` and ``clip`` are cut. ``step`` has the frames before."""
    encoder, spec = generator.motion_encoder, generator.encoded
    assert step.past is not None, "_content_of_past sets the frames before"
    if encoder is not None and getattr(encoder, "reads_past", False):
        motion = generator.encode_motion(replace(clip, driving=step.past), state, step)
    if spec.code_per_step:
        if motion.code is None and generator.draws_code:
            motion = drawn_around(generator, motion, step, state, step.past)
        elif spec.variational:
            # An encoded code keeps its value; losses compare it with the prior of its step.
            motion = replace(motion, **prior_of(encoder, step, state, motion.length, spec))
    made = generator.render(content, motion, state, past=step)
    return replace(made, content=step)


def _joined(pieces: list[Generated], content: Content, motion: Motion, given: int, makes_mask: bool) -> Generated:
    """Return the video of the image, if it is ``given``, and the frames of ``pieces``.

    ``motion`` is the motion of all frames, as it was before the rollout.
    """
    complete, image = replace(motion, maps={}), content.image[:, :, None]  # (B, C, H, W) -> (B, C, 1, H, W)
    if not pieces:  # the chunk consists of the image
        mask = torch.zeros_like(image[:, :1]) if makes_mask else None
        return Generated(image, content, complete, complete, base=image, mask=mask, given=given)
    made = Motion.joined([piece.motion for piece in pieces]).padded(given)
    encoded = Motion.joined([piece.encoded for piece in pieces]).padded(given)
    if _is_complete(motion):
        # The motion of the clip includes the given frame. Only the prior was made step by step.
        prior: dict[str, Any] = {key: getattr(encoded, key) for key in ("prior_mean", "prior_log_variance")}
        prior = {key: value for key, value in prior.items() if value is not None}
        encoded = replace(complete, **prior)
    beside: dict[str, Any] = {name: _over_time([getattr(piece, name) for piece in pieces], given) for name in _BESIDE}
    # (B, C, T or 1, H, W) -> (B, C, T, H, W); the decoder gives a base for every piece.
    bases = [piece.base.expand(-1, -1, piece.video.shape[2], -1, -1) for piece in pieces if piece.base is not None]
    pasts = [piece.content.past for piece in pieces if piece.content.past is not None]  # every piece has one
    # Coarser videos (B, C, T, h, w) begin with the image too, averaged to their size.
    scales = tuple(
        torch.cat([_averaged(image, levels[0].shape[3:])] * given + list(levels), dim=2)
        for levels in zip(*(piece.scales for piece in pieces), strict=True)
    )
    # All pieces are joined in time, behind the given frame.
    return Generated(
        video=torch.cat([image] * given + [piece.video for piece in pieces], dim=2),
        content=replace(content, past=torch.cat(pasts, dim=2)),
        motion=replace(made, num_frames=motion.num_frames),
        encoded=replace(encoded, num_frames=motion.num_frames),
        base=torch.cat([image] * given + bases, dim=2),
        given=given,
        scales=scales,
        **beside,
    )


def _averaged(image: Tensor, sides: torch.Size) -> Tensor:
    """Return an image (B, C, 1, H, W) averaged to (B, C, 1, h, w)."""
    return adaptive_average_pool(image[:, :, 0], sides)[:, :, None]


def _is_complete(motion: Motion) -> bool:
    """Return True if a motion was encoded from the clip, or drawn for all of it."""
    fields = (motion.code, motion.trajectory, motion.flow)
    return bool(motion.maps or motion.points) or any(value is not None for value in fields)


def _over_time(values: list[Tensor | None], given: int) -> Tensor | None:
    """Join tensors (B, C, T_i, H, W) in time behind ``given`` frames of 0; return None if the head makes none."""
    tensors = [value for value in values if value is not None]  # of all pieces, or of none
    if not tensors:
        return None
    before = [torch.zeros_like(tensors[0][:, :, :1])] * given
    return torch.cat([*before, *tensors], dim=2)
