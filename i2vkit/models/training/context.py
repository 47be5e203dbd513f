"""The context of a training step: everything that a loss of the GAN may read."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import Discriminator
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.training.phases import requiring_gradients
from i2vkit.structures import Generated, Motion, VideoBatch

if TYPE_CHECKING:  # the model imports its context
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan

_Made = TypeVar("_Made")


class GanContext:
    """One batch in a training step of the GAN. Every loss of an ``ImageToVideoGan`` is called with it.

    The videos of all passes are generated once, before any phase freezes a module. Discriminators see them detached,
    the generator's losses with their graph. After the generator has been updated, its videos can be used detached only:
    for a phase that reads gradients again they are generated again.

    Args:
        model: The model that is trained.
        clip: The batch, on the model's device.
        iteration: The current iteration.
        passes: Names of the passes to generate.
        with_gradients: True if a phase of this step updates a part of the generator.
        frames: Indices (B, K) of driving frames; by default all frames. They alone are decoded from the motion of the
            whole clip, and the attribute ``clip`` holds no others.
        image_video_frames: Likewise of the image video, (B, K').

    Attributes:
        clip: The batch as losses see it.
        passes: The generated passes, by name.
        iteration: The current iteration.
        model: The model.

    Examples:
        >>> from i2vkit.models.losses import Loss
        >>> class ImageChangeLoss(Loss):  # a loss that reads the context
        ...     passes = ("reconstruct",)
        ...     def forward(self, context):
        ...         made = context.generated("reconstruct")  # with its graph
        ...         return (made.video - made.content.image[:, :, None]).abs().mean()
        >>> ImageChangeLoss().passes
        ('reconstruct',)
    """

    def __init__(
        self,
        model: "ImageToVideoGan",
        clip: VideoBatch,
        iteration: int,
        passes: Sequence[str],
        with_gradients: bool,
        frames: Tensor | None = None,
        image_video_frames: Tensor | None = None,
    ):
        self.model, self.iteration = model, iteration
        # The generator reads motion from the whole clip; losses see the decoded frames alone.
        self._whole_clip, self._frames = clip, frames
        # (B, C, T, H, W) -> (B, C, K, H, W), and likewise everything else that goes frame by frame.
        self.clip = clip if frames is None else clip.select_frames(frames, image_video_frames)
        self.passes = {name: model.passes[name] for name in passes}
        self._with_gradients = with_gradients
        self._stale = False  # true once the generator has been updated and its graph is used up
        self._memory: dict[Hashable, object] = {}
        self._generate()

    def _generate(self) -> None:
        """Generate the videos of all passes."""
        with self._building():
            generator = self.model.generator
            self._generated: dict[str, Generated] = (
                generator(self._whole_clip, self.passes, frames=self._frames) if self.passes else {}
            )
        # Detached and re-encoded results belong to the former videos.
        self._memory.clear()
        self._stale = False

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Build the whole graph of the generator inside, if a phase of this step needs it.

        It does so while another phase has frozen the generator, too.
        """
        # A graph that is built while the generator is frozen would have no gradients for its own phase.
        unfrozen = requiring_gradients(self.model.trainable_parameters(self.model.generator), lambda parameter: True)
        with self.autocast(), torch.set_grad_enabled(self._with_gradients), unfrozen:
            yield

    def _once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """Return the result of ``make``, called once for each key until videos are generated again."""
        if key not in self._memory:
            self._memory[key] = make()
        return cast(_Made, self._memory[key])

    def autocast(self) -> AbstractContextManager:
        """Return a context in which forward passes run in the model's precision."""
        return self.model.autocast_context(self.clip.driving.device)

    def after_update(self, parts: Sequence[str]) -> None:
        """Note that these parts have been updated; ``run_phase`` calls it after each update."""
        # A backward pass has freed the graph, and its weights have changed.
        self._stale = self._stale or any(part.split(".")[0] == "generator" for part in parts)

    def generated(self, name: str, detach: bool = False) -> Generated:
        """Return the generated video of a pass, with all that it was made from.

        Args:
            name: The pass.
            detach: If true, cut off from the graph.
        """
        if detach:
            # The same objects for all losses, so that they can be compared by identity.
            return self._once(("detached", name), self._generated[name].detach)
        if self._stale:  # with new weights, and with new random draws
            self._generate()
        return self._generated[name]

    def encoded(self, name: str) -> Motion:
        """Return the motion that the video of a pass was made from, as it was encoded or drawn."""
        return self.generated(name).encoded

    def reencoded(self, name: str, detach: bool = False) -> Motion:
        """Return the motion that the motion encoder reads in the generated video of a pass, encoded once a step.

        Args:
            name: The pass.
            detach: If true, cut off from the graph.
        """
        if detach:
            # A generated video is encoded with its graph even here: the generator's phase uses the same result.
            return self._once(("reencoded, detached", name), lambda: self._reencode(self._generated[name]).detach())
        return self._reencode(self.generated(name))

    def encode(self, video: Tensor, num_frames: Tensor | None = None) -> Motion:
        """Return the motion that the encoder reads in a video (B, C, T, H, W), with the graph of the video.

        Args:
            video: The video, in place of the driving clip.
            num_frames: True lengths (B,). By default no video is padded.
        """
        return self._read_motion(video, num_frames)

    def _reencode(self, made: Generated) -> Motion:
        """Return the motion encoded from a generated video, once for each pass."""
        key = ("reencoded", made.pass_name)
        return self._once(key, lambda: self._read_motion(made.video, made.motion.num_frames))

    def _read_motion(self, video: Tensor, num_frames: Tensor | None) -> Motion:
        """Return the motion encoded from ``video`` (B, C, T, H, W) in place of the driving clip."""
        clip = replace(self.clip, driving=video, num_frames=num_frames)  # labels and maps stay
        with self._building():
            return self.model.generator.encode_motion(clip, GenerationState())  # no state from before: it is a new clip

    def real(self, name: str) -> ConditionedVideo:
        """Return the real video that the video of a pass is compared with, and its conditions."""
        clip, entry = self.clip, self.passes[name]
        made = self.generated(name, detach=True)
        if entry.target == "image_video":
            assert clip.image_video is not None, "the model refuses such a pass where the data have no image video"
            video, num_frames = clip.image_video, clip.image_video_num_frames
        else:
            video, num_frames = clip.driving, clip.num_frames
        # The pass has encoded this very video, so that its motion serves here too.
        shared = entry.target == "driving" and entry.motion == "driving"

        # Called by views of the motion only, as encoding costs a forward pass.
        def motion() -> Motion:
            if shared:
                return self.generated(name, detach=True).encoded
            return self._once(("real motion", entry.target), lambda: self._read_motion(video, num_frames))

        return ConditionedVideo(
            video,
            num_frames,
            motion,
            made.content.image,
            clip.label,
            clip.driving_maps,
            made.given,
            made.motion.points.get("driving"),
        )

    def wrong_image(self, name: str) -> Tensor:
        """Return the image (B, C, H, W) of the clip that a pass does not animate.

        That is the first frame of the driving clip where the pass animates the image, and the image otherwise.

        Raises:
            ConfigError: If the data have no image.
        """
        if self.clip.image is None:
            raise ConfigError(
                "a loss shows another image than the clip's, and the data have none: give the dataset a pair sampler"
            )
        # (B, C, T, H, W) -> (B, C, H, W)
        return self.clip.driving[:, :, 0] if self.passes[name].content == "image" else self.clip.image

    def fake(self, name: str, detach: bool = False) -> ConditionedVideo:
        """Return the generated video of a pass, and its conditions, as a discriminator sees them.

        Args:
            name: The pass.
            detach: If true, cut off from the graph.
        """
        made = self.generated(name, detach)
        clip = self.clip
        return ConditionedVideo(
            video=made.video,
            num_frames=made.motion.num_frames,
            motion=lambda: self.reencoded(name, detach),  # only if a view calls it
            image=made.content.image,
            label=clip.label,
            maps=clip.driving_maps,
            given=made.given,
            points=made.motion.points.get("driving"),
        )

    def discriminator(self, name: str) -> Discriminator:
        """Return a discriminator by name.

        Raises:
            ConfigError: If there is none.
        """
        return cast(Discriminator, self.model.get_part(f"discriminators.{name}"))
