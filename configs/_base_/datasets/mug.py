"""MUG, prepared at 64x64 (tools/prepare_data.py): ImaGINator's ten test people test, everybody else trains.

ImaGINator: 32 frames, every second one. A third of the clips of expressions and nearly all neutral ones have fewer than
the 63 frames that this takes: of these every frame counts. Clips of fewer than 32 frames, among them most neutral ones,
are listed in the log; 13 neutral clips of training people are left. Labels: six expressions and neutral, in the order
of their names. Faces are cropped in each frame (box_per_frame). FRGAN's three groups of people are mug_maps.py's.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomWindow

_reader = dict(
    type=ClipFolder,
    root="data/mug_64",
    framing="box",
    fps=19.0,
    labels=["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"],
    help="MUG is given on request by its owner, the Multimedia Understanding Group of the Aristotle University of "
    "Thessaloniki (mug.ee.auth.gr/fed).\n"
    "For a synthetic data set: python tools/synthesize_data.py mug --out data/mug\n"
    "Then, either way: python tools/prepare_data.py mug --source data/mug --out data/mug_64 --size 64 "
    "--framing box_per_frame",
)

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        exclude_people="mug/test",
        min_frames=32,
        window=dict(type=RandomWindow, length=32, stride=2, min_stride=1),
        size=64,
    ),
)
val_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="mug/test",
        min_frames=32,
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/mug_64/truth"),
        window=dict(type=FirstFrames, length=32, stride=2, min_stride=1),
        size=64,
    ),
)
test_dataloader = val_dataloader
