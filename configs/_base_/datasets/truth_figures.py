"""The figures of i2v-truth-v1 (docs/truth_benchmark.md), 64x64, with heatmaps of 13 joints, and how models are scored.

12 people train, three validate, six test, six actions; nobody's performance is another one's. Windows of 16 frames in a
row, for training with a clip of another person. A test clip moves the picture of another person, whose exact
truth is known. For random jumps see truth_faces.py.
"""

from mmengine.config import read_base

with read_base():
    from ..evaluation_truth import *
    from ..loaders import *

from i2vkit.conditions import JointHeatmaps
from i2vkit.datasets import ClipDataset, ClipFolder, ConcatReader, OtherPerson
from i2vkit.datasets.transforms import (
    FirstFrames,
    RandomWindow,
    RetargetJoints,
)
from i2vkit.evaluation.protocols import SampleList

_labels = ["bend", "jack", "pjump", "walk", "wave1", "wave2"]
_reader = dict(
    type=ClipFolder,
    root="data/i2v_truth_v1/figures",
    labels=_labels,
    help="It is rendered and prepared by: python tools/benchmark_truth.py prepare --out data/i2v_truth_v1",
)

train_dataloader.update(
    batch_size=8,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="i2v_truth/figures_train",
        pair_sampler=dict(type=OtherPerson),
        window=dict(type=RandomWindow, length=16),
        points=["joints"],
        size=64,
        maps=13,
    ),
)
_scored = dict(
    type=ClipDataset,
    reader=_reader,
    truth=dict(type=ClipFolder, root="data/i2v_truth_v1/figures/truth"),
    window=dict(type=FirstFrames, length=16),
    points=["joints"],
    size=64,
    maps=13,
    extra_steps=dict(retarget=dict(type=RetargetJoints, generator=dict(type=JointHeatmaps, size=64))),
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

# Options for variants of configs with further people to train on, 56 as the recipes have it, so that 68 people train
# and not 12. First: python tools/benchmark_truth.py prepare --extra-people 56. Validation and test are the set's.
_more_people = {
    "train_dataloader.dataset.reader": dict(
        type=ConcatReader,
        readers=[
            _reader,
            dict(
                type=ClipFolder,
                root="data/i2v_truth_v1/figures_extra",
                labels=_labels,
                help="Further people are rendered by: python tools/benchmark_truth.py prepare --extra-people 56",
            ),
        ],
    ),
    "train_dataloader.dataset.people": None,
    "train_dataloader.dataset.exclude_people": "i2v_truth/figures_held_out",
}
