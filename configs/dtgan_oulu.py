"""DTGAN on Oulu-CASIA, 64x64.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN". Data: visible light, "normal illumination" (we read: Strong), 480
clips of 80 people from neutral to apex, faces aligned by the eyes; 70 people train, 10 test (the split is ours), clips
resampled to 16 frames. First: tools/train.py cnn_lstm_oulu. What else the paper leaves open stands in
_base_/models/dtgan.py. Expected result: of the 240 transferred videos, 78.33% rated realistic, 82.92% temporally and
79.17% spatially consistent (sec. 4.3; by people).

Memory of a training step: 2.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.oulu_casia import *
    from ._base_.evaluation import *
    from ._base_.models.dtgan import *
    from ._base_.runtime import *

from i2vkit.evaluation.protocols import Transfer

model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_oulu"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py cnn_lstm_oulu"

# The 24 clips of four of the ten test people drive all ten: 240 videos (sec. 4.3).
protocols["transfer"] = dict(
    type=Transfer, driving_people="oulu_casia/transfer_driving", image_people="oulu_casia/test"
)
train_cfg.update(max_iters=20_000, val_interval=1000)
param_scheduler["decay"].update(begin=10_000, end=20_000)

variants = {
    "no_suppression": dict(
        help="The comparison of sec. 4.4: the plain CNN-LSTM feature Z = H instead of Z = H - H_st. Expected result: "
        "people prefer the appearance-suppressed feature in 82.88% of pairs (table 2; by people).",
        memory="2.1 GiB in fp32",
        options={"model.generator.motion_encoder.suppress_appearance": False},
    ),
    "128": dict(
        help="128x128, with one more block in the U-Net, the frame CNN and the frame discriminator. First: "
        "tools/train.py cnn_lstm_oulu_128, on clips prepared with --size 128 --out data/oulu_casia_128. The size is "
        "ours; the paper does not give one. Expected result: as at 64x64.",
        memory="7.6 GiB in fp32",
        options=_data_128
        | {
            "val_dataloader.dataset.truth.root": "data/oulu_casia_128/truth",
            "test_dataloader.dataset.truth.root": "data/oulu_casia_128/truth",
            "model.generator.motion_encoder.frame_encoder.widths": (32, 64, 128, 256, 256),
            "model.generator.decoder.widths": (64, 128, 256, 512, 512, 512, 512),
            "model.discriminators.frame.network.widths": (64, 128, 256, 512, 512),
            "model.pretrained.motion_encoder.checkpoint": "work_dirs/cnn_lstm_oulu_128",
            "model.pretrained.motion_encoder.help": "python tools/train.py cnn_lstm_oulu_128",
        },
    ),
}
