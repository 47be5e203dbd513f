"""Dual-MTGAN on the Weizmann strips without the image critic (D_I; fig. 6).

Memory of a training step: 2.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_weizmann import *

del model["critics"]["image"]
model["phases"]["critics"]["updates"] = ["critics.video"]
model["phases"]["critics"]["losses"].update(image_critic=None, image_critic_transfer=None)
model["phases"]["generator"]["losses"].update(image_adversarial=None, image_adversarial_transfer=None)
