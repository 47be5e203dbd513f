"""UvA-NEMO, prepared at 64x64 (tools/prepare_data.py): spontaneous smiles, 80 people test and everybody else trains.

ImaGINator: the 597 spontaneous clips, 32 frames, every second one, and no label: there is one kind only. Faces are
cropped in each frame (box_per_frame). Who tests is our choice, the paper does not say; see i2vkit/datasets/splits.py.
Both kinds, as Dual-MTGAN takes them, are uva_nemo_sequences.py.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomWindow

_reader = dict(
    type=ClipFolder,
    root="data/uva_nemo_64",
    framing="box",
    fps=50.0,
    labels=["deliberate", "spontaneous"],
    help="UvA-NEMO is given on request by its owners at the University of Amsterdam (www.uva-nemo.org).\n"
    "For a synthetic data set: python tools/synthesize_data.py uva_nemo --out data/uva_nemo\n"
    "Then, either way: python tools/prepare_data.py uva_nemo --source data/uva_nemo --out data/uva_nemo_64 --size 64 "
    "--framing box_per_frame",
)

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        labels=["spontaneous"],
        exclude_people="uva_nemo/test",
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
        labels=["spontaneous"],
        people="uva_nemo/test",
        min_frames=63,
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/uva_nemo_64/truth"),
        window=dict(type=FirstFrames, length=32, stride=2),
        size=64,
    ),
)
test_dataloader = val_dataloader
