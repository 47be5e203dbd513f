"""Metrics of generated videos: pure functions, and thin classes for mmengine's evaluator."""

from i2vkit.evaluation.metrics.accuracy import Accuracy
from i2vkit.evaluation.metrics.appearance import Appearance, nearest_ssim
from i2vkit.evaluation.metrics.base import VideoMetric
from i2vkit.evaluation.metrics.best_of import BestOf
from i2vkit.evaluation.metrics.content_distance import ContentDistance, acd_c, acd_i
from i2vkit.evaluation.metrics.diversity import Diversity, DiversityL1, DiversityLpips
from i2vkit.evaluation.metrics.frame_fid import FrameFid
from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.evaluation.metrics.fvd import Fvd
from i2vkit.evaluation.metrics.label_accuracy import LabelAccuracy
from i2vkit.evaluation.metrics.lpips import Lpips, load_lpips, lpips
from i2vkit.evaluation.metrics.motion_accuracy import MotionAccuracy, motion_accuracy
from i2vkit.evaluation.metrics.motion_change import MotionChangeR2
from i2vkit.evaluation.metrics.mse import Mse, mse
from i2vkit.evaluation.metrics.pose_error import PoseError, pose_error
from i2vkit.evaluation.metrics.psnr import Psnr, psnr
from i2vkit.evaluation.metrics.psnr_per_batch import PsnrPerBatch, psnr_per_batch
from i2vkit.evaluation.metrics.ssim import Ssim, ssim
from i2vkit.evaluation.metrics.video_fid import VideoFid

# The metrics that need nothing but videos, by the name of their scores. Networks come from files of weights.
METRICS_OF_VIDEOS: dict[str, type] = {
    kind.name: kind
    for kind in (Ssim, Psnr, Mse, Lpips, Appearance, MotionAccuracy, ContentDistance, FrameFid, VideoFid, Fvd)
}

__all__ = [
    "METRICS_OF_VIDEOS",
    "Accuracy",
    "Appearance",
    "BestOf",
    "MotionChangeR2",
    "ContentDistance",
    "Diversity",
    "DiversityL1",
    "DiversityLpips",
    "FrameFid",
    "FrechetMetric",
    "Fvd",
    "LabelAccuracy",
    "Lpips",
    "MotionAccuracy",
    "Mse",
    "PoseError",
    "Psnr",
    "PsnrPerBatch",
    "Ssim",
    "VideoFid",
    "VideoMetric",
    "acd_c",
    "acd_i",
    "load_lpips",
    "lpips",
    "motion_accuracy",
    "mse",
    "nearest_ssim",
    "pose_error",
    "psnr",
    "psnr_per_batch",
    "ssim",
]
