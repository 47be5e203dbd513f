"""Dual-MTGAN on the Weizmann strips for an hour on two CPU cores: the same losses, learnt one after the other.

The paper has no such run. First the frames are reconstructed, through skips from the content image to the decoder
(which the paper's model has not), with eq. 1 relative to the scale of the codes and a divergence that comes in slowly,
so that motion goes through the motion code; from iteration 900 on transfer, sampling, the cycle and both critics join
in, with the weights of eq. 8. Batch of 4, learning rate 5e-4. docs/results.md has what came out.
"""

from mmengine.config import read_base

with read_base():
    from .dual_mtgan_weizmann import *

_joined = 900

model["generator"]["decoder"]["skips"] = True
model["phases"][0]["begin"] = _joined
model["phases"][1]["losses"][1]["relative"] = True
model["phases"][1]["losses"][2]["weight"] = [(500, 0.0), (1200, 1e-2)]  # divergence
for _loss in model["phases"][1]["losses"][3:9]:  # the cycle and the critics
    _loss["weight"] = [(_joined, 0.0), (_joined + 1, _loss.get("weight", 1.0))]
train_dataloader["batch_size"] = 4
optim_wrapper["optimizer"]["lr"] = 5e-4
train_cfg.update(max_iters=1200, val_interval=400)
