"""Small layers that several parts share; none belongs to one paper."""

from i2vkit.models.layers.dropout import ClipDropout
from i2vkit.models.layers.initialization import init_batch_norm_, init_dcgan_, init_he_
from i2vkit.models.layers.resampling import PooledConv, StaticConv2d, UpsampledConv
from i2vkit.models.layers.residual import ResidualDown, ResidualTrunk, ResidualUp
from i2vkit.models.layers.transposed_1p2d import TransposedConv1p2d
from i2vkit.models.layers.warping import warp

__all__ = [
    "ClipDropout",
    "PooledConv",
    "ResidualDown",
    "ResidualTrunk",
    "ResidualUp",
    "StaticConv2d",
    "TransposedConv1p2d",
    "UpsampledConv",
    "init_batch_norm_",
    "init_dcgan_",
    "init_he_",
    "warp",
]
