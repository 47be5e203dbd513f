"""Dual-MTGAN on BAIR without the video critic (D_V; fig. 6).

Memory of a training step: 3.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_bair import *

del model["critics"]["video"]
model["phases"]["critics"]["updates"] = ["critics.image"]
model["phases"]["critics"]["losses"].update(video_critic=None, video_critic_transfer=None)
model["phases"]["generator"]["losses"].update(video_adversarial=None, video_adversarial_transfer=None)
