"""How FRGAN is tested on bodies: MSE and PSNR of 32 frames, by action in metrics.json (sec. 4.3).

true_poses starts at a clip's first frame; forecast_poses at its tenth, the last that the pose LSTM sees, and needs
python tools/forecast_poses.py pose_lstm_penn work_dirs/pose_lstm_penn --data data/penn_action_64 beforehand.
"""

from mmengine.config import read_base

with read_base():
    from .evaluation import *

from i2vkit.evaluation.metrics import Mse
from i2vkit.evaluation.protocols import Forecast

test_evaluator = val_evaluator = dict(**val_evaluator, mse=dict(type=Mse))
protocols["true_poses"] = dict(type=Forecast, poses="true", start=0, length=32)
protocols["forecast_poses"] = dict(type=Forecast, poses="forecast", start=9, length=32)
del protocols["stochastic"]  # nothing is drawn at random
