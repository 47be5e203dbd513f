"""The one generator: content encoder -> motion encoder -> motion generator -> decoder -> head -> refiner.

What it can do is asked in ``generator_capabilities.py``; checks are in ``generator_checks.py``, the order of calls
where frames are made from frames before in ``rollout.py``, and clips of any length, chunk by chunk, in ``chunks.py``.
"""

from collections.abc import Callable
from dataclasses import replace

from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS, added_slots, motion_steps
from i2vkit.models import generator_checks
from i2vkit.models.assembly import plan_generator
from i2vkit.models.fields import checked_spec
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator_capabilities import GeneratorCapabilities
from i2vkit.models.generator_checks import check_maps, check_reads_steps
from i2vkit.models.part_calls import adapters_of, call_with_content, chain, flag, seen_by
from i2vkit.models.priors import drawn_around, prior_of
from i2vkit.models.rollout import roll_out
from i2vkit.models.training.passes import Pass
from i2vkit.registry import MODELS, closest_names
from i2vkit.structures import Content, Generated, Motion, Spec, VideoBatch

__all__ = ["Generator", "call_with_content", "check_maps"]


@MODELS.register_module()
class Generator(GeneratorCapabilities):
    """Turns a content and a motion into a video; every slot takes any part of its registry.

    Each encoder runs once for each distinct input of a call; its result is shared by the passes. A slot that nobody
    reads stays empty, and adapters (named in the log) stand where two parts do not meet by themselves. A ``refiner``
    makes a second video from the first, ``coarse`` one, and the clip's condition maps; the head reads its features too,
    with the coarse video as base.

    Where a part reads frames that were given or made before (``reads_past``), frame 0 of a video is the image itself,
    and the others are made step by step (``rollout.py``).

    Attributes:
        feeds_back: True if frames are made from frames made before, in a rollout.
        reads_codes_of_past: True if a part then reads the content codes of the frames before.
        encoded: Spec of the motion as it is encoded or drawn.
        motion: Spec of the motion that the decoder gets.

    Args:
        decoder, head, content_encoder, motion_encoder, motion_generator, refiner: Configs of the parts.
        image_size: In pixels.
        num_labels: Number of labels that motion may depend on.
        map_channels: Number of condition maps a frame.
        passes: What content meets what motion in training, so that impossible ones are refused.
        skips_from: Whose pyramid the decoder gets in a rollout: "image", or "past" for that of the frame before.
        added: Configs of parts in slots that a project has added (``add_slot``), by slot.

    Raises:
        ConfigError: if the parts do not fit together.
    """

    def __init__(
        self,
        decoder: dict,
        head: dict,
        image_size: int,
        content_encoder: dict | None = None,
        motion_encoder: dict | None = None,
        motion_generator: dict | None = None,
        refiner: dict | None = None,
        num_labels: int = 0,
        map_channels: int = 0,
        passes: dict[str, Pass] | None = None,
        skips_from: str = "image",
        **added: dict | None,
    ):
        super().__init__()
        if unknown := [name for name in added if name not in added_slots()]:
            raise ConfigError(
                f"a generator has no slot '{unknown[0]}'; nearest: {closest_names(unknown[0], GENERATOR_SLOTS)} (a "
                f"slot of "
                f"your own is there once add_slot was called)"
            )
        parts = dict(content_encoder=content_encoder, motion_encoder=motion_encoder, motion_generator=motion_generator)
        parts |= added
        plan = plan_generator(decoder, num_labels, **parts)
        parts = {name: config if name in plan.used else None for name, config in parts.items()}
        self.image_size, self.num_labels, self.map_channels = image_size, num_labels, map_channels
        self.skips_from = skips_from
        known = dict(image_size=image_size, num_labels=num_labels, map_channels=map_channels)
        slots = GENERATOR_SLOTS

        known["requested"] = plan.content_requested
        self.content_encoder = slots["content_encoder"].build(parts["content_encoder"], known)
        content = (
            checked_spec(self.content_encoder, requested=plan.content_requested) if self.content_encoder else Spec()
        )
        self.content_adapters, content = chain(plan.content_adapters, content, image_size)
        known["content"] = content

        known["requested"] = plan.motion_requested
        self.motion_encoder = slots["motion_encoder"].build(parts["motion_encoder"], known)
        motion = checked_spec(self.motion_encoder, requested=plan.motion_requested) if self.motion_encoder else Spec()
        motion = replace(motion, condition=num_labels)
        self.encoded = motion
        # What changes the motion on its way to the decoder: names of the adapters, and of the part behind them.
        self._steps: list[tuple[str, str]] = []
        labelled = False  # motion that is encoded from a video is not to depend on labels
        for name in motion_steps():
            adapters = adapters_of(name)
            built, motion = chain(plan.motion_adapters.get(name, ()), motion, image_size, labelled)
            setattr(self, adapters, built)
            known["motion"] = motion
            part = slots[name].build(parts.get(name), known)
            setattr(self, name, part)
            if part is not None:
                check_reads_steps(part, part.reads(), motion)
                motion = checked_spec(part, upstream=motion)
                labelled = labelled or "motion.condition" in part.reads()
            self._steps.append((adapters, name))
        self.decoder_adapters, self.motion = chain(plan.motion_adapters["decoder"], motion, image_size, labelled)
        known["motion"] = self.motion

        self.head = slots["head"].build(head, known)
        known |= dict(out_channels=self.head.channels, base_requested=self.head.reads_base)
        known["identity_bias"] = getattr(self.head, "identity_bias", ())
        self.decoder = slots["decoder"].build(decoder, known)
        check_reads_steps(self.decoder, self.decoder.reads(), self.motion)
        self.refiner = slots["refiner"].build(refiner, known)
        self.content_per_frame = flag(self.decoder, "code_per_frame") and content.code_per_frame
        # Kept as values, since the generator's graph is to be traced without them.
        self.feeds_back = bool(self.past_readers)
        readers = [*self.past_readers, *([self.motion_encoder] if self.encoded.variational else [])]
        self.reads_codes_of_past = self.feeds_back and any("content.code" in part.reads() for part in readers)
        generator_checks.check_rollout(self, content)
        generator_checks.check_passes(self, passes or {})
        self.makes_mask = False
        made, self._draws = generator_checks.dry_run(self)
        self.makes_mask = made.mask is not None

    @classmethod
    def more_arguments(cls) -> list[str]:
        """The names of ``added``: slots that projects have added."""
        return added_slots()

    def encode_content(self, clip: VideoBatch, which: str = "driving", per_frame: bool = False) -> Content:
        """The content of the driving clip's first frame or of the image; ``per_frame`` adds codes (B, T, D)."""
        image = clip.driving[:, :, 0] if which == "driving" else clip.image
        if self.content_encoder is None:
            return Content(image=image)
        if per_frame and self.content_per_frame:
            return self.encode_frames(clip.driving)
        return self._encode_images(image)

    def encode_frames(self, video: Tensor) -> Content:
        """The content of the first frame of a video (B, C, T, H, W), with the codes (B, T, D) of all its frames."""
        if self.content_encoder is None:
            return Content(image=video[:, :, 0])
        every = self._encode_images(rearrange(video, "b c t h w -> (b t) c h w"))
        batch = len(video)
        pyramid = tuple(rearrange(level, "(b t) ... -> b t ...", b=batch)[:, 0] for level in every.pyramid)
        code = None if every.code is None else rearrange(every.code, "(b t) d -> b t d", b=batch)
        return Content(video[:, :, 0], pyramid, code)

    def _encode_images(self, image: Tensor) -> Content:
        content = self.content_encoder(image)
        for adapter in self.content_adapters:
            content = adapter(content, None)
        return content

    def encode_motion(
        self, clip: VideoBatch, state: GenerationState, content: Content | None = None, codes: Tensor | None = None
    ) -> Motion:
        """Return what the motion encoder gives, before the motion generator.

        Args:
            clip: The driving clip.
            state: Where draws and states come from.
            content: Of the image that the motion will animate, for an encoder that reads it. By default it is that of
                the first frame of the clip.
            codes: Content codes (B, T, D) of the clip's frames, for an encoder that reads them, if they are there.
        """
        self.check_maps(clip)
        encoder = self.motion_encoder
        if encoder.reads_content() and content is None:
            content = self.encode_content(clip)
        seen = content
        if self.encodes_frame_codes and not flag(encoder, "reads_past"):
            seen = replace(content, code=self.encode_frames(clip.driving).code if codes is None else codes)
        motion = call_with_content(encoder, clip, state, seen)
        if self.encoded.variational and not self._by_step:
            motion = replace(motion, **prior_of(encoder, content, state, motion.length, self.encoded))
        return self._completed(motion, clip)

    def draw_motion(self, clip: VideoBatch, state: GenerationState, content: Content | None = None) -> Motion:
        """Motion as long as ``clip.driving``, from the encoder's prior given ``content``, or from N(0, I).

        In a rollout a code a step is drawn when its step comes, since its prior may read the frame before.
        """
        motion = Motion(length=clip.driving.shape[2], num_frames=clip.num_frames)
        if self.draws_code and not self._by_step:
            motion = drawn_around(self, motion, content, state, clip.driving)
        return self._completed(motion, clip)

    @property
    def _by_step(self) -> bool:
        """True if prior and draws of a motion code are matters of each step of a rollout."""
        return self.feeds_back and self.encoded.code_per_step

    def motion_of(
        self, clip: VideoBatch, entry: Pass, state: GenerationState, content: Content, codes: Tensor | None = None
    ) -> Motion:
        """The motion of a pass: encoded from the clip, or drawn where nothing drives.

        In a rollout, of an encoder that reads the past, it is empty: each step encodes the frame before.
        """
        if entry.motion == "prior" or self.motion_encoder is None or flag(self.motion_encoder, "reads_past"):
            return self.draw_motion(clip, state, content)
        return self.encode_motion(clip, state, content, codes)

    def _completed(self, motion: Motion, clip: VideoBatch) -> Motion:
        """With condition maps, and the label as a one-hot vector."""
        motion = replace(motion, driving_maps=clip.driving_maps)
        if not self.num_labels or clip.label is None:
            if self.reads_label:
                raise ConfigError(
                    f"this generator makes videos by label (it knows {self.num_labels}) and the clip has none: give one"
                )
            return motion
        return replace(motion, condition=functional.one_hot(clip.label, self.num_labels).to(clip.driving.dtype))

    def render(
        self,
        content: Content,
        motion: Motion,
        state: GenerationState,
        name: str = "",
        frames: Tensor | None = None,
        past: Content | None = None,
    ) -> Generated:
        """The video of a content and an encoded or drawn motion.

        Args:
            content: Of the image.
            motion: Before the motion generator.
            state: Where draws and states come from.
            name: Of the pass, for the result.
            frames: Indices (B, K) of the frames to decode; all by default.
            past: In a rollout, what the parts that read the past get in place of ``content``.

        Raises:
            ConfigError: for a length that the decoder cannot make; names those it can.
        """
        if motion.length not in self.lengths:
            raise ConfigError(
                f"{type(self.decoder).__name__} as configured makes clips of {self.lengths} frames, not of "
                f"{motion.length}: set one of these as the length of the clips"
            )
        encoded = motion
        state.set_batch(content.image)
        for adapters, part in self._steps:
            for adapter in getattr(self, adapters):
                motion = adapter(motion, state)
            if (step := getattr(self, part)) is not None:
                motion = call_with_content(step, motion, state, seen_by(step, content, past))
        for adapter in self.decoder_adapters:
            motion = adapter(motion, state)
        if frames is not None:
            motion = motion.select_frames(frames)
        seen = seen_by(self.decoder, content, past)
        if past is not None:
            seen = replace(seen, pyramid=past.pyramid)
        features, base = self.decoder(seen, motion, state)
        # Video and losses stay in full precision under autocast.
        base = base.float()
        made = dict(base=base) | self.head(features.float(), base)
        if self.refiner is not None:
            coarse = made["video"]
            features = self.refiner(coarse, motion.driving_maps if self.map_channels else None)
            made = dict(base=coarse) | self.head(features.float(), coarse) | dict(coarse=coarse)
        # Maps of every frame are gigabytes, and nobody reads them behind the decoder.
        motion, encoded = replace(motion, maps={}), replace(encoded, maps={})
        return Generated(content=content, motion=motion, encoded=encoded, pass_name=name, **made)

    def make(
        self,
        content: Content,
        motion: Motion,
        clip: VideoBatch,
        state: GenerationState,
        entry: Pass,
        name: str = "",
        frames: Tensor | None = None,
        codes: Tensor | None = None,
    ) -> Generated:
        """The video of a pass, rendered at once, or in a rollout where a part reads the past.

        Args:
            content: Of the image.
            motion: As ``motion_of`` returns it.
            clip: The driving clip; a rollout reads its frames if they are fed.
            state, name, frames: As of ``render``.
            entry: The pass.
            codes: Content codes (B, T, D) of the clip's frames, where they are known.
        """
        if not self.feeds_back:
            return self.render(content, motion, state, name, frames)
        return roll_out(self, content, motion, clip, entry, state, name, codes)

    def forward(
        self,
        clip: VideoBatch,
        passes: dict[str, Pass],
        state: GenerationState | None = None,
        frames: Tensor | None = None,
    ) -> dict[str, Generated]:
        """The videos of all ``passes``, by name.

        Args:
            clip: the batch.
            passes: what content meets what motion.
            state: where all draws and states come from; by default each pass has its own.
            frames: indices (B, K) in ascending order. Motion is encoded, drawn and unrolled for the whole clip, and
                these of its frames are decoded.
        """
        shown = clip if frames is None else clip.select_frames(frames)
        known: dict[tuple, Content | Motion] = {}

        def once(key: tuple, make: Callable, *inputs):
            if key not in known:
                known[key] = make(*inputs)
            return known[key]

        generated = {}
        for name, entry in passes.items():
            own = state or GenerationState()
            codes = None
            if self._reads_codes_of_source(entry):
                every = once(("frames",), self.encode_frames, shown.driving)
                codes = every.code
            key = (entry.content, entry.content_per_frame and not self.feeds_back)
            if codes is not None and self.feeds_back and entry.content == "driving":
                content = replace(every, code=codes[:, 0])
            else:
                content = once(("content", *key), self.encode_content, shown, *key)
            # Encoded once for all passes, or once for each content where the encoder reads it.
            if entry.motion == "prior" or self.motion_encoder is None:
                motion = self.motion_of(clip, entry, own, content)
            else:
                of = key if self.motion_encoder.reads_content() else ()
                motion = once(("motion", *of), self.motion_of, clip, entry, own, content, codes)
            generated[name] = self.make(content, motion, clip, own, entry, name, frames, codes)
        return generated

    def _reads_codes_of_source(self, entry: Pass) -> bool:
        """True if a pass of a rollout reads the content codes of all frames of the driving clip, which are then one
        run.
        """
        if self.content_encoder is None or not self.feeds_back:
            return False
        driven = entry.motion == "driving" and self.encodes_frame_codes
        return driven or (entry.feed == "truth" and self.reads_codes_of_past)
