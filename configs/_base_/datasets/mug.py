"""MUG, prepared at 64x64 (tools/prepare_data.py): ImaGINator's ten test people test, everybody else trains.

ImaGINator: 32 frames, every second one, hence clips of at least 63 frames; shorter ones, all neutral clips among them,
are listed in the log. Labels: six expressions and neutral, in the order of their names. FRGAN's three groups of people
are in i2vkit/datasets/splits.py.
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
    "Then, either way: python tools/prepare_data.py mug --source data/mug --out data/mug_64 --size 64",
)

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        exclude_people="mug/test",
        min_frames=63,
        window=dict(type=RandomWindow, length=32, stride=2),
        size=64,
    ),
)
val_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="mug/test",
        min_frames=63,
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/mug_64/truth"),
        window=dict(type=FirstFrames, length=32, stride=2),
        size=64,
    ),
)
test_dataloader = val_dataloader
