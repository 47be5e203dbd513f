"""Scores of generated videos: pure functions, and thin classes that mmengine's evaluator drives."""

from i2vkit.evaluation.metrics.accuracy import Accuracy
from i2vkit.evaluation.metrics.base import VideoMetric
from i2vkit.evaluation.metrics.psnr import Psnr, psnr
from i2vkit.evaluation.metrics.ssim import Ssim, ssim

__all__ = ["Accuracy", "Psnr", "Ssim", "VideoMetric", "psnr", "ssim"]
