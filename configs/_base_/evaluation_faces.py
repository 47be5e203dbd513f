"""How FRGAN is tested on faces: of each expression one clip, drawn once, on every test person, scored by ACD-I and ACD-C
(sec. 4.2; needs the extra i2vkit[faces] or a network of your own), besides what evaluation.py has.
"""

from mmengine.config import read_base

with read_base():
    from .evaluation import *

from i2vkit.evaluation.metrics import ContentDistance
from i2vkit.evaluation.protocols import ReferenceTransfer

test_evaluator = [*val_evaluator, dict(type=ContentDistance)]
protocols["references"] = dict(type=ReferenceTransfer)
del protocols["stochastic"]  # nothing is drawn at random
