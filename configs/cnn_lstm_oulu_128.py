"""Pre-training of DTGAN's motion encoder on Oulu-CASIA at 128x128: cnn_lstm_oulu.py with one more block in the CNN.

For dtgan_oulu_128.py; sources and what is ours as in cnn_lstm_oulu.py.

Memory of a training step: 2.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .cnn_lstm_oulu import *

_reader_128 = dict(train_dataloader["dataset"]["reader"], root="data/oulu_casia_128")
for _loader in (train_dataloader, val_dataloader):
    _loader["dataset"]["reader"] = _reader_128
    _loader["dataset"]["pipeline"]["resize"]["size"] = 128
test_dataloader = val_dataloader

model["image_size"] = 128
model["network"]["encoder"]["frame_encoder"]["widths"] = (32, 64, 128, 256, 256)
