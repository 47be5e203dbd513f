"""Transforms: each takes the dictionary of one sample and returns it.

Its keys are ``rng`` (a numpy Generator, the only source of chance), ``pair``, ``clips`` (a ``SampledClip`` under
"driving" and, if there is one, under "image_video" and "truth"), ``labels``, ``protocol`` and ``cache``.

With ``cache="device"`` a sample has ``DeferredFrames``, which name frames, instead of pixels. A transform that can work
with them says so by ``frame_changes``: "none" if it leaves frames alone, "fixed" if it does the same with every sample
of a clip, and otherwise "random". It changes frames only by ``i2vkit.datasets.frame_operations.change``, and looks only
at their ``shape``.
"""

from i2vkit.datasets.transforms.colors import RandomColors
from i2vkit.datasets.transforms.crops_and_flips import CenterCrop, RandomCrop, RandomFlip, Resize
from i2vkit.datasets.transforms.label_states import LabelStates
from i2vkit.datasets.transforms.pack_clip import PackClip
from i2vkit.datasets.transforms.read_frames import ReadFrames
from i2vkit.datasets.transforms.read_maps import ReadMaps
from i2vkit.datasets.transforms.read_points import ReadPoints
from i2vkit.datasets.transforms.retarget_faces import RetargetLandmarks, RetargetMaps
from i2vkit.datasets.transforms.retarget_joints import RetargetJoints
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
    "RetargetLandmarks",
    "RetargetMaps",
    "WholeClip",
]
