"""DTGAN's comparison of sec. 4.4: the plain CNN-LSTM feature Z = H instead of Z = H - H_st, on Oulu-CASIA at 64x64.

Expected result: people prefer the appearance-suppressed feature in 82.88% of pairs (table 2; by people).

Memory of a training step: 2.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .dtgan_oulu import *

model["generator"]["motion_encoder"]["suppress_appearance"] = False
