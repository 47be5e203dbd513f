"""Pre-training of a landmark encoder on clips whose landmarks are known."""

from collections.abc import Sequence

from einops import rearrange
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.losses.change_losses import landmark_change
from i2vkit.models.pretraining.pose_lstm import to_pixels
from i2vkit.registry import MODELS, MOTION_ENCODERS, build_part
from i2vkit.structures import VideoBatch, VideoSample


@MODELS.register_module()
class LandmarkRegressor(nn.Module):
    """A motion encoder that learns where the landmarks of every frame lie; ours.

    A GAN takes ``network.encoder``, and needs no landmarks any more.

    Args:
        encoder: Config of a motion encoder with ``detect``, for instance ``LandmarkEncoder``.
        image_size: Side of the frames in pixels.

    Attributes:
        num_landmarks: Number of the landmarks N.

    Raises:
        ConfigError: The encoder detects no points.
    """

    predicts = "landmarks"

    def __init__(self, encoder: dict, image_size: int):
        super().__init__()
        self.image_size = image_size
        self.encoder = build_part(MOTION_ENCODERS, encoder, image_size=image_size)
        if not hasattr(self.encoder, "detect"):
            raise ConfigError(
                f"LandmarkRegressor trains an encoder that detects points, and {type(self.encoder).__name__} does not: "
                f"take encoder=dict(type=LandmarkEncoder)"
            )
        self.num_landmarks = self.encoder.spec.points

    def forward(self, clip: VideoBatch, requested: Sequence[str]) -> dict[str, Tensor]:
        """Return "landmarks" (B, T, N, 2) of ``clip.driving``, in pixels."""
        places = self.encoder.detect(rearrange(clip.driving, "b c t h w -> (b t) c h w"))
        places = rearrange(places, "(b t) n xy -> b t n xy", b=len(clip))
        return dict(landmarks=to_pixels(places, self.image_size))

    def report(self, output: Tensor, clip: VideoBatch, samples: Sequence[VideoSample]) -> None:
        """Fill in the true ``change`` and ``predicted_change`` of the landmarks since the first frame, (T, N, 2)."""
        true, told = landmark_change(clip).cpu(), (output - output[:, :1]).cpu()
        lengths = [output.shape[1]] * len(samples) if clip.num_frames is None else clip.num_frames.tolist()
        for sample, predicted, change, length in zip(samples, told, true, lengths, strict=True):
            sample.predicted_change, sample.change = predicted[:length], change[:length]
