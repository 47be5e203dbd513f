"""What a loss may ask for during a training step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import Discriminator
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.training.phases import requiring_gradients
from i2vkit.structures import Generated, Motion, VideoBatch


class GanContext:
    """One batch in a training step of the GAN.

    The videos of all passes are generated once, before anything is frozen; discriminators see them detached, the
    generator's losses with their graph. Once the generator has been updated its videos serve detached only: a phase
    that asks for gradients again gets them generated anew.

    With ``frames`` (B, K), indices of the driving clip, and ``image_video_frames`` likewise, those alone are decoded
    from the motion of the whole clip, and ``clip`` holds no others.
    """

    def __init__(
        self,
        model,
        clip: VideoBatch,
        iteration: int,
        passes: Sequence[str],
        with_gradients: bool,
        frames: Tensor | None = None,
        image_video_frames: Tensor | None = None,
    ):
        self.model, self.iteration = model, iteration
        self._whole, self._frames = clip, frames
        self.clip = clip if frames is None else clip.select_frames(frames, image_video_frames)
        self.passes = {name: model.passes[name] for name in passes}
        self._with_gradients = with_gradients
        self._stale = False
        self._memory: dict[tuple, object] = {}
        self._generate()

    def _generate(self) -> None:
        with self._building():
            generator = self.model.generator
            self._generated = generator(self._whole, self.passes, frames=self._frames) if self.passes else {}
        self._memory.clear()
        self._stale = False

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Inside, the generator's whole graph is built if a phase of this step needs it, also while another phase has
        frozen the generator.
        """
        unfrozen = requiring_gradients(self.model.trainable_parameters(self.model.generator), lambda parameter: True)
        with self.autocast(), torch.set_grad_enabled(self._with_gradients), unfrozen:
            yield

    def _once(self, key: tuple, make: Callable):
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    def autocast(self) -> AbstractContextManager:
        """The precision of forward passes."""
        return self.model.autocast_context(self.clip.driving.device)

    def after_update(self, parts: Sequence[str]) -> None:
        """Told by the phase function after each update."""
        self._stale = self._stale or any(part.split(".")[0] == "generator" for part in parts)

    def generated(self, name: str, detach: bool = False) -> Generated:
        """The video of a pass."""
        if detach:
            return self._once(("detached", name), self._generated[name].detach)
        if self._stale:
            self._generate()
        return self._generated[name]

    def encoded(self, name: str) -> Motion:
        """The motion that the video of a pass was made from, as it was encoded or drawn."""
        return self.generated(name).encoded

    def reencoded(self, name: str, detach: bool = False) -> Motion:
        """The motion encoder's reading of a generated video, once with gradients, and detached from that."""
        if detach:
            return self._once(("reencoded, detached", name), lambda: self._reencode(self._generated[name]).detach())
        return self._reencode(self.generated(name))

    def _reencode(self, made: Generated) -> Motion:
        key = ("reencoded", made.pass_name)
        return self._once(key, lambda: self._read_motion(made.video, made.motion.num_frames))

    def _read_motion(self, video: Tensor, num_frames: Tensor | None) -> Motion:
        clip = replace(self.clip, driving=video, num_frames=num_frames)
        with self._building():
            return self.model.generator.encode_motion(clip, GenerationState())

    def real(self, name: str) -> ConditionedVideo:
        """What the video of a pass is compared with."""
        clip, entry = self.clip, self.passes[name]
        made = self.generated(name, detach=True)
        if entry.target == "image_video":
            video, num_frames = clip.image_video, clip.image_video_num_frames
        else:
            video, num_frames = clip.driving, clip.num_frames
        shared = entry.target == "driving" and entry.motion == "driving"

        def motion() -> Motion:
            if shared:
                return self.generated(name, detach=True).encoded
            return self._once(("real motion", entry.target), lambda: self._read_motion(video, num_frames))

        return ConditionedVideo(
            video, num_frames, motion, made.content.image, clip.label, clip.driving_maps, made.given
        )

    def wrong_image(self, name: str) -> Tensor:
        """The image (B, C, H, W) of the clip that a pass does not animate: the image video's, or the driving clip's
        first frame.

        Raises:
            ConfigError: if the data have no image_video.
        """
        if self.clip.image is None:
            raise ConfigError("a loss shows another image than the clip's, and the data have none: set a pair sampler")
        return self.clip.driving[:, :, 0] if self.passes[name].content == "image" else self.clip.image

    def fake(self, name: str, detach: bool = False) -> ConditionedVideo:
        """The generated video of a pass as a discriminator sees it."""
        made = self.generated(name, detach)
        clip = self.clip
        return ConditionedVideo(
            video=made.video,
            num_frames=made.motion.num_frames,
            motion=lambda: self.reencoded(name, detach),
            image=made.content.image,
            label=clip.label,
            maps=clip.driving_maps,
            given=made.given,
        )

    def discriminator(self, name: str) -> Discriminator:
        """A discriminator by name.

        Raises:
            ConfigError: if there is none.
        """
        return self.model.get_part(f"discriminators.{name}")
