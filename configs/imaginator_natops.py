"""ImaGINator on NATOPS, 64x64, 24 gestures, with the paper's settings.

Paper: Wang et al., 2020. Data: 32 successive frames; 15 people train, 5 test. What else the paper leaves open stands in
_base_/models/imaginator.py; batch size and iterations as in imaginator_mug.py. Expected result: SSIM 0.88, PSNR 27.39,
video FID 26.86 (table 1).

Memory of a training step: 6.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.natops import *
    from ._base_.evaluation_labels import *
    from ._base_.models.imaginator import *
    from ._base_.runtime import *

train_dataloader["batch_size"] = 64
train_cfg.update(max_iters=55_000, val_interval=1000)

variants = {
    "3d": dict(
        help="Transposed 3D convolutions, as many parameters: video FID 42.10 (tables 5 and 6).",
        memory="4.8 GiB in fp32",
        options=_ablations["3d"],
    ),
    "no_frame_discriminator": dict(
        help="Without the frame discriminator: video FID 40.57 (table 5).",
        memory="6.0 GiB in fp32",
        options=_ablations["no_frame_discriminator"],
    ),
    "classifier": dict(
        help="D_V(ac): class logits instead of the label in its maps; video FID 48.41 (table 5).",
        memory="6.8 GiB in fp32",
        options=_ablations["classifier"],
    ),
    "3d_no_frame_discriminator": dict(
        help="Transposed 3D convolutions and no frame discriminator: video FID 50.08 (table 5).",
        memory="4.7 GiB in fp32",
        extends="no_frame_discriminator",
        options=_ablations["3d"],
    ),
    "3d_classifier": dict(
        help="Transposed 3D convolutions and D_V(ac): video FID 57.65 (table 5).",
        memory="5.4 GiB in fp32",
        extends="classifier",
        options=_ablations["3d"],
    ),
    "classifier_no_frame_discriminator": dict(
        help="D_V(ac) and no frame discriminator: video FID 52.43 (table 5).",
        memory="6.7 GiB in fp32",
        extends="classifier",
        options=_ablations["no_frame_discriminator"],
    ),
    "3d_classifier_no_frame_discriminator": dict(
        help="Transposed 3D convolutions, D_V(ac) and no frame discriminator: video FID 65.28 (table 5).",
        memory="5.3 GiB in fp32",
        extends="classifier_no_frame_discriminator",
        options=_ablations["3d"],
    ),
    "no_fusion": dict(
        help="Without spatio-temporal fusion of the image: video FID 62.89 (table 6). The label stays in the maps.",
        memory="6.0 GiB in fp32",
        options=_ablations["no_fusion"],
    ),
    "no_noise": dict(
        help="Without noise: video FID 32.05 (table 6).",
        memory="6.0 GiB in fp32",
        options=_ablations["no_noise"],
    ),
    "lfdm_people": dict(
        help="The ten people to train on and nine to test on of LFDM (Ni et al., 2023), which leaves s01 out, to stand "
        "beside later work. Frames of 64x64 and clips of 32 frames stay, where LFDM has 128x128 and 40: its numbers do "
        "not compare.",
        memory="6.2 GiB in fp32",
        options={
            "train_dataloader.dataset.people": "natops/lfdm_train",
            "val_dataloader.dataset.people": "natops/lfdm_test",
            "test_dataloader.dataset.people": "natops/lfdm_test",
        },
    ),
}
