"""Dual-MTGAN on BAIR without the image discriminator (D_I; fig. 6).

Memory of a training step: 3.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_bair import *

del model["discriminators"]["image"]
model["phases"]["discriminators"]["updates"] = ["discriminators.video"]
model["phases"]["discriminators"]["losses"].update(image_discriminator=None, image_discriminator_transfer=None)
model["phases"]["generator"]["losses"].update(image_adversarial=None, image_adversarial_transfer=None)
