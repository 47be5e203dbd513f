"""DTGAN on the Weizmann strips (four actions; MoCoGAN's preparation), 64x64.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN"; it has no experiment on Weizmann. Data: subjects 0, 1, 3, 4 and 5
of the six in the strips train, subject 2 validates. First: tools/train.py cnn_lstm_weizmann. Windows of 16
frames, every second one, and the batch size are ours. Expected result: none published; docs/results.md has ours.

Memory of a training step: 0.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips import *
    from ._base_.evaluation import *
    from ._base_.models.dtgan import *
    from ._base_.runtime import *

model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_weizmann"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py cnn_lstm_weizmann"
train_cfg.update(max_iters=10_000, val_interval=500)
param_scheduler["decay"].update(begin=5_000, end=10_000)

variants = {
    "penn_strips": dict(
        name="dtgan_penn_strips",
        help="The real Penn Action strips; the paper has no experiment on them. First: tools/train.py "
        "cnn_lstm_penn_strips. Windows of 16 frames, batch of 4 and iterations are ours. Expected result: none "
        "published; docs/results.md has ours.",
        memory="0.8 GiB in fp32",
        data="_base_/datasets/penn_strips.py",
        options={
            "model.pretrained.motion_encoder.checkpoint": "work_dirs/cnn_lstm_penn_strips",
            "model.pretrained.motion_encoder.help": "python tools/train.py cnn_lstm_penn_strips",
        },
    ),
}
