"""How models that read a label are tested: what evaluation_images.py has, and every label for every test person."""

from mmengine.config import read_base

with read_base():
    from .evaluation_images import *

from i2vkit.evaluation.protocols import LabelGrid

protocols["label_grid"] = dict(type=LabelGrid)
