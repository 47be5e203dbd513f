"""A user's own clips (docs/your_data.md): the largest centred square at 64x64, windows of 16 frames.

As it stands everyone trains and everyone validates, which measures memory. To hold people out, name them twice:
train_dataloader["dataset"]["exclude_people"] and val_dataloader["dataset"]["people"].
"""

from i2vkit.datasets import ClipDataset, ClipFolder, PositionSampler
from i2vkit.datasets.transforms import CenterCrop, FirstFrames, PackClip, RandomFlip, RandomWindow, ReadFrames, Resize

_layout = dict(type=ClipFolder, root="data/my_clips")

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        type=ClipDataset,
        layout=_layout,
        min_frames=16,
        pipeline=[
            dict(type=RandomWindow, length=16, stride=1),
            dict(type=ReadFrames),
            dict(type=CenterCrop),
            dict(type=Resize, size=64),
            dict(type=RandomFlip, probability=0.5),
            dict(type=PackClip),
        ],
    ),
    sampler=dict(type=PositionSampler),
    collate_fn=dict(type="pseudo_collate"),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        type=ClipDataset,
        layout=_layout,
        min_frames=16,
        pipeline=[
            dict(type=FirstFrames, length=16, stride=1),
            dict(type=ReadFrames),
            dict(type=CenterCrop),
            dict(type=Resize, size=64),
            dict(type=PackClip),
        ],
    ),
    sampler=dict(type=PositionSampler, ordered=True),
    collate_fn=dict(type="pseudo_collate"),
)
test_dataloader = val_dataloader
