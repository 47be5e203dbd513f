"""Refiners: from a whole generated video to features of a better one."""

from i2vkit.models.refiners.volume import VolumeRefiner

__all__ = ["VolumeRefiner"]
