"""Embedders: networks that map every frame to a vector, close for images of one person, or a video to one vector."""

from i2vkit.evaluation.embedders.dlib_faces import DlibEmbedder
from i2vkit.evaluation.embedders.i3d import I3dEmbedder
from i2vkit.evaluation.embedders.image_features import ImageFeaturesEmbedder
from i2vkit.evaluation.embedders.network import NetworkEmbedder
from i2vkit.evaluation.embedders.resnext3d import ResNext3d, ResNext3dEmbedder

__all__ = ["DlibEmbedder", "I3dEmbedder", "ImageFeaturesEmbedder", "NetworkEmbedder", "ResNext3d", "ResNext3dEmbedder"]
