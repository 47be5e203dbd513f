"""The figures of i2v-truth-v1 (docs/truth_benchmark.md), 64x64, with heatmaps of 13 joints, and how models are scored.

12 people train, three validate, six test, six actions; nobody's performance is another one's. Windows of 16 frames in a
row, for training with another clip of the same person. A test clip moves the picture of another person, whose exact
truth is known. A model that reads maps needs ``model["map_channels"] = 13``; for random jumps see truth_faces.py.
"""

from mmengine.config import read_base

with read_base():
    from ..evaluation_truth import *
    from ..loaders import *

from i2vkit.conditions import JointHeatmaps
from i2vkit.datasets import ClipDataset, ClipFolder, SamePerson
from i2vkit.datasets.transforms import (
    FirstFrames,
    PackClip,
    RandomWindow,
    ReadFrames,
    ReadMaps,
    ReadPoints,
    Resize,
    RetargetJoints,
)
from i2vkit.evaluation.protocols import SampleList

_reader = dict(
    type=ClipFolder,
    root="data/i2v_truth_v1/figures",
    labels=["bend", "jack", "pjump", "walk", "wave1", "wave2"],
    help="It is rendered and prepared by: python tools/benchmark_truth.py prepare --out data/i2v_truth_v1",
)

train_dataloader.update(
    batch_size=8,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="i2v_truth/figures_train",
        pair_sampler=dict(type=SamePerson),
        pipeline=dict(
            window=dict(type=RandomWindow, length=16),
            read=dict(type=ReadFrames),
            points=dict(type=ReadPoints, required=["joints"]),
            resize=dict(type=Resize, size=64),
            maps=dict(type=ReadMaps),
            pack=dict(type=PackClip),
        ),
    ),
)
_scored = dict(
    type=ClipDataset,
    reader=_reader,
    truth=dict(type=ClipFolder, root="data/i2v_truth_v1/figures/truth"),
    pipeline=dict(
        window=dict(type=FirstFrames, length=16),
        read=dict(type=ReadFrames),
        points=dict(type=ReadPoints, required=["joints"]),
        resize=dict(type=Resize, size=64),
        maps=dict(type=ReadMaps),
        retarget=dict(type=RetargetJoints, generator=dict(type=JointHeatmaps, size=64)),
        pack=dict(type=PackClip),
    ),
)
val_dataloader.update(
    batch_size=8,
    dataset=dict(
        people="i2v_truth/figures_val",
        pair_sampler=dict(type=SampleList, path="data/i2v_truth_v1/figures/val.json"),
        **_scored,
    ),
)
test_dataloader.update(batch_size=8, dataset=dict(people="i2v_truth/figures_test", **_scored))
protocols["transfer"]["path"] = "data/i2v_truth_v1/figures/test.json"
