"""How models are scored on i2v-truth-v1: appearance, motion and both, besides SSIM and PSNR; docs/truth_benchmark.md.

``transfer`` is the list of test samples that comes with the set; truth_faces.py and truth_figures.py say where it lies.
"""

from i2vkit.evaluation.metrics import Appearance, MotionAccuracy, Psnr, Ssim
from i2vkit.evaluation.protocols import Reconstruction, SampleList

val_evaluator = dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr))
test_evaluator = dict(**val_evaluator, appearance=dict(type=Appearance), motion_accuracy=dict(type=MotionAccuracy))
protocols = dict(transfer=dict(type=SampleList, path=None), reconstruction=dict(type=Reconstruction))
