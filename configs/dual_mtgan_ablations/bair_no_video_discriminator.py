"""Dual-MTGAN on BAIR without the video discriminator (D_V; fig. 6).

Memory of a training step: 3.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_bair import *

del model["discriminators"]["video"]
model["phases"]["discriminators"]["updates"] = ["discriminators.image"]
model["phases"]["discriminators"]["losses"].update(video_discriminator=None, video_discriminator_transfer=None)
model["phases"]["generator"]["losses"].update(video_adversarial=None, video_adversarial_transfer=None)
