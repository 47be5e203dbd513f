"""Embedders: networks that give every frame a vector, near for one person and far for others."""

from i2vkit.evaluation.embedders.dlib_faces import DlibEmbedder
from i2vkit.evaluation.embedders.network import NetworkEmbedder

__all__ = ["DlibEmbedder", "NetworkEmbedder"]
