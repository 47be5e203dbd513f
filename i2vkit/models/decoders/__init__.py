"""Decoders: from content and motion to the features of every frame."""

from i2vkit.models.decoders.frame_decoder import FrameDecoder
from i2vkit.models.decoders.unet import UNetDecoder

__all__ = ["FrameDecoder", "UNetDecoder"]
