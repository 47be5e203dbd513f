"""Transforms: each takes and returns the dictionary of one sample.

``rng`` (numpy's Generator, the only source of chance), ``pair``, ``takes`` (a ``Take`` under "driving" and, where there
is one, "image_video" and "truth"), ``labels``, ``protocol`` and ``cache``.

With ``cache="device"`` frames are not there when a sample is made, but ``DeferredFrames`` that name them. A transform
that can live with that says so by ``frame_changes``: "none" if it leaves frames alone, else "fixed" if it does the same
with every sample of a clip and "random" if not. It changes frames by ``i2vkit.datasets.operations.change`` and nothing
else, and looks at their ``shape`` only.
"""

from i2vkit.datasets.transforms.colors import RandomColors
from i2vkit.datasets.transforms.geometry import CenterCrop, RandomCrop, RandomFlip, Resize
from i2vkit.datasets.transforms.maps import ReadMaps
from i2vkit.datasets.transforms.packing import PackClip
from i2vkit.datasets.transforms.points import ReadPoints
from i2vkit.datasets.transforms.reading import ReadFrames
from i2vkit.datasets.transforms.retarget_joints import RetargetJoints
from i2vkit.datasets.transforms.retargeting import RetargetMaps
from i2vkit.datasets.transforms.sampling import FirstFrames, RandomJump, RandomWindow, Resample, WholeClip
from i2vkit.datasets.transforms.states import LabelStates

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
