"""Frame FID: the Frechet distance of features of an image network, averaged over the frames of each video."""

from __future__ import annotations

from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.registry import METRICS


@METRICS.register_module()
class FrameFid(FrechetMetric):
    """The Frechet distance of vectors of EfficientNet-Lite0, one for each video. Lower is better.

    See ``FrechetMetric``. A vector is the mean over the frames of a video, so the order of frames makes no difference.
    It is neither the FID of images, which uses Inception and one vector for each image, nor video FID, and no two of
    them can be compared. Its weights come with the extra ``projected``, so no download from elsewhere is needed.

    Source: ours, after Heusel et al., "GANs trained by a two time-scale update rule" (2017).

    Args:
        embedder: A part of the registry ``VIDEO_EMBEDDERS``. By default ``ImageFeaturesEmbedder``.
        prefix: As in ``FrechetMetric``.
        collect_device: As in ``FrechetMetric``.
    """

    name = "frame_fid"

    def __init__(self, embedder: dict | None = None, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(embedder or {"type": "ImageFeaturesEmbedder"}, prefix, collect_device)
