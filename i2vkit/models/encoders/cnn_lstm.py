"""Recurrent motion encoder on frame features."""

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionEncoder
from i2vkit.models.layers.recurrent import outside_graphs
from i2vkit.registry import FRAME_ENCODERS, MOTION_ENCODERS, build_part
from i2vkit.structures import Motion, Spec, VideoBatch


@MOTION_ENCODERS.register_module()
class CnnLstmEncoder(MotionEncoder):
    """A frame CNN under an LSTM; one motion vector a frame.

    With ``suppress_appearance`` the vectors are Z = H - H_st (DTGAN, sec. 3.1): H from the clip, H_st from the static
    clip that repeats its first frame, so that what the first frame looks like cancels; z_0 is always 0. Without, Z = H
    (the comparison of sec. 4.4). The static clip needs the CNN for one frame only. ``frame_encoder`` is any of
    ``FRAME_ENCODERS``, by default a ``ConvFrameEncoder``. ``input_size`` (ours) averages frames to so many pixels a
    side before the CNN sees them: half the image size makes four times as many clips fit into a training.

    Raises:
        ConfigError: if ``input_size`` does not divide the image size.
    """

    provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(
        self,
        image_size: int,
        frame_encoder: dict | None = None,
        hidden: int = 512,
        suppress_appearance: bool = True,
        input_size: int | None = None,
    ):
        super().__init__()
        if input_size is not None and (input_size < 1 or image_size % input_size):
            raise ConfigError(
                f"CnnLstmEncoder averages frames of {image_size} pixels to input_size={input_size}: take a divisor"
            )
        self.shrink = 1 if input_size is None else image_size // input_size
        image_size = image_size // self.shrink
        frame_encoder = frame_encoder or dict(type="ConvFrameEncoder")
        self.frame_encoder = build_part(FRAME_ENCODERS, frame_encoder, image_size=image_size)
        self.lstm = nn.LSTM(self.frame_encoder.features, hidden, batch_first=True)
        self.suppress_appearance = suppress_appearance
        self.spec = Spec(trajectory=hidden)

    def train(self, mode: bool = True) -> "CnnLstmEncoder":
        """As usual, but the LSTM stays in training mode: cuDNN has no backward pass through an LSTM in eval mode, and
        without dropout between its layers the two modes compute the same.
        """
        super().train(mode)
        self.lstm.train()
        return self

    def features(self, video: Tensor) -> Tensor:
        """Frame features (B, T, D) of a video (B, 3, T, H, W)."""
        frames = rearrange(video, "b c t h w -> (b t) c h w")
        if self.shrink > 1:
            frames = functional.avg_pool2d(frames, self.shrink)
        return rearrange(self.frame_encoder(frames), "(b t) d -> b t d", b=len(video))

    @outside_graphs
    def sequence(self, features: Tensor, hidden: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple]:
        """LSTM outputs (B, T, D) for features (B, T, D), and the state after the last frame."""
        return self.lstm(features, hidden)

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """The trajectory of ``clip.driving``; the state carries both LSTM states and the first frame's features."""
        features = self.features(clip.driving)
        length = features.shape[1]
        start = (clip.driving[:, :, :1], features[:, :1], None, None)
        frame, first, hidden, static_hidden = state.recurrent.get(self, start)
        # The rows of one matrix product can differ in the last bit: a frame that is the first one again gets its very
        # features, so that Z of a static clip is exactly zero.
        same = rearrange((clip.driving == frame).flatten(3).all(dim=3).all(dim=1), "b t -> b t 1")
        features = torch.where(same, first, features)
        trajectory, hidden = self.sequence(features, hidden)
        if self.suppress_appearance:
            static, static_hidden = self.sequence(repeat(first, "b 1 d -> b t d", t=length), static_hidden)
            trajectory = trajectory - static
        state.recurrent[self] = (frame, first, hidden, static_hidden)
        return Motion(length=length, trajectory=trajectory, num_frames=clip.num_frames)
