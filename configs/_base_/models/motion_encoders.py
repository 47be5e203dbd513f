"""Motion encoders that more than one config uses."""

from i2vkit.models.encoders import CnnLstmEncoder, ConvFrameEncoder

# DTGAN's reference [12] (Kim et al., 2017): a frame CNN under an LSTM; the widths are ours.
_cnn_lstm_encoder = dict(
    type=CnnLstmEncoder,
    frame_encoder=dict(type=ConvFrameEncoder, widths=(32, 64, 128, 256), features=512),
    hidden=512,
    suppress_appearance=True,
)
