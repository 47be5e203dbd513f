"""Penn Action as the 64x64 strips of FRGAN's project page: 41 clips, of which 29 train and 12 validate.

Windows of 16 frames in a row fit all clips, which have 18 (jumping jacks) to 315 frames (a clean and jerk). Every third
clip of each action is for a final test and stands in no config ("penn_strips/test" in i2vkit/datasets/splits.py).
Nobody is named: each clip counts as a person of its own. Colours went through the palette of a GIF.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, FrameStrips
from i2vkit.datasets.transforms import FirstFrames, RandomFlip, RandomWindow

_reader = dict(
    type=FrameStrips,
    root="data/penn_examples",
    labels=["baseball", "clean_and_jerk", "golf_swing", "jump_rope", "jumping_jacks", "tennis"],
    help="Penn Action as strips: cut the pane of the real clip from the animations of docs/examples_pose in "
    "github.com/garyzhao/FRGAN into <action>/<number>.jpg, square frames from left to right, and list them in an "
    "index.csv with the columns file, action, num_frames.\n"
    "Penn Action itself is read by configs/_base_/datasets/penn_action.py.",
)

train_dataloader.update(
    batch_size=4,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="penn_strips/train",
        window=dict(type=RandomWindow, length=16, stride=1),
        size=64,
        augmentation=dict(flip=dict(type=RandomFlip, probability=0.5)),
    ),
)
val_dataloader.update(
    batch_size=1,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="penn_strips/val",
        window=dict(type=FirstFrames, length=16, stride=1),
        size=64,
    ),
)
test_dataloader = val_dataloader
