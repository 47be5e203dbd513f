"""The GAN: a generator, named discriminators and weighted losses, with its one training step."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from mmengine.optim import OptimWrapperDict
from torch import Tensor, nn

from i2vkit.engine.precision import in_own_precision
from i2vkit.errors import ConfigError
from i2vkit.models.chunks import generate_in_chunks
from i2vkit.models.clip_lengths import draw_frames
from i2vkit.models.data_preprocessor import check_values, to_uint8
from i2vkit.models.discriminators.discriminator import Discriminator
from i2vkit.models.generation_state import SeedInterpolation
from i2vkit.models.generator import Generator, check_maps
from i2vkit.models.losses.base import Loss
from i2vkit.models.part_calls import flag
from i2vkit.models.training.context import GanContext
from i2vkit.models.training.passes import build_passes
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.models.training.phases import current_iteration, run_phases
from i2vkit.registry import MODELS, build_part
from i2vkit.structures import Generated, VideoBatch, VideoSample


@MODELS.register_module()
class ImageToVideoGan(PhasedModel):
    """A generator and its discriminators, put together by a config.

    Args:
        generator: Config of the generator, see ``Generator``.
        image_size: Side of the frames, in pixels.
        passes: By name, which content meets which motion, see ``Pass``.
        phases: By name, which modules are updated when and by which losses, see ``Phase``.
        discriminators: By name, the configs of discriminators, see ``Discriminator``; None leaves one out.
        labels: Names of the classes, in the order of their indices.
        map_channels: Number of condition maps of a frame; 0 if there are none.
        frozen: As of ``PhasedModel``.
        pretrained: As of ``PhasedModel``.
        data_preprocessor: As of ``PhasedModel``.
        precision: As of ``PhasedModel``.
        channels_last: As of ``PhasedModel``.
        chunk: Number of frames that are generated at a time in validation and test, where the generator can work in
            chunks.
        decoded_frames: In training, motion is read from whole clips. Of each clip the first frame and so many others,
            drawn for each step, are decoded and compared; None decodes all. A batch of the same cost then shows more
            clips (ours). The decoder must work frame by frame. Losses and views that need neighbouring frames or encode
            the generated video again are refused. Validation and test make whole clips.
        fps: Frames a second of the clips that it is trained on. Videos are written at this rate where there is no
            driving video with a rate of its own.

    Raises:
        ConfigError: If the parts do not fit together, or a loss names a pass or discriminator that does not exist.

    Examples:
        >>> import torch
        >>> from i2vkit.structures import VideoBatch
        >>> model = ImageToVideoGan(
        ...     generator=dict(
        ...         content_encoder=dict(type="ConvPyramidEncoder", widths=(4, 8)),
        ...         motion_encoder=dict(type="Conv3dEncoder"),
        ...         motion_generator=dict(type="LstmUnroll"),
        ...         decoder=dict(type="FrameDecoder"),
        ...         head=dict(type="DirectHead"),
        ...     ),
        ...     image_size=32,
        ...     passes=dict(reconstruct=dict()),
        ...     phases=dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss")))),
        ... )
        >>> [made] = model.generate_chunks([VideoBatch(torch.zeros(1, 3, 16, 32, 32))], seeds=[0])
        >>> made.video.shape
        torch.Size([1, 3, 16, 32, 32])
    """

    def __init__(
        self,
        generator: dict,
        image_size: int,
        passes: dict[str, dict],
        phases: dict[str, dict],
        discriminators: dict[str, dict] | None = None,
        labels: Sequence[str] = (),
        map_channels: int = 0,
        frozen: Sequence[str] = (),
        pretrained: dict[str, dict] | None = None,
        data_preprocessor: dict | None = None,
        precision: str = "fp32",
        channels_last: bool = False,
        chunk: int = 32,
        decoded_frames: int | None = None,
        fps: float | None = None,
    ):
        super().__init__(phases, data_preprocessor, frozen, pretrained, precision, channels_last)
        self.image_size, self.labels, self.chunk = image_size, list(labels), chunk
        self.passes = build_passes(passes)
        self.map_channels, self.fps = map_channels, fps
        # Arguments that the parts take where their constructors name them.
        given: dict[str, Any] = dict(image_size=image_size, num_labels=len(self.labels), map_channels=map_channels)
        self.generator: Generator = build_part(MODELS, {"type": Generator, **generator}, passes=self.passes, **given)
        # Discriminators may look at the motion that the generator encodes.
        given |= dict(motion=self.generator.encoded)
        self.discriminators = nn.ModuleDict(
            {
                name: build_part(MODELS, {"type": Discriminator, **discriminator}, **given)
                for name, discriminator in (discriminators or {}).items()
                if discriminator is not None
            }
        )
        self.decoded_frames = decoded_frames
        self.check_losses(self._check_loss)  # once all parts are there, as losses look at them
        self._check_motion_encoder()
        self._check_decoded_frames()
        self.finish()

    def _check_loss(self, loss: Loss) -> None:
        if absent := [name for name in loss.passes if name not in self.passes]:
            raise ConfigError(f"loss '{loss.name}' reads pass '{absent[0]}'; there are: {', '.join(self.passes)}")
        loss.check(self)

    def _check_motion_encoder(self) -> None:
        """Raise ``ConfigError`` for a motion encoder that no pass, loss or view of the training calls."""
        encoder = self.generator.motion_encoder
        called = encoder is None or flag(encoder, "reads_past") or self.generator.encodes_made_videos
        if called or not self.phases or any(entry.motion != "prior" for entry in self.passes.values()):
            return
        raise ConfigError(
            f"every pass draws its motion from the prior, so {type(encoder).__name__} would never be called: "
            f"set model.generator.motion_encoder=None, or motion='driving' in a pass"
        )

    def _check_decoded_frames(self) -> None:
        if self.decoded_frames is None:
            return
        if self.decoded_frames < 1:
            raise ConfigError(f"model.decoded_frames is None, or a number of frames above 0, not {self.decoded_frames}")
        # The decoder has to work frame by frame, and no loss may need neighbouring frames.
        self.generator.check_decodes_frames()
        self.check_losses(self._check_reads_frames)

    def _check_reads_frames(self, loss: Loss) -> None:
        if loss.needs_whole_clip(self):
            raise ConfigError(
                f"loss '{loss.name}' needs whole clips, and decoded_frames={self.decoded_frames} decodes a few "
                f"frames of each: set model.decoded_frames=None"
            )

    @in_own_precision
    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Run one training step: generate all passes once, then run the phases of this iteration.

        Args:
            data: A collated batch, as the data loader gives it.
            optim_wrapper: One optimiser a phase, under its name.

        Returns:
            Every loss by name, without its weight, on the CPU.

        Raises:
            ConfigError: If the batch does not fit the model.
            TrainingError: If a loss is not finite.
        """
        self._check_labels(data["inputs"].get("label"))  # before the batch goes to the device
        clip: VideoBatch = self.data_preprocessor(data, training=True)["clip"]
        self._check_clip(clip)
        iteration = current_iteration()
        running = [phase for phase in self.phases if phase.runs_at(iteration)]
        # A dict keeps the order of the config, and every pass once.
        requested = {name: None for phase in running for loss in phase.losses_at(iteration) for name in loss.passes}
        # Without a phase of the generator no graph has to be kept.
        trains = any(path.split(".")[0] == "generator" for phase in running for path in phase.updates)
        self._check_image_videos(clip, requested)
        if any(cast(Discriminator, each).condition == "maps" for each in self.discriminators.values()):
            check_maps(clip, self.map_channels)
        # From here on there is one batch of generated videos for all phases.
        context = GanContext(self, clip, iteration, tuple(requested), trains, *self._draw_frames(clip))
        return run_phases(context, self, optim_wrapper)

    def _draw_frames(self, clip: VideoBatch) -> tuple[Tensor | None, Tensor | None]:
        """Return the frames of driving clip and image video that this step decodes, (B, K) each.

        They are the same ones where both videos are equally long.
        """
        if self.decoded_frames is None:
            return None, None
        length = clip.driving.shape[2]
        longest = length if clip.image_video is None else max(length, clip.image_video.shape[2])
        # One draw (B, T) for both videos, so that equally long ones show the same frames.
        noise = torch.rand(len(clip), longest, device=clip.driving.device)
        frames = draw_frames(clip.num_frames, self.decoded_frames, noise[:, :length])  # (B, K)
        if clip.image_video is None:
            return frames, None
        image_video = noise[:, : clip.image_video.shape[2]]  # (B, T')
        return frames, draw_frames(clip.image_video_num_frames, self.decoded_frames, image_video)

    def _check_clip(self, clip: VideoBatch) -> None:
        if clip.driving.shape[-1] != self.image_size or clip.driving.shape[-2] != self.image_size:
            raise ConfigError(
                f"the model is built for {self.image_size}x{self.image_size} and got clips of "
                f"{clip.driving.shape[-1]}x{clip.driving.shape[-2]}: set Resize in the pipeline or model.image_size"
            )
        self.generator.check_conditions(clip)

    def _check_labels(self, labels: Tensor | Sequence[Tensor] | None) -> None:
        """Raise ``ConfigError`` for class indices that the model does not know, before they are copied to a GPU."""
        if not self.labels or labels is None:
            return
        # A tensor, or one scalar a sample.
        indices = set(labels.tolist() if isinstance(labels, Tensor) else map(int, labels))
        if any(not 0 <= index < len(self.labels) for index in indices):
            raise ConfigError(
                f"the model has {len(self.labels)} labels ({', '.join(self.labels)}), the data have the class indices "
                f"{sorted(indices)} in one batch (-1: no label): set model.labels, or the data's"
            )

    def _check_image_videos(self, clip: VideoBatch, passes: Iterable[str]) -> None:
        for name in passes:
            entry = self.passes[name]
            if (entry.content == "image" and clip.image is None) or (
                entry.target == "image_video" and clip.image_video is None
            ):
                raise ConfigError(
                    f"pass '{name}' reads an image video, and the data have none: give the dataset a pair sampler"
                )

    @torch.no_grad()
    def generate_chunks(
        self,
        clips: Iterable[VideoBatch],
        seeds: Sequence[int | SeedInterpolation],
        content: Tensor | None = None,
        motion: str = "driving",
        observed: int = 1,
    ) -> Iterator[Generated]:
        """Generate a batch of clips of any length, chunk by chunk. Memory does not grow with the length.

        Args:
            clips: Successive chunks of the driving clips.
            seeds: One number for each clip of the batch. With a ``SeedInterpolation`` the video lies between those of
                two seeds.
            content: The image (B, 3, H, W) to animate; by default the first chunk's image, or else its first frame.
            motion: "driving" or "prior".
            observed: Number of leading driving frames that are given.

        Raises:
            ConfigError: If the motion is to be drawn and there is no prior, if there is a second chunk and a part of
                the generator does not support chunks, and for a label or length that the generator cannot make.
        """
        self.eval()  # statistics of batch norms, and no dropout but that of the generator
        known = self._with_known_labels(clips)
        yield from generate_in_chunks(self.generator, known, seeds, self.autocast_context, content, motion, observed)

    def _with_known_labels(self, clips: Iterable[VideoBatch]) -> Iterator[VideoBatch]:
        """Yield the clips, once their labels are known to be the model's."""
        for clip in clips:
            self._check_labels(clip.label)
            yield clip

    def test_step(self, data: dict) -> list[VideoSample]:
        """Generate the video that each sample of a batch asks for; fill in ``generated`` and ``image`` (uint8).

        Raises:
            TrainingError: If a generated video is not finite or leaves [-1, 1]; the message names it.
        """
        ready = self.data_preprocessor(data, training=False)  # on the device, without augmentation
        clip, samples = ready["clip"], ready["samples"]
        self._check_clip(clip)
        length = clip.driving.shape[2]
        # A generator that cannot work in chunks makes the whole clip at once.
        step = self.chunk if self.generator.supports_chunks else length
        # (B, C, T, H, W) -> (B, C, t, H, W) each.
        chunks = (clip.slice_frames(start, start + step) for start in range(0, length, step))
        seeds = [int(sample.get("seed", 0)) for sample in samples]  # the same seed gives the same video in every batch
        # A generator: one chunk is in memory at a time.
        observed = samples[0].get("observed", 1)
        made = self.generate_chunks(chunks, seeds, motion=samples[0].get("motion", "driving"), observed=observed)
        # Chunks (B, C, t, H, W) -> (B, C, T, H, W), on the CPU.
        videos = torch.cat([chunk.video.cpu() for chunk in made], dim=2)
        # The animated images (B, C, H, W).
        firsts = to_uint8(clip.driving[:, :, 0] if clip.image is None else clip.image).cpu()
        # True lengths, without padding.
        lengths = [length] * len(samples) if clip.num_frames is None else clip.num_frames.tolist()
        for sample, video, first, frames in zip(samples, videos, firsts, lengths, strict=True):
            check_values(sample.get("name"), video)
            sample.generated, sample.image = to_uint8(video[:, :frames]), first  # without the padding
            if observed > 1:
                _begin_at_last_observed(sample, observed)
        return samples

    val_step = test_step


def _begin_at_last_observed(sample: VideoSample, observed: int) -> None:
    """Leave out all observed frames of a sample but the last one, which takes the place of the image."""
    for name in ("generated", "truth", "driving"):
        if (video := sample.get(name)) is not None:
            setattr(sample, name, video[:, observed - 1 :])  # (C, T, H, W)
    if (landmarks := sample.get("landmarks")) is not None:
        sample.landmarks = landmarks[observed - 1 :]  # (T, N, 2)
    sample.image = sample.generated[:, 0]
