"""How Dual-MTGAN is tested: what evaluation.py has, and LPIPS (table II), between videos and between samples.

``stochastic`` measures how far the 25 samples of an image lie apart, by LPIPS as the paper does. Its network is
AlexNet, ours, as the paper does not name one; without its weights LPIPS is left out, and the log says what to fetch.
"""

from mmengine.config import read_base

with read_base():
    from .evaluation import *

from i2vkit.evaluation.metrics import Lpips

test_evaluator = dict(**val_evaluator, lpips=dict(type=Lpips))
