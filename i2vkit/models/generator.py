"""The one generator: content encoder -> motion encoder -> motion generator -> decoder -> head -> refiner."""

from dataclasses import replace

import torch
from einops import rearrange
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.models.assembly import plan_generator
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.dry_run import checked_outputs
from i2vkit.models.fields import check_spec, checked_spec
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.training.passes import Pass
from i2vkit.registry import ADAPTERS, MODELS, checked
from i2vkit.structures import Content, Generated, Motion, Spec, VideoBatch


@MODELS.register_module()
class Generator(nn.Module):
    """Turns a content and a motion into a video; every slot takes any part of its registry.

    Each encoder runs once for each distinct input of a call; its result is shared by the passes. A slot that nobody
    reads stays empty, and adapters (named in the log) stand where two parts do not meet by themselves. A ``refiner``
    makes a second video from the first, ``coarse`` one, and the clip's condition maps; the head reads its features too,
    with the coarse video as base.

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
    ):
        super().__init__()
        plan = plan_generator(decoder, content_encoder, motion_encoder, motion_generator, num_labels)
        self.image_size, self.num_labels, self.map_channels = image_size, num_labels, map_channels
        known = dict(image_size=image_size, num_labels=num_labels, map_channels=map_channels)
        slots = GENERATOR_SLOTS

        self.content_encoder = None
        content = Spec()
        if plan.content_encoder:
            known["requested"] = plan.content_requested
            self.content_encoder = slots["content_encoder"].build(content_encoder, known)
            content = checked_spec(self.content_encoder, requested=plan.content_requested)
        self.content_adapters, content = _chain(plan.content_adapters, content)
        known["content"] = content

        known["requested"] = plan.motion_requested
        self.motion_encoder = slots["motion_encoder"].build(motion_encoder if plan.motion_encoder else None, known)
        motion = checked_spec(self.motion_encoder, requested=plan.motion_requested) if self.motion_encoder else Spec()
        motion = replace(motion, condition=num_labels)
        self.encoded = motion
        self.generator_adapters, motion = _chain(plan.generator_adapters, motion, labelled=False)
        known["motion"] = motion
        config = motion_generator if plan.motion_generator else None
        self.motion_generator = slots["motion_generator"].build(config, known)
        motion = checked_spec(self.motion_generator, upstream=motion) if self.motion_generator else motion
        labelled = self.motion_generator is not None and "motion.condition" in self.motion_generator.reads()
        self.decoder_adapters, self.motion = _chain(plan.decoder_adapters, motion, labelled)
        known["motion"] = self.motion

        self.head = slots["head"].build(head, known)
        known |= dict(out_channels=self.head.channels, base_requested=self.head.reads_base)
        known["identity_bias"] = getattr(self.head, "identity_bias", ())
        self.decoder = slots["decoder"].build(decoder, known)
        self.refiner = slots["refiner"].build(refiner, known)
        self.content_per_frame = self.decoder.code_per_frame and content.code_per_frame
        self._check(passes or {})

    @property
    def has_prior(self) -> bool:
        """Whether motion can be drawn without a driving video."""
        return self.encoded.variational or (self.motion_encoder is None)

    def is_random(self, motion: str = "driving") -> bool:
        """Whether a video depends on its seed, with motion encoded from the "driving" or drawn from the "prior"."""
        return self._draws or (motion == "prior" and self.encoded.code > 0)

    @property
    def supports_chunks(self) -> bool:
        """Whether a clip can be made in chunks: every part must carry its state on."""
        adapters = [*self.content_adapters, *self.generator_adapters, *self.decoder_adapters]
        parts = [self.motion_encoder, self.motion_generator, self.decoder, *adapters]
        return self.refiner is None and all(part.supports_chunks for part in parts if part is not None)

    @property
    def lengths(self) -> ClipLengths:
        """The numbers of frames that the decoder can make."""
        return self.decoder.lengths

    @property
    def reads_label(self) -> bool:
        """Whether a video depends on the label of its clip."""
        readers = [part for part in (self.motion_generator, self.decoder) if part is not None]
        return self.num_labels > 0 and any("motion.condition" in part.reads() for part in readers)

    @property
    def reads_maps(self) -> bool:
        """Whether a video depends on the condition maps of its clip."""
        return self.map_channels > 0 and (
            self.refiner is not None or (self.motion_encoder is not None and self.motion_encoder.reads_maps)
        )

    def with_maps(self, clip: VideoBatch) -> VideoBatch:
        """``clip``, with empty condition maps where the model has some and the clip none: to try and to measure."""
        if not self.map_channels or clip.driving_maps is not None:
            return clip
        batch, _, length, height, width = clip.driving.shape
        maps = torch.zeros(batch, self.map_channels, length, height, width, device=clip.driving.device)
        return replace(clip, driving_maps=maps, image_maps=maps[:, :, 0])

    def check_maps(self, clip: VideoBatch) -> None:
        """Raise ``ConfigError`` if this generator reads condition maps, and the clip has none or others."""
        if self.reads_maps:
            check_maps(clip, self.map_channels)

    def check_decodes_frames(self) -> None:
        """Raise ``ConfigError`` unless some frames of a clip can be decoded without the others."""
        if self.refiner is not None or not self.decoder.frame_wise:
            part = self.decoder if self.refiner is None else self.refiner
            raise ConfigError(
                f"decoded_frames decodes a few frames of each clip, and {type(part).__name__} makes whole clips: set "
                f"model.decoded_frames=None, or take a decoder that works frame by frame (UNetDecoder, FrameDecoder, "
                f"DenseDecoder) and no refiner"
            )

    def check_encodes_video(self) -> None:
        """Raise ``ConfigError`` if the motion of a generated video cannot be encoded anew."""
        if self.motion_encoder is None:
            raise ConfigError("a loss or view encodes the motion of a video, and this generator has no motion encoder")
        if not self.motion_encoder.reads_video:
            raise ConfigError(
                f"a loss or view encodes the motion of a video anew, and {type(self.motion_encoder).__name__} "
                f"reads condition maps instead of the video: take the loss or view out, or another motion encoder"
            )

    def _check(self, passes: dict[str, Pass]) -> None:
        """A pass must be possible, and a short video must come out at the right size."""
        for name, entry in passes.items():
            if entry.motion == "prior" and not self.has_prior:
                raise ConfigError(
                    f"pass '{name}' draws its motion from a prior, but {type(self.motion_encoder).__name__} has none: "
                    f"use a variational motion encoder, or a motion generator that needs no encoder"
                )
            if entry.motion == "driving" and self.motion_encoder is None:
                print_log(f"pass '{name}': no motion encoder is read, so its motion is drawn from the prior", "current")
            if entry.content_per_frame and not self.content_per_frame:
                print_log(
                    f"pass '{name}': {type(self.decoder).__name__} reads the first frame's content only", "current"
                )
        training = self.training
        device = next(self.parameters()).device
        video = torch.zeros(1, 3, self.lengths.at_least(2), self.image_size, self.image_size, device=device)
        label = torch.zeros(1, dtype=torch.long, device=device) if self.num_labels else None
        state = GenerationState(seeds=[0])
        try:
            with torch.no_grad():
                clip = self.with_maps(VideoBatch(video, label=label))
                with checked_outputs(self):
                    made = self.eval()(clip, {"dry_run": Pass()}, state)["dry_run"]
        except RuntimeError as error:
            raise ConfigError(f"the parts of the generator do not fit together: {error}") from error
        finally:
            self.train(training)
        self._draws, self.makes_mask = state.used_rng, made.mask is not None
        if made.video.shape != video.shape:
            raise ConfigError(
                f"{type(self.decoder).__name__} made {tuple(made.video.shape)}, expected {tuple(video.shape)}"
            )

    def encode_content(self, clip: VideoBatch, which: str = "driving", per_frame: bool = False) -> Content:
        """The content of the driving clip's first frame or of the image; ``per_frame`` adds codes (B, T, D)."""
        image = clip.driving[:, :, 0] if which == "driving" else clip.image
        if self.content_encoder is None:
            return Content(image=image)
        if not per_frame or not self.content_per_frame:
            content = self.content_encoder(image)
        else:
            batch = len(clip)
            every = self.content_encoder(rearrange(clip.driving, "b c t h w -> (b t) c h w"))
            pyramid = tuple(rearrange(level, "(b t) ... -> b t ...", b=batch)[:, 0] for level in every.pyramid)
            content = Content(image, pyramid, rearrange(every.code, "(b t) d -> b t d", b=batch))
        for adapter in self.content_adapters:
            content = adapter(content, None)
        return content

    def encode_motion(self, clip: VideoBatch, state: GenerationState, content: Content | None = None) -> Motion:
        """Return what the motion encoder gives, before the motion generator.

        Args:
            clip: The driving clip.
            state: Where draws and states come from.
            content: Of the image that the motion will animate, for an encoder that reads it. By default it is that of
                the first frame of the clip.
        """
        self.check_maps(clip)
        if self.motion_encoder.reads_content() and content is None:
            content = self.encode_content(clip)
        return self._completed(call_with_content(self.motion_encoder, clip, state, content), clip)

    def draw_motion(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Motion from the prior, as long as ``clip.driving``: N(0, I) where the encoder is variational."""
        motion = Motion(length=clip.driving.shape[2], num_frames=clip.num_frames)
        if self.encoded.code:
            motion = replace(motion, code=state.normal(self, "prior", (self.encoded.code,), like=clip.driving))
        return self._completed(motion, clip)

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
        self, content: Content, motion: Motion, state: GenerationState, name: str = "", frames: Tensor | None = None
    ) -> Generated:
        """The video of a content and an encoded or drawn motion, or of its ``frames``, indices (B, K), alone.

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
        for adapter in self.generator_adapters:
            motion = adapter(motion, state)
        if self.motion_generator is not None:
            motion = call_with_content(self.motion_generator, motion, state, content)
        for adapter in self.decoder_adapters:
            motion = adapter(motion, state)
        if frames is not None:
            motion = motion.select_frames(frames)
        features, base = self.decoder(content, motion, state)
        # Video and losses stay in full precision under autocast.
        made = self.head(features.float(), base.float())
        if self.refiner is not None:
            coarse = made["video"]
            features = self.refiner(coarse, motion.driving_maps if self.map_channels else None)
            made = dict(self.head(features.float(), coarse), coarse=coarse)
        # Maps of every frame are gigabytes, and nobody reads them behind the decoder.
        motion, encoded = replace(motion, maps={}), replace(encoded, maps={})
        return Generated(content=content, motion=motion, encoded=encoded, pass_name=name, **made)

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
        contents: dict[tuple[str, bool], Content] = {}
        encoded: dict[tuple[str, bool] | None, Motion] = {}
        generated = {}
        for name, entry in passes.items():
            own = state or GenerationState()
            key = (entry.content, entry.content_per_frame)
            if key not in contents:
                contents[key] = self.encode_content(shown, *key)
            if entry.motion == "prior" or self.motion_encoder is None:
                motion = self.draw_motion(clip, own)
            else:
                # Encoded once for all passes, or once for each content where the encoder reads it.
                of = key if self.motion_encoder.reads_content() else None
                if of not in encoded:
                    encoded[of] = self.encode_motion(clip, own, contents[key])
                motion = encoded[of]
            generated[name] = self.render(contents[key], motion, own, name, frames)
        return generated


def check_maps(clip: VideoBatch, channels: int) -> None:
    """Raise ``ConfigError`` unless ``clip`` has condition maps of so many channels, also of the image to animate."""
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


def call_with_content(
    part: nn.Module, reads: VideoBatch | Motion, state: GenerationState, content: Content | None
) -> Motion:
    """Call a motion encoder or generator; one that reads content gets it too, with one code (B, D) a clip."""
    if not part.reads_content():
        return part(reads, state)
    if content.code is not None and content.code.dim() == 3:  # (B, T, D), of every frame
        content = replace(content, code=content.code[:, 0])
    return part(reads, state, content)


def _chain(adapters: tuple[type, ...], spec: Spec, labelled: bool = True) -> tuple[nn.ModuleList, Spec]:
    """Build ``adapters`` one after the other; returns them and the spec behind the last.

    Unless ``labelled``, they are told of no labels: motion that is encoded from a video is not to depend on them.
    """
    built, condition = nn.ModuleList(), spec.condition
    for adapter in adapters:
        built.append(checked(ADAPTERS, adapter(spec if labelled else replace(spec, condition=0))))
        field = f"{adapter.side}.{adapter.provides}"
        check_spec(adapter.__name__, built[-1].spec, provides={field}, expected=(field,), upstream=spec)
        spec = replace(built[-1].spec, condition=condition)
    return built, spec
