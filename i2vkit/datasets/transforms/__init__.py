"""Transforms: each takes and returns the dictionary of one sample.

``rng`` (numpy's Generator, the only source of chance), ``pair``, ``clips`` (a ``SampledClip`` under "driving" and,
where there is one, "image_video" and "truth"), ``labels``, ``protocol`` and ``cache``.

With ``cache="device"`` frames are not there when a sample is made, but ``DeferredFrames`` that name them. A transform
that can live with that says so by ``frame_changes``: "none" if it leaves frames alone, else "fixed" if it does the same
with every sample of a clip and "random" if not. It changes frames by ``i2vkit.datasets.frame_operations.change`` and
nothing else, and looks at their ``shape`` only.
"""

from i2vkit.datasets.transforms.colors import RandomColors
from i2vkit.datasets.transforms.crops_and_flips import CenterCrop, RandomCrop, RandomFlip, Resize
from i2vkit.datasets.transforms.label_states import LabelStates
from i2vkit.datasets.transforms.pack_clip import PackClip
from i2vkit.datasets.transforms.read_frames import ReadFrames
from i2vkit.datasets.transforms.read_maps import ReadMaps
from i2vkit.datasets.transforms.read_points import ReadPoints
from i2vkit.datasets.transforms.retarget_joints import RetargetJoints
from i2vkit.datasets.transforms.retarget_maps import RetargetMaps
from i2vkit.datasets.transforms.sampling import FirstFrames, RandomJump, RandomWindow, Resample, WholeClip

__all__ = [
    "CenterCrop",
    "FirstFrames",
    "LabelStates",
    "PackClip",
    "RandomColors",
    "RandomCrop",
    "RandomFlip",
    "RandomJump",
    "RandomWindow",
    "ReadFrames",
    "ReadMaps",
    "ReadPoints",
    "Resample",
    "Resize",
    "RetargetJoints",
    "RetargetMaps",
    "WholeClip",
]
