"""How FRGAN is tested on faces: a clip of each expression, drawn once, on every test person, with ACD-I and ACD-C.

See sec. 4.2. ACD needs the extra i2vkit[faces] or a network of your own. What evaluation.py has comes besides.

Ours in the parts that this file names (their docstrings say more):

- ContentDistance: faces are embedded by dlib's network (the papers: OpenFace), whose numbers do not compare
"""

from mmengine.config import read_base

with read_base():
    from .evaluation import *

from i2vkit.evaluation.metrics import ContentDistance
from i2vkit.evaluation.protocols import ReferenceTransfer

test_evaluator = dict(**val_evaluator, content_distance=dict(type=ContentDistance))
protocols["references"] = dict(type=ReferenceTransfer)
del protocols["stochastic"]  # nothing is drawn at random
