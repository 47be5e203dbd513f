"""ImaGINator on the Weizmann strips, third part: as imaginator_weizmann_crops.py, longer, and what is validated and
saved is the moving average of the generator's weights over about 200 iterations, which single ones lie around.

Ours, as the second part. docs/results.md has the commands, and what came out.

Memory of a training step: 1.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .imaginator_weizmann_crops import *

from i2vkit.engine.hooks import GeneratorEMAHook

_end = 3000

custom_hooks = dict(**custom_hooks, ema=dict(type=GeneratorEMAHook, momentum=0.02, interval=4))
param_scheduler["decay"]["end"] = _end
train_cfg.update(max_iters=_end, val_interval=500)
