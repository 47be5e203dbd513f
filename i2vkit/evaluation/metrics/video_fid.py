"""Video FID: the Frechet distance of features of an action recognition network."""

from __future__ import annotations

from i2vkit.evaluation.metrics.frechet_metric import FrechetMetric
from i2vkit.registry import METRICS


@METRICS.register_module()
class VideoFid(FrechetMetric):
    """The Frechet distance of vectors of a 3D ResNeXt-101 trained on Kinetics. Lower is better. See ``FrechetMetric``.

    It is not FVD, which uses I3D, and the two cannot be compared. The paper does not say how it resized frames, nor
    which 16 frames it took. Here frames are resized as in the training of that network, and all frames are used
    (``ResNext3dEmbedder``).

    Source: ImaGINator, sec. 4.2.

    Args:
        embedder: A part of the registry ``VIDEO_EMBEDDERS``. By default ResNeXt-101. If its weights are not in
            ``data/extractors``: ``dict(type=ResNext3dEmbedder, weights=..., sha256=...)``.
        prefix: As in ``FrechetMetric``.
        collect_device: As in ``FrechetMetric``.
    """

    name = "video_fid"

    def __init__(self, embedder: dict | None = None, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(embedder or {"type": "ResNext3dEmbedder"}, prefix, collect_device)
