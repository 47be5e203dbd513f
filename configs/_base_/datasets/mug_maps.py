"""MUG with condition maps, prepared at 96x96 (tools/prepare_data.py mug --maps): FRGAN's six expressions and three
groups of people, those of its released code (i2vkit/datasets/splits.py). Stage one trains on the first group (19) and
validates on the second (19), stage two the other way round; the third (12) tests.

Stage one learns from random jumps in time within a clip; videos of 32 successive frames are made from a clip's first
frame. A transfer has the maps of the face in the image with the driving clip's expressions.

Ours in the parts that this file names (their docstrings say more):

- FaceMaps: the face model is fitted to landmarks by least squares (FRGAN: 3DDFA, a network on pixels)
- FaceMaps: a built-in face model with 13 ways of identity and 14 of expression (FRGAN: the Basel model)
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.conditions import FaceMaps
from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import (
    FirstFrames,
    RandomJump,
    RetargetMaps,
)

_reader = dict(
    type=ClipFolder,
    root="data/mug_96",
    framing="box",
    fps=19.0,
    labels=["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"],
    help="MUG is given on request by its owner, the Multimedia Understanding Group of the Aristotle University of "
    "Thessaloniki (mug.ee.auth.gr/fed).\n"
    "For a synthetic data set: python tools/synthesize_data.py mug --out data/mug --people 50 --split frgan (6 do)\n"
    "Then, either way: python tools/prepare_data.py mug --source data/mug --out data/mug_96 --size 96 --maps",
)
_expressions = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"]

train_dataloader.update(
    batch_size=32,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="mug/frgan_forecast",
        labels=_expressions,
        min_frames=33,
        window=dict(type=RandomJump, frames=1),
        size=96,
        maps=3,
    ),
)
_scored = dict(
    type=ClipDataset,
    reader=_reader,
    labels=_expressions,
    min_frames=32,
    # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
    truth=dict(type=ClipFolder, root="data/mug_96/truth"),
    window=dict(type=FirstFrames, length=32, stride=1),
    size=96,
    maps=3,
    extra_steps=dict(retarget=dict(type=RetargetMaps, generator=dict(type=FaceMaps, size=96))),
)
val_dataloader.update(batch_size=4, dataset=dict(people="mug/frgan_refine", **_scored))
test_dataloader.update(batch_size=4, dataset=dict(people="mug/frgan_test", **_scored))
