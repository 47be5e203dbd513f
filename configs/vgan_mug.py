"""VGAN given the input image on MUG, 64x64: a baseline of ImaGINator.

Papers: Vondrick et al., 2016; as a baseline Wang et al., 2020. Data, batch size and iterations as in imaginator_mug.py;
what the papers leave open stands in _base_/models/vgan.py. Expected result: SSIM 0.28, PSNR 14.54, video FID 74.72
(table 1), ACD-C 0.272, ACD-I 0.932 (table 3).

Memory of a training step: 2.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug import *
    from ._base_.evaluation_images import *
    from ._base_.models.vgan import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance

train_dataloader["batch_size"] = 64
# 32 frames, every second one, or fewer where a clip ends before.
protocols["initial_frames"].update(length=63, min_length=32)
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=55_000, val_interval=1000)

variants = {
    "natops": dict(
        name="vgan_natops",
        help="NATOPS, 24 gestures, 32 successive frames, as imaginator_natops. Expected result: SSIM 0.72, PSNR "
        "20.09, video FID 167.71 (table 1).",
        memory="2.8 GiB in fp32",
        data="_base_/datasets/natops.py",
        options={
            "train_dataloader.batch_size": 64,
            "protocols.initial_frames.length": 32,
            "test_evaluator.content_distance": None,
        },
    ),
    "uva_nemo": dict(
        name="vgan_uva_nemo",
        help="UvA-NEMO, spontaneous smiles, no label, as imaginator_uva_nemo. Expected result: SSIM 0.21, PSNR "
        "13.43, video FID 30.01 (table 1).",
        memory="2.8 GiB in fp32",
        data="_base_/datasets/uva_nemo.py",
        options={"train_dataloader.batch_size": 64, "protocols.initial_frames.min_length": 63},
    ),
    "released_code": dict(
        help="The network of the authors' script for given images (main_conditional.lua of their videogan): no code, "
        "both streams from a map of the image, twice the widths, no L1 of the mask.",
        memory="5.8 GiB in fp32",
        options=_released_code,
    ),
}
