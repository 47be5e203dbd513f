"""The faces of i2v-truth-v1 (docs/truth_benchmark.md), 64x64, with condition maps, and how models are scored on them.

24 people train, four validate, eight test, six expressions; nobody's performance is another one's. Windows of 16 frames
in a row, for training with a clip of another person. A test clip moves the picture of another person, of which
the exact ground truth is known. For random jumps in time (FRGAN) ``train_dataloader["dataset"]["pair_sampler"] = None``
and ``train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1)``.

Ours in the parts that this file names (their docstrings say more):

- FaceMaps: the face model is fitted to landmarks by least squares (FRGAN: 3DDFA, a network on pixels)
- FaceMaps: a built-in face model with 13 ways of identity and 14 of expression (FRGAN: the Basel model)
"""

from mmengine.config import read_base

with read_base():
    from ..evaluation_truth import *
    from ..loaders import *

from i2vkit.conditions import FaceMaps
from i2vkit.datasets import ClipDataset, ClipFolder, ConcatReader, OtherPerson
from i2vkit.datasets.transforms import (
    FirstFrames,
    RandomWindow,
    RetargetMaps,
)
from i2vkit.evaluation.protocols import SampleList

_labels = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]
_reader = dict(
    type=ClipFolder,
    root="data/i2v_truth_v1/faces",
    framing="box 0.3",
    labels=_labels,
    help="It is rendered and prepared by: python tools/benchmark_truth.py prepare --out data/i2v_truth_v1",
)

train_dataloader.update(
    batch_size=8,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="i2v_truth/faces_train",
        pair_sampler=dict(type=OtherPerson),
        window=dict(type=RandomWindow, length=16),
        size=64,
        maps=3,
    ),
)
_scored = dict(
    type=ClipDataset,
    reader=_reader,
    truth=dict(type=ClipFolder, root="data/i2v_truth_v1/faces/truth"),
    window=dict(type=FirstFrames, length=16),
    size=64,
    maps=3,
    extra_steps=dict(retarget=dict(type=RetargetMaps, generator=dict(type=FaceMaps, size=64))),
)
val_dataloader.update(
    batch_size=8,
    dataset=dict(
        people="i2v_truth/faces_val",
        pair_sampler=dict(type=SampleList, path="data/i2v_truth_v1/faces/val.json"),
        **_scored,
    ),
)
test_dataloader.update(batch_size=8, dataset=dict(people="i2v_truth/faces_test", **_scored))
protocols["transfer"]["path"] = "data/i2v_truth_v1/faces/test.json"

# Options for variants of configs with further people to train on, 56 as the recipes have it, so that 80 people train
# and not 24. First: python tools/benchmark_truth.py prepare --extra-people 56. Validation and test are the set's.
_more_people = {
    "train_dataloader.dataset.reader": dict(
        type=ConcatReader,
        readers=[
            _reader,
            dict(
                type=ClipFolder,
                root="data/i2v_truth_v1/faces_extra",
                framing="box 0.3",
                labels=_labels,
                help="Further people are rendered by: python tools/benchmark_truth.py prepare --extra-people 56",
            ),
        ],
    ),
    "train_dataloader.dataset.people": None,
    "train_dataloader.dataset.exclude_people": "i2v_truth/faces_held_out",
}
