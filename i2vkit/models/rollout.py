"""Rollout: frames made from frames before, by the same slots in another order of calls.

Frame 0 of a video is the image itself. Step t makes frame t from frame t - 1: the generator's own (``feed="own"``, one
call of the parts for each step), or the true one of the driving clip (``feed="truth"``, teacher forcing, one call for
all steps). What parts remember from step to step is in the state, and so is the last frame, for the next chunk.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from i2vkit.models.generation_state import GenerationState
from i2vkit.models.priors import drawn_around, prior_of
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Content, Generated, Motion, VideoBatch

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator

# What heads make beside a video, frame by frame; of a frame that was given it is 0: a mask that shows the base alone.
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
    """The video of ``clip``'s length that begins with the image of ``content``, or goes on where the state stopped.

    Args:
        generator: One of whose parts reads the past.
        content: Of the image, with one code (B, D).
        motion: Of all frames, encoded from the clip or drawn; without a code, each step draws or encodes its own.
        clip: The driving clip, of which ``feed="truth"`` reads the frames.
        entry: The pass.
        state: Where draws and states come from.
        name: Of the pass, for the result.
        codes: Content codes (B, T, D) of the clip's frames, where ``feed="truth"`` and a part reads them.

    Returns:
        The video; 1 of its frames is ``given`` if it begins here.
    """
    length = clip.driving.shape[2]
    last: Tensor | None = state.recurrent.get(generator)
    given = 1 if last is None else 0
    state.set_batch(content.image)
    pieces: list[Generated] = []
    if entry.feed == "truth":
        before = clip.driving[:, :, :-1]
        if not given:
            # The codes of this chunk's frames do not hold that of the last frame of the chunk before.
            before, codes = torch.cat([last[:, :, None], before], dim=2), None
        last = clip.driving[:, :, -1]
        if length > given:
            of_past = None if codes is None else codes[:, :-1]
            step = _content_of_past(generator, content, before, of_past)
            pieces.append(
                _make(
                    generator,
                    content,
                    step,
                    motion.slice_frames(given, length),
                    clip.slice_frames(given, length),
                    state,
                )
            )
    else:
        last = content.image if last is None else last
        for t in range(given, length):
            step = _content_of_past(generator, content, last[:, :, None])
            pieces.append(
                _make(generator, content, step, motion.slice_frames(t, t + 1), clip.slice_frames(t, t + 1), state)
            )
            last = pieces[-1].video[:, :, -1]
    state.recurrent[generator] = last
    return replace(_joined(pieces, content, motion, given, generator.makes_mask), pass_name=name)


def _content_of_past(generator: Generator, content: Content, past: Tensor, codes: Tensor | None = None) -> Content:
    """What parts that read the past get for the steps after the frames ``past`` (B, C, n, H, W)."""
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
    """The frames of some steps, with the frames before in ``step``; ``motion`` and ``clip`` are cut to the steps."""
    encoder, spec = generator.motion_encoder, generator.encoded
    if encoder is not None and getattr(encoder, "reads_past", False):
        motion = generator.encode_motion(replace(clip, driving=step.past), state, step)
    if spec.code_per_step:
        if motion.code is None and generator.draws_code:
            motion = drawn_around(generator, motion, step, state, step.past)
        elif spec.variational:
            motion = replace(motion, **prior_of(encoder, step, state, motion.length, spec))
    made = generator.render(content, motion, state, past=step)
    return replace(made, content=step)


def _joined(pieces: list[Generated], content: Content, motion: Motion, given: int, makes_mask: bool) -> Generated:
    """One video of the image, if it is ``given``, and the frames of ``pieces``; ``motion`` is that of all frames."""
    whole, image = replace(motion, maps={}), content.image[:, :, None]
    if not pieces:  # a chunk of the image alone
        mask = torch.zeros_like(image[:, :1]) if makes_mask else None
        return Generated(image, content, whole, whole, base=image, mask=mask, given=given)
    made = Motion.joined([piece.motion for piece in pieces]).padded(given)
    encoded = Motion.joined([piece.encoded for piece in pieces]).padded(given)
    if _is_whole(motion):
        # It knows of the given frame, too; only the prior is a matter of the steps.
        prior = {key: getattr(encoded, key) for key in ("prior_mean", "prior_log_variance")}
        prior = {key: value for key, value in prior.items() if value is not None}
        encoded = replace(whole, **prior)
    lengths = dict(num_frames=motion.num_frames)
    bases = [piece.base.expand(-1, -1, piece.video.shape[2], -1, -1) for piece in pieces]
    return Generated(
        video=torch.cat([image] * given + [piece.video for piece in pieces], dim=2),
        content=replace(content, past=torch.cat([piece.content.past for piece in pieces], dim=2)),
        motion=replace(made, **lengths),
        encoded=replace(encoded, **lengths),
        base=torch.cat([image] * given + bases, dim=2),
        given=given,
        **{name: _over_time([getattr(piece, name) for piece in pieces], given) for name in _BESIDE},
    )


def _is_whole(motion: Motion) -> bool:
    """True if a motion was encoded from the clip or drawn for all of it."""
    fields = (motion.code, motion.trajectory, motion.flow)
    return bool(motion.maps or motion.points) or any(value is not None for value in fields)


def _over_time(values: list[Tensor | None], given: int) -> Tensor | None:
    if values[0] is None:
        return None
    before = [torch.zeros_like(values[0][:, :, :1])] * given
    return torch.cat([*before, *values], dim=2)
