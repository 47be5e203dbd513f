"""Dual-MTGAN on the Weizmann strips without the image discriminator (D_I; fig. 6).

Memory of a training step: 2.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_weizmann import *

del model["discriminators"]["image"]
model["phases"]["discriminators"]["updates"] = ["discriminators.video"]
model["phases"]["discriminators"]["losses"].update(image_discriminator=None, image_discriminator_transfer=None)
model["phases"]["generator"]["losses"].update(image_adversarial=None, image_adversarial_transfer=None)
