"""Dual-MTGAN's variational motion code for ImaGINator's transposed (1+2)D decoder, on the faces of i2v-truth-v1.

Parents: truth/dual_mtgan_faces, truth/imaginator_faces. One code a clip is what ImaGINator's decoder unrolls by itself:
is the LSTM between code and frames needed? Without it motion is 16 frames long and no other, and content is the first
frame's: eq. 1, which draws the codes of all frames together, has no place. The other losses and discriminators are
Dual-MTGAN's.

Memory of a training step: 2.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.dual_mtgan_faces import *

from i2vkit.models.decoders import TransposedConv1p2dDecoder

model["generator"]["motion_generator"] = None
model["generator"]["decoder"] = dict(
    type=TransposedConv1p2dDecoder,
    widths=(512, 256, 128, 64),
    temporal_widths=(4096, 3072, 1536, 768, 36),
    time=((1, 1), (4, 2), (4, 2), (4, 2), (4, 2)),
)
model["passes"]["reconstruct"]["content_per_frame"] = False
del (
    model["phases"]["generator"]["losses"]["content_l1"],
    model["phases"]["generator"]["losses"]["content_variance_ratio"],
)  # eq. 1, and what measures it
