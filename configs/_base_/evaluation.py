"""How generated videos are scored: SSIM and PSNR beside the floor, by default on reconstructions."""

from i2vkit.evaluation.metrics import Psnr, Ssim
from i2vkit.evaluation.protocols import Reconstruction

val_evaluator = [dict(type=Ssim), dict(type=Psnr)]
test_evaluator = val_evaluator
protocols = dict(reconstruction=dict(type=Reconstruction))
