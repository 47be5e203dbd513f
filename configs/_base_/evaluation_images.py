"""How models are tested that animate an image without a driving video: what evaluation.py has, and ImaGINator's test.

``initial_frames`` begins every test clip anew from each of its first ten frames, each one a sample with the clip's own
label (sec. 4.3). Its length is that of 32 successive frames; sets with another stride say so. Tests measure video FID
too, by the network of the paper; without its weights it is left out, and the log says what to fetch.
"""

from mmengine.config import read_base

with read_base():
    from .evaluation import *

from i2vkit.evaluation.metrics import VideoFid
from i2vkit.evaluation.protocols import InitialFrames

test_evaluator = dict(**val_evaluator, video_fid=dict(type=VideoFid))
protocols["initial_frames"] = dict(type=InitialFrames, number=10, length=32)
