"""MUG at 96x96 for models that read no condition maps, and FRGAN's test of them (sec. 4.2): its first group of people
trains, as it trains the forecasting network and Villegas et al., its second validates, its third tests.

That baselines see the first group alone is our choice, the paper does not say. Clips of 32 successive frames begin
anywhere in training, at the first frame in tests. ``references`` draws one clip of each expression and gives its label
to every test person; ACD-I and ACD-C score the videos.

Ours in the parts that this file names (their docstrings say more):

- ContentDistance: faces are embedded by dlib's network (the papers: OpenFace), whose numbers do not compare
"""

from mmengine.config import read_base

with read_base():
    from ..evaluation_faces import *
    from .mug_maps import *

from i2vkit.datasets.transforms import RandomWindow

train_dataloader.update(batch_size=16)
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=32)
train_dataloader["dataset"].update(min_frames=32, maps=None)
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(maps=None, extra_steps=None)
