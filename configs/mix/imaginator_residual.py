"""ImaGINator with FRGAN's residual head, on the faces of i2v-truth-v1.

Parents: truth/imaginator_faces, truth/frgan_forecast_faces. ImaGINator's transposed convolutions leave a grid on every
frame: is it gone where the picture shows through, and does a clip still move by its label?

Memory of a training step: 1.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.imaginator_faces import *

from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import MaskSparsityLoss

model["generator"]["head"] = dict(type=ResidualHead)
model["phases"]["generator"]["losses"]["mask"] = dict(type=MaskSparsityLoss, weight=0.05)
