"""MoCoGAN given the input image on MUG, 64x64: a baseline of ImaGINator.

Papers: Tulyakov et al., 2018; as a baseline Wang et al., 2020. Data, batch size and iterations as in imaginator_mug.py;
what the papers leave open stands in _base_/models/mocogan.py. Expected result: SSIM 0.58, PSNR 18.16, video FID 45.46
(table 1), ACD-C 0.158, ACD-I 0.904 (table 3).

Memory of a training step: 4.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug import *
    from ._base_.evaluation_labels import *
    from ._base_.models.mocogan import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance, VideoFid

train_dataloader["batch_size"] = 64
# 32 frames, every second one, or fewer where a clip ends before.
protocols["initial_frames"].update(length=63, min_length=32)
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=55_000, val_interval=1000)

variants = {
    "natops": dict(
        name="mocogan_natops",
        help="NATOPS, 24 gestures, 32 successive frames, as imaginator_natops. Expected result: SSIM 0.74, PSNR "
        "21.82, video FID 49.46 (table 1).",
        memory="4.1 GiB in fp32",
        data="_base_/datasets/natops.py",
        options={
            "train_dataloader.batch_size": 64,
            "protocols.initial_frames.length": 32,
            "test_evaluator.content_distance": None,
        },
    ),
    "uva_nemo": dict(
        name="mocogan_uva_nemo",
        help="UvA-NEMO, spontaneous smiles, no label, as imaginator_uva_nemo. Expected result: SSIM 0.45, PSNR "
        "16.58, video FID 29.81 (table 1).",
        memory="3.6 GiB in fp32",
        data="_base_/datasets/uva_nemo.py",
        options=_no_labels
        | {
            "train_dataloader.batch_size": 64,
            "protocols.initial_frames.min_length": 63,
            "protocols.label_grid": None,
        },
    ),
    "oulu": dict(
        name="mocogan_oulu",
        help="Oulu-CASIA, six expressions, clips resampled to 16 frames: what DTGAN compares itself with in fig. 2. "
        "Batch of 16 and iterations are ours. Expected result: none in numbers, the paper shows pictures.",
        memory="1.0 GiB in fp32",
        data="_base_/datasets/oulu_casia.py",
        options={
            "protocols.initial_frames": None,  # clips are resampled whole
            "train_cfg.max_iters": 20_000,
        },
    ),
    "frgan": dict(
        help="The baseline of FRGAN's table 1: MUG at 96x96, its people and its test (protocol references). Batch of "
        "64 and iterations are ours. Expected result: ACD-I 0.291, ACD-C 0.205 (with OpenFace; ours is dlib's network,"
        " with other numbers).",
        memory="9.0 GiB in fp32",
        data="_base_/datasets/mug_frgan_people.py",
        options={"train_dataloader.batch_size": 64, "test_evaluator.video_fid": dict(type=VideoFid)},
    ),
}
