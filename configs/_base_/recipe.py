"""What the recipes share beside runtime.py: shorter runs, and a moving average of the generator's weights.

The average is validated and saved (``GeneratorEMAHook``); ours.
"""

from mmengine.config import read_base

with read_base():
    from .runtime import *

from i2vkit.engine.hooks import GeneratorEMAHook

train_cfg.update(max_iters=12_000, val_interval=3000)
custom_hooks = dict(**custom_hooks, ema=dict(type=GeneratorEMAHook, momentum=0.01))
