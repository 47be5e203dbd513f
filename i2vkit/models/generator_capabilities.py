"""Answers what a generator can do and what it reads, as follows from its parts."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from i2vkit.models import generator_checks
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.generator_checks import check_maps
from i2vkit.models.part_calls import flag
from i2vkit.structures import Spec, VideoBatch


class GeneratorCapabilities(nn.Module):
    """The questions that models, losses, tools and tests ask of a generator; ``Generator`` inherits them.

    Attributes:
        feeds_back: True if frames are made from frames made before, in a rollout.
        encoded: Spec of the motion as it is encoded or drawn.
    """

    encoded: Spec
    feeds_back: bool
    _draws: bool
    _steps: list[tuple[str, str]]

    @property
    def motion_parts(self) -> list[nn.Module]:
        """The parts behind the motion encoder that change the motion, in the order of their calls."""
        parts = [getattr(self, name) for _, name in self._steps]
        return [part for part in parts if part is not None]

    @property
    def past_readers(self) -> list[nn.Module]:
        """The parts that read frames before, given or made."""
        parts = [self.motion_encoder, *self.motion_parts, self.decoder]
        return [part for part in parts if part is not None and flag(part, "reads_past")]

    def called_by_step(self) -> list[nn.Module]:
        """Everything that a rollout calls step by step: what stands behind the motion encoder, up to the decoder."""
        adapters = [adapter for name, _ in self._steps for adapter in getattr(self, name)]
        return [*self.motion_parts, self.decoder, *adapters, *self.decoder_adapters]

    @property
    def has_prior(self) -> bool:
        """True if motion can be drawn without a driving video."""
        return self.encoded.variational or self.motion_encoder is None or flag(self.motion_encoder, "reads_past")

    def is_random(self, motion: str = "driving") -> bool:
        """True if a video depends on its seed, with motion encoded from the "driving" or drawn from the "prior"."""
        return self._draws or (motion == "prior" and self.draws_code)

    @property
    def draws_code(self) -> bool:
        """True if a motion code is drawn where nothing drives: not one that is encoded from the frames before."""
        return self.encoded.code > 0 and not flag(self.motion_encoder, "reads_past")

    @property
    def supports_chunks(self) -> bool:
        """True if a clip can be made in chunks: every part must carry its state on."""
        parts = [self.motion_encoder, *self.content_adapters, *self.called_by_step()]
        return self.refiner is None and all(part.supports_chunks for part in parts if part is not None)

    @property
    def lengths(self) -> ClipLengths:
        """The numbers of frames that the decoder can make."""
        return self.decoder.lengths

    @property
    def reads_label(self) -> bool:
        """True if a video depends on the label of its clip."""
        readers = [*self.motion_parts, self.decoder]
        return self.num_labels > 0 and any("motion.condition" in part.reads() for part in readers)

    @property
    def reads_maps(self) -> bool:
        """True if a video depends on the condition maps of its clip."""
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
        generator_checks.check_decodes_frames(self)

    def check_encodes_video(self) -> None:
        """Raise ``ConfigError`` if the motion of a generated video cannot be encoded anew."""
        generator_checks.check_encodes_video(self)

    @property
    def encodes_frame_codes(self) -> bool:
        """True if the motion encoder reads the content codes of the clip's own frames."""
        encoder = self.motion_encoder
        return encoder is not None and flag(encoder, "code_per_frame") and "content.code" in encoder.reads()
