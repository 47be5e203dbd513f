"""ImaGINator on MUG with D_V(ac): class logits instead of the label in its maps; video FID 29.91 (table 5).

The generator still reads the label at every level. The weight 1 of the category losses is ours, that of ACGAN.

Memory of a training step: 6.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

from i2vkit.models.losses import CategoryLoss, DiscriminatorCategoryLoss

model["discriminators"]["video"].update(condition=None, classify=True)
model["phases"]["discriminators"]["losses"]["video_discriminator"]["wrong_label"] = 0.0
model["phases"]["discriminators"]["losses"]["video_discriminator_category"] = dict(
    type=DiscriminatorCategoryLoss, discriminator="video"
)
model["phases"]["generator"]["losses"]["video_category"] = dict(type=CategoryLoss, discriminator="video")
