"""Pre-training of motion encoders without labels: every state predicts the change since the first frame."""

from collections.abc import Sequence

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses.change_losses import frame_change, landmark_change
from i2vkit.registry import MODELS, MOTION_ENCODERS, MOTION_GENERATORS, build_part
from i2vkit.structures import VideoBatch, VideoSample


@MODELS.register_module()
class MotionRegressor(nn.Module):
    """A motion encoder whose trajectory is read, state by state, by linear layers; ours.

    The layers serve training only: a GAN takes ``network.encoder``, and ``network.motion_generator`` where there is
    one. An encoder that gives one code for each clip needs a motion generator that unrolls it.

    Args:
        encoder: Config of a motion encoder.
        image_size: Side of the frames, in pixels.
        motion_generator: Config of a motion generator, for instance ``LstmUnroll``; None where the encoder itself gives
            a trajectory.
        side: Side of the coarse grey picture whose change is predicted ("frame_change"); 0 leaves it out.
        num_landmarks: Number of face landmarks whose displacement is predicted ("landmark_change"), 68 in prepared
            sets; 0 leaves them out.

    Raises:
        ConfigError: If the two parts give no trajectory or read a content, or there is nothing to predict.
    """

    def __init__(
        self,
        encoder: dict,
        image_size: int,
        motion_generator: dict | None = None,
        side: int = 16,
        num_landmarks: int = 0,
    ):
        super().__init__()
        self.encoder = build_part(MOTION_ENCODERS, encoder, image_size=image_size)
        spec = self.encoder.spec  # of the encoder, then of the part that gives the trajectory
        self.motion_generator = build_part(MOTION_GENERATORS, motion_generator, motion=spec)
        for part in (self.encoder, self.motion_generator):
            if part is not None and part.reads_content():
                raise ConfigError(f"MotionRegressor encodes no content, and {type(part).__name__} reads it")
        spec = spec if self.motion_generator is None else self.motion_generator.spec
        if not spec.trajectory:
            raise ConfigError(
                f"MotionRegressor reads a trajectory, and {type(self.encoder).__name__} gives none: set "
                f"motion_generator=dict(type=LstmUnroll)"
            )
        if side and image_size % side:
            raise ConfigError(f"MotionRegressor averages pictures of {image_size} pixels to {side}: take a divisor")
        if not (side or num_landmarks):
            raise ConfigError("MotionRegressor has nothing to predict: give it side=16, or num_landmarks=68")
        self.side, self.num_landmarks = side, num_landmarks
        self.frame_change = nn.Linear(spec.trajectory, side * side) if side else None
        self.landmark_change = nn.Linear(spec.trajectory, 2 * num_landmarks) if num_landmarks else None
        self.predicts = "frame_change" if side else "landmark_change"  # the output that tests read

    def trajectory(self, clip: VideoBatch) -> Tensor:
        """Return the states (B, T, D) of ``clip.driving``."""
        state = GenerationState()
        state.set_batch(clip.driving)  # for parts that draw noise or keep recurrent state
        motion = self.encoder(clip, state)  # a trajectory, or a code to unroll
        if self.motion_generator is not None:
            motion = self.motion_generator(motion, state)
        assert motion.trajectory is not None, "the constructor refuses parts that give none"
        return motion.trajectory

    def forward(self, clip: VideoBatch, requested: Sequence[str]) -> dict[str, Tensor]:
        """Return those outputs that are requested, by name.

        They are "frame_change" (B, T, side * side), in the values of the video, and "landmark_change" (B, T, N, 2), in
        pixels.
        """
        states = self.trajectory(clip)  # (B, T, D)
        made: dict[str, Tensor] = {}
        if "frame_change" in requested:
            assert self.frame_change is not None, "the loss that asks for it checks that it is there"
            made["frame_change"] = self.frame_change(states)  # (B, T, D) -> (B, T, side * side)
        if "landmark_change" in requested:
            assert self.landmark_change is not None, "the loss that asks for it checks that it is there"
            # (B, T, D) -> (B, T, 2 N) -> (B, T, N, 2)
            made["landmark_change"] = self.landmark_change(states).unflatten(2, (self.num_landmarks, 2))
        return made

    def report(self, output: Tensor, clip: VideoBatch, samples: Sequence[VideoSample]) -> None:
        """Fill in the true ``change`` and ``predicted_change`` of the true frames, each (T, N) or (T, N, 2)."""
        # Tests read one output: the picture's change where it is predicted, else the landmarks'.
        true = frame_change(clip.driving, self.side) if self.side else landmark_change(clip)
        lengths = [output.shape[1]] * len(samples) if clip.num_frames is None else clip.num_frames.tolist()
        for sample, predicted, change, length in zip(samples, output.cpu(), true.cpu(), lengths, strict=True):
            sample.predicted_change, sample.change = predicted[:length], change[:length]
