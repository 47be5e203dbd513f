"""How generated videos are scored: SSIM and PSNR beside the static baseline, by default on reconstructions.

``stochastic`` is for models that draw motion from a prior: best of 25 samples an image, and how they differ.
"""

from i2vkit.evaluation.metrics import Psnr, Ssim
from i2vkit.evaluation.protocols import Reconstruction, Stochastic, Transfer

val_evaluator = dict(ssim=dict(type=Ssim), psnr=dict(type=Psnr))
test_evaluator = val_evaluator
protocols = dict(
    reconstruction=dict(type=Reconstruction), transfer=dict(type=Transfer), stochastic=dict(type=Stochastic)
)
