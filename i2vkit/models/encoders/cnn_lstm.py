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
    """A frame CNN followed by an LSTM, which gives one motion vector for each frame.

    With ``suppress_appearance`` the vectors are Z = H - H_st (DTGAN, sec. 3.1). H comes from the clip, and H_st from
    the static clip that repeats its first frame. The appearance of the first frame cancels, and z_0 is always 0. The
    CNN runs on only one frame of the static clip.

    Args:
        image_size: Side of the frames in pixels.
        frame_encoder: Config of one of ``FRAME_ENCODERS``. By default a ``ConvFrameEncoder``.
        hidden: Size of the LSTM's state, and so of the motion vectors.
        suppress_appearance: False gives Z = H, the comparison of DTGAN's sec. 4.4.
        input_size: Side in pixels to which frames are averaged before the CNN (ours). Half the image size lets four
            times as many clips fit into a training. None, the default: frames keep their size.

    Raises:
        ConfigError: ``input_size`` does not divide ``image_size``.
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
        image_size = image_size // self.shrink  # the size that the CNN sees
        frame_encoder = frame_encoder or dict(type="ConvFrameEncoder")
        self.frame_encoder = build_part(FRAME_ENCODERS, frame_encoder, image_size=image_size)
        self.lstm = nn.LSTM(self.frame_encoder.features, hidden, batch_first=True)
        self.suppress_appearance = suppress_appearance
        self.spec = Spec(trajectory=hidden)

    def train(self, mode: bool = True) -> "CnnLstmEncoder":
        """Set the mode of every module but the LSTM, which stays in training mode."""
        super().train(mode)
        # cuDNN has no backward pass through an LSTM in eval mode. Without dropout between the layers of the LSTM, both
        # modes compute the same.
        self.lstm.train()
        return self

    def features(self, video: Tensor) -> Tensor:
        """Return frame features (B, T, D) of a video (B, 3, T, H, W)."""
        frames = rearrange(video, "b c t h w -> (b t) c h w")  # (B, 3, T, H, W) -> (B T, 3, H, W)
        if self.shrink > 1:
            frames = functional.avg_pool2d(frames, self.shrink)
        # (B T, D) -> (B, T, D)
        return rearrange(self.frame_encoder(frames), "(b t) d -> b t d", b=len(video))

    @outside_graphs
    def sequence(self, features: Tensor, hidden: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple]:
        """Return LSTM outputs (B, T, hidden) for features (B, T, D), and the state after the last frame."""
        return self.lstm(features, hidden)

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Return the trajectory (B, T, hidden) of ``clip.driving``."""
        features = self.features(clip.driving)
        length = features.shape[1]
        # For the next chunk the state keeps the clip's first frame, its features, and both LSTM states.
        start = (clip.driving[:, :, :1], features[:, :1], None, None)
        frame, first, hidden, static_hidden = state.recurrent.get(self, start)
        # Equal rows of one matrix product can differ in the last bit. A frame that equals the first one gets the
        # features of the first, so that Z of a static clip is exactly zero.
        # (B, 3, T, H, W) == (B, 3, 1, H, W) -> (B, 3, T, H W) -> (B, 3, T) -> (B, T) -> (B, T, 1)
        same = rearrange((clip.driving == frame).flatten(3).all(dim=3).all(dim=1), "b t -> b t 1")
        features = torch.where(same, first, features)  # first is (B, 1, D)
        trajectory, hidden = self.sequence(features, hidden)
        if self.suppress_appearance:
            # (B, 1, D) -> (B, T, D): the static clip has the same features at every frame
            static, static_hidden = self.sequence(repeat(first, "b 1 d -> b t d", t=length), static_hidden)
            trajectory = trajectory - static
        state.recurrent[self] = (frame, first, hidden, static_hidden)
        return Motion(length=length, trajectory=trajectory, num_frames=clip.num_frames)
