"""FRGAN's stage one on the faces of i2v-truth-v1, 64x64, with normal maps.

Paper: Zhao et al., 2018. All training people train both stages: the set has no three groups. Iterations are ours; what
else the paper leaves open stands in _base_/models/frgan_forecast.py. Expected result: none published for these data;
docs/results.md has ours.

Memory of a training step: 4.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.frgan_forecast import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomJump
from i2vkit.evaluation.metrics import ContentDistance
from i2vkit.models.decoders import UNetDecoder

train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1)
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "no_dense": dict(
        help="Without dense connections (table 4, first row).",
        memory="3.7 GiB in fp32",
        options=_ablations["no_dense"],
    ),
    "villegas": dict(
        help="Villegas et al. as FRGAN trains it: no residual learning, no dense connections, no refiner.",
        memory="3.6 GiB in fp32",
        options=_ablations["villegas"],
    ),
    "figures": dict(
        name="frgan_forecast_figures",
        help="The figures of i2v-truth-v1, with heatmaps of 13 joints.",
        memory="4.2 GiB in fp32",
        data="_base_/datasets/truth_figures.py",
        options={
            "train_dataloader.batch_size": 32,
            "train_dataloader.dataset.pair_sampler": None,
            "train_dataloader.dataset.window": dict(type=RandomJump, frames=1),
        },
    ),
    "unet": dict(
        help="A mix: the difference of condition maps with DTGAN's U-Net and a residual head. The dense decoder reads "
        "the pyramids of image and maps at every scale; the U-Net has skips from the image alone and the maps' "
        "difference as one vector: is the vector enough? Losses and discriminators are FRGAN's.",
        memory="2.5 GiB in fp32",
        options={
            "model.generator.content_encoder": None,  # the U-Net reads the image itself
            "model.generator.decoder": dict(
                type=UNetDecoder, widths=(64, 128, 256, 512, 512, 512), dropout=0.0, num_dropouts=0, maps=False
            ),
        },
    ),
}
