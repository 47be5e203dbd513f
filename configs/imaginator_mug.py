"""ImaGINator on MUG, 64x64, seven expressions, with the paper's settings.

Paper: Wang et al., 2020. Data: 32 frames, every second one, or every one of clips of fewer than 63 frames (the paper
does not say what becomes of these); 42 people train, 10 test. What else the paper leaves open stands in
_base_/models/imaginator.py; the batch size (64) and the iterations (as many as in 5001 epochs of the authors' code) are
the code's. With the paper's L1 weight of 1e-3 the adversarial losses do the work alone; imaginator_mug_released_code.py
has the weight that trains faster. Expected result: SSIM 0.75, PSNR 22.63, video FID 29.02 (table 1; 24.36 in tables 5
and 6), ACD-C 0.141, ACD-I 0.431 (table 3, with OpenFace; ours is dlib's network, with other numbers).

Memory of a training step: 6.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug import *
    from ._base_.evaluation_labels import *
    from ._base_.models.imaginator import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance

train_dataloader["batch_size"] = 64
# 32 frames, every second one, or fewer where a clip ends before.
protocols["initial_frames"].update(length=63, min_length=32)
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=55_000, val_interval=1000)

variants = {
    "3d": dict(
        help="Transposed 3D convolutions, as many parameters: video FID 27.94 (tables 5 and 6).",
        memory="4.7 GiB in fp32",
        options=_ablations["3d"],
    ),
    "no_frame_discriminator": dict(
        help="Without the frame discriminator: video FID 29.80 (table 5).",
        memory="6.1 GiB in fp32",
        options=_ablations["no_frame_discriminator"],
    ),
    "classifier": dict(
        help="D_V(ac): class logits instead of the label in its maps; video FID 29.91 (table 5).",
        memory="6.8 GiB in fp32",
        options=_ablations["classifier"],
    ),
    "3d_no_frame_discriminator": dict(
        help="Transposed 3D convolutions and no frame discriminator: video FID 36.93 (table 5).",
        memory="4.6 GiB in fp32",
        extends="no_frame_discriminator",
        options=_ablations["3d"],
    ),
    "3d_classifier": dict(
        help="Transposed 3D convolutions and D_V(ac): video FID 33.08 (table 5).",
        memory="5.4 GiB in fp32",
        extends="classifier",
        options=_ablations["3d"],
    ),
    "classifier_no_frame_discriminator": dict(
        help="D_V(ac) and no frame discriminator: video FID 32.57 (table 5).",
        memory="6.7 GiB in fp32",
        extends="classifier",
        options=_ablations["no_frame_discriminator"],
    ),
    "3d_classifier_no_frame_discriminator": dict(
        help="Transposed 3D convolutions, D_V(ac) and no frame discriminator: video FID 37.71 (table 5).",
        memory="5.3 GiB in fp32",
        extends="classifier_no_frame_discriminator",
        options=_ablations["3d"],
    ),
    "no_fusion": dict(
        help="Without spatio-temporal fusion of the image: video FID 46.02 (table 6). The label stays in the maps.",
        memory="6.0 GiB in fp32",
        options=_ablations["no_fusion"],
    ),
    "no_noise": dict(
        help="Without noise: video FID 32.38 (table 6).",
        memory="6.1 GiB in fp32",
        options=_ablations["no_noise"],
    ),
    "adversarial_alone": dict(
        help="The adversarial losses alone (supplement).",
        memory="6.2 GiB in fp32",
        options={"model.phases.generator.losses.frame_l1": None},
    ),
    "reconstruction_alone": dict(
        help="The L1 loss alone (supplement).",
        memory="5.3 GiB in fp32",
        options={
            "model.discriminators": None,
            "model.phases.discriminators": None,
            "model.phases.generator.losses.frame_adversarial": None,
            "model.phases.generator.losses.video_adversarial": None,
            "model.phases.generator.losses.frame_l1.weight": 1.0,
            "optim_wrapper.per_phase.discriminators": None,
        },
    ),
    "lfdm_people": dict(
        help="The 26 people to train on and 26 to test on of LFDM (Ni et al., 2023), to stand beside later work. "
        "Frames of 64x64 and clips of 32 frames stay, where LFDM has 128x128 and 40: its numbers do not compare.",
        memory="6.2 GiB in fp32",
        options={
            "train_dataloader.dataset.people": "mug/lfdm_train",
            "train_dataloader.dataset.exclude_people": None,
            "val_dataloader.dataset.people": "mug/lfdm_test",
            "test_dataloader.dataset.people": "mug/lfdm_test",
        },
    ),
}
