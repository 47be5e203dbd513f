"""The one model: a generator, named discriminators, weighted losses; the one training step."""

from collections.abc import Iterable, Iterator, Sequence

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
from i2vkit.models.training.context import GanContext
from i2vkit.models.training.passes import build_passes
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.models.training.phases import current_iteration, run_phases
from i2vkit.registry import MODELS, build_part
from i2vkit.structures import Generated, VideoBatch, VideoSample


@MODELS.register_module()
class ImageToVideoGan(PhasedModel):
    """A generator and its discriminators, put together by a config.

    ``passes`` says what content meets what motion, ``phases`` what is updated when and by which losses; ``labels`` are
    the names of the classes, in the order of their indices, ``map_channels`` the number of condition maps a frame. See
    ``Generator``, ``Discriminator``, ``Pass``, ``Phase`` and ``PhasedModel`` for the rest.

    Args:
        decoded_frames: in training, motion is read from whole clips, and of each clip the first frame and so many
            others, drawn anew in each step, are decoded and compared; None decodes all. A batch of the same cost then
            shows more clips (ours). The decoder must work frame by frame; losses and views that need neighbouring
            frames or encode the made video anew are refused. Validation and test make whole clips.
        fps: frames a second of the clips that it is trained on. Videos are written at this rate where no driving video
            says another.

    Raises:
        ConfigError: if the parts do not fit together, or a loss names a pass or discriminator that is not there.
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
        given = dict(image_size=image_size, num_labels=len(self.labels), map_channels=map_channels)
        self.generator = build_part(MODELS, {"type": Generator, **generator}, passes=self.passes, **given)
        given |= dict(motion=self.generator.encoded)
        self.discriminators = nn.ModuleDict(
            {
                name: build_part(MODELS, {"type": Discriminator, **discriminator}, **given)
                for name, discriminator in (discriminators or {}).items()
                if discriminator is not None
            }
        )
        self.decoded_frames = decoded_frames
        self.check_losses(self._check_loss)
        self._check_decoded_frames()
        self.finish()

    def _check_loss(self, loss: Loss) -> None:
        if absent := [name for name in loss.passes if name not in self.passes]:
            raise ConfigError(f"loss '{loss.name}' reads pass '{absent[0]}'; there are: {', '.join(self.passes)}")
        loss.check(self)

    def _check_decoded_frames(self) -> None:
        if self.decoded_frames is None:
            return
        if self.decoded_frames < 1:
            raise ConfigError(f"model.decoded_frames is None or 1 and more frames, not {self.decoded_frames}")
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
        """One step: all passes generated once, then the phases of this iteration; returns every loss by name."""
        self._check_labels(data["inputs"].get("label"))
        clip: VideoBatch = self.data_preprocessor(data, training=True)["clip"]
        self._check_clip(clip)
        iteration = current_iteration()
        running = [phase for phase in self.phases if phase.runs_at(iteration)]
        requested = {name: None for phase in running for loss in phase.losses_at(iteration) for name in loss.passes}
        trains = any(path.split(".")[0] == "generator" for phase in running for path in phase.updates)
        self._check_image_videos(clip, requested)
        if any(discriminator.condition == "maps" for discriminator in self.discriminators.values()):
            check_maps(clip, self.map_channels)
        context = GanContext(self, clip, iteration, tuple(requested), trains, *self._draw_frames(clip))
        return run_phases(context, self, optim_wrapper)

    def _draw_frames(self, clip: VideoBatch) -> tuple[Tensor | None, Tensor | None]:
        """Which frames of driving clip and image video this step decodes, (B, K) each; the same ones where both are as
        long.
        """
        if self.decoded_frames is None:
            return None, None
        length = clip.driving.shape[2]
        longest = length if clip.image_video is None else max(length, clip.image_video.shape[2])
        noise = torch.rand(len(clip), longest, device=clip.driving.device)
        frames = draw_frames(clip.num_frames, self.decoded_frames, noise[:, :length])
        if clip.image_video is None:
            return frames, None
        image_video = noise[:, : clip.image_video.shape[2]]
        return frames, draw_frames(clip.image_video_num_frames, self.decoded_frames, image_video)

    def _check_clip(self, clip: VideoBatch) -> None:
        if clip.driving.shape[-1] != self.image_size or clip.driving.shape[-2] != self.image_size:
            raise ConfigError(
                f"the model is built for {self.image_size}x{self.image_size} and got clips of "
                f"{clip.driving.shape[-1]}x{clip.driving.shape[-2]}: set Resize in the pipeline or model.image_size"
            )
        self.generator.check_maps(clip)

    def _check_labels(self, labels: Tensor | Sequence[Tensor] | None) -> None:
        """Raise ``ConfigError`` for class indices that the model does not know; better before they lie on a GPU."""
        if not self.labels or labels is None:
            return
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
    ) -> Iterator[Generated]:
        """Generate a batch of clips of any length, chunk by chunk; memory does not grow with the length.

        ``clips`` are successive chunks, ``seeds`` has one number a clip of the batch, ``content`` (B, 3, H, W) is the
        image to animate, by default the first chunk's image or else its first frame; ``motion`` is "driving" or
        "prior". With a ``SeedInterpolation`` the video lies on the way from one seed to the other.

        Raises:
            ConfigError: if motion is to be drawn and there is no prior, if a second chunk comes and a part of the
                generator cannot carry on, and for a label or length that the generator cannot make.
        """
        self.eval()
        known = self._with_known_labels(clips)
        yield from generate_in_chunks(self.generator, known, seeds, self.autocast_context, content, motion)

    def _with_known_labels(self, clips: Iterable[VideoBatch]) -> Iterator[VideoBatch]:
        for clip in clips:
            self._check_labels(clip.label)
            yield clip

    def test_step(self, data: dict) -> list[VideoSample]:
        """Generate what each sample asks for; fills in ``generated`` and ``image`` (uint8).

        Raises:
            TrainingError: if a generated video is not finite or leaves [-1, 1], with its name.
        """
        ready = self.data_preprocessor(data, training=False)
        clip, samples = ready["clip"], ready["samples"]
        self._check_clip(clip)
        length = clip.driving.shape[2]
        step = self.chunk if self.generator.supports_chunks else length
        chunks = (clip.slice_frames(start, start + step) for start in range(0, length, step))
        seeds = [int(sample.get("seed", 0)) for sample in samples]
        made = self.generate_chunks(chunks, seeds, motion=samples[0].get("motion", "driving"))
        videos = torch.cat([chunk.video.cpu() for chunk in made], dim=2)
        firsts = to_uint8(clip.driving[:, :, 0] if clip.image is None else clip.image).cpu()
        lengths = [length] * len(samples) if clip.num_frames is None else clip.num_frames.tolist()
        for sample, video, first, frames in zip(samples, videos, firsts, lengths, strict=True):
            check_values(sample.get("name"), video)
            sample.generated, sample.image = to_uint8(video[:, :frames]), first
        return samples

    val_step = test_step
