"""The base class of ``Generator``, which tells what a generator can do and which inputs it reads."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import nn

from i2vkit.models import generator_checks
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.generator_checks import check_landmarks, check_maps
from i2vkit.models.interfaces import Adapter, ContentEncoder, Decoder, Head, MotionEncoder, Part, Refiner
from i2vkit.models.part_calls import flag
from i2vkit.structures import Spec, VideoBatch


class GeneratorCapabilities(nn.Module):
    """The properties of a generator that follow from its parts. ``Generator`` inherits them.

    Attributes:
        content_encoder: The part of this slot, or None.
        motion_encoder: The part of this slot, or None.
        decoder: The part of this slot.
        head: The part of this slot.
        refiner: The part of this slot, or None.
        content_adapters: Adapters behind the content encoder, in the order of their calls.
        decoder_adapters: Adapters of the motion in front of the decoder, in the order of their calls.
        image_size: Side of the image in pixels.
        num_labels: Number of labels that motion may depend on, 0 for none.
        map_channels: Number of channels of condition maps, 0 for none.
        skips_from: Source of the content pyramid in a rollout, "image" or "past".
        encoded: Spec of the motion as it is encoded or drawn.
        motion: Spec of the motion that the decoder gets.
        feeds_back: True if each frame is made from the frame before, in a rollout.
        encodes_made_videos: True if a loss or a view has asked for the motion of generated videos.
    """

    # Annotations only: ``Generator`` sets all of them. Without these, type checkers take a submodule for any Module.
    content_encoder: ContentEncoder | None
    motion_encoder: MotionEncoder | None
    encodes_made_videos: bool = False
    decoder: Decoder
    head: Head
    refiner: Refiner | None
    content_adapters: nn.ModuleList
    decoder_adapters: nn.ModuleList
    image_size: int
    num_labels: int
    map_channels: int
    skips_from: str
    encoded: Spec
    motion: Spec
    feeds_back: bool
    _draws: bool
    # For each motion step: the names of the attributes with its adapters, and with the part behind them.
    _steps: list[tuple[str, str]]

    @property
    def motion_parts(self) -> list[Part]:
        """Return the parts behind the motion encoder that change the motion, in the order of their calls."""
        parts: list[Part | None] = [getattr(self, name) for _, name in self._steps]
        return [part for part in parts if part is not None]

    @property
    def past_readers(self) -> list[Part]:
        """Return the parts that read the frames before, given or made."""
        parts: list[Part | None] = [self.motion_encoder, *self.motion_parts, self.decoder]
        return [part for part in parts if part is not None and flag(part, "reads_past")]

    def called_by_step(self) -> list[Part | Adapter]:
        """Return all parts and adapters that a rollout calls step by step: those behind the motion encoder."""
        adapters = [adapter for name, _ in self._steps for adapter in getattr(self, name)]
        # A ModuleList does not know the type of its items.
        return [*self.motion_parts, self.decoder, *adapters, *cast("list[Adapter]", self.decoder_adapters)]

    @property
    def has_prior(self) -> bool:
        """Return True if motion can be drawn without a driving video."""
        # An encoder that reads the past needs no driving video, only frames that were made before.
        return self.encoded.variational or self.motion_encoder is None or flag(self.motion_encoder, "reads_past")

    def is_random(self, motion: str = "driving") -> bool:
        """Return True if a video depends on its seed.

        Args:
            motion: "driving" (default) for motion encoded from the driving clip, "prior" for motion that is drawn.
        """
        # The dry run with a driving video has set ``_draws``.
        return self._draws or (motion == "prior" and self.draws_code)

    @property
    def draws_code(self) -> bool:
        """Return True if a motion code is drawn when no video drives, and not encoded from the frames before."""
        # Without a code, for instance behind NoiseGru alone, a motion generator draws its own noise.
        return self.encoded.code > 0 and not flag(self.motion_encoder, "reads_past")

    @property
    def supports_chunks(self) -> bool:
        """Return True if a clip can be made in chunks, which needs the support of every part."""
        content_adapters = cast("list[Adapter]", self.content_adapters)
        parts = [self.motion_encoder, *content_adapters, *self.called_by_step()]
        # A refiner reads the whole clip.
        return self.refiner is None and all(part.supports_chunks for part in parts if part is not None)

    @property
    def frame_wise(self) -> bool:
        """Return True if a frame depends only on the image, and on its own and the first frame of the driving clip.

        The rate of the driving video then changes nothing that a frame shows.
        """
        if self.motion_encoder is None or self.refiner is not None or self.feeds_back:
            return False
        return all(flag(part, "frame_wise") for part in (self.motion_encoder, *self.called_by_step()))

    @property
    def lengths(self) -> ClipLengths:
        """Return the numbers of frames that the decoder can make."""
        # All other parts work with any length.
        return self.decoder.lengths

    @property
    def reads_label(self) -> bool:
        """Return True if a video depends on the label of its clip."""
        # The label is added behind the motion encoder. One that reads frames made before may take it from the clip.
        if flag(self.motion_encoder, "reads_label"):
            return True
        readers = [*self.motion_parts, self.decoder]
        return self.num_labels > 0 and any("motion.condition" in part.reads() for part in readers)

    @property
    def reads_maps(self) -> bool:
        """Return True if a video depends on the condition maps of its clip."""
        # Either a refiner or the motion encoder may read them.
        return self.map_channels > 0 and (
            self.refiner is not None or (self.motion_encoder is not None and self.motion_encoder.reads_maps)
        )

    @property
    def landmarks_read(self) -> int:
        """Return the number of a face's given landmarks that the motion encoder reads, or 0 if it reads none."""
        encoder = self.motion_encoder
        return encoder.spec.points if encoder is not None and encoder.reads_landmarks else 0

    def with_conditions(self, clip: VideoBatch) -> VideoBatch:
        """Return ``clip``, with condition maps and landmarks of 0 if the model reads such and the clip has none.

        Use it for trials and measurements, which do not need real ones.
        """
        batch, _, length, height, width = clip.driving.shape
        if self.map_channels and clip.driving_maps is None:
            maps = torch.zeros(batch, self.map_channels, length, height, width, device=clip.driving.device)
            clip = replace(clip, driving_maps=maps, image_maps=maps[:, :, 0])  # (B, M, T, H, W) and (B, M, H, W)
        if self.landmarks_read and clip.landmarks is None:
            points = torch.zeros(batch, length, self.landmarks_read, 2, device=clip.driving.device)
            clip = replace(clip, landmarks=points, image_landmarks=points[:, 0])  # (B, T, N, 2) and (B, N, 2)
        return clip

    def check_conditions(self, clip: VideoBatch) -> None:
        """Raise ``ConfigError`` if this generator reads maps or landmarks, and the clip has none or others."""
        if self.reads_maps:
            check_maps(clip, self.map_channels)
        if self.landmarks_read:
            check_landmarks(clip, self.landmarks_read)

    def check_decodes_frames(self) -> None:
        """Raise ``ConfigError`` unless some frames of a clip can be decoded without the others."""
        generator_checks.check_decodes_frames(self)

    def check_encodes_video(self) -> None:
        """Raise ``ConfigError`` if the motion of a generated video cannot be encoded, and note that it is."""
        generator_checks.check_encodes_video(self)
        self.encodes_made_videos = True

    @property
    def encodes_frame_codes(self) -> bool:
        """Return True if the motion encoder reads the content codes of the clip's own frames."""
        encoder = self.motion_encoder
        # It must both read codes and be able to read one for each frame.
        return encoder is not None and flag(encoder, "code_per_frame") and "content.code" in encoder.reads()
