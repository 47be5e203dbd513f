"""Heads: from the features of a decoder to a video."""

from i2vkit.models.heads.heads import DirectHead, ResidualHead, WarpHead

__all__ = ["DirectHead", "ResidualHead", "WarpHead"]
