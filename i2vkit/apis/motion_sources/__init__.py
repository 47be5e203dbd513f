"""Sources of motion: the classes that tell a model how to move an image.

from i2vkit.apis import I2VInferencer
from i2vkit.apis.motion_sources import ClipMaps, FaceVideo

animate = I2VInferencer.from_pretrained("frgan-faces")
animate("face.png", FaceVideo("clip.mp4", landmarks=("face.csv", "clip.csv")), out="moved.mp4")
"""

from i2vkit.apis.motion_sources.base import ModelFacts, MotionChunk, MotionSource, PreparedMotion
from i2vkit.apis.motion_sources.choosing import choose_source
from i2vkit.apis.motion_sources.declared import declared_generator
from i2vkit.apis.motion_sources.maps import ClipMaps, ConditionMaps, DrawnMaps
from i2vkit.apis.motion_sources.people import BodyPoses, FaceVideo
from i2vkit.apis.motion_sources.videos import DrivingVideo, SampledMotion

__all__ = [
    "BodyPoses",
    "ClipMaps",
    "ConditionMaps",
    "DrawnMaps",
    "DrivingVideo",
    "FaceVideo",
    "ModelFacts",
    "MotionChunk",
    "MotionSource",
    "PreparedMotion",
    "SampledMotion",
    "choose_source",
    "declared_generator",
]
