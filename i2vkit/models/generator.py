"""The generator: content encoder -> motion encoder -> motion generator -> decoder -> head -> refiner.

``generator_capabilities.py`` tells what a generator can do, and ``generator_checks.py`` contains its checks.
``rollout.py`` makes each frame from the frame before, and ``chunks.py`` makes clips of any length, chunk by chunk.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

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
    """Turns a content and a motion into a video. Every slot takes any part of its registry.

    Each encoder runs once for each distinct input of a call, and the passes share its result. A part whose output
    nobody reads is not built. Where two parts do not fit, the generator inserts an adapter and names it in the log. A
    ``refiner`` makes a second video from the first, ``coarse`` one and the condition maps of the clip. The head then
    turns the refiner's features into a video too, with the coarse video as base.

    If a part reads frames that were given or made before (``reads_past``), frame 0 of a video is the image itself, and
    the others are made step by step (``rollout.py``).

    Args:
        decoder: Config of the decoder.
        head: Config of the head.
        image_size: Side of the image in pixels.
        content_encoder: Config of the content encoder, or None (default) for none.
        motion_encoder: Config of the motion encoder, or None (default) for none.
        motion_generator: Config of the motion generator, or None (default) for none.
        refiner: Config of the refiner, or None (default) for none.
        num_labels: Number of labels that motion may depend on. 0, the default, for none.
        map_channels: Number of channels of condition maps. 0, the default, for none.
        passes: Passes of the training, so that impossible ones are refused. None by default.
        skips_from: Source of the pyramid that the decoder gets in a rollout: "image" (default), or "past" for the frame
            before.
        added: Configs of parts in slots that a project has added (``add_slot``), by slot.

    Attributes:
        feeds_back: True if each frame is made from the frame before, in a rollout.
        reads_codes_of_past: True if a part then reads the content codes of the frames before.
        content_per_frame: True if the decoder can read a content code for each frame.
        makes_mask: True if the head makes a mask.
        makes_scales: True if the decoder makes coarser versions of the video too.
        encoded: Spec of the motion as it is encoded or drawn.
        motion: Spec of the motion that the decoder gets.

    Raises:
        ConfigError: The parts do not fit together.

    Examples:
        >>> import torch
        >>> from i2vkit.models.generation_state import GenerationState
        >>> from i2vkit.models.generator import Generator
        >>> from i2vkit.models.training.passes import Pass
        >>> from i2vkit.structures import VideoBatch
        >>> generator = Generator(
        ...     image_size=16,
        ...     motion_encoder=dict(
        ...         type="CnnLstmEncoder",
        ...         hidden=8,
        ...         frame_encoder=dict(type="ConvFrameEncoder", widths=(4, 4), features=8),
        ...     ),
        ...     decoder=dict(type="UNetDecoder", widths=(4, 8, 8, 8)),
        ...     head=dict(type="DirectHead"),
        ... ).eval()
        >>> clip = VideoBatch(torch.zeros(2, 3, 5, 16, 16))  # two clips of five frames
        >>> with torch.no_grad():
        ...     generated = generator(clip, {"reconstruction": Pass()}, GenerationState(seeds=[0, 1]))
        >>> generated["reconstruction"].video.shape
        torch.Size([2, 3, 5, 16, 16])
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
                f"a generator has no slot '{unknown[0]}'; nearest: {closest_names(unknown[0], GENERATOR_SLOTS)} (call "
                f"add_slot first for a slot of your own)"
            )
        parts = dict(content_encoder=content_encoder, motion_encoder=motion_encoder, motion_generator=motion_generator)
        parts |= added
        # From the classes alone: the plan tells which parts are built, and with which adapters between them.
        plan = plan_generator(decoder, num_labels, **parts)
        parts = {name: config if name in plan.used else None for name, config in parts.items()}
        self.image_size, self.num_labels, self.map_channels = image_size, num_labels, map_channels
        self.skips_from = skips_from
        # Arguments for the constructors of the parts. Each part adds some for those behind it.
        known: dict[str, Any] = dict(image_size=image_size, num_labels=num_labels, map_channels=map_channels)
        slots = GENERATOR_SLOTS

        # Content encoder and its adapters.
        known["requested"] = plan.content_requested
        self.content_encoder = slots["content_encoder"].build(parts["content_encoder"], known)
        content = (
            checked_spec(self.content_encoder, requested=plan.content_requested) if self.content_encoder else Spec()
        )
        self.content_adapters, content = chain(plan.content_adapters, content, image_size)
        known["content"] = content

        # Motion encoder, then each motion step with the adapters in front of it, then the decoder's adapters.
        # ``motion`` is the spec of the motion so far.
        known["requested"] = plan.motion_requested
        self.motion_encoder = slots["motion_encoder"].build(parts["motion_encoder"], known)
        motion = checked_spec(self.motion_encoder, requested=plan.motion_requested) if self.motion_encoder else Spec()
        motion = replace(motion, condition=num_labels)
        self.encoded = motion
        self._steps = []
        labelled = False  # until a part reads the label: motion that is encoded from a video must not depend on labels
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

        # The head comes before the decoder, which must know how many channels the head reads.
        self.head = slots["head"].build(head, known)
        # A decoder of several scales applies the head at the coarser ones.
        known |= dict(out_channels=self.head.channels, base_requested=self.head.reads_base, head=self.head)
        known["identity_bias"] = getattr(self.head, "identity_bias", ())
        self.decoder = slots["decoder"].build(decoder, known)
        check_reads_steps(self.decoder, self.decoder.reads(), self.motion)
        self.refiner = slots["refiner"].build(refiner, known)
        self.content_per_frame = flag(self.decoder, "code_per_frame") and content.code_per_frame
        # Stored as plain values, so that torch.compile need not trace through the properties of the parts.
        self.feeds_back = bool(self.past_readers)
        readers = self.past_readers
        if self.encoded.variational and self.motion_encoder is not None:
            readers = [*readers, self.motion_encoder]  # its prior may read the codes of the frames before
        self.reads_codes_of_past = self.feeds_back and any("content.code" in part.reads() for part in readers)
        # The checks read the attributes above, and the dry run needs a generator that has passed them.
        generator_checks.check_rollout(self, content)
        generator_checks.check_passes(self, passes or {})
        self.makes_mask = self.makes_scales = False  # until the dry run shows it
        made, self._draws = generator_checks.dry_run(self)
        self.makes_mask, self.makes_scales = made.mask is not None, bool(made.scales)

    @classmethod
    def more_arguments(cls) -> list[str]:
        """Return the names that ``added`` may have: slots that projects have added."""
        return added_slots()

    def encode_content(
        self, clip: VideoBatch, which: str = "driving", per_frame: bool = False, frame: int = 0
    ) -> Content:
        """Return the content of one image for each clip.

        Args:
            clip: The batch.
            which: "driving" (default) for the first frame of the driving clip, "image" for the image to animate.
            per_frame: True gives codes (B, T, D) of all driving frames, if the decoder can read them. Default False.
            frame: The driving frame in place of the first one. Default 0.
        """
        image = clip.driving[:, :, frame] if which == "driving" else clip.image
        assert image is not None, "the content of an image was requested from a batch without images"
        if self.content_encoder is None:
            return Content(image=image)  # the decoder reads the image itself
        if per_frame and self.content_per_frame:
            return self.encode_frames(clip.driving)
        return self._encode_images(image)

    def encode_frames(self, video: Tensor, frame: int = 0) -> Content:
        """Return the content of one frame of a video (B, C, T, H, W), with codes (B, T, D) of all its frames."""
        if self.content_encoder is None:
            return Content(image=video[:, :, frame])
        every = self._encode_images(rearrange(video, "b c t h w -> (b t) c h w"))  # (B, C, T, H, W) -> (B T, C, H, W)
        batch = len(video)
        # (B T, C_i, H_i, W_i) -> (B, T, C_i, H_i, W_i), of which one frame stays
        pyramid = tuple(rearrange(level, "(b t) ... -> b t ...", b=batch)[:, frame] for level in every.pyramid)
        code = None if every.code is None else rearrange(every.code, "(b t) d -> b t d", b=batch)  # (B T, D)
        return Content(video[:, :, frame], pyramid, code)

    def _encode_images(self, image: Tensor) -> Content:
        """Return the content of images (N, C, H, W), behind the adapters."""
        assert self.content_encoder is not None, "callers handle generators without a content encoder"
        content = self.content_encoder(image)
        for adapter in self.content_adapters:
            content = adapter(content, None)  # without a state: content adapters draw and remember nothing
        return content

    def encode_motion(
        self, clip: VideoBatch, state: GenerationState, content: Content | None = None, codes: Tensor | None = None
    ) -> Motion:
        """Return the output of the motion encoder, before the motion generator.

        Args:
            clip: The driving clip.
            state: Random draws and recurrent states.
            content: Content of the image that the motion will animate, for an encoder that reads it. By default that of
                the first frame of the clip.
            codes: Content codes (B, T, D) of the clip's frames, for an encoder that reads them. By default they are
                encoded here.

        Raises:
            ConfigError: The encoder reads condition maps that the clip lacks, or a part reads a label that it lacks.
        """
        self.check_conditions(clip)
        encoder = self.motion_encoder
        assert encoder is not None, "callers handle generators without a motion encoder"
        if encoder.reads_content() and content is None:
            content = self.encode_content(clip)
        seen = content
        if self.encodes_frame_codes and not flag(encoder, "reads_past"):
            assert content is not None, "an encoder that reads codes reads content"
            seen = replace(content, code=self.encode_frames(clip.driving).code if codes is None else codes)
        motion = call_with_content(encoder, clip, state, seen)
        if self.encoded.variational and not self._by_step:
            # The divergence compares the posterior with this prior. A rollout adds it at each step.
            motion = replace(motion, **prior_of(encoder, content, state, motion.length, self.encoded))
        return self._completed(motion, clip)

    def draw_motion(self, clip: VideoBatch, state: GenerationState, content: Content | None = None) -> Motion:
        """Return a motion as long as ``clip.driving``, drawn from a prior.

        Args:
            clip: Gives the length of the motion, and its label and condition maps.
            state: Gives the random numbers.
            content: Content that the encoder's own prior reads. With None, the default, the prior is N(0, I).

        Returns:
            The motion. In a rollout it has no code if there is one for each step. Such a code is drawn when its step is
            made, since its prior may read the frame before.
        """
        motion = Motion(length=clip.driving.shape[2], num_frames=clip.num_frames)
        if self.draws_code and not self._by_step:
            motion = drawn_around(self, motion, content, state, clip.driving)
        return self._completed(motion, clip)

    @property
    def _by_step(self) -> bool:
        """Return True if a rollout draws a motion code, and evaluates its prior, anew for each step."""
        return self.feeds_back and self.encoded.code_per_step

    def motion_of(
        self, clip: VideoBatch, entry: Pass, state: GenerationState, content: Content, codes: Tensor | None = None
    ) -> Motion:
        """Return the motion of a pass, encoded from the clip or drawn.

        If the motion encoder reads the past, the motion is empty, since each step of the rollout encodes the frame
        before.

        Args:
            clip: The driving clip.
            entry: The pass.
            state: Random draws and recurrent states.
            content: Content of the image.
            codes: Content codes (B, T, D) of the clip's frames, if they are known.
        """
        if entry.motion == "prior" or self.motion_encoder is None or flag(self.motion_encoder, "reads_past"):
            return self.draw_motion(clip, state, content)
        return self.encode_motion(clip, state, content, codes)

    def _completed(self, motion: Motion, clip: VideoBatch) -> Motion:
        """Return ``motion`` with the condition maps of the clip, and with its label as a one-hot vector (B, L)."""
        motion = replace(motion, driving_maps=clip.driving_maps)  # for the refiner
        if not self.num_labels or clip.label is None:
            if self.reads_label:
                raise ConfigError(
                    f"this generator makes videos by label (it knows {self.num_labels}) and the clip has none: give one"
                )
            return motion
        # (B,) -> (B, L), in the precision of the video
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
        """Return the video of a content and an encoded or drawn motion.

        Args:
            content: Content of the image.
            motion: Motion before the motion generator.
            state: Random draws and recurrent states.
            name: Name of the pass, for the result. "" by default.
            frames: Indices (B, K), in ascending order, of the frames to decode. All frames by default.
            past: In a rollout, the content of the frames before. Parts that read the past get it in place of
                ``content``.

        Raises:
            ConfigError: The decoder cannot make clips of this length. The message names possible lengths.
        """
        if motion.length not in self.lengths:
            raise ConfigError(
                f"{type(self.decoder).__name__} as configured makes clips of {self.lengths} frames, not of "
                f"{motion.length}: set one of these as the length of the clips"
            )
        encoded = motion
        state.set_batch(content.image)  # so that parts can draw noise without an input
        for adapters, part in self._steps:
            for adapter in getattr(self, adapters):
                motion = adapter(motion, state)
            if (step := getattr(self, part)) is not None:
                motion = call_with_content(step, motion, state, seen_by(step, content, past))
        for adapter in self.decoder_adapters:
            motion = adapter(motion, state)
        if frames is not None:
            # Only now, since motion generators and adapters unroll the whole clip.
            motion = motion.select_frames(frames)
        seen = seen_by(self.decoder, content, past)
        if past is not None:
            seen = replace(seen, pyramid=past.pyramid)  # of the image or the frame before, by ``skips_from``
        # (B, C, T, H, W), (B, 3, T or 1, H, W), and perhaps a tuple of coarser videos
        features, base, *scales = self.decoder(seen, motion, state)
        # Video and losses stay in full precision under autocast.
        base = base.float()
        # A base that the head returns replaces the decoder's.
        made: dict[str, Any] = dict(base=base) | self.head(features.float(), base)
        if self.refiner is not None:
            # The head turns the refiner's features into a video too, with the coarse video in place of the base.
            coarse = made["video"]
            features = self.refiner(coarse, motion.driving_maps if self.map_channels else None)
            made = dict(base=coarse) | self.head(features.float(), coarse) | dict(coarse=coarse)
        # The maps of all frames take gigabytes, and nobody reads them after the decoder.
        motion, encoded = replace(motion, maps={}), replace(encoded, maps={})
        coarser = tuple(level.float() for level in scales[0]) if scales else ()
        return Generated(content=content, motion=motion, encoded=encoded, pass_name=name, scales=coarser, **made)

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
        """Return the video of a pass, rendered at once, or in a rollout if a part reads the past.

        Args:
            content: Content of the image.
            motion: Motion as ``motion_of`` returns it.
            clip: The driving clip. A rollout with ``feed="truth"`` reads its frames.
            state: Random draws and recurrent states.
            entry: The pass.
            name: Name of the pass, for the result. "" by default.
            frames: Indices (B, K) of the frames to decode. All frames by default, and always in a rollout.
            codes: Content codes (B, T, D) of the clip's frames, if they are known.
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
        """Return the videos of all ``passes``, by name.

        Args:
            clip: The batch.
            passes: The passes, by name. Each names a content and a motion.
            state: Random draws and recurrent states. By default each pass has its own.
            frames: Indices (B, K), in ascending order, of the frames to decode. All frames by default. In either case
                the motion is encoded, drawn and unrolled for the whole clip.

        Raises:
            ConfigError: The clip lacks a label or condition maps, or has a length that the decoder cannot make.
        """
        # Content is encoded from the decoded frames, motion from the whole clip.
        shown = clip if frames is None else clip.select_frames(frames)
        # Results by input, which several passes may share.
        known: dict[tuple, Content | Motion] = {}

        def once(key: tuple, make: Callable, *inputs: Any) -> Any:
            """Return ``make(*inputs)``, computed at the first call with ``key``."""
            if key not in known:
                known[key] = make(*inputs)
            return known[key]

        generated = {}
        for name, entry in passes.items():
            own = state or GenerationState()
            codes = None
            if self._reads_codes_of_source(entry):
                last = entry.observed - 1  # the pyramid is that of the last observed frame
                every = once(("frames", last), self.encode_frames, shown.driving, last)
                codes = every.code  # (B, T, D)
            # The source of the content, and True if every frame has a code.
            key = (entry.content, entry.content_per_frame and not self.feeds_back, entry.observed - 1)
            if codes is not None and self.feeds_back and entry.content == "driving":
                # The first frame is encoded already.
                content = replace(every, code=codes[:, entry.observed - 1])
            else:
                content = once(("content", *key), self.encode_content, shown, *key)
            # Motion is encoded once for all passes, or once for each content if the encoder reads it.
            if entry.motion == "prior" or self.motion_encoder is None:
                motion = self.motion_of(clip, entry, own, content)
            else:
                of = key if self.motion_encoder.reads_content() else ()
                motion = once(("motion", *of), self.motion_of, clip, entry, own, content, codes)
            generated[name] = self.make(content, motion, clip, own, entry, name, frames, codes)
        return generated

    def _reads_codes_of_source(self, entry: Pass) -> bool:
        """Return True if a pass of a rollout reads the content codes of all driving frames, to be encoded at once."""
        if self.content_encoder is None or not self.feeds_back:
            return False
        driven = entry.motion == "driving" and self.encodes_frame_codes
        return driven or (entry.feed == "truth" and self.reads_codes_of_past)
