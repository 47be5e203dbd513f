"""Weights that authors of the papers have released, or that their code saves, as weights of the configs here."""

from i2vkit.zoo.released.converting import convert_frgan, convert_imaginator

__all__ = ["convert_frgan", "convert_imaginator"]
