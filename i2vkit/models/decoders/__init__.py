"""Decoders, which make the features of every frame from content and motion."""

from i2vkit.models.decoders.dense import DenseDecoder
from i2vkit.models.decoders.frame_decoder import FrameDecoder
from i2vkit.models.decoders.transposed import TransposedConv1p2dDecoder, TransposedConv3dDecoder
from i2vkit.models.decoders.two_stream import TwoStreamDecoder, TwoStreamMapDecoder
from i2vkit.models.decoders.unet import UNetDecoder
from i2vkit.models.decoders.warped_pyramid import WarpedPyramidDecoder

__all__ = [
    "DenseDecoder",
    "FrameDecoder",
    "TransposedConv1p2dDecoder",
    "TransposedConv3dDecoder",
    "TwoStreamDecoder",
    "TwoStreamMapDecoder",
    "UNetDecoder",
    "WarpedPyramidDecoder",
]
