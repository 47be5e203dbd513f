"""DTGAN on Oulu-CASIA at 128x128: dtgan_oulu.py with one more block in the U-Net, the frame CNN and the frame
discriminator.

First: tools/train.py configs/cnn_lstm_oulu_128.py, on clips prepared with --size 128 --out data/oulu_casia_128. The
size is ours; the paper does not give one. Expected result: as in dtgan_oulu.py.

Memory of a training step: 7.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .dtgan_oulu import *

_reader_128 = dict(train_dataloader["dataset"]["reader"], root="data/oulu_casia_128")
for _loader in (train_dataloader, val_dataloader):
    _loader["dataset"]["reader"] = _reader_128
    _loader["dataset"]["pipeline"]["resize"]["size"] = 128
val_dataloader["dataset"]["truth"]["root"] = "data/oulu_casia_128/truth"
test_dataloader = val_dataloader

model["image_size"] = 128
model["generator"]["motion_encoder"]["frame_encoder"]["widths"] = (32, 64, 128, 256, 256)
model["generator"]["decoder"]["widths"] = (64, 128, 256, 512, 512, 512, 512)
model["discriminators"]["frame"]["network"]["widths"] = (64, 128, 256, 512, 512)
model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_oulu_128"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py configs/cnn_lstm_oulu_128.py"
