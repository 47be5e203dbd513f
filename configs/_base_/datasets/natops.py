"""NATOPS, 24 gestures, prepared at 64x64 (tools/prepare_data.py): 15 people train, 5 test.

As ImaGINator has it: 32 frames, every one; repeats of fewer frames are left out and listed. No mirror images: gestures
have a left and a right. Which people test is our choice, the paper does not say; see i2vkit/datasets/splits.py.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomWindow

_reader = dict(
    type=ClipFolder,
    root="data/natops_64",
    fps=20.0,
    labels=[f"gesture{number:02d}" for number in range(1, 25)],  # i2vkit/datasets/readers/natops.py says what they mean
    help="NATOPS is handed out by MIT's Computer Science and Artificial Intelligence Laboratory: "
    "github.com/yalesong/natops says how. Unpack gesture01.zip to gesture24.zip into data/natops/data, beside "
    "segmentation.txt.\n"
    "For a synthetic data set: python tools/synthesize_data.py natops --out data/natops\n"
    "Then, either way: python tools/prepare_data.py natops --source data/natops --out data/natops_64 --size 64",
)

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="natops/train",
        min_frames=32,
        window=dict(type=RandomWindow, length=32),
        size=64,
    ),
)
val_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="natops/test",
        min_frames=32,
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/natops_64/truth"),
        window=dict(type=FirstFrames, length=32),
        size=64,
    ),
)
test_dataloader = val_dataloader
