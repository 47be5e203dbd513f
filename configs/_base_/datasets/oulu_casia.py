"""Oulu-CASIA, visible light, strong illumination, prepared at 64x64 (tools/prepare_data.py): 70 people train, 10 test.

Every clip is resampled to 16 frames from the neutral face to the apex. Which people test is our choice, DTGAN does not
say; see i2vkit/datasets/splits.py.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import Resample

_reader = dict(
    type=ClipFolder,
    root="data/oulu_casia_64",
    framing="eyes",
    labels=["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise"],
    help="Oulu-CASIA is given on request by its owner, the Center for Machine Vision and Signal Analysis (CMVS) of the "
    "University of Oulu.\n"
    "For a synthetic data set: python tools/synthesize_data.py oulu_casia --out data/oulu_casia\n"
    "Then, either way: "
    "python tools/prepare_data.py oulu_casia --source data/oulu_casia --out data/oulu_casia_64 --size 64",
)

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="oulu_casia/train",
        window=dict(type=Resample, length=16),
        size=64,
    ),
)
val_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="oulu_casia/test",
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/oulu_casia_64/truth"),
        window=dict(type=Resample, length=16),
        size=64,
    ),
)
test_dataloader = val_dataloader

# Options for variants of configs at 128x128; first prepare with --size 128 --out data/oulu_casia_128.
_data_128 = {
    "train_dataloader.dataset.reader.root": "data/oulu_casia_128",
    "train_dataloader.dataset.size": 128,
    "val_dataloader.dataset.reader.root": "data/oulu_casia_128",
    "val_dataloader.dataset.size": 128,
    "test_dataloader.dataset.reader.root": "data/oulu_casia_128",
    "test_dataloader.dataset.size": 128,
}
