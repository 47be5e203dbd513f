"""Penn Action, eight actions, people cut out at 64x64 with their joints (tools/prepare_data.py).

FRGAN: windows of 32 frames; a third of each action's clips trains its first stage and trains here, a third trains its
second and validates here, a third tests. Which clips is our choice, FRGAN does not say; see two_stage_split in
i2vkit/datasets/readers/penn_action.py. Clips of fewer than 32 frames are left out, and listed in the log. Forecasts
start at the tenth frame, as the LSTM sees ten poses: they need 42 frames (FirstFrames of 42, min_frames=42).

Joints that are out of the picture are NaN.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomWindow

_reader = dict(
    type=ClipFolder,
    root="data/penn_action_64",
    labels=[
        "baseball_pitch",
        "baseball_swing",
        "clean_and_jerk",
        "golf_swing",
        "jump_rope",
        "jumping_jacks",
        "tennis_forehand",
        "tennis_serve",
    ],
    help="Penn Action (Penn_Action.tar.gz, 3 GB) needs no form: dreamdragon.github.io/PennAction, of the GRASP "
    "laboratory, University of Pennsylvania.\n"
    "For a synthetic data set: python tools/synthesize_data.py penn_action --out data/penn_action\n"
    "Then, either way: "
    "python tools/prepare_data.py penn_action --source data/penn_action --out data/penn_action_64 --size 64",
)

train_dataloader.update(
    batch_size=32,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="penn_action/frgan_forecast",
        min_frames=32,
        window=dict(type=RandomWindow, length=32, stride=1),
        points=["joints"],
        size=64,
    ),
)
val_dataloader.update(
    batch_size=32,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="penn_action/frgan_refine",
        min_frames=32,
        window=dict(type=FirstFrames, length=32, stride=1),
        points=["joints"],
        size=64,
    ),
)
test_dataloader.update(
    batch_size=32,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="penn_action/frgan_test",
        min_frames=32,
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/penn_action_64/truth"),
        window=dict(type=FirstFrames, length=32, stride=1),
        points=["joints"],
        size=64,
    ),
)
