"""The interfaces of the parts that a generator is assembled from, one abstract class per role.

A part inherits from the class of its role and registers itself. The builder reads the class attributes before it builds
anything, and a wrong name is refused where the class is defined. The interfaces of discriminators are in
``models/discriminators/interfaces.py`` and ``views.py``, those of losses in ``models/losses``.
"""

from i2vkit.models.interfaces.adapter import Adapter
from i2vkit.models.interfaces.frame_encoder import FrameEncoder
from i2vkit.models.interfaces.head import Head, Refiner
from i2vkit.models.interfaces.parts import ContentEncoder, Decoder, MotionEncoder, MotionGenerator, Part

__all__ = [
    "Adapter",
    "ContentEncoder",
    "Decoder",
    "FrameEncoder",
    "Head",
    "MotionEncoder",
    "MotionGenerator",
    "Part",
    "Refiner",
]
