"""The CNN-LSTM of cnn_lstm.py at half its widths, pre-trained with labels in a minute on one CPU core.

160 iterations of the frame CNN, 80 of the LSTM; which is ours, as are all widths.
"""

from mmengine.config import read_base

with read_base():
    from .cnn_lstm import *

from i2vkit.models.encoders import CnnLstmEncoder, ConvFrameEncoder

model["network"]["encoder"] = dict(
    type=CnnLstmEncoder,
    frame_encoder=dict(type=ConvFrameEncoder, widths=(16, 32, 64, 128), features=256),
    hidden=256,
)
model["phases"]["frames"]["end"] = model["phases"]["sequence"]["begin"] = 160
